"""Breakdowns as they are made and served: out of real sales, once, and without anybody who could be singled out."""

import re
from collections import Counter
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient
from stdnum.cn import ric

import cards
from api import till
from api.breakdowns import publish_due_breakdowns
from api.jobs import JOBS
from cards.replay import PastVisit, record_visits
from market.kit.clock import get_zone
from market.kit.database import get_engine, transaction
from market.kit.ids import new_id
from tests.attacker import attack
from tests.web.conftest import Works
from tests.web.ledger import Ledger, ask, lines_of, rows_of
from tests.web.market import flat

NOON = datetime(2026, 9, 14, 12, 0, tzinfo=get_zone())
DUE = datetime(2026, 10, 3, 0, 5, tzinfo=get_zone())
UNITS = {"xg01": (14, "active"), "xg02": (11, "active"), "xg03": (4, "active"), "xg04": (21, "retired")}


def national_id(number: int, born: date) -> str:
    body = f"110105{born:%Y%m%d}{number:03d}"
    return body + str(ric.calc_check_digit(body + "0"))


@pytest.fixture
def buyers(works: Works) -> dict[str, list[cards.AddedMember]]:
    """Fifty people of four units buy in September; four pensioners of them are of a unit of people at work."""
    rng, made, number = Random(3), {}, 0
    with transaction() as tx:
        for code, (count, state) in UNITS.items():
            unit = cards.add_unit(tx, code=code, name=f"{code[-2:]}车间", parent_id=works.unit_id)
            made[code] = []
            for place in range(count):
                is_retired = state == "retired" or (code == "xg01" and place < 4)
                born = date(2026 - (rng.randint(60, 80) if is_retired else rng.randint(22, 58)), 3, 1)
                number += 1
                person = cards.NewMember(
                    staff_number=f"B{number:04}",
                    name="李秀英",
                    phone="13800000000",
                    national_id=national_id(number, born),
                    unit_id=unit,
                    state="retired" if is_retired else "active",
                )
                made[code].append(cards.add_member(tx, member=person, at=NOON - timedelta(days=20)))
    for member in [member for members in made.values() for member in members]:
        sell(works, member, NOON, 1_600 + rng.randrange(3_000))
    return made


def sell(works: Works, member: cards.AddedMember, at: datetime, fen: int) -> str:
    visit = new_id()
    with transaction() as tx:
        record_visits(tx, [PastVisit(visit, member.card_id, works.shop_id, works.staff_id, at)])
    keyed = till.AmountsKeyed(fen, 0)
    return till.redeem_at_till(
        staff_id=works.staff_id, visit_id=visit, keyed=keyed, key=f"sale-{visit}", at=at + timedelta(seconds=20)
    ).public_id


def truth() -> dict[str, dict[UUID, str]]:
    """The test's own question: who bought in September, of which unit, retired or not."""
    rows = ask("""SELECT DISTINCT s.subject, u.code, m.state FROM sale s JOIN member m USING (subject) JOIN unit u ON u.id = m.unit_id
        WHERE s.day BETWEEN '2026-09-01' AND '2026-09-30'""")
    return {"unit": {row[0]: row[1] for row in rows}, "retired": {row[0]: row[2] for row in rows}}


def test_before_the_first_month_is_over_the_page_says_when_the_table_comes(
    client: TestClient, ledger: Ledger, buyers: dict[str, Any]
) -> None:
    ledger.publish()
    assert publish_due_breakdowns(at=DUE - timedelta(minutes=10)) == []
    shown = client.get("/record/breakdowns").text
    assert "第一张表还没有出" in shown
    assert "2026年10月3日" in shown
    assert "3 Oct 2026" in client.get("/record/breakdowns?lang=en").text
    assert rows_of(client, "/record/breakdowns.json") == []


