"""Finding products: words, order, facets, pages."""

from dataclasses import replace
from datetime import timedelta

import pytest

import merchants
from market.kit.database import transaction
from merchants import ProductTerms, Search, VariantTerms
from tests.db.merchants.conftest import NOON

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
    do(merchants.add_point, code="east", name="东门", address="")
    do(merchants.add_point, code="west", name="西门", address="")
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
