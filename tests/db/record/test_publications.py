"""How merchants are published: said before it holds, decided once for each month, an officer's choice kept and taken back."""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

import merchants
from api import till
from api.publication_desk import (
    PublicationChosenError,
    PublicationNotChosenError,
    choose_batches,
    count_28_days,
    review_publications,
    take_back_choice,
)
from market.kit.database import get_engine, transaction
from market.kit.errors import InvariantError
from market.kit.ids import new_id
from market.record.publication import change_publication, list_publications
from market.sales.queries import Company
from merchants.operations import MerchantUnknownError
from tests.world import FIRST, NOON, World, findings

DAYS = timedelta(days=1)
DECIDED = NOON + 27 * DAYS  # 28 December
NEW_YEAR = date(2027, 1, 1)


@dataclass
class Tea:
    """A tea shop, admitted as any new merchant is."""

    world: World
    staff: UUID

    def sell(self, count: int, *, at: datetime) -> None:
        for n in range(count):
            when = at + timedelta(minutes=n)
            visit = self.world.visit(at=when, staff=self.staff)
            keyed = till.AmountsKeyed(900, 0)
            till.redeem_at_till(staff_id=self.staff, visit_id=visit, keyed=keyed, key=str(new_id()), at=when)


@pytest.fixture
def tea(world: World) -> Tea:
    with transaction() as tx:
        merchant = merchants.admit_merchant(
            tx, code="m_0005", name="茶馆", credit_code="91310000132206289R", category="tea", at=NOON
        )
        shop = merchants.add_shop(tx, merchant_id=merchant, code="s_0005", name="茶馆", address="东门")
        return Tea(world, merchants.add_staff(tx, merchant_id=merchant, name="小茶", shop_id=shop))


def said_of(merchant: str) -> list[dict[str, Any]]:
    """What is public of how a merchant is published, oldest first."""
    query = text("SELECT body FROM entry WHERE type = 'merchant' AND merchant = :merchant ORDER BY id")
    with get_engine().connect() as connection:
        bodies = [json.loads(body) for body in connection.execute(query, {"merchant": merchant}).scalars()]
    return [body for body in bodies if "publication" in body]


def review(at: datetime) -> list[str]:
    with transaction() as tx:
        return review_publications(tx, at=at)


def how(merchant: str, on: date) -> tuple[str, str]:
    with transaction() as tx:
        said = list_publications(tx, on=on)[merchant]
    return said.publication, said.reason


def test_a_shop_becomes_row_by_its_28_days_and_from_next_month_on(tea: Tea) -> None:
    tea.sell(6, at=DECIDED - 3 * DAYS)
    assert review(DECIDED - DAYS) == [], "it is not the time yet"
    assert review(DECIDED) == ["m_0005"]
    assert review(DECIDED) == review(DECIDED + 2 * DAYS) == [], "a month is decided for once"
    last = said_of("m_0005")[-1]
    assert (last["publication"], last["from"], last["reason"], last["day"]) == (
        "row",
        "2027-01-01",
        "sales",
        "2026-12-28",
    )
    assert how("m_0005", date(2026, 12, 31)) == ("batched", "new")
    assert how("m_0005", NEW_YEAR) == ("row", "sales")
    assert review(datetime.fromisoformat("2027-01-30T12:00:00+08:00")) == ["m_0005"], "it sold nothing since"
    assert how("m_0005", date(2027, 2, 1)) == ("batched", "few")
    assert how("m_0001", date(2027, 2, 1)) == ("row", "stated"), "what was stated at the start is not decided about"
    assert findings() == []


def test_sales_count_by_the_hour_and_only_those_of_the_28_days_before(tea: Tea) -> None:
    tea.sell(6, at=DECIDED - 28 * DAYS + timedelta(hours=1))
    tea.sell(5, at=DECIDED - DAYS)
    tea.sell(4, at=DECIDED - 2 * DAYS)
    tea.sell(1, at=DECIDED - 2 * DAYS + timedelta(hours=2))
    tea.sell(9, at=DECIDED)
    with transaction() as tx:
        assert count_28_days(tx, at=DECIDED)["m_0005"] == Company(sales=16, in_company=11)


def test_of_a_merchant_from_before_it_is_said_from_tomorrow_on(tea: Tea) -> None:
    with get_engine().begin() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")
        connection.exec_driver_sql("DELETE FROM merchant_publication")
        connection.exec_driver_sql("DELETE FROM entry WHERE type = 'merchant'")
    tea.sell(1, at=NOON)
    assert findings() == [], "until something is said it is published by itself"
    assert review(NOON) == ["m_0001", "m_0005"]
    assert review(NOON) == []
    assert {said["from"] for said in said_of("m_0005")} == {"2026-12-02"}
    tea.sell(1, at=NOON + DAYS)
    assert findings() == []


def test_what_became_sensitive_is_closed_from_tomorrow_on(world: World) -> None:
    with get_engine().begin() as connection:
        connection.exec_driver_sql("UPDATE merchant SET category = 'clinic' WHERE code = 'm_0001'")
    assert review(NOON + 5 * DAYS) == ["m_0001"]
    assert review(NOON + 5 * DAYS) == []
    assert how("m_0001", date(2026, 12, 6)) == ("row", "stated")
    assert how("m_0001", date(2026, 12, 7)) == ("batched", "sensitive")


def test_an_officers_choice_holds_from_tomorrow_until_it_is_taken_back(tea: Tea) -> None:
    tea.sell(6, at=DECIDED - 3 * DAYS)
    assert review(DECIDED) == ["m_0005"]
    with transaction() as tx:
        choose_batches(tx, merchant="m_0005", by=FIRST, at=DECIDED)
    assert how("m_0005", NEW_YEAR) == ("batched", "chosen"), "although row was said for the new year before"
    with transaction() as tx, pytest.raises(PublicationChosenError):
        choose_batches(tx, merchant="m_0005", by=FIRST, at=DECIDED + DAYS)
    assert review(datetime.fromisoformat("2027-01-28T12:00:00+08:00")) == []
    with transaction() as tx:
        take_back_choice(tx, merchant="m_0005", by=FIRST, at=DECIDED + DAYS)
    assert how("m_0005", date(2026, 12, 29)) == ("batched", "chosen")
    assert how("m_0005", date(2026, 12, 30)) == ("row", "sales")
    with transaction() as tx, pytest.raises(PublicationNotChosenError):
        take_back_choice(tx, merchant="m_0005", by=FIRST, at=DECIDED + DAYS)
    with transaction() as tx, pytest.raises(MerchantUnknownError):
        choose_batches(tx, merchant="m_9999", by=FIRST, at=DECIDED)
    assert [said["reason"] for said in said_of("m_0005")[1:]] == ["sales", "chosen", "sales"]
    assert not any(str(FIRST) in json.dumps(said) for said in said_of("m_0005")), "an officer's name is not public"
    assert findings() == []


def test_nothing_is_said_for_a_day_that_has_begun_or_is_about_to(tea: Tea) -> None:
    before_midnight = datetime.fromisoformat("2026-12-05T23:55:00+08:00")
    for at, from_on in ((NOON, date(2026, 12, 1)), (before_midnight, date(2026, 12, 6))):
        with transaction() as tx, pytest.raises(InvariantError):
            change_publication(tx, merchant="m_0005", publication="row", reason="sales", from_on=from_on, at=at)
    assert review(datetime.fromisoformat("2026-12-31T23:55:00+08:00")) == [], "too late to decide for tomorrow"
