"""The member's pages through the whole application: what he sees of his card, of offers, of prices and of his receipts."""

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from starlette.testclient import TestClient

import cards
import merchants
from api import till
from cards.standing import CardFrozenError
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.ids import new_id
from tests.web.conftest import Works, csrf_in
from tests.web.market import TEN_PERCENT, add_member, digits_on, flat, follow, put_offer

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
Enter = Callable[[str], TestClient]


@pytest.fixture
def member(works: Works, enter: Enter, lunch: None) -> TestClient:
    """The member in his browser, with offers in force."""
    return enter("member")


def card_of(member_id: UUID) -> UUID:
    with transaction() as tx:
        return cards.get_card_page(tx, member_id=member_id, at=now()).card_id


def sell(works: Works, joining_fen: int, other_fen: int = 0, *, member_id: UUID | None = None) -> str:
    """A sale at the noodle shop by its till, and its public id."""
    with transaction() as tx:
        issued = cards.issue_code(tx, card_id=card_of(member_id or works.member_id), at=now())
    visit = till.open_visit_at_till(staff_id=works.staff_id, scanned=issued.code, at=now())
    return till.redeem_at_till(
        staff_id=works.staff_id,
        visit_id=visit.visit_id,
        keyed=till.AmountsKeyed(joining_fen, other_fen),
        key=str(new_id()),
        at=now(),
    ).public_id


def test_the_card_page_shows_a_code_that_opens_a_visit(member: TestClient, works: Works) -> None:
    page = member.get("/card")
    assert page.status_code == 200
    visit = till.open_visit_at_till(staff_id=works.staff_id, scanned=digits_on(page.text), at=now())
    assert visit.surname == "王"


def test_an_opened_page_and_a_second_one_show_the_same_code(member: TestClient) -> None:
    assert digits_on(member.get("/card").text) == digits_on(member.get("/card").text)


def test_the_code_comes_alone_when_htmx_asks_for_it(member: TestClient) -> None:
    part = member.get("/card/code", headers=PARTIAL)
    assert part.text.strip().startswith('<div id="code"')
    assert digits_on(part.text)
    assert "<html" not in part.text
    assert member.get("/card/code").headers["location"] == "/card"


def test_freezing_kills_the_code_at_once(member: TestClient, works: Works) -> None:
    page = member.get("/card").text
    answer = member.post("/card/freeze", data={"csrf_token": csrf_in(page)})
    frozen = follow(member, answer).text
    assert "卡已冻结" in frozen
    assert 'class="digits"' not in frozen
    with pytest.raises(CardFrozenError):
        till.open_visit_at_till(staff_id=works.staff_id, scanned=digits_on(page), at=now())


def test_a_frozen_card_has_no_offers_and_no_price(member: TestClient, works: Works) -> None:
    with transaction() as tx:
        cards.freeze_card(tx, card_id=card_of(works.member_id), at=now())
    assert "9 折" not in member.get("/card").text
    refused = member.get("/shops/s_0001?discountable=16")
    assert refused.status_code == 409
    assert "您的卡现在不能用" in refused.text


def test_the_card_shows_what_can_be_used_now(member: TestClient) -> None:
    page = member.get("/card").text
    assert "老王面馆一店" in page
    assert "9 折" in page
    assert "补 1 元" in page


def test_an_offer_that_was_used_up_today_is_not_usable_now(member: TestClient, works: Works) -> None:
    sell(works, 1600, 200)
    page = member.get("/card").text
    assert "9 折" in page
    assert "补 1 元" not in page


def test_a_closed_shop_is_not_on_the_card_nor_anywhere(member: TestClient, works: Works) -> None:
    with transaction() as tx:
        merchants.close_shop(tx, shop_id=works.shop_id)
    assert "老王面馆一店" not in member.get("/card").text
    assert "老王面馆一店" not in member.get("/offers").text
    assert member.get("/shops/s_0001").status_code == 404


def test_what_was_saved_this_year_is_on_the_card(member: TestClient, works: Works) -> None:
    sell(works, 1600, 200)
    page = flat(member.get("/card").text)
    assert re.search(r'class="money is-saved">¥2<small>\.60', page)
    assert re.search(r"每月省下多少.*?¥2\.60", page, re.DOTALL)


def test_shops_are_found_by_name_and_category(member: TestClient, works: Works) -> None:
    with transaction() as tx:
        books = merchants.admit_merchant(
            tx, code="m_0002", name="晨光图书", credit_code="91110108551385082Q", category="books", at=now()
        )
        merchants.add_shop(tx, merchant_id=books, code="s_0002", name="晨光书店", address="西门", till="amounts")
    assert "晨光书店" not in member.get("/offers?q=面馆").text
    assert "老王面馆一店" in member.get("/offers?q=面馆").text
    assert "老王面馆一店" not in member.get("/offers?category=books").text
    assert "晨光书店" in member.get("/offers?q=晨光图书").text
    part = member.get("/offers?q=书", headers=PARTIAL).text
    assert part.strip().startswith('<div id="list"')
    assert "没有找到" in member.get("/offers?q=没有这家").text


