"""Whatever comes first, and however often: an order is sold once, or released once, and money that comes too late goes back."""

import json
from datetime import timedelta

import pytest

from api import shopping
from api.order_jobs import GRACE, expire_orders
from api.price_replay import replay_prices
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.payments.gateway import ProviderDownError
from market.payments.polling import poll_due
from market.record.models import Entry
from market.sales.models import Sale
from market.sales.orders.money import LISTENER, list_payments
from market.sales.orders.place import PAY_WINDOW
from market.sales.orders.queries import list_changes
from tests.mall import Mall
from tests.provider import write_event
from tests.world import NOON, count, findings, left

OVER = NOON + PAY_WINDOW


def reasons(mall: Mall, order: object) -> list[tuple[str | None, str, str, str]]:
    with transaction() as tx:
        changes = list_changes(tx, order_id=order.id)  # type: ignore[attr-defined]
    return [(change.from_state, change.to_state, change.by_kind, change.reason) for change in changes]


def test_an_order_is_sold_when_its_payment_arrives(mall: Mall) -> None:
    mall.world.offer(
        {"id": "BACK", "stage": "rebate", "kind": "percent_back", "match": {"merchants": ["m_0001"]}, "rate_bp": 500}
    )
    [order] = mall.place({"noodlebox": 2})
    payment_id = mall.pay(order.order, at=NOON + timedelta(minutes=3))
    sold = mall.look(order.order).order
    assert (sold.state, sold.payment_id) == ("paid", payment_id)
    assert mall.level("noodlebox") == (48, 0, 2)
    with transaction() as tx:
        sale = tx.get(Sale, sold.sale_id)
        entry = tx.get(Entry, sale.entry_id)
    said = json.loads(entry.body)
    assert (sale.channel, sale.shop_id, sale.at) == ("online", None, NOON + timedelta(minutes=3))
    assert (said["channel"], said["tender"], said["id"]) == ("online", "provider", order.order.public_id)
    assert (said["list"], said["concession"], said["subsidy"], said["paid"]) == (6_000, 600, 100, 5_300)
    assert said["transfers"] == [
        ["budget:lunch", "payable:m_0001", 100],
        ["receivable:m_0001", "rebates:members", 265],
    ]
    assert "reserved" not in entry.body.decode()
    assert order.order.number not in entry.body.decode()
    assert reasons(mall, order.order) == [
        (None, "placed", "member", "placed"),
        ("placed", "paid", "provider", "paid"),
    ]
    assert replay_prices(progress=lambda *_: None, processes=1).findings == []
    assert findings() == []


def test_the_same_event_again_and_another_of_the_same_payment_change_nothing(mall: Mall) -> None:
    [order] = mall.place({"pot": 1})
    payment_id = mall.begin(order.order)
    raw = mall.provider.pay(payment_id)
    outcomes = [
        mall.hear(raw),
        mall.hear(raw),
        mall.hear(write_event("checkout", mall.provider.checkouts[f"cs_{payment_id}"])),
    ]
    assert outcomes == ["applied", "applied", "unchanged"]
    assert count("sale") == 1
    assert findings() == []


@pytest.mark.parametrize(
    "forged",
    [{"amount_fen": 1}, {"currency": "usd"}, {"account": "acct_9"}, {"livemode": True}, {"intent_id": None}],
)
def test_an_event_that_disagrees_with_what_was_asked_sells_nothing(mall: Mall, forged: dict[str, object]) -> None:
    [order] = mall.place({"pot": 1})
    payment_id = mall.begin(order.order)
    mall.provider.pay(payment_id)
    raw = write_event("checkout", mall.provider.checkouts[f"cs_{payment_id}"], **forged)
    assert mall.hear(raw) == "mismatch"
    assert mall.look(order.order).order.state == "placed"
    assert findings() == []


