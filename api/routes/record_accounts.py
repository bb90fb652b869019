"""The public accounts: what each holds, and its movements in the order of the log with the balance after every one. No sign-in."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from fastapi import Path, Query, Request, Response
from sqlalchemy.orm import Session

from api.access import Doors
from api.errors import PageUnknownError
from api.exports import csv_response, json_rows_response, public_json
from api.pages.kit import render
from api.pages.public_record import show_published
from api.pages.views.record import AccountRow, MovementShown, RecordAccount, RecordAccounts
from api.routes.desk_offers import merchant_names
from market.kit.canonical import canonical_json
from market.kit.database import transaction
from market.ledger.queries import list_budgets
from market.oversight.movements import (
    Held,
    Movement,
    Place,
    find_account,
    list_accounts,
    list_movements,
    read_movements,
)
from market.record.publishing.served import published_size

doors = Doors(prefix="/record", tags=["public record"])

ROWS_ON_PAGE: Final = 50
ROWS_PER_READ: Final = 1000
HELD: Final = ("account", "name", "balance_fen", "last_on")
MOVED: Final = ("leaf_index", "entry", "type", "day", "other", "fen", "balance_fen")
KINDS: Final = ("union", "budget", "allowances", "payable", "receivable", "rebates")

Account = Annotated[str, Path(pattern="^[A-Za-z0-9_:.-]{1,160}$")]
Kind = Annotated[str, Query(pattern="^[a-z]{0,32}$")]
Before = Annotated[str, Query(pattern="^([0-9]{1,18}-[0-9]{1,6}|)$")]


@doors.get("/accounts", include_in_schema=False)
def record_accounts(request: Request, kind: Kind = "") -> Response:
    """What every public account holds, by kind."""
    with transaction() as tx:
        held, names = list_accounts(tx), account_names(tx)
        published = show_published(tx)
    kinds = sorted({kind_of(each.account) for each in held}, key=_place)
    rows = [each for each in held if kind in ("", kind_of(each.account))]
    view = RecordAccounts(
        kinds=tuple(kinds),
        kind=kind or None,
        accounts=tuple(
            AccountRow(account=each.account, name=names.get(each.account), fen=each.fen, last_on=each.last_on)
            for each in sorted(rows, key=lambda each: (_place(kind_of(each.account)), each.account))
        ),
        published=published,
    )
    return render(request, "record/accounts.html", view)


@doors.get("/accounts.csv")
def record_accounts_csv(kind: Kind = "") -> Response:
    """What every public account holds as CSV: credits less debits of the published entries, in fen."""
    rows = (tuple(row.values()) for row in _held(kind))
    return csv_response("huigong-accounts.csv", HELD, rows, public=True)


@doors.get("/accounts.json")
def record_accounts_json(kind: Kind = "") -> Response:
    """What every public account holds as JSON: credits less debits of the published entries, in fen."""
    return public_json(_held(kind))


@doors.get("/accounts/{account}.csv")
def record_account_csv(account: Account) -> Response:
    """All movements of one account in the order of the log as CSV, without a limit; amounts and balances in fen."""
    rows = (tuple(row.values()) for row in _moved(account, _size()))
    return csv_response(f"huigong-{_plain(account)}.csv", MOVED, rows, public=True)


@doors.get("/accounts/{account}.json")
def record_account_json(account: Account) -> Response:
    """All movements of one account in the order of the log as JSON, without a limit; amounts and balances in fen."""
    size = _size()
    rows = (canonical_json(row) for row in _moved(account, size))
    return json_rows_response(f"huigong-{_plain(account)}.json", rows, account=account, log_size=size)


@doors.get("/accounts/{account}", include_in_schema=False)
def record_account(request: Request, account: Account, before: Before = "") -> Response:
    """A page of one account's movements, the last first, each with the balance after it."""
    leaf, _, number = before.partition("-")
    with transaction() as tx:
        held, names = find_account(tx, account=account), account_names(tx)
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


def account_names(tx: Session) -> Mapping[str, str]:
    """What people call an account: the title of a budget, the name of a merchant."""
    named = {f"budget:{budget.code}": budget.title for budget in list_budgets(tx)}
    for code, name in merchant_names(tx).items():
        named |= {f"payable:{code}": name, f"receivable:{code}": name}
    return named


def kind_of(account: str) -> str:
    """The first part of its code."""
    return account.partition(":")[0]


def _place(kind: str) -> tuple[int, str]:
    return (KINDS.index(kind), "") if kind in KINDS else (len(KINDS), kind)


def _held(kind: str) -> list[dict[str, Any]]:
    with transaction() as tx:
        held, names = list_accounts(tx), account_names(tx)
    return [_write(each, names) for each in held if kind in ("", kind_of(each.account))]


def _write(held: Held, names: Mapping[str, str]) -> dict[str, Any]:
    values = (held.account, names.get(held.account, ""), held.fen, held.last_on.isoformat())
    return dict(zip(HELD, values, strict=True))


def _size() -> int:
    with transaction() as tx:
        return published_size(tx)


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