def test_many_shops_come_page_by_page(member: TestClient, works: Works) -> None:
    with transaction() as tx:
        for number in range(30):
            merchants.add_shop(
                tx,
                merchant_id=works.merchant_id,
                code=f"s_1{number:03}",
                name=f"分店 {number:03}",
                address="",
                till="amounts",
            )
    seen: list[str] = []
    path: str | None = "/offers"
    while path:
        page = member.get(path).text
        seen += re.findall(r'class="stall-name"><a href="/shops/(\w+)"', page)
        more = re.search(r'class="older"><a[^>]*href="([^"]+)"', page)
        path = more[1].replace("&amp;", "&") if more else None
    assert len(seen) == len(set(seen)) == 31


def test_the_noodle_shop_s_price_is_explained(member: TestClient) -> None:
    page = flat(member.get("/shops/s_0001?discountable=16.00&other=2").text)
    assert re.search(r"实付</dt><dd><span class=\"money money-big\">¥15<small>\.40", page)
    assert "省 ¥2.60" in page
    assert "面食九折" in page
    assert "1 件共 ¥16.00，减 10%，即 ¥1.60" in page
    assert "商户让利" in page
    assert "工会补贴" in page


def test_the_price_comes_alone_when_htmx_asks_for_it(member: TestClient) -> None:
    part = member.get("/shops/s_0001?discountable=16&other=2", headers=PARTIAL).text
    assert part.strip().startswith('<div id="quote"')
    assert "15<small>.40" in part


def test_an_offer_that_did_not_apply_says_why(member: TestClient, works: Works) -> None:
    terms = {**TEN_PERCENT, "id": "BIG", "stage": "order", "kind": "amount_off", "amount": 400, "min_spend": 3000}
    del terms["rate_bp"]
    put_offer(terms, title="满 30 减 4", title_en="¥4 off from ¥30", at=now())
    page = member.get("/shops/s_0001?discountable=16&lang=en").text
    assert "<strong>¥4 off from ¥30</strong>" in page
    assert "15.60 more of what takes part" in page


def test_the_price_page_says_what_a_little_more_would_bring_above_the_price(member: TestClient) -> None:
    terms = {**TEN_PERCENT, "id": "BIG", "stage": "order", "kind": "amount_off", "amount": 400, "min_spend": 3000}
    del terms["rate_bp"]
    put_offer(terms, title="满 30 减 4", title_en="¥4 off from ¥30", at=now())
    page = flat(member.get("/shops/s_0001?discountable=20&other=2").text)
    hint = page.index("<strong>再买 ¥12.00，可减 ¥4.00</strong>满 30 减 4")
    assert hint < page.index('class="step-paid"')
    assert 'class="hints"' not in member.get("/shops/s_0001?discountable=5").text  # far more than this purchase


def test_the_price_page_unfolds_each_line_and_says_that_it_is_the_best(member: TestClient) -> None:
    page = flat(member.get("/shops/s_0001?discountable=16.00&other=2").text)
    assert "允许的组合都比过了，这是最低价。" in page
    shares = page.partition("每一项各减多少、各付多少")[2]
    assert "<strong>参加优惠</strong><span>¥16.00 →<b>¥13.40</b>" in shares
    assert "商户让利 −¥1.60" in shares
    assert "<strong>不参加优惠</strong><span>¥2.00 →<b>¥2.00</b>" in shares


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("abc", "只填数字"),
        ("15.405", "最多两位小数"),
        ("-3", "不能是负数"),
        ("1000000.01", "一单最多"),
        ("0", "还没有填金额"),
    ],
)
def test_what_cannot_be_an_amount_is_said_on_the_page(member: TestClient, typed: str, sentence: str) -> None:
    page = member.get("/shops/s_0001", params={"discountable": typed})
    assert page.status_code == 422
    assert sentence in page.text
    assert 'class="quote"' not in page.text


def test_amounts_are_read_as_people_type_them(member: TestClient) -> None:
    for typed in ("15.4", "15.40", "１５．４", "¥15.40", "15。4 元"):
        page = member.get("/shops/s_0001", params={"other": typed})
        assert "¥15<small>.40" in page.text, typed


def test_a_shop_that_rings_items_prices_its_items(member: TestClient, works: Works) -> None:
    with transaction() as tx:
        merchants.add_shop(tx, merchant_id=works.merchant_id, code="s_0003", name="三店", address="", till="items")
        for sku, name, price in (("beef", "牛肉面", 1600), ("egg", "卤蛋", 200)):
            merchants.add_item(
                tx, merchant_id=works.merchant_id, sku=sku, name=name, category="noodles", price_fen=price
            )
    page = member.get("/shops/s_0003?qty.beef=1&qty.egg=2&other=")
    assert page.status_code == 200
    assert "牛肉面" in page.text
    assert "¥17<small>.00" in page.text  # (16 + 4) × 0.9 − 1


def test_receipts_are_listed_by_month_with_its_sums(member: TestClient, works: Works) -> None:
    sell(works, 1600, 200)
    voided = sell(works, 5000)
    till.void_at_till(staff_id=works.staff_id, sale=voided, key="void-0001", at=now())
    page = flat(member.get("/receipts").text)
    assert page.count('class="row-item') == 2
    assert re.search(r">1 \S+ · 实付 ¥15\.40 ·<span[^>]*>省 ¥2\.60<", page)
    assert "已撤销" in page


