"""Returns of an order's pieces by line: every payer gets back his share by the refund rules, the stock or nobody the goods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, invariant
from market.kit.ids import new_id
from market.ledger.postings import Draw, merge_draws
from market.payments.operations import ask_refund
from market.sales.giving_back import (
    RefundUnitsError,
    ReturnAnswer,
    Where,
    book_return,
    check_units,
    get_answer,
    share_back,
)
from market.sales.models import Reversal, Sale
from market.sales.orders.models import Order, OrderLine, ReturnRequest, StockMove
from market.sales.orders.states import (
    By,
    OrderStateError,
    change_state,
    list_lines,
    lock_order,
    state_after_return,
)
from market.sales.orders.stock import draw_stock
from market.sales.repeats import KeyReusedError

Whence = Literal["member", "shelf"]


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What is taken back: units by line, from the member's hands or from the shelf (never handed out), and whether they can be sold again.

    Goods that cannot are written off, and `by` must then name a person. `request_id` is the member's request that this answers.
    """

    units: Mapping[str, int]
    whence: Whence
    is_restocked: bool
    reason: str
    request_id: UUID | None = None

    def to_json(self) -> dict[str, Any]:
        """The body as stored with the return."""
        return {"units": dict(self.units), "whence": self.whence, "restocked": self.is_restocked}


class RequestFirstError(ConflictError):
    """The member asked for a return: that is answered first, or he would wait for ever for what he asked."""

    code = "RETURN_REQUEST_FIRST"
    zh = "会员申请了退货，还没有答复。请先在订单页面同意或不同意那个申请。"
    en = "The member has asked for a return. Accept or decline that request on the order's page first."


def take_back(tx: Session, *, order_id: UUID, taken: TakenBack, key: str, by: By, at: datetime) -> ReturnAnswer:
    """Give back units of lines of a paid order; a job sends the answer's `paid_fen` back to whoever paid. One effect per (order, key).

    Raises OrderUnknownError, KeyReusedError, OrderStateError, RequestFirstError, RefundUnitsError, in this order.
    """
    order = lock_order(tx, order_id=order_id)
    if (done := _find_done(tx, order, key, taken)) is not None:
        return get_answer(tx, reversal_id=done)
    if order.sale_id is None:
        raise OrderStateError(state=order.state)
    if taken.whence == "member" and find_open_request(tx, order_id=order.id) != taken.request_id:
        raise RequestFirstError
    sale = tx.scalars(select(Sale).where(Sale.id == order.sale_id).with_for_update(key_share=True)).one()
    before = check_units(tx, sale, taken.units)
    lines = {line.line: line for line in list_lines(tx, order_id=order.id)}
    for number, units in taken.units.items():
        there = lines[number].handed if taken.whence == "member" else lines[number].waiting
        if units > there:
            raise RefundUnitsError(line=lines[number].name, left=there)
    back = share_back(sale, taken.units, done=before)
    _mark_returned(tx, lines, taken)
    to = state_after_return(order.state, lines.values())
    if to != order.state:
        change_state(tx, order, to, by=by, reason=taken.reason, at=at)
    if not taken.is_restocked:
        _write_off(tx, order, lines, taken, key=key, by=by, at=at)
    if back.paid_fen:
        invariant(order.payment_id is not None, "what was paid was paid by a payment")
        refund_key = f"{order.number}:{key}"
        ask_refund(tx, payment_id=order.payment_id, amount_fen=back.paid_fen, key=refund_key, at=at)  # type: ignore[arg-type]
    return book_return(
        tx,
        where=Where(),
        row=sale,
        back=back,
        draws=merge_draws([*(Draw(purse, -fen) for purse, fen in back.parts.items()), *_goods(lines, taken)]),
        kind="refund",
        key=key,
        request=taken.to_json(),
        at=at,
    )


def find_open_request(tx: Session, *, order_id: UUID) -> UUID | None:
    """The request for a return of this order that waits for its answer."""
    waiting = select(ReturnRequest.id).where(ReturnRequest.order_id == order_id, ReturnRequest.state == "open")
    return tx.scalar(waiting)


def list_waiting_units(lines: Sequence[OrderLine]) -> dict[str, int]:
    """Everything of these lines that was not handed out yet."""
    return {line.line: line.waiting for line in lines if line.waiting}


def _find_done(tx: Session, order: Order, key: str, taken: TakenBack) -> UUID | None:
    """The return that this key made of this order. Raises KeyReusedError for another body."""
    found = tx.execute(
        select(Reversal.id, Reversal.request).where(Reversal.sale_id == order.sale_id, Reversal.key == key)
    ).one_or_none()
    if found is None:
        return None
    sent = taken.to_json()
    if found.request != sent:
        raise KeyReusedError(field=min(name for name in sent if found.request.get(name) != sent[name]))
    return UUID(str(found.id))


def _mark_returned(tx: Session, lines: Mapping[str, OrderLine], taken: TakenBack) -> None:
    """Note the pieces on their lines."""
    for number, units in taken.units.items():
        line = lines[number]
        line.returned += units
        line.handed -= units if taken.whence == "member" else 0
    tx.flush()


def _goods(lines: Mapping[str, OrderLine], taken: TakenBack) -> list[Draw]:
    """Sold pieces become free again, or leave the stock; the member may buy as many again."""
    draws = []
    for number, units in taken.units.items():
        line = lines[number]
        draws += draw_stock(line.item_id, units, part="sold", to="free" if taken.is_restocked else None)
        if line.limit_balance:
            draws.append(Draw(line.limit_balance, -units, "piece"))
    return draws


def _write_off(
    tx: Session,
    order: Order,
    lines: Mapping[str, OrderLine],
    taken: TakenBack,
    *,
    key: str,
    by: By,
    at: datetime,
) -> None:
    invariant(by.id is not None, "a person says that goods cannot be sold again")
    rows = [
        {
            "id": new_id(),
            "item_id": lines[number].item_id,
            "kind": "written_off",
            "pieces": -units,
            "reason": taken.reason,
            "by_id": by.id,
            "order_id": order.id,
            "key": f"{order.number}:{key}",
            "at": at,
        }
        for number, units in taken.units.items()
    ]
    tx.execute(insert(StockMove), rows)
