"""The states of an order, which may follow which, and the one way to change one: with who did it, when, and why.

A trigger on the table refuses the same changes for whoever goes past this code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, cast
from uuid import UUID

from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, NotFoundError, invariant
from market.kit.ids import new_id
from market.sales.orders.models import Order, OrderChange, OrderLine

FOLLOWS: Final = {
    "placed": {"paid", "cancelled"},
    "paid": {"ready", "collected", "delivered", "partly_returned", "returned"},
    "ready": {"collected", "delivered", "partly_returned", "returned"},
    "collected": {"paid", "ready", "closed", "partly_returned", "returned"},
    "delivered": {"paid", "ready", "closed", "partly_returned", "returned"},
    "closed": {"partly_returned", "returned"},
    "partly_returned": {"returned"},
    "cancelled": set[str](),
    "returned": set[str](),
}
WAITING: Final = ("paid", "ready")  # sold, and something is still to be handed out

ByKind = Literal["member", "staff", "officer", "job", "provider"]


class OrderUnknownError(NotFoundError):
    """No such order for this caller."""

    code = "ORDER_UNKNOWN"
    zh = "没有这个订单，请在订单列表里查找。"
    en = "There is no such order; look for it in the list of orders."


class OrderStateError(ConflictError):
    """The order is not in a state in which this can be done."""

    code = "ORDER_STATE"
    zh = "订单现在的状态是 {state}，不能这样操作。请刷新页面查看最新状态。"
    en = "The order is {state} now, so this cannot be done. Refresh the page to see how it stands."


@dataclass(frozen=True, slots=True)
class By:
    """Who does something to an order; a job and the provider have no id."""

    kind: ByKind
    id: UUID | None = None


JOB: Final = By("job")
PROVIDER: Final = By("provider")

_INSERT_CHANGE = insert(cast("Table", OrderChange.__table__))


def lock_order(tx: Session, *, order_id: UUID | None = None, number: str | None = None) -> Order:
    """An order under a lock that makes whoever pays, cancels, hands out or returns wait. Raises OrderUnknownError."""
    which = Order.id == order_id if order_id is not None else Order.number == number
    order = tx.scalar(
        select(Order).where(which).with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    if order is None:
        raise OrderUnknownError
    return order


def list_lines(tx: Session, *, order_id: UUID) -> list[OrderLine]:
    """The lines of an order in the order of its basket."""
    lines = tx.scalars(
        select(OrderLine).where(OrderLine.order_id == order_id).execution_options(populate_existing=True)
    ).all()
    return sorted(lines, key=lambda line: int(line.line))


def change_state(tx: Session, order: Order, to: str, *, by: By, reason: str, at: datetime, **columns: object) -> None:
    """Move a locked order on, with the columns that go with the state, and keep the change. The caller has checked that it may."""
    invariant(to in FOLLOWS[order.state], f"an order does not go from {order.state} to {to}")
    change = change_row(order.id, order.state, to, by=by, reason=reason, at=at)
    tx.execute(update(Order).where(Order.id == order.id).values(state=to, **columns))
    keep_changes(tx, [change])


def change_row(order_id: UUID, state: str | None, to: str, *, by: By, reason: str, at: datetime) -> dict[str, object]:
    """A change as a row."""
    return {
        "id": new_id(),
        "order_id": order_id,
        "at": at,
        "from_state": state,
        "to_state": to,
        "by_kind": by.kind,
        "by_id": by.id,
        "reason": reason,
    }


def keep_changes(tx: Session, rows: list[dict[str, object]]) -> None:
    """Write changes."""
    tx.connection().execute(_INSERT_CHANGE, rows)


def state_after_return(state: str, lines: Iterable[OrderLine]) -> str:
    """The state of an order once pieces of its lines went back: all, or some with nothing left to hand out, or as it was."""
    lines = list(lines)
    if all(line.returned == line.qty for line in lines):
        return "returned"
    return state if state in WAITING and any(line.waiting for line in lines) else "partly_returned"
