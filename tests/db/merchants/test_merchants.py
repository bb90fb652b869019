"""Merchants, shops, staff, items, and the till of a sign-in."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import event, insert, update
from sqlalchemy.exc import IntegrityError

import merchants
from market.kit.database import get_engine, transaction
from market.kit.errors import DomainError
from merchants.models import Item, Merchant, Shop, Staff

NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)


def refused(act, **values):
    """The code of the refusal of an act that must be refused."""
    with pytest.raises(DomainError) as refusal, transaction() as tx:
        act(tx, **values)
    return refusal.value.code


def do(act, **values):
    with transaction() as tx:
        return act(tx, **values)


# --- the till ---------------------------------------------------------------------------------------------------------


def test_a_till_is_opened_in_one_statement(market):
    statements = []
    event.listen(get_engine(), "before_cursor_execute", lambda *args: statements.append(args[2]))
    till = do(merchants.open_till, staff_id=market.kiosk_assistant)
    assert len(statements) == 1
    assert (till.shop_id, till.shop, till.merchant) == (market.kiosk, "s_0002", "m_0001")
    assert (till.staff_id, till.category, till.mode) == (market.kiosk_assistant, "food", "items")


def test_nobody_and_an_owner_have_no_till(market):
    assert refused(merchants.open_till, staff_id=uuid4()) == "TILL_UNKNOWN"
    assert refused(merchants.open_till, staff_id=market.owner) == "TILL_UNKNOWN"
    assert do(merchants.find_shop_id, staff_id=market.owner) is None
    assert do(merchants.find_shop_id, staff_id=market.assistant) == market.canteen


def test_a_closed_shop_a_suspended_merchant_and_left_staff_are_refused_and_come_back(market):
    staff_id = market.assistant
    do(merchants.close_shop, shop_id=market.canteen)
    assert refused(merchants.open_till, staff_id=staff_id) == "SHOP_CLOSED"
    assert do(merchants.open_till, staff_id=market.kiosk_assistant)
    do(merchants.suspend_merchant, merchant_id=market.noodles, at=NOON)
    assert refused(merchants.open_till, staff_id=staff_id) == "MERCHANT_SUSPENDED"
    assert refused(merchants.open_till, staff_id=market.kiosk_assistant) == "MERCHANT_SUSPENDED"
    do(merchants.readmit_merchant, merchant_id=market.noodles, at=NOON)
    do(merchants.open_shop, shop_id=market.canteen)
    assert do(merchants.open_till, staff_id=staff_id)
    do(merchants.end_staff, staff_id=staff_id)
    assert refused(merchants.open_till, staff_id=staff_id) == "STAFF_LEFT"


# --- admission --------------------------------------------------------------------------------------------------------


def test_a_merchant_is_admitted_once_with_a_right_credit_code(market, credit_code):
    terms = {"code": "m_0009", "name": "新店", "credit_code": credit_code(9), "category": "food", "at": NOON}
    assert refused(merchants.admit_merchant, **terms | {"credit_code": "91210300000000000Z"}) == "CREDIT_CODE_WRONG"
    assert refused(merchants.admit_merchant, **terms | {"code": "m-9"}) == "MERCHANT_TERMS_WRONG"
    assert refused(merchants.admit_merchant, **terms | {"code": "m_0001"}) == "MERCHANT_EXISTS"
    assert refused(merchants.admit_merchant, **terms | {"credit_code": credit_code(1).lower()}) == "MERCHANT_EXISTS"
    assert do(merchants.get_merchant, merchant_id=do(merchants.admit_merchant, **terms)).state == "admitted"
    assert refused(merchants.admit_merchant, **terms) == "MERCHANT_EXISTS"


def test_shops_and_staff_belong_to_a_merchant_that_exists(market):
    shop = {"merchant_id": market.noodles, "code": "s_9", "name": "三店", "address": ""}
    assert refused(merchants.add_shop, **shop | {"merchant_id": uuid4()}) == "MERCHANT_UNKNOWN"
    assert refused(merchants.add_shop, **shop | {"code": "s_0003"}) == "SHOP_EXISTS"
    assert refused(merchants.add_shop, **shop | {"code": ""}) == "MERCHANT_TERMS_WRONG"
    assert refused(merchants.add_staff, merchant_id=uuid4(), name="谁") == "MERCHANT_UNKNOWN"
    assert refused(merchants.add_staff, merchant_id=market.rice, name="谁", shop_id=market.canteen) == "SHOP_UNKNOWN"


@pytest.mark.parametrize(
    ("act", "values", "code"),
    [
        ("suspend_merchant", {"merchant_id": uuid4(), "at": NOON}, "MERCHANT_UNKNOWN"),
        ("readmit_merchant", {"merchant_id": uuid4(), "at": NOON}, "MERCHANT_UNKNOWN"),
        ("get_merchant", {"merchant_id": uuid4()}, "MERCHANT_UNKNOWN"),
        ("close_shop", {"shop_id": uuid4()}, "SHOP_UNKNOWN"),
        ("open_shop", {"shop_id": uuid4()}, "SHOP_UNKNOWN"),
        ("get_shop", {"shop_id": uuid4()}, "SHOP_UNKNOWN"),
        ("end_staff", {"staff_id": uuid4()}, "STAFF_UNKNOWN"),
        ("withdraw_item", {"merchant_id": uuid4(), "sku": "bowl"}, "ITEM_UNKNOWN"),
    ],
)
def test_what_does_not_exist_is_named(market, act, values, code):
    assert refused(getattr(merchants, act), **values) == code


# --- items ------------------------------------------------------------------------------------------------------------


def test_items_are_put_on_sale_withdrawn_and_brought_back_at_another_price(market):
    bowl = {"merchant_id": market.noodles, "sku": "bowl", "name": "牛肉面", "category": "noodles", "price_fen": 1600}
    do(merchants.add_item, **bowl)
    assert refused(merchants.add_item, **bowl) == "ITEM_EXISTS"
    do(merchants.add_item, **bowl | {"sku": "egg", "name": "卤蛋", "category": "extra", "price_fen": 200})
    do(merchants.add_item, **bowl | {"merchant_id": market.rice, "price_fen": 999})  # another merchant's code is free
    statements = []
    event.listen(get_engine(), "before_cursor_execute", lambda *args: statements.append(args[2]))
    found = do(merchants.get_items, merchant="m_0001", skus=["bowl", "egg", "gone"])
    assert len(statements) == 1
    assert {item.sku: item.price_fen for item in found} == {"bowl": 1600, "egg": 200}
    do(merchants.withdraw_item, merchant_id=market.noodles, sku="bowl")
    assert [item.sku for item in do(merchants.list_items, merchant="m_0001")] == ["egg"]
    do(merchants.add_item, **bowl | {"price_fen": 1700})
    (item,) = do(merchants.get_items, merchant="m_0001", skus=["bowl"])
    assert item.price_fen == 1700


@pytest.mark.parametrize("price_fen", [-1, 100_000_001])
def test_a_price_is_bounded_in_the_code_and_in_the_database(market, price_fen):
    item = {"merchant_id": market.noodles, "sku": "x", "name": "x", "category": "x", "price_fen": price_fen}
    assert refused(merchants.add_item, **item) == "MERCHANT_TERMS_WRONG"
    with pytest.raises(IntegrityError, match="ck_item_price_bounded"), transaction() as tx:
        tx.execute(insert(Item).values(id=uuid4(), state="sold", **item))


# --- lists ------------------------------------------------------------------------------------------------------------


def test_shops_are_found_by_their_own_and_their_merchants_name_and_by_category(market):
    def names(**wanted):
        return [place.name for place in do(merchants.list_shops, **wanted)]

    assert set(names()) == {"面馆一店", "面馆二店", "东门粮油"}
    assert set(names(query="兰州")) == {"面馆一店", "面馆二店"}
    assert names(query=" 二店 ") == ["面馆二店"]
    assert names(category="grocery") == ["东门粮油"]
    assert names(query="100%") == names(query="_") == []  # signs of LIKE are letters here
    assert do(merchants.list_categories) == ["food", "grocery"]


def test_only_open_shops_of_admitted_merchants_are_listed(market):
    do(merchants.close_shop, shop_id=market.canteen)
    do(merchants.suspend_merchant, merchant_id=market.rice, at=NOON)
    assert [place.name for place in do(merchants.list_shops)] == ["面馆二店"]
    assert do(merchants.list_categories) == ["food"]
    everything = do(merchants.list_shops_of, merchant_id=market.noodles)
    assert {place.shop: place.state for place in everything} == {"s_0001": "closed", "s_0002": "open"}
    assert do(merchants.get_shop, shop_id=market.rice_shop).merchant_state == "suspended"


def test_pages_of_shops_follow_each_other_without_gap_or_repeat(market):
    with transaction() as tx:
        for number in range(10, 31):
            merchants.add_shop(tx, merchant_id=market.rice, code=f"x{number}", name=f"同名店{number // 7}", address="")
        whole = merchants.list_shops(tx, limit=100)
        paged, last = [], None
        while page := merchants.list_shops(tx, after=last, limit=5):
            paged += page
            last = page[-1]
    assert len(whole) == 24
    assert paged == whole


def test_staff_are_listed_owners_first(market):
    people = do(merchants.list_staff, merchant_id=market.noodles)
    assert (people[0].role, people[0].shop_name) == ("owner", None)
    assert {person.name: person.shop_name for person in people} == {
        "店主": None,
        "小王": "面馆一店",
        "小李": "面馆二店",
    }
    assert do(merchants.find_staff, staff_id=market.assistant).shop_id == market.canteen
    assert do(merchants.find_staff, staff_id=uuid4()) is None
    assert [merchant.merchant for merchant in do(merchants.list_merchants)] == ["m_0001", "m_0002"]


# --- past the code ----------------------------------------------------------------------------------------------------


def test_the_database_refuses_what_the_code_refuses(market, credit_code):
    staff = {"id": uuid4(), "merchant_id": market.noodles, "name": "x", "state": "active"}
    merchant = {"id": uuid4(), "name": "x", "category": "x", "state": "admitted", "admitted_at": NOON}
    statements = (
        (insert(Staff).values(**staff, role="assistant"), "ck_staff_role_place"),
        (insert(Staff).values(**staff, role="owner", shop_id=market.kiosk), "ck_staff_role_place"),
        (
            insert(Staff).values(**staff, role="assistant", shop_id=market.rice_shop),
            "fk_staff_merchant_id_shop_id_shop",
        ),
        (update(Staff).values(state="gone"), "ck_staff_state_known"),
        (update(Shop).values(state="gone"), "ck_shop_state_known"),
        (update(Shop).values(till="other"), "ck_shop_till_known"),
        (update(Merchant).values(state="gone"), "ck_merchant_state_known"),
        (insert(Merchant).values(**merchant, code="a b", credit_code=credit_code(8)), "ck_merchant_code_format"),
        (insert(Merchant).values(**merchant, code="m_0001", credit_code=credit_code(8)), "uq_merchant_code"),
        (insert(Merchant).values(**merchant, code="m_8", credit_code=credit_code(1)), "uq_merchant_credit_code"),
    )
    for statement, constraint in statements:
        with pytest.raises(IntegrityError, match=constraint), transaction() as tx:
            tx.execute(statement)
