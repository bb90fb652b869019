"""The public pages of the record: what they show is what was published, to the fen and to the byte, and nothing else."""

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api import till
from api.public_log import open_log, run_round
from market.kit.canonical import canonical_json
from market.kit.clock import business_day, now
from market.kit.database import get_engine, transaction
from market.kit.ids import new_public_id
from market.kit.settings import Settings
from market.record.entries import entry_hash
from market.record.log.proof_files import parse_proof_file, verify_proof_file
from market.record.operations import append_entry
from market.record.policy import Policy
from merchants import admit_merchant
from tests.web.conftest import Works
from tests.web.market import FIRST, flat, issue, open_market, put_offer

BACK = {
    "id": "BACK5",
    "stage": "rebate",
    "kind": "percent_back",
    "match": {"merchants": ["m_0001"]},
    "rate_bp": 500,
    "rebate_to": "union",
}
PAGES = (
    "/record",
    "/record/months",
    "/record/months?by=category",
    "/record/months/offers",
    "/record/rebates",
    "/record/merchants",
    "/record/merchants/m_0001",
    "/record/entries",
    "/record/check-it-yourself",
)


@dataclass
class Ledger:
    """A log that a test writes to and publishes; `bodies` are the documents it wrote itself, by public id."""

    settings: Settings
    policy: Policy
    works: Works
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)

    def write(self, kind: str, *, on: date, merchant: str | None = None, **more: object) -> str:
        public_id = new_public_id()
        body = {"v": 1, "type": kind, "id": public_id, "day": on.isoformat(), **more}
        if merchant:
            body["merchant"] = merchant
        with transaction() as tx:
            append_entry(
                tx,
                kind=kind,
                public_id=public_id,
                merchant=merchant,
                day=on,
                body=canonical_json(body),
                at=now() - timedelta(minutes=1),
            )
        self.bodies[public_id] = body
        return public_id

    def publish(self, at: datetime | None = None) -> None:
        run_round(self.settings, at=at or now() + timedelta(minutes=1))

    def sell(self, fen: int, key: str) -> str:
        at = now()
        visit = till.open_visit_at_till(staff_id=self.works.staff_id, scanned=issue(self.works).code, at=at)
        keyed = till.AmountsKeyed(fen, 200)
        return till.redeem_at_till(
            staff_id=self.works.staff_id, visit_id=visit.visit_id, keyed=keyed, key=key, at=at
        ).public_id

    def refund(self, sale: str, key: str) -> str:
        at = now()
        visit = till.open_visit_at_till(staff_id=self.works.staff_id, scanned=issue(self.works).code, at=at).visit_id
        return till.refund_at_till(
            staff_id=self.works.staff_id, sale=sale, units={"amount": 1}, visit_id=visit, key=key, at=at
        ).public_id


@pytest.fixture
def ledger(client: TestClient, works: Works, tmp_path: Path) -> Ledger:
    """An open log that holds its policy, nothing signed yet."""
    settings = Settings(record_folder=tmp_path)
    policy = open_log(settings, origin="test.example/log", window_seconds=5, at=now() - timedelta(minutes=1))
    return Ledger(settings, policy, works)


@pytest.fixture
def sold(ledger: Ledger) -> Ledger:
    """Three sales under a concession, a subsidy once a day and a rebate to the union; the first is partly given back."""
    open_market()
    put_offer(BACK, title="返给工会", title_en="Back to the union", at=now())
    sales = [ledger.sell(fen, f"sale-{fen}") for fen in (1600, 2700, 3333)]
    ledger.refund(sales[0], "back-0001")
    return ledger


def rows_of(client: TestClient, path: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["rows"])


