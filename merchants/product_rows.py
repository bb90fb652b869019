"""A file of products, row by row: one row per variant, its product's columns repeated or left empty. What a cell says, and what is wrong.

Columns that a file does not have say nothing: what is there stays. Pure; no row is looked up here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast

from market.kit.clock import get_zone
from market.kit.csv_file import Column, Row, RowError, plain
from market.kit.workbook import FORMULA, RISKY
from merchants.product_terms import (
    MOST_DESCRIPTION,
    MOST_LIMIT,
    MOST_NAME,
    MOST_VARIANT,
    PRODUCT_CODE,
    SKU,
    Handover,
    State,
)

COLUMNS: Final = (
    Column("code", ("商品编码",)),
    Column("name", ("名称", "商品名称")),
    Column("category", ("类别",)),
    Column("sku", ("货号",)),
    Column("variant", ("规格",), required=False),
    Column("price", ("标价（元）", "标价", "price_yuan")),
    Column("on_sale", ("在售",), required=False),
    Column("description", ("说明",), required=False),
    Column("limit_per_member", ("每人限购",), required=False),
    Column("sale_from", ("开售时间",), required=False),
    Column("sale_to", ("停售时间",), required=False),
    Column("is_flash", ("限时抢购",), required=False),
    Column("handover", ("交付方式",), required=False),
    Column("points", ("自提点",), required=False),
    Column("state", ("状态",), required=False),
)
HEADERS: Final = {column.name: column.headers[0] for column in COLUMNS}
OF_VARIANT: Final = ("sku", "variant", "price", "on_sale")

YES_NO: Final = {"是": True, "否": False, "yes": True, "no": False, "1": True, "0": False, "true": True, "false": False}
HANDOVERS: Final[Mapping[str, Handover]] = {
    "自提": "pickup",
    "送货": "delivery",
    "自提或送货": "both",
    "pickup": "pickup",
    "delivery": "delivery",
    "both": "both",
}
STATES: Final[Mapping[str, State]] = {
    "草稿": "draft",
    "上架": "listed",
    "下架": "withdrawn",
    "draft": "draft",
    "listed": "listed",
    "withdrawn": "withdrawn",
}
LENGTHS: Final = {"name": MOST_NAME, "variant": MOST_VARIANT, "description": MOST_DESCRIPTION}
_PRICE = re.compile(r"¥?([0-9]{1,7})(?:\.([0-9]{1,2}))?元?", re.ASCII)
_MOMENT = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[ T]([0-9]{1,2}):([0-9]{2})(?::00)?)?", re.ASCII)

Cell = str | int | bool | datetime | tuple[str, ...] | None
"""What a cell means once it is read; None for an empty one."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A right row: what it says by column. Columns that the file does not have are not in it."""

    number: int
    said: Mapping[str, Cell]


@dataclass(slots=True)
class ProductGroup:
    """The rows of one product, the first with what is said of the product itself; `errors` if any of them is wrong."""

    code: str
    rows: list[FileRow] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Words:
    """What a file may say for categories and pick-up points, by code or by name, and the codes meant."""

    categories: Mapping[str, str]
    points: Mapping[str, str]


def group_rows(rows: Sequence[Row], words: Words) -> list[ProductGroup]:
    """The rows by product, in the order of the file; what is wrong in any cell stands in its group's errors."""
    groups: dict[str, ProductGroup] = {}
    skus: dict[str, int] = {}
    for row in rows:
        cells = {name: _unescape(cell) for name, cell in row.cells.items()}
        group = groups.setdefault(cells["code"], ProductGroup(cells["code"]))
        group.numbers.append(row.number)
        first = group.rows[0] if group.rows else None
        said, errors = _read(row, cells, words, is_first=len(group.numbers) == 1)
        if first is not None:
            errors += _compare(row.number, said, first)
        if (other := skus.setdefault(cells["sku"], row.number)) != row.number:
            errors.append(RowError(row.number, "sku", "repeated", other))
        group.errors += errors
        if not errors:
            group.rows.append(FileRow(row.number, said))
    return list(groups.values())


