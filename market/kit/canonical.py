"""Canonical JSON (RFC 8785) for what is hashed, stored verbatim or compared byte by byte: integers, strings, lists, objects with ASCII keys."""

import json
from collections.abc import Iterable

from market.kit.errors import InvariantError

PLAIN = frozenset({str, int, bool, type(None)})


def canonical_json(value: object) -> bytes:
    """The one sequence of bytes that stands for this value. Floats and non-ASCII keys are a programmer's error."""
    if type(value) not in PLAIN:
        _check(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _check(value: object) -> None:
    if isinstance(value, dict):
        for key in value:
            if type(key) is not str or not key.isascii():
                raise InvariantError(f"a canonical key is ASCII text, not {key!r}")
        parts: Iterable[object] = value.values()
    elif isinstance(value, list | tuple):
        parts = value
    elif isinstance(value, str | int):
        return
    else:
        raise InvariantError(f"a canonical value is no {type(value).__name__}")
    for part in parts:
        if type(part) not in PLAIN:  # most parts are: a call less for each
            _check(part)
