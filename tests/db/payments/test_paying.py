"""Paying at the sandbox with the real SDK: a payment is paid by a signed event or a retrieve, and by nothing else."""

from datetime import timedelta

import httpx2 as httpx
import pytest

from market.kit.clock import now
from market.kit.database import transaction
from market.kit.ids import new_id
from market.payments.gateway import ProviderDownError
from market.payments.operations import ask_refund, cancel_payment, open_payment, read_payment
from market.payments.polling import poll_due
from market.payments.stripe_gateway import make_gateway
from tests.db.payments.conftest import DECLINED, EMPTY, KEY, SECRET, UNIONPAY, Shop, free_port


@pytest.mark.parametrize(("method", "card"), [("wechat_pay", ""), ("alipay", ""), ("card", UNIONPAY)])
def test_a_payment_is_paid_by_the_event_not_by_the_return(shop: Shop, method: str, card: str) -> None:
    payment_id = shop.begin()
    assert shop.payment(payment_id).state == "open"
    answer = shop.visit(payment_id, method, card)
    assert (answer.status_code, answer.headers["location"]) == (303, "http://127.0.0.1:1/orders")
    assert shop.payment(payment_id).state == "open"
    shop.settle()
    payment = shop.payment(payment_id)
    assert (payment.state, payment.poll_at) == ("paid", None)
    assert payment.intent_id is not None
    assert shop.told == [("paid", payment_id)]


@pytest.mark.parametrize("card", [DECLINED, EMPTY, "1234"])
def test_a_declined_card_takes_nothing_and_another_way_still_pays(shop: Shop, card: str) -> None:
    payment_id = shop.begin()
    assert shop.visit(payment_id, "card", card).status_code == 402
    shop.settle()
    assert shop.payment(payment_id).state == "open"
    assert shop.visit(payment_id, "alipay").status_code == 303
    shop.settle()
    assert shop.payment(payment_id).state == "paid"
    assert shop.told == [("paid", payment_id)]


def test_pressing_pay_twice_pays_once(shop: Shop) -> None:
    payment_id = shop.begin()
    shop.visit(payment_id)
    url = shop.payment(payment_id).checkout_url
    assert url is not None
    page = httpx.get(url)
    assert "已付款" in page.text
    assert httpx.post(url, data={"method": "alipay"}).status_code == 200
    shop.settle()
    assert shop.outcomes("checkout.session.completed") == ["applied"]


def test_a_form_from_elsewhere_pays_nothing(shop: Shop) -> None:
    payment_id = shop.begin()
    url = shop.payment(payment_id).checkout_url
    assert url is not None
    assert httpx.post(url, data={"method": "alipay", "csrf_token": "guessed"}).status_code == 200
    shop.settle()
    assert shop.payment(payment_id).state == "open"


def test_one_payment_waits_for_a_purpose_at_a_time(shop: Shop) -> None:
    purpose = new_id()
    first, second = shop.begin(purpose_id=purpose), shop.begin(purpose_id=purpose)
    assert first == second
    cancel_payment(shop.gateway, payment_id=first, listener=shop.listener, at=now())
    assert shop.begin(purpose_id=purpose) != first


def test_a_cancelled_payment_cannot_be_paid_any_more(shop: Shop) -> None:
    payment_id = shop.begin()
    assert cancel_payment(shop.gateway, payment_id=payment_id, listener=shop.listener, at=now()) == "cancelled"
    url = shop.payment(payment_id).checkout_url
    assert url is not None
    assert "付款时间已过" in httpx.get(url).text
    shop.settle()
    assert shop.told == [("closed", payment_id)]
    assert cancel_payment(shop.gateway, payment_id=payment_id, listener=shop.listener, at=now()) == "cancelled"


def test_cancelling_what_was_paid_meanwhile_finds_it_paid(shop: Shop) -> None:
    shop.turn(lose_percent=100)
    payment_id = shop.begin()
    shop.visit(payment_id)
    assert cancel_payment(shop.gateway, payment_id=payment_id, listener=shop.listener, at=now()) == "paid"
    assert shop.told == [("paid", payment_id)]


