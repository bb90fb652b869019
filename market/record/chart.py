"""The chart of accounts: every kind of account that can stand in a public entry. Itself an entry; the newest holds. Pure.

Whoever changes it raises its version, so that the next round of publication says it again.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

CODE: Final = re.compile(r"[A-Za-z0-9_:.-]{1,120}").fullmatch
"""What stands for the part of an account that is another thing's code; as the ledger has it."""
_ACCOUNT: Final = re.compile(r"[a-z]+(?::(?:[a-z]+|<[a-z]+>))?").fullmatch


class AccountKind(NamedTuple):
    """A kind of account.

    `account` is its code, in which `<merchant>` stands for the code of one. `nature` is what it is: the `fund` that budgets are granted
    from, a `purse` that is spent from and never below zero, a `payable` or `receivable`, an `income`, the `bank`. `side` is where its
    balance stands in these books, which begin at zero; on the debit side a balance (credits less debits) is negative. `party` is who
    stands behind it; an account of `members` is the sum of those of single persons.
    """

    account: str
    nature: str
    side: str
    party: str


VERSION: Final = 1
CHART: Final = (
    AccountKind("allowances", "purse", "credit", "members"),
    AccountKind("bank", "bank", "credit", "union"),
    AccountKind("budget:<budget>", "purse", "credit", "union"),
    AccountKind("payable:<merchant>", "payable", "credit", "merchant"),
    AccountKind("rebates:members", "payable", "credit", "members"),
    AccountKind("rebates:union", "income", "credit", "union"),
    AccountKind("receivable:<merchant>", "receivable", "debit", "merchant"),
    AccountKind("union:fund", "fund", "debit", "union"),
)


def chart_fields() -> dict[str, object]:
    """The fields of the `account` entry that publishes this release's chart. Formats: docs/record.md."""
    return {"version": VERSION, "accounts": [list(kind) for kind in CHART]}


def is_account_pattern(text: str) -> bool:
    """Whether this is how a chart writes the accounts of a kind: `union:fund`, or `payable:<merchant>`."""
    return _ACCOUNT(text) is not None


class Chart:
    """Which accounts fit the kinds of a chart."""

    def __init__(self, patterns: Iterable[Sequence[str]]) -> None:
        """Of each row the first part is the kind's code."""
        codes = [row[0] for row in patterns]
        self.known = {code for code in codes if not code.endswith(">")}
        """Accounts that fit; those that `fits` has met are noted here."""
        self._open = {code.partition(":")[0] for code in codes if code.endswith(">")}

    def fits(self, account: str) -> bool:
        """Whether an account is of one of the kinds."""
        if account in self.known:
            return True
        kind, _, code = account.partition(":")
        if kind not in self._open or CODE(code) is None:
            return False
        self.known.add(account)
        return True
