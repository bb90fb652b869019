"""The public accounts: what each holds, and its movements in the order of the log with the balance after every one. No sign-in."""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Final

from fastapi import Path, Query, Request, Response
from sqlalchemy.orm import Session

import merchants
from api.access import Doors
from api.errors import PageUnknownError
from api.exports import csv_response, json_rows_response, public_json
from api.pages.kit import render
from api.pages.paged import ROWS_ON_PAGE as ROWS_ON_LIST
from api.pages.paged import PageNumber, Search, count_pages, first_row, is_found
from api.pages.public_record import show_published, size_of, write_checkpoint
from api.pages.views.record_accounts import AccountRow, MovementShown, RecordAccount, RecordAccounts
from market.kit.canonical import canonical_json
from market.kit.database import transaction
from market.ledger.queries import list_budgets
from market.oversight.indexing import kind_of
from market.oversight.movements import (
    AccountsWanted,
    Held,
    Movement,
    Place,
    count_accounts,
    find_account,
    list_account_kinds,
    list_accounts,
    list_held,
    list_movements,
    read_movements,
)
from market.oversight.published import covering_checkpoint

doors = Doors(prefix="/record", tags=["public record"])

ROWS_ON_PAGE: Final = 50
ROWS_PER_READ: Final = 1000
HELD: Final = ("account", "name", "balance_fen", "last_on")
MOVED: Final = ("leaf_index", "entry", "type", "day", "other", "fen", "balance_fen")
OF_MERCHANTS: Final = ("payable", "receivable")
KINDS: Final = ("union", "budget", "allowances", "payable", "receivable", "rebates")

Account = Annotated[str, Path(pattern="^[A-Za-z0-9_:.-]{1,160}$")]
Kind = Annotated[str, Query(pattern="^[a-z]{0,32}$")]
Before = Annotated[str, Query(pattern="^([0-9]{1,18}-[0-9]{1,6}|)$")]


@doors.get("/accounts", include_in_schema=False)
def record_accounts(request: Request, kind: Kind = "", query: Search = "", number: PageNumber = 1) -> Response:
    """A page of the public accounts, by kind, each with what it holds."""
    with transaction() as tx:
        size = size_of(covering_checkpoint(tx))
        kinds = sorted(list_account_kinds(tx, size=size), key=_place)
        wanted = _want(tx, size=size, kind=kind, query=query)
        pages = count_pages(count_accounts(tx, wanted), number)
        page = list_accounts(tx, wanted, kinds=KINDS, offset=first_row(pages), limit=ROWS_ON_LIST)
        held = {each.account: each for each in list_held(tx, accounts=page, size=size)}
        names = account_names(tx, page)
        published = show_published(tx)
    view = RecordAccounts(
        kinds=tuple(kinds),
        kind=kind or None,
        query=query,
        accounts=tuple(
            AccountRow(account=account, name=names.get(account), fen=held[account].fen, last_on=held[account].last_on)
            for account in page
            if account in held
        ),
        pages=pages,
        published=published,
    )
    return render(request, "record/accounts.html", view)


@doors.get("/accounts.csv")
def record_accounts_csv(kind: Kind = "", query: Search = "") -> Response:
    """What every public account holds as CSV: credits less debits of the published entries, in fen."""
    rows = (tuple(row.values()) for row in _held(kind, query)[1])
    return csv_response("huigong-accounts.csv", HELD, rows, public=True)


@doors.get("/accounts.json")
def record_accounts_json(kind: Kind = "", query: Search = "") -> Response:
    """What every public account holds as JSON: credits less debits of the published entries, in fen."""
    note, rows = _held(kind, query)
    return public_json(rows, **write_checkpoint(note))


@doors.get("/accounts/{account}.csv")
def record_account_csv(account: Account) -> Response:
    """All movements of one account in the order of the log as CSV, without a limit; amounts and balances in fen."""
    with transaction() as tx:
        size = size_of(covering_checkpoint(tx))
    rows = (tuple(row.values()) for row in _moved(account, size))
    return csv_response(f"huigong-{_plain(account)}.csv", MOVED, rows, public=True)


@doors.get("/accounts/{account}.json")
def record_account_json(account: Account) -> Response:
    """All movements of one account in the order of the log as JSON, without a limit; amounts and balances in fen."""
    with transaction() as tx:
        note = covering_checkpoint(tx)
    rows = (canonical_json(row) for row in _moved(account, size_of(note)))
    return json_rows_response(f"huigong-{_plain(account)}.json", rows, account=account, **write_checkpoint(note))


