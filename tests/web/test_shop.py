"""The members' shop through the application: browse, narrow, go on, one product; hostile addresses."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

import merchants
from api.pages.cursor import read_place, write_place
from market.kit.clock import now
from market.kit.database import transaction
from market.sales.orders import stock
from merchants import ProductTerms, VariantTerms
from tests.stages import Begun, Stage
from tests.web.conftest import Works
from tests.web.market import flat

Enter = Callable[[str], TestClient]


@pytest.fixture(scope="session")
def cups_stage(works_stage: Stage) -> Stage:
    return works_stage.further("cups", sell_cups, on="works")


@pytest.fixture
def member(works: Works, begun: Begun, cups_stage: Stage, enter: Enter) -> TestClient:
    """A member, and 45 products."""
    begun.take("cups", sell_cups, works)
    return enter("member")


def sell_cups(works: Works) -> None:
    """45 cups, the last with a sale that begins tomorrow."""
    at = now()
    with transaction() as tx:
        merchants.add_point(
            tx, code="east", name="东门自提点", address="传达室", by=works.accounts["officer"], at=now()
        )
        for number in range(45):
            terms = ProductTerms(
                f"保温杯 {number:02} 号",
                "kitchen" if number % 2 else "gift",
                [VariantTerms(f"cup-{number}", "", 10_00 + number * 100)],
                handover="both",
                points=("east",),
                sale_from=at + timedelta(days=1) if number == 44 else None,
            )
            own = {"merchant_id": works.merchant_id, "code": f"cup-{number:02}"}
            merchants.add_product(tx, **own, terms=terms, at=at - timedelta(hours=99 - number))
            merchants.list_product(tx, **own)


def test_the_shop_is_browsed_page_by_page(member: TestClient) -> None:
    first = flat(member.get("/shop").text)
    assert first.count('<article class="good">') == 40
    assert "45 件商品" in first
    assert "保温杯 44 号" in first
    onward = first.split('id="more"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    second = member.get(onward, headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    assert second.text.count('<article class="good">') == 5
    assert "<html" not in second.text
    assert flat(member.get(onward).text).count('<article class="good">') == 5


def test_the_shop_is_narrowed_and_ordered(member: TestClient) -> None:
    page = flat(member.get("/shop?category=gift&order=price&band=0&point=east&merchant=m_0001").text)
    assert page.index("保温杯 00 号") < page.index("保温杯 02 号")
    assert "保温杯 01 号" not in page
    assert '<details class="sift" open>' in page
    part = member.get("/shop?q=bwb", headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    assert part.text.lstrip().startswith('<div id="list"')


def test_what_is_not_found_is_helped_on(member: TestClient) -> None:
    page = flat(member.get("/shop?q=电炖锅&category=gift").text)
    assert "没有找到这样的商品" in page
    assert "去掉筛选再找" in page
    assert flat(member.get("/shop?q=&category=").text).count('<article class="good">') == 40


def test_a_product_says_when_it_can_be_had(member: TestClient, works: Works) -> None:
    page = flat(member.get("/shop/m_0001/cup-44").text)
    assert "开售，到时再来" in page
    assert "自提或送货" in page
    assert "传达室" in page
    english = member.get("/shop/m_0001/cup-43?lang=en").text
    assert "Pick-up or delivery" in english
    assert "List price" in english


def test_what_is_not_offered_is_not_there(member: TestClient, works: Works) -> None:
    with transaction() as tx:
        merchants.withdraw_product(tx, merchant_id=works.merchant_id, code="cup-00")
    for path in ("cup-00", "nothing", "cup-01/", "..%2F", "cup-01?sku=%00"):
        assert member.get(f"/shop/m_0001/{path}").status_code in {404, 422}, path
    with transaction() as tx:
        merchants.suspend_merchant(tx, merchant_id=works.merchant_id, at=now())
    assert member.get("/shop/m_0001/cup-01").status_code == 404
    assert "还没有商品上架" in member.get("/shop").text


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "q=" + "a" * 101,
        "category=%00",
        "category='",
        "merchant=a%20b",
        "band=9",
        "band=-1",
        "band=x",
        "point=%ff",
        "order=rank",
    ],
)
def test_an_address_of_the_wrong_form_is_malformed(member: TestClient, query: str) -> None:
    assert member.get(f"/shop?{query}").status_code == 422


@pytest.mark.parametrize("after", ["x", "eA", "%E7%94%B5", "=", "MCAyMDI2", "MSAyMDI2LTAxLTAxIDEgMQ"])
def test_a_cursor_that_no_page_wrote_begins_at_the_beginning(member: TestClient, after: str) -> None:
    assert member.get(f"/shop?after={after}").text.count('<article class="good">') == 40


def test_a_cursor_beyond_all_numbers_is_no_fault(member: TestClient) -> None:
    at = now()
    with transaction() as tx:
        product = merchants.find_product(tx, merchant="m_0001", code="cup-01")
    assert product is not None
    for rank, fen in ((10**30, 1), (1, 10**30), (-(10**30), 1)):
        assert (
            member.get(f"/shop?after={write_place(rank, at, fen, product.product_id)}&order=price").status_code == 200
        )
    far = write_place(0, at.replace(year=9999), 0, product.product_id)
    assert read_place(far) is not None
    assert member.get(f"/shop?after={far}").status_code == 200


def test_nobody_but_members_shops(works: Works, enter: Enter) -> None:
    assert enter("owner").get("/shop").status_code == 403


def test_members_may_look_only_at_what_is_in_stock(
    member: TestClient, works: Works, new_token: Callable[[str], str]
) -> None:
    assert "只看有货" not in member.get("/shop").text, "nothing is in stock"
    with transaction() as tx:
        cup = merchants.get_own_product(tx, merchant_id=works.merchant_id, code="cup-07")
        stock.receive_stock(tx, item_id=cup.variants[0].item_id, pieces=2, by=works.staff_id, key="lorry", at=now())
    assert 'href="/shop?stock=in"' in member.get("/shop").text
    page = flat(member.get("/shop?stock=in").text)
    assert "1 件商品" in page
    assert "保温杯 07 号" in page
    assert "保温杯 08 号" not in page
    assert '<input type="hidden" name="stock" value="in">' in page, "a search keeps it"
    assert "没有找到" in member.get("/shop?stock=in&category=kitchen&q=08").text
    assert member.get("/shop?stock=out").status_code == 422
    found = member.get("/api/shop/products?stock=in", headers={"Authorization": f"Bearer {new_token('member')}"}).json()
    assert ([each["code"] for each in found["products"]], found["count"]) == (["cup-07"], 1)
    assert found["stock"] == [{"value": "in", "name": "in", "count": 1}]
