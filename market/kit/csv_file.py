"""CSV files that people send: the encoding is found and the whole structure checked before the first row is used.

What is wrong with the file as a whole is one error; what is wrong with a row is a `RowError`, which never holds a value.
"""

import codecs
import csv
import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from market.kit.errors import InvalidError

ENCODINGS = ("utf-8-sig", "gb18030")  # tried in this order; UTF-8 without BOM is read by the first as well
CHUNK_BYTES = 1 << 20

Progress = Callable[[int, int], None]
"""Called with (rows done, rows in all)."""

_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r")


class FileEmptyError(InvalidError):
    """There is nothing in the file, or nothing below its header."""

    code = "FILE_EMPTY"
    zh = "文件是空的，或表头下没有数据。请检查后重新选择文件。"
    en = "The file is empty, or has no rows below its header. Check it and choose the file again."


class FileNotTextError(InvalidError):
    """Not a text file in UTF-8 or GB18030: a workbook, a picture, a broken download."""

    code = "FILE_NOT_TEXT"
    zh = "文件不是 CSV 文本。请在表格软件中另存为 CSV（UTF-8）后重试。"
    en = "The file is not CSV text. Save it as CSV (UTF-8) in the spreadsheet program and try again."


class FileColumnsError(InvalidError):
    """Columns are missing from the header, or stand in it twice."""

    code = "FILE_COLUMNS"
    zh = "表头缺少列或列重复：{columns}。请改好第一行后重试。"
    en = "Columns are missing or repeated in the header: {columns}. Correct the first row and try again."