def test_older_receipts_are_a_page_further(member: TestClient, works: Works) -> None:
    made = [sell(works, 1000 + number) for number in range(33)]
    first = member.get("/receipts").text
    older = re.search(r'href="(/receipts\?before=[^"]+)"', first)
    assert older
    shown = re.findall(r'href="/receipts/([0-9a-f]{32})"', first + member.get(older[1]).text)
    assert shown == made[::-1]
    assert member.get("/receipts?before=nonsense").status_code == 404


def test_a_receipt_says_who_paid_what(member: TestClient, works: Works) -> None:
    sale = sell(works, 1600, 200)
    page = member.get(f"/receipts/{sale}").text
    for words in ("面食九折", "午餐补贴", "商户让利", "工会补贴", "省 ¥2.60", sale, sale[:6].upper(), "将写入公开台账"):
        assert words in page
    assert "参加优惠" in page
    english = member.get(f"/receipts/{sale}?lang=en").text
    assert "Noodles 10% off" in english
    assert "10% off: ¥1.60" in english


def test_a_receipt_keeps_why_the_others_did_not_apply_and_each_line_s_shares(member: TestClient, works: Works) -> None:
    terms = {**TEN_PERCENT, "id": "BIG", "stage": "order", "kind": "amount_off", "amount": 400, "min_spend": 3000}
    del terms["rate_bp"]
    put_offer(terms, title="满 30 减 4", title_en="¥4 off from ¥30", at=now())
    page = flat(member.get(f"/receipts/{sell(works, 2000, 200)}").text)
    assert "1 项优惠这次没用上" in page
    assert "<strong>满 30 减 4</strong>参加优惠的商品还差 ¥12.00" in page
    assert "每一项各减多少、各付多少" in page
    assert 'class="hints"' not in page  # nothing is to be decided any more


def test_a_refund_stands_on_the_receipt(member: TestClient, works: Works) -> None:
    sale = sell(works, 1600, 200)
    with transaction() as tx:
        issued = cards.issue_code(tx, card_id=card_of(works.member_id), at=now())
    visit = till.open_visit_at_till(staff_id=works.staff_id, scanned=issued.code, at=now()).visit_id
    till.refund_at_till(
        staff_id=works.staff_id, sale=sale, units={"amount": 1}, visit_id=visit, key="back-0001", at=now()
    )
    page = member.get(f"/receipts/{sale}").text
    assert "部分退款" in page
    assert "退给你 ¥13.40" in page  # 16.00 − 1.60 − 1.00: all of the union's yuan fell on what takes part


def test_a_receipt_keeps_the_names_of_what_was_bought(member: TestClient, works: Works) -> None:
    with transaction() as tx:
        shop = merchants.add_shop(
            tx, merchant_id=works.merchant_id, code="s_0003", name="三店", address="", till="items"
        )
        staff = merchants.add_staff(tx, merchant_id=works.merchant_id, name="小钱", shop_id=shop)
        merchants.add_item(
            tx, merchant_id=works.merchant_id, sku="beef", name="牛肉面", category="noodles", price_fen=1600
        )
        issued = cards.issue_code(tx, card_id=card_of(works.member_id), at=now())
    visit = till.open_visit_at_till(staff_id=staff, scanned=issued.code, at=now()).visit_id
    sale = till.redeem_at_till(
        staff_id=staff, visit_id=visit, keyed=till.ItemsKeyed([("beef", 2)]), key="items-0001", at=now()
    )
    with transaction() as tx:
        merchants.withdraw_item(tx, merchant_id=works.merchant_id, sku="beef")
    page = member.get(f"/receipts/{sale.public_id}").text
    assert "牛肉面" in page
    assert "¥16.00 × 2" in page


def test_another_s_receipt_is_as_unknown_as_none(member: TestClient, works: Works) -> None:
    other = sell(works, 1600, member_id=add_member(works))
    mine = sell(works, 1600)
    assert member.get(f"/receipts/{mine}").status_code == 200
    hidden, missing = member.get(f"/receipts/{other}"), member.get("/receipts/" + "0" * 32)
    assert hidden.status_code == missing.status_code == 404
    assert hidden.text.count("您没有这张小票") == missing.text.count("您没有这张小票") > 0
    assert other not in member.get("/receipts").text


def test_a_member_sees_only_his_own_savings(member: TestClient, works: Works) -> None:
    sell(works, 5000, member_id=add_member(works))
    assert re.search(r'class="money is-saved">¥0<small>\.00', flat(member.get("/card").text))


def test_the_months_of_the_picture_end_with_this_one(member: TestClient) -> None:
    page = member.get("/card").text
    described = re.search(r"<desc[^>]*>([^<]+)</desc>", page)
    assert described
    labels = [part.split()[0] for part in described[1].split("; ")]
    assert labels[-1] == f"{business_day(now()).month}月"
    assert len(labels) == 6
