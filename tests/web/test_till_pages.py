"""The till's pages through the whole application: from the code to the sale, and everything that may go wrong on the way."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import segno
from PIL import Image
from sqlalchemy import update
from starlette.testclient import TestClient

import cards
import merchants
from api import till
from cards.models import Visit
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.ids import new_id
from tests.web.conftest import Works, csrf_in
from tests.web.market import TEN_PERCENT, ask, fields_of, follow, issue, open_visit, put_offer, sell, send
from tests.world import count, findings

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
Enter = Callable[[str], TestClient]


@pytest.fixture
def assistant(works: Works, enter: Enter, lunch: None) -> TestClient:
    """The assistant at the noodle shop's phone, with offers in force."""
    return enter("assistant")


def items_shop(works: Works) -> None:
    """The noodle shop rings items from now on."""
    with transaction() as tx:
        shop = merchants.add_shop(
            tx, merchant_id=works.merchant_id, code="s_0003", name="三店", address="", till="items"
        )
        for sku, name, price in (("beef", "牛肉面", 1600), ("egg", "卤蛋", 200)):
            merchants.add_item(
                tx, merchant_id=works.merchant_id, sku=sku, name=name, category="noodles", price_fen=price
            )
        tx.connection().exec_driver_sql("UPDATE staff SET shop_id = %s WHERE id = %s", (shop, works.staff_id))


# --- from the code to the sale ----------------------------------------------------------------------------------------


def test_the_noodle_shop_sells_a_bowl_and_an_egg_for_15_40(assistant: TestClient, works: Works) -> None:
    quoted, visit = ask(assistant, works)
    assert quoted.status_code == 200
    for figure in ("¥18<small>.00", "−¥2<small>.60", "¥15<small>.40"):
        assert figure in quoted.text
    done = follow(assistant, send(assistant, quoted, f"{visit}/redeem"))
    assert "完成" in done.text
    assert "¥15<small>.40" in done.text
    assert count("sale") == 1
    assert findings() == []


def test_a_form_sent_twice_is_one_sale(assistant: TestClient, works: Works) -> None:
    quoted, visit = ask(assistant, works)
    fields = fields_of(quoted.text, f"{visit}/redeem")
    answers = [assistant.post(f"{visit}/redeem", data=fields).headers["location"] for _ in range(3)]
    assert len(set(answers)) == 1
    assert count("sale") == 1


def test_eight_thumbs_on_one_button_are_one_sale(assistant: TestClient, works: Works) -> None:
    quoted, visit = ask(assistant, works)
    fields = fields_of(quoted.text, f"{visit}/redeem")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: assistant.post(f"{visit}/redeem", data=fields), range(8)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert count("sale") == 1


def test_the_till_is_told_a_surname_and_no_reason(assistant: TestClient, works: Works) -> None:
    quoted, visit = ask(assistant, works)
    opened = assistant.get(visit)
    done = follow(assistant, send(assistant, quoted, f"{visit}/redeem"))
    sale = assistant.get(str(done.url).removesuffix("/done"))
    for page in (opened, quoted, done, sale, assistant.get("/till/today")):
        assert page.status_code == 200
        for secret in ("王小明", "小明", "面食九折", "午餐补贴", "NOODLE10", "UNION1", "让利", "补贴", "10001"):
            assert secret not in page.text, (page.url, secret)
    assert "王" in opened.text


def test_the_price_comes_alone_when_htmx_asks_for_it(assistant: TestClient, works: Works) -> None:
    page, visit = open_visit(assistant, works)
    fields = {**fields_of(page.text, f"{visit}/quote"), "discountable": "16", "other": "2"}
    part = assistant.post(f"{visit}/quote", data=fields, headers=PARTIAL)
    assert part.text.strip().startswith('<div id="work"')
    assert "¥15<small>.40" in part.text
    assert "csrf_token" in part.text


