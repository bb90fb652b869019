"""Which provider an installation talks to, and what is refused at start-up."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from market.kit.settings import DEMO_STRIPE_KEY, DEMO_STRIPE_SECRET, Settings

STRIPE_HOST = "api.stripe.com"


def find_provider_faults(settings: Settings, *, is_real: bool) -> list[str]:
    """Why these settings must not be used to move money; each sentence says what to change. Empty when they may."""
    key, secret = settings.stripe_key.get_secret_value(), settings.stripe_webhook_secret.get_secret_value()
    base = urlsplit(get_base(settings))
    is_live = key.startswith(("sk_live_", "rk_live_"))
    faults = []
    if is_live and (base.scheme, base.hostname, base.port) != ("https", STRIPE_HOST, None):
        faults.append("A live key goes to Stripe only: unset HUIGONG_STRIPE_BASE, or use a test key.")
    if base.scheme != "https" and not (base.scheme == "http" and _is_loopback(base.hostname or "")):
        faults.append("HUIGONG_STRIPE_BASE must be https: plain http is for addresses on this machine.")
    if not is_real and is_live:
        faults.append("A demo moves no real money: use a test key in HUIGONG_STRIPE_KEY, or none.")
    if is_real and key != DEMO_STRIPE_KEY and not is_live:
        faults.append("A real installation takes a live key in HUIGONG_STRIPE_KEY, or none.")
    if is_real and settings.stripe_base is not None and key == DEMO_STRIPE_KEY:
        faults.append("A real installation has no sandbox: unset HUIGONG_STRIPE_BASE.")
    if is_live and secret == DEMO_STRIPE_SECRET:
        faults.append("Set HUIGONG_STRIPE_WEBHOOK_SECRET to the signing secret of your webhook endpoint.")
    return faults


def get_base(settings: Settings) -> str:
    """Where the provider listens: as the operator says; else Stripe for a live key, the sandbox for any other."""
    if settings.stripe_base is not None:
        return settings.stripe_base.rstrip("/")
    if settings.stripe_key.get_secret_value() != DEMO_STRIPE_KEY:
        return f"https://{STRIPE_HOST}"
    return f"http://127.0.0.1:{settings.sandbox_port}"


def get_pay_origin(settings: Settings) -> str:
    """Where the pages stand on which one pays; a form of ours may lead there."""
    base = get_base(settings)
    return "https://checkout.stripe.com" if base == f"https://{STRIPE_HOST}" else base


def has_sandbox(settings: Settings, *, is_demo: bool) -> bool:
    """Whether `huigong run` brings the sandbox: in a demo that is told of no other provider."""
    return is_demo and settings.stripe_base is None and settings.stripe_key.get_secret_value() == DEMO_STRIPE_KEY


def has_provider(settings: Settings, *, is_demo: bool) -> bool:
    """Whether there is anybody to pay through; a real installation without a live key sells nothing on line."""
    return is_demo or settings.stripe_key.get_secret_value() != DEMO_STRIPE_KEY


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
