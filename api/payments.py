"""How the doors pay: the gateway by settings, and who listens when a payment moves."""

from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy.orm import Session

from api.identity import find_kind
from market.kit.database import transaction
from market.kit.errors import ConflictError
from market.kit.settings import get_settings
from market.payments.facts import Listener
from market.payments.gateway import PaymentGateway
from market.payments.models import Payment, PaymentRefund
from market.payments.provider import get_base, has_provider
from market.payments.stripe_gateway import make_gateway


class NoProviderError(ConflictError):
    """This installation has no payment provider, so nothing can be paid on line."""

    code = "NO_PROVIDER"
    zh = "还没有接通付款渠道，暂时不能在线付款；请联系工会。"
    en = "No payment provider is connected yet, so nothing can be paid on line; ask the union."


def get_gateway() -> PaymentGateway:
    """The gateway of this installation. Raises NoProviderError in a real one without a live key."""
    settings = get_settings()
    with transaction() as tx:
        is_demo = find_kind(tx) == "demo"
    if not has_provider(settings, is_demo=is_demo):
        raise NoProviderError
    return _make(
        settings.stripe_key.get_secret_value(), get_base(settings), settings.stripe_webhook_secret.get_secret_value()
    )


@lru_cache
def _make(key: str, base: str, secret: str) -> PaymentGateway:
    return make_gateway(key=key, base=base, secret=secret)


def _pass_over(_tx: Session, _moved: UUID | Payment | PaymentRefund, _at: datetime | None = None) -> None:
    """Nothing is sold on line yet, so nobody is told."""


LISTENER = Listener(
    lock=_pass_over,
    on_paid=_pass_over,
    on_closed=_pass_over,
    on_refunded=_pass_over,
    on_refund_failed=_pass_over,
)
