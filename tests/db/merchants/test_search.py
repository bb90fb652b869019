"""Finding products: words, order, facets, pages."""

from dataclasses import replace
from datetime import timedelta

import pytest

import merchants
from market.kit.database import transaction
from market.sales.orders import stock
from merchants import ProductTerms, Search, VariantTerms
from tests.db.merchants.conftest import NOON, OFFICER

LATER = NOON + timedelta(days=1)


def do(act, **values):
    with transaction() as tx:
        return act(tx, **values)


def search(**more):
    with transaction() as tx:
        return merchants.search_products(tx, Search(at=LATER, **more))


def found(**more):
    return [product.code for product in search(**more).products]


def as_dict(facets):
    return {facet.value: facet.count for facet in facets}


@pytest.fixture
def goods(market):
    """Five products of two merchants, the later in the list the newer; and four that nobody sees."""
    do(merchants.add_point, code="east", name="东门", address="", by=OFFICER, at=NOON)
    do(merchants.add_point, code="west", name="西门", address="", by=OFFICER, at=NOON)
    minutes = iter(range(100))

    def offer(merchant_id, code, name, category, price, points=("east",), *, listed=True, **more):
        at = NOON + timedelta(minutes=next(minutes))
        variants = [VariantTerms(f"{code}-1", "白色", price), VariantTerms(f"{code}-2", "黑色", price + 10_00)]
        terms = ProductTerms(name, category, variants, points=points, **more)
        product_id = do(merchants.add_product, merchant_id=merchant_id, code=code, terms=terms, at=at)
        if listed:
            do(merchants.list_product, merchant_id=merchant_id, code=code)
        return product_id

    ids = {
        "fan-5l": offer(market.rice, "fan-5l", "智能电饭煲 5L", "appliance", 199_00),
        "pan": offer(market.rice, "pan", "不粘炒锅", "kitchen", 89_00, ("east", "west")),
        "cup": offer(market.noodles, "cup", "保温杯", "kitchen", 59_00, ("west",)),
        "ladle": offer(market.noodles, "ladle", "电饭煲 木勺", "kitchen", 9_90),
        "fan": offer(market.noodles, "fan", "落地电风扇", "appliance", 199_00, sale_from=LATER + timedelta(hours=1)),
    }
    offer(market.rice, "draft", "电饭煲 草稿", "appliance", 1_00, listed=False)
    offer(market.rice, "over", "电饭煲 已结束", "appliance", 1_00, sale_to=LATER)
    offer(market.rice, "gone", "电饭煲 下架", "appliance", 1_00)
    do(merchants.withdraw_product, merchant_id=market.rice, code="gone")
    return ids


def test_without_words_the_newest_come_first_and_only_what_is_offered(goods):
    page = search()
    assert [product.code for product in page.products] == ["fan", "ladle", "cup", "pan", "fan-5l"]
    fan = page.products[0]
    assert (fan.window, fan.price_fen, fan.most_fen, fan.picture) == ("soon", 199_00, 209_00, None)
    assert (fan.merchant, fan.merchant_name, len(fan.item_ids)) == ("m_0001", "兰州面馆", 2)
    assert page.facets.count == 5
    assert page.after is None


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("电饭煲", ["ladle", "fan-5l"]),
        ("dianfanbao", ["ladle", "fan-5l"]),
        ("dfb", ["ladle", "fan-5l"]),
        ("饭煲 5l", ["fan-5l"]),
        ("fan-5l", ["fan-5l"]),
        ("FAN", ["fan", "ladle", "fan-5l"]),  # the code that was typed first, then by pinyin
        ("bwb", ["cup"]),
        ("黑色", ["fan", "ladle", "cup", "pan", "fan-5l"]),
        ("lanzhou", ["fan", "ladle", "cup"]),
        ("锅 铲", []),
        ("！？", []),
        ("%", []),
        ("'; DROP TABLE product; --", []),
    ],
)
def test_words_are_found_in_chinese_pinyin_and_codes(goods, query, codes):
    assert found(query=query) == codes
    assert search(query=query).facets.count == len(codes)


