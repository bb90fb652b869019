"""Reads for whoever hands out and takes back: since when an order stands so, which number is meant, what a return would give back to whom."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.sales.giving_back import Back, RefundUnitsError, check_units, share_back
from market.sales.models import Reversal, Sale
from market.sales.orders.models import Order, OrderChange, OrderLine
from market.sales.orders.queries import OrderDetail, get_orders
from market.sales.orders.states import WAITING, OrderStateError
from market.sales.orders.take_back import Whence

LEAST_TYPED = 3  # characters of an order number; fewer would fit too many


def find_since(tx: Session, *, order_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Since when each of these orders is in the state it is in."""
    last = select(OrderChange.order_id, func.max(OrderChange.at)).where(OrderChange.order_id.in_(order_ids))
    return {row[0]: row[1] for row in tx.execute(last.group_by(OrderChange.order_id))} if order_ids else {}


def list_waiting_like(tx: Session, *, merchant: str, typed: str, limit: int = 20) -> list[OrderDetail]:
    """The orders at this merchant of which something waits to be picked up and whose number holds what was typed, oldest first."""
    part = typed.strip().upper()
    if len(part) < LEAST_TYPED:
        return []
    wanted = (
        select(Order.id)
        .where(
            Order.merchant == merchant,
            Order.state.in_(WAITING),
            Order.handover == "pickup",
            Order.number.contains(part, autoescape=True),
        )
        .order_by(Order.at)
        .limit(limit)
    )
    return get_orders(tx, order_ids=tx.scalars(wanted).all())


def list_returns(tx: Session, *, sale_id: UUID) -> Sequence[Reversal]:
    """What went back of an order's sale, oldest first."""
    return tx.scalars(select(Reversal).where(Reversal.sale_id == sale_id).order_by(Reversal.at, Reversal.id)).all()


def preview_take_back(tx: Session, *, detail: OrderDetail, units: Mapping[str, int], whence: Whence) -> Back:
    """What taking back these units would give back to every payer now. Raises OrderStateError, RefundUnitsError."""
    sale = tx.get(Sale, detail.order.sale_id) if detail.order.sale_id else None
    if sale is None:
        raise OrderStateError(state=detail.order.state)
    before = check_units(tx, sale, units)
    lines = {line.line: line for line in detail.lines}
    for number, wanted in units.items():
        there = lines[number].handed if whence == "member" else lines[number].waiting
        if wanted > there:
            raise RefundUnitsError(line=lines[number].name, left=there)
    return share_back(sale, units, done=before)


@dataclass(frozen=True, slots=True)
class OrdersThere:
    """What is still to be fetched at a pick-up point: orders, those of them not paid yet, pieces, of how many merchants."""

    orders: int
    unpaid: int
    pieces: int
    merchants: int


NOTHING_THERE: Final = OrdersThere(0, 0, 0, 0)


def count_at_points(tx: Session) -> dict[str, OrdersThere]:
    """What is still to be fetched at each pick-up point; points without any are absent. An order that may yet be paid counts."""
    waiting = OrderLine.qty - OrderLine.handed - OrderLine.returned
    orders = func.count(Order.id.distinct())
    rows = tx.execute(
        select(
            Order.point,
            orders,
            orders.filter(Order.state == "placed"),
            func.sum(waiting),
            func.count(Order.merchant.distinct()),
        )
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(Order.point.is_not(None), Order.state.in_(("placed", *WAITING)), waiting > 0)
        .group_by(Order.point)
    )
    return {str(point): OrdersThere(*map(int, counts)) for point, *counts in rows}


@dataclass(frozen=True, slots=True)
class PickGoods:
    """Behind a pick list: the orders to be laid ready at each point (None: for delivery), oldest first, and the product of each code."""

    numbers: Mapping[str | None, Sequence[str]]
    products: Mapping[str, UUID]


def list_pick_goods(tx: Session, *, merchant: str) -> PickGoods:
    """The paid orders of a merchant by pick-up point, and what their goods are."""
    waiting = OrderLine.qty - OrderLine.handed - OrderLine.returned
    rows = tx.execute(
        select(Order.point, Order.number, OrderLine.sku, OrderLine.product_id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(Order.merchant == merchant, Order.state == "paid", waiting > 0)
        .order_by(Order.at, Order.number)
    ).all()
    numbers: dict[str | None, dict[str, None]] = {}
    for point, number, _, _ in rows:
        numbers.setdefault(point, {})[number] = None
    return PickGoods({point: list(each) for point, each in numbers.items()}, {row.sku: row.product_id for row in rows})
