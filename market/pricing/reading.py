"""Strict reading of JSON values: every function takes a value and its JSON path and raises PricingDocumentError naming that path."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NoReturn

from market.kit.errors import InvalidError

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
MIDNIGHT_MINUTE = 24 * 60
FIRST_YEAR, LAST_YEAR = 1970, 9998  # every instant in them exists in every time zone


class PricingDocumentError(InvalidError):
    """A pricing document, or an offer in its form, is malformed. `path` is the JSON path, `problem` what is wrong there."""

    code = "PRICING_DOCUMENT"
    zh = "{field} 填写有误：{problem}。请改正后重试。"
    en = "{field}: {problem}. Correct it and try again."

    def __init__(self, path: str, problem: str) -> None:
        """Keep where and what."""
        self.path, self.problem = path, problem
        super().__init__(field=path, problem=problem)


def fail(path: str, problem: str) -> NoReturn:
    """Raise PricingDocumentError."""
    raise PricingDocumentError(path, problem)


def shown(value: object) -> str:
    """A value as a short piece of a one-line message."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"


def read_object(value: object, path: str, known: Collection[str], required: Collection[str] = ()) -> Mapping[str, Any]:
    """An object that has every `required` member and none beyond `known`."""
    if not isinstance(value, Mapping):
        fail(path, f"must be an object, not {shown(value)}")
    for name in value:
        if name not in known:
            fail(f"{path}.{name}", "is not a field of this format")
    for name in required:
        if name not in value:
            fail(f"{path}.{name}", "is missing")
    return value


def read_list(value: object, path: str, *, least: int = 0) -> list[Any] | tuple[Any, ...]:
    """A list of at least `least` items."""
    if not isinstance(value, list | tuple):
        fail(path, f"must be a list, not {shown(value)}")
    if len(value) < least:
        fail(path, "must not be empty")
    return value


def read_int(value: object, path: str, *, least: int = 0, most: int | None = None) -> int:
    """An integer in [least, most]; true, 1.0 and "1" are none."""
    if type(value) is not int:
        fail(path, f"must be an integer, not {shown(value)}")
    if value < least:
        fail(path, f"must be at least {least}, not {shown(value)}")
    if most is not None and value > most:
        fail(path, f"must be at most {most}, not {shown(value)}")
    return value


def read_bool(value: object, path: str) -> bool:
    """True or false."""
    if type(value) is not bool:
        fail(path, f"must be true or false, not {shown(value)}")
    return value


def read_text(value: object, path: str) -> str:
    """A string that is not empty and can be written as UTF-8 again."""
    if type(value) is not str or not value or not _is_writable(value):
        fail(path, f"must be a text that is not empty, not {shown(value)}")
    return value


def _is_writable(text: str) -> bool:
    """Whether it is whole: JSON can name half of a character, which no file can hold."""
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)


def read_choice(value: object, path: str, choices: Collection[str]) -> str:
    """One of a few words."""
    if type(value) is not str or value not in choices:
        fail(path, f"must be one of {', '.join(choices)}, not {shown(value)}")
    return value


def read_texts(value: object, path: str, *, least: int = 0) -> tuple[str, ...]:
    """A list of different strings."""
    texts = read_list(value, path, least=least)
    for position, text in enumerate(texts):
        if type(text) is not str or not text or not _is_writable(text):
            fail(f"{path}[{position}]", f"must be a text that is not empty, not {shown(text)}")
    if len(set(texts)) != len(texts):
        fail(path, "names something twice")
    return tuple(texts)


def read_instant(value: object, path: str) -> datetime:
    """An instant of ISO 8601 with its offset from UTC."""
    if type(value) is not str or not _INSTANT.fullmatch(value):
        fail(path, f"must be a time like 2026-12-01T12:05:00+08:00, not {shown(value)}")
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        fail(path, f"is no time that exists: {shown(value)}")
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        fail(path, f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}, not {shown(value)}")
    return instant


def read_clock(value: object, path: str, *, may_be_midnight: bool) -> int:
    """A time of day HH:MM as minutes; 24:00 only where a span may end there."""
    if may_be_midnight and value == "24:00":
        return MIDNIGHT_MINUTE
    found = _CLOCK.fullmatch(value) if type(value) is str else None
    if not found:
        fail(path, f"must be a time of day like 20:00, not {shown(value)}")
    return int(found[1]) * 60 + int(found[2])