def _unescape(cell: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(RISKY) else cell


def _read(
    row: Row, cells: Mapping[str, str], words: Words, *, is_first: bool
) -> tuple[dict[str, Cell], list[RowError]]:
    said: dict[str, Cell] = {}
    errors = [RowError(row.number, "row", "surplus")] if row.surplus else []
    for column in COLUMNS:
        if column.name not in cells:
            continue
        problem: str | None
        if _is_formula(column.name, row.cells[column.name]):
            problem = "formula"
        else:
            said[column.name], problem = _read_cell(column.name, cells[column.name], words)
        is_needed = column.required and (is_first or column.name in {"code", "sku", "price"})
        if problem is None and is_needed and said[column.name] is None:
            problem = "missing"
        if problem is not None:
            errors.append(RowError(row.number, column.name, problem))
    return said, errors


def _is_formula(column: str, cell: str) -> bool:
    """Whether a cell is, or would become, a formula; a minus before a number is a wrong number."""
    if cell == FORMULA or cell.startswith(("=", "@")):
        return True
    return column in LENGTHS and cell.startswith(RISKY)


def _read_cell(column: str, cell: str, words: Words) -> tuple[Cell, str | None]:  # noqa: PLR0911  a table of readers
    """What a cell means, or the problem it has; empty cells mean None."""
    text = cell.replace("\r\n", "\n").strip() if column == "description" else plain(cell)
    if not text:
        return None, None
    match column:
        case "code" | "sku":
            pattern = PRODUCT_CODE if column == "code" else SKU
            return (text, None) if pattern.fullmatch(text) else (None, "format")
        case "name" | "variant" | "description":
            return _read_text(text, most=LENGTHS[column])
        case "price":
            found = _PRICE.fullmatch(text.replace(",", ""))
            return (int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")), None) if found else (None, "format")
        case "limit_per_member":
            fits = re.fullmatch("[0-9]{1,4}", text, re.ASCII) and 1 <= int(text) <= MOST_LIMIT
            return (int(text), None) if fits else (None, "format")
        case "sale_from" | "sale_to":
            return _read_moment(text)
        case "points":
            return _read_points(text, words)
    known = cast(
        "Mapping[str, Cell]",
        {
            "category": words.categories,
            "on_sale": YES_NO,
            "is_flash": YES_NO,
            "handover": HANDOVERS,
            "state": STATES,
        }[column],
    )
    return (known[text.lower()], None) if text.lower() in known else (None, "unknown_word")


def _read_text(text: str, *, most: int) -> tuple[Cell, str | None]:
    if len(text) > most:
        return None, "too_long"
    return (text, None) if "".join(text.split()).isprintable() else (None, "format")


def _read_moment(text: str) -> tuple[Cell, str | None]:
    """`2026-12-01 20:00` in the business zone."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None, "format"
    year, month, day, hour, minute = (int(part or 0) for part in found.groups())
    try:
        return datetime(year, month, day, hour, minute, tzinfo=get_zone()), None
    except ValueError:
        return None, "format"


def _read_points(text: str, words: Words) -> tuple[Cell, str | None]:
    named = [part.strip() for part in re.split("[;；、,，]", text) if part.strip()]
    if any(name.lower() not in words.points for name in named):
        return None, "unknown_code"
    return tuple(dict.fromkeys(words.points[name.lower()] for name in named)), None


def _compare(number: int, said: dict[str, Cell], first: FileRow) -> list[RowError]:
    """What a later row of a product says otherwise of the product itself; what it leaves empty is as in the first."""
    errors = []
    for name, cell in said.items():
        if name in OF_VARIANT or name == "code":
            continue
        if cell is not None and cell != first.said[name]:
            errors.append(RowError(number, name, "differs", first.number))
    return errors
