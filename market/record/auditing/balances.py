"""The balances of all public accounts, replayed: budgets never fall below zero, and each `close` says what the replay says.

A balance is what was credited less what was debited, in fen.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from market.record.auditing.finding import Entry, Finding
from market.record.policy import OTHERS, RANKS

FUND: Final = "union:fund"


class Balances:
    """Every account's balance after the entries so far, and the movements of days that no `close` has covered yet."""

    def __init__(self) -> None:
        self._balances: dict[str, int] = {}
        self._open_days: dict[str, dict[str, int]] = {}
        self._closed: dict[str, int] = {}
        self._has_grants = False
        self._unknown: set[str] = set()
        self._below: dict[str, Entry] = {}
        self._in_batches: dict[str, int] = {}
        self._rank = 0

    @property
    def balances(self) -> Mapping[str, int]:
        """The balances as they stand, by account."""
        return self._balances

    def check_order(self, entry: Entry) -> Iterator[Finding]:
        """Called with every entry, before its transfers: where the order of ranks begins anew, no budget may be below zero.

        Within a round purchases stand before what went back, whatever came first; so a budget may be short in between.
        """
        rank = RANKS.get(entry.type, OTHERS)
        if rank < self._rank:
            yield from self.check_budgets()
        self._rank = rank

    def check_budgets(self) -> Iterator[Finding]:
        """No budget is below zero now. Those drawn on before the log's first `budget` entry are left out: their grants are not public.

        A return to a batched merchant shows later than what its money was spent on since. So a budget may be short by as much as
        batches have drawn from it and not given back.
        """
        waiting = {}
        for account, entry in self._below.items():
            short = -self._balances[account]
            if short <= self._in_batches.get(account, 0):
                waiting[account] = entry
            else:
                yield entry.finding("balances", "transfers", f"From here on {account} is below zero, now by {short}.")
        self._below = waiting

    def move(self, entry: Entry) -> Iterable[Finding]:
        """Book the transfers of an entry. Finds nothing by itself."""
        if entry.type == "budget" and not self._has_grants:
            self._has_grants = True
            drawn = {account for account, fen in self._balances.items() if fen < 0 and account.startswith("budget:")}
            self._unknown = drawn | {FUND} if drawn else drawn
        day, balances = self._open_days.setdefault(entry.document["day"], {}), self._balances
        for debit, credit, fen in entry.document["transfers"]:
            for account, change in ((debit, -fen), (credit, fen)):
                day[account] = day.get(account, 0) + change
                before = balances.get(account, 0)
                balances[account] = before + change
                if account.startswith("budget:"):
                    self._note_budget(entry, account, before, change)
        return ()

    def _note_budget(self, entry: Entry, account: str, before: int, change: int) -> None:
        if entry.type == "batch":
            self._in_batches[account] = self._in_batches.get(account, 0) - change
        if self._has_grants and account not in self._unknown:
            if before + change >= 0:
                self._below.pop(account, None)
            elif before >= 0:
                self._below[account] = entry

    def check_close(self, entry: Entry) -> Iterator[Finding]:
        """Each account listed has the balance that the entries up to and with the `close`'s day lead to."""
        said = entry.document
        for day in sorted(day for day in self._open_days if day <= said["day"]):
            for account, change in self._open_days.pop(day).items():
                self._closed[account] = self._closed.get(account, 0) + change
        for account, fen in said["balances"].items():
            replayed = self._closed.get(account, 0)
            if fen != replayed and account not in self._unknown:
                yield entry.finding("balances", "balances", f"{account}: {fen} is said, {replayed} is replayed.")
