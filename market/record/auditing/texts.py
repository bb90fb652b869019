"""The texts beside entries, held against the hashes in them on the way through the log. What was removed cannot be, and is counted."""

import binascii
import json
import re
from collections.abc import Iterable
from typing import Final

from market.record.auditing.finding import Finding
from market.record.entries import commit
from market.record.log.tiles import ReadFile

RULE: Final = "texts"
_ID: Final = re.compile(r"[0-9a-f]{32}").fullmatch  # it becomes part of a path


class TextsCheck:
    """Reads `entries/<id>.text` of every entry that holds the hash of a text.

    `opened` of them are those that were hashed, `absent` are served no more.
    """

    def __init__(self, read: ReadFile) -> None:
        self._read = read
        self.opened = self.absent = 0

    def look(self, leaf_index: int, body: bytes) -> list[Finding]:
        """A text that is not the one that was hashed, or cannot be read."""
        said = _read_object(body) if b'"text":"' in body else {}
        told, public_id = said.get("text"), said.get("id")
        if type(told) is not str or type(public_id) is not str or not _ID(public_id):
            return []  # what is no entry, or no hash, the rule `form` names
        served = self._read(f"entries/{public_id}.text")
        if served is None:
            self.absent += 1
        elif _hash(served) == told:
            self.opened += 1
        else:
            problem = "What is served beside it is not the text that was hashed."
            return [Finding(RULE, problem, leaf_index, public_id, "text")]
        return []

    def end(self) -> Iterable[Finding]:
        """Nothing more."""
        return ()


def _read_object(data: bytes) -> dict[str, object]:
    """What these bytes say, nothing where they are no JSON object."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return said if type(said) is dict else {}


def _hash(served: bytes) -> str | None:
    """The hash of salt and text in such a file, None where it holds no two of that kind."""
    file = _read_object(served)
    salt, text = file.get("salt"), file.get("text")
    if type(salt) is not str or type(text) is not str:
        return None
    try:
        return commit(binascii.a2b_base64(salt, strict_mode=True), text.encode())
    except ValueError:
        return None
