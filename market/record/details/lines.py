"""The lines of a details export: canonical JSON (RFC 8785), first a head, then offers and sales in the order of the log."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from market.kit.canonical import canonical_json
from market.record.entries import get_salt
from market.record.log.errors import MalformedError
from market.record.log.texts import decode_hash, encode_base64

FORMAT: Final = "huigong-details/1"
DOCUMENTS: Final = ("basket", "facts")
"""What a details export opens: never `subject`."""

MOST_LINE: Final = 4_000_000
_PART: Final = "details"
_ID: Final = re.compile(r"[0-9a-f]{32}").fullmatch


class DetailsMalformedError(ValueError):
    """A line is not as the format has it; `line` counts from 1, the sentence says why."""

    def __init__(self, line: int, problem: str) -> None:
        """Keep where and why."""
        self.line, self.problem = line, problem
        super().__init__(f"line {line}: {problem}")


@dataclass(frozen=True, slots=True)
class Opened:
    """A private document, and the salt that opens its commitment."""

    salt: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """What was asked and approved, as the public `access` entry of this id commits to it, and how the export answers.

    The sales are those of the log's first `size` entries on the days asked for; of `sales_count` the `erased_count` whose persons had
    been erased stand in no line.
    """

    origin: str
    access: str
    request: Opened
    size: int
    sales_count: int
    erased_count: int


@dataclass(frozen=True, slots=True)
class OfferLine:
    """A version that was a candidate of one of the sales: its public entry, verbatim, at its place."""

    index: int
    entry: bytes


@dataclass(frozen=True, slots=True)
class SaleLine:
    """A sale: its place, its public id, basket and facts."""

    index: int
    public_id: str
    documents: Mapping[str, Opened]


Line: TypeAlias = OfferLine | SaleLine


def open_sale(index: int, public_id: str, documents: Mapping[str, bytes], *, commit_key: bytes) -> SaleLine:
    """The line of a sale with the salts of its person's key."""
    opened = {name: Opened(get_salt(commit_key, name, public_id), documents[name]) for name in DOCUMENTS}
    return SaleLine(index, public_id, opened)


def encode_head(head: Head) -> bytes:
    """The first line."""
    fields = {
        "format": FORMAT,
        "origin": head.origin,
        "access": head.access,
        "request": _encode(head.request),
        "size": head.size,
        "sales": head.sales_count,
        "erased": head.erased_count,
    }
    return canonical_json(fields) + b"\n"


def encode_line(line: Line) -> bytes:
    """Any other line."""
    if isinstance(line, OfferLine):
        return canonical_json({"index": line.index, "offer": line.entry.decode()}) + b"\n"
    documents = {name: _encode(opened) for name, opened in line.documents.items()}
    return canonical_json({"index": line.index, "sale": line.public_id, **documents}) + b"\n"


def split_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines, without their ends. Raises DetailsMalformedError for one that does not end."""
    waiting, count = bytearray(), 0
    for chunk in chunks:
        waiting += chunk
        *lines, rest = bytes(waiting).split(b"\n")
        yield from lines
        count += len(lines)
        waiting = bytearray(rest)
        if len(waiting) > MOST_LINE:
            raise DetailsMalformedError(count + 1, f"it has more than {MOST_LINE:,} bytes")
    if waiting:
        raise DetailsMalformedError(count + 1, "it breaks off")


def read_lines(lines: Iterator[bytes]) -> tuple[Head, Iterator[Line]]:
    """The head, and the other lines as they come. Raises DetailsMalformedError, also later while they are read; nothing is verified."""
    first = next(lines, None)
    if first is None:
        raise DetailsMalformedError(1, "it is missing")
    return _read_head(_Fields(1, first)), _read_rest(lines)


def _read_rest(lines: Iterator[bytes]) -> Iterator[Line]:
    before = -1
    for number, data in enumerate(lines, start=2):
        fields = _Fields(number, data)
        index = fields.count("index")
        if index <= before:
            raise DetailsMalformedError(number, "it does not come after the one before it in the log")
        before = index
        line: Line
        if "offer" in fields.said:
            line = OfferLine(index, fields.text("offer").encode())
        else:
            public_id = fields.text("sale")
            if not _ID(public_id):
                raise DetailsMalformedError(number, "sale is no public id")
            line = SaleLine(index, public_id, {name: fields.opened(name) for name in DOCUMENTS if name in fields.said})
        fields.end()
        yield line


def _read_head(fields: "_Fields") -> Head:
    if fields.text("format") != FORMAT:
        raise DetailsMalformedError(1, f"only {FORMAT} is known here")
    head = Head(
        origin=fields.text("origin"),
        access=fields.text("access"),
        request=fields.opened("request"),
        size=fields.count("size"),
        sales_count=fields.count("sales"),
        erased_count=fields.count("erased"),
    )
    fields.end()
    return head


class _Fields:
    """The fields of one line, each read once."""

    def __init__(self, number: int, data: bytes) -> None:
        self.number = number
        try:
            said = json.loads(data.decode())
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise DetailsMalformedError(number, "it is no JSON object in UTF-8")
        self.said: dict[str, Any] = said
        self._read: set[str] = set()

    def text(self, name: str) -> str:
        value = self._get(name)
        if not isinstance(value, str) or any("\ud800" <= sign <= "\udfff" for sign in value):
            raise DetailsMalformedError(self.number, f"{name} is no text")
        return value

    def count(self, name: str) -> int:
        value = self._get(name)
        if type(value) is not int or not 0 <= value < 1 << 53:
            raise DetailsMalformedError(self.number, f"{name} is no number")
        return value

    def opened(self, name: str) -> Opened:
        value = self._get(name)
        if not isinstance(value, dict) or value.keys() != {"salt", "text"}:
            raise DetailsMalformedError(self.number, f"{name} is not a text with its salt")
        salt, text = value["salt"], value["text"]
        if not isinstance(salt, str) or not isinstance(text, str):
            raise DetailsMalformedError(self.number, f"{name} is not a text with its salt")
        try:
            return Opened(decode_hash(salt, _PART, name), text.encode())
        except (MalformedError, UnicodeEncodeError):
            raise DetailsMalformedError(self.number, f"{name} is not a text with a salt of 32 bytes") from None

    def end(self) -> None:
        """Nothing stands in the line that was not read: least of all who somebody is."""
        if more := sorted(self.said.keys() - self._read):
            raise DetailsMalformedError(self.number, f"there is no field {ascii(more[0])[:40]}")

    def _get(self, name: str) -> object:
        if name not in self.said:
            raise DetailsMalformedError(self.number, f"{name} is missing")
        self._read.add(name)
        return self.said[name]


def _encode(opened: Opened) -> dict[str, str]:
    return {"salt": encode_base64(opened.salt), "text": opened.body.decode()}
