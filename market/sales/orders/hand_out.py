"""The hand-out (发放): ready, given out by card code or slip to the buyer or a proxy, in parts; what nobody fetches; the end."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, InvalidError, invariant
from market.kit.ids import new_id
from market.sales.orders.models import Handout, Order, OrderChange, OrderLine, ReturnRequest
from market.sales.orders.states import JOB, WAITING, By, OrderStateError, change_state, list_lines, lock_order
from market.sales.repeats import KeyReusedError

UNCLAIMED_AFTER: Final = timedelta(days=14)  # then the supplier is asked to call, and the member is told
GIVEN_BACK_AFTER: Final = timedelta(days=14)  # after that the order is refunded and its goods are free again
CLOSED_AFTER: Final = timedelta(days=7)


class SlipWrongError(ConflictError):
    """The digits are not those of the order's slip."""

    code = "SLIP_WRONG"
    zh = "取货码不对。请会员打开订单页面核对 6 位取货码，或出示会员码。"
    en = "This is not the slip of this order. Ask the member to look at the order's page for its 6 digits, or for the card code."


class OtherBuyerError(ConflictError):
    """The card shown is not of the person who ordered."""

    code = "OTHER_BUYER"
    zh = "出示的卡不是下单的会员。代领请输入会员给的取货码，并登记代领人姓名。"
    en = "This card is not of the member who ordered. A proxy gives the slip's digits, and his name is noted."


class HandoutUnitsError(InvalidError):
    """More pieces than are still to be handed out, an unknown line, or nothing."""

    code = "HANDOUT_UNITS"
    zh = "{line} 最多还能发 {left} 件，请修改件数。"
    en = "Of {line} at most {left} are still to be handed out; change the number."


@dataclass(frozen=True, slots=True)
class CardShown:
    """The buyer himself was there: the subject behind the card, and the visit his code opened."""

    subject: UUID
    visit_id: UUID


@dataclass(frozen=True, slots=True)
class SlipShown:
    """Somebody knew the digits of the order's slip."""

    digits: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """It was brought to where the member wanted it."""


Proof = CardShown | SlipShown | Delivered


@dataclass(frozen=True, slots=True)
class HandedOut:
    """What is given out and to whom: units by line (None: all that wait), the proof, the buyer's name and the proxy's, if one came."""

    proof: Proof
    member_name: str
    units: Mapping[str, int] | None = None
    proxy_name: str | None = None


def mark_ready(tx: Session, *, order_id: UUID, by: By, at: datetime) -> None:
    """The goods of a paid order lie ready; again changes nothing. Raises OrderUnknownError, OrderStateError."""
    order = lock_order(tx, order_id=order_id)
    if order.state == "ready":
        return
    if order.state != "paid":
        raise OrderStateError(state=order.state)
    change_state(tx, order, "ready", by=by, reason="ready", at=at, ready_at=at)


def hand_out(tx: Session, *, order_id: UUID, given: HandedOut, key: str, staff_id: UUID, at: datetime) -> str:
    """Give out pieces of a paid order, all that wait or some; answers the order's state. One effect per (order, key).

    First refusal that holds: OrderUnknownError, KeyReusedError, OrderStateError, SlipWrongError, OtherBuyerError, HandoutUnitsError.
    """
    order = lock_order(tx, order_id=order_id)
    done = tx.scalar(select(Handout).where(Handout.order_id == order.id, Handout.key == key))
    if done is not None:
        if given.units is not None and dict(given.units) != done.units:
            raise KeyReusedError(field="units")
        return order.state
    if order.state not in WAITING:
        raise OrderStateError(state=order.state)
    _check_proof(order, given)
    lines = list_lines(tx, order_id=order.id)
    units = _check_units(lines, given.units)
    tx.execute(
        insert(Handout).values(
            id=new_id(),
            order_id=order.id,
            key=key,
            at=at,
            units=units,
            staff_id=staff_id,
            proof=_PROOFS[type(given.proof)],
            visit_id=given.proof.visit_id if isinstance(given.proof, CardShown) else None,
            collected_by="member" if given.proxy_name is None else "proxy",
            member_name=given.member_name,
            proxy_name=given.proxy_name,
        )
    )
    for line in lines:
        line.handed += units.get(line.line, 0)
    tx.flush()
    if any(line.waiting for line in lines):
        return order.state
    to: Literal["delivered", "collected"] = "delivered" if isinstance(given.proof, Delivered) else "collected"
    reason = to if given.proxy_name is None else "collected_by_proxy"
    change_state(tx, order, to, by=By("staff", staff_id), reason=reason, at=at)
    return to


