"""Entries as files that other programs read: the exact bytes as JSON Lines, CSV, Parquet, XLSX. Each is written row by row in little memory.

A writer takes batches of entries and yields after each, so that what is written so far can be sent.
"""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, Literal, TypeAlias

import xlsxwriter

from api.exports import BOM, harmless
from market.oversight.entry_search import Found
from market.oversight.indexing import find_facts, read_facts
from market.record.entries import AMOUNTS, entry_hash

if TYPE_CHECKING:
    import pyarrow as pa

Form: TypeAlias = Literal["jsonl", "csv", "accounting", "parquet", "xlsx"]
Batches: TypeAlias = Iterable[Sequence[Found]]
Writer: TypeAlias = Callable[[IO[bytes], Batches, Mapping[str, str]], Iterator[None]]

COLUMNS: Final = (
    *("leaf_index", "id", "type", "day", "merchant", "state", "channel", "tender", "ccy"),
    *AMOUNTS,
    *("offers", "transfers", "of", "leaf_hash", "entry"),
)
POSTING_COLUMNS: Final = ("leaf_index", "day", "entry", "type", "merchant", "of", "debit", "credit", "fen", "ccy")
SHEET_ROWS: Final = 1_048_576  # what a sheet holds, its head included
BATCHES_A_GROUP: Final = 16  # rows of a Parquet file are compressed and read in groups
COPY_BYTES: Final = 1 << 16
_TEXTS: Final = ("channel", "tender", "ccy", "of")


@dataclass(frozen=True, slots=True)
class FileForm:
    """A form of export: what its file is called, how it is written, and whether it is compressed already."""

    name: str
    write: Writer
    is_packed: bool = False


def write_jsonl(file: IO[bytes], batches: Batches, _about: Mapping[str, str]) -> Iterator[None]:
    """The bytes of each entry, one per line, in the order of the log: what the root of the log is computed over."""
    for batch in batches:
        file.write(b"".join(entry.body + b"\n" for entry in batch))
        yield


def write_csv(file: IO[bytes], batches: Batches, _about: Mapping[str, str]) -> Iterator[None]:
    """One row for each entry with every column; the last one is the entry itself."""
    yield from _write_csv(file, COLUMNS, batches, lambda entry: (_text_row(entry),))


def write_accounting(file: IO[bytes], batches: Batches, _about: Mapping[str, str]) -> Iterator[None]:
    """One row for each posting: so many fen from the debit to the credit account."""
    yield from _write_csv(file, POSTING_COLUMNS, batches, _postings)


def write_xlsx(file: IO[bytes], batches: Batches, about: Mapping[str, str]) -> Iterator[None]:
    """A workbook: what it was made from, entries, postings; a sheet that is full goes on in another.

    Without the entries' own bytes, which may be longer than a cell.
    """
    with tempfile.TemporaryDirectory(prefix="huigong-export-") as folder, tempfile.TemporaryFile(dir=folder) as whole:
        options = {"constant_memory": True, "tmpdir": folder, "use_zip64": True}
        book = xlsxwriter.Workbook(whole, options)
        try:
            front = book.add_worksheet("export")
            front.set_column(0, 1, 24)
            for number, (name, value) in enumerate(about.items()):
                front.write_string(number, 0, name)
                front.write_string(number, 1, value)
            entries, postings = _Sheets(book, "entries", COLUMNS[:-1]), _Sheets(book, "postings", POSTING_COLUMNS)
            for batch in batches:
                for entry in batch:
                    entries.add(_text_row(entry)[:-1])
                    for posting in _postings(entry):
                        postings.add(posting)
                yield
        finally:
            book.close()  # its sheets lie in open files until then
        whole.seek(0)
        while part := whole.read(COPY_BYTES):
            file.write(part)
            yield


def write_parquet(file: IO[bytes], batches: Batches, about: Mapping[str, str]) -> Iterator[None]:
    """One row for each entry, typed: dates, integers, lists of offers and transfers; the last column is the entry itself."""
    import pyarrow as pa  # noqa: PLC0415  it weighs 60 MB in memory, and only this needs it
    from pyarrow import parquet  # noqa: PLC0415

    schema = _schema(pa).with_metadata(about)
    held: list[Any] = []
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in batches:
            held.append(pa.RecordBatch.from_pylist([_typed_row(entry) for entry in batch], schema=schema))
            if len(held) == BATCHES_A_GROUP:
                writer.write_table(pa.Table.from_batches(held))
                held.clear()
            yield
        writer.write_table(pa.Table.from_batches(held, schema=schema))


