"""The public pages of the record: what they show is what was published, to the fen and to the byte, and nothing else."""

import html
import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import insert, text
from starlette.testclient import TestClient

from api.public_log import add_witness
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.offers.operations import propose_offer
from market.record.log.keys import Kind
from market.record.publishing.keyring import new_key
from market.record.publishing.models import LogCosignature
from market.record.publishing.served import published_size
from merchants import admit_merchant
from tests.web.conftest import Works
from tests.web.ledger import BACK, Ledger, ask, lines_of, rows_of
from tests.web.market import FIRST, flat, put_offer

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


# --- empty states -----------------------------------------------------------------------------------------------------


def test_before_anything_happened_every_page_says_what_comes_next(client: TestClient, works: Works) -> None:
    for page in PAGES:
        assert client.get(page).status_code == 200, page
    assert "账本还没有开启" in client.get("/record/entries").text
    assert "账本还没有开启" in client.get("/record/check-it-yourself").text
    assert "这个月还没有核销" in client.get("/record").text
    assert "还没有核销" in client.get("/record/merchants/m_0001").text
    for page in ("/", "/record/months", "/record/months/offers", "/record/merchants", "/record/merchants/m_0001"):
        assert "合计只数公布了的记录。 账本还没有开启。" in client.get(page).text, page


def test_an_open_log_says_within_how_many_seconds_its_first_checkpoint_comes(
    client: TestClient, ledger: Ledger
) -> None:
    for page in ("/record", "/record/entries", "/record/check-it-yourself"):
        assert "65 秒之内" in client.get(page).text, page
    assert "within 65 seconds" in client.get("/record/entries?lang=en").text
    assert client.get("/record/entries.json").json() == {
        "currency": "CNY", "unit": "fen", "log_size": 0, "log_root": None, "rows": []
    }  # fmt: skip
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
    "paid_declared_fen",
    "paid_provider_fen",
)


def test_every_cut_of_a_month_is_what_the_books_say(client: TestClient, sold: Ledger) -> None:
    month = business_day(now()).isoformat()[:7]
    assert rows_of(client, "/record/months.json") == [], "nothing is published yet"
    sold.publish()
    figures = dict(zip(FIGURES, map(int, ask(GIVEN)[0]), strict=False))
    figures |= {"paid_declared_fen": figures["paid_fen"], "paid_provider_fen": 0}
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
        ("/record/months?by=category", FIGURES[1:7]),
        ("/record/merchants", ("concession_fen", "rebate_union_fen")),
        ("/record/merchants/m_0001", FIGURES[1:7]),
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
    sold.publish()
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
    with transaction() as tx:
        propose_offer(
            tx, terms={**BACK, "rate_bp": 900}, limits={}, title="还没批", title_en="Waits", proposed_by=FIRST, at=now()
        )
    page = flat(client.get("/record/merchants/m_0001").text)
    for shown in ("BACK5 v1", "BACK5 v2", "NOODLE10 v1", "多返一点"):
        assert shown in page, shown
    assert "还没批" not in page
    assert "BACK5 v3" not in page


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


def test_the_page_shows_key_origin_and_checkpoint(client: TestClient, ledger: Ledger) -> None:
    before = html.unescape(client.get("/record/check-it-yourself").text)
    assert "huigong audit" not in before, "there is nothing to audit yet"
    ledger.publish()
    page = html.unescape(client.get("/record/check-it-yourself").text)
    for said in (ledger.policy.log.text, ledger.policy.promise.text, ledger.policy.origin):
        assert said in page
    assert client.get("/record/checkpoint").text in page
    assert "外部见证人 0 家" in page


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


def test_a_witness_of_the_operator_s_own_is_shown_and_not_counted(client: TestClient, ledger: Ledger) -> None:
    outside, own = (
        new_key(name, Kind.COSIGNATURE).verifier for name in ("witness.example/city", "witness.example/own")
    )
    add_witness(outside, is_own=False, at=now())
    add_witness(own, is_own=True, at=now())
    ledger.publish()
    with transaction() as tx:
        size = published_size(tx)
        tx.execute(insert(LogCosignature).values(size=size, witness=own.name, line=b"x", at=now()))
    page = html.unescape(client.get("/record/check-it-yourself").text)
    assert "1 家外部见证人中，0 家签过最新的检查点" in page
    assert "witness.example/own (工会自己运行，不计数)" in page
    assert "witness.example/city (" not in page
    rows = rows_of(client, "/record/witnesses.json")
    assert [(row["witness"], row["own"], row["checkpoints"]) for row in rows] == [
        ("witness.example/city", False, 0),
        ("witness.example/own", True, 1),
    ]
    assert [line["witness"] for line in lines_of(client, "/record/witnesses.csv")] == [row["witness"] for row in rows]
