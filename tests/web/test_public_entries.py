"""Published entries on pages and in files: no row lost, doubled or shown too early, exact bytes, nothing that becomes markup."""

import html
import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import product
from random import Random
from typing import Any

from sqlalchemy import text
from starlette.testclient import TestClient

from market.kit.clock import now
from market.kit.database import transaction
from market.oversight.entry_search import Wanted
from market.oversight.indexing import index_entries
from market.oversight.published import list_published, list_published_kinds
from market.record.entries import entry_hash
from market.record.log.proof_files import parse_proof_file, verify_proof_file
from tests.web.ledger import Ledger, ask, lines_of, rows_of


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


def test_what_entries_say_inside_is_found_on_page_csv_and_json(client: TestClient, ledger: Ledger) -> None:
    chance = Random(20261128)
    for _ in range(150):
        kind, fen = chance.choice(("sale", "refund")), chance.randrange(1, 60) * 50
        offers = [
            [code, chance.choice((1, 2)), 5]
            for code in chance.sample(("NOODLE10", "TEA", "RICE5"), chance.randrange(3))
        ]
        inside = {"list": fen + 100, "paid": fen, "offers": offers}
        on = date(2026, 10, 30) + timedelta(days=chance.randrange(4))
        ledger.write(kind, on=on, merchant=chance.choice(("m_0001", "m_0002")), **inside)
    for post in ("officer", "auditor"):
        ledger.write("post", on=date(2026, 11, 1), action="appointed", post=post)
    ledger.publish()
    rows = ask("SELECT convert_from(body, 'UTF8') FROM entry WHERE leaf_index IS NOT NULL ORDER BY leaf_index DESC")
    there = [json.loads(body) for (body,) in rows]
    hidden = ledger.write("sale", on=date(2026, 11, 1), merchant="m_0001", list=1600, paid=1500, offers=[["TEA", 1, 5]])
    with transaction() as tx:  # it has a place, can be searched, and is not signed for
        tx.execute(
            text("UPDATE entry SET leaf_index = :next WHERE public_id = :id"), {"next": len(there), "id": hidden}
        )
        index_entries(tx)

    def is_named(said: dict[str, Any], offer: str, version: int | None) -> bool:
        return any(code == offer and version in {None, number} for code, number, _ in said.get("offers", ()))

    cases: dict[str, Callable[[dict[str, Any]], bool]] = {
        "offer=TEA": lambda said: is_named(said, "TEA", None),
        "offer=TEA&version=2&type=sale": lambda said: said["type"] == "sale" and is_named(said, "TEA", 2),
        "offer=NOODLE10&merchant=m_0002&month=2026-11": lambda said: (
            is_named(said, "NOODLE10", None) and said["merchant"] == "m_0002" and said["day"].startswith("2026-11")
        ),
        "offer=NOBODY": lambda _: False,
        "version=2": lambda _: True,
        "post=officer": lambda said: said.get("post") == "officer",
        "least=16": lambda said: said.get("list", 0) >= 1600,
        "of=paid&least=10&most=15.00": lambda said: 1000 <= said.get("paid", 0) <= 1500,
        "of=paid&most=0.5&day=2026-11-01": lambda said: (
            "paid" in said and said["paid"] <= 50 and said["day"] == "2026-11-01"
        ),
        "least=20&offer=RICE5": lambda said: said.get("list", 0) >= 2000 and is_named(said, "RICE5", None),
    }
    for query, fits in cases.items():
        wanted = [said["id"] for said in there if fits(said)]
        assert wanted or query == "offer=NOBODY"
        answer = client.get(f"/record/entries.json?{query}").json()
        assert [row["entry"]["id"] for row in answer["rows"]] == wanted, query
        assert answer["log_size"] == len(there)
        assert [line["id"] for line in lines_of(client, f"/record/entries.csv?{query}")] == wanted, query
        assert list(walk(client, f"/record/entries?{query}")) == wanted, query
    assert hidden not in client.get("/record/entries?least=16&most=16").text


