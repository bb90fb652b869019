"""A basket becomes orders: priced one after the other, reserved to the piece and the fen, or refused with nothing changed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

import cards
import merchants
from api import shopping
from api.price_replay import replay_prices
from api.shopping import HandoverKeyed
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.kit.ids import new_id
from market.sales.orders.place import PAY_WINDOW
from tests.mall import Mall
from tests.world import NOODLES, NOON, count, findings, left


def test_a_basket_becomes_one_order_per_merchant_before_it_is_priced(mall: Mall) -> None:
    mall.world.offer(
        {
            "id": "BIG",
            "stage": "order",
            "kind": "amount_off",
            "match": {"merchants": ["m_0002"]},
            "amount": 1_000,
            "min_spend": 6_000,
        }
    )
    boxes, pots = mall.place({"noodlebox": 1, "pot": 1})  # 80 yuan together, but neither merchant's part reaches 60
    assert [boxes.order.merchant, pots.order.merchant] == ["m_0001", "m_0002"]
    assert (boxes.order.list_fen, boxes.order.concession_fen, boxes.order.subsidy_fen) == (3_000, 300, 100)
    assert (pots.order.list_fen, pots.order.concession_fen, pots.order.subsidy_fen) == (5_000, 0, 100)
    assert boxes.order.basket_id == pots.order.basket_id
    assert [order.order.state for order in (boxes, pots)] == ["placed", "placed"]
    assert boxes.order.expires_at == NOON + PAY_WINDOW
    assert (mall.level("noodlebox"), mall.level("pot")) == ((49, 1, 0), (49, 1, 0))
    assert left("budget:lunch") == 100_000 - 200
    assert count("sale") == 0
    assert findings() == []


def test_each_order_is_priced_on_what_earlier_ones_left_of_purses_and_quotas(mall: Mall) -> None:
    mall.world.budget("tight", 150)
    gift = {"stage": "subsidy", "kind": "amount_off", "match": {"any": True}, "amount": 100, "on_shortage": "partial"}
    paid_by = {"sponsor": "xg", "sponsor_share_bp": 10_000, "budgets": ["budget:tight"]}
    mall.world.offer({"id": "TIGHT", **gift, **paid_by})
    mall.world.offer(
        NOODLES | {"id": "ONCE", "match": {"merchants": ["m_0001", "m_0002"]}}, {"uses": 1, "period": "day"}
    )
    shown = shopping.price_basket(
        member_id=mall.world.members[0].member_id, items=mall.keyed({"pot": 1, "noodlebox": 1}).items, at=NOON
    )
    pots, boxes = mall.place({"pot": 1, "noodlebox": 1})
    assert [priced.merchant for priced in shown] == ["m_0002", "m_0001"]
    assert [priced.quote for priced in shown] == [pots.quote, boxes.quote]
    assert (pots.order.concession_fen, pots.order.subsidy_fen) == (500, 200)
    assert (boxes.order.concession_fen, boxes.order.subsidy_fen) == (300, 150)  # ONCE is used, TIGHT has 50 left
    assert {row["offer"]: row["reason"] for row in boxes.quote["not_applied"]}["ONCE"] == "QUOTA_EXHAUSTED"
    assert left("budget:tight") == 0
    for order in (pots, boxes):
        mall.pay(order.order)
    assert replay_prices(progress=lambda *_: None, processes=1).findings == []
    assert findings() == []


def test_placing_takes_few_statements_and_the_balances_come_last(mall: Mall, database: Engine) -> None:
    mall.place({"pot": 1})
    statements: list[str] = []
    event.listen(database, "before_cursor_execute", lambda *call: statements.append(call[2]))
    keyed, member = mall.keyed({"cooker": 1, "noodlebox": 1}), mall.world.members[0]
    with transaction() as tx:
        attempt = shopping._Try("few", keyed.to_json(), shopping.get_book(at=NOON), NOON)
        before = len(statements)
        shopping._place_once(tx, member.member_id, keyed, attempt)
        made = statements[before:]
    assert len(made) <= 14, made
    assert "ledger_post" in made[-1]


def test_the_same_key_gets_the_same_orders_and_another_body_names_the_field(mall: Mall) -> None:
    first = mall.place({"pot": 1, "noodlebox": 2}, key="one-intent")
    mall.pay(first[0].order)
    again = mall.place({"pot": 1, "noodlebox": 2}, key="one-intent", at=NOON + timedelta(days=1))
    assert [order.order.id for order in again] == [order.order.id for order in first]
    assert [order.order.state for order in again] == ["paid", "placed"]
    with pytest.raises(DomainError) as refused:
        mall.place({"pot": 2, "noodlebox": 2}, key="one-intent")
    assert (refused.value.code, refused.value.facts) == ("KEY_REUSED", {"field": "items"})
    other = mall.world.add_member(2)
    assert (
        mall.place({"pot": 2}, key="one-intent", member=other)[0].order.id != first[0].order.id
    )  # keys are a member's own
    assert findings() == []


def test_what_the_union_bears_wholly_is_sold_at_once_without_a_provider(mall: Mall) -> None:
    mall.provider.is_down = True
    [order] = mall.place({"bowl": 1})  # 1.00, of which WEEKDAY1 bears 1.00
    assert (order.order.state, order.order.paid_fen, order.order.payment_id) == ("paid", 0, None)
    assert mall.level("bowl") == (49, 0, 1)
    assert count("payment") == 0
    assert findings() == []
    assert replay_prices(progress=lambda *_: None, processes=1).findings == []


def _no_account(mall: Mall) -> None:
    with transaction() as tx:
        merchants.set_payment_account(tx, merchant_id=mall.appliances, account=None)


def _suspended(mall: Mall) -> None:
    with transaction() as tx:
        merchants.suspend_merchant(tx, merchant_id=mall.appliances, at=NOON)


def _frozen(mall: Mall) -> None:
    with transaction() as tx:
        cards.freeze_card(tx, card_id=mall.world.members[0].card_id, at=NOON)


def _assert_untouched(mall: Mall) -> None:
    assert (count("member_order"), count("order_line"), left("budget:lunch")) == (0, 0, 100_000)
    assert [mall.level(name) for name in mall.items] == [(50, 0, 0), (20, 0, 0), (50, 0, 0), (50, 0, 0)]
    assert findings() == []


def test_what_cannot_be_ordered_is_refused_and_nothing_changed(mall: Mall) -> None:
    nobody = mall.keyed({"pot": 1})
    refused = {
        "SOLD_OUT": [{"wanted": {"pot": 51}}],
        "BASKET_INVALID": [{"wanted": {}}, {"wanted": {"pot": 1.5}}],
        "WANTED_WRONG": [{"wanted": {"pot": -1, "bowl": 2}}, {"wanted": {"pot": 0}}],
        "OVER_LIMIT": [{"wanted": {"cooker": 2}}],
        "PRICE_CHANGED": [{"wanted": {"pot": 1}, "expected": {"m_0002": 1}}],
        "HANDOVER_UNKNOWN": [
            {"wanted": {"pot": 1}, "how": HandoverKeyed("pickup", "gate9")},
            {"wanted": {"pot": 1}, "how": HandoverKeyed("delivery", deliver_to="炼钢一车间")},
            {"wanted": {"pot": 1}, "how": HandoverKeyed("pickup", "gate1", "炼钢一车间")},
        ],
        "ADDRESS_INVALID": [{"wanted": {"bowl": 1}, "how": HandoverKeyed("delivery", deliver_to=" ")}],
    }
    for code, tries in refused.items():
        for tried in tries:
            with pytest.raises(DomainError) as refusal:
                mall.place(**tried)
            assert refusal.value.code == code, tried
            assert refusal.value.sentence("zh")
    with pytest.raises(DomainError) as refusal:
        shopping.place_basket(member_id=new_id(), keyed=nobody, key="nobody", at=NOON)
    assert refusal.value.status == 404
    _assert_untouched(mall)


@pytest.mark.parametrize(
    ("happens", "code"),
    [(_no_account, "NO_PAYMENT_ACCOUNT"), (_suspended, "PRODUCT_NOT_OFFERED"), (_frozen, "CARD_FROZEN")],
)
def test_who_may_not_sell_or_buy_gets_no_part_of_a_basket(
    mall: Mall, happens: Callable[[Mall], None], code: str
) -> None:
    happens(mall)
    with pytest.raises(DomainError) as refused:
        mall.place({"noodlebox": 1, "pot": 1})
    assert refused.value.code == code
    _assert_untouched(mall)


def test_one_member_buys_one_until_his_order_is_released(mall: Mall) -> None:
    [order] = mall.place({"cooker": 1})
    with pytest.raises(DomainError) as refused:
        mall.place({"cooker": 1})
    assert refused.value.code == "MEMBER_LIMIT"
    shopping.cancel_order(
        mall.provider, member_id=mall.world.members[0].member_id, number=order.order.number, key="no", at=NOON
    )
    assert mall.place({"cooker": 1})[0].order.state == "placed"
    assert findings() == []


def test_a_refused_key_may_order_when_there_is_something_again(mall: Mall) -> None:
    other = mall.world.add_member(2)
    [all_of_it] = mall.place({"pot": 50}, member=other)
    with pytest.raises(DomainError):
        mall.place({"pot": 1}, key="again-and-again")
    shopping.cancel_order(mall.provider, member_id=other.member_id, number=all_of_it.order.number, key="no", at=NOON)
    assert mall.place({"pot": 1}, key="again-and-again")[0].order.state == "placed"
    assert findings() == []
