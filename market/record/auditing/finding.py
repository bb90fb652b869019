"""An entry as the rules read it, and what they find."""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeAlias

AMOUNTS: Final = ("list", "concession", "subsidy", "paid", "rebate_member", "rebate_union")
RETURNS: Final = frozenset({"void", "refund"})
PURCHASES: Final = frozenset({"sale"}) | RETURNS


class Finding(NamedTuple):
    """One thing that is not as it must be: the rule, what it is about, and one sentence.

    `leaf_index` is the entry's place in the log, `field` the entry's field, or the file where no entry is at fault.
    """

    rule: str
    problem: str
    leaf_index: int | None = None
    public_id: str = ""
    field: str = ""

    @property
    def place(self) -> str:
        """For people: `entry 17 (8f1c…), paid`, or `tile/0/003, hash 12`."""
        entry = "" if self.leaf_index is None else f"entry {self.leaf_index}"
        named = f"{entry} ({self.public_id})" if self.public_id else entry
        return ", ".join(part for part in (named, self.field) if part)


class Entry(NamedTuple):
    """An entry of the log: its place, its bytes, and what they say. One for each of millions, so a plain tuple."""

    leaf_index: int
    body: bytes
    document: dict[str, Any]

    @property
    def type(self) -> str:
        """What kind of entry it is; empty where it does not say."""
        named = self.document.get("type")
        return named if type(named) is str else ""

    @property
    def public_id(self) -> str:
        """Its public id; empty where it has none."""
        named = self.document.get("id")
        return named if type(named) is str else ""

    def finding(self, rule: str, field: str, problem: str) -> Finding:
        """Something about one of its fields."""
        return Finding(rule, problem, self.leaf_index, self.public_id[:64], field)


Check: TypeAlias = Callable[[Entry], Iterable[Finding]]
"""Looks at one entry after the other, in the order of the log; what it must remember of them is its own."""