def test_what_holds_the_text_as_typed_comes_before_what_only_sounds_so(goods, market):
    terms = ProductTerms("锅铲 guochan 款", "kitchen", [VariantTerms("x", "", 1_00)], handover="delivery")
    do(merchants.add_product, merchant_id=market.rice, code="old", terms=terms, at=NOON - timedelta(days=9))
    do(merchants.list_product, merchant_id=market.rice, code="old")
    terms = replace(terms, name="国产锅", variants=[VariantTerms("y", "", 1_00)])
    do(merchants.add_product, merchant_id=market.rice, code="new", terms=terms, at=NOON + timedelta(hours=9))
    do(merchants.list_product, merchant_id=market.rice, code="new")
    assert found(query="guochan") == ["old", "new"]


def test_by_price_the_cheapest_come_first(goods):
    assert found(order="price")[:3] == ["ladle", "cup", "pan"]
    assert found(order="price", query="电饭煲") == ["ladle", "fan-5l"]


def test_facets_count_what_there_would_be_with_the_others_kept(goods):
    facets = search().facets
    assert as_dict(facets.categories) == {"kitchen": 3, "appliance": 2}
    assert as_dict(facets.merchants) == {"m_0001": 3, "m_0002": 2}
    assert [(facet.value, facet.name) for facet in facets.points] == [("east", "东门"), ("west", "西门")]
    assert as_dict(facets.points) == {"east": 4, "west": 2}
    assert as_dict(facets.bands) == {"0": 1, "1": 2, "2": 2}
    narrowed = search(category="kitchen", point="west").facets
    assert as_dict(narrowed.categories) == {"kitchen": 2}
    assert as_dict(narrowed.merchants) == {"m_0001": 1, "m_0002": 1}
    assert as_dict(narrowed.points) == {"east": 2, "west": 2}
    assert as_dict(narrowed.bands) == {"1": 2}
    assert narrowed.count == 2


def test_each_facet_narrows_and_together_they_narrow_more(goods):
    assert found(category="appliance") == ["fan", "fan-5l"]
    assert found(merchant="m_0002") == ["pan", "fan-5l"]
    assert found(band=1) == ["cup", "pan"]
    assert found(point="west") == ["cup", "pan"]
    assert found(category="kitchen", merchant="m_0001", band=1, point="west", query="杯") == ["cup"]
    assert found(category="nothing") == found(merchant="nobody") == found(band=99) == found(point="nowhere") == []
    assert search(category="nothing").facets.count == 0


def test_only_those_within_count(goods):
    assert found(within=[goods["cup"], goods["fan"]]) == ["fan", "cup"]
    assert as_dict(search(within=[goods["cup"]]).facets.points) == {"west": 1}
    assert found(within=[]) == []


@pytest.mark.parametrize("more", [{}, {"order": "price"}, {"query": "黑色"}, {"query": "fan"}])
def test_pages_show_everything_once_in_one_order(goods, more):
    whole = found(**more)
    pages, after = [], None
    while True:
        page = search(**more, after=after, limit=1)
        pages += [product.code for product in page.products]
        if (after := page.after) is None:
            break
    assert pages == whole


def test_what_is_new_does_not_shift_the_next_page(goods, market):
    first = search(limit=2)
    terms = ProductTerms("新品", "kitchen", [VariantTerms("n", "", 1_00)], handover="delivery")
    do(merchants.add_product, merchant_id=market.rice, code="new", terms=terms, at=LATER)
    do(merchants.list_product, merchant_id=market.rice, code="new")
    assert found(limit=9, after=first.after) == ["cup", "pan", "fan-5l"]


