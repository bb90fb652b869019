"""Baskets and orders as values of pages, for the member whose they are. Nothing here asks a database: it is given what was read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from api.basket import Gone, LookedBasket
from api.pages.explain import Titles, show_quote
from api.pages.i18n import Language
from api.pages.views import (
    BasketBlock,
    BasketGone,
    BasketLineShown,
    ChangeShown,
    OrderCard,
    OrderLineShown,
    OrderState,
    PointChoice,
    QuoteShown,
    Thing,
)
from api.shopping import OrderPriced
from market.sales.orders.models import Handout, Order, OrderChange, OrderLine, UndoneHandout
from market.sales.orders.queries import OrderDetail
from merchants import OfferedLine, Point, ProductDetail

Products = Mapping[UUID, ProductDetail]
Points = Mapping[str, Point]  # by code
Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Handing:
    """How a merchant's goods are wanted, as the page last said: `delivery` or `pickup:<point>`, and the address typed."""

    choice: str
    deliver_to: str


@dataclass(frozen=True, slots=True)
class Labels:
    """What orders and baskets are shown with: the products behind their lines, the points by code, merchants' names by code."""

    products: Products
    points: Points
    merchants: Names
    language: Language


def show_thing(product: ProductDetail | None, *, name: str, variant: str) -> Thing:
    """A thing as it is recognised; a product that is gone keeps the name under which it was ordered."""
    return Thing(
        face=f"{product.merchant}{product.code}" if product else name,
        name=name,
        variant=variant,
        category=product.category if product else "other",
        picture=str(product.pictures[0]) if product and product.pictures else None,
        href=f"/shop/{product.merchant}/{product.code}" if product and product.is_offered else None,
    )


# --- baskets ----------------------------------------------------------------------------------------------------------


def show_blocks(
    basket: LookedBasket, labels: Labels, *, titles: Titles, rebates: set[str], handings: Mapping[str, Handing]
) -> tuple[BasketBlock, ...]:
    """The orders to be, with their prices if there are any; `handings` are the choices by merchant made so far."""
    if basket.orders:
        return tuple(
            _show_block(order.lines, order, basket, labels, titles, rebates, handings) for order in basket.orders
        )
    grouped: dict[str, list[OfferedLine]] = {}
    for line in basket.lines:
        grouped.setdefault(line.merchant_code, []).append(line)
    return tuple(_show_block(lines, None, basket, labels, titles, rebates, handings) for lines in grouped.values())


def show_gone(gone: Gone, labels: Labels) -> BasketGone:
    """What cannot be ordered, with the reason in a sentence."""
    line = gone.looked.line
    product = labels.products.get(line.product_id) if line else None
    return BasketGone(
        item_id=str(gone.looked.item_id),
        thing=show_thing(product, name=line.name if line else "?", variant=line.variant if line else ""),
        sentence=gone.refusal.sentence(labels.language),
    )


def show_points(lines: Sequence[OfferedLine], points: Points, *, chosen: str | None) -> tuple[PointChoice, ...]:
    """The points at which all these lines can be fetched; the only one is chosen by itself."""
    if any(line.handover == "delivery" for line in lines):
        return ()
    common = [code for code in lines[0].point_codes if all(code in line.point_codes for line in lines)]
    shown = [points[code] for code in common if code in points]
    return tuple(
        PointChoice(
            code=point.code,
            name=point.name,
            address=point.where_and_when,
            chosen=point.code == chosen or len(shown) == 1,
        )
        for point in shown
    )


def _show_block(  # noqa: PLR0917  one call site: what a block is made of
    lines: Sequence[OfferedLine],
    order: OrderPriced | None,
    basket: LookedBasket,
    labels: Labels,
    titles: Titles,
    rebates: set[str],
    handings: Mapping[str, Handing],
) -> BasketBlock:
    merchant = lines[0].merchant_code
    handing = handings.get(merchant) or handings.get("") or Handing("", "")
    points = show_points(lines, labels.points, chosen=handing.choice.removeprefix("pickup:"))
    can_deliver = all(line.handover in {"delivery", "both"} for line in lines)
    paid = {row["line"]: row["pay"] for row in order.quote["lines"]} if order else {}
    return BasketBlock(
        merchant=merchant,
        merchant_name=labels.merchants.get(merchant, merchant),
        lines=tuple(
            _show_line(line, paid.get(str(number)), basket, labels) for number, line in enumerate(lines, start=1)
        ),
        points=points,
        can_deliver=can_deliver,
        delivery_chosen=can_deliver and (handing.choice == "delivery" or not points),
        deliver_to=handing.deliver_to,
        quote=None
        if order is None
        else _quote(order.quote, _line_names(order.lines), titles, labels.language, rebates),
    )


