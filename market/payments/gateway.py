"""The port to a payment provider, in our words. Amounts are fen, instants UTC; no answer here makes an order paid by itself.

Every call takes `key`, an idempotency key made of ids of our own rows: a second call with the same key has no second effect.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from market.kit.errors import DomainError, InvalidError

CheckoutStatus: TypeAlias = Literal["open", "paid", "closed"]
RefundStatus: TypeAlias = Literal["pending", "done", "failed"]


class ProviderDownError(DomainError):
    """The provider did not answer, or not now; nothing is known of the call, and it may be tried again with its key."""

    status = 503
    code = "PROVIDER_DOWN"
    zh = "付款渠道暂时没有回应，订单保留着，系统会自动再试；请过一会儿再看。"
    en = "The payment provider does not answer at the moment. The order is kept and tried again; look again in a while."


class ProviderRefusedError(DomainError):
    """The provider refused the call for good; `reason` is its own code."""

    status = 409
    code = "PROVIDER_REFUSED"
    zh = "付款渠道拒绝了这次操作（{reason}），请联系商户或工会处理。"
    en = "The payment provider refused this ({reason}); ask the merchant or the union."


class ForgedEventError(InvalidError):
    """What was posted was not signed by the provider, or too long ago, or cannot be read."""

    status = 400
    code = "FORGED_EVENT"
    zh = "这条通知的签名不对或已过期，没有收下；请核对通知密钥和服务器时间。"
    en = "This event is not signed rightly or too old and was not taken; check the webhook secret and the server's clock."


@dataclass(frozen=True, kw_only=True)
class CheckoutRequest:
    """What a checkout is made from. `payment_id` comes back in every event as the reference."""

    payment_id: UUID
    account: str
    title: str
    amount_fen: int
    currency: str
    created_at: datetime
    expires_at: datetime
    return_url: str


@dataclass(frozen=True, kw_only=True)
class CheckoutFacts:
    """A checkout as the provider knows it. `intent_id` appears at the latest when it is paid."""

    checkout_id: str
    reference: str
    account: str | None
    livemode: bool
    status: CheckoutStatus
    amount_fen: int
    currency: str
    intent_id: str | None
    url: str | None


@dataclass(frozen=True, kw_only=True)
class RefundFacts:
    """A refund as the provider knows it; `reference` is our refund's id."""

    provider_id: str
    reference: str
    account: str | None
    livemode: bool
    status: RefundStatus
    amount_fen: int
    currency: str
    intent_id: str | None


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A verified event: `about` is None for kinds that move nothing here."""

    event_id: str
    type: str
    account: str | None
    livemode: bool
    about: CheckoutFacts | RefundFacts | None


@dataclass(frozen=True, kw_only=True)
class TransferFacts:
    """Money moved from the platform's balance to a connected account, or back."""

    provider_id: str
    account: str | None
    amount_fen: int


class PaymentGateway(Protocol):
    """A provider. Calls raise ProviderDownError (try again) or ProviderRefusedError (never try again as it is)."""

    @property
    def livemode(self) -> bool:
        """Whether real money moves."""

    def create_checkout(self, request: CheckoutRequest, *, key: str) -> CheckoutFacts:
        """Open a page where `request.amount_fen` is paid to `request.account`. The answer's `url` may be missing."""

    def fetch(self, checkout_id: str, *, account: str) -> CheckoutFacts:
        """The checkout as it stands at the provider now."""

    def cancel(self, checkout_id: str, *, account: str) -> None:
        """Close an open checkout. Raises ProviderRefusedError when it was paid or closed meanwhile: fetch it then."""

    def capture(self, intent_id: str, *, account: str, amount_fen: int, key: str) -> None:
        """Take what was only authorised."""

    def refund(self, intent_id: str, *, account: str, amount_fen: int, reference: UUID, key: str) -> RefundFacts:
        """Send back part or all of a payment. Raises ProviderRefusedError when it is more than is left of it."""

    def fetch_refund(self, provider_id: str, *, account: str) -> RefundFacts:
        """The refund as it stands at the provider now."""

    def transfer(self, *, account: str, amount_fen: int, currency: str, group: str, key: str) -> TransferFacts:
        """Move money from the platform's own balance to a connected account."""

    def reverse(self, transfer_id: str, *, amount_fen: int, key: str) -> TransferFacts:
        """Take a transfer back, in part or whole."""

    def parse_event(self, raw: bytes, signature: str) -> Notice:
        """Verify the raw body of a webhook against its signature. Raises ForgedEventError, also for an old timestamp."""

    def read_event(self, raw: bytes) -> Notice:
        """The notice in a body that was verified and stored before."""