def test_asking_where_to_pay_twice_gives_the_same_place(mall: Mall) -> None:
    [order] = mall.place({"pot": 1})
    assert mall.begin(order.order) == mall.begin(order.order, at=NOON + timedelta(minutes=14))
    with pytest.raises(DomainError) as late:
        mall.begin(order.order, at=OVER)
    assert late.value.code == "ORDER_EXPIRED"
    mall.provider.is_down = True
    [other] = mall.place({"pot": 1})
    checkout = shopping.start_payment(
        mall.provider,
        member_id=mall.world.members[0].member_id,
        number=other.order.number,
        return_url="http://127.0.0.1/",
        at=NOON,
    )
    assert checkout.url is None
    assert mall.look(other.order).order.state == "placed"


def test_another_s_order_is_as_unknown_as_none(mall: Mall) -> None:
    [order] = mall.place({"pot": 1})
    stranger = mall.world.add_member(2).member_id
    who = {"member_id": stranger, "number": order.order.number, "at": NOON}
    for act in (
        lambda: shopping.start_payment(mall.provider, return_url="http://127.0.0.1/", **who),
        lambda: shopping.check_payment(mall.provider, **who),
        lambda: shopping.cancel_order(mall.provider, key="theirs", **who),
    ):
        with pytest.raises(DomainError) as refused:
            act()
        assert refused.value.code == "ORDER_UNKNOWN"
    assert mall.look(order.order).order.state == "placed"


def test_an_order_not_paid_in_time_gives_everything_back_once(mall: Mall) -> None:
    mall.world.offer(
        {"id": "ONCE", "stage": "order", "kind": "amount_off", "match": {"merchants": ["m_0002"]}, "amount": 500},
        {"uses": 1, "period": "day", "total_fen": 5_000},
    )
    [order] = mall.place({"cooker": 1})
    mall.begin(order.order)
    assert (left("total:ONCE"), left("budget:lunch")) == (4_500, 99_900)
    assert expire_orders(mall.provider, at=OVER - timedelta(seconds=1)) == 0
    assert [expire_orders(mall.provider, at=OVER + timedelta(seconds=n)) for n in range(3)] == [1, 0, 0]
    assert mall.look(order.order).order.state == "cancelled"
    assert (mall.level("cooker"), left("total:ONCE"), left("budget:lunch")) == ((20, 0, 0), 5_000, 100_000)
    assert reasons(mall, order.order)[-1] == ("placed", "cancelled", "job", "expired")
    assert mall.place({"cooker": 1})[0].order.concession_fen == 500  # the use and the limit came back
    assert findings() == []


def test_money_that_comes_after_the_order_was_released_goes_back_by_itself(mall: Mall) -> None:
    [order] = mall.place({"pot": 1})
    payment_id = mall.begin(order.order)
    raw = mall.provider.pay(payment_id)  # at the last moment; the provider goes down, its event is on its way
    mall.provider.is_down = True
    expire_orders(mall.provider, at=OVER)
    assert mall.look(order.order).order.state == "placed"  # it waits a while for the provider
    expire_orders(mall.provider, at=OVER + GRACE)
    assert mall.look(order.order).order.state == "cancelled"
    mall.provider.is_down = False
    later = OVER + GRACE + timedelta(minutes=1)
    assert mall.hear(raw, at=later) == "applied"
    assert [refund.state for refund in mall.send_refunds(order.order, at=later)] == ["done"]
    assert mall.back_fen(order.order) == order.order.paid_fen
    assert (mall.look(order.order).order.state, count("sale")) == ("cancelled", 0)
    assert findings() == []


def test_an_order_paid_at_the_last_moment_is_found_paid_and_not_released(mall: Mall) -> None:
    [order] = mall.place({"pot": 1})
    mall.provider.pay(mall.begin(order.order))  # and its event is lost
    expire_orders(mall.provider, at=OVER + timedelta(minutes=1))
    assert mall.look(order.order).order.state == "paid"
    assert findings() == []


