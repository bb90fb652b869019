"""Public sums are those of the published entries: to the fen on every page and in every file, and no byte moves before a checkpoint."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from api import till
from api.access import ACCESS, PUBLIC
from api.poster.sheet import make_sheet
from market.kit.clock import business_day, now
from market.kit.database import get_engine, snapshot, transaction
from market.oversight.counting import count_entries, counted_size
from market.oversight.record_audits import check_totals
from market.record.publishing.sequencer import place_entries
from market.record.publishing.served import published_size
from merchants import admit_merchant
from tests.web.conftest import Works, browse
from tests.web.ledger import Ledger, ask, lines_of, rows_of

AMOUNTS = ("list", "concession", "subsidy", "paid", "rebate_member", "rebate_union")
FIRST = date(2026, 9, 28)
SELLERS = {"m_0001": "food", "m_0002": "books", "m_0009": "pharmacy"}
TABLES = ("day_total", "month_total", "offer_total", "total_state")


# --- the oracle -------------------------------------------------------------------------------------------------------


def published() -> list[dict[str, Any]]:
    """What the newest checkpoint covers, out of the bytes alone."""
    rows = ask("SELECT body FROM entry WHERE leaf_index < (SELECT max(size) FROM log_checkpoint) ORDER BY leaf_index")
    return [json.loads(bytes(body)) for (body,) in rows]


def add_up(entries: Iterable[dict[str, Any]]) -> dict[str, int]:
    """The figures of a file of these entries; the sales that they return are looked for among all that is published."""
    tenders = {said["id"]: said["tender"] for said in published() if said["type"] == "sale"}
    sums: Counter[str] = Counter()
    for said in entries:
        if said["type"] not in {"sale", "void", "refund", "batch"}:
            continue
        is_sale = said["type"] == "sale" or said.get("of") == "sale"
        sums["sales"] += said.get("count", 1) if is_sale else -(said["type"] == "void")
        for name in AMOUNTS:
            sums[f"{name}_fen"] += said[name] if is_sale else -said[name]
        tender = said.get("tender") or tenders.get(said.get("of", ""))
        if tender is not None:
            sums[f"paid_{tender}_fen"] += said["paid"] if is_sale else -said["paid"]
    names = ("sales", *(f"{name}_fen" for name in AMOUNTS), "paid_declared_fen", "paid_provider_fen")
    return {name: sums[name] for name in names}


def of(entries: list[dict[str, Any]], *, month: str = "", merchant: str = "") -> list[dict[str, Any]]:
    return [
        said
        for said in entries
        if said["type"] in {"sale", "void", "refund", "batch"}
        and said["day"].startswith(month)
        and merchant in {"", said["merchant"]}
    ]


def sum_offers(entries: list[dict[str, Any]], month: str) -> dict[str, Any]:
    """The document of a month by offer."""
    rows: dict[tuple[str, int], list[int]] = {}
    whole = Counter[str]()
    for said in of(entries, month=month):
        given = said["concession"] + said["rebate_member"] + said["rebate_union"]
        if said["type"] != "sale" and said.get("of") != "sale":
            whole["back_fen"] += given
            continue
        whole["given_fen"] += given
        whole["other_fen"] += said.get("other_offers", 0)
        whole["sales"] += said.get("count", 1)
        for offer, version, fen in said["offers"]:
            row = rows.setdefault((offer, version), [0, 0, 0])
            row[said["type"] == "batch"] += 1
            row[2] += fen
    shown = sorted(rows.items(), key=lambda item: (-item[1][2], item[0]))
    names = ("sales", "batches", "borne_fen")
    return {
        "currency": "CNY",
        "unit": "fen",
        "log_size": len(entries),
        **{name: whole[name] for name in ("sales", "given_fen", "other_fen", "back_fen")},
        "rows": [
            {"month": month, "offer": offer, "version": version, **dict(zip(names, row, strict=True))}
            for (offer, version), row in shown
        ],
    }


def fill(ledger: Ledger, chance: Random, count: int, *, days: int = 70) -> None:
    """Sales of two merchants with voids and refunds behind them, and batches of a third, over three months."""
    sold = [json.loads(bytes(body)) for (body,) in ask("SELECT body FROM entry WHERE type = 'sale' ORDER BY id")]
    for _ in range(count):
        on = FIRST + timedelta(days=chance.randrange(days))
        kind = chance.choice(("sale", "sale", "sale", "back", "batch", "close"))
        amounts = {name: chance.randrange(1, 900) for name in AMOUNTS[1:]}
        amounts["list"] = amounts["concession"] + amounts["subsidy"] + amounts["paid"]
        given = amounts["concession"] + amounts["rebate_member"] + amounts["rebate_union"]
        version = chance.randrange(1, 3)
        if kind == "sale":
            more = {"merchant": chance.choice(("m_0001", "m_0002")), "tender": chance.choice(("declared", "provider"))}
            one = chance.randrange(given)
            offers = [["NOODLE10", version, one], ["BACK5", 1, given - one]]
            sold.append({"id": ledger.write("sale", on=on, offers=offers, **more, **amounts)} | more)
        elif kind == "back" and sold:
            whose = chance.choice(sold)
            back = {name: fen // 2 for name, fen in amounts.items()}
            kind = chance.choice(("void", "refund"))
            ledger.write(kind, on=on, merchant=whose["merchant"], of=whose["id"], **back)
        elif kind == "batch":
            other = chance.randrange(given)
            more = {
                "count": chance.randrange(5, 30),
                "offers": [["CARE5", version, given - other]],
                "other_offers": other,
            }
            if chance.random() < 0.3:
                more = {"count": chance.randrange(5, 9)}
            ledger.write(
                "batch", on=on, merchant="m_0009", of="sale" if "offers" in more else "return", **more, **amounts
            )
        else:
            ledger.write("close", on=on, balances={})


def check_every_file(client: TestClient, monday: date) -> None:
    """Each public file, and the sheet, beside the oracle."""
    entries = published()
    months = sorted({said["day"][:7] for said in of(entries)})
    whole = [{"month": month, **add_up(of(entries, month=month))} for month in months]
    assert rows_of(client, "/record/months.json") == whole
    assert lines_of(client, "/record/months.csv") == texts(whole)
    due = []
    sizes = {client.get(f"/record/{name}.json").json()["log_size"] for name in ("months", "merchants", "rebates")}
    assert sizes == {len(entries)}
    for month in months:
        merchants = sorted({said["merchant"] for said in of(entries, month=month)})
        rows = [
            {"month": month, "merchant": code, **add_up(of(entries, month=month, merchant=code))} for code in merchants
        ]
        found = rows_of(client, f"/record/months.json?month={month}")
        assert [{name: row[name] for name in row if name != "merchant_name"} for row in found] == rows
        assert lines_of(client, f"/record/months.csv?month={month}") == texts(found)
        by_category = [
            {"month": month, "category": SELLERS[row["merchant"]], **{name: row[name] for name in list(row)[2:]}}
            for row in rows
        ]
        by_category.sort(key=lambda row: str(row["category"]))
        assert rows_of(client, f"/record/months.json?month={month}&by=category") == by_category
        assert lines_of(client, f"/record/months.csv?month={month}&by=category") == texts(by_category)
        due += [(month, row["merchant"], row["rebate_member_fen"], row["rebate_union_fen"]) for row in rows]
        assert client.get(f"/record/months/offers.json?month={month}").json() == sum_offers(entries, month)
        lines = lines_of(client, f"/record/months/offers.csv?month={month}")
        assert lines == texts(sum_offers(entries, month)["rows"])
    names = ("month", "merchant", "rebate_member_fen", "rebate_union_fen")
    assert [tuple(row[name] for name in names) for row in rows_of(client, "/record/rebates.json")] == due
    assert [line["rebate_fen"] for line in lines_of(client, "/record/rebates.csv")] == [
        str(row[2] + row[3]) for row in due
    ]
    for row in rows_of(client, "/record/merchants.json"):
        by_month = {month: of(entries, month=month, merchant=row["merchant"]) for month in months}
        own = [{"month": month, **add_up(some)} for month, some in by_month.items() if some]
        assert row["months"] == own
        lines = lines_of(client, f"/record/merchants.csv?category={row['category']}")
        assert [{name: line[name] for name in own[0]} for line in lines] == texts(own)
    with snapshot() as tx:
        sheet = make_sheet(tx, monday=monday, address="http://testserver", at=now()).texts
    week = [(monday + timedelta(days=n)).isoformat() for n in range(7)]
    figures = add_up([said for said in of(entries) if said["day"] in week])
    assert sheet["sales"] == f"{figures['sales']:,}"
    assert {name: int(re.sub(r"\D", "", sheet[name])) for name in AMOUNTS} == {
        name: figures[f"{name}_fen"] for name in AMOUNTS
    }


def texts(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [{name: str(value) for name, value in row.items()} for row in rows]


@pytest.fixture
def sellers(works: Works) -> None:
    """Two more merchants, of other categories than the noodle shop."""
    with transaction() as tx:
        for code, name, number in (
            ("m_0002", "晨光图书", "91110108551385082Q"),
            ("m_0009", "百草大药房", "91310000132206289R"),
        ):
            admit_merchant(tx, code=code, name=name, credit_code=number, category=SELLERS[code], at=now())


def test_every_file_is_the_sum_of_the_published_entries_to_the_fen(
    client: TestClient, ledger: Ledger, sellers: None
) -> None:
    chance = Random(20261127)
    for step, count in enumerate((150, 60)):
        fill(ledger, chance, count)
        ledger.publish(now() + timedelta(minutes=1 + step))
        fill(ledger, chance, 20)  # these wait
        check_every_file(client, FIRST + timedelta(days=14))
    kinds = Counter(said["type"] for said in published())
    assert min(kinds[kind] for kind in ("sale", "void", "refund", "batch")) > 5
    with get_engine().connect() as connection:
        assert list(check_totals(connection)) == []
    # Emptied, and made again in steps that end anywhere: the same, and between them never more than is published.
    before = read_totals()
    with transaction() as tx:
        tx.execute(text(f"TRUNCATE {', '.join(TABLES)}"))
    assert rows_of(client, "/record/months.json") == []
    size = int(ask("SELECT max(size) FROM log_checkpoint")[0][0])
    counted = []
    while not counted or counted[-1] < size:
        with transaction() as tx:
            assert 0 < count_entries(tx, most=37) <= 37
            counted.append(counted_size(tx))
        with get_engine().connect() as connection:
            assert list(check_totals(connection)) == []
        if len(counted) == 2:
            page = client.get("/record/months?lang=en").text
            assert f"count the first {counted[-1]} of {size} published entries" in page
    with transaction() as tx:
        assert count_entries(tx) == 0
    assert read_totals() == before


def read_totals() -> list[list[Any]]:
    return [sorted(ask(f"SELECT * FROM {table}"), key=repr) for table in TABLES]


def test_whoever_counts_at_the_same_time_counts_each_entry_once(ledger: Ledger, sellers: None) -> None:
    fill(ledger, Random(11), 60, days=5)
    ledger.publish()
    before = read_totals()
    with transaction() as tx:
        tx.execute(text(f"TRUNCATE {', '.join(TABLES)}"))

    def count(_: int) -> int:
        whole = 0
        while True:
            with transaction() as tx:
                counted = count_entries(tx, most=5)
            if not counted:
                return whole
            whole += counted

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(count, range(4))) == len(published())
    assert read_totals() == before


# --- nothing before the checkpoint ------------------------------------------------------------------------------------


def everything(client: TestClient) -> dict[str, str]:
    """The bytes of every public address that asks for nothing, and of some that ask for a merchant, a month, a week."""
    month, week = business_day(now()).isoformat()[:7], f"{now():%G-W%V}"
    paths = [path for (method, path), who in ACCESS.items() if method == "GET" and who is PUBLIC and "{" not in path]
    assert len(paths) > 30
    paths += [f"/record/months.json?month={month}{by}" for by in ("", "&by=category")]
    paths += [f"/record/poster.pdf?week={week}", "/record/merchants/m_0001", "/record/accounts/payable:m_0001"]
    paths += ["/record/entries?merchant=m_0001", "/record/entries?type=sale", "/record/offers/NOODLE10"]
    found = {}
    for path in paths:
        answer = client.get(path)
        answer.headers.pop("x-request-id", None)
        found[path] = f"{answer.status_code} {browse(answer.content.decode('latin-1'))}"
    return found


def test_no_public_byte_moves_before_the_checkpoint_that_covers_a_sale(client: TestClient, sold: Ledger) -> None:
    sold.publish()
    before = everything(client)
    sale = sold.sell(4_321, "sale-4321")
    undone = sold.sell(1_234, "sale-1234")
    till.void_at_till(staff_id=sold.works.staff_id, sale=undone, key="void-1234", at=now())
    sold.refund(sale, "back-4321")
    sold.sell(5_678, "sale-5678")
    assert everything(client) == before, "sold, and in no log"
    at = now() + timedelta(minutes=2)
    with transaction() as tx:
        assert place_entries(tx, policy=sold.policy, at=at).count >= 5
    with transaction() as tx:
        assert count_entries(tx) == 0
        assert counted_size(tx) == published_size(tx)
    assert everything(client) == before, "they have places, and nobody signed for them"
    sold.publish(at)
    after = everything(client)
    moved = {path for path in after if after[path] != before[path]}
    assert {"/", "/record", "/record/months", "/record/months.json", "/record/months/offers.json"} <= moved
    assert {"/record/merchants.csv", "/record/merchants/m_0001", "/record/rebates.json"} <= moved
    assert any("poster.pdf?week=" in path for path in moved)
    month = business_day(now()).isoformat()[:7]
    assert rows_of(client, "/record/months.json") == [{"month": month, **add_up(of(published()))}]
    assert add_up(of(published()))["sales"] == 5


# --- what they cost ---------------------------------------------------------------------------------------------------


@contextmanager
def asked() -> Iterator[list[str]]:
    """The statements that this process sends."""
    sent: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(get_engine(), "before_cursor_execute", hear)
    yield sent
    event.remove(get_engine(), "before_cursor_execute", hear)


def test_a_public_sum_reads_no_sale_and_of_entries_only_single_ones(client: TestClient, sold: Ledger) -> None:
    sold.publish()
    tables = [f"/record/{name}" for name in ("months", "months/offers", "merchants", "rebates")]
    files = [f"{table}{kind}" for table in tables for kind in (".csv", ".json")]
    for path in ("/", "/record", "/record/poster.pdf", *tables, *files):
        with asked() as sent:
            assert client.get(path).status_code == 200
        whole = " ".join(sent)
        assert "day_total" in whole or "month_total" in whole, path
        assert re.findall(r"\b(sale|reversal|entry_index|transfer)\b(?!')", whole) == [], path
        from_entries = [each for each in sent if re.search(r"FROM entry\b", each)]
        of_one = [each for each in from_entries if "type = 'policy'" in each and "LIMIT" in each]
        assert all(each in of_one or "EXISTS" in each for each in from_entries), path  # whether one is overdue


def test_a_snapshot_sees_one_moment_and_writes_nothing(sold: Ledger) -> None:
    with snapshot() as tx:
        assert (published_size(tx), counted_size(tx)) == (0, 0)
        sold.publish()
        assert (published_size(tx), counted_size(tx)) == (0, 0)
    with snapshot() as tx:
        assert published_size(tx) == counted_size(tx) > 0
        with pytest.raises(DBAPIError, match="read-only"):
            tx.execute(text("DELETE FROM total_state"))
        tx.rollback()
    with transaction() as tx:  # the connection that was used can write again
        tx.execute(text("DELETE FROM total_state"))


# --- the auditor ------------------------------------------------------------------------------------------------------


def test_verify_finds_every_sum_that_the_entries_do_not_lead_to(ledger: Ledger, sellers: None) -> None:
    fill(ledger, Random(7), 60, days=5)
    ledger.publish()
    figures = [
        row[0] for row in ask("SELECT column_name FROM information_schema.columns WHERE table_name = 'day_total'")
    ]
    figures.remove("day")
    changes = [
        (f"UPDATE {table} SET {name} = {name} + 1 WHERE ctid = (SELECT max(ctid) FROM {table})", where)
        for table, where in (("day_total", "day "), ("month_total", " of m_0"))
        for name in figures
    ]
    changes += [
        (f"UPDATE offer_total SET {name} = {name} - 1 WHERE offer = 'BACK5'", "offer BACK5 version 1")
        for name in ("sales_count", "batches_count", "borne_fen")
    ]
    changes += [
        ("DELETE FROM month_total WHERE merchant = 'm_0002'", " of m_0002"),
        ("DELETE FROM day_total WHERE day = '2026-09-30'", "day 2026-09-30"),
        ("INSERT INTO offer_total VALUES ('2026-09-01', 'NEVER', 1, 0, 0, 0)", "offer NEVER version 1"),
        ("TRUNCATE month_total", " of m_0001"),
        ("UPDATE total_state SET size = size - 30", "day "),
        ("UPDATE total_state SET size = size + 1", "entries"),
    ]
    with get_engine().connect() as connection:
        assert list(check_totals(connection)) == []
        for change, where in changes:
            with connection.begin_nested() as changed:
                connection.execute(text(change))
                assert any(where in finding.subject for finding in check_totals(connection)), change
                changed.rollback()
