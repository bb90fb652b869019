"""What a shop sold today, voids and refunds through the pages: everything goes back once, and only to whom it came from."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

import merchants
from api import till
from market.kit.clock import now
from market.kit.database import transaction
from market.sales.models import Sale
from tests.web.conftest import Works, csrf_in
from tests.web.market import add_member, fields_of, flat, follow, issue, sell, send
from tests.world import count, findings

Enter = Callable[[str], TestClient]


@pytest.fixture
def assistant(works: Works, enter: Enter, lunch: None) -> TestClient:
    """The assistant at the noodle shop's phone, with offers in force."""
    return enter("assistant")


def age_sale(sale: str, minutes: int) -> None:
    """Let a sale have been made earlier; the guard that forbids it is set aside for the test alone."""
    with transaction() as tx:
        tx.connection().exec_driver_sql("SET LOCAL session_replication_role = replica")
        tx.execute(update(Sale).where(Sale.public_id == sale).values(at=Sale.at - timedelta(minutes=minutes)))


def test_today_adds_up_without_what_went_back(assistant: TestClient, works: Works) -> None:
    kept = sell(assistant, works)  # 18.00 → 15.40
    sell(assistant, works, "10", "")  # → 9.00, the union's yuan was for today's first
    voided = sell(assistant, works, "20", "")
    send(assistant, assistant.get(f"/till/sales/{voided}/done"), f"/till/sales/{voided}/void")
    page = flat(assistant.get("/till/today").text)
    assert re.search(r"笔数</dt><dd>2</dd>", page)
    for figure in ("¥28<small>.00", "¥3<small>.60", "¥24<small>.40"):
        assert figure in page
    assert page.count('class="sale-link"') == 3
    assert "已撤销" in page
    assert kept[:6].upper() in page
    assert "2 笔 · ¥24.40" in flat(assistant.get("/till").text)


def test_a_long_day_comes_page_by_page(assistant: TestClient, works: Works) -> None:
    made = []
    for number in range(53):
        visit = till.open_visit_at_till(staff_id=works.staff_id, scanned=issue(works).code, at=now()).visit_id
        sold = till.redeem_at_till(
            staff_id=works.staff_id, visit_id=visit, keyed=till.AmountsKeyed(1000, 0), key=f"sale-{number:04}", at=now()
        )
        made.append(sold.public_id)
    first = assistant.get("/till/today").text
    older = re.search(r'href="(/till/today\?before=[^"]+)"', first)
    assert older
    shown = re.findall(r'class="sale-link" href="/till/sales/([0-9a-f]{32})"', first + assistant.get(older[1]).text)
    assert shown == made[::-1]
    assert assistant.get("/till/today?before=nonsense").status_code == 404


def test_a_void_within_ten_minutes_gives_all_back(assistant: TestClient, works: Works) -> None:
    sale = sell(assistant, works)
    done = assistant.get(f"/till/sales/{sale}/done")
    assert "还有 10 分钟" in done.text
    answer = send(assistant, done, f"/till/sales/{sale}/void")
    voided = follow(assistant, answer)
    assert "把 ¥15.40 当面退给顾客" in voided.text
    assert f'action="/till/sales/{sale}/void"' not in voided.text
    assert send(assistant, done, f"/till/sales/{sale}/void").status_code == 303  # the same button again
    assert count("reversal") == 1
    assert findings() == []


def test_a_void_too_late_leads_to_the_refund(assistant: TestClient, works: Works) -> None:
    sale = sell(assistant, works)
    done = assistant.get(f"/till/sales/{sale}/done")
    age_sale(sale, 11)
    answer = send(assistant, done, f"/till/sales/{sale}/void")
    assert answer.status_code == 409
    assert "已超过 10 分钟" in answer.text
    assert f'action="/till/sales/{sale}/refund/preview"' in answer.text
    assert "/void" not in assistant.get("/till/today").text


def test_a_refund_by_line_needs_the_buyer_s_code(assistant: TestClient, works: Works) -> None:
    sale = sell(assistant, works)
    path = f"/till/sales/{sale}"
    seen = send(assistant, assistant.get(path), f"{path}/refund/preview", **{"units.other": "1"})
    assert "退 ¥2.00，确认" in seen.text
    back = follow(assistant, send(assistant, seen, f"{path}/refund", code=issue(works).code))
    assert "部分退款" in back.text
    assert "−¥2<small>.00" in back.text
    assert count("reversal") == 1
    assert findings() == []


def test_a_refund_tapped_twice_is_one_refund(assistant: TestClient, works: Works) -> None:
    sale = sell(assistant, works)
    path = f"/till/sales/{sale}"
    seen = send(assistant, assistant.get(path), f"{path}/refund/preview", **{"units.other": "1"})
    fields = {**fields_of(seen.text, f"{path}/refund"), "code": issue(works).code}
    assert [assistant.post(f"{path}/refund", data=fields).status_code for _ in range(2)] == [303, 303]
    assert count("reversal") == 1


def test_another_member_s_code_refunds_nothing(assistant: TestClient, works: Works) -> None:
    sale, other = sell(assistant, works), add_member(works)
    path = f"/till/sales/{sale}"
    seen = send(assistant, assistant.get(path), f"{path}/refund/preview", **{"units.amount": "1"})
    answer = send(assistant, seen, f"{path}/refund", code=issue(works, other).code)
    assert answer.status_code == 409
    assert "出示的卡不是这笔交易的会员" in answer.text
    assert "退 ¥13.40，确认" in answer.text
    right = send(assistant, answer, f"{path}/refund", code=issue(works).code)
    assert right.status_code == 303
    assert count("reversal") == 1


@pytest.mark.parametrize(
    ("units", "status", "sentence"),
    [
        ("2", 422, "不参加优惠 最多还能退 1 件"),
        ("0", 409, "还没有选要退的商品"),
        ("x", 422, "件数只填"),
        ("-1", 422, "件数只填"),
    ],
)
def test_what_cannot_go_back_is_said_on_the_page(
    assistant: TestClient, works: Works, units: str, status: int, sentence: str
) -> None:
    path = f"/till/sales/{sell(assistant, works)}"
    answer = send(assistant, assistant.get(path), f"{path}/refund/preview", **{"units.other": units})
    assert answer.status_code == status
    assert sentence in answer.text


def test_a_refund_is_not_paid_by_an_amount_that_is_out_of_date(assistant: TestClient, works: Works) -> None:
    path = f"/till/sales/{sell(assistant, works)}"
    seen = send(assistant, assistant.get(path), f"{path}/refund/preview", **{"units.other": "1"})
    answer = send(assistant, seen, f"{path}/refund", code=issue(works).code, expected_to_member_fen="1")
    assert answer.status_code == 409
    assert "应退金额变了" in answer.text
    assert count("reversal") == 0


def test_another_shop_s_sale_is_unknown(assistant: TestClient, works: Works) -> None:
    sale = sell(assistant, works)
    with transaction() as tx:
        shop = merchants.add_shop(tx, merchant_id=works.merchant_id, code="s_0009", name="九店", address="")
        tx.connection().exec_driver_sql("UPDATE staff SET shop_id = %s WHERE id = %s", (shop, works.staff_id))
    assert assistant.get(f"/till/sales/{sale}").status_code == 404
    assert assistant.get(f"/till/sales/{sale}/done").status_code == 404
    token = csrf_in(assistant.get("/till/code").text)
    assert (
        assistant.post(f"/till/sales/{sale}/void", data={"csrf_token": token, "key": f"void:{sale}"}).status_code == 404
    )
    assert count("reversal") == 0
