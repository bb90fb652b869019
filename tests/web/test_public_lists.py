"""Long public lists: every row on one page, found by name, files whole; a merchant's terms with every change."""

import html
import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

import merchants
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.record.publication import change_publication, first_day
from tests.web.ledger import Ledger, ask, lines_of, rows_of

COUNT = 230


def add_merchants(count: int) -> None:
    """So many more, by name 分店 1 and on, without what an admission writes besides."""
    with transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO merchant (id, code, name, credit_code, category, state, admitted_at) SELECT gen_random_uuid(),"
                " 'b_' || lpad(n::text, 4, '0'), '分店 ' || n, 'C' || n, 'food', 'admitted', now() FROM generate_series(1, :n) AS n"
            ),
            {"n": count},
        )


def walk(client: TestClient, path: str, pattern: str) -> Iterator[list[str]]:
    """What each page names, following the link to the next as a reader would."""
    while True:
        page = client.get(path).text
        yield re.findall(pattern, page)
        [*_, link] = ["", *re.findall(r'href="([^"#]+)[^"]*">下一页', page)]
        if not link:
            return
        path = html.unescape(link)


@pytest.mark.parametrize("order", ["", "?sort=merchant&down=0", "?sort=since", "?category=food&sort=offers"])
def test_every_merchant_is_on_one_page(client: TestClient, sold: Ledger, order: str) -> None:
    add_merchants(COUNT)
    pages = list(walk(client, f"/record/merchants{order}", r'href="/record/merchants/([a-z]_\d+)"'))
    assert [len(page) for page in pages] == [100, 100, 31]
    codes = [code for page in pages for code in page]
    assert sorted(codes) == sorted(code for (code,) in ask("SELECT code FROM merchant"))
    if "sort=merchant" in order:
        names = dict(ask("SELECT code, name FROM merchant"))
        assert [names[code] for code in codes] == sorted(names.values())
    last = client.get(f"/record/merchants{order or '?'}&page=3").text
    assert "231 家商户" in last
    assert "第 3 页，共 3 页" in last
    assert "¥" in re.findall(r"231 家合计.*?</tr>", last, re.DOTALL)[0]
    assert len(rows_of(client, "/record/merchants.json")) == 231, "files are whole"


def test_every_offer_of_a_month_is_on_one_page_and_the_sum_is_of_all(client: TestClient, sold: Ledger) -> None:
    sold.publish()
    with transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO offer_total (month, offer, version, sales_count, batches_count, borne_fen)"
                " SELECT :month, 'O' || lpad(n::text, 3, '0'), 1, 1, 0, 10 FROM generate_series(1, 230) AS n"
            ),
            {"month": business_day(now()).replace(day=1)},
        )
        tx.execute(text("UPDATE day_total SET given_fen = given_fen + 10 * 230"))
    pages = list(walk(client, "/record/months/offers", r'href="/record/offers/([A-Z0-9]+)"'))
    rows = ask("SELECT offer FROM offer_total ORDER BY borne_fen DESC, offer, version")
    assert [len(page) for page in pages] == [100, 100, len(rows) - 200]
    assert [offer for page in pages for offer in page] == [offer for (offer,) in rows]
    assert len(rows_of(client, "/record/months/offers.json")) == len(rows), "files are whole"
    for number in (1, 3):
        assert "账不平" not in client.get(f"/record/months/offers?page={number}").text


def test_what_is_looked_for_is_found_by_name_and_code_on_page_and_in_files(client: TestClient, sold: Ledger) -> None:
    add_merchants(COUNT)
    for query, codes in (("分店 23", {"b_0023", "b_0230"}), ("B_0007", {"b_0007"}), ("面馆", {"m_0001"}), ("%", set())):
        page = client.get("/record/merchants", params={"q": query}).text
        assert set(re.findall(r'href="/record/merchants/(\w+)"', page)) == codes, query
        for path in ("merchants.json", "merchants.csv"):
            read = rows_of if path.endswith("json") else lines_of
            answer = client.get(f"/record/{path}", params={"q": query})
            assert {row["merchant"] for row in read(client, str(answer.url))} == codes
    sold.publish()
    month = business_day(now()).isoformat()[:7]
    for path in (f"/record/months?month={month}", f"/record/rebates?month={month}"):
        assert "老王面馆" in client.get(f"{path}&q=m_0001").text
        nothing = client.get(f"{path}&q=b_0001").text
        assert "没有找到" in nothing
        assert "老王面馆" not in nothing
        file = path.replace("?", ".json?")
        assert (len(rows_of(client, f"{file}&q=m_0001")), rows_of(client, f"{file}&q=b_0001")) == (1, [])


