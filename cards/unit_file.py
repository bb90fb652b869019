"""The rows of a unit file, and the tree as it stands after them. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from market.kit.csv_file import Column, CsvFile, RowError, plain

COLUMNS = (
    Column("code", ("单位代码", "单位编码", "代码")),
    Column("name", ("单位名称", "名称")),
    Column("parent_code", ("上级代码", "上级单位代码", "上级编码")),
)
_CODE = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PlacedUnit:
    """A unit with the codes from the top down to itself."""

    name: str
    path: tuple[str, ...]

    @property
    def parent_code(self) -> str:
        """The code of the unit right above, empty for a union."""
        return self.path[-2] if len(self.path) > 1 else ""


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A right row; `parent_code` is empty for a union."""

    row: int
    name: str
    parent_code: str


def read_units(table: CsvFile, errors: list[RowError]) -> dict[str, UnitRow]:
    """The right rows by code; one whose code stands in an earlier row is refused."""
    rows: dict[str, UnitRow] = {}
    for row in table.rows():
        cells = {name: plain(cell) for name, cell in row.cells.items()}
        code, before = cells["code"], len(errors)
        if row.surplus:
            errors.append(RowError(row.number, "row", "surplus"))
        if not _CODE.fullmatch(code):
            errors.append(RowError(row.number, "code", "format" if code else "missing"))
        elif code in rows:
            errors.append(RowError(row.number, "code", "repeated", rows[code].row))
        if not cells["name"]:
            errors.append(RowError(row.number, "name", "missing"))
        if len(errors) == before:
            rows[code] = UnitRow(row.number, cells["name"], cells["parent_code"])
    return rows


def place_units(
    before: Mapping[str, PlacedUnit], wanted: dict[str, UnitRow], errors: list[RowError]
) -> dict[str, PlacedUnit]:
    """All units as they stand after the file.

    A row that finds no place is refused and taken out of `wanted`. With it others may lose their parent, so it is tried
    again until all that is left has its place.
    """
    while True:
        parents = {code: unit.parent_code for code, unit in before.items()}
        parents |= {code: row.parent_code for code, row in wanted.items()}
        bad = [(row.row, code, problem) for code, row in wanted.items() if (problem := _find_problem(code, parents))]
        if not bad:
            break
        for number, code, problem in bad:
            errors.append(RowError(number, "parent_code", problem))
            del wanted[code]
    names = {code: unit.name for code, unit in before.items()} | {code: row.name for code, row in wanted.items()}
    return {code: PlacedUnit(names[code], (*reversed(list(_climb(code, parents))),)) for code in parents}


def _find_problem(code: str, parents: Mapping[str, str]) -> str | None:
    """Why a unit has no place: its own parent does not exist, or it is below itself."""
    if parents[code] and parents[code] not in parents:
        return "unknown_code"
    above = islice(_climb(code, parents), 1, len(parents) + 1)
    return "cycle" if code in above else None


def _climb(code: str, parents: Mapping[str, str]) -> Iterator[str]:
    """A unit and those above it, as far as they exist; without end in a cycle."""
    while code in parents:
        yield code
        code = parents[code]
