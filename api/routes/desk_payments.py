"""The officer's view of the payment provider: what it told us and what came of it, what waits, and working an event once more.

Of no payment stands who paid it.
"""

import json
from typing import Annotated, get_args
from uuid import UUID

from fastapi import Path, Query, Request, Response
from sqlalchemy.orm import Session

from api.access import Doors
from api.door import language_of, see_other
from api.errors import PageUnknownError
from api.pages.cursor import read_instant, write_instant
from api.pages.kit import render
from api.pages.views import (
    DeskEvent,
    DeskPayments,
    EventRow,
    OutcomeLink,
    WaitingPaymentRow,
    WaitingRefundRow,
)
from api.payments import get_gateway
from api.routes.desk_offers import merchant_names
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError, NotFoundError
from market.payments.inbox import get_event, list_events, replay_event
from market.payments.models import EventOutcome, Payment, PaymentEvent
from market.payments.operations import repeat_refund
from market.payments.queries import count_events, find_silent_since, list_waiting_payments, list_waiting_refunds
from market.sales.orders.money import LISTENER

doors = Doors(include_in_schema=False)

ON_PAGE = 50
MISMATCHES_SHOWN = 20
OUTCOMES: tuple[EventOutcome, ...] = get_args(EventOutcome)

EventId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,80}$")]


class EventUnknownError(NotFoundError):
    """The provider told us no such thing."""

    code = "EVENT_UNKNOWN"
    zh = "没有这条通知，请在列表里查找。"
    en = "There is no such event; look for it in the list."


class RefundUnknownError(NotFoundError):
    """There is no such refund."""

    code = "REFUND_UNKNOWN"
    zh = "没有这笔退款，请在列表里查找。"
    en = "There is no such refund; look for it in the list."


@doors.get("/desk/payments")
def payments(
    request: Request,
    *,
    outcome: EventOutcome | None = None,
    before: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """What needs somebody first: a silent provider, events that disagree, money that waits; then everything it told us."""
    at = now()
    place = read_instant(before) if before else None
    if before and place is None:
        raise PageUnknownError
    with transaction() as tx:
        names = _Names(tx)
        found = list_events(tx, outcome=outcome, before=place, limit=ON_PAGE + 1)
        wrong = [] if outcome or place else list_events(tx, outcome="mismatch", limit=MISMATCHES_SHOWN)
        counts = count_events(tx)
        waiting, refunds = list_waiting_payments(tx), list_waiting_refunds(tx)
        silent_at = find_silent_since(tx, at=at)
        rows = tuple(names.show(event) for event in found[:ON_PAGE])
        view = DeskPayments(
            silent_at=silent_at,
            payments=tuple(
                WaitingPaymentRow(
                    title=payment.title,
                    merchant=names.of(payment.merchant),
                    amount_fen=payment.amount_fen,
                    expires_at=payment.expires_at,
                    is_silent=payment.state == "created",
                )
                for payment in waiting
            ),
            refunds=tuple(
                WaitingRefundRow(
                    refund_id=str(each.refund.id),
                    title=each.payment.title,
                    merchant=names.of(each.payment.merchant),
                    amount_fen=each.refund.amount_fen,
                    asked_at=each.refund.asked_at,
                    state=each.refund.state,
                )
                for each in refunds
            ),
            outcomes=tuple(OutcomeLink(outcome=name, events_count=counts.get(name, 0)) for name in OUTCOMES),
            outcome=outcome,
            mismatches=tuple(names.show(event) for event in wrong),
            events=rows,
            older=write_instant(found[ON_PAGE - 1].received_at) if len(found) > ON_PAGE else None,
        )
    return render(request, "desk/payments.html", view)


@doors.get("/desk/payments/events/{event}")
def event_page(request: Request, event: EventId) -> Response:
    """One event as it was signed, and the button that works it once more."""
    return _show(request, event)


@doors.post("/desk/payments/events/{event}/replay")
def replay(request: Request, event: EventId) -> Response:
    """Work it again: of what was done before nothing happens twice."""
    with transaction() as tx:
        _find(tx, event)
    try:
        replay_event(get_gateway(), event_id=event, listener=LISTENER, at=now())
    except DomainError as refusal:
        return _show(request, event, error=refusal)
    return see_other(request, f"/desk/payments/events/{event}", notice="event_replayed")


@doors.post("/desk/payments/refunds/{refund}/repeat")
def repeat(request: Request, refund: UUID) -> Response:
    """Ask the provider once more for a refund it could not send; a second tap sends nothing more."""
    try:
        repeat_refund(get_gateway(), refund_id=refund, listener=LISTENER, at=now())
    except NotFoundError:
        raise RefundUnknownError from None
    return see_other(request, "/desk/payments", notice="refund_repeated")


class _Names:
    """What merchants are called, and whose payment an event is about."""

    def __init__(self, tx: Session) -> None:
        self._tx = tx
        self._names = merchant_names(tx)

    def of(self, merchant: str) -> str:
        """A merchant by his code."""
        return self._names.get(merchant, merchant)

    def show(self, event: PaymentEvent) -> EventRow:
        """An event as a row."""
        payment = self._tx.get(Payment, event.payment_id) if event.payment_id else None
        return EventRow(
            event_id=event.event_id,
            kind=event.type,
            merchant=self.of(payment.merchant) if payment else None,
            received_at=event.received_at,
            outcome=event.outcome or "waiting",
            problem=event.problem,
            works=event.works,
        )


def _find(tx: Session, event_id: str) -> PaymentEvent:
    try:
        return get_event(tx, event_id)
    except NotFoundError:
        raise EventUnknownError from None


def _show(request: Request, event_id: str, *, error: DomainError | None = None) -> Response:
    with transaction() as tx:
        event = _find(tx, event_id)
        payment = tx.get(Payment, event.payment_id) if event.payment_id else None
        view = DeskEvent(
            event=_Names(tx).show(event),
            title=payment.title if payment else None,
            body=json.dumps(json.loads(event.payload), ensure_ascii=False, indent=2),
            error=error.sentence(language_of(request)) if error else None,
        )
    return render(request, "desk/event.html", view, status=error.status if error else 200)