def _show_line(line: OfferedLine, paid_fen: int | None, basket: LookedBasket, labels: Labels) -> BasketLineShown:
    free = basket.free.get(line.item_id, 0)
    return BasketLineShown(
        item_id=str(line.item_id),
        thing=show_thing(labels.products.get(line.product_id), name=line.name, variant=line.variant),
        price_fen=line.price_fen,
        qty=line.qty,
        list_fen=line.price_fen * line.qty,
        paid_fen=paid_fen,
        free=free if free < line.qty else None,
        limit=line.limit_per_member,
    )


# --- orders -----------------------------------------------------------------------------------------------------------


def show_order(detail: OrderDetail, labels: Labels, *, at: datetime) -> OrderCard:
    """An order as a card in a list."""
    order = detail.order
    waits = order.state == "placed"
    return OrderCard(
        number=order.number,
        basket_id=str(order.basket_id),
        merchant_name=labels.merchants.get(order.merchant, order.merchant),
        state=cast("OrderState", order.state),
        at=order.at,
        lines=tuple(_show_order_line(line, labels) for line in detail.lines),
        paid_fen=order.paid_fen,
        saved_fen=order.list_fen - order.paid_fen,
        handover="pickup" if order.handover == "pickup" else "delivery",
        place=_place(order, labels),
        pay_until_at=order.expires_at if waits and order.expires_at > at else None,
        is_late=waits and order.expires_at <= at,
        receipt_id=order.public_id if order.sale_id else None,
    )


def _place(order: Order, labels: Labels) -> str:
    """Where it is fetched or brought to; an address is forgotten when the order closes."""
    if order.point is None:
        return order.deliver_to or ""
    point = labels.points.get(order.point)
    return point.name if point else order.point


def show_order_quote(detail: OrderDetail, titles: Titles, language: Language) -> QuoteShown:
    """The price of an order as it was frozen."""
    names = {line.line: full_name(line.name, line.variant) for line in detail.lines}
    return show_quote(detail.quote, titles=titles, language=language, line_names=names)


def list_versions(details: Sequence[OrderDetail]) -> list[tuple[str, int]]:
    """The offer versions that the quotes of these orders speak of."""
    quotes = [detail.quote for detail in details]
    return [(row["offer"], row["version"]) for quote in quotes for row in (*quote["applied"], *quote["not_applied"])]


def show_story(
    changes: Sequence[OrderChange],
    handouts: Sequence[Handout],
    undone: Mapping[UUID, UndoneHandout],
    staff: Mapping[UUID, str],
) -> tuple[ChangeShown, ...]:
    """What became of an order, oldest first; a hand-out stands for the change it made, and so does taking it back.

    `undone` by the hand-out's id. `staff` are names of the merchant's people.
    """
    given = [
        ChangeShown(
            at=each.at,
            reason="handed" if each.proof != "delivery" else "delivered",
            to_state="collected",
            by="staff",
            name=staff.get(each.staff_id, ""),
            pieces=sum(each.units.values()),
            proxy=each.proxy_name or "",
        )
        for each in handouts
    ]
    back = [
        ChangeShown(
            at=undo.at,
            reason="handout_undone",
            to_state="ready",
            by="staff",
            name=staff.get(undo.staff_id, ""),
            pieces=sum(each.units.values()),
        )
        for each in handouts
        if (undo := undone.get(each.id)) is not None
    ]
    told = {each.at for each in given}
    steps = [
        ChangeShown(
            at=each.at,
            reason=each.reason,
            to_state=cast("OrderState", each.to_state),
            by=each.by_kind,  # type: ignore[arg-type]  # a constraint of the table
            name=staff.get(each.by_id, "") if each.by_id else "",
        )
        for each in changes
        if each.reason != "handout_undone" and (each.to_state not in {"collected", "delivered"} or each.at not in told)
    ]
    return tuple(sorted([*steps, *given, *back], key=lambda each: each.at))


def full_name(name: str, variant: str) -> str:
    """A thing with its variant, on one line."""
    return f"{name} {variant}".rstrip()


def _show_order_line(line: OrderLine, labels: Labels) -> OrderLineShown:
    return OrderLineShown(
        thing=show_thing(labels.products.get(line.product_id), name=line.name, variant=line.variant),
        qty=line.qty,
        handed=line.handed,
        returned=line.returned,
    )


def _line_names(lines: Sequence[OfferedLine]) -> dict[str, str]:
    return {str(number): full_name(line.name, line.variant) for number, line in enumerate(lines, start=1)}


def _quote(
    quote: Mapping[str, object], names: Names, titles: Titles, language: Language, rebates: set[str]
) -> QuoteShown:
    return show_quote(quote, titles=titles, language=language, line_names=names, rebates=rebates)
