"""A rebate on the pages: beside the price and never in it, for the member, the till, the owner, the auditor and everybody."""

import csv
import io
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from api import till
from market.kit.clock import business_day, now
from tests.web.conftest import Works
from tests.web.ledger import Ledger
from tests.web.market import TEN_PERCENT, flat, issue, put_offer

Enter = Callable[[str], TestClient]

TO_MEMBER = TEN_PERCENT | {"id": "BACK5", "stage": "rebate", "kind": "percent_back", "rate_bp": 500}
TO_UNION = TO_MEMBER | {"id": "UNION3", "rate_bp": 310, "rebate_to": "union"}
DUE = {"rebate_member_fen": 67, "rebate_union_fen": 41}


@pytest.fixture
def giving(works: Works, lunch: None) -> str:
    """Noodles and an egg for 15.40, of which 0.67 is due to the member and 0.41 to the union; the public id of the sale."""
    put_offer(TO_MEMBER, title="满意返", title_en="Happy back", at=now())
    put_offer(TO_UNION, title="定点返工会", title_en="For the union", at=now())
    return sell(works, "sale-0001")


def sell(works: Works, key: str) -> str:
    at = now()
    visit = till.open_visit_at_till(staff_id=works.staff_id, scanned=issue(works).code, at=at).visit_id
    keyed = till.AmountsKeyed(1600, 200)
    sold = till.redeem_at_till(staff_id=works.staff_id, visit_id=visit, keyed=keyed, key=key, at=at)
    return sold.public_id


def test_the_receipt_shows_the_price_first_and_then_who_owes_what_to_whom(enter: Enter, giving: str) -> None:
    page = flat(enter("member").get(f"/receipts/{giving}").text)
    before, _, after = page.partition('class="step-paid"')
    assert "满意返" not in before
    assert "定点返工会" not in before
    for shown in (
        "满意返",
        "¥0<small>.67</small>",
        "返给你",
        "定点返工会",
        "¥0<small>.41</small>",
        "返给工会",
        "不在实付里",
    ):
        assert shown in after, shown
    assert "省 ¥2.60" in after  # a rebate is not what was saved


def test_a_quote_shows_the_rebate_before_the_purchase(enter: Enter, giving: str) -> None:
    page = flat(enter("member").get("/shops/s_0001?discountable=16.00&other=2").text)
    assert "满意返" in page
    assert "返给你" in page


def test_a_refund_says_that_the_rebate_is_no_longer_due(enter: Enter, giving: str, works: Works) -> None:
    at = now()
    visit = till.open_visit_at_till(staff_id=works.staff_id, scanned=issue(works).code, at=at).visit_id
    till.refund_at_till(
        staff_id=works.staff_id, sale=giving, units={"amount": 1}, visit_id=visit, key="back-0001", at=at
    )
    assert "返利 ¥1.08 不再应返。" in enter("member").get(f"/receipts/{giving}").text


def test_the_till_says_what_the_member_gets_later_and_not_why(enter: Enter, giving: str) -> None:
    client = enter("assistant")
    done = client.get(f"/till/sales/{giving}/done").text
    assert "返利 ¥0.67，之后由商户返给会员" in done
    for hidden in ("满意返", "定点返工会", "返工会"):
        assert hidden not in done
    assert "¥1<small>.08</small>" in flat(client.get("/till/today").text)  # what the merchant owes for the day


def test_the_owner_sees_what_he_owes_by_day_and_month(enter: Enter, giving: str) -> None:
    page = flat(enter("owner").get("/merchant").text)
    for shown in ("应返会员", "¥0<small>.67</small>", "应返工会", "¥0<small>.41</small>", '<td class="num">¥0.67</td>'):
        assert shown in page, shown


def test_the_auditor_sees_both_rebates_of_a_month_and_of_an_entry(enter: Enter, giving: str) -> None:
    browser = enter("auditor")
    page = flat(browser.get("/audit").text) + flat(browser.get("/audit/entries").text)
    assert page.count('<td class="num">¥0.67</td><td class="num">¥0.41</td>') == 2


def test_everybody_sees_what_merchants_owe_and_that_no_payment_is_recorded(
    client: TestClient, giving: str, ledger: Ledger
) -> None:
    ledger.publish()
    page = flat(client.get("/record/months").text)
    # The merchant's row, the sum of the table, the month in the table of rebates.
    assert page.count('<td class="num">¥0.67</td><td class="num">¥0.41</td>') == 3
    assert "这里只登应返" in page
    month = business_day(now()).isoformat()[:7]
    (row,) = client.get("/record/months.json", params={"month": month}).json()["rows"]
    assert {name: row[name] for name in DUE} == DUE
    (line,) = csv.DictReader(io.StringIO(client.get("/record/months.csv").content.decode("utf-8-sig")))
    assert {name: int(line[name]) for name in DUE} == DUE
    assert client.get("/record/months?sort=rebate_union").status_code == 200


def test_without_a_rebate_the_record_says_so(client: TestClient, works: Works, lunch: None, ledger: Ledger) -> None:
    sell(works, "sale-0001")
    ledger.publish()
    assert "还没有商户应返的返利" in client.get("/record/months").text