def test_the_amounts_can_be_changed_after_the_price(assistant: TestClient, works: Works) -> None:
    quoted, visit = ask(assistant, works, "16", "2")
    again = assistant.get(visit, params=fields_of(quoted.text, visit))
    fields = fields_of(again.text, f"{visit}/quote")
    assert (fields["discountable"], fields["other"]) == ("16", "2")


def test_a_shop_that_rings_items_sells_items(assistant: TestClient, works: Works) -> None:
    items_shop(works)
    page, visit = open_visit(assistant, works)
    assert "牛肉面" in page.text
    quoted = send(assistant, page, f"{visit}/quote", **{"qty.beef": "2", "qty.egg": "1", "other": "3.5"})
    assert "¥37<small>.50" in quoted.text  # 32 + 2 + 3.50
    done = follow(assistant, send(assistant, quoted, f"{visit}/redeem"))
    assert "¥33<small>.10" in done.text  # − 10 % of 34 − 1
    sale = assistant.get(str(done.url).removesuffix("/done"))
    assert "牛肉面" in sale.text
    assert "买 2" in sale.text


@pytest.mark.parametrize("typed", ["15.4", "１５．４０", " ¥15.40 ", "15。4"])
def test_amounts_are_read_as_people_type_them(assistant: TestClient, works: Works, typed: str) -> None:
    quoted, _ = ask(assistant, works, "", typed)
    assert "¥15<small>.40" in quoted.text


# --- the code ---------------------------------------------------------------------------------------------------------


def test_a_photo_of_the_qr_opens_the_visit(assistant: TestClient, works: Works) -> None:
    drawn = io.BytesIO()
    segno.make(issue(works).qr, error="m").save(drawn, kind="png", scale=9, border=4)
    photo = Image.new("RGB", (1800, 1300), (90, 110, 100))
    photo.paste(Image.open(drawn).convert("RGB").rotate(11, expand=True, fillcolor=(255, 255, 255)), (500, 200))
    taken = io.BytesIO()
    photo.save(taken, "JPEG", quality=70)
    page = assistant.get("/till/scan")
    answer = assistant.post(
        "/till/scan",
        data={"csrf_token": csrf_in(page.text)},
        files={"photo": ("photo.jpg", taken.getvalue(), "image/jpeg")},
    )
    assert "王" in follow(assistant, answer).text


@pytest.mark.parametrize("kind", ["none", "empty", "text", "torn", "bomb", "blank"])
def test_a_photo_that_shows_no_code_is_refused_on_the_page(assistant: TestClient, kind: str) -> None:
    blank, bomb = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (400, 300), (200, 200, 200)).save(blank, "JPEG")
    if kind == "bomb":
        Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    sent = {
        "empty": b"",
        "text": b"hello",
        "torn": blank.getvalue()[:200],
        "bomb": bomb.getvalue(),
        "blank": blank.getvalue(),
    }
    files = {} if kind == "none" else {"photo": ("photo.jpg", sent[kind], "image/jpeg")}
    token = csrf_in(assistant.get("/till/scan").text)
    answer = assistant.post("/till/scan", data={"csrf_token": token}, files=files)
    assert answer.status_code == 422
    assert "照片里没有找到二维码" in answer.text if kind == "blank" else "这个文件打不开" in answer.text


def test_a_code_may_be_typed_with_spaces(assistant: TestClient, works: Works) -> None:
    code = issue(works).code
    answer = send(assistant, assistant.get("/till/code"), "/till/visits", code=f"{code[:4]} {code[4:]}")
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("code", "status", "sentence"),
    [
        ("12345678", 404, "没有这个会员码"),
        ("1234", 422, "这不是会员码"),
        ("", 422, "这不是会员码"),
        ("abcdefgh", 422, "这不是会员码"),
    ],
)
def test_a_wrong_typed_code_is_refused_beside_its_field(
    assistant: TestClient, code: str, status: int, sentence: str
) -> None:
    answer = send(assistant, assistant.get("/till/code"), "/till/visits", code=code)
    assert answer.status_code == status
    assert sentence in answer.text
    assert fields_of(answer.text, "/till/visits")["code"].replace(" ", "") == (code if code.isdecimal() else "")