def lines_of(client: TestClient, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def ask(sql: str) -> list[Any]:
    """The test's own question to the database."""
    with get_engine().connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def ids_on(page: str) -> list[str]:
    """The entries of a list in their order, each once."""
    return list(dict.fromkeys(re.findall(r'href="/record/entries/([0-9a-f]{32})"', page)))


def walk(client: TestClient, path: str, *, between: Callable[[], object] = lambda: None) -> Iterator[str]:
    """The ids of all pages, following the link to older ones as a reader would."""
    while True:
        page = client.get(path).text
        yield from ids_on(page)
        link = re.search(r'href="(/record/entries\?[^"]*before=\d+)"', page)
        if link is None:
            return
        path = html.unescape(link[1])
        between()


# --- empty states -----------------------------------------------------------------------------------------------------


def test_before_anything_happened_every_page_says_what_comes_next(client: TestClient, works: Works) -> None:
    for page in PAGES:
        assert client.get(page).status_code == 200, page
    assert "账本还没有开启" in client.get("/record/entries").text
    assert "账本还没有开启" in client.get("/record/check-it-yourself").text
    assert "这个月还没有核销" in client.get("/record").text
    assert "还没有核销" in client.get("/record/merchants/m_0001").text


def test_an_open_log_says_within_how_many_seconds_its_first_checkpoint_comes(
    client: TestClient, ledger: Ledger
) -> None:
    for page in ("/record", "/record/entries", "/record/check-it-yourself"):
        assert "65 秒之内" in client.get(page).text, page
    assert "within 65 seconds" in client.get("/record/entries?lang=en").text
    assert client.get("/record/entries.json").json() == {"currency": "CNY", "unit": "fen", "log_size": 0, "rows": []}
    assert lines_of(client, "/record/entries.csv") == []


# --- figures ----------------------------------------------------------------------------------------------------------

GIVEN = """
SELECT count(*) FILTER (WHERE sign = 1) - count(*) FILTER (WHERE kind = 'void'), sum(sign * list_fen), sum(sign * concession_fen),
  sum(sign * subsidy_fen), sum(sign * paid_fen), sum(sign * rebate_member_fen), sum(sign * rebate_union_fen)
FROM (SELECT 1 AS sign, 'sale' AS kind, list_fen, concession_fen, subsidy_fen, paid_fen, rebate_member_fen, rebate_union_fen FROM sale
  UNION ALL SELECT -1, kind, list_fen, concession_fen, subsidy_fen, paid_fen, rebate_member_fen, rebate_union_fen FROM reversal) AS moved
"""
FIGURES = (
    "sales",
    "list_fen",
    "concession_fen",
    "subsidy_fen",
    "paid_fen",
    "rebate_member_fen",
    "rebate_union_fen",
)


def test_every_cut_of_a_month_is_what_the_books_say(client: TestClient, sold: Ledger) -> None:
    month = business_day(now()).isoformat()[:7]
    figures = dict(zip(FIGURES, map(int, ask(GIVEN)[0]), strict=True))
    assert figures["concession_fen"] > 0
    assert figures["rebate_union_fen"] > 0
    assert rows_of(client, f"/record/months.json?month={month}&by=category") == [
        {"month": month, "category": "food", **figures}
    ]
    (line,) = lines_of(client, f"/record/months.csv?month={month}&by=category")
    assert line == {"month": month, "category": "food", **{name: str(value) for name, value in figures.items()}}
    (merchant,) = rows_of(client, "/record/merchants.json")
    assert merchant["months"] == [{"month": month, **figures}]
    assert (merchant["merchant"], merchant["category"], merchant["state"]) == ("m_0001", "food", "admitted")
    assert merchant["offers"] == ["BACK5 v1", "NOODLE10 v1"]
    (line,) = lines_of(client, f"/record/merchants.csv?month={month}")
    assert {name: int(line[name]) for name in FIGURES} == figures
    assert line["offers"] == "BACK5 v1 NOODLE10 v1"
    due = figures["rebate_union_fen"]
    rebates = {"rebate_member_fen": 0, "rebate_union_fen": due, "rebate_fen": due}
    row = {"month": month, "merchant": "m_0001", "merchant_name": "老王面馆", **rebates}
    assert rows_of(client, "/record/rebates.json") == rows_of(client, f"/record/rebates.json?month={month}") == [row]
    assert lines_of(client, "/record/rebates.csv") == [{name: str(value) for name, value in row.items()}]
    assert rows_of(client, "/record/rebates.json?month=2020-01") == []
    for page, shown in (
        ("/record", ("concession_fen", "subsidy_fen", "paid_fen", "list_fen", "rebate_union_fen")),
        ("/record/months?by=category", FIGURES[1:]),
        ("/record/merchants", ("concession_fen", "rebate_union_fen")),
        ("/record/merchants/m_0001", FIGURES[1:]),
        ("/record/rebates", ("rebate_union_fen",)),
    ):
        seen = client.get(page).text
        for name in shown:
            assert f"¥{figures[name] // 100}.{figures[name] % 100:02}" in seen, (page, name)


def test_offers_of_a_month_are_the_sum_of_the_published_entries(client: TestClient, sold: Ledger) -> None:
    assert client.get("/record/months/offers.json").json()["rows"] == [], "nothing is published yet"
    sold.publish()
    given: dict[tuple[str, int], list[int]] = {}
    sums = {"sale": 0, "refund": 0}
    for (body,) in ask("SELECT body FROM entry WHERE type IN ('sale', 'refund') AND leaf_index IS NOT NULL"):
        entry = json.loads(bytes(body))
        sums[entry["type"]] += entry["concession"] + entry["rebate_member"] + entry["rebate_union"]
        for offer, version, fen in entry.get("offers", ()):
            given.setdefault((offer, version), []).append(fen)
    document = client.get("/record/months/offers.json").json()
    assert (document["given_fen"], document["back_fen"], document["sales"]) == (sums["sale"], sums["refund"], 3)
    assert {(row["offer"], row["version"]): (row["sales"], row["borne_fen"]) for row in document["rows"]} == {
        key: (len(fens), sum(fens)) for key, fens in given.items()
    }
    assert len(lines_of(client, "/record/months/offers.csv")) == len(given) == 2
    page = client.get("/record/months/offers").text
    assert "面食九折" in page
    assert "商户返利" in page
    assert "账不平" not in page


def test_a_newer_checkpoint_brings_newer_sums(client: TestClient, sold: Ledger) -> None:
    sold.publish()
    before = client.get("/record/months/offers.json").json()
    sold.sell(5000, "sale-5000")
    assert client.get("/record/months/offers.json").json() == before
    sold.publish(now() + timedelta(minutes=2))
    assert client.get("/record/months/offers.json").json()["sales"] == before["sales"] + 1


@pytest.mark.parametrize("sort", ["merchant", "category", "since", "offers", "concession", "rebate", "count"])
def test_merchants_sort_and_filter(client: TestClient, sold: Ledger, sort: str) -> None:
    with transaction() as tx:
        admit_merchant(tx, code="m_0002", name="阿福书店", credit_code="91310000132206289R", category="books", at=now())
    codes = []
    for down in (0, 1):
        page = client.get(f"/record/merchants?sort={sort}&down={down}").text
        codes.append(re.findall(r'href="/record/merchants/(m_\d+)"', page))
    assert codes[0] == codes[1][::-1] or sort == "since"
    assert set(codes[0]) == {"m_0001", "m_0002"}
    books = client.get(f"/record/merchants?sort={sort}&category=books").text
    assert re.findall(r'href="/record/merchants/(m_\d+)"', books) == ["m_0002"]
    assert [row["merchant"] for row in rows_of(client, "/record/merchants.json?category=books")] == ["m_0002"]
    assert [line["month"] for line in lines_of(client, "/record/merchants.csv?category=books")] == [""]
    assert "这一类还没有商户" in client.get("/record/merchants?category=tea").text


def test_a_merchant_shows_every_published_version_and_none_that_waits(client: TestClient, sold: Ledger) -> None:
    put_offer({**BACK, "rate_bp": 800}, title="多返一点", title_en="More back", at=now())
    from market.offers.operations import propose_offer  # noqa: PLC0415  only this test proposes what is not approved

    with transaction() as tx:
        propose_offer(
            tx, terms={**BACK, "rate_bp": 900}, limits={}, title="还没批", title_en="Waits", proposed_by=FIRST, at=now()
        )
    page = flat(client.get("/record/merchants/m_0001").text)
    for shown in ("BACK5 v1", "BACK5 v2", "NOODLE10 v1", "多返一点"):
        assert shown in page, shown
    assert "还没批" not in page
    assert "BACK5 v3" not in page


# --- entries ----------------------------------------------------------------------------------------------------------


def test_what_no_checkpoint_covers_is_shown_nowhere(client: TestClient, sold: Ledger) -> None:
    hidden = [row[0] for row in ask("SELECT public_id FROM entry")]
    assert len(hidden) > 5

    def seen() -> str:
        paths = ("", ".csv", ".json", "?type=sale", "?merchant=m_0001", ".json?type=sale", ".csv?merchant=m_0001")
        return (
            "".join(client.get(f"/record/entries{path}").text for path in paths)
            + client.get("/record/merchants/m_0001").text
        )

    assert [public_id for public_id in hidden if public_id in seen()] == []
    for public_id in hidden:
        for suffix in ("", ".json", ".tlog-proof"):
            assert client.get(f"/record/entries/{public_id}{suffix}").status_code == 404
    sold.publish()
    shown = seen()
    assert [public_id for public_id in hidden if public_id not in shown] == []
    late = sold.sell(4400, "sale-4400")
    with transaction() as tx:  # it has a place by now, and is not signed for
        tx.execute(text("UPDATE entry SET leaf_index = 1000 WHERE public_id = :id"), {"id": late})
    assert late not in seen()
    assert client.get(f"/record/entries/{late}").status_code == 404


def test_paging_neither_skips_nor_doubles_while_more_is_published(client: TestClient, ledger: Ledger) -> None:
    for _ in range(170):
        ledger.write("sale", on=date(2026, 11, 1), merchant="m_0001", list=100, paid=100)
    ledger.publish()
    there = [row[0] for row in ask("SELECT public_id FROM entry ORDER BY leaf_index DESC")]
    steps = iter(range(1, 100))

    def more() -> None:
        for _ in range(30):
            ledger.write("sale", on=date(2026, 11, 1), merchant="m_0001", list=100, paid=100)
        ledger.publish(now() + timedelta(minutes=1 + next(steps)))

    assert list(walk(client, "/record/entries", between=more)) == there
    address = "/record/entries?before=100"
    assert ids_on(client.get(address).text) == there[-100:-50], "an address shows the same for ever"
    sales = [row[0] for row in ask("SELECT public_id FROM entry WHERE type = 'sale' ORDER BY leaf_index DESC")]
    assert list(walk(client, "/record/entries?type=sale&month=2026-11", between=more)) == sales


def test_every_filter_gives_the_same_on_page_csv_and_json(client: TestClient, ledger: Ledger) -> None:
    chance = Random(20261126)
    kinds, merchants = ("sale", "refund", "void", "offer", "close"), ("m_0001", "m_0002", None)
    days = [date(2026, 10, 30) + timedelta(days=n) for n in range(6)]
    for _ in range(240):
        ledger.write(chance.choice(kinds), on=chance.choice(days), merchant=chance.choice(merchants))
    ledger.publish()
    there = ask(
        "SELECT public_id, type, merchant, day FROM entry WHERE leaf_index IS NOT NULL ORDER BY leaf_index DESC"
    )
    checked = 0
    for kind, merchant, when in product(
        ("", "sale", "close", "never"),
        ("", "m_0001", "m_0009"),
        ("", "month=2026-10", "month=2026-11", "day=2026-11-02"),
    ):
        start = when.partition("=")[2]
        wanted = [
            row[0]
            for row in there
            if kind in ("", row[1]) and merchant in ("", row[2]) and row[3].isoformat().startswith(start)
        ]
        query = f"type={kind}&merchant={merchant}&{when}"
        assert [row["entry"]["id"] for row in rows_of(client, f"/record/entries.json?{query}")] == wanted, query
        assert [line["id"] for line in lines_of(client, f"/record/entries.csv?{query}")] == wanted, query
        assert list(walk(client, f"/record/entries?{query}")) == wanted, query
        checked += len(wanted)
    assert checked > 500


def test_files_have_no_last_row_and_the_exact_bytes(client: TestClient, ledger: Ledger) -> None:
    with transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO entry (id, public_id, type, day, body, created_at) SELECT gen_random_uuid(), md5(n::text), 'close',"
                " date '2026-11-01', convert_to('{\"id\":\"' || md5(n::text) || '\",\"type\":\"close\"}', 'UTF8'),"
                " now() - interval '1 hour' FROM generate_series(1, 2999) AS n"
            )
        )
    ledger.publish()
    (size,) = ask("SELECT count(*) FROM entry")[0]
    assert size == 3000, "a whole number of reads, and the policy"
    answer = client.get("/record/entries.json")
    document = answer.json()
    assert document["log_size"] == 3000
    assert [row["leaf_index"] for row in document["rows"]] == list(range(2999, -1, -1))
    for leaf_index, body in ask("SELECT leaf_index, body FROM entry"):
        assert bytes(body) in answer.content
        assert document["rows"][2999 - leaf_index]["leaf_hash"] == entry_hash(bytes(body)).hex()
    assert [int(line["leaf_index"]) for line in lines_of(client, "/record/entries.csv")] == list(range(2999, -1, -1))


