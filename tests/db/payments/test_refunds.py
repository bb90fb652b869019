"""Money back: asked for once, sent once, never more than was paid, done only when the provider says so."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.kit.ids import new_id
from market.payments.gateway import ProviderRefusedError
from market.payments.operations import (
    NotPaidError,
    RefundKeyTakenError,
    RefundNotFailedError,
    RefundTooLargeError,
    ask_refund,
    refund_payment,
    repeat_refund,
    send_refund,
)
from market.payments.polling import poll_due
from market.payments.queries import list_waiting_refunds
from market.payments.stripe_gateway import make_gateway
from tests.db.payments.conftest import ACCOUNT, KEY, SECRET, Shop, free_port


def give_back(shop: Shop, payment_id, amount_fen: int, key: str = "r1"):
    return refund_payment(
        shop.gateway, payment_id=payment_id, amount_fen=amount_fen, key=key, listener=shop.listener, at=now()
    )


@pytest.mark.parametrize("method", ["card", "wechat_pay"])
def test_a_part_and_then_the_rest_go_back(shop: Shop, method: str) -> None:
    payment_id = shop.paid(method=method)
    part = give_back(shop, payment_id, 3_900)
    assert part.state == "pending"
    shop.settle()
    assert shop.refund(part.id).state == "done"
    payment = shop.payment(payment_id)
    assert (payment.state, payment.refunded_fen, payment.asked_back_fen) == ("refunded_part", 3_900, 3_900)
    rest = give_back(shop, payment_id, 20_000, "r2")
    shop.settle()
    assert shop.payment(payment_id).state == "refunded"
    assert shop.told[1:] == [("refunded", part.id), ("refunded", rest.id)]


def test_more_than_is_left_is_refused_before_anybody_is_called(shop: Shop) -> None:
    payment_id = shop.paid()
    give_back(shop, payment_id, 20_000)
    with pytest.raises(RefundTooLargeError) as refused:
        give_back(shop, payment_id, 3_901, "r2")
    assert refused.value.facts == {"left_fen": 3_900}


def test_the_provider_refuses_more_than_is_left_too(shop: Shop) -> None:
    payment = shop.payment(shop.paid())
    assert payment.intent_id is not None
    for amount, refused in ((23_901, True), (23_900, False), (1, True)):
        ask = {"account": ACCOUNT, "amount_fen": amount, "reference": new_id(), "key": f"direct:{amount}"}
        if refused:
            with pytest.raises(ProviderRefusedError):
                shop.gateway.refund(payment.intent_id, **ask)
        else:
            assert shop.gateway.refund(payment.intent_id, **ask).amount_fen == 23_900


def test_a_refund_that_the_provider_refuses_fails_and_frees_what_it_held(shop: Shop) -> None:
    payment_id = shop.paid()
    payment = shop.payment(payment_id)
    assert payment.intent_id is not None
    shop.gateway.refund(payment.intent_id, account=ACCOUNT, amount_fen=20_000, reference=new_id(), key="by hand")
    refund = give_back(shop, payment_id, 10_000)
    assert refund.state == "failed"
    assert (shop.payment(payment_id).asked_back_fen, shop.payment(payment_id).state) == (0, "paid")
    assert shop.told[1:] == [("refund failed", refund.id)]


def test_a_refund_by_the_merchants_own_hand_is_a_finding_not_a_change(shop: Shop) -> None:
    payment = shop.payment(shop.paid())
    assert payment.intent_id is not None
    shop.gateway.refund(payment.intent_id, account=ACCOUNT, amount_fen=100, reference=new_id(), key="by hand")
    shop.settle()
    assert shop.outcomes("refund.created") == ["mismatch"]
    assert shop.payment(payment.id).refunded_fen == 0


def test_the_same_key_is_one_refund_and_another_amount_is_refused(shop: Shop) -> None:
    payment_id = shop.paid()
    first = give_back(shop, payment_id, 3_900)
    assert give_back(shop, payment_id, 3_900).id == first.id
    with pytest.raises(RefundKeyTakenError):
        give_back(shop, payment_id, 4_000)
    shop.settle()
    assert shop.payment(payment_id).refunded_fen == 3_900


def test_sending_a_refund_twice_sends_it_once(shop: Shop) -> None:
    payment_id = shop.paid()
    with transaction() as tx:
        refund = ask_refund(tx, payment_id=payment_id, amount_fen=3_900, key="r1", at=now())
    with ThreadPoolExecutor(4) as pool:
        for done in [
            pool.submit(send_refund, shop.gateway, refund_id=refund.id, listener=shop.listener, at=now())
            for _ in range(4)
        ]:
            done.result()
    shop.settle()
    assert shop.payment(payment_id).refunded_fen == 3_900
    assert shop.outcomes("refund.created") == ["applied"]


def test_what_was_not_paid_cannot_go_back(shop: Shop) -> None:
    with pytest.raises(NotPaidError):
        give_back(shop, shop.begin(), 1)


def test_many_at_once_never_ask_for_more_than_was_paid(shop: Shop) -> None:
    payment_id = shop.paid()

    def ask(number: int) -> int:
        try:
            with transaction() as tx:
                return ask_refund(tx, payment_id=payment_id, amount_fen=10_000, key=f"r{number}", at=now()).amount_fen
        except DomainError:
            return 0

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(ask, range(6))) == 20_000
    assert shop.payment(payment_id).asked_back_fen == 20_000


def test_a_wallets_refund_that_fails_later_is_told_and_repeated_once(shop: Shop) -> None:
    shop.turn(fail_refund_percent=100)
    payment_id = shop.paid(method="alipay")
    refund = give_back(shop, payment_id, 23_900)
    shop.settle()
    assert shop.refund(refund.id).state == "failed"
    assert shop.told[1:] == [("refund failed", refund.id)]
    with transaction() as tx:
        assert [each.refund.id for each in list_waiting_refunds(tx)] == [refund.id]
    shop.turn()

    def repeat(refund_id: UUID) -> UUID:
        return repeat_refund(shop.gateway, refund_id=refund_id, listener=shop.listener, at=now()).id

    with ThreadPoolExecutor(4) as pool:
        [again] = set(pool.map(repeat, [refund.id] * 4))
    with transaction() as tx:
        assert [each.refund.id for each in list_waiting_refunds(tx)] == [again]
    shop.settle()
    assert shop.payment(payment_id).state == "refunded"
    with pytest.raises(RefundNotFailedError):
        repeat(again)
    assert repeat(refund.id) == again
    with transaction() as tx:
        assert list_waiting_refunds(tx) == []


def test_the_poller_sends_what_waits_and_finds_what_was_done(shop: Shop) -> None:
    payment_id = shop.paid(method="wechat_pay")
    shop.turn(lose_percent=100)
    up = shop.gateway
    shop.gateway = make_gateway(key=KEY, base=f"http://127.0.0.1:{free_port()}", secret=SECRET)
    refund = give_back(shop, payment_id, 3_900)
    assert refund.state == "asked"
    shop.gateway = up
    poll_due(up, listener=shop.listener, at=now() + timedelta(seconds=61))
    shop.settle()
    assert shop.refund(refund.id).state in {"pending", "done"}
    poll_due(up, listener=shop.listener, at=now() + timedelta(seconds=200))
    assert shop.refund(refund.id).state == "done"
    assert shop.payment(payment_id).refunded_fen == 3_900
