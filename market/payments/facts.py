"""What the provider says moves our rows, here only: the same facts in any order and number lead to the same end.

Facts come from a verified event or from a retrieve. What disagrees with our row in amount, currency, account, live mode,
checkout or intent changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.kit.errors import invariant
from market.payments.gateway import CheckoutFacts, RefundFacts
from market.payments.models import PAID, WAITING, EventOutcome, Payment, PaymentRefund, PaymentState


@dataclass(frozen=True, kw_only=True)
class Listener:
    """What the room above does when a payment moves; all of it in the transaction that moves our row.

    `lock` takes the lock of whatever the purpose is before ours is taken: everybody locks purpose, then payment. The others
    may be called for a purpose that is over (a late payment): then it is theirs to ask for a refund.
    """

    lock: Callable[[Session, UUID], None]
    on_paid: Callable[[Session, Payment, datetime], None]
    on_closed: Callable[[Session, Payment, datetime], None]
    on_refunded: Callable[[Session, PaymentRefund, datetime], None]
    on_refund_failed: Callable[[Session, PaymentRefund, datetime], None]


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What came of facts; `problem` names what disagreed."""

    outcome: EventOutcome
    payment_id: UUID | None = None
    problem: str | None = None


def find_payment_id(tx: Session, facts: CheckoutFacts | RefundFacts) -> UUID | None:
    """The payment that facts are about: by our reference, else by the provider's ids; None if it is not ours."""
    reference = _uuid(facts.reference)
    if isinstance(facts, CheckoutFacts):
        known = select(Payment.id).where((Payment.id == reference) | (Payment.checkout_id == facts.checkout_id))
        return tx.execute(known.order_by(Payment.id != reference)).scalars().first()
    asked = select(PaymentRefund.payment_id).where(
        (PaymentRefund.id == reference) | (PaymentRefund.provider_id == facts.provider_id)
    )
    found = tx.execute(asked.order_by(PaymentRefund.id != reference)).scalars().first()
    return found or tx.scalar(select(Payment.id).where(Payment.intent_id == facts.intent_id))


def apply_facts(tx: Session, facts: CheckoutFacts | RefundFacts, *, listener: Listener, at: datetime) -> Applied:
    """Move our row to where the provider says it stands, and tell the listener what moved."""
    payment_id = find_payment_id(tx, facts)
    if payment_id is None:
        return Applied(outcome="foreign")
    payment = lock_payment(tx, payment_id, listener=listener)
    if isinstance(facts, RefundFacts):
        return _apply_refund(tx, payment, facts, listener=listener, at=at)
    problem = _disagreement(payment, facts)
    if problem is None and facts.status == "paid" and facts.intent_id is None:
        problem = "intent"
    if problem is not None:
        return Applied(outcome="mismatch", payment_id=payment_id, problem=problem)
    bind_checkout(payment, facts)
    moved = _move(tx, payment, facts, listener=listener, at=at)
    return Applied(outcome="applied" if moved else "unchanged", payment_id=payment_id)


def lock_payment(tx: Session, payment_id: UUID, *, listener: Listener) -> Payment:
    """The payment's row under lock, after the purpose's."""
    purpose = tx.scalar(select(Payment.purpose_id).where(Payment.id == payment_id))
    invariant(purpose is not None, f"payment {payment_id} exists")
    listener.lock(tx, purpose)  # type: ignore[arg-type]
    return get_locked(tx, payment_id)


def get_locked(tx: Session, payment_id: UUID) -> Payment:
    """The payment's row under lock, as it stands in the database now."""
    asked = select(Payment).where(Payment.id == payment_id).with_for_update().execution_options(populate_existing=True)
    return tx.execute(asked).scalars().one()


def bind_checkout(payment: Payment, facts: CheckoutFacts) -> None:
    """Keep the provider's ids, which never change once known."""
    payment.checkout_id = payment.checkout_id or facts.checkout_id
    payment.intent_id = payment.intent_id or facts.intent_id
    payment.checkout_url = facts.url or payment.checkout_url
    if payment.state == "created":
        payment.state = "open"


