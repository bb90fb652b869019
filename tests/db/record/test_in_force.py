"""When an offer is in force is told by the record alone: by its versions, by its end, and by whether its merchant may sell."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

import cards
import merchants
from market.kit.database import get_engine, transaction
from market.offers.operations import approve_offer, end_early, end_offer
from market.oversight.entry_search import Wanted, search_entries
from market.record.auditing.audit import audit_log
from market.record.auditing.finding import Finding
from market.record.publishing.served import record_reader
from merchants.queries import MerchantSuspendedError
from tests.db.record.conftest import Log
from tests.world import FIRST, NOON, SECOND, World, findings

DAY = timedelta(days=1)


def published(log: Log) -> list[Finding]:
    log.run(NOON + 30 * DAY)
    with transaction() as tx:
        return audit_log(record_reader(tx)).findings


def entry_of(public_id: str) -> dict[str, Any]:
    with get_engine().connect() as connection:
        body = connection.scalar(text("SELECT body FROM entry WHERE public_id = :id"), {"id": public_id})
    return dict(json.loads(body))


def offers() -> list[dict[str, Any]]:
    """The entries of the noodle offer, in their order."""
    with get_engine().connect() as connection:
        rows = connection.execute(text("SELECT body FROM entry WHERE type = 'offer' ORDER BY id")).scalars().all()
    said = [json.loads(body) for body in rows]
    return [one for one in said if "NOODLE10" in (one.get("offer"), one.get("terms", {}).get("id"))]


def found_by(offer: str) -> list[str]:
    """The types of the entries that an auditor finds by this offer."""
    with transaction() as tx:
        return sorted(entry.kind for entry in search_entries(tx, wanted=Wanted(offer=offer), limit=9).entries)


def states() -> list[tuple[int, str]]:
    with get_engine().connect() as connection:
        rows = connection.execute(
            text("SELECT version, state FROM offer_version WHERE offer = 'NOODLE10' ORDER BY version")
        )
        return [(row.version, row.state) for row in rows]


def backdate(public_id: str, day: str) -> None:
    """The operator moves a sale to another day before it is published."""
    with get_engine().begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        body = json.dumps({**entry_of(public_id), "day": day}, sort_keys=True, separators=(",", ":"))
        connection.execute(
            text("UPDATE entry SET body = :body WHERE public_id = :id"), {"body": body.encode(), "id": public_id}
        )


def test_an_end_without_a_new_version_is_an_entry_and_sales_after_it_do_not_use_it(world: World, log: Log) -> None:
    before = world.sell(1600)
    with transaction() as tx:
        end_offer(tx, offer="NOODLE10", at=NOON)
    time.sleep(1)
    after = world.sell(1600, at=NOON + DAY)
    assert [(one["action"], one["offer"], one["version"]) for one in offers()[1:]] == [("ended", "NOODLE10", 1)]
    assert entry_of(before.public_id)["offers"] == [["NOODLE10", 1, 160]]
    assert entry_of(after.public_id)["offers"] == []
    assert published(log) == []
    assert findings() == []
    assert found_by("NOODLE10") == ["offer", "offer", "sale"], "who looks for the offer finds its end"


def test_a_sale_of_after_the_end_that_claims_the_offer_is_named(world: World, log: Log) -> None:
    sale = world.sell(1600)
    with transaction() as tx:
        end_offer(tx, offer="NOODLE10", at=NOON)
    backdate(sale.public_id, "2026-12-02")
    [found] = published(log)
    assert (found.rule, found.public_id, found.field) == ("offers", sale.public_id, "offers")
    assert found.problem.startswith("NOODLE10 version 1 ended on 2026-12-01, by entry ")


def test_an_end_that_is_not_published_is_found_from_inside(world: World) -> None:
    with transaction() as tx:
        end_offer(tx, offer="NOODLE10", at=NOON)
    with get_engine().begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM entry WHERE convert_from(body, 'UTF8') LIKE '{\"action\":\"ended\"%'"))
    assert findings() == ["entries: offer NOODLE10 version 1, ended: entry and event do not belong together"]


@pytest.mark.parametrize("used", [1, 2])
def test_an_early_end_by_a_new_version_is_told_by_its_entry(world: World, log: Log, used: int) -> None:
    """Version 2 differs by its end alone. From its day on version 1 is over, and after its end so is version 2."""
    ends = NOON + 2 * DAY
    sale = world.sell(1600)
    with transaction() as tx:
        end_early(tx, offer="NOODLE10", ends_at=ends, reason="面粉涨价", proposed_by=FIRST, at=NOON)
        approve_offer(
            tx,
            offer="NOODLE10",
            version=2,
            approved_by=SECOND,
            count_class=cards.count_class,
            at=NOON + timedelta(minutes=1),
        )
    time.sleep(1)
    later = world.sell(1600, at=NOON + DAY)
    assert entry_of(sale.public_id)["offers"] == [["NOODLE10", 1, 160]]
    assert entry_of(later.public_id)["offers"] == [["NOODLE10", 2, 160]]
    assert world.sell(1600, at=ends).concession_fen == 0
    first, second = offers()
    assert (first["terms"].get("window"), second["terms"]["window"]["to"]) == (None, "2026-12-03T12:05:00+08:00")
    assert states() == [(1, "ended"), (2, "approved")]
    mine, day = ((sale, "2026-12-02"), (later, "2026-12-04"))[used - 1]
    backdate(mine.public_id, day)
    [found] = published(log)
    assert (found.rule, found.public_id, found.field) == ("offers", mine.public_id, "offers")
    assert f"version {used} ended on 2026-12-0{(1, 3)[used - 1]}, " in found.problem


def test_a_suspension_ends_no_version_and_says_that_nothing_is_sold(world: World, log: Log) -> None:
    sale = world.sell(1600)
    with transaction() as tx:
        merchants.suspend_merchant(tx, merchant_id=world.merchant, at=NOON)
    with pytest.raises(MerchantSuspendedError):
        world.sell(1600, at=NOON + DAY)
    with transaction() as tx:
        merchants.readmit_merchant(tx, merchant_id=world.merchant, at=NOON + 3 * DAY)
    again = world.sell(1600, at=NOON + 3 * DAY)
    assert states() == [(1, "approved")]
    assert len(offers()) == 1
    assert entry_of(again.public_id)["offers"] == entry_of(sale.public_id)["offers"] == [["NOODLE10", 1, 160]]
    assert published(log) == []


def test_a_sale_of_while_the_merchant_was_suspended_is_named(world: World, log: Log) -> None:
    sale = world.sell(1600)
    with transaction() as tx:
        merchants.suspend_merchant(tx, merchant_id=world.merchant, at=NOON)
        merchants.readmit_merchant(tx, merchant_id=world.merchant, at=NOON + 3 * DAY)
    backdate(sale.public_id, "2026-12-03")
    [found] = published(log)
    assert (found.rule, found.public_id, found.field) == ("merchants", sale.public_id, "merchant")
