"""Workbooks (XLSX) that people send, read as the table of their first sheet; and tables of ours as workbooks.

Read like a CSV file (`market.kit.csv_file`): the whole structure is checked before the first row is used. A cell with a formula is
handed on as the text of a formula, whatever it last came to, so that the importer refuses it by row and column. Nothing is computed,
no link followed, and a small file that unpacks into a large one is refused before it is unpacked.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import BinaryIO, Final

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook

from market.kit.csv_file import Column, CsvFile, FileEmptyError, Row, find_columns, plain, read_csv
from market.kit.errors import InvalidError

MOST_UNPACKED_BYTES: Final = 40_000_000
MOST_ENTRIES: Final = 500
MOST_ROWS, MOST_COLUMNS = 20_000, 60
FORMULA = "=…"
RISKY = ("=", "+", "-", "@", "\t", "\r")
_ZIP = b"PK\x03\x04"
_FORMULA_IN_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\sr="([A-Z]{1,3})([0-9]{1,7})"[^>]*>\s*<(?:\w+:)?f[\s/>]')
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^>]*?r:id=\"([^\"]+)\"")


class WorkbookBrokenError(InvalidError):
    """No workbook that can be read: damaged, protected by a password, of an old kind, or made to look like one."""

    code = "WORKBOOK_BROKEN"
    zh = "这个表格文件打不开（可能有密码或是旧格式）。请另存为 xlsx 或 CSV 再传。"
    en = "This workbook cannot be opened; it may have a password or be of an old kind. Save it as xlsx or CSV and try again."


class WorkbookTooLargeError(InvalidError):
    """More rows, columns or unpacked bytes than we read."""

    code = "WORKBOOK_TOO_LARGE"
    zh = "表格太大：第一张表最多 {rows} 行、{columns} 列。请拆成几个文件再传。"
    en = "The workbook is too large: {rows} rows and {columns} columns in the first sheet at most. Split it into several files."


@dataclass(frozen=True, slots=True)
class SheetFile:
    """The first sheet of a workbook, found to be a table with the columns asked for; like `CsvFile`."""

    sha256: bytes
    table: Sequence[Row]
    ignored: tuple[str, ...]
    columns: frozenset[str]

    @property
    def rows_count(self) -> int:
        """Rows below the header that are not empty."""
        return len(self.table)

    def has(self, column: str) -> bool:
        """Whether the file has this optional column."""
        return column in self.columns

    def rows(self) -> Iterator[Row]:
        """The rows from the top; empty ones are passed over."""
        return iter(self.table)


def read_table(file: BinaryIO, *, columns: Sequence[Column]) -> CsvFile | SheetFile:
    """A CSV file or a workbook, told apart by its first bytes. Raises the errors of both; `file` must be seekable."""
    file.seek(0)
    if file.read(len(_ZIP)) != _ZIP:
        return read_csv(file, columns=columns)
    file.seek(0)
    return read_workbook(file.read(), columns=columns)


def read_workbook(content: bytes, *, columns: Sequence[Column]) -> SheetFile:
    """The first sheet of a workbook. Raises WorkbookBrokenError, WorkbookTooLargeError, FileColumnsError, FileEmptyError."""
    formulas = _look_inside(content)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
            sheet = workbook.get_sheet_by_index(0)
            last_row, last_column = sheet.end or (0, 0)
            if last_row > MOST_ROWS or last_column >= MOST_COLUMNS:
                raise _too_large()
            cells = [[_write(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    except (CalamineError, OSError, ValueError) as error:
        raise WorkbookBrokenError from error
    for row, column in formulas:
        if row < len(cells) and column < len(cells[row]):
            cells[row][column] = FORMULA
    filled = [(number, _trim(row)) for number, row in enumerate(cells, start=1) if any(plain(cell) for cell in row)]
    places, ignored, width = find_columns(filled, columns)
    if len(filled) == 1:
        raise FileEmptyError
    table = [
        Row(
            number,
            {name: row[at].strip() if at < len(row) else "" for name, at in places.items()},
            surplus=any(plain(cell) for cell in row[width:]),
        )
        for number, row in filled[1:]
    ]
    return SheetFile(hashlib.sha256(content).digest(), table, ignored, frozenset(places))


def write_workbook(sheet: str, header: Sequence[str], rows: Iterable[Sequence[str | int | Decimal]]) -> bytes:
    """A workbook with one sheet. Texts stay texts, whatever they begin with; numbers are numbers."""
    body = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(body, options) as workbook:
        page = workbook.add_worksheet(sheet)
        page.freeze_panes(1, 0)
        bold = workbook.add_format({"bold": True})
        for at, name in enumerate(header):
            page.write_string(0, at, name, bold)
            page.set_column(at, at, max(10, min(40, 2 * len(name))))
        for number, row in enumerate(rows, start=1):
            for at, cell in enumerate(row):
                if isinstance(cell, str):
                    page.write_string(number, at, cell)
                else:
                    page.write_number(number, at, cell)
    return body.getvalue()


def _look_inside(content: bytes) -> list[tuple[int, int]]:
    """Where the first sheet holds formulas, as (row, column) from 0. Raises WorkbookBrokenError, WorkbookTooLargeError."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            listed = parts.infolist()
            if len(listed) > MOST_ENTRIES or sum(part.file_size for part in listed) > MOST_UNPACKED_BYTES:
                raise _too_large()
            return _find_formulas(_unpack(parts, _first_sheet(parts)))
    except (zipfile.BadZipFile, KeyError, OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise WorkbookBrokenError from error


def _unpack(parts: zipfile.ZipFile, name: str) -> bytes:
    """A part of the archive; what lies about its size is refused while it is read."""
    with parts.open(name) as part:
        content = part.read(MOST_UNPACKED_BYTES + 1)
    if len(content) > MOST_UNPACKED_BYTES:
        raise _too_large()
    return content


def _first_sheet(parts: zipfile.ZipFile) -> str:
    """The part that holds the first sheet, as the workbook's own tables say."""
    named = _SHEET.search(_unpack(parts, "xl/workbook.xml"))
    if named is None:
        raise WorkbookBrokenError
    for link in re.findall(rb"<(?:\w+:)?Relationship\b[^>]*>", _unpack(parts, "xl/_rels/workbook.xml.rels")):
        id_ = re.search(rb'\sId="([^"]+)"', link)
        target = re.search(rb'\sTarget="([^"]+)"', link)
        if id_ and target and id_[1] == named[1]:
            path = target[1].decode()
            return path.removeprefix("/") if path.startswith("/") else f"xl/{path}"
    raise WorkbookBrokenError


def _find_formulas(sheet: bytes) -> list[tuple[int, int]]:
    """Cells with a formula. A sheet in another encoding than UTF-8, or with a formula we cannot place, is none that we read."""
    if sheet.startswith((b"\xff\xfe", b"\xfe\xff")) or b'encoding="UTF-16' in sheet[:200]:
        raise WorkbookBrokenError
    placed = [(int(row) - 1, _column(name)) for name, row in _FORMULA_IN_CELL.findall(sheet)]
    if len(placed) != len(_FORMULA.findall(sheet)):
        raise WorkbookBrokenError
    return placed


def _column(name: bytes) -> int:
    number = 0
    for letter in name:
        number = number * 26 + letter - ord("A") + 1
    return number - 1


def _write(cell: object) -> str:
    """A cell as it would be typed; whole numbers without a point, dates as ISO."""
    match cell:
        case bool():
            return "1" if cell else "0"
        case float():
            return str(int(cell)) if cell.is_integer() else repr(cell)
        case datetime():
            return cell.isoformat(" ", timespec="minutes")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
    return str(cell)


def _trim(row: Sequence[str]) -> list[str]:
    """A row without the empty cells after its last: a sheet is as wide as its widest row."""
    width = max(at for at, cell in enumerate(row, start=1) if plain(cell))
    return list(row[:width])


def _too_large() -> WorkbookTooLargeError:
    return WorkbookTooLargeError(rows=MOST_ROWS, columns=MOST_COLUMNS)
