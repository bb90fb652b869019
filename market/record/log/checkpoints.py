"""Checkpoints: what a log signs about its tree of a size (C2SP tlog-checkpoint). Never two of them that contradict each other."""

from collections.abc import Iterable
from dataclasses import dataclass

from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.keys import SignerKey, VerifierKey
from market.record.log.notes import Note, parse_note, sign_note, verify_note
from market.record.log.texts import MAX_SIZE, check_text, decode_hash, decode_number, encode_base64
from market.record.log.tree import HASH_SIZE

_PART = "checkpoint"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tree of the log `origin` at `size` entries has this root. Ours has no `extensions`; those of others are kept as they are."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what its text could not say."""
        for number, line in ((1, self.origin), *enumerate(self.extensions, start=4)):
            if not line or "\n" in line:
                raise MalformedError(_PART, f"line {number}", "a line is missing, empty or more than one")
        check_text(self.origin, _PART)
        check_text("\n".join(("", "", "", *self.extensions)), _PART)
        if not 0 <= self.size <= MAX_SIZE:
            raise MalformedError(_PART, "line 2", "a size is a number from 0 and below 2^63")
        if len(self.root) != HASH_SIZE:
            raise MalformedError(_PART, "line 3", f"a root has {HASH_SIZE} bytes")

    @property
    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint and the note it was read from or signed as."""

    checkpoint: Checkpoint
    note: Note


def sign_checkpoint(checkpoint: Checkpoint, key: SignerKey) -> SignedCheckpoint:
    """The log's own signature. Whether it continues every checkpoint signed before is the caller's duty."""
    return SignedCheckpoint(checkpoint, sign_note(checkpoint.text, key))


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint; it is not proved by that."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise MalformedError(_PART, "", "it has at least three lines, none of them empty, each ended by a newline")
    origin, size, root, *extensions = lines
    return Checkpoint(
        origin=origin,
        size=decode_number(size, _PART, "line 2"),
        root=decode_hash(root, _PART, "line 3"),
        extensions=tuple(extensions),
    )


def read_checkpoint(data: bytes, *, keys: Iterable[VerifierKey]) -> SignedCheckpoint:
    """Read a signed checkpoint of any log, refused unless one of these keys signed it; other signatures are kept and ignored."""
    note = parse_note(data)
    verify_note(note, keys)
    return SignedCheckpoint(parse_checkpoint(note.text), note)


def open_checkpoint(data: bytes, *, key: VerifierKey, origin: str) -> SignedCheckpoint:
    """Read a signed checkpoint of the log `origin`, refused unless its key signed it; other signatures are kept and ignored."""
    signed = read_checkpoint(data, keys=[key])
    if signed.checkpoint.origin != origin:
        raise NotProvedError(f"This is a checkpoint of {signed.checkpoint.origin}, not of {origin}")
    return signed
