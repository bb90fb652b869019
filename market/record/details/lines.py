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

FORMAT: Final = "huigong-details/2"
WITHOUT_BATCHES: Final = "huigong-details/1"
"""The earlier form, which holds only sales with a place of their own in the log."""

DOCUMENTS: Final = ("basket", "facts")
"""What a details export opens: never `subject`."""

MOST_LINE: Final = 4_000_000
_PART: Final = "details"
_MOST_PATH: Final = 63
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
    format: str = FORMAT

    @property
    def has_batches(self) -> bool:
        """Whether sales that are published in batches are opened too."""
        return self.format == FORMAT


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


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A batch at its place, and how many of its sales are among those asked for; the lines of those that are opened follow."""

    index: int
    public_id: str
    sales_count: int


@dataclass(frozen=True, slots=True)
class BatchedLine:
    """A sale in a batch: the batch's place, the sale's own below its root with the path there, its entry verbatim, basket and facts."""

    index: int
    batch_index: int
    path: tuple[bytes, ...]
    entry: bytes
    documents: Mapping[str, Opened]


Line: TypeAlias = OfferLine | SaleLine | BatchLine | BatchedLine


def open_documents(public_id: str, documents: Mapping[str, bytes], *, commit_key: bytes) -> dict[str, Opened]:
    """What is opened of a sale, each with the salt of its person's key."""
    return {name: Opened(get_salt(commit_key, name, public_id), documents[name]) for name in DOCUMENTS}


def encode_head(head: Head) -> bytes:
    """The first line."""
    fields = {
        "format": head.format,
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
    if isinstance(line, BatchLine):
        return canonical_json({"index": line.index, "batch": line.public_id, "sales": line.sales_count}) + b"\n"
    documents = {name: _encode(opened) for name, opened in line.documents.items()}
    own: dict[str, object] = {}
    if isinstance(line, SaleLine):
        own["sale"] = line.public_id
    else:
        own = {"batch_index": line.batch_index, "path": [*map(encode_base64, line.path)], "entry": line.entry.decode()}
    return canonical_json({"index": line.index, **own, **documents}) + b"\n"


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
    head = _read_head(_Fields(1, first))
    return head, _read_rest(lines, has_batches=head.has_batches)


def _read_rest(lines: Iterator[bytes], *, has_batches: bool) -> Iterator[Line]:
    before = (-1, -1)
    for number, data in enumerate(lines, start=2):
        fields = _Fields(number, data)
        line = _read_line(fields, has_batches=has_batches)
        fields.end()
        place = (line.index, line.batch_index if isinstance(line, BatchedLine) else -1)
        if place <= before:
            raise DetailsMalformedError(number, "it does not come after the one before it in the log")
        before = place
        yield line


def _read_line(fields: "_Fields", *, has_batches: bool) -> Line:
    index = fields.count("index")
    if "offer" in fields.said:
        return OfferLine(index, fields.text("offer").encode())
    if has_batches and "batch" in fields.said:
        return BatchLine(index, fields.public_id("batch"), fields.count("sales"))
    if has_batches and "entry" in fields.said:
        batch_index, path, entry = fields.count("batch_index"), fields.hashes("path"), fields.text("entry").encode()
        return BatchedLine(index, batch_index, path, entry, fields.documents())
    return SaleLine(index, fields.public_id("sale"), fields.documents())


def _read_head(fields: "_Fields") -> Head:
    form = fields.text("format")
    if form not in {FORMAT, WITHOUT_BATCHES}:
        raise DetailsMalformedError(1, f"only {FORMAT} and {WITHOUT_BATCHES} are known here")
    head = Head(
        origin=fields.text("origin"),
        access=fields.text("access"),
        request=fields.opened("request"),
        size=fields.count("size"),
        sales_count=fields.count("sales"),
        erased_count=fields.count("erased"),
        format=form,
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

    def public_id(self, name: str) -> str:
        value = self.text(name)
        if not _ID(value):
            raise DetailsMalformedError(self.number, f"{name} is no public id")
        return value

    def hashes(self, name: str) -> tuple[bytes, ...]:
        value = self._get(name)
        if not isinstance(value, list) or len(value) > _MOST_PATH or not all(isinstance(one, str) for one in value):
            raise DetailsMalformedError(self.number, f"{name} is no list of at most {_MOST_PATH} hashes")
        try:
            return tuple(decode_hash(one, _PART, name) for one in value)
        except MalformedError:
            raise DetailsMalformedError(self.number, f"{name} has something else than hashes") from None

    def documents(self) -> dict[str, Opened]:
        """Those that are there: that one is left out is for the check to say."""
        return {name: self.opened(name) for name in DOCUMENTS if name in self.said}

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
