"""Return requests (退货申请): the member asks to give pieces back and may withdraw that, the merchant accepts or declines.

Asking, withdrawing and declining move neither goods nor money. Accepting is a return like any other, with the request it answers.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast, get_args
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, InvalidError, NotFoundError, invariant
from market.kit.ids import new_id
from market.sales.giving_back import RefundUnitsError, ReturnAnswer, get_answer
from market.sales.orders.hand_out import CLOSED_AFTER
from market.sales.orders.models import Cause, Handout, Order, OrderLine, RequestState, ReturnRequest, UndoneHandout
from market.sales.orders.queries import OrderDetail, get_orders
from market.sales.orders.states import By, list_lines, lock_order
from market.sales.orders.take_back import TakenBack, take_back
from market.sales.repeats import KeyReusedError

ASKED_WITHIN: Final = CLOSED_AFTER  # of the last hand-out
MOST_WORDS: Final = 100


class RequestUnknownError(NotFoundError):
    """Nobody asked to give anything of this order back."""

    code = "RETURN_REQUEST_UNKNOWN"
    zh = "这个订单没有退货申请。请刷新订单页面。"
    en = "Nobody asked for a return of this order. Refresh the order's page."


class RequestOpenError(ConflictError):
    """A request of this order still waits for its answer."""

    code = "RETURN_REQUEST_OPEN"
    zh = "这个订单已有一个退货申请在等商户处理。请先等答复，或撤回再申请。"
    en = "A return of this order is asked for already. Wait for the answer, or withdraw it and ask again."


class RequestEndedError(ConflictError):
    """The request was answered or withdrawn meanwhile."""

    code = "RETURN_REQUEST_ENDED"
    zh = "这个退货申请已经有了结果。请刷新订单页面查看。"
    en = "This return request has ended. Refresh the order's page to see how."


class NothingToAskError(ConflictError):
    """No piece of the order is with the member, or it was fetched too long ago."""

    code = "RETURN_NOT_POSSIBLE"
    zh = "取货后 {days} 天内、东西在手上才能申请退货。过了时间请直接联系商户或工会。"
    en = "A return can be asked for within {days} days of fetching the goods. After that, speak to the merchant or the union."


class CauseError(InvalidError):
    """No cause is chosen, another one is not told in words, or the words are too many."""

    code = "RETURN_CAUSE"
    zh = "请选退货原因；选“其他”要写一句说明（不超过 {most} 个字）。"
    en = "Choose why it comes back; for another reason say it in a sentence (at most {most} characters)."


class AnswerError(InvalidError):
    """A request is declined without a word to the member, or with too many."""

    code = "RETURN_ANSWER"
    zh = "请写一句不同意的理由（不超过 {most} 个字），会员会看到。"
    en = "Say in a sentence why not (at most {most} characters); the member will read it."


@dataclass(frozen=True, slots=True)
class Asked:
    """What a member asks: pieces by line, why, and what he says about it."""

    units: Mapping[str, int]
    cause: str
    words: str = ""


def ask_return(tx: Session, *, subject: UUID, order_id: UUID, asked: Asked, key: str, at: datetime) -> ReturnRequest:
    """Ask to give pieces of one's own order back. The same key again answers the same request.

    Raises KeyReusedError, CauseError, RequestOpenError, NothingToAskError, RefundUnitsError, in this order.
    """
    order = lock_order(tx, order_id=order_id)
    invariant(order.subject == subject, "who asks has ordered")
    requests = list_requests(tx, order_ids=[order.id])[order.id]
    for done in requests:
        if done.key == key:
            if (done.units, done.cause, done.words) != (dict(asked.units), asked.cause, asked.words):
                raise KeyReusedError(field="units")
            return done
    if (
        asked.cause not in get_args(Cause)
        or len(asked.words) > MOST_WORDS
        or (asked.cause == "other" and not asked.words)
    ):
        raise CauseError(most=MOST_WORDS)
    if any(each.state == "open" for each in requests):
        raise RequestOpenError
    lines = {line.line: line for line in list_lines(tx, order_id=order.id)}
    if not can_ask(tx, order_id=order.id, lines=list(lines.values()), at=at):
        raise NothingToAskError(days=ASKED_WITHIN.days)
    if not asked.units:
        raise RefundUnitsError(line="-", left=0)
    for number, units in asked.units.items():
        line = lines.get(number)
        if line is None or not 1 <= units <= line.handed:
            raise RefundUnitsError(line=line.name if line else number, left=line.handed if line else 0)
    made = ReturnRequest(
        id=new_id(),
        order_id=order.id,
        key=key,
        at=at,
        units=dict(asked.units),
        cause=cast("Cause", asked.cause),
        words=asked.words,
        state="open",
        answer="",
    )
    tx.add(made)
    tx.flush()
    return made


def can_ask(tx: Session, *, order_id: UUID, lines: Sequence[OrderLine], at: datetime) -> bool:
    """Whether something of an order is in the member's hands, and was given to him lately enough."""
    stands = ~exists().where(UndoneHandout.handout_id == Handout.id)
    last = tx.scalar(select(func.max(Handout.at)).where(Handout.order_id == order_id, stands))
    return last is not None and at < last + ASKED_WITHIN and any(line.handed for line in lines)