def test_a_closed_month_is_published_once_and_nobody_is_singled_out(
    client: TestClient, works: Works, ledger: Ledger, buyers: dict[str, Any]
) -> None:
    gone = sell(works, buyers["xg02"][0], NOON + timedelta(hours=1), 2_000)
    till.void_at_till(staff_id=works.staff_id, sale=gone, key="void-0001", at=NOON + timedelta(hours=1, minutes=2))
    ledger.publish()
    assert publish_due_breakdowns(at=DUE) == ["2026-09"]
    assert publish_due_breakdowns(at=DUE + timedelta(days=20)) == []
    rows = rows_of(client, "/record/breakdowns.json")
    homes = truth()

    def meet(row: Any, other: Any) -> bool:
        """All common parts of which the test knows that they are empty; of ages it knows none."""
        known = [(homes[each["attribute"]], each["group"]) for each in (row, other) if each["attribute"] in homes]
        return any(all(home[who] in group for home, group in known) for who in homes["unit"])

    entries = [row["entry"] for row in rows_of(client, "/record/entries.json?month=2026-09")]
    undone = {entry["of"] for entry in entries if entry["type"] == "void"}
    prices = [entry["list"] for entry in entries if entry["type"] == "sale" and entry["id"] not in undone]
    assert attack(rows, meet, entries=prices) == []
    # No purchase that stands among the entries, or in the sums by month and merchant, is left out of a table.
    (month,) = rows_of(client, "/record/months.json")
    (merchant,) = rows_of(client, "/record/months.json?month=2026-09")
    for attribute in ("unit", "retired", "age"):
        own = [row for row in rows if row["attribute"] == attribute]
        assert sum(row["members"] for row in own) == 50
        assert sum(row["purchases"] for row in own) == len(prices) == month["sales"] == merchant["sales"] == 50
    by_unit = [row for row in rows if row["attribute"] == "unit"]
    heads = Counter(homes["unit"].values())
    assert heads == {code: count for code, (count, _) in UNITS.items()}
    assert {tuple(row["group"]): row["members"] for row in by_unit} == {
        ("xg01",): 14,
        ("xg", "xg02", "xg03"): 15,  # four of the third, and of the works itself nobody: with the smallest beside them
        ("xg04",): 21,
    }
    for row in by_unit:
        assert row["members"] == sum(heads[code] for code in row["group"]) >= 10
        (list_fen,) = ask(
            f"SELECT sum(list_fen - back_list_fen)::bigint FROM sale JOIN member USING (subject) JOIN unit u ON u.id = unit_id"
            f" WHERE u.code IN ({', '.join(repr(code) for code in row['group'])})"
        )[0]
        assert abs(row["list_fen"] - list_fen) <= 1_500
        assert row["list_fen"] % 1_000 == 0
        assert row["list_fen"] == row["concession_fen"] + row["subsidy_fen"] + row["paid_fen"]
    # The retired workshop lies inside the retired, of whom four are elsewhere: these two must not be published side by side.
    assert [row["members"] for row in rows if row["attribute"] == "retired"] == [50]
    assert all(row["list_fen"] is None for row in rows if row["attribute"] != "unit")


def test_page_csv_and_json_say_the_same(client: TestClient, works: Works, buyers: dict[str, Any]) -> None:
    publish_due_breakdowns(at=DUE)
    rows = rows_of(client, "/record/breakdowns.json?month=2026-09")
    lines = lines_of(client, "/record/breakdowns.csv?month=2026-09")
    assert [(line["attribute"], line["group"], line["members"], line["list_fen"]) for line in lines] == [
        (row["attribute"], "+".join(row["group"]), str(row["members"]), str(row["list_fen"] or "")) for row in rows
    ]
    shown = flat(client.get("/record/breakdowns").text)
    for row in rows:
        assert f'<td class="num">{row["members"]}</td>' in shown
    assert "金额取到十元" in shown
    assert "这个月还没有这张表" in client.get("/record/breakdowns?month=2026-08").text
    assert client.get("/record/breakdowns?month=2026-13").status_code == 404


def test_a_refund_a_transfer_and_a_second_worker_change_nothing(
    client: TestClient, works: Works, buyers: dict[str, Any]
) -> None:
    sale = sell(works, buyers["xg01"][0], NOON + timedelta(hours=1), 3_000)
    publish_due_breakdowns(at=DUE)
    before = client.get("/record/breakdowns.json").content
    visit = new_id()
    with transaction() as tx:
        record_visits(tx, [PastVisit(visit, buyers["xg01"][0].card_id, works.shop_id, works.staff_id, DUE)])
    till.refund_at_till(
        staff_id=works.staff_id,
        sale=sale,
        units={"amount": 1},
        visit_id=visit,
        key="back-0001",
        at=DUE + timedelta(seconds=20),
    )
    with transaction() as tx:
        tx.execute(text("UPDATE member SET unit_id = :unit"), {"unit": works.unit_id})
    publish_due_breakdowns(at=DUE + timedelta(days=1))
    assert client.get("/record/breakdowns.json").content == before
    for statement in (
        "UPDATE breakdown SET groups = '[]'",
        "DELETE FROM breakdown",
        "TRUNCATE breakdown",
        """INSERT INTO breakdown VALUES ('2026-10', 'unit', now(), 10, '[{"members": 9}]')""",
        """INSERT INTO breakdown VALUES ('2026-09', 'unit', now(), 10, '[{"members": 10}]')""",
    ):
        with get_engine().connect() as connection, pytest.raises(DBAPIError):
            connection.execute(text(statement))


def test_who_gave_everything_back_did_not_buy_and_too_few_are_not_published(
    client: TestClient, works: Works, buyers: dict[str, Any]
) -> None:
    """In October four buy, and one of them has it undone at once."""
    october = datetime(2026, 10, 20, 12, 0, tzinfo=get_zone())
    for member in buyers["xg01"][:4]:
        sell(works, member, october, 2_000)
    undone = sell(works, buyers["xg02"][0], october, 2_000)
    till.void_at_till(staff_id=works.staff_id, sale=undone, key="void-0001", at=october + timedelta(minutes=2))
    assert publish_due_breakdowns(at=datetime(2026, 11, 3, 1, tzinfo=get_zone())) == ["2026-09", "2026-10"]
    assert rows_of(client, "/record/breakdowns.json?month=2026-10") == []
    assert "这个月不公布" in client.get("/record/breakdowns?month=2026-10").text


def test_the_job_is_looked_for_every_hour(works: Works) -> None:
    (job,) = [each for each in JOBS.periodic_registry.periodic_tasks.values() if each.task.name == "breakdowns.publish"]
    assert re.fullmatch(r"[0-9]+ \* \* \* \*", job.cron)