def test_an_entry_has_a_page_with_its_place_its_bytes_and_a_proof_that_holds(client: TestClient, sold: Ledger) -> None:
    sold.publish()
    (sale, refund) = (
        ask(f"SELECT public_id, leaf_index, body FROM entry WHERE type = '{kind}' ORDER BY id")[0]
        for kind in ("sale", "refund")
    )
    page = client.get(f"/record/entries/{sale[0]}").text
    for shown in (
        "¥18.00",
        "¥1.60",
        "¥1.00",
        "¥15.40",
        "NOODLE10 v1",
        "budget:lunch",
        entry_hash(bytes(sale[2])).hex(),
    ):
        assert shown in re.sub(r"</?small>", "", page), shown
    assert f'href="/record/entries/{refund[0]}"' in page
    assert f'href="/record/entries/{sale[0]}"' in client.get(f"/record/entries/{refund[0]}").text
    document, proof = (
        client.get(link) for link in re.findall(r'href="(/record/entries/\S+\.(?:json|tlog-proof))"', page)
    )
    assert document.content == bytes(sale[2])
    read = parse_proof_file(proof.content)
    assert read.index == sale[1]
    verify_proof_file(read, entry=document.content, key=sold.policy.log, origin=sold.policy.origin)


def test_an_entry_of_any_type_is_shown_with_all_its_fields(client: TestClient, ledger: Ledger) -> None:
    ids = [
        ledger.write("budget", on=date(2026, 11, 2), budget="b_12", amount=5_000_000, approved_by="post:2"),
        ledger.write("close", on=date(2026, 11, 2), balances=[["budget:b_12", 100], ["payable:m_0001", 7]], count=3),
        ledger.write("never_heard_of", on=date(2026, 11, 2), deep={"a": {"b": [1, None]}, "c": "x"}, flags=[True, "y"]),
        ledger.write("offer", on=date(2026, 11, 2), transfers="odd", offers=[["X", 1]], of=7),
        ledger.write("merchant", on=date(2026, 11, 2), merchant="m_0001", state="admitted"),
    ]
    ledger.publish()
    pages = [client.get(f"/record/entries/{each}?lang=en") for each in ids]
    assert [page.status_code for page in pages] == [200] * 5
    wanted = (
        ("Budget", "¥50,000.00", "approved_by", "post:2"),
        ("Close", "payable:m_0001", "balances", "3"),
        ("never_heard_of", "deep.a", '{"b":[1,null]}', "deep.c", "true · y"),
        ("transfers", "odd", '["X",1]'),
        ("Merchant", "老王面馆", "Admitted"),
    )
    for page, words in zip(pages, wanted, strict=True):
        for word in words:
            assert word in html.unescape(page.text), word
    assert all(each in client.get("/record/entries?lang=en").text for each in ids)
    assert f'href="/record/entries/{ids[4]}"' in client.get("/record/merchants/m_0001").text