def test_a_wrong_scanned_code_is_refused_on_a_page_of_its_own(assistant: TestClient) -> None:
    answer = send(assistant, assistant.get("/till/scan"), "/till/visits", code="https://pay.example/x")
    assert answer.status_code == 422
    assert 'href="/till/scan"' in answer.text
    assert "data-scan" not in answer.text


def test_a_used_code_is_refused(assistant: TestClient, works: Works) -> None:
    page, visit = open_visit(assistant, works)
    quoted = send(assistant, page, f"{visit}/quote", discountable="16")
    send(assistant, quoted, f"{visit}/redeem")
    with transaction() as tx:
        code = tx.connection().exec_driver_sql("SELECT code FROM card_code").scalar_one()
    answer = send(assistant, assistant.get("/till/code"), "/till/visits", code=code)
    assert answer.status_code == 409
    assert "这次到店已经核销过" in answer.text
    assert 'href="/till/today"' in answer.text


def test_guessing_codes_is_stopped(assistant: TestClient) -> None:
    page = assistant.get("/till/code")
    answers = [send(assistant, page, "/till/visits", code=f"{number:08}") for number in range(11)]
    assert [answer.status_code for answer in answers] == [404] * 10 + [429]
    assert "分钟后再试" in answers[-1].text


def test_a_frozen_card_is_refused_with_the_next_step(assistant: TestClient, works: Works) -> None:
    code = issue(works).code
    with transaction() as tx:
        cards.freeze_card(tx, card_id=cards.get_card_page(tx, member_id=works.member_id, at=now()).card_id, at=now())
    answer = send(assistant, assistant.get("/till/code"), "/till/visits", code=code)
    assert answer.status_code == 409
    assert "请会员到工会窗口解冻" in answer.text


# --- the visit --------------------------------------------------------------------------------------------------------


def test_an_overdue_visit_leads_back_to_the_scanner(assistant: TestClient, works: Works) -> None:
    quoted, visit = ask(assistant, works)
    with transaction() as tx:
        tx.execute(
            update(Visit).values(opened_at=now() - timedelta(minutes=6), expires_at=now() - timedelta(minutes=1))
        )
    for answer in (assistant.get(visit), send(assistant, quoted, f"{visit}/redeem")):
        assert answer.status_code == 409
        assert "扫码后已超过 5 分钟" in answer.text
        assert 'href="/till/scan"' in answer.text
    part = assistant.post(f"{visit}/quote", data=fields_of(quoted.text, f"{visit}/redeem"), headers=PARTIAL)
    assert part.text.strip().startswith("<section")
    assert count("sale") == 0


def test_another_shop_s_visit_is_unknown(assistant: TestClient, works: Works) -> None:
    with transaction() as tx:
        shop = merchants.add_shop(tx, merchant_id=works.merchant_id, code="s_0009", name="九店", address="")
        staff = merchants.add_staff(tx, merchant_id=works.merchant_id, name="小周", shop_id=shop)
    visit = till.open_visit_at_till(staff_id=staff, scanned=issue(works).code, at=now()).visit_id
    assert assistant.get(f"/till/visits/{visit}").status_code == 404
    assert "王" not in assistant.get(f"/till/visits/{visit}").text


@pytest.mark.parametrize(
    ("discountable", "other", "sentence"),
    [
        ("", "", "还没有填金额"),
        ("0", "0.00", "还没有填金额"),
        ("abc", "", "“参加优惠”只填数字"),
        ("", "1.234", "“不参加优惠”最多两位小数"),
        ("-5", "", "“参加优惠”不能是负数"),
        ("600000", "600000", "一单最多 ¥1,000,000"),
        ("99999999999", "", "一单最多 ¥1,000,000"),
    ],
)
def test_what_cannot_be_rung_is_said_beside_the_fields(
    assistant: TestClient, works: Works, discountable: str, other: str, sentence: str
) -> None:
    answer, visit = ask(assistant, works, discountable, other)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert fields_of(answer.text, f"{visit}/quote")["discountable"] == discountable
    assert count("sale") == 0


