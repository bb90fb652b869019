"""The webhook inbox: verify, store once, answer; a job works it off, and a person may have it worked again.

What the provider sent is kept as the bytes it signed. Working an event twice, or in any order, leads to the same end.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kit.database import transaction
from market.kit.errors import NotFoundError
from market.kit.jobs import enqueue
from market.payments.facts import Applied, Listener, apply_facts, find_payment_id
from market.payments.gateway import CheckoutFacts, Notice, PaymentGateway, ProviderDownError
from market.payments.models import EventOutcome, Payment, PaymentEvent
from market.payments.operations import open_payment


def receive_event(gateway: PaymentGateway, *, raw: bytes, signature: str, at: datetime) -> bool:
    """Verify the raw body and keep it; whether it is new. Raises ForgedEventError, and then keeps nothing."""
    notice = gateway.parse_event(raw, signature)
    with transaction() as tx:
        stored = tx.scalar(
            insert(PaymentEvent)
            .values(
                event_id=notice.event_id,
                type=notice.type,
                account=notice.account,
                livemode=notice.livemode,
                payload=raw,
                received_at=at,
            )
            .on_conflict_do_nothing()
            .returning(PaymentEvent.event_id)
        )
        if stored is not None:
            enqueue(tx, "payments.work_event", {"event_id": notice.event_id})
    return stored is not None


def work_event(gateway: PaymentGateway, *, event_id: str, listener: Listener, at: datetime) -> EventOutcome:
    """Work off an event that has not been; the outcome it has then. Raises NotFoundError, ProviderDownError."""
    with transaction() as tx:
        event = get_event(tx, event_id)
    if event.outcome is not None:
        return event.outcome
    return _work(gateway, event, listener=listener, at=at)


def replay_event(gateway: PaymentGateway, *, event_id: str, listener: Listener, at: datetime) -> EventOutcome:
    """Work an event again, whatever came of it before; one that was applied is then found `unchanged`.

    Raises NotFoundError, ProviderDownError.
    """
    with transaction() as tx:
        event = get_event(tx, event_id)
    return _work(gateway, event, listener=listener, at=at)


def list_events(
    tx: Session, *, outcome: EventOutcome | None = None, before: datetime | None = None, limit: int = 50
) -> list[PaymentEvent]:
    """The newest events first, of one outcome if asked; `before` is the `received_at` of the last one seen."""
    asked = select(PaymentEvent).order_by(PaymentEvent.received_at.desc(), PaymentEvent.event_id).limit(limit)
    if outcome is not None:
        asked = asked.where(PaymentEvent.outcome == outcome)
    if before is not None:
        asked = asked.where(PaymentEvent.received_at < before)
    return list(tx.execute(asked).scalars())


def get_event(tx: Session, event_id: str) -> PaymentEvent:
    """One event. Raises NotFoundError."""
    event = tx.get(PaymentEvent, event_id, populate_existing=True)
    if event is None:
        raise NotFoundError
    return event


def _work(gateway: PaymentGateway, event: PaymentEvent, *, listener: Listener, at: datetime) -> EventOutcome:
    notice = gateway.read_event(event.payload)
    if isinstance(notice.about, CheckoutFacts):
        _learn_checkout(gateway, notice.about, listener=listener, at=at)
    with transaction() as tx:
        applied = _apply(tx, notice, listener=listener, at=at)
        outcome = applied.outcome
        if event.outcome == "applied" and outcome == "unchanged":
            outcome = "applied"  # a replay does not make it less true that this event moved the row
        tx.execute(
            update(PaymentEvent)
            .where(PaymentEvent.event_id == event.event_id)
            .values(
                worked_at=at,
                works=PaymentEvent.works + 1,
                outcome=outcome,
                problem=applied.problem,
                payment_id=applied.payment_id,
            )
        )
    return applied.outcome


def _apply(tx: Session, notice: Notice, *, listener: Listener, at: datetime) -> Applied:
    if notice.about is None:
        return Applied(outcome="ignored")
    return apply_facts(tx, notice.about, listener=listener, at=at)


def _learn_checkout(gateway: PaymentGateway, facts: CheckoutFacts, *, listener: Listener, at: datetime) -> None:
    """We may have died between making a checkout and storing its id: then ask again, with the same key, which it is."""
    with transaction() as tx:
        payment_id = find_payment_id(tx, facts)
        is_unknown = payment_id is not None and tx.scalar(
            select(Payment.checkout_id.is_(None)).where(Payment.id == payment_id)
        )
    if payment_id is not None and is_unknown:
        open_payment(gateway, payment_id=payment_id, listener=listener, at=at)
        with transaction() as tx:
            if tx.scalar(select(Payment.state).where(Payment.id == payment_id)) == "created":
                raise ProviderDownError
