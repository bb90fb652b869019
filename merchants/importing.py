"""Files of merchants and their shops: one row per shop, its merchant's columns repeated. A wrong row stops no right row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from market.kit.csv_file import Column, Row, RowError, plain, read_csv
from merchants.models import Merchant, Shop
from merchants.operations import (
    CATEGORY,
    CODE,
    CreditCodeWrongError,
    TillKind,
    add_shop,
    admit_merchant,
    publish_merchant,
    read_credit_code,
)
from merchants.products import renew_words

COLUMNS = (
    Column("merchant_code", ("商户代码",)),
    Column("merchant_name", ("商户名称",)),
    Column("credit_code", ("统一社会信用代码",)),
    Column("category", ("类别", "经营类别")),
    Column("shop_code", ("门店代码",)),
    Column("shop_name", ("门店名称",)),
    Column("address", ("地址", "门店地址")),
    Column("till", ("收银方式",), required=False),
)
TILLS: Mapping[str, TillKind] = {
    "": "amounts",
    "amounts": "amounts",
    "金额": "amounts",
    "items": "items",
    "商品": "items",
    "register": "register",
    "流水": "register",
}


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, in rows of the file; `ignored` are headers nobody asked for."""

    rows_read: int
    added: int
    changed: int
    same: int
    refused: int
    errors: tuple[RowError, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _ShopRow:
    merchant: Mapping[str, str]
    shop: Mapping[str, str]
    till: TillKind


class _Refused(Exception):  # noqa: N818  it never leaves this file
    """A row is refused; the argument is its error."""


def import_merchants(tx: Session, *, file: BinaryIO, at: datetime) -> ImportResult:
    """Admit the merchants and open the shops of a CSV file, or change names, category, address and till of those there.

    Whose credit code differs is another business and is refused. Raises the errors of `market.kit.csv_file`.
    """
    table = read_csv(file, columns=COLUMNS)
    errors: list[RowError] = []
    done = {"added": 0, "changed": 0, "same": 0}
    first_rows: dict[tuple[str, str], tuple[int, object]] = {}
    for row in table.rows():
        try:
            done[_write(tx, row.number, _read(row, first_rows), at=at)] += 1
        except _Refused as refused:
            errors.append(refused.args[0])
    return ImportResult(
        rows_read=table.rows_count, refused=len(errors), errors=tuple(errors), ignored=table.ignored, **done
    )


def _read(row: Row, first_rows: dict[tuple[str, str], tuple[int, object]]) -> _ShopRow:
    """The row by itself and against those above it; the first thing wrong is raised."""
    cells = {name: plain(cell) for name, cell in row.cells.items()}
    if row.surplus:
        raise _refuse(row.number, "row", "surplus")
    for column in COLUMNS:
        if column.required and not cells[column.name]:
            raise _refuse(row.number, column.name, "missing")
        if column.name.endswith("_code") and column.name != "credit_code" and not CODE.fullmatch(cells[column.name]):
            raise _refuse(row.number, column.name, "format")
    try:
        cells["credit_code"] = read_credit_code(cells["credit_code"])
    except CreditCodeWrongError:
        raise _refuse(row.number, "credit_code", "check_digit") from None
    if not CATEGORY.fullmatch(cells["category"]):
        raise _refuse(row.number, "category", "no_code")
    till = cells.pop("till", "")
    if till not in TILLS:
        raise _refuse(row.number, "till", "unknown_word")
    merchant = {name: cells[f"merchant_{name}"] for name in ("code", "name")}
    merchant |= {name: cells[name] for name in ("credit_code", "category")}
    first, said = first_rows.setdefault(("merchant", merchant["code"]), (row.number, merchant))
    if said != merchant:
        raise _refuse(row.number, "merchant_code", "differs", first)
    first, _ = first_rows.setdefault(("shop", cells["shop_code"]), (row.number, None))
    if first != row.number:
        raise _refuse(row.number, "shop_code", "repeated", first)
    shop = {"code": cells["shop_code"], "name": cells["shop_name"], "address": cells["address"]}
    return _ShopRow(merchant, shop, TILLS[till])


def _write(tx: Session, number: int, row: _ShopRow, *, at: datetime) -> str:
    """Write a row as far as it differs from what is there; `added`, `changed` or `same`."""
    is_it = (Merchant.code == row.merchant["code"]) | (Merchant.credit_code == row.merchant["credit_code"])
    merchants = tx.execute(select(*_MERCHANT).where(is_it)).all()
    if any(
        (found.code, found.credit_code) != (row.merchant["code"], row.merchant["credit_code"]) for found in merchants
    ):
        raise _refuse(number, "credit_code", "held")
    shop = tx.execute(select(*_SHOP).where(Shop.code == row.shop["code"])).one_or_none()
    if shop is not None and (not merchants or shop.merchant_id != merchants[0].id):
        raise _refuse(number, "shop_code", "held")
    if not merchants:
        merchant_id, changed = admit_merchant(tx, **row.merchant, publication="batched", at=at), False
    else:
        merchant_id = merchants[0].id
        changed = _change(tx, Merchant, merchants[0], row.merchant)
        if changed:
            _publish_change(tx, merchants[0], row.merchant, at=at)
    if shop is None:
        add_shop(tx, merchant_id=merchant_id, **row.shop, till=row.till)
        return "added"
    changed |= _change(tx, Shop, shop, {**row.shop, "till": row.till})
    return "changed" if changed else "same"


def _publish_change(tx: Session, found: Any, said: Mapping[str, str], *, at: datetime) -> None:  # noqa: ANN401  a row
    """The public entry of a merchant's other category or name, with what follows from the name."""
    fields = {} if found.category == said["category"] else {"category": said["category"]}
    called = None if found.name == said["name"] else {"name": said["name"], "credit_code": said["credit_code"]}
    publish_merchant(tx, action="changed", code=said["code"], fields=fields, text=called, at=at)
    if called is not None:
        renew_words(tx, merchant_id=found.id)


_MERCHANT = (Merchant.id, Merchant.code, Merchant.name, Merchant.credit_code, Merchant.category)
_SHOP = (Shop.id, Shop.merchant_id, Shop.code, Shop.name, Shop.address, Shop.till)


def _change(tx: Session, table: type[Merchant | Shop], found: Any, said: Mapping[str, str]) -> bool:  # noqa: ANN401  a row
    changes = {name: value for name, value in said.items() if value != getattr(found, name)}
    if changes:
        tx.execute(update(table).where(table.id == found.id).values(changes))
    return bool(changes)


def _refuse(row: int, column: str, problem: str, other_row: int | None = None) -> _Refused:
    return _Refused(RowError(row, column, problem, other_row))
