"""An entry as the rules read it, and what they find."""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeAlias

AMOUNTS: Final = ("list", "concession", "subsidy", "paid", "rebate_member", "rebate_union")
RETURNS: Final = frozenset({"void", "refund"})
PURCHASES: Final = frozenset({"sale"}) | RETURNS
WITH_AMOUNTS: Final = PURCHASES | {"batch"}


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
    """An entry of the log: its place, its bytes, and what they say. Type and public id are empty where it does not say them in text.

    `is_plain` where its bytes as a whole fit the pattern of a purchase, so that its fields need no further look.

    There is one for each of millions, so it is a plain tuple.
    """

    leaf_index: int
    body: bytes
    document: dict[str, Any]
    type: str = ""
    public_id: str = ""
    is_plain: bool = False

    def finding(self, rule: str, field: str, problem: str) -> Finding:
        """Something about one of its fields."""
        return Finding(rule, problem, self.leaf_index, self.public_id[:64], field)


def is_return(entry: Entry) -> bool:
    """Whether a purchase, or a batch of them, went back."""
    return entry.type in RETURNS or (entry.type == "batch" and entry.document["of"] == "return")


Check: TypeAlias = Callable[[Entry], Iterable[Finding]]
"""Looks at one entry after the other, in the order of the log; what it must remember of them is its own."""
