"""The rows of a member file: each cell read by itself, what is wrong named by row and column. Pure; no value gets into an error."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cards.keys import fingerprint_national_id
from cards.national_id import NationalIdWrongError, read_national_id
from market.kit.csv_file import Column, CsvFile, RowError, plain

COLUMNS = (
    Column("staff_number", ("工号", "员工号", "职工号", "人员编号")),
    Column("name", ("姓名",)),
    Column("phone", ("手机", "手机号", "手机号码", "电话", "联系电话")),
    Column("national_id", ("身份证号", "身份证", "身份证号码", "公民身份号码")),
    Column("unit_code", ("单位代码", "单位编码", "部门代码", "部门编码")),
    Column("grade", ("等级", "级别"), required=False),
    Column("tags", ("标签", "荣誉"), required=False),
    Column("state", ("状态", "会员状态", "在职状态"), required=False),
)
STATES = {
    "active": "active",
    "在职": "active",
    "retired": "retired",
    "退休": "retired",
    "left": "left",
    "退会": "left",
    "离职": "left",
}
NAME_LENGTH = 60

_CODE = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
_NAME = re.compile(r"[^\W\d_][\w ·.'’()-]*")
_PHONE = re.compile(r"1[3-9][0-9]{9}|0[0-9]{9,11}", re.ASCII)
_PHONE_FILLER = re.compile(r"[\s-]")
_CHINA = re.compile(r"^\+?86(?=1)")
_WORD = re.compile(r"[\w-]{1,32}")
_BETWEEN_TAGS = re.compile(r"[;,、|\s]+")


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A right row. Where the file does not say anything (None), what is in the register stays."""

    row: int
    staff_number: str
    name: str
    phone: str
    national_id: str = field(repr=False)
    fingerprint: bytes = field(repr=False)
    unit_code: str
    grade: str | None
    tags: tuple[str, ...] | None
    state: str | None


class _WrongCellError(ValueError):
    """A cell that cannot be read; the argument is a key of PROBLEMS."""


def read_people(table: CsvFile, errors: list[RowError]) -> Iterator[PersonRow | None]:
    """Every row in turn: the person, or None when something is wrong with the row, all of which goes to `errors`.

    A staff number or national id that stands in an earlier row, right or wrong, is refused: nobody knows which is meant.
    """
    first_rows: dict[str | bytes, int] = {}
    for row in table.rows():
        before = len(errors)
        if row.surplus:
            errors.append(RowError(row.number, "row", "surplus"))
        values: dict[str, Any] = dict.fromkeys(_READERS)
        for column, cell in row.cells.items():
            try:
                values[column] = _READERS[column](plain(cell))
            except _WrongCellError as wrong:
                errors.append(RowError(row.number, column, str(wrong)))
        national_id = values["national_id"]
        values["fingerprint"] = fingerprint_national_id(national_id) if national_id else None
        for column, key in (("staff_number", values["staff_number"]), ("national_id", values["fingerprint"])):
            if key is not None and (first := first_rows.setdefault(key, row.number)) != row.number:
                errors.append(RowError(row.number, column, "repeated", first))
        yield PersonRow(row=row.number, **values) if len(errors) == before else None


def read_code(cell: str) -> str:
    """A staff number or unit code. Raises ValueError naming the problem."""
    if not cell:
        raise _WrongCellError("missing")
    if not _CODE.fullmatch(cell):
        raise _WrongCellError("format")
    return cell


def _read_name(cell: str) -> str:
    if not cell:
        raise _WrongCellError("missing")
    if len(cell) > NAME_LENGTH or not _NAME.fullmatch(cell):
        raise _WrongCellError("format")
    return cell


def _read_phone(cell: str) -> str:
    """A mobile or landline number; empty is allowed, because not every retired member has one."""
    phone = _CHINA.sub("", _PHONE_FILLER.sub("", cell))
    if phone and not _PHONE.fullmatch(phone):
        raise _WrongCellError("format")
    return phone


def _read_id(cell: str) -> str:
    if not cell:
        raise _WrongCellError("missing")
    try:
        return read_national_id(cell)
    except NationalIdWrongError as wrong:
        raise _WrongCellError(wrong.facts["problem"]) from None


def _read_grade(cell: str) -> str | None:
    if cell and not _WORD.fullmatch(cell):
        raise _WrongCellError("format")
    return cell or None


def _read_tags(cell: str) -> tuple[str, ...]:
    """Tags in one order, whatever order the file has them in; an empty cell says that there are none."""
    tags = sorted({tag for tag in _BETWEEN_TAGS.split(cell) if tag})
    if not all(_WORD.fullmatch(tag) for tag in tags):
        raise _WrongCellError("format")
    return tuple(tags)


def _read_state(cell: str) -> str | None:
    if cell and cell not in STATES:
        raise _WrongCellError("unknown_word")
    return STATES.get(cell)


_READERS: dict[str, Callable[[str], Any]] = {
    "staff_number": read_code,
    "name": _read_name,
    "phone": _read_phone,
    "national_id": _read_id,
    "unit_code": read_code,
    "grade": _read_grade,
    "tags": _read_tags,
    "state": _read_state,
}
