"""The port on Stripe's own SDK, or on whatever speaks its dialect at the base address: Stripe, stripe-mock, our sandbox.

The only place that knows Stripe's words. Rules learnt by trying the SDK: it retries and times out only when told to; what a
create call answers about status and address may be canned, so nothing here needs it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import stripe
import structlog

from market.payments.gateway import (
    CheckoutFacts,
    CheckoutRequest,
    CheckoutStatus,
    ForgedEventError,
    Notice,
    ProviderDownError,
    ProviderRefusedError,
    RefundFacts,
    RefundStatus,
    TransferFacts,
)

STRIPE = "https://api.stripe.com"
TIMEOUT_SECONDS = (3, 15)  # to connect, to answer; the SDK's own is 80
RETRIES = 2
TOLERANCE_SECONDS = 300
SHORTEST = timedelta(minutes=31)  # Stripe takes no checkout that would live less than 30 minutes
REFUND_STATUS: Mapping[str, RefundStatus] = {
    "succeeded": "done",
    "pending": "pending",
    "requires_action": "pending",
    "failed": "failed",
    "canceled": "failed",
}

log = structlog.get_logger("huigong.payments")
T = TypeVar("T")


@dataclass(frozen=True)
class StripeGateway:
    """`PaymentGateway` over one `StripeClient`; `secret` signs the webhooks, `retries` is for calls that were not answered."""

    client: stripe.StripeClient
    secret: str
    livemode: bool

    def create_checkout(self, request: CheckoutRequest, *, key: str) -> CheckoutFacts:
        """A Checkout Session as a direct charge: on the merchant's own account."""
        reference = str(request.payment_id)
        with _translated():
            session = self.client.v1.checkout.sessions.create(
                params={
                    "mode": "payment",
                    "client_reference_id": reference,
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": request.currency,
                                "unit_amount": request.amount_fen,
                                "product_data": {"name": request.title},
                            },
                        }
                    ],
                    "payment_method_options": {"wechat_pay": {"client": "web"}},
                    "payment_intent_data": {"metadata": {"payment_id": reference}},
                    "metadata": {"payment_id": reference},
                    "expires_at": int(max(request.expires_at, request.created_at + SHORTEST).timestamp()),
                    "success_url": request.return_url,
                    "cancel_url": request.return_url,
                },
                options={"stripe_account": request.account, "idempotency_key": key},
            )
            return _checkout(session.to_dict(), account=request.account)

    def fetch(self, checkout_id: str, *, account: str) -> CheckoutFacts:
        """The session with its intent, whose status tells a payment that failed late from one that is on its way."""
        with _translated():
            session = self.client.v1.checkout.sessions.retrieve(
                checkout_id, params={"expand": ["payment_intent"]}, options={"stripe_account": account}
            )
            return _checkout(session.to_dict(), account=account)

    def cancel(self, checkout_id: str, *, account: str) -> None:
        """Expire the session."""
        with _translated():
            self.client.v1.checkout.sessions.expire(checkout_id, options={"stripe_account": account})

    def capture(self, intent_id: str, *, account: str, amount_fen: int, key: str) -> None:
        """Capture the intent."""
        with _translated():
            self.client.v1.payment_intents.capture(
                intent_id,
                params={"amount_to_capture": amount_fen},
                options={"stripe_account": account, "idempotency_key": key},
            )

    def refund(self, intent_id: str, *, account: str, amount_fen: int, reference: UUID, key: str) -> RefundFacts:
        """Refund on the merchant's account."""
        with _translated():
            refund = self.client.v1.refunds.create(
                params={
                    "payment_intent": intent_id,
                    "amount": amount_fen,
                    "metadata": {"refund_id": str(reference)},
                },
                options={"stripe_account": account, "idempotency_key": key},
            )
            return _refund(refund.to_dict(), account=account, livemode=self.livemode)

    def fetch_refund(self, provider_id: str, *, account: str) -> RefundFacts:
        """Retrieve the refund; Stripe's refunds carry no live mode of their own, so it is that of our key."""
        with _translated():
            refund = self.client.v1.refunds.retrieve(provider_id, options={"stripe_account": account})
            return _refund(refund.to_dict(), account=account, livemode=self.livemode)

    def transfer(self, *, account: str, amount_fen: int, currency: str, group: str, key: str) -> TransferFacts:
        """Transfer from the platform's balance."""
        with _translated():
            made = self.client.v1.transfers.create(
                params={
                    "amount": amount_fen,
                    "currency": currency,
                    "destination": account,
                    "transfer_group": group,
                },
                options={"idempotency_key": key},
            )
            return TransferFacts(provider_id=made.id, account=account, amount_fen=made.amount)

    def reverse(self, transfer_id: str, *, amount_fen: int, key: str) -> TransferFacts:
        """Reverse a transfer."""
        with _translated():
            made = self.client.v1.transfers.reversals.create(
                transfer_id, params={"amount": amount_fen}, options={"idempotency_key": key}
            )
            return TransferFacts(provider_id=made.id, account=None, amount_fen=made.amount)

    def parse_event(self, raw: bytes, signature: str) -> Notice:
        """Verify by the SDK, on the raw body, with its tolerance of 300 seconds; then read."""
        try:
            stripe.WebhookSignature.verify_header(raw.decode(), signature, self.secret, TOLERANCE_SECONDS)
            return self.read_event(raw)
        except (stripe.SignatureVerificationError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise ForgedEventError from error

    def read_event(self, raw: bytes) -> Notice:
        """The kinds that move something; every other has nothing it is `about`."""
        event = json.loads(raw)
        account, livemode, found = event.get("account"), event["livemode"], event["data"]["object"]
        if found.get("livemode", livemode) is not livemode:
            raise ForgedEventError
        read = READERS.get(event["type"])
        return Notice(
            event_id=str(event["id"]),
            type=str(event["type"]),
            account=account,
            livemode=livemode,
            about=read(found, account, livemode) if read else None,
        )


def make_gateway(*, key: str, base: str, secret: str) -> StripeGateway:
    """A gateway by settings; `check_provider` has said before that they are safe together."""
    client = stripe.StripeClient(
        key,
        base_addresses={"api": base, "connect": base, "files": base, "meter_events": base},
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
    )
    return StripeGateway(client=client, secret=secret, livemode=key.startswith(("sk_live_", "rk_live_")))


@contextmanager
def _translated() -> Iterator[None]:
    """Stripe's errors in our two kinds: try again, or never try this again."""
    try:
        yield
    except stripe.IdempotencyError as error:
        if error.http_status == 409:  # the first call with this key is still being worked on
            raise ProviderDownError from error
        raise ProviderRefusedError(reason=error.code or "idempotency") from error
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise ProviderDownError from error
    except stripe.AuthenticationError as error:  # the operator's to mend: whoever pays can only wait
        log.exception("the payment provider does not take our key")
        raise ProviderDownError from error
    except stripe.StripeError as error:
        if error.http_status is None or error.http_status >= 500 or error.http_status in {409, 429}:
            raise ProviderDownError from error
        raise ProviderRefusedError(reason=error.code or str(error.http_status)) from error


def _checkout(session: Mapping[str, Any], *, account: str | None) -> CheckoutFacts:
    intent = session.get("payment_intent")
    return CheckoutFacts(
        checkout_id=session["id"],
        reference=session.get("client_reference_id") or "",
        account=account,
        livemode=session["livemode"],
        status=_status(session, intent if isinstance(intent, Mapping) else {}),
        amount_fen=session["amount_total"],
        currency=session["currency"],
        intent_id=intent["id"] if isinstance(intent, Mapping) else intent,
        url=session.get("url"),
    )


def _status(session: Mapping[str, Any], intent: Mapping[str, Any]) -> CheckoutStatus:
    """`complete` but unpaid is a payment on its way, until its intent wants another method or is cancelled."""
    if session.get("payment_status") == "paid":
        return "paid"
    if session.get("status") == "expired":
        return "closed"
    ended = session.get("status") == "complete" and intent.get("status") in {"requires_payment_method", "canceled"}
    return "closed" if ended else "open"


def _refund(refund: Mapping[str, Any], *, account: str | None, livemode: bool) -> RefundFacts:
    intent = refund.get("payment_intent")
    return RefundFacts(
        provider_id=refund["id"],
        reference=(refund.get("metadata") or {}).get("refund_id", ""),
        account=account,
        livemode=livemode,
        status=REFUND_STATUS.get(refund.get("status") or "pending", "pending"),
        amount_fen=refund["amount"],
        currency=refund["currency"],
        intent_id=intent["id"] if isinstance(intent, Mapping) else intent,
    )


def _read_checkout(found: Mapping[str, Any], account: str | None, _livemode: object) -> CheckoutFacts:
    return _checkout(found, account=account)


def _read_failed(found: Mapping[str, Any], account: str | None, _livemode: object) -> CheckoutFacts:
    return _checkout({**found, "status": "expired"}, account=account)


def _read_refund(found: Mapping[str, Any], account: str | None, livemode: object) -> RefundFacts:
    return _refund(found, account=account, livemode=bool(livemode))


# What a kind of event tells; all others are kept and move nothing.
READERS: Mapping[str, Callable[[Mapping[str, Any], str | None, object], CheckoutFacts | RefundFacts]] = {
    "checkout.session.completed": _read_checkout,
    "checkout.session.async_payment_succeeded": _read_checkout,
    "checkout.session.async_payment_failed": _read_failed,
    "checkout.session.expired": _read_checkout,
    "refund.created": _read_refund,
    "refund.updated": _read_refund,
    "refund.failed": _read_refund,
}
