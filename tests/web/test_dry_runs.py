"""An officer tries an offer on the month's sales: a process of its own works on it, the page follows, the result stays."""

import json
import re
import time
from collections.abc import Callable, Iterator
from multiprocessing import active_children

import pytest
from starlette.testclient import TestClient

from api import till
from cards import AddedMember, NewMember, add_member
from cards.replay import PastVisit, record_visits
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.ids import new_id
from tests.national_ids import complete
from tests.web.conftest import Works, csrf_in
from tests.web.market import TEN_PERCENT

Enter = Callable[[str], TestClient]
SAVE = {
    "id": "SAVE2",
    "stage": "order",
    "kind": "spend_save",
    "match": {"merchants": ["m_0001"]},
    "tiers": [{"min": 2000, "off": 200}],
}


@pytest.fixture
def sold(client: TestClient, works: Works, lunch: None) -> Iterator[None]:
    """Six members bought noodles today: 30.00 each, with the offers in force."""
    at = now()
    for number in range(6):
        with transaction() as tx:
            member: AddedMember = add_member(tx, member=_person(works, number), at=at)
            visit = PastVisit(new_id(), member.card_id, works.shop_id, works.staff_id, at)
            record_visits(tx, [visit])
        till.redeem_at_till(
            staff_id=works.staff_id, visit_id=visit.id, keyed=till.AmountsKeyed(3000, 0), key=f"sale-{number}", at=at
        )
    yield
    for child in active_children():
        child.join(30)


def _person(works: Works, number: int) -> NewMember:
    return NewMember(
        unit_id=works.unit_id,
        staff_number=f"2000{number}",
        name="王小明",
        phone="13800138000",
        national_id=complete(f"11010519491231{number + 11:03d}"),
    )


def ask(officer: TestClient, **fields: str) -> str:
    """The address of the run."""
    token = csrf_in(officer.get("/desk/dry-runs").text)
    month = business_day(now()).isoformat()[:7]
    answer = officer.post("/desk/dry-runs", data={"csrf_token": token, "month": month, **fields})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def follow(officer: TestClient, address: str, state: str) -> str:
    """The part of the page that htmx asks for, again until it says so."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        part = officer.get(address, headers={"HX-Request": "true", "HX-Request-Type": "partial"}).text
        assert "<html" not in part
        if state in part:
            return part
        assert 'hx-trigger="every 1s"' in part, part
        time.sleep(0.1)
    pytest.fail(f"{address} never said {state}")


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_an_officer_tries_terms_that_are_not_stored(sold: None, enter: Enter) -> None:
    officer = enter("officer")
    address = ask(officer, document=json.dumps(SAVE))
    part = words(follow(officer, address, "更省的笔数"))
    # 30.00 − 3.00 − 2.00 − 1.00: each of six saves two yuan more, and the merchant bears it.
    assert "更省的笔数 6" in part
    assert "更贵的笔数 0" in part
    assert "它一共给出 ¥12 .00 其中工会出 ¥0 .00" in part
    assert "商户让利 ¥18.00 ¥30.00 +¥12.00" in part
    assert "会员实付 ¥156.00 ¥144.00 −¥12.00" in part
    assert "实付 ¥26.00 → ¥24.00" in part
    page = officer.get(address).text
    assert "hx-trigger" not in page
    assert "http-equiv" not in page
    listed = officer.get("/desk/dry-runs").text
    assert "算完" in listed
    assert address in listed


def test_a_stored_version_is_tried_with_a_budget(sold: None, enter: Enter) -> None:
    officer = enter("officer")
    form = officer.get("/desk/dry-runs?of=UNION1/1").text
    assert '<option value="UNION1/1" selected>' in form
    part = words(follow(officer, ask(officer, of="UNION1/1", budget="0.00"), "更省的笔数"))
    assert "更贵的笔数 6" in part
    assert "工会补贴 ¥6.00 ¥0.00 −¥6.00" in part
    assert "预算不够 · 6 笔" in part


def test_the_page_follows_without_scripts_and_can_be_cancelled(sold: None, enter: Enter) -> None:
    officer = enter("officer")
    address = ask(officer, document=json.dumps(SAVE))
    page = officer.get(address).text
    if "取消试算" in page:  # the process takes a second to start
        assert '<meta http-equiv="refresh" content="3">' in page
        answer = officer.post(f"{address}/cancel", data={"csrf_token": csrf_in(page)})
        assert answer.status_code == 303
    assert any(word in officer.get(address).text for word in ("试算已取消", "更省的笔数"))


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"document": "{"}, 422, "不是 JSON"),
        ({"document": "[1]"}, 422, "不是 JSON"),
        ({"document": json.dumps({**SAVE, "tiers": []})}, 422, "terms.tiers"),
        ({"document": json.dumps({**TEN_PERCENT, "rate_bp": 10001})}, 422, "terms.rate_bp"),
        ({"document": "9" * 5000}, 422, "不是 JSON"),
        ({"document": json.dumps({"\ud800": 1})}, 422, "不是 JSON"),  # half of a character: no page can say it again
        ({"of": "NOODLE10/9"}, 404, "没有找到"),
        ({"of": ""}, 404, "没有找到"),
        ({"of": "NOODLE10/1", "month": "2026-13"}, 422, "月份"),
        ({"of": "NOODLE10/1", "month": "1999-01"}, 409, "没有可以试算的消费"),
        ({"of": "NOODLE10/1", "budget": "很多"}, 422, "预算"),
    ],
)
def test_what_cannot_be_tried_is_said_beside_what_was_typed(
    sold: None, enter: Enter, fields: dict[str, str], status: int, said: str
) -> None:
    officer = enter("officer")
    token = csrf_in(officer.get("/desk/dry-runs").text)
    month = business_day(now()).isoformat()[:7]
    answer = officer.post("/desk/dry-runs", data={"csrf_token": token, "month": month, **fields})
    assert (answer.status_code, said in answer.text) == (status, True), words(answer.text)
    assert "以前的试算" in answer.text


def test_an_unknown_run_is_not_found(client: TestClient, enter: Enter) -> None:
    assert enter("officer").get(f"/desk/dry-runs/{new_id()}").status_code == 404


def test_without_any_sale_there_is_nothing_to_try(client: TestClient, enter: Enter) -> None:
    assert "还没有消费可以试算" in enter("officer").get("/desk/dry-runs").text