@doors.get("/accounts/{account}", include_in_schema=False)
def record_account(request: Request, account: Account, before: Before = "") -> Response:
    """A page of one account's movements, the last first, each with the balance after it."""
    leaf, _, number = before.partition("-")
    with transaction() as tx:
        held, names = find_account(tx, account=account), account_names(tx, [account])
        if held is None and account not in names:
            raise PageUnknownError
        page = list_movements(
            tx, account=account, before=(int(leaf), int(number)) if before else None, limit=ROWS_ON_PAGE
        )
        published = show_published(tx)
    view = RecordAccount(
        account=account,
        name=names.get(account),
        kind=kind_of(account),
        held_fen=held.fen if held else 0,
        opening_fen=page.opening_fen,
        closing_fen=page.closing_fen,
        movements=tuple(
            MovementShown(
                leaf_index=each.leaf_index,
                entry_id=each.public_id,
                kind=each.kind,
                day_on=each.day,
                other=each.other,
                fen=each.fen,
                balance_fen=each.balance_fen,
            )
            for each in page.movements
        ),
        before=before or None,
        older="-".join(map(str, page.older)) if page.older else None,
        published=published,
    )
    return render(request, "record/account.html", view)


def account_names(tx: Session, accounts: Collection[str]) -> Mapping[str, str]:
    """What people call these accounts: the title of a budget, the name of a merchant; others are left out."""
    titles = {budget.code: budget.title for budget in list_budgets(tx)}
    of_merchants = {code_of(account) for account in accounts if kind_of(account) in OF_MERCHANTS}
    names = merchants.find_names(tx, codes=of_merchants)
    called = {
        account: (names if kind_of(account) in OF_MERCHANTS else titles).get(code_of(account)) for account in accounts
    }
    return {account: name for account, name in called.items() if name is not None}


def code_of(account: str) -> str:
    """What follows its kind: the code of a budget or a merchant."""
    return account.partition(":")[2]


def _place(kind: str) -> tuple[int, str]:
    return (KINDS.index(kind), "") if kind in KINDS else (len(KINDS), kind)


def _want(tx: Session, *, size: int, kind: str, query: str) -> AccountsWanted:
    """Accounts of a kind of which the code holds what is looked for, or what people call them."""
    if not query.strip():
        return AccountsWanted(size, kind)
    named = {f"budget:{budget.code}" for budget in list_budgets(tx) if is_found(query, budget.title)}
    named |= {f"{each}:{code}" for code in merchants.search_names(tx, query=query) for each in OF_MERCHANTS}
    return AccountsWanted(size, kind, query, named)


def _held(kind: str, query: str) -> tuple[bytes | None, list[dict[str, Any]]]:
    """The checkpoint that the balances were made from, and the accounts with them, by code."""
    with transaction() as tx:
        note = covering_checkpoint(tx)
        size = size_of(note)
        found = list_accounts(tx, _want(tx, size=size, kind=kind, query=query))
        held, names = list_held(tx, accounts=found, size=size), account_names(tx, found)
    return note, [_write(each, names) for each in held]


def _write(held: Held, names: Mapping[str, str]) -> dict[str, Any]:
    values = (held.account, names.get(held.account, ""), held.fen, held.last_on.isoformat())
    return dict(zip(HELD, values, strict=True))


def _moved(account: str, size: int) -> Iterator[dict[str, Any]]:
    """All movements of an account in a log of `size` entries, so many at a time, each read in a short transaction of its own."""
    after: Place | None = None
    while True:
        with transaction() as tx:
            rows = read_movements(tx, account=account, size=size, after=after, limit=ROWS_PER_READ)
        yield from map(_move, rows)
        if len(rows) < ROWS_PER_READ:
            return
        after = (rows[-1].leaf_index, rows[-1].number)


def _move(each: Movement) -> dict[str, Any]:
    values = (
        each.leaf_index,
        each.public_id,
        each.kind,
        each.day.isoformat(),
        each.other,
        each.fen,
        each.balance_fen,
    )
    return dict(zip(MOVED, values, strict=True))


def _plain(account: str) -> str:
    """An account's code as part of a file's name."""
    return account.replace(":", "-")
