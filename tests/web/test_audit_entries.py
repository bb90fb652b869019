"""The auditor's search: every filter finds what the entries say, at any depth; a sale is priced again, and nobody is named."""

import html
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from market.kit.canonical import canonical_json
from market.kit.clock import now
from market.kit.database import get_engine, transaction
from market.oversight.entry_search import Cursor, Wanted, search_entries
from market.oversight.indexing import index_entries
from market.oversight.record_audits import check_search
from tests.web.ledger import Ledger, ask

Enter = Callable[[str], TestClient]
DAYS = [date(2026, 11, 1) + timedelta(days=n) for n in range(6)]
AMOUNTS = ("list", "concession", "subsidy", "paid", "rebate_member", "rebate_union")


def walk(client: TestClient, query: str, *, between: Callable[[], object] = lambda: None) -> Iterator[str]:
    """The ids of all pages, following the link to older ones as a reader would."""
    path = f"/audit/entries?{query}"
    while True:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        yield from re.findall(r'href="/audit/entries/([0-9a-f]{32})"', answer.text)
        link = re.search(r'href="(/audit/entries\?[^"]*before=[0-9a-f-]+)"', answer.text)
        if link is None:
            return
        path = html.unescape(link[1])
        between()


def fill(ledger: Ledger, chance: Random, count: int) -> None:
    """Sales with amounts and offers, some of them returned, and entries of other types."""
    sold: list[tuple[str, int]] = []
    for _ in range(count):
        kind = chance.choice(("sale", "sale", "sale", "refund", "void", "post", "offer"))
        day, merchant = chance.choice(DAYS), chance.choice(("m_0001", "m_0002"))
        if kind == "sale":
            paid, concession = chance.randrange(5000), chance.randrange(500)
            amounts = dict.fromkeys(AMOUNTS, 0) | {"list": paid + concession, "concession": concession, "paid": paid}
            offers = [["NOODLE10", chance.randrange(1, 3), concession]] if chance.random() < 0.5 else []
            sold.append((ledger.write("sale", on=day, merchant=merchant, offers=offers, **amounts), paid + concession))
        elif kind in {"refund", "void"} and sold:
            of, fen = sold[chance.randrange(len(sold))]
            back = fen if kind == "void" else chance.choice((fen, fen // 2))
            ledger.write(kind, on=day, merchant=merchant, of=of, list=back, paid=back)
        elif kind == "post":
            ledger.write("post", on=day, action="appointed", post=chance.choice(("officer", "auditor")))
        else:
            ledger.write("offer", on=day, terms={"id": "NOODLE10", "version": chance.randrange(1, 3)})


def states(rows: list[tuple[str, Any]]) -> dict[str, str]:
    """The state of each sale out of the entries alone, in the order of the log."""
    found: dict[str, str] = {}
    whole, back = {}, dict[str, int]()
    for _, said in rows:
        if said["type"] == "sale":
            whole[said["id"]], found[said["id"]] = said.get("list"), "done"
        elif said["type"] in {"refund", "void"} and said.get("of") in found:
            of = said["of"]
            back[of] = back.get(of, 0) + said["list"]
            if said["type"] == "void" or found[of] == "void":
                found[of] = "void"
            else:
                found[of] = "refunded" if back[of] >= whole[of] else "part_refunded"
    return found


def test_every_filter_finds_what_the_entries_say(enter: Enter, ledger: Ledger) -> None:
    chance = Random(16)
    fill(ledger, chance, 260)
    ledger.publish()
    fill(ledger, chance, 60)
    rows = [
        (public_id, json.loads(body))
        for public_id, body in ask(
            "SELECT public_id, body FROM entry ORDER BY leaf_index IS NOT NULL, leaf_index DESC, id DESC"
        )
    ]
    waiting = {row[0] for row in ask("SELECT public_id FROM entry WHERE leaf_index IS NULL")}
    assert len(waiting) == 60
    published = [row for row in rows if row[0] not in waiting]
    state = states(published[::-1])
    assert set(state.values()) == {"done", "part_refunded", "refunded", "void"}

    def offers(said: dict[str, Any]) -> list[tuple[str, int]]:
        terms = said.get("terms")
        return [(terms["id"], terms["version"])] if terms else [(one[0], one[1]) for one in said.get("offers", ())]

    def fen(said: dict[str, Any], name: str) -> int:
        return int(said.get(name, -1))

    filters: dict[str, Callable[[str, dict[str, Any]], bool]] = {
        "": lambda _, said: True,
        "type=sale": lambda _, said: said["type"] == "sale",
        "type=never": lambda _, said: False,
        "merchant=m_0002": lambda _, said: said.get("merchant") == "m_0002",
        "offer=NOODLE10": lambda _, said: bool(offers(said)),
        "offer=NOODLE10&version=2&type=sale": lambda _, said: (
            said["type"] == "sale" and ("NOODLE10", 2) in offers(said)
        ),
        "first=2026-11-03&last=2026-11-04": lambda _, said: "2026-11-03" <= said["day"] <= "2026-11-04",
        "first=2026-11-05": lambda _, said: said["day"] >= "2026-11-05",
        "last=2026-11-01": lambda _, said: said["day"] <= "2026-11-01",
        "first=2027-01-01": lambda _, said: said["day"] >= "2027-01-01",
        "least=20&most=40.5": lambda _, said: 2000 <= fen(said, "list") <= 4050,
        "of=paid&most=10": lambda _, said: 0 <= fen(said, "paid") <= 1000,
        "of=concession&least=０.０１&type=sale": lambda _, said: (
            said["type"] == "sale" and fen(said, "concession") >= 1
        ),
        "post=auditor": lambda _, said: said.get("post") == "auditor",
        "state=waiting": lambda id_, _: id_ in waiting,
        "state=published": lambda id_, _: id_ not in waiting,
        **{
            f"state={one}": lambda id_, _, one=one: state.get(id_) == one
            for one in ("done", "part_refunded", "refunded", "void")
        },
        "state=void&merchant=m_0001&first=2026-11-02&of=list&least=1": lambda id_, said: (
            state.get(id_) == "void"
            and said["merchant"] == "m_0001"
            and said["day"] >= "2026-11-02"
            and said["list"] >= 100
        ),
    }
    client = enter("auditor")
    for query, fits in filters.items():
        wanted = [id_ for id_, said in rows if fits(id_, said)]
        assert list(walk(client, query)) == wanted, query


def test_a_page_looks_at_so_many_that_wait_and_goes_on_from_there(ledger: Ledger) -> None:
    chance = Random(28)
    fill(ledger, chance, 60)
    ledger.publish()
    fill(ledger, chance, 90)
    with get_engine().begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(
            text(
                "UPDATE entry SET is_batched = true WHERE leaf_index IS NULL AND type = 'sale' AND merchant = 'm_0001'"
            )
        )
    for wanted in (
        Wanted(),
        Wanted(of="paid", least_fen=4_000),
        Wanted(of="concession", least_fen=1, most_fen=250, merchant="m_0001"),
        Wanted(offer="NOODLE10", version=1),
        Wanted(post="auditor", state="waiting"),
        Wanted(least_fen=99_999_999),
    ):
        assert walked(wanted, looked=7) == walked(wanted, looked=1_000), wanted
    assert len(walked(Wanted(), looked=7)) == len(ask("SELECT FROM entry")) > 150


def walked(wanted: Wanted, *, looked: int) -> list[str]:
    """The ids of all pages, each of which looks at so many that wait."""
    found: list[str] = []
    before: Cursor | None = None
    while True:
        with transaction() as tx:
            page = search_entries(tx, wanted=wanted, before=before, limit=20, looked=looked)
        assert len(page.entries) == 20 or page.looked or not page.older, "a short page says why, or is the last"
        found += [entry.public_id for entry in page.entries]
        if (before := page.older) is None:
            return found


def test_paging_neither_skips_nor_doubles_while_more_is_published(enter: Enter, ledger: Ledger) -> None:
    def write(count: int) -> None:
        for n in range(count):
            ledger.write("sale", on=DAYS[0], merchant="m_0001", list=100 + n, paid=100 + n)

    write(120)
    ledger.publish()
    write(70)
    client = enter("auditor")
    there = [row[0] for row in ask("SELECT public_id FROM entry ORDER BY leaf_index DESC NULLS FIRST, id DESC")]
    assert list(walk(client, "", between=lambda: write(3))) == there
    placed = [row[0] for row in ask("SELECT public_id FROM entry WHERE leaf_index < 121 ORDER BY leaf_index DESC")]
    rounds = iter(range(2, 99))

    def more() -> None:
        write(3)
        ledger.publish(now() + timedelta(minutes=next(rounds)))

    assert list(walk(client, "before=121&state=published", between=more)) == placed
    write(170)
    there = [row[0] for row in ask("SELECT public_id FROM entry ORDER BY leaf_index DESC NULLS FIRST, id DESC")]
    assert list(walk(client, "", between=more)) == there, "what is published while he turns the pages comes once"


def test_an_amount_that_cannot_be_read_is_said_and_nothing_typed_is_lost(enter: Enter, ledger: Ledger) -> None:
    client = enter("auditor")
    answer = client.get("/audit/entries?least=12.345&most=x&offer=EGG2")
    assert answer.status_code == 422
    assert "最多两位小数" in answer.text
    for kept in ('value="12.345"', 'value="x"', 'value="EGG2"'):
        assert kept in answer.text
    for query in ("first=2020-13-01", "before=x", "state=gone", "of=all", "version=x", "offer=a%20b"):
        assert client.get(f"/audit/entries?{query}").status_code == 422, query
    for query in ("least=x", "merchant=a'b"):
        assert client.get(f"/audit/exports/csv.zip?{query}").status_code == 422
    assert client.get("/audit/entries?first=0001-01-01&last=9999-12-31").status_code == 200


HOSTILE: list[dict[str, object]] = [
    {"list": "12", "offers": {"a": 1}, "transfers": [["a", "b"], [1, 2, 3], ["a\u0000", "b", 5], "x"]},
    {
        "list": 1 << 70,
        "paid": None,
        "offers": [["A" * 3000, 1, 2], ["\u0000", 1, 2], ["OK", True, 2], ["A", 1 << 60, 1]],
    },
    {
        "list": True,
        "terms": [],
        "post": "\u0000",
        "of": "\u0000",
        "transfers": [["x", "x", 7], ["x", "y", -1], ["x", "y", 1 << 60]],
    },
    {"offers": [["B", 1, 5], ["B", 2, 6]], "transfers": None, "post": ["officer"]},
]


def test_a_merchant_typed_by_name_leads_to_its_code_or_to_a_choice(enter: Enter, ledger: Ledger) -> None:
    auditor = enter("auditor")
    (name,) = ask("SELECT name FROM merchant WHERE code = 'm_0001'")[0]
    ledger.write("sale", on=DAYS[0], merchant="m_0001", list=1600, paid=1600)
    ledger.publish()
    answer = auditor.get(f"/audit/entries?type=sale&merchant={name}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "?type=sale&merchant=m_0001")
    with transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO merchant (id, code, name, credit_code, category, state, admitted_at) SELECT gen_random_uuid(),"
                " 'b_' || n, '分店 ' || n, 'C' || n, 'food', 'admitted', now() FROM generate_series(1, 2) AS n"
            )
        )
    page = auditor.get("/audit/entries?merchant=分店").text
    assert re.findall(r'href="/audit/entries\?[^"]*merchant=(b_\d)"', page) == ["b_1", "b_2"]
    assert "/audit/exports/" not in page, "an export would hold all merchants"
    assert "没有这家商户" in auditor.get("/audit/entries?merchant=没有").text


def test_an_entry_of_an_unexpected_form_stops_nothing_and_is_not_guessed(enter: Enter, ledger: Ledger) -> None:
    ids = [ledger.write("refund", on=DAYS[0], **said) for said in HOSTILE]
    ledger.publish()
    assert ask("SELECT count(*) FROM entry_index") == ask("SELECT count(*) FROM entry")
    assert ask("SELECT count(*) FROM entry_index WHERE list_fen IS NOT NULL OR paid_fen IS NOT NULL") == [(0,)]
    assert ask("SELECT offer, version FROM entry_offer") == [("B", 1)]
    assert ask("SELECT account, fen, balance_fen FROM account_movement ORDER BY number") == [("x", -7, -7), ("x", 7, 0)]
    client = enter("auditor")
    assert sorted(walk(client, "type=refund")) == sorted(ids)
    for form in ("jsonl", "csv", "accounting", "parquet", "xlsx"):
        assert client.get(f"/audit/exports/{form}.zip").status_code == 200, form


def test_what_was_placed_before_there_was_a_search_is_found_after_the_next_round(enter: Enter, ledger: Ledger) -> None:
    fill(ledger, Random(3), 120)
    ledger.publish()
    before = {
        table: ask(f"SELECT * FROM {table} ORDER BY 1, 2")
        for table in ("entry_index", "entry_offer", "account_movement", "public_account")
    }
    with get_engine().begin() as connection:
        connection.execute(text("TRUNCATE entry_index, entry_offer, account_movement, public_account"))
    client = enter("auditor")
    sales = [row[0] for row in ask("SELECT public_id FROM entry WHERE type = 'sale' ORDER BY id DESC")]
    assert list(walk(client, "type=sale&first=2026-11-01")) == sales, "read from the bytes meanwhile"

    def index() -> int:
        count = 0
        while True:
            with transaction() as tx:
                made = index_entries(tx, most=7)
            if not made:
                return count
            count += made

    with ThreadPoolExecutor(3) as pool:
        made = [pool.submit(index) for _ in range(3)]
    assert sum(each.result() for each in made) == len(before["entry_index"]), "each once, whoever does it"
    assert before == {
        table: ask(f"SELECT * FROM {table} ORDER BY 1, 2")
        for table in ("entry_index", "entry_offer", "account_movement", "public_account")
    }


# --- a price made again -------------------------------------------------------------------------------------------------


def test_a_sale_is_priced_again_to_the_fen_and_names_nobody(enter: Enter, sold: Ledger) -> None:
    sold.publish()
    client = enter("auditor")
    for public_id, body in ask("SELECT public_id, body FROM entry WHERE type = 'sale'"):
        assert f'href="/audit/entries/{public_id}/price"' in client.get(f"/audit/entries/{public_id}").text
        page = client.get(f"/audit/entries/{public_id}/price").text
        assert "一分不差" in page
        said = json.loads(body)
        for name in AMOUNTS:
            assert page.count(f"¥{said[name] // 100:,}.{said[name] % 100:02}") >= 2, name
        assert "NOODLE10 v1" in page
        for hidden in ("UNION1", "王小明", "10001", "amount", str(sold.works.member_id)):
            assert hidden not in page, "neither the person, nor the basket, nor what the union bore by offer"
    (refund,) = ask("SELECT public_id FROM entry WHERE type = 'refund'")[0]
    assert client.get(f"/audit/entries/{refund}/price").status_code == 404
    assert f'href="/audit/entries/{refund}/price"' not in client.get(f"/audit/entries/{refund}").text
    assert client.get(f"/audit/entries/{'0' * 32}/price").status_code == 404


@pytest.mark.parametrize(
    ("column", "change", "shown"),
    [
        ("facts", lambda said: said["quote"].update(payable=said["quote"]["payable"] - 1), "quote.payable"),
        ("facts", lambda said: said.update(v=99), "规则版本不同"),
        ("facts", lambda said: said.pop("now"), "读不出来"),
        ("facts", lambda said: said["member"].update(state="retired"), "facts"),
        ("basket", lambda said: said[0].update(unit_price=9_999), "不一样"),
    ],
)
def test_a_changed_document_is_said_without_its_values(
    enter: Enter, sold: Ledger, column: str, change: Callable[[Any], object], shown: str
) -> None:
    (public_id, stored) = ask(f"SELECT public_id, {column} FROM sale ORDER BY id LIMIT 1")[0]
    document = json.loads(stored)
    change(document)
    with get_engine().begin() as connection:  # as somebody could who rules the database
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        values = {"body": canonical_json(document), "id": public_id}
        connection.execute(text(f"UPDATE sale SET {column} = :body WHERE public_id = :id"), values)
    page = enter("auditor").get(f"/audit/entries/{public_id}/price").text
    assert "一分不差" not in page
    assert shown in page
    assert "UNION1" not in page


def test_only_an_auditor_comes_in(enter: Enter, sold: Ledger) -> None:
    (public_id,) = ask("SELECT public_id FROM sale LIMIT 1")[0]
    client = enter("officer")
    for path in ("/audit/entries", f"/audit/entries/{public_id}/price", "/audit/exports/jsonl.zip"):
        assert client.get(path).status_code in {403, 404}, path


def test_verify_finds_what_is_searched_and_not_said(sold: Ledger) -> None:
    sold.publish()
    with get_engine().connect() as connection:
        assert list(check_search(connection)) == []
        (place,) = connection.execute(text("SELECT leaf_index FROM entry WHERE type = 'refund'")).one()
        for change, found in (
            ("UPDATE entry_index SET list_fen = list_fen + 1 WHERE leaf_index = :place", {"amounts"}),
            ("UPDATE entry_index SET list_fen = NULL WHERE leaf_index = :place", {"amounts"}),
            ("UPDATE entry_index SET merchant = 'm_0002' WHERE leaf_index = :place", {"amounts"}),
            ("DELETE FROM entry_index WHERE leaf_index = :place - 1", {"can be found"}),
            ("UPDATE account_movement SET fen = fen * 2 WHERE leaf_index = :place", {"transfers", "balance"}),
            ("UPDATE account_movement SET balance_fen = 1 WHERE leaf_index = :place", {"balance"}),
            ("DELETE FROM public_account WHERE first_leaf < :place", {"not listed"}),
            ("UPDATE public_account SET first_leaf = :place + 1", {"listed from place", "first moved at"}),
            (
                "UPDATE account_movement SET account = other, other = account WHERE leaf_index = :place AND number < 2",
                None,
            ),
        ):
            with connection.begin_nested() as changed:
                connection.execute(text(change), {"place": place})
                problems = " ".join(finding.problem for finding in check_search(connection))
                assert problems
                assert all(word in problems for word in found or ())
                changed.rollback()