def test_a_file_by_what_entries_say_is_of_a_checkpoint_that_can_be_searched(client: TestClient, ledger: Ledger) -> None:
    ledger.write("sale", on=date(2026, 11, 1), merchant="m_0001", list=1600, paid=1600)
    ledger.publish()
    before = client.get("/record/entries.json?least=16").json()
    ledger.write("sale", on=date(2026, 11, 1), merchant="m_0001", list=1700, paid=1700)
    ledger.publish(now() + timedelta(minutes=2))
    with transaction() as tx:  # the index has not come as far yet
        tx.execute(text("DELETE FROM entry_index WHERE leaf_index >= :size"), {"size": before["log_size"]})
    assert client.get("/record/entries.json?least=16").json() == before
    assert len(rows_of(client, "/record/entries.json?type=sale")) == 2, "what the index is not needed for is all there"


def test_an_amount_that_is_none_is_said_and_lists_nothing(client: TestClient, ledger: Ledger) -> None:
    ledger.publish()
    page = client.get("/record/entries?least=much")
    assert page.status_code == 422
    assert "much" in page.text
    assert ids_on(page.text) == []
    assert "没有符合的记录" not in page.text
    for path in (".csv?most=1e9", ".json?least=-"):
        assert client.get(f"/record/entries{path}").status_code == 422


def test_lists_are_whole_however_far_the_index_has_come(ledger: Ledger) -> None:
    chance = Random(20261127)
    kinds, merchants = ("sale", "refund", "offer", "close"), ("m_0001", "m_0002", None)
    first = date(2026, 10, 30)
    for _ in range(120):
        on = first + timedelta(days=chance.randrange(4))
        ledger.write(chance.choice(kinds), on=on, merchant=chance.choice(merchants))
    ledger.publish()
    there = ask(
        "SELECT leaf_index, type, merchant, day FROM entry WHERE leaf_index IS NOT NULL ORDER BY leaf_index DESC"
    )
    size, checked = len(there), 0
    for indexed in (size, 70, 0):
        with transaction() as tx:
            tx.execute(text("DELETE FROM entry_index WHERE leaf_index >= :indexed"), {"indexed": indexed})
        ranges = ((None, None), (first, date(2026, 11, 1)), (first + timedelta(days=2), first + timedelta(days=3)))
        for kind, merchant, (since, beyond), before, most in product(
            (None, "sale", "close", "never"), (None, "m_0001"), ranges, (None, 90, 30), (7, 1000)
        ):
            wanted = [
                row[0]
                for row in there
                if kind in {None, row[1]}
                and merchant in {None, row[2]}
                and (since is None or beyond is None or since <= row[3] < beyond)
                and (before is None or row[0] < before)
            ]
            asked = Wanted(kind=kind, merchant=merchant, first=since, last=beyond and beyond - timedelta(days=1))
            with transaction() as tx:
                found = list_published(tx, wanted=asked, before=before, limit=most)
            assert [each.leaf_index for each in found] == wanted[:most], (indexed, asked, before)
            checked += len(found)
        with transaction() as tx:
            assert list_published_kinds(tx) == sorted({row[1] for row in there})
    assert checked > 2000


def test_files_have_no_last_row_and_the_exact_bytes(client: TestClient, ledger: Ledger) -> None:
    (there,) = ask("SELECT count(*) FROM entry")[0]
    with transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO entry (id, public_id, type, day, body, created_at) SELECT gen_random_uuid(), md5(n::text), 'close',"
                " date '2026-11-01', convert_to('{\"id\":\"' || md5(n::text) || '\",\"type\":\"close\"}', 'UTF8'),"
                " now() - interval '1 hour' FROM generate_series(1, :more) AS n"
            ),
            {"more": 3000 - there},
        )
    ledger.publish()
    (size,) = ask("SELECT count(*) FROM entry")[0]
    assert size == 3000, "a whole number of reads"
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