def withdraw_request(tx: Session, *, subject: UUID, order_id: UUID, at: datetime) -> ReturnRequest:
    """The member keeps his things after all; again changes nothing. Raises RequestUnknownError, RequestEndedError."""
    order = lock_order(tx, order_id=order_id)
    invariant(order.subject == subject, "who withdraws has asked")
    request = _get_last(tx, order)
    if request.state == "withdrawn":
        return request
    return _end(tx, request, "withdrawn", by=subject, at=at)


def decline_request(tx: Session, *, order_id: UUID, by: By, answer: str, at: datetime) -> ReturnRequest:
    """The merchant does not take it back, and says why. The same answer again changes nothing.

    Raises AnswerError, RequestUnknownError, RequestEndedError.
    """
    if not 1 <= len(answer) <= MOST_WORDS:
        raise AnswerError(most=MOST_WORDS)
    order = lock_order(tx, order_id=order_id)
    request = _get_last(tx, order)
    if request.state == "declined" and request.answer == answer:
        return request
    return _end(tx, request, "declined", by=by.id, answer=answer, at=at)


def accept_request(tx: Session, *, order_id: UUID, taken: TakenBack, by: By, at: datetime) -> ReturnAnswer:
    """Take back just what was asked (`taken.request_id`), by the rules of every return. A request is accepted once, however often.

    Raises RequestUnknownError, RequestEndedError and the refusals of `take_back`.
    """
    order = lock_order(tx, order_id=order_id)
    request = get_request(tx, order_id=order.id, request_id=taken.request_id)
    if request.reversal_id is not None:
        return get_answer(tx, reversal_id=request.reversal_id)
    if request.state != "open":
        raise RequestEndedError
    invariant((dict(taken.units), taken.whence) == (request.units, "member"), "what is accepted is what was asked")
    answer = take_back(tx, order_id=order.id, taken=taken, key=f"request:{request.id}", by=by, at=at)
    _end(tx, request, "accepted", by=by.id, reversal_id=answer.id, at=at)
    return answer


# --- reads --------------------------------------------------------------------------------------------------------------


def get_request(tx: Session, *, order_id: UUID, request_id: UUID | None) -> ReturnRequest:
    """A return request of this order. Raises RequestUnknownError, also for another order's."""
    request = tx.get(ReturnRequest, request_id, populate_existing=True) if request_id else None
    if request is None or request.order_id != order_id:
        raise RequestUnknownError
    return request


def list_requests(tx: Session, *, order_ids: Collection[UUID]) -> dict[UUID, list[ReturnRequest]]:
    """The return requests of these orders, each order's oldest first."""
    found: dict[UUID, list[ReturnRequest]] = {order_id: [] for order_id in order_ids}
    wanted = select(ReturnRequest).where(ReturnRequest.order_id.in_(order_ids)).order_by(ReturnRequest.id)
    for request in tx.scalars(wanted.execution_options(populate_existing=True)) if order_ids else ():
        found[request.order_id].append(request)
    return found


def count_open_requests(tx: Session, *, merchant: str) -> int:
    """How many requests wait for a merchant's answer."""
    return tx.scalar(_open(select(func.count()).select_from(ReturnRequest), merchant)) or 0


def list_asked_orders(tx: Session, *, merchant: str, limit: int = 200) -> list[OrderDetail]:
    """The orders of a merchant of which a request waits, the one that waits longest first."""
    waiting = _open(select(ReturnRequest.order_id), merchant).order_by(ReturnRequest.at, ReturnRequest.id).limit(limit)
    return get_orders(tx, order_ids=tx.scalars(waiting).all())


def _open(query: Select[Any], merchant: str) -> Select[Any]:
    """Of requests only those that wait for this merchant's answer."""
    return query.join(Order, Order.id == ReturnRequest.order_id).where(
        ReturnRequest.state == "open", Order.merchant == merchant
    )


def _get_last(tx: Session, order: Order) -> ReturnRequest:
    requests = list_requests(tx, order_ids=[order.id])[order.id]
    if not requests:
        raise RequestUnknownError
    return requests[-1]


def _end(
    tx: Session,
    request: ReturnRequest,
    state: RequestState,
    *,
    by: UUID | None,
    at: datetime,
    answer: str = "",
    reversal_id: UUID | None = None,
) -> ReturnRequest:
    """End an open request of a locked order. Raises RequestEndedError."""
    if request.state != "open":
        raise RequestEndedError
    request.state, request.answer, request.reversal_id = state, answer, reversal_id
    request.ended_at, request.ended_by = at, by
    tx.flush()
    return request
