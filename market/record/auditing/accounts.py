"""The chart of accounts: from the first one on, every account in an entry is of a kind that the newest chart before it names."""

from collections.abc import Iterable, Iterator
from typing import Final

from market.record.auditing.finding import Entry, Finding
from market.record.chart import Chart

RULE: Final = "accounts"


class Accounts:
    """The newest chart so far. Before there is one, any account may stand in an entry."""

    def __init__(self) -> None:
        self._chart: Chart | None = None
        self._version = 0

    def check_chart(self, entry: Entry) -> Iterator[Finding]:
        """A chart has a higher version than the one before it."""
        said = entry.document
        if said["version"] <= self._version:
            yield entry.finding(RULE, "version", f"Version {self._version} was published before {said['version']}.")
        self._version = said["version"]
        self._chart = Chart(said["accounts"])

    def check_transfers(self, entry: Entry) -> Iterable[Finding]:
        """Both accounts of every transfer."""
        known = () if self._chart is None else self._chart.known
        sides = [side for row in entry.document["transfers"] for side in row[:2] if side not in known]
        return self._check(entry, "transfers", sides) if sides else ()

    def check_balances(self, entry: Entry) -> Iterator[Finding]:
        """The accounts that a `close` names."""
        return self._check(entry, "balances", entry.document["balances"])

    def _check(self, entry: Entry, field: str, accounts: Iterable[str]) -> Iterator[Finding]:
        if self._chart is None:
            return
        for account in accounts:
            if not self._chart.fits(account):
                problem = f"{account[:140]} is of no kind in version {self._version} of the chart of accounts."
                yield entry.finding(RULE, field, problem)
