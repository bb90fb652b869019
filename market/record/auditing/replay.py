"""All rules over all entries, in the order of the log. An entry is read once; one that has not its form is not looked at further."""

from collections import Counter
from collections.abc import Iterable, Iterator

from market.record.auditing.accounts import Accounts
from market.record.auditing.balances import Balances
from market.record.auditing.finding import RETURNS, WITH_AMOUNTS, Check, Finding
from market.record.auditing.force import Standing, Versions
from market.record.auditing.forms import check_form, read_entry
from market.record.auditing.policies import Policies
from market.record.auditing.posts import Posts
from market.record.auditing.publications import Publications
from market.record.auditing.references import References
from market.record.auditing.sums import check_amounts, check_booked, check_borne, check_budget, check_transfers


class Replay:
    """The rules and what they remember. Call `look` with every entry from the first on, and `end` after the last."""

    def __init__(self) -> None:
        self.policies = Policies()
        self.balances = Balances()
        self.counts: Counter[str] = Counter()
        self.accounts = Accounts()
        references, publications, standing = References(), Publications(), Standing()
        versions = Versions(lambda: self.policies.zone)
        sales, batches = frozenset({"sale"}), frozenset({"batch"})
        # In this order. Of each rule the types it looks at; None is all.
        self._rules: tuple[tuple[frozenset[str] | None, Check], ...] = (
            (None, references.check_id),
            (frozenset({"merchant"}), publications.check_terms),
            (frozenset({"merchant"}), standing.check_merchant),
            (sales | batches, standing.check_open),
            (sales, publications.check_row),
            (batches, publications.check_batch),
            (WITH_AMOUNTS, check_amounts),
            (sales | batches, check_borne),
            (WITH_AMOUNTS, check_booked),
            (frozenset({"budget"}), check_budget),
            (frozenset({"offer"}), versions.check_offer),
            (sales | batches, versions.check_used),
            (RETURNS, references.check_return),
            (batches, publications.check_left),
            (frozenset({"account"}), self.accounts.check_chart),
            (frozenset({"post"}), Posts().check_post),
            (frozenset({"key"}), self.policies.check_key),
            (frozenset({"policy"}), self.policies.check_policy),
            (None, self.balances.check_order),
            (frozenset({"close"}), self.accounts.check_balances),
            (frozenset({"close"}), self.balances.check_close),
        )
        self._moves: tuple[Check, ...] = (check_transfers, self.accounts.check_transfers, self.balances.move)
        self._by_type: dict[str, list[Check]] = {}

    def look(self, leaf_index: int, body: bytes) -> list[Finding]:
        """What the rules find in this entry, knowing all before it."""
        entry = read_entry(leaf_index, body)
        if isinstance(entry, Finding):
            return [entry]
        findings = list(check_form(entry))
        kind = entry.type
        if findings:
            return findings
        self.counts[kind] += 1
        checks = self._by_type.get(kind)
        if checks is None:
            checks = self._by_type[kind] = [check for types, check in self._rules if types is None or kind in types]
        for check in checks:
            findings.extend(check(entry))
        if "transfers" in entry.document:
            for check in self._moves:
                findings.extend(check(entry))
        return findings

    def end(self, policy: bytes | None = None) -> Iterator[Finding]:
        """What can be said only after the last entry; `policy` is what is served as the newest."""
        yield from self.balances.check_budgets()
        yield from self.policies.check_announced()
        if policy is not None:
            yield from self.policies.check_served(policy)


def check_entries(bodies: Iterable[bytes], *, policy: bytes | None = None) -> Iterator[Finding]:
    """What the rules find in these entries, given from the log's first one on."""
    replay = Replay()
    for leaf_index, body in enumerate(bodies):
        yield from replay.look(leaf_index, body)
    yield from replay.end(policy)
