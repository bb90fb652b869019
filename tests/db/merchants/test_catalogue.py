"""Products: what an owner may write of his own, what becomes of it, and what of it is offered."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

import merchants
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.kit.ids import new_id
from merchants import ProductTerms, VariantTerms
from merchants.models import Item, ItemPrice, Product
from tests.db.merchants.conftest import NOON, OFFICER

LATER = NOON + timedelta(hours=1)


def do(act, **values):
    with transaction() as tx:
        return act(tx, **values)


def refused(act, **values):
    """The code of the refusal of an act that must be refused."""
    with pytest.raises(DomainError) as refusal, transaction() as tx:
        act(tx, **values)
    return refusal.value.code


def cooker(**more):
    """A rice cooker in two colours, picked up at the east gate."""
    said = {
        "name": "电饭煲 5L",
        "category": "appliance",
        "variants": (VariantTerms("rc5-w", "白色", 199_00), VariantTerms("rc5-b", "黑色", 219_00)),
        "points": ("east",),
    }
    return ProductTerms(**said | more)


@pytest.fixture
def rice(market):
    """The merchant whose products these are; there is one pick-up point."""
    do(merchants.add_point, code="east", name="东门自提点", address="东门传达室", by=OFFICER, at=NOON)
    return market.rice


def add(rice, code="rc5", **more):
    return do(merchants.add_product, merchant_id=rice, code=code, terms=cooker(**more), at=NOON)


def offer(rice, code="rc5", **more):
    product_id = add(rice, code, **more)
    do(merchants.list_product, merchant_id=rice, code=code)
    return product_id


def read(rice, code="rc5"):
    return do(merchants.get_own_product, merchant_id=rice, code=code)


# --- writing ----------------------------------------------------------------------------------------------------------


def test_a_product_begins_as_a_draft_with_its_parts(rice):
    product_id = add(rice, limit_per_member=2, description="智能预约")
    product = read(rice)
    assert (product.product_id, product.state, product.is_offered) == (product_id, "draft", False)
    assert (product.merchant, product.name, product.limit_per_member) == ("m_0002", "电饭煲 5L", 2)
    assert [(each.sku, each.variant, each.price_fen, each.state) for each in product.variants] == [
        ("rc5-w", "白色", 199_00, "sold"),
        ("rc5-b", "黑色", 219_00, "sold"),
    ]
    assert (product.price_fen, [point.code for point in product.points]) == (199_00, ["east"])
    assert do(merchants.find_product, merchant="m_0002", code="rc5") == product
    assert do(merchants.find_product, merchant="m_0001", code="rc5") is None
    assert do(merchants.get_products, product_ids=[product_id, uuid4()]) == {product_id: product}


def test_codes_are_the_merchants_own_and_taken_once(rice, market):
    add(rice)
    assert refused(merchants.add_product, merchant_id=rice, code="rc5", terms=cooker(), at=NOON) == "PRODUCT_EXISTS"
    assert refused(merchants.add_product, merchant_id=rice, code="rc6", terms=cooker(), at=NOON) == "SKU_TAKEN"
    do(merchants.add_product, merchant_id=market.noodles, code="rc5", terms=cooker(), at=NOON)


def test_nobody_writes_another_merchants_product(rice, market):
    add(rice)
    own = {"merchant_id": market.noodles, "code": "rc5"}
    assert refused(merchants.change_product, **own, terms=cooker(), at=LATER) == "PRODUCT_UNKNOWN"
    assert refused(merchants.list_product, **own) == "PRODUCT_UNKNOWN"
    assert refused(merchants.withdraw_product, **own) == "PRODUCT_UNKNOWN"
    assert refused(merchants.get_own_product, **own) == "PRODUCT_UNKNOWN"
    assert read(rice).state == "draft"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"name": ""}, "PRODUCT_TERMS_WRONG"),
        ({"name": "长" * 81}, "PRODUCT_TERMS_WRONG"),
        ({"name": "电饭煲\u202e"}, "PRODUCT_TERMS_WRONG"),
        ({"category": "家电"}, "PRODUCT_TERMS_WRONG"),
        ({"description": "长" * 4001}, "PRODUCT_TERMS_WRONG"),
        ({"description": "\x00"}, "PRODUCT_TERMS_WRONG"),
        ({"limit_per_member": 0}, "PRODUCT_TERMS_WRONG"),
        ({"sale_from": LATER, "sale_to": NOON}, "PRODUCT_TERMS_WRONG"),
        ({"is_flash": True}, "PRODUCT_TERMS_WRONG"),
        ({"variants": ()}, "PRODUCT_TERMS_WRONG"),
        ({"variants": (VariantTerms("-x", "", 1),)}, "PRODUCT_TERMS_WRONG"),
        ({"variants": (VariantTerms("x", "", -1),)}, "PRODUCT_TERMS_WRONG"),
        ({"variants": (VariantTerms("x", "", 100_000_001),)}, "PRODUCT_TERMS_WRONG"),
        ({"variants": (VariantTerms("x", "a", 1), VariantTerms("y", "a", 1))}, "VARIANT_REPEATED"),
        ({"variants": (VariantTerms("x", "a", 1), VariantTerms("x", "b", 1))}, "VARIANT_REPEATED"),
        ({"variants": (VariantTerms("x", "a", 1), VariantTerms("y", "", 1))}, "PRODUCT_TERMS_WRONG"),
        ({"points": ("west",)}, "POINT_UNKNOWN"),
    ],
)
def test_what_is_outside_the_bounds_is_refused_and_nothing_is_written(rice, said, code):
    assert refused(merchants.add_product, merchant_id=rice, code="rc5", terms=cooker(**said), at=NOON) == code
    assert do(merchants.find_product, merchant="m_0002", code="rc5") is None


@pytest.mark.parametrize("code", ["", "电", "a b", "x" * 33, "a/b", "a\n"])
def test_a_code_is_plain(rice, code):
    assert refused(merchants.add_product, merchant_id=rice, code=code, terms=cooker(), at=NOON) == "PRODUCT_TERMS_WRONG"


def test_a_change_keeps_the_state_and_dates_the_price(rice):
    offer(rice)
    changed = cooker(name="电饭锅", variants=(VariantTerms("rc5-w", "白色", 189_00),), points=())
    assert (
        refused(merchants.change_product, merchant_id=rice, code="rc5", terms=changed, at=LATER) == "PRODUCT_NOT_READY"
    )
    changed = cooker(name="电饭锅", variants=(VariantTerms("rc5-w", "白色", 189_00),))
    do(merchants.change_product, merchant_id=rice, code="rc5", terms=changed, at=LATER)
    product = read(rice)
    assert (product.name, product.state, product.price_fen) == ("电饭锅", "listed", 189_00)
    history = do(merchants.list_prices, item_ids=[each.item_id for each in product.variants])
    assert [(each.sku, each.from_at, each.price_fen) for each in history] == [
        ("rc5-w", LATER, 189_00),
        ("rc5-b", NOON, 219_00),
        ("rc5-w", NOON, 199_00),
    ]
    assert do(merchants.find_item_names, merchant="m_0002", skus=["rc5-w"]) == {"rc5-w": "电饭锅 白色"}


def test_two_prices_of_one_instant_keep_their_order(rice):
    add(rice)
    for price_fen in (188_00, 187_00):
        terms = cooker(variants=(VariantTerms("rc5-w", "白色", price_fen),))
        do(merchants.change_product, merchant_id=rice, code="rc5", terms=terms, at=NOON)
    history = do(merchants.list_prices, item_ids=[read(rice).variants[0].item_id])
    assert [each.price_fen for each in history] == [187_00, 188_00, 199_00]


def test_variants_may_swap_their_names_and_a_new_one_may_not_take_a_kept_one(rice):
    add(rice)
    swapped = cooker(variants=(VariantTerms("rc5-w", "黑色", 1), VariantTerms("rc5-b", "白色", 2)))
    do(merchants.change_product, merchant_id=rice, code="rc5", terms=swapped, at=LATER)
    assert [each.variant for each in read(rice).variants] == ["黑色", "白色"]
    taken = cooker(variants=(VariantTerms("rc5-r", "黑色", 3),))
    assert refused(merchants.change_product, merchant_id=rice, code="rc5", terms=taken, at=LATER) == "VARIANT_REPEATED"


def test_a_listed_product_needs_something_on_sale_and_a_place_to_get_it(rice):
    add(rice, points=())
    assert refused(merchants.list_product, merchant_id=rice, code="rc5") == "PRODUCT_NOT_READY"
    do(merchants.change_product, merchant_id=rice, code="rc5", terms=cooker(points=(), handover="delivery"), at=LATER)
    do(merchants.list_product, merchant_id=rice, code="rc5")
    gone = cooker(
        handover="delivery",
        variants=(VariantTerms("rc5-w", "白色", 1, is_sold=False), VariantTerms("rc5-b", "黑色", 2, is_sold=False)),
    )
    assert refused(merchants.change_product, merchant_id=rice, code="rc5", terms=gone, at=LATER) == "PRODUCT_NOT_READY"
    do(merchants.withdraw_product, merchant_id=rice, code="rc5")
    do(merchants.change_product, merchant_id=rice, code="rc5", terms=gone, at=LATER)
    assert (read(rice).state, read(rice).price_fen) == ("withdrawn", None)
    assert refused(merchants.list_product, merchant_id=rice, code="rc5") == "PRODUCT_NOT_READY"


def test_a_closed_point_is_neither_shown_nor_chosen(rice):
    offer(rice)
    do(merchants.close_point, code="east", by=OFFICER, at=LATER)
    assert read(rice).points == ()
    assert do(merchants.list_points) == []
    assert refused(merchants.change_product, merchant_id=rice, code="rc5", terms=cooker(), at=LATER) == "POINT_UNKNOWN"
    do(merchants.open_point, code="east", by=OFFICER, at=LATER)
    assert [point.name for point in do(merchants.list_points)] == ["东门自提点"]


def test_an_owners_list_goes_page_by_page_and_is_searched(rice):
    for number in range(3):
        add(rice, f"p{number}", name=f"保温杯 {number}", variants=(VariantTerms(f"cup-{number}", "", 59_00),))
    offer(rice)
    own = {"merchant_id": rice}
    first = do(merchants.list_own_products, **own, limit=2)
    assert [row.code for row in first] == ["p0", "p1"]
    assert [row.code for row in do(merchants.list_own_products, **own, limit=9, after="p1")] == ["p2", "rc5"]
    assert [row.code for row in do(merchants.list_own_products, **own, query="bwb")] == ["p0", "p1", "p2"]
    assert [row.code for row in do(merchants.list_own_products, **own, query="！？")] == []
    (row,) = do(merchants.list_own_products, **own, state="listed")
    assert (row.code, row.price_fen, row.most_fen, len(row.item_ids), row.picture) == ("rc5", 19900, 21900, 2, None)
    assert do(merchants.count_own_products, **own) == {"draft": 3, "listed": 1}


# --- tills ------------------------------------------------------------------------------------------------------------


def test_a_till_rings_up_what_it_did_and_no_variant(rice):
    do(merchants.add_item, merchant_id=rice, sku="bowl", name="碗", category="extra", price_fen=900)
    offer(rice)
    assert [item.sku for item in do(merchants.list_items, merchant="m_0002")] == ["bowl"]
    assert do(merchants.get_items, merchant="m_0002", skus=["rc5-w"]) == []
    assert do(merchants.find_wares, merchants=["m_0002"])["m_0002"] >= {"rc5-w", "appliance", "bowl"}
    item = {"merchant_id": rice, "sku": "rc5-w", "name": "x", "category": "x", "price_fen": 1}
    assert refused(merchants.add_item, **item) == "ITEM_EXISTS"
    assert refused(merchants.withdraw_item, merchant_id=rice, sku="rc5-w") == "ITEM_UNKNOWN"
    taken = cooker(variants=(VariantTerms("bowl", "", 1),))
    assert refused(merchants.add_product, merchant_id=rice, code="rc9", terms=taken, at=NOON) == "SKU_TAKEN"


def test_an_item_of_a_shop_has_its_prices_dated_too(rice):
    bowl = {"merchant_id": rice, "sku": "bowl", "name": "碗", "category": "extra"}
    item_id = do(merchants.add_item, **bowl, price_fen=900, at=NOON)
    do(merchants.withdraw_item, merchant_id=rice, sku="bowl")
    do(merchants.add_item, **bowl, price_fen=800, at=LATER)
    history = do(merchants.list_prices, item_ids=[item_id])
    assert [(each.from_at, each.price_fen) for each in history] == [(LATER, 800), (NOON, 900)]


# --- what is offered --------------------------------------------------------------------------------------------------


def test_a_basket_is_looked_at_line_by_line(rice):
    offer(rice, limit_per_member=3)
    white, black = (each.item_id for each in read(rice).variants)
    lines = do(merchants.get_offered_lines, wanted={black: 1, white: 2}, at=NOON)
    assert [(line.sku, line.qty, line.price_fen) for line in lines] == [("rc5-b", 1, 219_00), ("rc5-w", 2, 199_00)]
    assert (lines[0].merchant_code, lines[0].merchant_id, lines[0].product_code) == ("m_0002", rice, "rc5")
    assert (lines[0].name, lines[0].variant, lines[0].category) == ("电饭煲 5L", "黑色", "appliance")
    assert (lines[0].point_codes, lines[0].handover, lines[0].limit_per_member) == (("east",), "pickup", 3)
    assert refused(merchants.get_offered_lines, wanted={black: 2, white: 2}, at=NOON) == "OVER_LIMIT"


def test_each_thing_that_stands_against_an_order_has_its_name(rice, market):
    offer(rice, sale_from=NOON, sale_to=LATER)
    white, black = (each.item_id for each in read(rice).variants)
    bowl = do(merchants.add_item, merchant_id=rice, sku="bowl", name="碗", category="extra", price_fen=900)

    def at(moment, item_id=white, qty=1):
        (looked,) = do(merchants.look_at_lines, wanted={item_id: qty}, at=moment)
        return looked.refusal and looked.refusal.code

    moment = timedelta(microseconds=1)
    assert [at(NOON - moment), at(NOON), at(LATER - moment), at(LATER)] == ["SALE_NOT_BEGUN", None, None, "SALE_OVER"]
    assert at(NOON, uuid4()) == at(NOON, bowl) == "OFFERED_ITEM_UNKNOWN"
    terms = cooker(variants=(VariantTerms("rc5-b", "黑色", 1, is_sold=False),))
    do(merchants.change_product, merchant_id=rice, code="rc5", terms=terms, at=NOON)
    assert (at(NOON), at(NOON, black)) == (None, "PRODUCT_NOT_OFFERED")
    do(merchants.suspend_merchant, merchant_id=rice, at=NOON)
    assert at(NOON) == "PRODUCT_NOT_OFFERED"
    do(merchants.readmit_merchant, merchant_id=rice, at=NOON)
    do(merchants.withdraw_product, merchant_id=rice, code="rc5")
    assert at(NOON) == "PRODUCT_NOT_OFFERED"


@pytest.mark.parametrize("wanted", [{uuid4(): 0}, {uuid4(): -1}, {uuid4(): 10_000}, {uuid4(): 1 for _ in range(61)}])
def test_no_basket_asks_for_less_than_a_piece_or_for_everything(rice, wanted):
    assert refused(merchants.look_at_lines, wanted=wanted, at=NOON) == "WANTED_WRONG"


def test_a_payment_account_is_a_merchants_own(rice):
    assert do(merchants.get_payment_account, merchant="m_0002") is None
    do(merchants.set_payment_account, merchant_id=rice, account="acct_1AbC")
    assert do(merchants.get_payment_account, merchant="m_0002") == "acct_1AbC"
    assert refused(merchants.set_payment_account, merchant_id=rice, account="x") == "MERCHANT_TERMS_WRONG"
    assert refused(merchants.set_payment_account, merchant_id=uuid4(), account=None) == "MERCHANT_UNKNOWN"
    assert refused(merchants.get_payment_account, merchant="m_9") == "MERCHANT_UNKNOWN"


# --- constraints, past the code ---------------------------------------------------------------------------------------


def test_the_database_keeps_variants_with_their_merchant_and_prices_as_they_were(rice, market):
    product_id = add(rice)
    row = {"sku": "x", "name": "x", "category": "x", "price_fen": 1, "state": "sold"}
    with pytest.raises(IntegrityError), transaction() as tx:
        tx.execute(insert(Item).values(row | {"id": new_id(), "merchant_id": market.noodles, "product_id": product_id}))
    with pytest.raises(IntegrityError), transaction() as tx:
        tx.execute(insert(Item).values(row | {"id": new_id(), "merchant_id": rice, "variant": "红"}))
    for change in (update(ItemPrice).values(price_fen=1), delete(ItemPrice)):
        with pytest.raises((IntegrityError, OperationalError)), transaction() as tx:
            tx.execute(change)
    assert {row.price_fen for row in do(lambda tx: tx.scalars(select(ItemPrice)).all())} == {199_00, 219_00}


@pytest.mark.parametrize(
    "values",
    [
        {"state": "sold"},
        {"handover": "post"},
        {"limit_per_member": 0},
        {"sale_from": LATER, "sale_to": NOON},
        {"is_flash": True},
        {"name": ""},
        {"price_fen": -1},
    ],
)
def test_the_database_refuses_what_the_code_would(rice, values):
    add(rice)
    with pytest.raises(IntegrityError), transaction() as tx:
        tx.execute(update(Product).values(values))
