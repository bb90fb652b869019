"""What is offered of what somebody wants to order: each line with its price, or the first thing that stands against it.

Stock, and what a member has bought before, are the market's to know; here only what the merchant says of his goods.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, DomainError, InvalidError, NotFoundError
from merchants.catalogue import window_at
from merchants.models import Item, Merchant, PickupPoint, Product, ProductPoint
from merchants.product_terms import Handover

MOST_LINES = 60
MOST_UNITS = 9_999


class OfferedItemUnknownError(NotFoundError):
    """No such item, or it is no variant of a product: it is sold in a shop only."""

    code = "OFFERED_ITEM_UNKNOWN"
    zh = "购物篮里有一件商品已经不在了。请删掉它再提交。"
    en = "Something in the basket no longer exists. Take it out and send again."


class ProductNotOfferedError(ConflictError):
    """The product is not listed, this variant is not on sale, or the merchant is suspended."""

    code = "PRODUCT_NOT_OFFERED"
    zh = "“{name}”已经下架。请从购物篮里删掉它，或换一个规格。"
    en = "“{name}” is no longer on sale. Take it out of the basket, or choose another variant."


class SaleNotBegunError(ConflictError):
    """The product's sale window has not begun."""

    code = "SALE_NOT_BEGUN"
    zh = "“{name}”还没有开售。请到开售时间再来，页面上有倒计时。"
    en = "The sale of “{name}” has not begun. Come back when it does; its page says when."


class SaleOverError(ConflictError):
    """The product's sale window has ended."""

    code = "SALE_OVER"
    zh = "“{name}”的销售已经结束。请从购物篮里删掉它。"
    en = "The sale of “{name}” has ended. Take it out of the basket."


class OverLimitError(ConflictError):
    """More of a product in one basket than one member may have at all."""

    code = "OVER_LIMIT"
    zh = "“{name}”每人限购 {limit} 件。请把数量改到 {limit} 件以内。"
    en = "“{name}” is limited to {limit} per member. Order {limit} or fewer."


class WantedWrongError(InvalidError):
    """A number of pieces, or of lines, that nobody can order."""

    code = "WANTED_WRONG"
    zh = "数量要在 1 到 9999 之间，一次最多 60 种。请改正后再提交。"
    en = "Order 1 to 9999 pieces of a thing, and 60 things at most at once. Correct it and send again."


@dataclass(frozen=True, slots=True)
class OfferedLine:
    """A variant that may be ordered now, at its list price in fen; `qty` is how many are wanted, `name` the product's."""

    item_id: UUID
    sku: str
    product_id: UUID
    product_code: str
    name: str
    variant: str
    category: str
    price_fen: int
    merchant_code: str
    merchant_id: UUID
    limit_per_member: int | None
    sale_from: datetime | None
    sale_to: datetime | None
    is_flash: bool
    handover: Handover
    point_codes: tuple[str, ...]
    qty: int


@dataclass(frozen=True, slots=True)
class LookedLine:
    """A wanted item with what stands against ordering it; `line` is None for what does not exist."""

    item_id: UUID
    line: OfferedLine | None
    refusal: DomainError | None


def get_offered_lines(tx: Session, *, wanted: Mapping[UUID, int], at: datetime) -> list[OfferedLine]:
    """The lines of a basket, in its order; one statement. `wanted` are pieces by item.

    Raises WantedWrongError, or the first refusal of the first line that has one: OfferedItemUnknownError, ProductNotOfferedError,
    SaleNotBegunError, SaleOverError, OverLimitError.
    """
    looked = look_at_lines(tx, wanted=wanted, at=at)
    if refusal := next((each.refusal for each in looked if each.refusal is not None), None):
        raise refusal
    return [each.line for each in looked if each.line is not None]


def look_at_lines(tx: Session, *, wanted: Mapping[UUID, int], at: datetime) -> list[LookedLine]:
    """The same, every line with its own refusal instead of an error, for a basket that is only shown. Raises WantedWrongError."""
    if len(wanted) > MOST_LINES or not all(1 <= qty <= MOST_UNITS for qty in wanted.values()):
        raise WantedWrongError
    rows = {row.item_id: row for row in tx.execute(_LINE.where(Item.id.in_(wanted)))}
    pieces: dict[UUID, int] = {}
    for item_id, row in rows.items():
        pieces[row.product_id] = pieces.get(row.product_id, 0) + wanted[item_id]
    return [_look(item_id, rows.get(item_id), qty, pieces, at) for item_id, qty in wanted.items()]


def _look(
    item_id: UUID, row: Row[*tuple[Any, ...]] | None, qty: int, pieces: Mapping[UUID, int], at: datetime
) -> LookedLine:
    if row is None:
        return LookedLine(item_id, None, OfferedItemUnknownError())
    said = row._asdict()
    states = (said.pop("state"), said.pop("item_state"), said.pop("merchant_state"))
    handover = cast("Handover", said.pop("handover"))
    line = OfferedLine(**said | {"point_codes": tuple(row.point_codes or ()), "handover": handover, "qty": qty})
    return LookedLine(item_id, line, _find_refusal(line, states, pieces[line.product_id], at))


def _find_refusal(line: OfferedLine, states: tuple[str, str, str], pieces: int, at: datetime) -> DomainError | None:
    if states != ("listed", "sold", "admitted"):
        return ProductNotOfferedError(name=line.name)
    match window_at(line.sale_from, line.sale_to, at=at):
        case "soon":
            return SaleNotBegunError(name=line.name)
        case "over":
            return SaleOverError(name=line.name)
    if line.limit_per_member is not None and pieces > line.limit_per_member:
        return OverLimitError(name=line.name, limit=line.limit_per_member)
    return None


_POINT_CODES = (
    select(func.array_agg(aggregate_order_by(PickupPoint.code, PickupPoint.code)))
    .join(ProductPoint, ProductPoint.point_id == PickupPoint.id)
    .where(ProductPoint.product_id == Product.id, PickupPoint.state == "open")
    .correlate(Product)
    .scalar_subquery()
)

_LINE = (
    select(
        Item.id.label("item_id"),
        Item.sku,
        Product.id.label("product_id"),
        Product.code.label("product_code"),
        Product.name,
        Item.variant,
        Product.category,
        Item.price_fen,
        Merchant.code.label("merchant_code"),
        Merchant.id.label("merchant_id"),
        Product.limit_per_member,
        Product.sale_from,
        Product.sale_to,
        Product.is_flash,
        Product.handover,
        _POINT_CODES.label("point_codes"),
        Product.state,
        Item.state.label("item_state"),
        Merchant.state.label("merchant_state"),
    )
    .join(Product, Product.id == Item.product_id)
    .join(Merchant, Merchant.id == Product.merchant_id)
)