def test_a_changed_price_is_said_again_under_a_new_key(assistant: TestClient, works: Works) -> None:
    quoted, visit = ask(assistant, works)
    put_offer({**TEN_PERCENT, "id": "HALF", "rate_bp": 5000}, title="半价", title_en="Half", at=now())
    wait_for_book()
    fields = fields_of(quoted.text, f"{visit}/redeem")
    changed = assistant.post(f"{visit}/redeem", data=fields)
    assert changed.status_code == 409
    assert "价格已变化" in changed.text
    assert "¥9<small>.00" in changed.text
    again = fields_of(changed.text, f"{visit}/redeem")
    assert again["key"] != fields["key"]
    assert "¥9<small>.00" in follow(assistant, assistant.post(f"{visit}/redeem", data=again)).text
    assert count("sale") == 1


def wait_for_book() -> None:
    """A process asks twice a second whether the offers have changed."""
    import time  # noqa: PLC0415

    time.sleep(0.6)


def test_an_unusual_amount_needs_a_tick(assistant: TestClient, works: Works) -> None:
    for _ in range(3):
        sell(assistant, works)
    quoted, visit = ask(assistant, works, "154", "")
    assert 'name="confirm_unusual"' in quoted.text
    fields = fields_of(quoted.text, f"{visit}/redeem")
    untold = assistant.post(f"{visit}/redeem", data=fields)
    assert untold.status_code == 409
    assert "金额比平时大很多" in untold.text
    assert count("sale") == 3
    ticked = {**fields_of(untold.text, f"{visit}/redeem"), "confirm_unusual": "1"}
    assert assistant.post(f"{visit}/redeem", data=ticked).status_code == 303
    assert 'name="confirm_unusual"' not in ask(assistant, works, "54", "")[0].text  # 3 × 18.00 is still usual


def test_a_visit_sold_once_is_not_sold_again(assistant: TestClient, works: Works) -> None:
    quoted, visit = ask(assistant, works)
    second = send(assistant, assistant.get(visit), f"{visit}/quote", discountable="9")
    assert send(assistant, quoted, f"{visit}/redeem").status_code == 303
    refused = send(assistant, second, f"{visit}/redeem")
    assert refused.status_code == 409
    assert 'href="/till/today"' in refused.text
    assert count("sale") == 1


def test_a_closed_shop_is_told_so_where_the_assistant_stands(assistant: TestClient, works: Works) -> None:
    quoted, visit = ask(assistant, works)
    with transaction() as tx:
        merchants.close_shop(tx, shop_id=works.shop_id)
    answer = send(assistant, quoted, f"{visit}/redeem")
    assert answer.status_code == 403
    assert "本店收银已关闭" in answer.text
    assert assistant.get("/till/today").status_code == 200
    assert count("sale") == 0


def test_who_left_the_staff_sees_nothing_of_the_shop(assistant: TestClient, works: Works) -> None:
    sale = sell(assistant, works)
    with transaction() as tx:
        merchants.end_staff(tx, staff_id=works.staff_id)
    for path in ("/till", "/till/today", "/till/code", f"/till/sales/{sale}", f"/till/sales/{sale}/done"):
        assert assistant.get(path).status_code == 403, path


def test_a_key_used_for_another_basket_sells_nothing_twice(assistant: TestClient, works: Works) -> None:
    first, visit = ask(assistant, works)
    fields = fields_of(first.text, f"{visit}/redeem")
    assert assistant.post(f"{visit}/redeem", data=fields).status_code == 303
    other, second = ask(assistant, works, "9", "")
    stolen = {**fields_of(other.text, f"{second}/redeem"), "key": fields["key"]}
    answer = assistant.post(f"{second}/redeem", data=stolen)
    assert answer.status_code == 422
    assert fields_of(answer.text, f"{second}/redeem")["key"] not in {fields["key"], str(new_id())}
    assert count("sale") == 1
