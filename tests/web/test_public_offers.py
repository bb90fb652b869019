"""Offers in public, as pages and files: what their entries say and nothing else, of whomever they are for."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

import cards
from api.access import ACCESS, PUBLIC
from market.kit.clock import now
from market.kit.database import transaction
from market.offers.bulk import NewOffer, load_offers
from market.offers.operations import end_offer, propose_offer
from merchants import admit_merchant
from tests.web.ledger import BACK, Ledger, ask, lines_of, rows_of
from tests.web.market import FIRST, SECOND, put_offer

FORGED = '=HYPERLINK("http://evil.example")'
WELDERS = {
    "id": "EXTRA20",
    "stage": "line",
    "kind": "percent_off",
    "match": {"merchants": ["m_0001"]},
    "rate_bp": 2000,
    "audience": {"tags": ["welder"]},
}
OTHER = {**BACK, "id": "BOOK5", "match": {"merchants": ["m_00012"]}}


@pytest.fixture
def offered(sold: Ledger) -> Ledger:
    """Beside those of the ledger: an offer of few, one with a title that a spreadsheet would run, one that ended, one of another merchant."""
    with transaction() as tx:
        admit_merchant(
            tx, code="m_00012", name="阿福书店", credit_code="91310000132206289R", category="books", at=now()
        )
    put_offer(WELDERS, title="特种作业补给", title_en="For a few", at=now())
    put_offer(WELDERS | {"rate_bp": 2500}, title="特种作业补给", title_en="For a few", at=now())
    put_offer({**BACK, "id": "BACK9"}, title=FORGED, title_en="+1+1", at=now())
    put_offer({**BACK, "id": "GONE5"}, title="早先的", title_en="Gone", at=now())
    put_offer(OTHER, title="图书返", title_en="Books", at=now())
    with transaction() as tx:
        end_offer(tx, offer="GONE5", at=now())
        propose_offer(
            tx, terms={**BACK, "id": "WAITS"}, limits={}, title="还没批", title_en="W", proposed_by=FIRST, at=now()
        )
    sold.publish()
    return sold


def entry_of(public_id: str) -> dict[str, Any]:
    [(body,)] = ask(f"SELECT body FROM entry WHERE public_id = '{public_id}'")
    return dict(json.loads(bytes(body)))


def walk(client: TestClient, path: str) -> Iterator[tuple[str, int]]:
    """Offers and versions of all pages of the list."""
    while True:
        page = client.get(path).text
        for offer, version in re.findall(r'<span class="code">([A-Z0-9]+) v(\d+)</span>', page):
            yield offer, int(version)
        link = re.search(r'href="(/record/offers\?[^"]*after=[^"]+)"', page)
        if link is None:
            return
        path = html.unescape(link[1])


def test_a_row_says_what_its_entry_says(client: TestClient, offered: Ledger) -> None:
    rows = rows_of(client, "/record/offers.json?shown=all")
    assert {(row["offer"], row["version"]) for row in rows} == {
        ("NOODLE10", 1), ("UNION1", 1), ("BACK5", 1), ("EXTRA20", 1), ("EXTRA20", 2), ("BACK9", 1), ("GONE5", 1), ("BOOK5", 1)
    }  # fmt: skip
    for row in rows:
        entry = entry_of(row["entry"])
        said = {name: row[name] for name in ("terms", "limits", "signed", "audience") if name in row}
        assert said == {name: entry[name] for name in entry if name not in {"v", "type", "id", "day", "text"}}, row[
            "offer"
        ]
        assert row["published"] == entry["day"]
    lines = lines_of(client, "/record/offers.csv?shown=all")
    assert [
        (line["offer"], line["entry"], json.loads(line["terms"]), line["audience"].lstrip("'"), line["signed"])
        for line in lines
    ] == [(row["offer"], row["entry"], row["terms"], row.get("audience", ""), " ".join(row["signed"])) for row in rows]
    one = rows_of(client, "/record/offers/EXTRA20.json")
    assert one == [row for row in rows if row["offer"] == "EXTRA20"]
    assert [line["version"] for line in lines_of(client, "/record/offers/EXTRA20.csv")] == ["2", "1"]


def test_files_name_their_checkpoint_and_no_entry_beyond_it(client: TestClient, offered: Ledger) -> None:
    put_offer({**BACK, "id": "LATE5"}, title="刚批的", title_en="Late", at=now())
    _, size, root = client.get("/record/checkpoint").text.splitlines()[:3]
    for path in (
        "offers.json?shown=all",
        "offers/LATE5.json",
        "entries.json",
        "accounts.json",
        "merchants/m_0001.json",
    ):
        document = client.get(f"/record/{path}").json()
        assert (str(document["log_size"]), document["log_root"]) == (size, root), path
    assert [row["entry"] for row in rows_of(client, "/record/offers/LATE5.json")] == [None]


def test_filters_are_the_same_on_page_csv_and_json(client: TestClient, offered: Ledger) -> None:
    wanted = {
        "": {"NOODLE10", "UNION1", "BACK5", "EXTRA20", "BACK9", "BOOK5"},
        "?shown=ended": {"EXTRA20", "GONE5"},
        "?merchant=m_0001&shown=all": {"NOODLE10", "BACK5", "EXTRA20", "BACK9", "GONE5"},
        "?merchant=m_00012&shown=all": {"BOOK5"},
        "?merchant=m_9999": set(),
        "?q=%E4%B9%A6%E5%BA%97": {"BOOK5"},
        "?q=m_0001": {"NOODLE10", "BACK5", "EXTRA20", "BACK9", "BOOK5"},
        "?q=welder": set(),
        "?q=GONE": set(),
        "?q=GONE&shown=all": {"GONE5"},
    }
    for query, offers in wanted.items():
        listed = set(walk(client, f"/record/offers{query}"))
        assert {offer for offer, _ in listed} == offers, query
        for rows in (rows_of(client, f"/record/offers.json{query}"), lines_of(client, f"/record/offers.csv{query}")):
            assert {(row["offer"], int(row["version"])) for row in rows} == listed, query
    assert client.get("/record/offers?shown=waiting").status_code == 422
    for nothing in ("/record/offers/WAITS.json", "/record/offers/WAITS.csv", "/record/offers/WAITS"):
        assert client.get(nothing).status_code == 404


def test_a_merchant_s_versions_are_all_there_however_many(client: TestClient, offered: Ledger) -> None:
    more = [NewOffer({**BACK, "id": f"MORE{n}"}, f"返 {n}", "Back", merchants=("m_0001",)) for n in range(60)]
    with transaction() as tx:
        load_offers(tx, offers=more, proposed_by=FIRST, approved_by=SECOND, count_class=cards.count_class, at=now())
    there = ask("SELECT offer, version FROM offer_version WHERE 'm_0001' = ANY(merchants) AND approved_by IS NOT NULL")
    listed = list(walk(client, "/record/offers?merchant=m_0001&shown=all"))
    assert sorted(listed) == sorted(there)
    assert len(listed) > 60
    page = client.get("/record/merchants/m_0001").text
    assert html.escape("/record/offers?merchant=m_0001&shown=all") in page
    assert html.escape("/record/offers.csv?merchant=m_0001&shown=all") in page


def test_no_cell_is_a_formula(client: TestClient, offered: Ledger) -> None:
    [line] = lines_of(client, "/record/offers/BACK9.csv")
    assert (line["title"], line["title_en"]) == (f"'{FORGED}", "'+1+1")
    assert rows_of(client, "/record/offers/BACK9.json")[0]["title"] == FORGED
    assert FORGED not in client.get("/record/offers").text, "escaped as markup"


def test_whom_an_offer_of_few_is_for_stands_in_no_public_page_or_file(client: TestClient, offered: Ledger) -> None:
    entries = [row["entry"] for row in rows_of(client, "/record/offers.json?shown=all")]
    size = client.get("/record/checkpoint").text.splitlines()[1]
    given = {
        "offer": ["EXTRA20"],
        "code": ["m_0001"],
        "entry": entries,
        "account": ["payable:m_0001", "budget:lunch"],
        "path:path": [f"entries/000.p/{size}"],
    }
    asked = 0
    for (method, route), admitted in ACCESS.items():
        is_text = method == "GET" and route.startswith("/record") and not route.endswith(".pdf")
        if not is_text or admitted is not PUBLIC:
            continue
        [name] = re.findall(r"\{(.+?)\}", route) or [""]
        for value in given.get(name, [""]):
            path = route.replace(f"{{{name}}}", value)
            for query in ("", "?lang=en&shown=all"):
                answer = client.get(path + query)
                assert answer.status_code < 500, path
                assert b"welder" not in answer.content, path + query
                asked += answer.status_code == 200
    assert asked > 80
    page = client.get("/record/offers/EXTRA20").text
    assert "不到 100 人" in page
    assert [row["terms"].get("audience") for row in rows_of(client, "/record/offers/EXTRA20.json")] == [None, None]
