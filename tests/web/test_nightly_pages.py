"""What the audits of a night found is seen by those who can act on it: auditor, officers, and in number everybody."""

from collections.abc import Callable
from datetime import datetime, time

from sqlalchemy import text
from starlette.testclient import TestClient

from market.kit.clock import business_day, get_zone, now
from market.kit.database import get_engine, transaction
from market.oversight.nightly import begin_night, work_on_night
from tests.web.ledger import Ledger
from tests.web.market import open_market

Enter = Callable[[str], TestClient]


def run_night() -> None:
    """Tonight's run, whatever the hour of this test."""
    at = datetime.combine(business_day(now()), time(4), tzinfo=get_zone())
    with transaction() as tx:
        id_ = begin_night(tx, at=at)
    assert id_ is not None
    assert work_on_night(id_, clock=now)


def test_before_the_first_night_the_pages_say_what_comes(enter: Enter, ledger: Ledger) -> None:
    client = enter("auditor")
    page = client.get("/audit").text
    assert "还没有核过账" in page
    assert 'class="nights"' not in page
    assert "自己最近一次核对" not in client.get("/record/check-it-yourself").text


def test_a_clean_night_is_shown_and_is_the_operator_s_word_in_public(enter: Enter, ledger: Ledger) -> None:
    ledger.publish()
    run_night()
    client = enter("auditor")
    page = client.get("/audit").text
    assert "账是平的" in page
    assert "公开台账从头重算了" in page
    assert page.count('class="night is-before"') == 13
    assert page.count('class="night is-clean"') == 1
    public = client.get("/record/check-it-yourself").text
    assert "没有不符。" in public
    assert "这是他自己说的" in public
    client.cookies.clear()
    assert "每夜核账发现" not in enter("officer").get("/desk").text


def test_a_forged_row_is_found_and_shown_with_a_way_to_it(enter: Enter, ledger: Ledger) -> None:
    open_market()
    sale = ledger.sell(1600, "sale-1600")
    ledger.publish()
    with get_engine().begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("UPDATE balance SET left_over = left_over + 5 WHERE id LIKE 'budget:%'"))
        connection.execute(text("UPDATE entry SET body = body || ' ' WHERE public_id = :sale"), {"sale": sale})
    run_night()
    client = enter("auditor")
    page = client.get("/audit").text
    assert "预算的余额与流水对不上" in page
    assert 'href="/record/accounts/budget:' in page
    assert "指纹对不上：有记录或指纹被动过" in page
    assert f'href="/audit/entries/{sale}"' in page
    assert "怎么办：" in page
    public = client.get("/record/check-it-yourself").text
    assert "处不符。" in public
    assert sale not in public
    english = client.get("/audit", headers={"Accept-Language": "en"}).text
    assert "The balance of a budget is not what its transfers leave" in english
    client.cookies.clear()
    assert "每夜核账发现" in enter("officer").get("/desk").text
