"""The sandbox by itself, through the real SDK: it keeps its books as Stripe would, and refuses what Stripe would."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import pytest
import stripe
from sqlalchemy import text

from market.payments.sandbox.store import Knobs, add_event, set_knobs
from tests.db.payments.conftest import ACCOUNT, KEY, Shop
from tests.world import NOON


@pytest.fixture
def client(shop: Shop) -> stripe.StripeClient:
    return shop.gateway.client


HERE = {"stripe_account": ACCOUNT}


def test_the_same_key_is_one_call_and_other_parameters_are_refused(client: stripe.StripeClient, shop: Shop) -> None:
    def create(amount: int, key: str = "k1", account: str = ACCOUNT) -> str:
        options = {"stripe_account": account, "idempotency_key": key}
        return client.v1.payment_intents.create(params={"amount": amount, "currency": "cny"}, options=options).id

    first = create(100)
    assert create(100) == first
    assert create(100, "k2") != first
    assert create(100, account="acct_other") != first
    with pytest.raises(stripe.IdempotencyError) as refused:
        create(101)
    assert refused.value.http_status == 400


def test_an_intent_is_confirmed_captured_and_cancelled_by_its_states(client: stripe.StripeClient) -> None:
    intents = client.v1.payment_intents
    held = intents.create(
        params={
            "amount": 500,
            "currency": "cny",
            "capture_method": "manual",
            "confirm": True,
            "payment_method": "pm_card_visa",
        },
        options=HERE,
    )
    assert (held.status, held.amount_capturable) == ("requires_capture", 500)
    with pytest.raises(stripe.InvalidRequestError, match="larger"):
        intents.capture(held.id, params={"amount_to_capture": 501}, options=HERE)
    taken = intents.capture(held.id, params={"amount_to_capture": 400}, options=HERE)
    assert (taken.status, taken.amount_received) == ("succeeded", 400)
    with pytest.raises(stripe.InvalidRequestError, match="cannot cancel"):
        intents.cancel(held.id, options=HERE)
    other = intents.create(params={"amount": 500, "currency": "cny"}, options=HERE)
    assert intents.cancel(other.id, options=HERE).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        client.v1.refunds.create(params={"payment_intent": held.id, "amount": 401}, options=HERE)


def test_a_declined_card_is_an_error_that_is_kept(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(params={"amount": 500, "currency": "cny"}, options=HERE)
    with pytest.raises(stripe.CardError) as refused:
        client.v1.payment_intents.confirm(intent.id, params={"payment_method": "pm_card_chargeDeclined"}, options=HERE)
    assert (refused.value.code, refused.value.http_status) == ("card_declined", 402)
    found = client.v1.payment_intents.retrieve(intent.id, options=HERE)
    assert found.status == "requires_payment_method"
    assert found.last_payment_error is not None


def test_money_is_transferred_and_taken_back_never_more(client: stripe.StripeClient, shop: Shop) -> None:
    made = shop.gateway.transfer(account=ACCOUNT, amount_fen=1_000, currency="cny", group="g1", key="t1")
    assert shop.gateway.transfer(account=ACCOUNT, amount_fen=1_000, currency="cny", group="g1", key="t1") == made
    assert shop.gateway.reverse(made.provider_id, amount_fen=400, key="v1").amount_fen == 400
    with pytest.raises(stripe.InvalidRequestError, match="greater than unreversed"):
        client.v1.transfers.reversals.create(made.provider_id, params={"amount": 601})
    assert client.v1.transfers.retrieve(made.provider_id).amount_reversed == 400


def test_an_account_sees_its_own_things_only(client: stripe.StripeClient, shop: Shop) -> None:
    checkout = shop.payment(shop.begin()).checkout_id
    assert checkout is not None
    assert client.v1.checkout.sessions.retrieve(checkout, options=HERE).amount_total == 23_900
    assert client.v1.checkout.sessions.line_items.list(checkout, options=HERE).data[0].quantity == 1
    for options in ({"stripe_account": "acct_other"}, {}):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.checkout.sessions.retrieve(checkout, options=options)
        assert refused.value.http_status == 404


def test_accounts_are_made_or_simply_there(client: stripe.StripeClient) -> None:
    made = client.v1.accounts.create(params={"type": "standard", "country": "CN"})
    assert client.v1.accounts.retrieve(made.id).id == made.id
    assert client.v1.accounts.retrieve("acct_named_by_somebody").charges_enabled


def test_what_does_not_exist_is_refused_in_stripes_shape(client: stripe.StripeClient, shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: colour"):
        client.v1.payment_intents.create(params={"amount": 1, "currency": "cny", "colour": "red"})  # type: ignore[typeddict-unknown-key]
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param: amount"):
        client.v1.payment_intents.create(params={"currency": "cny"})  # type: ignore[typeddict-item]
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        client.v1.customers.create()
    with pytest.raises(stripe.AuthenticationError):
        stripe.StripeClient("sk_test_other", base_addresses={"api": shop.base}).v1.balance.retrieve()
    for amount in ("0", "-5", "1.5", "1e3", "9" * 30, ""):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.payment_intents.create(params={"amount": amount, "currency": "cny"})  # type: ignore[typeddict-item]


def test_a_checkout_lives_between_half_an_hour_and_a_day(client: stripe.StripeClient, shop: Shop) -> None:
    for minutes in (29, 24 * 60 + 1):
        with pytest.raises(stripe.InvalidRequestError, match="between 30 minutes and 24 hours"):
            client.v1.checkout.sessions.create(
                params={
                    "mode": "payment",
                    "success_url": "http://127.0.0.1:1/",
                    "expires_at": int(shop.clock().timestamp()) + minutes * 60,
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {"currency": "cny", "unit_amount": 5, "product_data": {"name": "米"}},
                        }
                    ],
                },
                options=HERE,
            )


def test_events_can_be_read_back(client: stripe.StripeClient, shop: Shop) -> None:
    shop.paid()
    found = client.v1.events.list(options=HERE)
    assert {event.type for event in found.data} >= {"checkout.session.completed", "payment_intent.succeeded"}
    assert client.v1.events.retrieve(found.data[0].id, options=HERE).account == ACCOUNT


def test_the_knobs_are_turned_with_the_key_only(shop: Shop) -> None:
    address, auth = f"{shop.base}/sandbox/knobs", {"authorization": f"Bearer {KEY}"}
    assert httpx.post(address, json={"lose_percent": 5}).status_code == 401
    turned = httpx.post(address, json={"lose_percent": 5}, headers=auth)
    assert turned.json()["lose_percent"] == 5
    assert httpx.get(address, headers=auth).json() == turned.json()
    for wrong in ({"colour": 1}, {"delay_ms": -1}, {"delay_ms": "1"}, [], "x"):
        assert httpx.post(address, json=wrong, headers=auth).status_code == 400


def test_lost_events_are_written_and_never_sent(shop: Shop) -> None:
    shop.turn(lose_percent=100)
    shop.visit(shop.begin())
    shop.settle()
    with shop.engine.connect() as tx:
        states = tx.execute(text("SELECT DISTINCT lost, sent_at, tries FROM sandbox.event")).all()
    assert [tuple(state) for state in states] == [(True, None, 0)]


def test_with_a_seed_events_fare_the_same_again(shop: Shop) -> None:
    def fares(seed: int) -> Sequence[object]:
        with shop.engine.connect() as tx:  # rolled back at the end
            set_knobs(tx, Knobs(duplicate_percent=50, lose_percent=50, delay_ms=50_000, seed=seed))
            tx.execute(text("ALTER SEQUENCE sandbox.event_number_seq RESTART"))
            for _ in range(20):
                add_event(tx, ACCOUNT, "x", {}, at=NOON)
            return tx.execute(text("SELECT lost, copies, due FROM sandbox.event ORDER BY number")).all()

    assert fares(7) == fares(7)
    assert fares(7) != fares(8)
    assert fares(0) != fares(0)


def test_the_pay_page_speaks_both_languages_and_keeps_to_a_strict_policy(shop: Shop) -> None:
    url = shop.payment(shop.begin()).checkout_url
    assert url is not None
    page = httpx.get(url)
    assert "这是演示付款，不动真钱" in page.text
    assert "no real money moves" in httpx.get(url, headers={"accept-language": "en"}).text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:1" in policy
    assert httpx.get(f"{shop.base}/pay/cs_test_none").status_code == 404


def test_many_who_pay_one_checkout_at_once_pay_it_once(shop: Shop) -> None:
    payment_id = shop.begin()
    url = shop.payment(payment_id).checkout_url
    assert url is not None
    token = re.search('name="csrf_token" value="([^"]+)"', httpx.get(url).text)
    assert token is not None
    with ThreadPoolExecutor(5) as pool:
        form = {"method": "alipay", "csrf_token": token[1]}
        answers = list(pool.map(lambda _: httpx.post(url, data=form).status_code, range(5)))
    assert sorted(answers) == [200, 200, 200, 200, 303]
    with shop.engine.connect() as tx:
        assert tx.scalar(text("SELECT count(*) FROM sandbox.object WHERE kind = 'charge'")) == 1
