"""The `.tlog-proof` of one entry: its place, its inclusion proof and a signed checkpoint in one text (C2SP tlog-proof)."""

from dataclasses import dataclass

from market.record.log.checkpoints import SignedCheckpoint, open_checkpoint
from market.record.log.errors import MalformedError
from market.record.log.keys import VerifierKey
from market.record.log.notes import MAX_BYTES
from market.record.log.proofs import verify_inclusion
from market.record.log.texts import decode_base64, decode_hash, decode_number, decode_text, encode_base64
from market.record.log.tree import hash_leaf

_PART = "tlog-proof"
_FIRST = "c2sp.org/tlog-proof@v1"
_MAX_PATH = 63


@dataclass(frozen=True, slots=True)
class ProofFile:
    """What the file says. `checkpoint` is the signed note as it was served; `extra` is for the application and proved by nothing."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def encode(self) -> bytes:
        """The bytes of the file."""
        extra = [f"extra {encode_base64(self.extra)}"] if self.extra else []
        lines = [_FIRST, *extra, f"index {self.index}", *map(encode_base64, self.path), ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.checkpoint


def parse_proof_file(data: bytes) -> ProofFile:
    """Read a proof file; neither its checkpoint nor its proof is verified, or even read, by that."""
    if len(data) > 2 * MAX_BYTES:
        raise MalformedError(_PART, "", f"a file of more than {2 * MAX_BYTES} bytes is not read")
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank:
        raise MalformedError(_PART, "end", "there is no checkpoint after a blank line")
    lines = decode_text(head, _PART).split("\n")
    if lines[0] != _FIRST:
        raise MalformedError(_PART, "line 1", f"the first line is {_FIRST}")
    at, extra = 1, b""
    if len(lines) > 1 and lines[1].startswith("extra "):
        at, extra = 2, decode_base64(lines[1].removeprefix("extra "), _PART, "line 2")
        if not extra:
            raise MalformedError(_PART, "line 2", "without extra data the line is left out")
    if len(lines) <= at or not lines[at].startswith("index "):
        raise MalformedError(_PART, f"line {at + 1}", "the entry's index stands here")
    index = decode_number(lines[at].removeprefix("index "), _PART, f"line {at + 1}")
    path = lines[at + 1 :]
    if len(path) > _MAX_PATH:
        raise MalformedError(_PART, f"line {at + 2 + _MAX_PATH}", f"no proof has more than {_MAX_PATH} hashes")
    hashes = tuple(decode_hash(line, _PART, f"line {number}") for number, line in enumerate(path, start=at + 2))
    return ProofFile(index, hashes, checkpoint, extra)


def verify_proof_file(proof: ProofFile, *, entry: bytes, key: VerifierKey, origin: str) -> SignedCheckpoint:
    """The checkpoint that proves this entry to be in the log `origin`; refused unless the log's key signed it and the path leads there."""
    signed = open_checkpoint(proof.checkpoint, key=key, origin=origin)
    verify_inclusion(
        leaf=hash_leaf(entry),
        index=proof.index,
        size=signed.checkpoint.size,
        proof=proof.path,
        root=signed.checkpoint.root,
    )
    return signed