class FileBrokenError(InvalidError):
    """The table breaks off: a quotation mark that does not close, or a cell without end."""

    code = "FILE_BROKEN"
    zh = "文件从第 {row} 行起不成表格（多半是引号没有成对）。请改好后重试。"
    en = "From row {row} the file is no table (most often a quotation mark without its pair). Correct it and try again."


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its name in code and the headers people give it, the usual Chinese one first."""

    name: str
    headers: tuple[str, ...]
    required: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """A row by its number in the spreadsheet (the header is row 1), its cells by column name, `surplus` if it has more."""

    number: int
    cells: Mapping[str, str]
    surplus: bool


PROBLEMS = {
    "missing": ("不能为空", "is empty"),
    "format": ("格式不对", "is not of the expected form"),
    "no_code": (
        "要写代码，用小写字母、数字、_ 和 -，如 food",
        "is a code of small letters, digits, _ and -, such as food",
    ),
    "length": ("位数不对", "length wrong"),
    "check_digit": ("校验位不对", "check digit wrong"),
    "birth_date": ("出生日期不对", "birth date wrong"),
    "region": ("地区码不对", "region code wrong"),
    "unknown_code": ("没有这个代码", "no such code"),
    "unknown_word": ("不是可用的值", "not one of the values allowed"),
    "repeated": ("与第 {other_row} 行重复", "repeats row {other_row}"),
    "differs": ("与第 {other_row} 行不一致", "differs from row {other_row}"),
    "held": ("已登记在别的编号名下", "is registered under another number"),
    "cycle": ("上级关系成环", "is below itself"),
    "formula": ("是公式，请改成数值或文字", "is a formula; write the value itself"),
    "taken": ("与同一商品的另一个规格重名", "is the name of another variant of the product"),
    "not_ready": (
        "还不能上架：没有在售的规格，或没有自提点",
        "cannot be listed yet: no variant on sale, or no pick-up point",
    ),
    "stopped": ("工会已停售，解除后才能上架", "stopped by the union; it can be listed once that is lifted"),
    "too_long": ("太长", "is too long"),
    "surplus": ("单元格多于表头", "more cells than the header has"),
}


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong in one cell: a key of PROBLEMS, and the other row it clashes with, if it does. Never the value."""

    row: int
    column: str
    problem: str
    other_row: int | None = None

    def sentence(self, language: str) -> str:
        """`row 17, national_id: check digit wrong`, in `zh` or `en`."""
        zh, en = (text.format(other_row=self.other_row) for text in PROBLEMS[self.problem])
        is_zh = language.startswith("zh")
        return f"第 {self.row} 行 {self.column}：{zh}" if is_zh else f"row {self.row}, {self.column}: {en}"

    def to_json(self) -> dict[str, Any]:
        """As stored with an import."""
        other = {} if self.other_row is None else {"other_row": self.other_row}
        return {"row": self.row, "column": self.column, "problem": self.problem} | other

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "RowError":
        """From what is stored with an import."""
        return cls(stored["row"], stored["column"], stored["problem"], stored.get("other_row"))


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file found to be a table with the columns asked for; `ignored` are headers nobody asked for."""

    file: BinaryIO
    encoding: str
    sha256: bytes
    rows_count: int
    places: Mapping[str, int]
    ignored: tuple[str, ...]
    width: int

    def has(self, column: str) -> bool:
        """Whether the file has this optional column."""
        return column in self.places

    def rows(self) -> Iterator[Row]:
        """The rows from the top, read as they are asked for; empty ones are passed over."""
        for number, cells in _read(self.file, self.encoding):
            if number > 1:
                values = {name: cells[at].strip() if at < len(cells) else "" for name, at in self.places.items()}
                yield Row(number, values, surplus=any(plain(cell) for cell in cells[self.width :]))


def read_csv(file: BinaryIO, *, columns: Sequence[Column]) -> CsvFile:
    """Look through a whole file once, keeping nothing of it. Raises the errors above; `file` must be seekable."""
    encoding, sha256 = _look_at_bytes(file)
    rows = _read(file, encoding)
    places, ignored, width = find_columns(rows, columns)
    rows_count = sum(1 for _ in rows)
    if rows_count == 0:
        raise FileEmptyError
    return CsvFile(file, encoding, sha256, rows_count, places, ignored, width)


def find_columns(
    rows: Iterable[tuple[int, Sequence[str]]], columns: Sequence[Column]
) -> tuple[dict[str, int], tuple[str, ...], int]:
    """Where the columns stand in the header, which headers nobody asked for, and how wide it is; the header must be row 1.

    Raises FileEmptyError, FileColumnsError.
    """
    number, header = next(iter(rows), (0, ()))
    if number != 1:
        raise FileEmptyError
    return *_find_columns(header, columns), len(header)


def plain(text: str) -> str:
    """A cell as it was meant: full-width letters and digits made plain, runs of white space made one space."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _look_at_bytes(file: BinaryIO) -> tuple[str, bytes]:
    file.seek(0)
    digest = hashlib.sha256()
    decoders = {encoding: codecs.getincrementaldecoder(encoding)() for encoding in ENCODINGS}
    while True:
        chunk = file.read(CHUNK_BYTES)
        if len(chunk.translate(None, _CONTROL)) < len(chunk):
            raise FileNotTextError
        digest.update(chunk)
        for encoding, decoder in list(decoders.items()):
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError:
                del decoders[encoding]
        if not decoders:
            raise FileNotTextError
        if not chunk:
            return next(iter(decoders)), digest.digest()


def _read(file: BinaryIO, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty with their numbers, the first of which must be the header in row 1."""
    file.seek(0)
    number = 0
    lines = (line.decode(encoding) for line in file)  # no character of either encoding holds the byte of a line's end
    try:
        for number, cells in enumerate(csv.reader(lines, strict=True), start=1):
            if any(plain(cell) for cell in cells):
                yield number, cells
    except csv.Error:
        raise FileBrokenError(row=number + 1) from None


def _find_columns(header: Sequence[str], columns: Sequence[Column]) -> tuple[dict[str, int], tuple[str, ...]]:
    names = {_heading(text): column.name for column in columns for text in (column.name, *column.headers)}
    found = [(names.get(_heading(cell)), at, cell) for at, cell in enumerate(header)]
    places = {name: at for name, at, _ in found if name is not None}
    repeated = [cell for name, at, cell in found if name is not None and places[name] != at]
    missing = [
        f"{column.headers[0]} ({column.name})" for column in columns if column.required and column.name not in places
    ]
    if repeated or missing:
        raise FileColumnsError(columns=", ".join((*missing, *map(plain, repeated))))
    return places, tuple(cell.strip() for name, _, cell in found if name is None and cell.strip())


def _heading(text: str) -> str:
    return plain(text).strip("\ufeff* ").lower()