def test_the_providers_clock_closes_a_payment(shop: Shop) -> None:
    payment_id = shop.begin()
    shop.clock.ahead = timedelta(minutes=32)
    shop.settle()
    assert shop.payment(payment_id).state == "failed"
    assert shop.told == [("closed", payment_id)]


def test_the_poller_finds_what_no_event_told(shop: Shop) -> None:
    shop.turn(lose_percent=100)
    payment_id = shop.begin()
    shop.visit(payment_id)
    shop.settle()
    assert shop.payment(payment_id).state == "open"
    assert poll_due(shop.gateway, listener=shop.listener, at=now()) == 0
    assert poll_due(shop.gateway, listener=shop.listener, at=now() + timedelta(seconds=61)) == 1
    assert shop.payment(payment_id).state == "paid"
    assert poll_due(shop.gateway, listener=shop.listener, at=now() + timedelta(days=1)) == 0


def test_the_poller_ends_a_payment_whose_time_is_over(shop: Shop) -> None:
    payment_id = shop.begin(minutes=15)
    for minute in (1, 3, 7, 15):
        poll_due(shop.gateway, listener=shop.listener, at=now() + timedelta(minutes=minute, seconds=2))
    assert shop.payment(payment_id).state == "cancelled"
    assert shop.told == [("closed", payment_id)]


def test_while_the_provider_is_down_the_payment_waits_and_is_completed_later(shop: Shop) -> None:
    up = shop.gateway
    shop.gateway = make_gateway(key=KEY, base=f"http://127.0.0.1:{free_port()}", secret=SECRET)
    payment_id = shop.begin()
    payment = shop.payment(payment_id)
    assert (payment.state, payment.checkout_url) == ("created", None)
    with pytest.raises(ProviderDownError):
        cancel_payment(shop.gateway, payment_id=payment_id, listener=shop.listener, at=now())
    assert poll_due(shop.gateway, listener=shop.listener, at=now() + timedelta(seconds=61)) == 0
    shop.gateway = up
    assert poll_due(up, listener=shop.listener, at=now() + timedelta(minutes=5)) == 1
    assert shop.visit(payment_id).status_code == 303
    shop.settle()
    assert shop.payment(payment_id).state == "paid"


def test_a_crash_before_the_answer_was_stored_opens_no_second_checkout(shop: Shop) -> None:
    payment_id = shop.begin()
    first = shop.payment(payment_id).checkout_id
    again = open_payment(shop.gateway, payment_id=payment_id, listener=shop.listener, at=now())
    with shop.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sandbox.call").scalar() == 1
    assert again.url == shop.payment(payment_id).checkout_url
    assert first == shop.payment(payment_id).checkout_id


def test_a_late_payment_goes_back_by_whoever_listens(shop: Shop) -> None:
    """The purpose is over when the money comes: the listener asks for the refund in the same transaction."""
    shop.on_paid = lambda tx, payment, at: ask_refund(
        tx, payment_id=payment.id, amount_fen=payment.amount_fen, key=f"late:{payment.id}", at=at
    )
    payment_id = shop.begin()
    shop.visit(payment_id)
    shop.settle()
    assert (shop.payment(payment_id).state, shop.payment(payment_id).asked_back_fen) == ("paid", 23_900)
    poll_due(shop.gateway, listener=shop.listener, at=now() + timedelta(minutes=2))
    shop.settle()
    assert shop.payment(payment_id).state == "refunded"
    assert [word for word, _ in shop.told] == ["paid", "refunded"]


def test_a_retrieve_that_disagrees_changes_nothing(shop: Shop) -> None:
    payment_id = shop.begin()
    shop.visit(payment_id)
    with transaction() as tx:
        tx.connection().exec_driver_sql("ALTER TABLE payment DISABLE TRIGGER columns_fixed")
        tx.connection().exec_driver_sql("UPDATE payment SET amount_fen = 1")
    assert read_payment(shop.gateway, payment_id=payment_id, listener=shop.listener, at=now()) == "open"
    assert shop.told == []
