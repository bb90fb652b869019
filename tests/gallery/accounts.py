"""Samples of the public accounts and their movements."""

from datetime import timedelta
from hashlib import sha256
from itertools import accumulate

from api.pages.views.record_accounts import AccountRow, MovementShown, RecordAccount, RecordAccounts
from api.pages.views.shared import Pages
from tests.gallery.frame import TODAY, Sample
from tests.gallery.record import CLOSED, NO_ROWS, PUBLISHED

HELD = tuple(
    AccountRow(account=account, name=name, fen=fen, last_on=TODAY)
    for account, name, fen in (
        ("union:fund", None, -5_000_000),
        ("budget:b_12", "工作日午餐补贴", 4_872_350),
        ("allowances", None, 300_000),
        ("payable:m_0001", "老周餐饮", 96_200),
        ("receivable:m_0001", "老周餐饮", -12_260),
        ("rebates:members", None, 8_000),
        ("rebates:union", None, 4_260),
    )
)
AMOUNTS = (5_000_000, -100, -100, 100, -300, -100)
MOVED = tuple(
    MovementShown(
        leaf_index=231_390 + n * 3,
        entry_id=sha256(f"movement {n}".encode()).hexdigest()[:32],
        kind=kind,
        day_on=TODAY - timedelta(days=5 - n),
        other=other,
        fen=fen,
        balance_fen=balance,
    )
    for n, (kind, other, fen, balance) in enumerate(
        zip(
            ("budget", "sale", "sale", "void", "sale", "sale"),
            ("union:fund", "payable:m_0001", "payable:m_0000", "payable:m_0001", "payable:m_0002", "payable:m_0001"),
            AMOUNTS,
            accumulate(AMOUNTS),
            strict=True,
        )
    )
)[::-1]


def _account(**given: object) -> RecordAccount:
    plain: dict[str, object] = {
        "account": "budget:b_12",
        "name": "工作日午餐补贴",
        "kind": "budget",
        "held_fen": 4_999_500,
        "opening_fen": 0,
        "closing_fen": 0,
        "movements": (),
        "before": None,
        "older": None,
        "published": PUBLISHED,
    }
    return RecordAccount(**(plain | given))  # type: ignore[arg-type]


ACCOUNTS: tuple[Sample, ...] = (
    Sample(
        "record-accounts",
        "record/accounts.html",
        RecordAccounts(
            kinds=("union", "budget", "allowances", "payable", "receivable", "rebates"),
            kind=None,
            query="",
            accounts=HELD,
            pages=Pages(number=1, count=200, rows_count=20_006),
            published=PUBLISHED,
        ),
        None,
        "/record/accounts",
    ),
    Sample(
        "record-accounts-none",
        "record/accounts.html",
        RecordAccounts(kinds=("budget",), kind="bank", query="", accounts=(), pages=NO_ROWS, published=PUBLISHED),
        None,
        "/record/accounts?kind=bank",
    ),
    Sample(
        "record-accounts-new",
        "record/accounts.html",
        RecordAccounts(kinds=(), kind=None, query="", accounts=(), pages=NO_ROWS, published=CLOSED),
        None,
        "/record/accounts",
    ),
    Sample(
        "record-account",
        "record/account.html",
        _account(movements=MOVED, closing_fen=4_999_500, before="231450-0", older="231390-1"),
        None,
        "/record/accounts/budget:b_12",
    ),
    Sample("record-account-end", "record/account.html", _account(before="0-0"), None, "/record/accounts/budget:b_12"),
    Sample(
        "record-account-new",
        "record/account.html",
        _account(account="receivable:m_0301", name=None, kind="receivable", held_fen=0),
        None,
        "/record/accounts/receivable:m_0301",
    ),
)
