"""A supplier's stock: what can still be sold, what is promised, what lies on the shelf; goods in, counts, write-offs, with who and why."""

from collections.abc import Iterator, Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Form, Request, Response
from sqlalchemy.orm import Session

import merchants
from api import handing_out
from api.access import Doors, Who
from api.door import language_of, see_other
from api.exports import csv_response
from api.identity import Principal
from api.pages.kit import render
from api.pages.orders import show_item
from api.pages.views.supplier import MerchantStock, StockItem, StockMoveRow, StockRow
from api.routes.merchant_orders import Typed
from api.routes.till_pages import Key
from api.supplier import Desk, open_desk, staff_of
from api.typed import read_units
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError, InvalidError
from market.kit.ids import new_id
from market.sales.orders.stock import StockLevel, get_stock_levels, list_stock_moves
from merchants import ProductDetail, Variant

doors = Doors(include_in_schema=False)

MOST_PRODUCTS = 1_000
FEW = 5  # fewer free pieces than this are worth a word
MOST_REASON = 100

Reason = Annotated[str, Form(max_length=400)]
Pieces = Annotated[str, Form(max_length=40)]


class StockReasonError(InvalidError):
    """Stock corrected or written off without a reason, or with one that is too long."""

    code = "STOCK_REASON"
    zh = "请写一句原因（不超过 {most} 个字），以后查得到。"
    en = "Say in a sentence why, in at most {most} characters; it is kept."


@doors.get("/merchant/stock")
def stock(request: Request, who: Who, typed: Typed = "") -> Response:
    """Everything that is kept in stock, what runs short first."""
    with transaction() as tx:
        desk = open_desk(tx, who)
        rows = _rows(tx, desk, typed)
    view = MerchantStock(
        merchant=desk.business.name,
        typed=typed,
        rows=tuple(rows),
        low_count=sum(row.is_low and row.free > 0 for row in rows),
        out_count=sum(row.is_sold and row.free == 0 for row in rows),
        most=max((row.on_hand for row in rows), default=0),
    )
    return render(request, "merchant/stock.html", view)


@doors.get("/merchant/stock.csv")
def stock_file(who: Who) -> Response:
    """The stock as a file."""
    with transaction() as tx:
        rows = _rows(tx, open_desk(tx, who), "")
    header = ["sku", "name", "variant", "free", "reserved", "waiting", "on_hand", "sold"]
    return csv_response("stock.csv", header, _file_rows(rows), public=False)


@doors.get("/merchant/stock/{item}")
def item_page(request: Request, who: Who, item: UUID) -> Response:
    """One variant: its pieces, what can be done, what was done."""
    return _show(request, who, item)


@doors.post("/merchant/stock/{item}/receive")
def receive(request: Request, who: Who, item: UUID, *, key: Key, pieces: Pieces = "", reason: Reason = "") -> Response:
    """Pieces came in."""
    try:
        handing_out.receive_stock(
            staff_id=staff_of(who),
            item_id=item,
            pieces=read_units(pieces),
            reason=_read_reason(reason, is_needed=False),
            key=key,
            at=now(),
        )
    except handing_out.StockUnknownError:
        raise
    except DomainError as refusal:
        return _show(request, who, item, doing="receive", typed=pieces, reason=reason, error=refusal)
    return see_other(request, f"/merchant/stock/{item}", notice="stock_kept")


@doors.post("/merchant/stock/{item}/count")
def count(request: Request, who: Who, item: UUID, *, key: Key, counted: Pieces = "", reason: Reason = "") -> Response:
    """So many pieces were found on the shelf."""
    try:
        if not counted.strip():
            raise CountMissingError
        handing_out.take_stock(
            staff_id=staff_of(who),
            item_id=item,
            counted=read_units(counted),
            reason=_read_reason(reason, is_needed=True),
            key=key,
            at=now(),
        )
    except handing_out.StockUnknownError:
        raise
    except DomainError as refusal:
        return _show(request, who, item, doing="count", typed=counted, reason=reason, error=refusal)
    return see_other(request, f"/merchant/stock/{item}", notice="stock_kept")


