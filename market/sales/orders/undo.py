"""Taking a hand-out back at once (撤回发放): it was given to the wrong person, or never left the counter. No money moves.

The pieces wait for their buyer again, and the order is as it was before that hand-out. Later, or once the member did something with
what he had, only a return can help.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, NotFoundError
from market.sales.orders.models import Handout, Order, OrderChange, UndoneHandout
from market.sales.orders.states import WAITING, By, OrderStateError, change_state, list_lines, lock_order
from market.sales.orders.take_back import RequestFirstError, find_open_request

UNDO_WINDOW: Final = timedelta(minutes=10)


class HandoutUnknownError(NotFoundError):
    """Nothing was handed out of this order so."""

    code = "HANDOUT_UNKNOWN"
    zh = "没有找到这次发放。请刷新订单页面查看。"
    en = "This hand-out was not found. Refresh the order's page."


class UndoTooLateError(ConflictError):
    """The hand-out was longer ago than it can be taken back."""

    code = "HANDOUT_UNDO_TOO_LATE"
    zh = "发放超过 {minutes} 分钟就不能撤回了。东西拿回来的话，请在订单页面办退货。"
    en = "A hand-out can be taken back for {minutes} minutes. If the goods came back, use the return on the order's page."


class HandoutReturnedError(ConflictError):
    """Some of what was handed out went back already."""

    code = "HANDOUT_RETURNED"
    zh = "这次发的东西已有退货，不能撤回。请在订单页面查看。"
    en = "Some of what was handed out was returned already, so this cannot be taken back. Look at the order's page."


def undo_handout(tx: Session, *, order_id: UUID, handout_id: UUID, staff_id: UUID, at: datetime) -> str:
    """Take a hand-out back; answers the order's state. Again changes nothing.

    First refusal that holds: OrderUnknownError, HandoutUnknownError, UndoTooLateError, RequestFirstError, HandoutReturnedError,
    OrderStateError.
    """
    order = lock_order(tx, order_id=order_id)
    handout = tx.get(Handout, handout_id)
    if handout is None or handout.order_id != order.id:
        raise HandoutUnknownError
    if tx.get(UndoneHandout, handout_id, populate_existing=True) is not None:
        return order.state
    if at > handout.at + UNDO_WINDOW:
        raise UndoTooLateError(minutes=int(UNDO_WINDOW.total_seconds() // 60))
    if find_open_request(tx, order_id=order.id) is not None:
        raise RequestFirstError
    lines = list_lines(tx, order_id=order.id)
    if any(line.handed < handout.units.get(line.line, 0) for line in lines):
        raise HandoutReturnedError
    if order.state not in {*WAITING, "collected", "delivered"}:
        raise OrderStateError(state=order.state)
    tx.execute(insert(UndoneHandout).values(handout_id=handout.id, at=at, staff_id=staff_id))
    for line in lines:
        line.handed -= handout.units.get(line.line, 0)
    tx.flush()
    if order.state in WAITING:
        return order.state
    to = _state_before(tx, order)
    change_state(tx, order, to, by=By("staff", staff_id), reason="handout_undone", at=at)
    return to


def find_undoable(tx: Session, *, order_id: UUID, at: datetime) -> Handout | None:
    """The latest hand-out of an order that stands, if it was a moment ago: whether it can be taken back is said when it is tried."""
    latest = (
        select(Handout)
        .outerjoin(UndoneHandout, UndoneHandout.handout_id == Handout.id)
        .where(Handout.order_id == order_id, UndoneHandout.handout_id.is_(None), Handout.at >= at - UNDO_WINDOW)
        .order_by(Handout.id.desc())
        .limit(1)
    )
    return tx.scalar(latest)


def list_undone(tx: Session, *, order_id: UUID) -> dict[UUID, UndoneHandout]:
    """The hand-outs of an order that were taken back, by the hand-out's id."""
    undone = select(UndoneHandout).join(Handout, Handout.id == UndoneHandout.handout_id)
    return {each.handout_id: each for each in tx.scalars(undone.where(Handout.order_id == order_id))}


def _state_before(tx: Session, order: Order) -> str:
    """From which state the last hand-out moved an order on."""
    last = select(OrderChange.from_state).where(OrderChange.order_id == order.id, OrderChange.to_state == order.state)
    return str(tx.scalars(last.order_by(OrderChange.id.desc()).limit(1)).one())
