"""Canonical JSON (RFC 8785) for what is hashed, stored verbatim or compared byte by byte: integers, strings, lists, objects with ASCII keys."""

import json

from market.kit.errors import invariant


def canonical_json(value: object) -> bytes:
    """The one sequence of bytes that stands for this value. Floats and non-ASCII keys are a programmer's error."""
    _check(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _check(value: object) -> None:
    if isinstance(value, dict):
        for key, part in value.items():
            invariant(isinstance(key, str) and key.isascii(), f"a canonical key is ASCII text, not {key!r}")
            _check(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _check(part)
    else:
        invariant(
            value is None or isinstance(value, bool | int | str), f"a canonical value is no {type(value).__name__}"
        )
