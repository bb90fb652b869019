"""Owner, officer, auditor and the public: their pages show what was really sold, and no person in any of it."""

import csv
import hashlib
import html
import io
from collections.abc import Callable

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api import till
from api.identity.models import Account
from cards import get_card_page, issue_code
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.offers.operations import propose_offer
from tests.web.conftest import Works, csrf_in
from tests.web.ledger import Ledger
from tests.web.market import TEN_PERCENT
from tests.world import sign_all

Enter = Callable[[str], TestClient]
LISTS = {"list_fen": 3600, "concession_fen": 320, "subsidy_fen": 100, "paid_fen": 3180}
NO_REBATE = {"rebate_member_fen": 0, "rebate_union_fen": 0}
DECLARED = {"paid_declared_fen": LISTS["paid_fen"], "paid_provider_fen": 0}


@pytest.fixture
def sold(client: TestClient, works: Works, lunch: None) -> list[str]:
    """Two bowls of noodles with an egg, the second without the day's subsidy; their public ids."""
    return [_sell(works, key=f"sale-{number:04d}") for number in (1, 2)]


def _sell(works: Works, *, key: str) -> str:
    at = now()
    with transaction() as tx:
        card = get_card_page(tx, member_id=works.member_id, at=at).card_id
        code = issue_code(tx, card_id=card, at=at).code
    visit = till.open_visit_at_till(staff_id=works.staff_id, scanned=code, at=at)
    keyed = till.AmountsKeyed(1600, 200)
    return till.redeem_at_till(staff_id=works.staff_id, visit_id=visit.visit_id, keyed=keyed, key=key, at=at).public_id


def propose(*, person: object, rate_bp: int = 2000) -> None:
    with transaction() as tx:
        propose_offer(
            tx,
            terms=TEN_PERCENT | {"rate_bp": rate_bp},
            limits={},
            title="面食八折",
            title_en="Noodles 20% off",
            proposed_by=person,  # type: ignore[arg-type]
            at=now(),
        )


def test_the_public_record_adds_up_what_was_sold(client: TestClient, sold: list[str], ledger: Ledger) -> None:
    ledger.publish()
    month = business_day(now()).isoformat()[:7]
    page = client.get("/record/months")
    for figure in ("¥36.00", "¥3.20", "¥1.00", "¥31.80"):
        assert figure in page.text
    assert "老王面馆" in page.text
    assert "标价 = 让利 + 补贴 + 实付" in page.text
    document = client.get("/record/months.json", params={"month": month})
    (row,) = document.json()["rows"]
    assert row == {
        "month": month,
        "merchant": "m_0001",
        "merchant_name": "老王面馆",
        "sales": 2,
        **LISTS,
        **NO_REBATE,
        **DECLARED,
    }
    whole = {"month": month, "sales": 2, **LISTS, **NO_REBATE, **DECLARED}
    assert client.get("/record/months.json").json()["rows"] == [whole]
    table = client.get("/record/months.csv", params={"month": month})
    assert table.content.startswith(b"\xef\xbb\xbf")
    (line,) = csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")))
    assert {name: int(line[name]) for name in LISTS} == LISTS
    assert table.headers["content-disposition"] == f'attachment; filename="huigong-record-{month}.csv"'
    assert document.headers["cache-control"] == "public, max-age=60"


def test_the_first_page_shows_this_month_to_everybody(client: TestClient, sold: list[str], ledger: Ledger) -> None:
    ledger.publish()
    page = client.get("/")
    assert "¥1<small>.00</small>" in page.text  # subsidy
    assert "¥3<small>.20</small>" in page.text  # concession
    assert "2 笔核销，1 家门店" in page.text


@pytest.mark.parametrize(
    "query",
    ["", "sort=merchant&down=0", "sort=count", "sort=rebate_union&down=1", "sort=rebate_member", "month=2020-01"],
)
def test_the_record_sorts_by_any_column_and_shows_empty_months(
    client: TestClient, sold: list[str], ledger: Ledger, query: str
) -> None:
    ledger.publish()
    assert client.get(f"/record/months?{query}").status_code == 200


@pytest.mark.parametrize(
    ("query", "status"), [("month=2026-13", 404), ("month=0000-01", 404), ("month=x", 422), ("sort=name", 422)]
)
def test_a_month_that_never_was_is_unknown(client: TestClient, query: str, status: int) -> None:
    for suffix in ("", ".csv", ".json"):
        if "sort" not in query or not suffix:
            assert client.get(f"/record/months{suffix}?{query}").status_code == status


