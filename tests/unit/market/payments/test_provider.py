"""Which keys may be sent where: settled before anything starts."""

import pytest
from pydantic import SecretStr

from market.kit.settings import Settings
from market.payments.provider import find_provider_faults, get_base, get_pay_origin, has_provider, has_sandbox

LIVE, TEST = "sk_live_1", "sk_test_1"


def settings(**values: str | None) -> Settings:
    secrets = {name: SecretStr(value) if name != "stripe_base" and value else value for name, value in values.items()}
    return Settings(_env_file=None, **secrets)  # type: ignore[arg-type,call-arg]


@pytest.mark.parametrize(
    ("is_real", "values"),
    [
        (False, {}),
        (True, {}),
        (False, {"stripe_key": TEST}),
        (False, {"stripe_key": TEST, "stripe_base": "http://127.0.0.1:12111"}),
        (False, {"stripe_base": "http://localhost:8008"}),
        (False, {"stripe_base": "http://[::1]:8008"}),
        (False, {"stripe_key": TEST, "stripe_base": "https://mock.example.org"}),
        (True, {"stripe_key": LIVE, "stripe_webhook_secret": "whsec_1"}),
        (True, {"stripe_key": "rk_live_1", "stripe_webhook_secret": "whsec_1"}),
        (True, {"stripe_key": LIVE, "stripe_webhook_secret": "whsec_1", "stripe_base": "https://api.stripe.com"}),
    ],
)
def test_these_may_be_used(is_real: bool, values: dict[str, str]) -> None:  # noqa: FBT001
    assert find_provider_faults(settings(**values), is_real=is_real) == []


@pytest.mark.parametrize(
    ("is_real", "values", "what"),
    [
        (True, {"stripe_key": LIVE, "stripe_base": "https://api.stripe.com.evil.example"}, "live key goes to Stripe"),
        (True, {"stripe_key": LIVE, "stripe_base": "https://api.stripe.com:444"}, "live key goes to Stripe"),
        (True, {"stripe_key": LIVE, "stripe_base": "http://api.stripe.com"}, "live key goes to Stripe"),
        (True, {"stripe_key": "rk_live_1", "stripe_base": "http://127.0.0.1:1"}, "live key goes to Stripe"),
        (False, {"stripe_key": TEST, "stripe_base": "http://10.0.0.5:12111"}, "must be https"),
        (False, {"stripe_key": TEST, "stripe_base": "http://127.0.0.1.example"}, "must be https"),
        (False, {"stripe_key": TEST, "stripe_base": "ftp://127.0.0.1"}, "must be https"),
        (False, {"stripe_key": TEST, "stripe_base": "127.0.0.1:12111"}, "must be https"),
        (False, {"stripe_key": LIVE}, "demo moves no real money"),
        (True, {"stripe_key": TEST}, "takes a live key"),
        (True, {"stripe_base": "http://127.0.0.1:8008"}, "has no sandbox"),
        (True, {"stripe_key": LIVE}, "WEBHOOK_SECRET"),
    ],
)
def test_these_are_refused(is_real: bool, values: dict[str, str], what: str) -> None:  # noqa: FBT001
    assert any(what in fault for fault in find_provider_faults(settings(**values), is_real=is_real))


def test_the_sandbox_stands_in_where_nobody_else_was_named() -> None:
    assert get_base(settings()) == "http://127.0.0.1:8008"
    assert get_base(settings(stripe_key=LIVE)) == "https://api.stripe.com"
    assert get_base(settings(stripe_base="http://127.0.0.1:1/")) == "http://127.0.0.1:1"
    assert get_pay_origin(settings()) == "http://127.0.0.1:8008"
    assert get_pay_origin(settings(stripe_key=LIVE)) == "https://checkout.stripe.com"
    assert has_sandbox(settings(), is_demo=True)
    assert not has_sandbox(settings(), is_demo=False)
    assert not has_sandbox(settings(stripe_key=TEST), is_demo=True)
    assert (has_provider(settings(), is_demo=True), has_provider(settings(), is_demo=False)) == (True, False)
    assert has_provider(settings(stripe_key=LIVE), is_demo=False)
