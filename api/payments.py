"""How the doors pay: the gateway by settings."""

from functools import lru_cache

from api.identity import find_kind
from market.kit.database import transaction
from market.kit.errors import ConflictError
from market.kit.settings import get_settings
from market.payments.gateway import PaymentGateway
from market.payments.provider import get_base, has_provider
from market.payments.stripe_gateway import make_gateway


class NoProviderError(ConflictError):
    """This installation has no payment provider, so nothing can be paid on line."""

    code = "NO_PROVIDER"
    zh = "还没有接通付款渠道，暂时不能在线付款；请联系工会。"
    en = "No payment provider is connected yet, so nothing can be paid on line; ask the union."


def get_gateway() -> PaymentGateway:
    """The gateway of this installation. Raises NoProviderError in a real one without a live key."""
    gateway = find_gateway()
    if gateway is None:
        raise NoProviderError
    return gateway


def find_gateway() -> PaymentGateway | None:
    """The gateway of this installation; None in a real one without a live key."""
    settings = get_settings()
    with transaction() as tx:
        is_demo = find_kind(tx) == "demo"
    if not has_provider(settings, is_demo=is_demo):
        return None
    return _make(
        settings.stripe_key.get_secret_value(), get_base(settings), settings.stripe_webhook_secret.get_secret_value()
    )


@lru_cache
def _make(key: str, base: str, secret: str) -> PaymentGateway:
    return make_gateway(key=key, base=base, secret=secret)
