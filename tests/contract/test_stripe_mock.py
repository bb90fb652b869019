"""Every call of the adapter against a running stripe-mock: does the real API take these addresses and parameters?

`STRIPE_MOCK_URL=http://127.0.0.1:12111 pytest tests/contract`. Its answers are canned, so nothing is asked of them but that
they can be read.
"""

import os
from datetime import timedelta

import pytest

from market.kit.clock import now
from market.kit.ids import new_id
from market.payments.gateway import CheckoutRequest
from market.payments.stripe_gateway import StripeGateway, make_gateway

URL = os.environ.get("STRIPE_MOCK_URL")
pytestmark = pytest.mark.skipif(
    URL is None, reason="no stripe-mock: set STRIPE_MOCK_URL to the address of a running one"
)
ACCOUNT = "acct_1032D82eZvKYlo2C"


@pytest.fixture
def gateway() -> StripeGateway:
    return make_gateway(key="sk_test_123", base=str(URL), secret="whsec_1")


@pytest.fixture
def key() -> str:
    return f"contract:{new_id()}"


def test_create_checkout(gateway: StripeGateway, key: str) -> None:
    at = now()
    request = CheckoutRequest(
        payment_id=new_id(),
        account=ACCOUNT,
        title="临江家电 内购订单",
        amount_fen=23_900,
        currency="cny",
        created_at=at,
        expires_at=at + timedelta(minutes=15),
        return_url="https://card.example.org/shop/orders/1",
    )
    assert gateway.create_checkout(request, key=key).checkout_id


def test_fetch(gateway: StripeGateway) -> None:
    assert gateway.fetch("cs_test_1", account=ACCOUNT).checkout_id


def test_cancel(gateway: StripeGateway) -> None:
    gateway.cancel("cs_test_1", account=ACCOUNT)


def test_capture(gateway: StripeGateway, key: str) -> None:
    gateway.capture("pi_1", account=ACCOUNT, amount_fen=100, key=key)


def test_refund(gateway: StripeGateway, key: str) -> None:
    assert gateway.refund("pi_1", account=ACCOUNT, amount_fen=100, reference=new_id(), key=key).provider_id


def test_fetch_refund(gateway: StripeGateway) -> None:
    assert gateway.fetch_refund("re_1", account=ACCOUNT).provider_id


def test_transfer(gateway: StripeGateway, key: str) -> None:
    assert gateway.transfer(account=ACCOUNT, amount_fen=100, currency="cny", group="g", key=key).provider_id


def test_reverse(gateway: StripeGateway, key: str) -> None:
    assert gateway.reverse("tr_1", amount_fen=100, key=key).provider_id
