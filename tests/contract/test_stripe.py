"""Every call of the adapter against Stripe's published description of it, and against a running stripe-mock where there is one.

`STRIPE_MOCK_URL=http://127.0.0.1:12111 pytest tests/contract`. Answers are canned either way, so nothing is asked of them but that
they can be read.
"""

import os
from collections.abc import Iterator
from datetime import timedelta

import pytest

from market.kit.clock import now
from market.kit.ids import new_id
from market.payments.gateway import CheckoutRequest, ProviderRefusedError
from market.payments.stripe_gateway import StripeGateway, make_gateway
from tests.contract.described import answerer, problem_of

URL = os.environ.get("STRIPE_MOCK_URL")
NO_MOCK = pytest.mark.skipif(URL is None, reason="no stripe-mock: set STRIPE_MOCK_URL to the address of a running one")
ACCOUNT = "acct_1032D82eZvKYlo2C"


@pytest.fixture(params=["description", pytest.param("stripe-mock", marks=NO_MOCK)])
def gateway(request: pytest.FixtureRequest) -> Iterator[StripeGateway]:
    if request.param == "stripe-mock":
        yield make_gateway(key="sk_test_123", base=str(URL), secret="whsec_1")
        return
    with answerer() as base:
        yield make_gateway(key="sk_test_123", base=base, secret="whsec_1")


@pytest.fixture
def key() -> str:
    return f"contract:{new_id()}"


def checkout(title: str) -> CheckoutRequest:
    at = now()
    return CheckoutRequest(
        payment_id=new_id(),
        account=ACCOUNT,
        title=title,
        amount_fen=23_900,
        currency="cny",
        created_at=at,
        expires_at=at + timedelta(minutes=15),
        return_url="https://card.example.org/shop/orders/1",
    )


def test_create_checkout(gateway: StripeGateway, key: str) -> None:
    assert gateway.create_checkout(checkout("临江家电 内购订单"), key=key).checkout_id


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


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/v1/refunds", "payment_intent=pi_1&amount=1&colour=red"),
        ("/v1/refunds", "payment_intent=pi_1&amount=one"),
        ("/v1/transfers", "amount=100&currency=cny"),
        ("/v1/checkout/sessions", "mode=payment&line_items[0][price_data][unit_amount]=1"),
        ("/v1/checkout/sessions", "mode=gift"),
        ("/v1/checkout/sessions", "payment_method_options[wechat_pay][client]=watch"),
        ("/v1/gifts", "amount=1"),
    ],
)
def test_the_description_refuses_what_is_not_in_it(path: str, form: str) -> None:
    assert problem_of("POST", path, "", form)[1]


def test_a_refusal_of_the_description_reaches_the_caller(key: str) -> None:
    with answerer() as base, pytest.raises(ProviderRefusedError):
        make_gateway(key="sk_test_123", base=base, secret="whsec_1").create_checkout(checkout("订" * 6_000), key=key)