def test_the_owner_sees_his_month_his_shops_staff_and_offers(enter: Enter, sold: list[str]) -> None:
    client = enter("owner")
    assert client.get("/").headers["location"] == "/merchant"
    page = client.get("/merchant").text
    for shown in ("老王面馆一店", "¥36.00", "¥31.80", "李店员", "demo-assistant", "王老板", "面食九折"):
        assert shown in page, shown
    assert "王小明" not in page
    assert "午餐补贴" not in page  # the union's own, of which the merchant bears nothing
    assert "10% off" in client.get("/merchant?lang=en").text
    assert client.get("/merchant?month=2020-01").status_code == 200
    assert client.get("/merchant?month=2020-13").status_code == 404


def test_the_officer_sees_units_budgets_and_what_waits(enter: Enter, sold: list[str], works: Works) -> None:
    propose(person=works.unit_id)
    page = enter("officer").get("/desk").text
    for shown in ("星钢", "午餐", "¥999.00", "面食八折", "8 折"):
        assert shown in page, shown
    assert "王小明" not in page


def test_a_second_person_approves_and_the_new_price_holds(enter: Enter, sold: list[str], works: Works) -> None:
    propose(person=works.unit_id)
    with transaction() as tx:
        sign_all(tx, offer="NOODLE10", version=2, at=now())
    client = enter("officer")
    page = client.get("/desk/offers/NOODLE10/2")
    assert "8 折" in page.text
    assert "rate_bp" in page.text
    done = client.post("/desk/offers/NOODLE10/2/approve", data={"csrf_token": csrf_in(page.text)})
    assert (done.status_code, done.headers["location"]) == (303, "/desk/offers/NOODLE10/2")
    after = client.get("/desk/offers/NOODLE10/2").text
    assert "优惠已批准" in after
    assert "/approve" not in after
    again = client.post("/desk/offers/NOODLE10/2/approve", data={"csrf_token": csrf_in(after)})
    assert again.status_code == 409
    assert 'class="trouble" id="problem"' in again.text


def test_nobody_approves_or_rejects_his_own(enter: Enter, sold: list[str], works: Works) -> None:
    with transaction() as tx:
        officer = tx.get(Account, works.accounts["officer"])
        assert officer is not None
    propose(person=officer.person)
    client = enter("officer")
    page = client.get("/desk/offers/NOODLE10/2").text
    assert "要由另一位干部审核" in page
    assert "/approve" not in page
    for act in ("approve", "reject"):
        refused = client.post(f"/desk/offers/NOODLE10/2/{act}", data={"csrf_token": csrf_in(page), "reason": "太贵"})
        assert refused.status_code == 409, act
        assert 'class="trouble" id="problem"' in refused.text


def test_a_rejected_version_is_closed(enter: Enter, sold: list[str], works: Works) -> None:
    propose(person=works.unit_id)
    client = enter("officer")
    token = csrf_in(client.get("/desk").text)
    assert client.post("/desk/offers/NOODLE10/2/reject", data={"csrf_token": token}).status_code == 422
    sent = client.post("/desk/offers/NOODLE10/2/reject", data={"csrf_token": token, "reason": "让利太多，下月再说"})
    assert sent.status_code == 303
    page = client.get("/desk/offers/NOODLE10/2").text
    assert "已退回" in page
    assert "让利太多，下月再说" in page
    assert "/approve" not in page


@pytest.mark.parametrize("path", ["NOPE/1", "NOODLE10/99", "NOODLE10/0", "NOODLE10/x", "a b/1", "%00/1"])
def test_an_offer_that_is_not_there_is_unknown(enter: Enter, sold: list[str], path: str) -> None:
    assert enter("officer").get(f"/desk/offers/{path}").status_code == 404


def test_the_auditor_reads_the_exact_bytes_of_every_entry(enter: Enter, sold: list[str]) -> None:
    client = enter("auditor")
    page = client.get("/audit/entries").text
    assert all(public_id in page for public_id in sold)
    assert "NOODLE10 v1" in page
    assert "UNION1 v1" in page  # its publication; what the union bears names no offer in a sale
    entry = client.get(f"/audit/entries/{sold[0]}").text
    with transaction() as tx:
        body = bytes(tx.execute(text("SELECT body FROM entry WHERE public_id = :id"), {"id": sold[0]}).scalar_one())
    assert hashlib.sha256(body).hexdigest() in entry
    assert hashlib.sha256(b"\0" + body).hexdigest() in entry
    assert html.escape(body.decode(), quote=True) in entry.replace("&quot;", "&#34;").replace("&#34;", "&quot;")
    assert "王小明" not in page + entry
    assert client.get("/audit/entries/" + "0" * 32).status_code == 404


def test_htmx_gets_the_entries_alone(enter: Enter, sold: list[str]) -> None:
    part = enter("auditor").get("/audit/entries", headers={"HX-Request": "true", "HX-Request-Type": "partial"}).text
    assert sold[0] in part
    assert "<html" not in part
