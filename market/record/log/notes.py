"""Signed notes: a text and the signatures under it (C2SP signed-note). The text counts for nothing before a known key was found to hold."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from market.kit.errors import invariant
from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.keys import Kind, SignerKey, VerifierKey
from market.record.log.texts import check_name, check_text, decode_base64, decode_text, encode_base64

MAX_BYTES = 1_000_000
MAX_SIGNATURES = 100
_DASH = "— "
_PART = "note"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line. `key_id` are the four bytes that name the key together with `name`; `data` is what the key's type says."""

    name: str
    key_id: bytes
    data: bytes

    def is_by(self, key: VerifierKey) -> bool:
        """Whether it claims to be this key's: the same name and the same id."""
        return self.name == key.name and self.key_id == key.id


@dataclass(frozen=True, slots=True)
class Note:
    """A text, ending in a newline, and its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The note as it is served and stored: text, blank line, signature lines."""
        lines = [f"{_DASH}{line.name} {encode_base64(line.key_id + line.data)}\n" for line in self.signatures]
        return f"{self.text}\n{''.join(lines)}".encode()

    def add(self, signatures: Iterable[Signature]) -> "Note":
        """The note with further signatures below; one that stands there already is left out."""
        new = [signature for signature in dict.fromkeys(signatures) if signature not in self.signatures]
        return replace(self, signatures=(*self.signatures, *new))


def sign_note(text: str, key: SignerKey) -> Note:
    """The text signed by a key for notes; it must end in a newline and hold no other control character."""
    invariant(key.kind == Kind.NOTE, "Only a key for notes signs a note by itself")
    check_text(text, _PART)
    if not text.endswith("\n"):
        raise MalformedError(_PART, "end", "the text of a note ends in a newline")
    return Note(text, (Signature(key.name, key.verifier.id, key.sign(text.encode())),))


def parse_note(data: bytes) -> Note:
    """Read a note without checking any signature."""
    if len(data) > MAX_BYTES:
        raise MalformedError(_PART, "", f"a note of more than {MAX_BYTES} bytes is not read")
    whole = decode_text(data, _PART)
    if not whole.endswith("\n"):
        raise MalformedError(_PART, "end", "a note ends in a newline")
    head, blank, tail = whole.rpartition("\n\n")
    if not blank or not tail:
        raise MalformedError(_PART, "end", "there are no signatures after a blank line")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedError(_PART, "end", f"a note with more than {MAX_SIGNATURES} signatures is not read")
    first = head.count("\n") + 3
    return Note(head + "\n", tuple(_parse_signature(line, f"line {first + n}") for n, line in enumerate(lines)))


def verify_note(note: Note, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
    """Which of the keys for notes signed it, at least one; signatures of others are ignored.

    A signature that claims to be by one of the keys and is not refuses the whole note (C2SP signed-note, Signatures).
    """
    message = note.text.encode()
    found = []
    for key in keys:
        invariant(key.kind == Kind.NOTE, "Cosignatures are verified with their checkpoint")
        claims = [signature for signature in note.signatures if signature.is_by(key)]
        if not all(key.holds(signature.data, message) for signature in claims):
            raise NotProvedError(f"A signature of {key.name} does not hold for this text")
        if claims:
            found.append(key)
    if not found:
        raise NotProvedError("No known key signed this note")
    return tuple(found)


def _parse_signature(line: str, where: str) -> Signature:
    if not line.startswith(_DASH):
        raise MalformedError(_PART, where, "a signature begins with an em dash and a space")
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not space:
        raise MalformedError(_PART, where, "a signature has a key name, a space and base64")
    check_name(name, _PART, where)
    data = decode_base64(encoded, _PART, where)
    if len(data) < 5:
        raise MalformedError(_PART, where, "a signature has four bytes for the key and at least one more")
    return Signature(name, data[:4], data[4:])
