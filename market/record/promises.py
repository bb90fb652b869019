"""The signed promise that comes with a purchase: this entry will be in the log by then. With it an omission can be proved. Pure.

A signed note (C2SP signed-note) of three lines: the log's origin with `/promise`, the leaf hash in base64, the instant in UTC.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.keys import SignerKey, VerifierKey
from market.record.log.notes import parse_note, sign_note, verify_note
from market.record.log.texts import decode_hash, encode_base64

_PART: Final = "promise"
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True, slots=True)
class Promise:
    """The entry with this leaf hash is in a signed checkpoint of the log `origin` by `by` (whole seconds)."""

    origin: str
    leaf: bytes
    by: datetime

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}/promise\n{encode_base64(self.leaf)}\n{self.by.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n"


def sign_promise(promise: Promise, key: SignerKey) -> bytes:
    """The promise as it is handed out: the same bytes every time."""
    return sign_note(promise.text, key).encode()


def open_promise(data: bytes, *, key: VerifierKey, origin: str) -> Promise:
    """Read a promise of the log `origin`; refused unless its promise key signed it."""
    note = parse_note(data)
    verify_note(note, [key])
    lines = note.text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise MalformedError(_PART, "", "it has three lines")
    if lines[0] != f"{origin}/promise":
        raise NotProvedError(f"This is a promise of {lines[0].removesuffix('/promise')}, not of {origin}")
    if not _INSTANT.fullmatch(lines[2]):
        raise MalformedError(_PART, "line 3", "an instant such as 2026-12-01T04:05:06Z stands here")
    try:
        by = datetime.strptime(lines[2], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise MalformedError(_PART, "line 3", "there is no such instant") from None
    return Promise(origin, decode_hash(lines[1], _PART, "line 2"), by)
