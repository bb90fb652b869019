"""A batch in a details export: its sales lead to its root, they are what it may hold, and all of them together are what it says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from market.record.auditing.finding import Entry, Finding
from market.record.auditing.forms import check_form, read_entry
from market.record.auditing.sums import check_amounts, check_booked, check_borne, check_transfers
from market.record.batches import BatchSums
from market.record.details.lines import BatchedLine
from market.record.entries import entry_hash
from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.proofs import verify_inclusion
from market.record.log.texts import decode_hash

RULE: Final = "details"
_ALONE: Final = (check_amounts, check_borne, check_transfers, check_booked)
"""What holds of a single sale by itself; nobody outside could look at it before."""


@dataclass(frozen=True, slots=True)
class BatchOpened:
    """How far a batch was opened: `opened` of the `covered` sales on the days asked for, of `count` in all.

    `adds_up` where all are opened, and come to its sums and offers.
    """

    leaf_index: int
    public_id: str
    opened: int
    covered: int
    count: int
    adds_up: bool


class BatchCheck:
    """A batch of the log while the lines of its sales pass. It keeps their sums, and nothing of them."""

    def __init__(self, leaf_index: int, said: Mapping[str, Any]) -> None:
        """Begin with what the log says; what is not as a batch has it the audit finds by itself, and nothing leads to it."""
        self.leaf_index, self.said = leaf_index, said
        self.public_id = str(said.get("id"))[:64]
        count = said.get("count")
        self.count = count if type(count) is int and count > 0 else 0
        self.sums = BatchSums()
        try:
            self._root = decode_hash(str(said.get("root")), "batch", "root")
        except MalformedError:
            self._root = b""

    def read(self, line: BatchedLine) -> tuple[Entry | None, list[Finding]]:
        """The single sale of a line, None where it is none of this batch, and what is wrong with it."""
        one = read_entry(self.leaf_index, line.entry)
        if isinstance(one, Finding):
            return None, [one._replace(rule=RULE, field=f"entry of sale {line.batch_index} in the batch")]
        try:
            verify_inclusion(
                leaf=entry_hash(line.entry), index=line.batch_index, size=self.count, proof=line.path, root=self._root
            )
        except NotProvedError:
            problem = f"It does not lead from this sale, at {line.batch_index}, to the root of batch {self.public_id}."
            return None, [one.finding(RULE, "path", problem)]
        if one.type != "sale":
            return None, [one.finding(RULE, "type", f"Batch {self.public_id} is one of sales.")]
        if wrong := list(check_form(one)):
            return None, wrong
        return one, [finding for check in (*_ALONE, self._check_held) for finding in check(one)]

    def _check_held(self, one: Entry) -> Iterator[Finding]:
        """It is of the batch's merchant and month, and not of a day after it."""
        if one.document["merchant"] != self.said.get("merchant"):
            yield one.finding(RULE, "merchant", f"Batch {self.public_id} is of {self.said.get('merchant')}.")
        day, until = one.document["day"], str(self.said.get("day"))
        if day[:7] != until[:7] or day > until:
            yield one.finding(RULE, "day", f"Batch {self.public_id} covers {until[:7]} up to {until}.")

    def check_sums(self) -> Iterator[Finding]:
        """All sales together are what the batch says; some of them never come to more."""
        if 0 < self.count == self.sums.count:
            merchant = str(self.said.get("merchant")).encode(errors="replace").decode()  # whatever JSON holds
            for name, fen in self.sums.list_fields("sale", merchant=merchant).items():
                if self.said.get(name) != fen:
                    yield self.wrong(name, f"Its {self.count} sales, all opened, come to {fen}.")
            return
        for name, fen in self.sums.amounts.items():
            whole = self.said.get(name)
            if type(whole) is int and fen > whole:
                yield self.wrong(name, f"Of its {self.count} sales {self.sums.count} come to {fen} already.")

    def wrong(self, field: str, problem: str) -> Finding:
        """Something about the batch itself."""
        return Finding(RULE, problem, self.leaf_index, self.public_id, field)
