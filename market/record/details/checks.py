"""A details export held against the log: what it opens is what was published, it opens all that was approved, and every price comes out again.

It goes along with an audit, from the first entry of the log to the last, and keeps the offers that stand in the export, and of its
sales their public ids only.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from market.record.auditing.finding import Finding
from market.record.details.batches import RULE, BatchCheck, BatchOpened
from market.record.details.lines import (
    DOCUMENTS,
    BatchedLine,
    BatchLine,
    DetailsMalformedError,
    Head,
    Line,
    OfferLine,
    Opened,
    SaleLine,
    read_lines,
)
from market.record.details.sealing import SealBrokenError
from market.record.entries import commit
from market.record.receipts.prices import find_price_problem, is_quoted, sum_basket
from market.record.receipts.sentences import say

FILE: Final = "the export"
_LOOKED_AT: Final = (b'"type":"sale"', b'"type":"access"', b'"type":"batch"')


@dataclass(frozen=True, slots=True)
class Request:
    """What an export was approved for: the sales of these days (ISO), of one merchant or of all (None), and why."""

    key: str
    merchant: str | None
    first_day: str
    last_day: str
    reason: str
    words: str

    def to_json(self) -> dict[str, object]:
        """The document that the public entry commits to."""
        return {
            "key": self.key,
            "merchant": self.merchant,
            "first_day": self.first_day,
            "last_day": self.last_day,
            "reason": self.reason,
            "words": self.words,
        }

    def covers(self, entry: Mapping[str, Any]) -> bool:
        """Whether this entry is among the sales it is about."""
        day = entry.get("day")
        return (
            entry.get("type") == "sale"
            and isinstance(day, str)
            and self.first_day <= day <= self.last_day
            and (self.merchant is None or self.merchant == entry.get("merchant"))
        )

    def meets(self, entry: Mapping[str, Any]) -> bool:
        """Whether this entry is a batch of sales that may hold some of those it is about."""
        day = entry.get("day")
        return (
            (entry.get("type"), entry.get("of")) == ("batch", "sale")
            and isinstance(day, str)
            and self.first_day <= day
            and f"{day[:7]}-01" <= self.last_day
            and (self.merchant is None or self.merchant == entry.get("merchant"))
        )

    def holds_all_of(self, batch: Mapping[str, Any]) -> bool:
        """Whether every day that a batch may be of is among its days: those of its month up to its own."""
        day = str(batch.get("day"))
        return self.first_day <= f"{day[:7]}-01" and day <= self.last_day


class DetailsCheck:
    """An export on its way along the log. `priced` counts the sales whose price came out again, `unknown` those made by other rules.

    `batches` says of each batch that holds sales of it how many are opened.
    """

    def __init__(self, lines: Iterator[bytes]) -> None:
        """Read the head. Raises DetailsMalformedError and SealBrokenError, NotSealedError where these lines are unsealed just now."""
        self.head, self._lines = read_lines(lines)
        self.request = _read_request(self.head)
        self.opened = self.priced = self.unknown = 0
        self.batches: list[BatchOpened] = []
        self._covered = 0
        self._left_out: tuple[int, str, str] | None = None  # the first sale, or batch, that it covers and does not open
        self._ids: set[str] = set()  # of the sales that it covers
        self._has_access = False
        self._offers: dict[tuple[str, int], Mapping[str, Any]] = {}
        self._broken: Finding | None = None
        self._next = self._read_next()

    def look(self, leaf_index: int, body: bytes) -> list[Finding]:
        """What stands in the export about this entry, and whether something should."""
        has_line = self._next is not None and self._next.index == leaf_index
        if not has_line and not any(kind in body for kind in _LOOKED_AT):
            return []
        entry = _read_json(body)
        return list(self._look(leaf_index, body, entry)) if isinstance(entry, dict) else []

    def _look(self, leaf_index: int, body: bytes, entry: Mapping[str, Any]) -> Iterator[Finding]:
        if entry.get("type") == "access" and entry.get("id") == self.head.access:
            self._has_access = True
            yield from self._check_access(leaf_index, entry)
        is_before = leaf_index < self.head.size
        if is_before and self.head.has_batches and self.request.meets(entry):
            yield from self._look_into_batch(BatchCheck(leaf_index, entry))
            return
        public_id = str(entry.get("id"))[:64]
        if entry.get("type") == "sale" and public_id in self._ids:
            problem = "A sale before it, by itself or in a batch, has this public id."
            yield Finding(RULE, problem, leaf_index, public_id, "id")
        if is_before and self.request.covers(entry):
            self._cover(leaf_index, public_id)
        has_batch = False
        for line in self._take(leaf_index):
            if isinstance(line, OfferLine):
                yield from self._keep_offer(line, body, entry)
            elif isinstance(line, SaleLine):
                yield from self._check_sale(line, entry)
            else:
                has_batch = True
        if has_batch:
            problem = "The export opens a batch here, which it was not approved for."
            yield Finding(RULE, problem, leaf_index, public_id, "id")

    def _take(self, leaf_index: int) -> Iterator[Line]:
        """The lines about this entry."""
        while (line := self._next) is not None and line.index == leaf_index:
            self._next = self._read_next()
            yield line

    def _cover(self, leaf_index: int, public_id: str) -> None:
        """A sale by itself that it was approved for."""
        self._covered += 1
        self._ids.add(public_id)
        line = self._next
        is_open = isinstance(line, SaleLine) and (line.index, line.public_id) == (leaf_index, public_id)
        if not is_open and self._left_out is None:
            self._left_out = (leaf_index, public_id, "basket")

    def _look_into_batch(self, batch: BatchCheck) -> Iterator[Finding]:
        said: int | None = None
        for line in self._take(batch.leaf_index):
            if isinstance(line, BatchLine):
                said = line.sales_count
                if line.public_id != batch.public_id:
                    yield batch.wrong("id", f"The export has the batch {line.public_id} here.")
            elif isinstance(line, BatchedLine):
                yield from self._check_batched(batch, line)
            else:
                yield batch.wrong("type", "The export has another entry here.")
        wrong = list(batch.check_sums())
        yield from wrong
        yield from self._cover_batch(batch, said, adds_up=0 < batch.count == batch.sums.count and not wrong)

    def _cover_batch(self, batch: BatchCheck, said: int | None, *, adds_up: bool) -> Iterator[Finding]:
        """How many of its sales it was approved for: all, where its days hold all of the batch's; otherwise as many as it says itself."""
        opened, covered = batch.sums.count, said or 0
        if self.request.holds_all_of(batch.said):
            covered = batch.count
            if said != covered:
                yield batch.wrong("count", f"All lie on these days, and the export says {said or 0}.")
        elif not opened <= covered <= batch.count:
            yield batch.wrong("count", f"The export says that {covered} lie on these days, and opens {opened}.")
        self._covered += covered
        if covered > opened and self._left_out is None:
            self._left_out = (batch.leaf_index, batch.public_id, "count")
        if covered or opened:
            done = BatchOpened(batch.leaf_index, batch.public_id, opened, covered, batch.count, adds_up=adds_up)
            self.batches.append(done)

    def _check_batched(self, batch: BatchCheck, line: BatchedLine) -> Iterator[Finding]:
        one, found = batch.read(line)
        yield from found
        if one is None:
            return
        if not self.request.covers(one.document):
            yield one.finding(RULE, "id", "The export has this sale here, which it was not approved for.")
            return
        if one.public_id in self._ids:
            yield one.finding(RULE, "id", f"It stands elsewhere as well, not only in batch {batch.public_id}.")
        self._ids.add(one.public_id)
        batch.sums.add(one.document)
        yield from self._check_opened(line.index, line.documents, one.document)

    def end(self) -> Iterator[Finding]:
        """What only the whole log tells: the export was approved in public, and holds every sale but those it says were erased."""
        if not self._has_access:
            problem = f"No public entry {self.head.access[:64]} says that this export was approved."
            yield Finding(RULE, problem, field=f"{FILE}, access")
        if self._broken is not None:
            yield self._broken
            return
        if self._next is not None:
            yield Finding(RULE, "The log has no such entry.", self._next.index, field=FILE)
            return
        if self._covered != self.head.sales_count:
            problem = f"It says {self.head.sales_count} sales, and the log has {self._covered} on these days."
            yield Finding(RULE, problem, field=f"{FILE}, sales")
        if self.opened + self.head.erased_count != self._covered:
            problem = (
                f"It opens {self.opened} of {self._covered} sales and says that {self.head.erased_count} were erased; "
                "this is the first that it leaves out."
            )
            yield Finding(RULE, problem, *(self._left_out or (None, "", FILE)))

    def _read_next(self) -> Line | None:
        """The line after this one; None at the end, and where nothing more can be read."""
        try:
            return next(self._lines, None)
        except SealBrokenError as error:
            problem = (
                "It does not open: it was changed, or is not the one that belongs there. Nothing after it was read."
            )
            self._broken = Finding(RULE, problem, field=f"{FILE}, chunk {error.chunk}")
        except DetailsMalformedError as error:
            problem = f"It cannot be read: {error.problem}. Nothing after it was read."
            self._broken = Finding(RULE, problem, field=f"{FILE}, line {error.line}")
        return None

    def _check_access(self, leaf_index: int, entry: Mapping[str, Any]) -> Iterator[Finding]:
        def wrong(field: str, problem: str) -> Finding:
            return Finding(RULE, problem, leaf_index, self.head.access, field)

        if entry.get("request") != commit(self.head.request.salt, self.head.request.body):
            yield wrong("request", "The request in the export is not the one that was approved.")
        if entry.get("entries") != self.head.sales_count:
            yield wrong(
                "entries", f"{entry.get('entries')} were approved, and the export says {self.head.sales_count}."
            )
        for name, said in (
            ("first_day", self.request.first_day),
            ("last_day", self.request.last_day),
            ("reason", self.request.reason),
        ):
            if entry.get(name) != said:
                yield wrong(name, f"The request in the export says {said[:40]!r}.")

    def _keep_offer(self, line: OfferLine, body: bytes, entry: Mapping[str, Any]) -> Iterator[Finding]:
        if line.entry != body:
            yield Finding(
                RULE, "The entry in the export is not this one.", line.index, str(entry.get("id"))[:64], "terms"
            )
        terms = entry.get("terms")
        if isinstance(terms, dict) and isinstance(terms.get("id"), str) and type(terms.get("version")) is int:
            self._offers[terms["id"], terms["version"]] = entry  # what the log says holds

    def _check_sale(self, line: SaleLine, entry: Mapping[str, Any]) -> Iterator[Finding]:
        def wrong(field: str, problem: str) -> Finding:
            return Finding(RULE, problem, line.index, str(entry.get("id"))[:64], field)

        if entry.get("id") != line.public_id or not self.request.covers(entry):
            yield wrong("id", f"The export has the sale {line.public_id} here, which it was not approved for.")
            return
        yield from self._check_opened(line.index, line.documents, entry)

    def _check_opened(
        self, leaf_index: int, documents: Mapping[str, Opened], entry: Mapping[str, Any]
    ) -> Iterator[Finding]:
        """What is opened of a sale is what its entry commits to, and leads to its price."""

        def wrong(field: str, problem: str) -> Finding:
            return Finding(RULE, problem, leaf_index, str(entry.get("id"))[:64], field)

        self.opened += 1
        opened = {}
        for name in DOCUMENTS:
            document = documents.get(name)
            if document is None:
                yield wrong(name, "The export leaves it out.")
            elif commit(document.salt, document.body) != entry.get(name):
                yield wrong(name, "The text or its salt in the export does not open this commitment.")
            else:
                opened[name] = _read_json(document.body)
        if "basket" in opened and sum_basket(opened["basket"]) != entry.get("list"):
            yield wrong("list", "The lines of the basket do not come to it.")
        if "facts" in opened and not is_quoted(opened["facts"], entry):
            yield wrong("facts", "The amounts of the quote are not those of the entry.")
        if len(opened) == len(DOCUMENTS):
            yield from self._check_price(wrong, opened)

    def _check_price(self, wrong: Any, opened: Mapping[str, Any]) -> Iterator[Finding]:  # noqa: ANN401  makes a finding
        problem = find_price_problem(opened["basket"], opened["facts"], self._list_candidates(opened["facts"]))
        if problem is None or problem.code == "price_bounded":
            self.priced += 1
        elif problem.code == "price_other_rules":
            self.unknown += 1
        else:
            yield wrong("paid", say(problem.code, field="facts.quote", **problem.facts)[1])

    def _list_candidates(self, facts: object) -> list[object]:
        """The entries of the offers that these facts name, as far as they are known."""
        rows = facts.get("offers") if isinstance(facts, dict) else None
        keys = [
            (row.get("id"), row.get("version")) for row in (rows if isinstance(rows, list) else ()) if type(row) is dict
        ]
        return [
            self._offers[key] for key in keys if type(key[0]) is str and type(key[1]) is int and key in self._offers
        ]


def _read_request(head: Head) -> Request:
    said = _read_json(head.request.body)
    names = Request.__slots__
    if not isinstance(said, dict) or said.keys() != set(names):
        raise DetailsMalformedError(1, "request is not what is asked for an export")
    if not all(isinstance(value, str) or (name == "merchant" and value is None) for name, value in said.items()):
        raise DetailsMalformedError(1, "request is not what is asked for an export")
    return Request(**said)


def _read_json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