def test_nothing_that_an_entry_says_becomes_markup_or_a_formula(client: TestClient, ledger: Ledger) -> None:
    evil = "<script>alert(1)</script>"
    for start in ("=", "+", "-", "@", "\t", "\r"):
        ledger.write("sale", on=date(2026, 11, 2), channel=f"{start}cmd()", offers=[[f"{start}HYPERLINK()", 1, 5]])
    bad = ledger.write(
        "sale", on=date(2026, 11, 2), merchant=evil, channel=evil, tender=f'"{evil}', offers=[[evil, 1, 5]]
    )
    ledger.publish()
    for path in ("/record/entries", f"/record/entries/{bad}", "/record/months/offers?month=2026-11"):
        page = client.get(path)
        assert page.status_code == 200
        assert evil not in page.text
        assert html.escape(evil) in page.text, path
    lines = lines_of(client, "/record/entries.csv?type=sale")
    assert len(lines) == 7
    for line in lines:
        for cell in (line["channel"], line["offers"]):
            assert cell.startswith(("'", "<")), line
    assert {line["channel"][1] for line in lines} == {"=", "+", "-", "@", "\t", "\r", "s"}
    offers = lines_of(client, "/record/months/offers.csv?month=2026-11")
    assert all(line["offer"].startswith(("'", "<")) for line in offers)


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/record/entries/" + "0" * 32, 404),
        ("/record/entries/" + "0" * 32 + ".json", 404),
        ("/record/entries/" + "0" * 32 + ".tlog-proof", 404),
        ("/record/entries/zz", 404),
        ("/record/merchants/m_9999", 404),
        ("/record/merchants/%3Cb%3E", 404),
        ("/record/entries?month=2026-13", 404),
        ("/record/entries.csv?month=0000-01", 404),
        ("/record/entries.json?day=2026-02-30", 422),
        ("/record/entries?day=9999-12-31", 404),
        ("/record/entries?day=9999-12-30", 200),
        ("/record/entries?before=-1", 422),
        ("/record/entries?before=99999999999999999999", 422),
        ("/record/entries?before=0", 200),
        ("/record/entries?type=%27;--", 422),
        ("/record/entries?type=&merchant=&month=&day=", 200),
        ("/record/entries?merchant=m_9999", 200),
        ("/record/rebates?month=2026-00", 404),
        ("/record/rebates.csv?month=x", 422),
        ("/record/merchants?sort=name", 422),
        ("/record/merchants.json?month=2026-13", 404),
        ("/record/months/offers?month=2026-13", 404),
        ("/record/months/offers.csv?month=2026-13", 404),
        ("/record/months?by=member", 422),
    ],
)
def test_an_address_that_names_nothing_says_so(client: TestClient, ledger: Ledger, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_no_public_page_or_file_names_a_person_a_till_or_a_time_of_day(client: TestClient, sold: Ledger) -> None:
    sold.publish()
    files = ("/record/entries.json", "/record/entries.csv", "/record/merchants.json", "/record/rebates.csv")
    sales = ask("SELECT public_id FROM sale")
    seen = "".join(client.get(path).text for path in (*PAGES, *files, *(f"/record/entries/{row[0]}" for row in sales)))
    private = ["王小明", "10001", "13800138000", "s_0001", "李店员", "sale-1600"]
    private += [
        str(value)
        for row in ask("SELECT id, shop_id, staff_id, visit_id, subject, card_id, at FROM sale")
        for value in row
    ]
    assert [each for each in private if each in seen] == []


# --- checking ---------------------------------------------------------------------------------------------------------


def test_the_page_shows_key_origin_and_checkpoint_and_its_commands_have_answers(
    client: TestClient, ledger: Ledger
) -> None:
    ledger.publish()
    page = html.unescape(client.get("/record/check-it-yourself").text)
    assert ledger.policy.log.text in page
    assert ledger.policy.origin in page
    assert client.get("/record/checkpoint").text in page
    assert "外部见证人 0 家" in page
    commands = re.findall(r'<pre class="command"[^>]*><code>([^<]+)</code></pre>', page)
    assert commands[:2] == ["huigong verify receipt FILE", "huigong audit http://testserver"]
    for command in commands[2:]:
        curl, flag, address = command.split()
        assert (curl, flag) == ("curl", "-sS")
        assert client.get(address.removeprefix("http://testserver")).status_code == 200


def test_witnesses_are_named_with_the_day_since_when_they_sign(client: TestClient, ledger: Ledger) -> None:
    ledger.publish()
    since = now() - timedelta(days=3)
    with transaction() as tx:
        tx.execute(
            text("INSERT INTO log_cosignature SELECT size, 'witness.example/w', 'x', :at FROM log_checkpoint"),
            {"at": since},
        )
    page = client.get("/record/check-it-yourself?lang=en").text
    assert "witness.example/w" in page
    assert f"since {business_day(since).day} " in page