def test_the_poller_finds_what_a_lost_event_told(mall: Mall) -> None:
    orders = [order for _ in range(3) for order in mall.place({"pot": 1})]
    for order in orders[:2]:
        mall.provider.pay(mall.begin(order.order))
    mall.begin(orders[2].order)
    poll_due(mall.provider, listener=LISTENER, at=NOON + timedelta(minutes=2))
    assert [mall.look(order.order).order.state for order in orders] == ["paid", "paid", "placed"]
    poll_due(mall.provider, listener=LISTENER, at=OVER + timedelta(minutes=1))
    assert mall.look(orders[2].order).order.state == "cancelled"
    assert findings() == []


def test_who_comes_back_from_paying_is_believed_by_the_provider_s_word_only(mall: Mall) -> None:
    [order] = mall.place({"pot": 1})
    payment_id = mall.begin(order.order)
    who = {"member_id": mall.world.members[0].member_id, "number": order.order.number, "at": NOON}
    assert shopping.check_payment(mall.provider, **who).order.state == "placed"
    mall.provider.pay(payment_id)
    assert shopping.check_payment(mall.provider, **who).order.state == "paid"
    mall.provider.is_down = True
    assert shopping.check_payment(mall.provider, **who).order.state == "paid"  # nothing waits, nobody is asked
    [other] = mall.place({"pot": 1})
    mall.provider.is_down = False
    mall.begin(other.order)
    mall.provider.is_down = True
    with pytest.raises(ProviderDownError):
        shopping.check_payment(mall.provider, **{**who, "number": other.order.number})


def test_a_cancelled_order_s_checkout_is_closed_and_a_paid_one_is_refunded_whole(mall: Mall) -> None:
    who = mall.world.members[0].member_id
    [placed] = mall.place({"pot": 1})
    payment_id = mall.begin(placed.order)
    for _ in range(2):
        done = shopping.cancel_order(mall.provider, member_id=who, number=placed.order.number, key="no", at=NOON)
        assert done.order.state == "cancelled"
    assert mall.provider.pay(payment_id) is None
    assert reasons(mall, placed.order)[-1] == ("placed", "cancelled", "member", "cancelled_by_member")
    [paid] = mall.place({"pot": 2})
    mall.pay(paid.order)
    for _ in range(2):
        done = shopping.cancel_order(mall.provider, member_id=who, number=paid.order.number, key="no", at=NOON)
        assert (done.order.state, done.back_paid_fen) == ("returned", paid.order.paid_fen)
    mall.send_refunds(paid.order)
    assert mall.back_fen(paid.order) == paid.order.paid_fen
    assert (mall.level("pot"), left("budget:lunch")) == ((50, 0, 0), 100_000)
    assert findings() == []


def test_what_was_paid_while_it_was_being_cancelled_is_refunded(mall: Mall) -> None:
    [order] = mall.place({"pot": 1})
    mall.provider.pay(mall.begin(order.order))  # the event has not come yet
    done = shopping.cancel_order(
        mall.provider, member_id=mall.world.members[0].member_id, number=order.order.number, key="no", at=NOON
    )
    assert (done.order.state, done.back_paid_fen) == ("returned", order.order.paid_fen)
    assert findings() == []


def test_an_order_paid_twice_gives_one_payment_back(mall: Mall) -> None:
    """A first checkout was given up by us while the provider was paid at it; a second one was opened and paid too."""
    [order] = mall.place({"pot": 1})
    first = mall.begin(order.order)
    told = mall.provider.pay(first)
    with transaction() as tx:  # as a cancellation that crossed the payment leaves it
        [payment] = list_payments(tx, order_id=order.order.id)
        payment.state = "cancelled"
    second = mall.pay(order.order)
    assert second != first
    assert mall.hear(told) == "applied"
    mall.send_refunds(order.order)
    assert mall.look(order.order).order.payment_id == second
    assert (mall.provider.back_fen(first), mall.provider.back_fen(second)) == (order.order.paid_fen, 0)
    assert findings() == []