@doors.post("/merchant/stock/{item}/write-off")
def write_off(
    request: Request, who: Who, item: UUID, *, key: Key, pieces: Pieces = "", reason: Reason = ""
) -> Response:
    """Free pieces are broken, lost or given away."""
    try:
        handing_out.write_off_stock(
            staff_id=staff_of(who),
            item_id=item,
            pieces=read_units(pieces),
            reason=_read_reason(reason, is_needed=True),
            key=key,
            at=now(),
        )
    except handing_out.StockUnknownError:
        raise
    except DomainError as refusal:
        return _show(request, who, item, doing="write-off", typed=pieces, reason=reason, error=refusal)
    return see_other(request, f"/merchant/stock/{item}", notice="stock_kept")


class CountMissingError(InvalidError):
    """An empty field is not a count of zero."""

    code = "COUNT_MISSING"
    zh = "请填实际数到的件数；一件都没有就填 0。"
    en = "Type how many pieces were counted; 0 when there are none."


def _read_reason(reason: str, *, is_needed: bool) -> str:
    said = " ".join(reason.split())
    if not (1 if is_needed else 0) <= len(said) <= MOST_REASON:
        raise StockReasonError(most=MOST_REASON)
    return said


def _rows(tx: Session, desk: Desk, typed: str) -> list[StockRow]:
    """The variants of the merchant's products with their pieces: what is on sale and short first."""
    own = merchants.list_own_products(tx, merchant_id=desk.business.merchant_id, query=typed, limit=MOST_PRODUCTS)
    products = merchants.get_products(tx, product_ids=[row.product_id for row in own])
    variants = [(product, variant) for product in products.values() for variant in product.variants]
    levels = get_stock_levels(tx, item_ids=[variant.item_id for _, variant in variants]) if variants else {}
    rows = [_row(product, variant, levels) for product, variant in variants]
    kept = [row for row in rows if row.is_sold or row.on_hand or row.sold]
    return sorted(kept, key=lambda row: (not row.is_sold, row.free, row.sku))


def _row(product: ProductDetail, variant: Variant, levels: Mapping[UUID, StockLevel]) -> StockRow:
    level = levels[variant.item_id]
    is_sold = product.state == "listed" and variant.state == "sold"
    return StockRow(
        item_id=str(variant.item_id),
        sku=variant.sku,
        goods=show_item(product, variant, qty=level.on_hand),
        free=level.free,
        reserved=level.reserved,
        waiting=level.waiting,
        sold=level.sold,
        on_hand=level.on_hand,
        is_low=is_sold and level.free < FEW,
        is_sold=is_sold,
    )


def _file_rows(rows: list[StockRow]) -> Iterator[list[object]]:
    for row in rows:
        pieces = (row.free, row.reserved, row.waiting, row.on_hand, row.sold)
        yield [row.sku, row.goods.name, row.goods.variant, *pieces]


def _show(
    request: Request,
    who: Principal,
    item: UUID,
    *,
    doing: str = "",
    typed: str = "",
    reason: str = "",
    error: DomainError | None = None,
) -> Response:
    with transaction() as tx:
        desk = open_desk(tx, who)
        product = merchants.find_product_of_item(tx, merchant_id=desk.business.merchant_id, item_id=item)
        if product is None:
            raise handing_out.StockUnknownError
        variant = next(each for each in product.variants if each.item_id == item)
        row = _row(product, variant, get_stock_levels(tx, item_ids=[item]))
        moves = list_stock_moves(tx, item_id=item)
        people = {
            person.staff_id: person.name for person in merchants.list_staff(tx, merchant_id=desk.business.merchant_id)
        }
    view = StockItem(
        row=row,
        moves=tuple(
            StockMoveRow(
                at=move.at, kind=move.kind, pieces=move.pieces, reason=move.reason, who=people.get(move.by_id, "—")
            )
            for move in moves
        ),
        key=f"page:{new_id()}",
        typed=typed[:10],
        reason=reason,
        doing=doing,
        error=error.sentence(language_of(request)) if error else None,
    )
    return render(request, "merchant/stock_item.html", view, status=error.status if error else 200)
