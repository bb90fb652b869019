"""What a witness and a log say to each other (C2SP tlog-witness, add-checkpoint), and when a witness cosigns. Pure.

A witness remembers, for each log, the checkpoint it cosigned last, and cosigns another only if that continues it. It never says yes twice
to two histories, so an operator who shows different people different records needs a witness that lies as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from market.record.log.checkpoints import Checkpoint, SignedCheckpoint, parse_checkpoint
from market.record.log.cosignatures import cosign
from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.keys import SignerKey, VerifierKey
from market.record.log.notes import Note, Signature, parse_note, verify_note
from market.record.log.proofs import verify_consistency
from market.record.log.texts import decode_hash, decode_number, decode_text, encode_base64
from market.record.log.tree import EMPTY_ROOT

SIZE_TYPE: Final = "text/x.tlog.size"
MOST_LINES: Final = 63
MAX_BYTES: Final = 64_000
_PART: Final = "request"


@dataclass(frozen=True, slots=True)
class Request:
    """A log asks for a cosignature: the size that the witness saw last, the proof from there, and the signed checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    def encode(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old}", *map(encode_base64, self.proof), ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.note


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness answers, as an HTTP status and a body; `kept` is the checkpoint that it must remember before it answers."""

    status: int
    body: bytes
    kind: str = "text/plain; charset=utf-8"
    kept: bytes | None = None


def parse_request(body: bytes) -> Request:
    """Read a request; neither the proof nor the checkpoint is verified by that."""
    if len(body) > MAX_BYTES:
        raise MalformedError(_PART, "", f"a request of more than {MAX_BYTES} bytes is not read")
    head, blank, note = body.partition(b"\n\n")
    if not blank:
        raise MalformedError(_PART, "end", "there is no checkpoint after an empty line")
    first, *proof = decode_text(head, _PART).split("\n")
    if not first.startswith("old "):
        raise MalformedError(_PART, "line 1", "the old size stands here")
    if len(proof) > MOST_LINES:
        raise MalformedError(_PART, f"line {MOST_LINES + 2}", f"no proof has more than {MOST_LINES} lines")
    hashes = tuple(decode_hash(line, _PART, f"line {number}") for number, line in enumerate(proof, start=2))
    return Request(decode_number(first.removeprefix("old "), _PART, "line 1"), hashes, note)


def answer_request(
    body: bytes,
    *,
    logs: Sequence[VerifierKey],
    known: Mapping[str, bytes],
    key: SignerKey,
    at_seconds: int,
) -> Answer:
    """Cosign, or say why not.

    `logs` are the keys of the logs that are watched, each named as its origin; `known` are the checkpoints cosigned last, by origin.
    """
    try:
        request = parse_request(body)
        note = parse_note(request.note)
        new = parse_checkpoint(note.text)
    except MalformedError as error:
        return _refuse(400, str(error))
    mine = [log for log in logs if log.name == new.origin]
    if not mine:
        return _refuse(404, f"the log {new.origin} is not watched here")
    try:
        verify_note(note, mine)
    except NotProvedError as error:
        return _refuse(403, str(error))
    if request.old > new.size:
        return _refuse(400, f"the old size {request.old} is above the new size {new.size}")
    return _judge(request, note, new, known=known, key=key, at_seconds=at_seconds)


def _judge(
    request: Request, note: Note, new: Checkpoint, *, known: Mapping[str, bytes], key: SignerKey, at_seconds: int
) -> Answer:
    """Whether a signed checkpoint of a watched log continues the last one."""
    last = parse_checkpoint(parse_note(known[new.origin]).text) if new.origin in known else None
    size, root = (last.size, last.root) if last else (0, EMPTY_ROOT)
    if request.old != size or (size == new.size and root != new.root):
        return Answer(409, f"{size}\n".encode(), SIZE_TYPE)
    try:
        verify_consistency(old=size, old_root=root, new=new.size, new_root=new.root, proof=request.proof)
    except NotProvedError as error:
        return _refuse(422, str(error))
    line = cosign(SignedCheckpoint(new, note), key, at_seconds=at_seconds)
    return Answer(200, encode_line(line), kept=request.note)


def encode_line(signature: Signature) -> bytes:
    """One signature line, as it stands below a note."""
    return Note("", (signature,)).encode().removeprefix(b"\n")


def read_answer(data: bytes, signed: SignedCheckpoint) -> SignedCheckpoint:
    """The checkpoint with the signature lines that a witness answered, none of them verified yet. Raises MalformedError."""
    note = parse_note(signed.note.encode() + data)
    return SignedCheckpoint(signed.checkpoint, note)


def _refuse(status: int, sentence: str) -> Answer:
    return Answer(status, f"{sentence}\n".encode())
