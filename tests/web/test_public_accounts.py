"""Accounts with the balance after every movement: right at any depth, the same in every file, and what the books hold."""

import html
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from starlette.testclient import TestClient

from api.public_log import run_round
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.record.entries import public_account
from market.record.publishing.closing import close_days
from tests.web.ledger import Ledger, ask, lines_of, rows_of

DAY = date(2026, 11, 1)


def yuan(text: str) -> int:
    """`-¥1,234.05` or `+¥0.10` as fen."""
    sign = -1 if text.startswith(("-", "−")) else 1
    return sign * int(re.sub(r"[^0-9]", "", text))


def pages(client: TestClient, account: str) -> Iterator[tuple[list[tuple[int, int, int]], int, int, int]]:
    """Of each page its movements (place, fen, balance) and the three figures above them."""
    path = f"/record/accounts/{account}"
    while True:
        page = client.get(path).text
        figures = [
            yuan(re.sub("<[^>]+>", "", each).strip())
            for each in re.findall(r"<dd>\s*(.*?)\s*</dd>", page, re.DOTALL)[:3]
        ]
        rows = [
            (int(place.replace(",", "")), yuan(fen), yuan(balance))
            for place, fen, balance in re.findall(
                r'href="/record/entries/[0-9a-f]{32}">([\d,]+)</a>.*?<td class="num[^"]*">([^<]+)</td>\s*<td class="num">([^<]+)</td>',
                page,
                re.DOTALL,
            )
        ]
        yield rows, figures[0], figures[1], figures[2]
        link = re.search(r'href="(/record/accounts/[^"]*before=[^"]+)"', page)
        if link is None:
            return
        path = html.unescape(link[1])


def fill(ledger: Ledger, count: int) -> None:
    chance = Random(count)
    accounts = ("budget:lunch", "payable:m_0001", "receivable:m_0001", "rebates:union")
    for n in range(count):
        moves = []
        for _ in range(chance.randrange(1, 4)):
            debit, credit = chance.sample(accounts, 2)
            moves.append([debit, credit, chance.randrange(1, 99_999)])
        ledger.write("sale", on=DAY + timedelta(days=n % 9), merchant="m_0001", transfers=moves)


def moved(account: str, *, below: int) -> list[tuple[int, int, int]]:
    """Movements and running balance of an account, out of the entries alone."""
    held, rows = 0, []
    for place, body in ask(f"SELECT leaf_index, body FROM entry WHERE leaf_index < {below} ORDER BY leaf_index"):
        for debit, credit, fen in json.loads(body).get("transfers", ()):
            for side, change in ((debit, -fen), (credit, fen)):
                if side == account:
                    held += change
                    rows.append((place, change, held))
    return rows


def test_every_page_opens_where_the_one_before_it_closed(client: TestClient, ledger: Ledger) -> None:
    for _ in range(2):  # across two rounds of the sequencer, and so two rounds of indexing
        fill(ledger, 90)
        ledger.publish()
    (size,) = ask("SELECT count(*)::int FROM entry WHERE leaf_index IS NOT NULL")[0]
    fill(ledger, 5)
    wanted = moved("budget:lunch", below=size)
    assert len(wanted) > 120
    seen, opening = [], wanted[-1][2]
    for rows, held, opens, closes in pages(client, "budget:lunch"):
        assert held == wanted[-1][2]
        assert closes == opening
        assert closes == rows[0][2]
        assert opens == rows[-1][2] - rows[-1][1]
        opening = opens
        seen += rows
    assert opening == 0
    assert seen == wanted[::-1]


def test_files_hold_the_same_in_the_order_of_the_log(client: TestClient, ledger: Ledger) -> None:
    fill(ledger, 60)
    ledger.publish()
    (size,) = ask("SELECT count(*)::int FROM entry")[0]
    for row in rows_of(client, "/record/accounts.json"):
        account = row["account"]
        wanted = moved(account, below=size)
        assert row["balance_fen"] == wanted[-1][2]
        path = f"/record/accounts/{account}"
        assert [
            (each["leaf_index"], each["fen"], each["balance_fen"]) for each in rows_of(client, f"{path}.json")
        ] == wanted
        lines = lines_of(client, f"{path}.csv")
        assert [(int(each["leaf_index"]), int(each["fen"]), int(each["balance_fen"])) for each in lines] == wanted
    assert {line["account"] for line in lines_of(client, "/record/accounts.csv?kind=budget")} == {"budget:lunch"}


def test_balances_are_those_of_the_books_and_of_the_daily_close(client: TestClient, sold: Ledger) -> None:
    sold.publish()
    books: dict[str, int] = {}
    for debit, credit, fen in ask("SELECT debit, credit, amount_fen FROM transfer"):
        for account, change in ((debit, -fen), (credit, fen)):
            public = public_account(account)
            books[public] = books.get(public, 0) + change
    shown = {row["account"]: row["balance_fen"] for row in rows_of(client, "/record/accounts.json")}
    assert shown == books
    assert shown["budget:lunch"] > 0 > shown["receivable:m_0001"]
    later = now() + timedelta(days=1)
    with transaction() as tx:
        assert close_days(tx, policy=sold.policy, at=later) == [business_day(now())]
    run_round(sold.settings, at=later + timedelta(minutes=1))
    (body,) = ask("SELECT body FROM entry WHERE type = 'close'")[0]
    assert json.loads(body)["balances"] == shown


def test_nothing_unpublished_is_shown_and_unknown_accounts_are_none(client: TestClient, sold: Ledger) -> None:
    assert rows_of(client, "/record/accounts.json") == []
    page = client.get("/record/accounts/payable:m_0001")
    assert page.status_code == 200, "a merchant there is, whose account has not moved"
    assert "还没有动过" in page.text
    assert client.get("/record/accounts/payable:m_9999").status_code == 404
    assert client.get("/record/accounts/rebates:member:someone").status_code == 404
    sold.publish()
    page = client.get("/record/accounts/payable:m_0001").text
    assert "老王面馆" in page
    assert not re.search(r"rebates:member:|王小明", page + client.get("/record/accounts").text)
    for before in ("x", "1", "1-x", "99999999999999999999-1"):
        assert client.get(f"/record/accounts/budget:lunch?before={before}").status_code == 422
    assert "再往前没有了" in client.get("/record/accounts/budget:lunch?before=0-0").text
    assert client.get("/record/accounts/a'b").status_code == 404