def test_a_suspended_merchant_sells_nothing(goods, market):
    do(merchants.suspend_merchant, merchant_id=market.noodles, at=NOON)
    assert found() == ["pan", "fan-5l"]


def test_the_index_of_words_is_used(goods):
    with transaction() as tx:
        tx.connection().exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = tx.connection().exec_driver_sql("EXPLAIN SELECT id FROM product WHERE words @> ARRAY['dfb']").scalars()
        assert "ix_product_words" in " ".join(plan)


# --- what is in stock -------------------------------------------------------------------------------------------------


def receive(product_id, sku, pieces=1):
    with transaction() as tx:
        variant = next(
            v for v in merchants.get_products(tx, product_ids=[product_id])[product_id].variants if v.sku == sku
        )
        stock.receive_stock(tx, item_id=variant.item_id, pieces=pieces, by=OFFICER, key=sku, at=NOON)
    return variant.item_id


@pytest.fixture
def stocked(goods):
    """One variant of the pan, both of the cup and of the ladle; nothing of the fan and the cooker."""
    for code, number in (("pan", 2), ("cup", 1), ("cup", 2), ("ladle", 1), ("ladle", 2)):
        receive(goods[code], f"{code}-{number}")
    return goods


def test_nothing_is_in_stock_that_nobody_received(goods):
    assert found(in_stock=True) == []
    assert search().facets.stock == ()


def test_what_has_a_piece_free_is_found_and_counted_with_the_other_facets_kept(stocked):
    page = search(in_stock=True)
    assert [product.code for product in page.products] == ["ladle", "cup", "pan"]
    assert (page.facets.count, as_dict(page.facets.stock)) == (3, {"in": 3})
    assert as_dict(page.facets.categories) == {"kitchen": 3}
    assert as_dict(page.facets.points) == {"east": 2, "west": 2}
    assert as_dict(page.facets.merchants) == {"m_0001": 2, "m_0002": 1}
    unchosen = search().facets
    assert (unchosen.count, as_dict(unchosen.stock)) == (5, {"in": 3})
    assert as_dict(search(point="west").facets.stock) == {"in": 2}
    assert as_dict(search(query="dfb").facets.stock) == {"in": 1}
    assert found(in_stock=True, query="dfb") == ["ladle"]
    assert found(in_stock=True, order="price") == ["ladle", "cup", "pan"]


def test_what_is_sold_out_or_no_longer_on_sale_is_not_in_stock(stocked, market):
    pan = next(
        v for v in do(merchants.get_products, product_ids=[stocked["pan"]])[stocked["pan"]].variants if v.sku == "pan-2"
    )
    do(stock.write_off_stock, item_id=pan.item_id, pieces=1, reason="坏了", by=OFFICER, key="gone", at=NOON)
    assert found(in_stock=True) == ["ladle", "cup"]
    receive(stocked["fan"], "fan-2")
    assert found(in_stock=True) == ["fan", "ladle", "cup"]
    white, black = VariantTerms("fan-1", "白色", 199_00), VariantTerms("fan-2", "黑色", 1, is_sold=False)
    terms = ProductTerms("落地电风扇", "appliance", [white, black], points=("east",))
    do(merchants.change_product, merchant_id=market.noodles, code="fan", terms=terms, at=LATER)
    assert found(in_stock=True) == ["ladle", "cup"]


@pytest.mark.parametrize("order", ["newest", "price"])
def test_pages_of_what_is_in_stock_show_everything_once_and_go_on_by_key(stocked, order):
    whole, pages, after = found(in_stock=True, order=order), [], None
    for _ in range(9):
        page = search(in_stock=True, order=order, after=after, limit=1)
        pages += [product.code for product in page.products]
        if (after := page.after) is None:
            break
        if len(pages) == 1:
            receive(stocked["fan-5l"], "fan-5l-1")  # the oldest and, with another, the dearest: it comes last
    assert pages == [*whole, "fan-5l"]