def close_payment(tx: Session, payment: Payment, *, as_: PaymentState, listener: Listener, at: datetime) -> None:
    """End a payment that was waiting."""
    payment.state, payment.poll_at = as_, None
    tx.flush()
    listener.on_closed(tx, payment, at)


def _move(tx: Session, payment: Payment, facts: CheckoutFacts, *, listener: Listener, at: datetime) -> bool:
    if facts.status == "paid" and payment.state not in PAID:
        payment.state, payment.paid_at, payment.poll_at = "paid", at, None
        tx.flush()
        listener.on_paid(tx, payment, at)
        return True
    if facts.status == "closed" and payment.state in WAITING:
        close_payment(tx, payment, as_="failed", listener=listener, at=at)
        return True
    return False


def _disagreement(payment: Payment, facts: CheckoutFacts) -> str | None:
    """In what facts differ from our row: the first of a fixed order."""
    agreed = {
        "livemode": facts.livemode == payment.livemode,
        "account": facts.account == payment.account,
        "currency": facts.currency == payment.currency,
        "amount": facts.amount_fen == payment.amount_fen,
        "reference": _uuid(facts.reference) == payment.id,
        "checkout": facts.checkout_id == payment.checkout_id,
        "intent": None in {payment.intent_id, facts.intent_id} or facts.intent_id == payment.intent_id,
    }
    return next((name for name, agrees in agreed.items() if not agrees), None)


def _apply_refund(tx: Session, payment: Payment, facts: RefundFacts, *, listener: Listener, at: datetime) -> Applied:
    refund = tx.get(PaymentRefund, _uuid(facts.reference), populate_existing=True) if _uuid(facts.reference) else None
    problem = "refund" if refund is None else _refund_disagreement(payment, refund, facts)
    if refund is None or problem is not None:
        return Applied(outcome="mismatch", payment_id=payment.id, problem=problem)
    before = refund.state
    refund.provider_id = facts.provider_id
    if facts.status == "pending" and before == "asked":
        refund.state = "pending"
    elif facts.status == "done" and before in {"asked", "pending"}:
        refund.state, refund.ended_at, refund.poll_at = "done", at, None
        _count_back(payment, done_fen=refund.amount_fen, asked_fen=0)
    elif facts.status == "failed" and before != "failed":
        was_done = before == "done"
        refund.state, refund.ended_at, refund.poll_at = "failed", at, None
        _count_back(payment, done_fen=-refund.amount_fen if was_done else 0, asked_fen=-refund.amount_fen)
    tx.flush()
    if refund.state == before:
        return Applied(outcome="unchanged", payment_id=payment.id)
    if refund.state == "done":
        listener.on_refunded(tx, refund, at)
    elif refund.state == "failed":
        listener.on_refund_failed(tx, refund, at)
    return Applied(outcome="applied", payment_id=payment.id)


def fail_refund(tx: Session, payment: Payment, refund: PaymentRefund, *, listener: Listener, at: datetime) -> None:
    """End a refund that the provider refused to begin; both rows are locked by the payment's lock."""
    refund.state, refund.ended_at, refund.poll_at = "failed", at, None
    _count_back(payment, done_fen=0, asked_fen=-refund.amount_fen)
    tx.flush()
    listener.on_refund_failed(tx, refund, at)


def _refund_disagreement(payment: Payment, refund: PaymentRefund, facts: RefundFacts) -> str | None:
    agreed = {
        "livemode": facts.livemode == payment.livemode,
        "account": facts.account == payment.account,
        "currency": facts.currency == payment.currency,
        "amount": facts.amount_fen == refund.amount_fen,
        "intent": facts.intent_id == payment.intent_id,
        "refund": refund.payment_id == payment.id and refund.provider_id in {None, facts.provider_id},
    }
    return next((name for name, agrees in agreed.items() if not agrees), None)


def _count_back(payment: Payment, *, done_fen: int, asked_fen: int) -> None:
    payment.refunded_fen += done_fen
    payment.asked_back_fen += asked_fen
    if payment.refunded_fen == 0:
        payment.state = "paid"
    else:
        payment.state = "refunded" if payment.refunded_fen == payment.amount_fen else "refunded_part"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
