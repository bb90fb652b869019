"""What orders do when a payment moves: all of it in the transaction that moves the payment's row, under the order's lock.

Money that comes for an order that no longer waits for it goes back by itself.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.payments.facts import Listener
from market.payments.models import WAITING, Payment, PaymentRefund
from market.payments.operations import ask_refund
from market.sales.orders.models import Order
from market.sales.orders.pay import pay_order, release_order
from market.sales.orders.states import JOB, PROVIDER


def find_waiting_payment(tx: Session, *, order_id: UUID) -> UUID | None:
    """The payment of an order that the provider may still tell us something about."""
    return tx.scalar(select(Payment.id).where(Payment.purpose_id == order_id, Payment.state.in_(WAITING)))


def list_payments(tx: Session, *, order_id: UUID) -> list[Payment]:
    """Every attempt to pay an order, oldest first."""
    return list(tx.scalars(select(Payment).where(Payment.purpose_id == order_id).order_by(Payment.id)))


def list_refunds(tx: Session, *, order_id: UUID) -> list[PaymentRefund]:
    """What was to go back of an order's payments, oldest first."""
    refunds = select(PaymentRefund).join(Payment, Payment.id == PaymentRefund.payment_id)
    return list(tx.scalars(refunds.where(Payment.purpose_id == order_id).order_by(PaymentRefund.id)))


def _lock(tx: Session, purpose_id: UUID) -> None:
    tx.execute(select(Order.id).where(Order.id == purpose_id).with_for_update(key_share=True))


def _on_paid(tx: Session, payment: Payment, at: datetime) -> None:
    """The order is sold; money that comes too late, or twice, goes back."""
    if pay_order(tx, order_id=payment.purpose_id, payment_id=payment.id, by=PROVIDER, at=at) == "too_late":
        ask_refund(tx, payment_id=payment.id, amount_fen=payment.amount_fen, key=f"late:{payment.id}", at=at)


def _on_closed(tx: Session, payment: Payment, at: datetime) -> None:
    """A checkout came to nothing: an order whose time is over is released, another may be paid in a new one."""
    if payment.expires_at <= at:
        release_order(tx, order_id=payment.purpose_id, by=JOB, reason="expired", at=at)


def _on_refund_moved(_tx: Session, _refund: PaymentRefund, _at: datetime) -> None:
    """The books took the goods back before the money moved: nothing is left to do here. A failed refund is a finding of verify."""


LISTENER = Listener(
    lock=_lock,
    on_paid=_on_paid,
    on_closed=_on_closed,
    on_refunded=_on_refund_moved,
    on_refund_failed=_on_refund_moved,
)
