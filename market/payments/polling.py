"""What no event told us is asked for: lost webhooks, checkouts that could not be made, refunds not sent, time that is over.

Every payment and refund that still waits has an instant at which it is looked at next; it moves away as they get older.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from market.kit.database import transaction
from market.payments.facts import Listener, apply_facts
from market.payments.gateway import PaymentGateway, ProviderDownError, ProviderRefusedError
from market.payments.models import Payment, PaymentRefund
from market.payments.operations import (
    cancel_payment,
    get_payment,
    get_refund,
    open_payment,
    read_payment,
    send_refund,
)

FIRST_SECONDS = 60
LONGEST_SECONDS = 6 * 3600
AT_ONCE = 200

log = structlog.get_logger("huigong.payments")


def poll_due(gateway: PaymentGateway, *, listener: Listener, at: datetime) -> int:
    """Look at everything that is due; how many there were. A provider that is down ends the round, the rest waits."""
    looked = 0
    for model, look in ((Payment, poll_payment), (PaymentRefund, poll_refund)):
        with transaction() as tx:
            due = _claim(tx, model, at=at)
        for id_ in due:
            try:
                look(gateway, id_, listener=listener, at=at)
            except ProviderDownError:
                log.warning("the payment provider does not answer; what waits is asked for later")
                return looked
            except ProviderRefusedError as refusal:
                log.warning(
                    "the payment provider refused a look", what=model.__tablename__, id=str(id_), **refusal.facts
                )
            looked += 1
    return looked


def poll_payment(gateway: PaymentGateway, payment_id: UUID, *, listener: Listener, at: datetime) -> None:
    """Make its checkout if there is none, read how it stands, and cancel it when its time is over. Raises ProviderDownError."""
    if open_payment(gateway, payment_id=payment_id, listener=listener, at=at).state == "created":
        raise ProviderDownError
    state = read_payment(gateway, payment_id=payment_id, listener=listener, at=at)
    if state != "open":
        return
    with transaction() as tx:
        is_over = get_payment(tx, payment_id).expires_at <= at
    if is_over:
        cancel_payment(gateway, payment_id=payment_id, listener=listener, at=at)


def poll_refund(gateway: PaymentGateway, refund_id: UUID, *, listener: Listener, at: datetime) -> None:
    """Send it if the provider does not know it, and read how it stands. Raises ProviderDownError."""
    send_refund(gateway, refund_id=refund_id, listener=listener, at=at)
    with transaction() as tx:
        refund = get_refund(tx, refund_id)
        account = get_payment(tx, refund.payment_id).account
    if refund.state == "pending" and refund.provider_id is not None:
        facts = gateway.fetch_refund(refund.provider_id, account=account)
        with transaction() as tx:
            apply_facts(tx, facts, listener=listener, at=at)


def _claim(tx: Session, model: type[Payment] | type[PaymentRefund], *, at: datetime) -> list[UUID]:
    """What is due, put off already: a look that fails comes again, and two pollers do not look at the same."""
    due = (
        select(model.id, model.polls)
        .where(model.poll_at <= at)
        .order_by(model.poll_at)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    found = tx.execute(due).all()
    for id_, polls in found:
        wait = min(FIRST_SECONDS << min(polls, 20), LONGEST_SECONDS)
        tx.execute(update(model).where(model.id == id_).values(polls=polls + 1, poll_at=at + timedelta(seconds=wait)))
    tx.execute(
        update(Payment)
        .where(Payment.id.in_([id_ for id_, _ in found]), Payment.expires_at > at, Payment.poll_at > Payment.expires_at)
        .values(poll_at=Payment.expires_at)
    )
    return [id_ for id_, _ in found]
