"""Begin, cancel and refund payments. The order of every one: our row → commit → call the provider → store what it said.

No call happens inside a transaction. A crash between call and store is harmless: the key of the call is made of our row's id,
so doing it again answers what the first call answered.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from market.kit.database import transaction
from market.kit.errors import ConflictError, NotFoundError, invariant
from market.kit.ids import new_id
from market.kit.jobs import enqueue
from market.payments.facts import (
    Listener,
    apply_facts,
    bind_checkout,
    close_payment,
    fail_refund,
    get_locked,
    lock_payment,
)
from market.payments.gateway import (
    CheckoutFacts,
    CheckoutRequest,
    PaymentGateway,
    ProviderDownError,
    ProviderRefusedError,
)
from market.payments.models import PAID, REPEATS, WAITING, Payment, PaymentRefund, PaymentState

FIRST_POLL = timedelta(seconds=60)


class RefundTooLargeError(ConflictError):
    """More was to go back than is left of the payment."""

    code = "REFUND_TOO_LARGE"
    zh = "最多还能退 {left_fen} 分，请按剩下的金额退款。"
    en = "At most {left_fen} fen of this payment can still go back; refund no more than that."


class NotPaidError(ConflictError):
    """Only what was paid can go back."""

    code = "NOT_PAID"
    zh = "这一笔还没有付款，不用退款；请取消订单。"
    en = "This was not paid, so there is nothing to send back; cancel the order instead."


class RefundKeyTakenError(ConflictError):
    """The same key asked for another refund before."""

    code = "REFUND_KEY_TAKEN"
    zh = "这个退款编号已经用于另一笔退款，请用新的编号。"
    en = "This key belongs to another refund; use a new one."


class RefundNotFailedError(ConflictError):
    """Only a refund that the provider could not send is made once more."""

    code = "REFUND_NOT_FAILED"
    zh = "这笔退款没有失败，不用再退。请刷新页面看最新情况。"
    en = "This refund has not failed, so there is nothing to repeat. Reload the page to see how it stands."


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """Where to send whoever pays. `url` is None while the provider has not told it; `state` may be past paying already."""

    payment_id: UUID
    state: PaymentState
    url: str | None


def ask_payment(
    tx: Session,
    *,
    purpose_id: UUID,
    merchant: str,
    account: str,
    title: str,
    amount_fen: int,
    livemode: bool,
    expires_at: datetime,
    return_url: str,
    at: datetime,
) -> Payment:
    """Write that `amount_fen` is to be paid for a purpose to a merchant's account; nothing is called yet.

    One payment waits for a purpose at a time: while there is one, it is the answer. The caller holds the purpose's lock.
    """
    waiting = select(Payment).where(Payment.purpose_id == purpose_id, Payment.state.in_(WAITING))
    found = tx.execute(waiting).scalars().one_or_none()
    if found is not None:
        invariant(
            (found.amount_fen, found.account) == (amount_fen, account), "a waiting payment is for the same amount"
        )
        return found
    payment = Payment(
        id=new_id(),
        purpose_id=purpose_id,
        merchant=merchant,
        account=account,
        title=title,
        amount_fen=amount_fen,
        currency="cny",
        livemode=livemode,
        state="created",
        return_url=return_url,
        created_at=at,
        expires_at=expires_at,
        asked_back_fen=0,
        refunded_fen=0,
        poll_at=at + FIRST_POLL,
        polls=0,
    )
    tx.add(payment)
    tx.flush()
    return payment


def open_payment(gateway: PaymentGateway, *, payment_id: UUID, listener: Listener, at: datetime) -> Checkout:
    """Have a checkout made for a payment that has none yet; of one that has, only say where it is.

    While the provider is down the answer has no `url`, the payment waits, and the poller tries again.
    """
    with transaction() as tx:
        payment = get_payment(tx, payment_id)
    if payment.state != "created":
        return _checkout(payment)
    try:
        facts = gateway.create_checkout(_request(payment), key=f"pay:{payment.id}")
    except ProviderDownError:
        return _checkout(payment)
    except ProviderRefusedError:
        with transaction() as tx:
            payment = lock_payment(tx, payment_id, listener=listener)
            if payment.state == "created":
                close_payment(tx, payment, as_="failed", listener=listener, at=at)
        return _checkout(payment)
    return _store(payment_id, facts)


def begin_payment(
    gateway: PaymentGateway,
    *,
    purpose_id: UUID,
    merchant: str,
    account: str,
    title: str,
    amount_fen: int,
    expires_at: datetime,
    return_url: str,
    listener: Listener,
    at: datetime,
) -> Checkout:
    """`ask_payment` in a transaction of its own, then `open_payment`."""
    with transaction() as tx:
        listener.lock(tx, purpose_id)
        payment = ask_payment(
            tx,
            purpose_id=purpose_id,
            merchant=merchant,
            account=account,
            title=title,
            amount_fen=amount_fen,
            livemode=gateway.livemode,
            expires_at=expires_at,
            return_url=return_url,
            at=at,
        )
    return open_payment(gateway, payment_id=payment.id, listener=listener, at=at)


def cancel_payment(gateway: PaymentGateway, *, payment_id: UUID, listener: Listener, at: datetime) -> PaymentState:
    """End a payment that still waits, at the provider first; the state it has afterwards, which may be `paid`.

    Raises ProviderDownError: then it still waits, and the poller cancels it once its time is over.
    """
    checkout = open_payment(gateway, payment_id=payment_id, listener=listener, at=at)
    with transaction() as tx:
        payment = get_payment(tx, payment_id)
    if payment.state == "created":  # whether a first call reached the provider is not known before it answers
        raise ProviderDownError
    if payment.state not in WAITING or payment.checkout_id is None:
        return checkout.state
    try:
        gateway.cancel(payment.checkout_id, account=payment.account)
    except ProviderRefusedError:
        return read_payment(gateway, payment_id=payment_id, listener=listener, at=at)
    with transaction() as tx:
        payment = lock_payment(tx, payment_id, listener=listener)
        if payment.state in WAITING:
            close_payment(tx, payment, as_="cancelled", listener=listener, at=at)
        return payment.state


def read_payment(gateway: PaymentGateway, *, payment_id: UUID, listener: Listener, at: datetime) -> PaymentState:
    """Ask the provider how a payment stands and believe it, as far as it agrees with our row. Raises ProviderDownError."""
    with transaction() as tx:
        payment = get_payment(tx, payment_id)
    if payment.checkout_id is None:
        return payment.state
    facts = gateway.fetch(payment.checkout_id, account=payment.account)
    with transaction() as tx:
        apply_facts(tx, facts, listener=listener, at=at)
    with transaction() as tx:
        return get_payment(tx, payment_id).state


def ask_refund(tx: Session, *, payment_id: UUID, amount_fen: int, key: str, at: datetime) -> PaymentRefund:
    """Write that part or all of a payment goes back, and have a job send it. The same key again answers the same refund.

    The caller holds the purpose's lock. Raises NotPaidError, RefundTooLargeError, RefundKeyTakenError.
    """
    invariant(amount_fen > 0, "a refund sends something back")
    payment = get_locked(tx, payment_id)
    found = tx.execute(select(PaymentRefund).where(PaymentRefund.key == key)).scalars().one_or_none()
    if found is not None:
        if (found.payment_id, found.amount_fen) != (payment_id, amount_fen):
            raise RefundKeyTakenError
        return found
    if payment.state not in PAID:
        raise NotPaidError
    if amount_fen > payment.amount_fen - payment.asked_back_fen:
        raise RefundTooLargeError(left_fen=payment.amount_fen - payment.asked_back_fen)
    payment.asked_back_fen += amount_fen
    refund = PaymentRefund(
        id=new_id(),
        payment_id=payment_id,
        key=key,
        amount_fen=amount_fen,
        state="asked",
        asked_at=at,
        poll_at=at + FIRST_POLL,
        polls=0,
    )
    tx.add(refund)
    tx.flush()
    enqueue(tx, "payments.send_refund", {"refund_id": str(refund.id)})
    return refund


def send_refund(gateway: PaymentGateway, *, refund_id: UUID, listener: Listener, at: datetime) -> None:
    """Tell the provider of a refund it does not know yet. Raises ProviderDownError: the job is then tried again."""
    with transaction() as tx:
        refund = get_refund(tx, refund_id)
        payment = get_payment(tx, refund.payment_id)
    if refund.state != "asked" or payment.intent_id is None:
        return
    try:
        facts = gateway.refund(
            payment.intent_id,
            account=payment.account,
            amount_fen=refund.amount_fen,
            reference=refund.id,
            key=f"refund:{refund.id}",
        )
    except ProviderRefusedError:
        with transaction() as tx:
            payment = lock_payment(tx, payment.id, listener=listener)
            refund = get_refund(tx, refund_id)
            if refund.state == "asked":
                fail_refund(tx, payment, refund, listener=listener, at=at)
        return
    with transaction() as tx:
        lock_payment(tx, payment.id, listener=listener)
        tx.execute(
            update(PaymentRefund)
            .where(PaymentRefund.id == refund_id, PaymentRefund.state == "asked")
            .values(state="pending", provider_id=facts.provider_id)
        )


def refund_payment(
    gateway: PaymentGateway, *, payment_id: UUID, amount_fen: int, key: str, listener: Listener, at: datetime
) -> PaymentRefund:
    """`ask_refund` in a transaction of its own, then `send_refund` at once; a provider that is down leaves it to the job."""
    with transaction() as tx:
        listener.lock(tx, _purpose_of(tx, payment_id))
        refund = ask_refund(tx, payment_id=payment_id, amount_fen=amount_fen, key=key, at=at)
    try:
        send_refund(gateway, refund_id=refund.id, listener=listener, at=at)
    except ProviderDownError:
        return refund
    with transaction() as tx:
        return get_refund(tx, refund.id)


def repeat_refund(gateway: PaymentGateway, *, refund_id: UUID, listener: Listener, at: datetime) -> PaymentRefund:
    """Ask anew for what a failed refund was to send back, once: again answers the same new refund.

    Raises NotFoundError, RefundNotFailedError, and RefundTooLargeError when so much can no longer go back.
    """
    with transaction() as tx:
        failed = get_refund(tx, refund_id)
    if failed.state != "failed":
        raise RefundNotFailedError
    return refund_payment(
        gateway,
        payment_id=failed.payment_id,
        amount_fen=failed.amount_fen,
        key=f"{REPEATS}{failed.id}",
        listener=listener,
        at=at,
    )


def get_payment(tx: Session, payment_id: UUID) -> Payment:
    """The payment as it stands. Raises NotFoundError."""
    payment = tx.get(Payment, payment_id, populate_existing=True)
    if payment is None:
        raise NotFoundError
    return payment


def get_refund(tx: Session, refund_id: UUID) -> PaymentRefund:
    """The refund as it stands. Raises NotFoundError."""
    refund = tx.get(PaymentRefund, refund_id, populate_existing=True)
    if refund is None:
        raise NotFoundError
    return refund


def _purpose_of(tx: Session, payment_id: UUID) -> UUID:
    return get_payment(tx, payment_id).purpose_id


def _request(payment: Payment) -> CheckoutRequest:
    return CheckoutRequest(
        payment_id=payment.id,
        account=payment.account,
        title=payment.title,
        amount_fen=payment.amount_fen,
        currency=payment.currency,
        created_at=payment.created_at,
        expires_at=payment.expires_at,
        return_url=payment.return_url,
    )


def _store(payment_id: UUID, facts: CheckoutFacts) -> Checkout:
    """Keep what the create call answered: ids and address, and nothing of its status."""
    with transaction() as tx:
        payment = get_locked(tx, payment_id)
        if payment.state == "created":
            bind_checkout(payment, facts)
    return _checkout(payment)


def _checkout(payment: Payment) -> Checkout:
    return Checkout(payment_id=payment.id, state=payment.state, url=payment.checkout_url)