FORMS: Final[Mapping[Form, FileForm]] = {
    "jsonl": FileForm("entries.jsonl", write_jsonl),
    "csv": FileForm("entries.csv", write_csv),
    "accounting": FileForm("postings.csv", write_accounting),
    "parquet": FileForm("entries.parquet", write_parquet, is_packed=True),
    "xlsx": FileForm("entries.xlsx", write_xlsx, is_packed=True),
}


class _Sheets:
    """A table over as many sheets as it takes, each under the same head."""

    def __init__(self, book: Any, name: str, head: Sequence[str]) -> None:  # noqa: ANN401  xlsxwriter has no types
        self.book, self.name, self.head = book, name, head
        self.sheets = 0
        self.begin()

    def begin(self) -> None:
        self.sheets += 1
        self.page = self.book.add_worksheet(self.name if self.sheets == 1 else f"{self.name} {self.sheets}")
        self.page.freeze_panes(1, 0)
        self.page.set_column(0, len(self.head) - 1, 14)
        self.row = 0
        self.add(self.head)

    def add(self, cells: Sequence[object]) -> None:
        """Texts stay texts, whatever they begin with; numbers are numbers."""
        if self.row == SHEET_ROWS:
            self.begin()
        for at, cell in enumerate(cells):
            if isinstance(cell, int):
                self.page.write_number(self.row, at, cell)
            elif cell:
                self.page.write_string(self.row, at, str(cell))
        self.row += 1


def _write_csv(
    file: IO[bytes],
    head: Sequence[str],
    batches: Batches,
    rows_of: Callable[[Found], Iterable[Sequence[object]]],
) -> Iterator[None]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BOM)
    writer.writerow(head)
    for batch in batches:
        for entry in batch:
            writer.writerows([harmless(cell) for cell in row] for row in rows_of(entry))
        file.write(buffer.getvalue().encode())
        buffer.seek(0)
        buffer.truncate()
        yield
    file.write(buffer.getvalue().encode())


def _typed_row(entry: Found) -> dict[str, Any]:
    """An entry by column; what it does not have is None."""
    said = json.loads(entry.body)
    facts = find_facts(said)
    offers = said.get("offers") if entry.kind == "sale" else None
    return {
        "leaf_index": entry.leaf_index,
        "id": entry.public_id,
        "type": entry.kind,
        "day": entry.day,
        "merchant": entry.merchant,
        "state": entry.state,
        **{name: said[name] if isinstance(said.get(name), str) else None for name in _TEXTS},
        **facts.amounts,
        "offers": [
            {"offer": offer, "version": version, "fen": _fen_of(offers, offer)}
            for offer, version in facts.offers.items()
        ],
        "transfers": [{"debit": debit, "credit": credit, "fen": fen} for debit, credit, fen in facts.transfers],
        "leaf_hash": entry_hash(entry.body).hex(),
        "entry": entry.body.decode(),
    }


def _text_row(entry: Found) -> list[object]:
    """The same with lists as one text each: `NOODLE10 v3 160; …` and `budget:b_1 > payable:m_1 100; …`."""
    row = _typed_row(entry)
    row["offers"] = "; ".join(f"{one['offer']} v{one['version']} {one['fen']}" for one in row["offers"])
    row["transfers"] = "; ".join(f"{one['debit']} > {one['credit']} {one['fen']}" for one in row["transfers"])
    row["day"] = entry.day.isoformat()
    return ["" if row[name] is None else row[name] for name in COLUMNS]


def _postings(entry: Found) -> Iterator[list[object]]:
    facts = read_facts(entry.body)
    head = [entry.leaf_index, entry.day.isoformat(), entry.public_id, entry.kind, entry.merchant or "", facts.of or ""]
    for debit, credit, fen in facts.transfers:
        yield [*head, debit, credit, fen, "CNY"]


def _fen_of(offers: object, offer: str) -> int:
    """What the merchant bears under an offer in a sale; 0 where an entry only publishes it."""
    rows = offers if isinstance(offers, list) else []
    return sum(row[2] for row in rows if isinstance(row, list) and row[0] == offer and type(row[2]) is int)


def _schema(pa: Any) -> "pa.Schema":  # noqa: ANN401  the module itself, imported late
    share = pa.struct([("offer", pa.string()), ("version", pa.int64()), ("fen", pa.int64())])
    transfer = pa.struct([("debit", pa.string()), ("credit", pa.string()), ("fen", pa.int64())])
    types = {
        "leaf_index": pa.int64(),
        "day": pa.date32(),
        **dict.fromkeys(AMOUNTS, pa.int64()),
        "offers": pa.list_(share),
        "transfers": pa.list_(transfer),
    }
    return pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
