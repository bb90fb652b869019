"""Reads of orders for the member who ordered and the merchant who hands out. Each query names whose orders may be seen."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from market.sales.documents import read_quote
from market.sales.models import Sale
from market.sales.orders.models import Handout, Order, OrderChange, OrderLine
from market.sales.orders.states import WAITING, OrderUnknownError

Place = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """An order with its lines, and what went back of what was paid (fen)."""

    order: Order
    lines: Sequence[OrderLine]
    back_paid_fen: int

    @property
    def quote(self) -> Mapping[str, Any]:
        """The price as it was frozen, with its explanation."""
        return read_quote(self.order.facts)


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Orders, newest first, and where the next page goes on (None at the end)."""

    orders: Sequence[OrderDetail]
    older: Place | None


@dataclass(frozen=True, slots=True)
class PickLine:
    """So many pieces of one thing are to be laid ready at a pick-up point (None: for delivery), for so many orders."""

    point: str | None
    sku: str
    name: str
    variant: str
    pieces: int
    orders: int


def get_orders(tx: Session, *, order_ids: Sequence[UUID]) -> list[OrderDetail]:
    """These orders, in this order."""
    found = {detail.order.id: detail for detail in _read(tx, Order.id.in_(order_ids), None, len(order_ids))}
    return [found[order_id] for order_id in order_ids]


def get_member_order(tx: Session, *, subject: UUID, number: str) -> OrderDetail:
    """One order that this person placed. Raises OrderUnknownError, also for another's."""
    return _get(tx, (Order.subject == subject) & (Order.number == number))


def list_member_orders(tx: Session, *, subject: UUID, before: Place | None = None, limit: int = 20) -> OrderPage:
    """A page of one person's orders, newest first, read by key."""
    return _page(tx, Order.subject == subject, before, limit)


def list_basket_orders(tx: Session, *, subject: UUID, basket_id: UUID) -> list[OrderDetail]:
    """The orders that this person placed with one basket, in its order."""
    found = _read(tx, (Order.subject == subject) & (Order.basket_id == basket_id), None, 1000)
    return sorted(found, key=lambda detail: detail.order.place)


def get_merchant_order(tx: Session, *, merchant: str, number: str) -> OrderDetail:
    """One order at this merchant. Raises OrderUnknownError, also for another's."""
    return _get(tx, (Order.merchant == merchant) & (Order.number == number))


def list_merchant_orders(
    tx: Session,
    *,
    merchant: str,
    states: Collection[str],
    point: str | None = None,
    before: Place | None = None,
    limit: int = 50,
) -> OrderPage:
    """A page of a merchant's orders in these states, at one pick-up point or all, newest first."""
    wanted = (Order.merchant == merchant) & Order.state.in_(states)
    return _page(tx, wanted if point is None else wanted & (Order.point == point), before, limit)


def list_collectable(tx: Session, *, merchant: str, subject: UUID) -> list[OrderDetail]:
    """What this person may fetch from this merchant now: orders of which something waits, oldest first."""
    wanted = (Order.merchant == merchant) & (Order.subject == subject) & Order.state.in_(WAITING)
    return sorted(_read(tx, wanted, None, 200), key=lambda detail: detail.order.at)


def list_picks(tx: Session, *, merchant: str, states: Collection[str] = ("paid",)) -> list[PickLine]:
    """The pick list of a merchant: what is to be laid ready where, by point and thing."""
    waiting = OrderLine.qty - OrderLine.handed - OrderLine.returned
    columns = (Order.point, OrderLine.sku, OrderLine.name, OrderLine.variant)
    rows = tx.execute(
        select(*columns, func.sum(waiting), func.count(Order.id.distinct()))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.merchant == merchant, Order.state.in_(states), waiting > 0)
        .group_by(*columns)
        .order_by(*columns)
    )
    return [PickLine(point, sku, name, variant, int(n), int(orders)) for point, sku, name, variant, n, orders in rows]


def count_states(tx: Session, *, merchant: str) -> dict[str, int]:
    """How many orders of a merchant are in each state; states without any are absent."""
    counted = select(Order.state, func.count()).where(Order.merchant == merchant).group_by(Order.state)
    return {state: int(number) for state, number in tx.execute(counted)}


def list_changes(tx: Session, *, order_id: UUID) -> Sequence[OrderChange]:
    """What became of an order, oldest first."""
    return tx.scalars(select(OrderChange).where(OrderChange.order_id == order_id).order_by(OrderChange.id)).all()


def list_handouts(tx: Session, *, order_id: UUID) -> Sequence[Handout]:
    """What was handed out of an order, oldest first."""
    return tx.scalars(select(Handout).where(Handout.order_id == order_id).order_by(Handout.id)).all()


def list_due(tx: Session, *, at: datetime, limit: int = 200) -> list[Order]:
    """Placed orders whose time to pay is over, oldest first."""
    due = select(Order).where(Order.state == "placed", Order.expires_at <= at).order_by(Order.expires_at)
    return list(tx.scalars(due.limit(limit)))


def _get(tx: Session, which: ColumnElement[bool]) -> OrderDetail:
    found = _read(tx, which, None, 1)
    if not found:
        raise OrderUnknownError
    return found[0]


def _page(tx: Session, whose: ColumnElement[bool], before: Place | None, limit: int) -> OrderPage:
    found = _read(tx, whose, before, limit + 1)
    more = len(found) > limit
    last = found[limit - 1].order if more else None
    return OrderPage(found[:limit], (last.at, last.id) if last else None)


def _read(tx: Session, which: ColumnElement[bool], before: Place | None, limit: int) -> list[OrderDetail]:
    query = (
        select(Order, func.coalesce(Sale.back_paid_fen, 0))
        .outerjoin(Sale, Sale.id == Order.sale_id)
        .where(which)
        .order_by(Order.at.desc(), Order.id.desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    if before is not None:
        query = query.where(tuple_(Order.at, Order.id) < before)
    rows = tx.execute(query).all()
    lines: dict[UUID, list[OrderLine]] = {order.id: [] for order, _ in rows}
    wanted = select(OrderLine).where(OrderLine.order_id.in_(lines)).execution_options(populate_existing=True)
    for line in tx.scalars(wanted) if lines else ():
        lines[line.order_id].append(line)
    return [
        OrderDetail(order, sorted(lines[order.id], key=lambda line: int(line.line)), int(back)) for order, back in rows
    ]