def test_every_account_is_on_one_page_and_found_by_whose_it_is(client: TestClient, sold: Ledger) -> None:
    add_merchants(70)
    for number in range(1, 71):
        moves = [["budget:lunch", f"payable:b_{number:04}", number], [f"receivable:b_{number:04}", "rebates:union", 1]]
        sold.write("sale", on=business_day(now()), merchant=f"b_{number:04}", transfers=moves)
    sold.publish()
    pattern = r'href="/record/accounts/([^"?]+)"'
    pages = list(walk(client, "/record/accounts", pattern))
    there = {row["account"]: row for row in rows_of(client, "/record/accounts.json")}
    assert sorted(account for page in pages for account in page) == sorted(there)
    assert [len(page) for page in pages] == [100, len(there) - 100]
    assert there["payable:b_0070"]["balance_fen"] == 70
    assert there["payable:b_0070"]["name"] == "分店 70"
    [page] = walk(client, "/record/accounts?kind=receivable&q=%E5%88%86%E5%BA%97%207", pattern)
    assert page == ["receivable:b_0007", "receivable:b_0070"]
    assert [row["account"] for row in rows_of(client, "/record/accounts.json?q=%E5%8D%88%E9%A4%90")] == ["budget:lunch"]
    assert [line["account"] for line in lines_of(client, "/record/accounts.csv?q=payable:b_0009")] == ["payable:b_0009"]
    assert "没有找到" in client.get("/record/accounts?q=nobody").text


def test_a_merchant_in_words_leads_to_the_address_with_its_code(client: TestClient, sold: Ledger) -> None:
    add_merchants(12)
    sold.publish()
    answer = client.get("/record/entries", params={"merchant": "王面", "type": "sale"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "?type=sale&merchant=m_0001"
    exact = client.get("/record/entries", params={"merchant": "分店 1"})
    assert exact.headers["location"] == "?merchant=b_0001", "others hold its name, and are called otherwise"
    choice = client.get("/record/entries", params={"merchant": "分店", "type": "sale"}).text
    assert "是哪一家商户" in choice
    assert len(re.findall(r'href="/record/entries\?type=sale&amp;merchant=b_00\d\d"', choice)) == 12
    assert 'href="/record/entries.csv' not in choice, "nothing is listed, so there is no file of it"
    assert "没有这家商户" in client.get("/record/entries", params={"merchant": "没有的店"}).text
    assert client.get("/record/entries", params={"merchant": "<b>"}).status_code == 200
    for path in ("entries?merchant=%00", "merchants?q=%00", "accounts?q=%00", "offers?q=%00", "months?q=%00"):
        assert client.get(f"/record/{path}").status_code < 500, path
    assert client.get("/record/entries", params={"merchant": "x" * 61}).status_code == 422
    assert client.get("/record/entries.csv", params={"merchant": "面馆"}).status_code == 422, "files take codes"


def test_a_merchant_s_terms_stand_with_every_change(client: TestClient, sold: Ledger) -> None:
    with transaction() as tx:
        merchant = sold.works.merchant_id
        merchants.suspend_merchant(tx, merchant_id=merchant, at=now())
        merchants.readmit_merchant(tx, merchant_id=merchant, at=now())
        change_publication(
            tx, merchant="m_0001", publication="batched", reason="few", from_on=first_day(now()), at=now()
        )
        merchants.suspend_merchant(tx, merchant_id=merchant, at=now())
    assert "还没有公布" in client.get("/record/merchants/m_0001").text
    sold.publish(now() + timedelta(minutes=1))
    page = client.get("/record/merchants/m_0001").text
    table = page.partition('id="terms"')[2].partition("</table>")[0]
    assert re.findall(r"<td>(加入|变更|暂停合作|恢复合作)", table) == [
        "暂停合作",
        "变更",
        "恢复合作",
        "暂停合作",
        "加入",
    ]
    assert re.search(r"成批公布\s*<span class=\"under\">[^<]+起 · 销售不够多</span>", table)
    entries = re.findall(r'href="/record/entries/([0-9a-f]{32})"', table)
    rows = rows_of(client, "/record/merchants/m_0001.json")
    assert [row["entry"] for row in rows] == entries
    for row in rows:
        [(body,)] = ask(f"SELECT body FROM entry WHERE public_id = '{row['entry']}'")
        entry = json.loads(bytes(body))
        assert entry["type"] == "merchant"
        assert {name: value for name, value in row.items() if value is not None} == {
            "leaf_index": row["leaf_index"],
            "entry": entry["id"],
            **{name: value for name, value in entry.items() if name not in {"v", "type", "id", "merchant"}},
        }
    lines = lines_of(client, "/record/merchants/m_0001.csv")
    assert lines == [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    for path in ("m_9999.json", "m_9999.csv", "m_9999/months.json"):
        assert client.get(f"/record/merchants/{path}").status_code == 404


def test_a_merchant_s_months_are_a_file_of_their_own(client: TestClient, sold: Ledger) -> None:
    months = rows_of(client, "/record/merchants/m_0001/months.json")
    assert months == rows_of(client, "/record/months.json"), "he alone sold"
    assert lines_of(client, "/record/merchants/m_0001/months.csv") == [
        {name: str(value) for name, value in row.items()} for row in months
    ]