def mark_unclaimed(tx: Session, *, at: datetime) -> list[UUID]:
    """Note the orders that lay ready for 14 days and are still not fetched, for supplier and member to see; answers which."""
    waiting = update(Order).where(Order.state == "ready", Order.unclaimed_at.is_(None))
    return list(
        tx.scalars(waiting.where(Order.ready_at <= at - UNCLAIMED_AFTER).values(unclaimed_at=at).returning(Order.id))
    )


def list_forsaken(tx: Session, *, at: datetime) -> Sequence[UUID]:
    """The orders that were not fetched for 14 more days: they are to be refunded, and their goods are free again."""
    return tx.scalars(select(Order.id).where(Order.state == "ready", Order.unclaimed_at <= at - GIVEN_BACK_AFTER)).all()


@dataclass(frozen=True, slots=True)
class Closed:
    """How many orders were closed, and how many would be if their return request were not waiting for its answer."""

    closed: int
    asked: int


def close_orders(tx: Session, *, at: datetime, limit: int = 500) -> Closed:
    """Close what was collected or delivered a week ago and forget where it was brought; an order with an open return request waits."""
    last = select(OrderChange.at).where(OrderChange.order_id == Order.id, OrderChange.to_state == Order.state)
    asked = exists().where(ReturnRequest.order_id == Order.id, ReturnRequest.state == "open").correlate(Order)
    is_due = (
        Order.state.in_(("collected", "delivered")),
        last.order_by(OrderChange.id.desc()).limit(1).scalar_subquery() <= at - CLOSED_AFTER,
    )
    due = tx.scalars(
        select(Order).where(*is_due, ~asked).limit(limit).with_for_update(key_share=True, skip_locked=True)
    ).all()
    # Whoever asked between our look and our lock is seen now, and nobody can ask any more.
    ids = [order.id for order in due]
    late = set(tx.scalars(select(Order.id).where(Order.id.in_(ids), asked)))
    for order in due:
        if order.id not in late:
            change_state(tx, order, "closed", by=JOB, reason="closed", at=at, deliver_to=None)
    waiting = tx.scalar(select(func.count()).select_from(Order).where(*is_due, asked)) or 0
    return Closed(len(due) - len(late), waiting)


_PROOFS: Final = {CardShown: "card", SlipShown: "slip", Delivered: "delivery"}


def _check_proof(order: Order, given: HandedOut) -> None:
    match given.proof:
        case CardShown(subject=subject):
            if subject != order.subject:
                raise OtherBuyerError
            invariant(given.proxy_name is None, "who shows his own card needs no proxy")
        case SlipShown(digits=digits):
            if not hmac.compare_digest(digits.encode(), order.slip.encode()):
                raise SlipWrongError
        case Delivered():
            if order.handover != "delivery":
                raise OrderStateError(state=order.state)


def _check_units(lines: Sequence[OrderLine], wanted: Mapping[str, int] | None) -> dict[str, int]:
    """The pieces to give out. Raises HandoutUnitsError."""
    left = {line.line: line.waiting for line in lines if line.waiting}
    names = {line.line: line.name for line in lines}
    units = left if wanted is None else dict(wanted)
    if not units:
        raise HandoutUnitsError(line="-", left=0)
    for line, number in units.items():
        if type(number) is not int or not 1 <= number <= left.get(line, 0):
            raise HandoutUnitsError(line=names.get(line, line), left=left.get(line, 0))
    return units
