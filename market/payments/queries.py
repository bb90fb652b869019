"""Reads of payments for whoever watches over them: what waits, for how long, and what the provider's events came to. No payer stands here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session, aliased

from market.payments.models import REPEATS, WAITING, Payment, PaymentEvent, PaymentRefund

SILENT_AFTER = timedelta(seconds=60)  # a call is answered within seconds; who waits longer was not answered
SILENT_UNTIL = timedelta(hours=1)  # what has waited longer is a matter of its own, not of this hour's provider


@dataclass(frozen=True, slots=True)
class RefundWaiting:
    """A refund that is not done, with the payment it belongs to."""

    refund: PaymentRefund
    payment: Payment


def count_events(tx: Session) -> Mapping[str, int]:
    """How many events came to what; those not worked yet stand under `waiting`."""
    counted = select(func.coalesce(PaymentEvent.outcome, "waiting"), func.count()).group_by(PaymentEvent.outcome)
    return {outcome: int(number) for outcome, number in tx.execute(counted)}


def list_waiting_payments(tx: Session, *, limit: int = 100) -> Sequence[Payment]:
    """The payments the provider may still tell something about, oldest first."""
    waiting = select(Payment).where(Payment.state.in_(WAITING)).order_by(Payment.created_at, Payment.id)
    return tx.scalars(waiting.limit(limit)).all()


def list_waiting_refunds(tx: Session, *, limit: int = 100) -> list[RefundWaiting]:
    """The refunds that are not done yet, oldest first, failed ones among them until they are repeated: money that a member is still without."""
    repeat = aliased(PaymentRefund)
    is_repeated = select(repeat.id).where(repeat.key == REPEATS + cast(PaymentRefund.id, Text)).exists()
    waiting = (
        select(PaymentRefund, Payment)
        .join(Payment, Payment.id == PaymentRefund.payment_id)
        .where(PaymentRefund.state != "done", ~is_repeated)
        .order_by(PaymentRefund.asked_at, PaymentRefund.id)
    )
    return [RefundWaiting(refund, payment) for refund, payment in tx.execute(waiting.limit(limit))]


def find_silent_since(tx: Session, *, at: datetime) -> datetime | None:
    """Since when the provider does not answer: the oldest payment or refund of the last hour that it should have taken and has not."""
    asked = {"first": at - SILENT_UNTIL, "last": at - SILENT_AFTER}
    payments = select(func.min(Payment.created_at)).where(
        Payment.state == "created", Payment.created_at.between(asked["first"], asked["last"])
    )
    refunds = select(func.min(PaymentRefund.asked_at)).where(
        PaymentRefund.state == "asked", PaymentRefund.asked_at.between(asked["first"], asked["last"])
    )
    return min((since for since in (tx.scalar(payments), tx.scalar(refunds)) if since is not None), default=None)
