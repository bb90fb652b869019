"""Whether a receipt holds: step by step, each with the field it is about and one sentence for people.

Whoever gives the keys decides whom he trusts. Without a signature by one of them a receipt says nothing, however well it adds up.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from market.kit.money import yuan
from market.record.entries import commit, entry_hash
from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.keys import VerifierKey
from market.record.log.proof_files import ProofFile, verify_proof_file
from market.record.log.proofs import verify_inclusion
from market.record.log.texts import decode_hash
from market.record.promises import Promise, open_promise
from market.record.receipts.prices import AMOUNTS, MOST_FEN, find_price_problem, is_quoted, sum_basket
from market.record.receipts.receipt import DOCUMENTS, Receipt
from market.record.receipts.sentences import SUMMARIES, say

Outcome = Literal["proved", "promised", "overdue", "unsigned", "differs"]


class State(StrEnum):
    """What a step came to."""

    HOLDS = "holds"
    DIFFERS = "differs"
    OPEN = "open"
    """It cannot be said: what it needs is not inside."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The verifier keys that are trusted: those of the log and those of its promises, earlier ones too."""

    log: tuple[VerifierKey, ...]
    promise: tuple[VerifierKey, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was checked: the `field` of the file, what it came to, and a sentence in Chinese and in English."""

    field: str
    state: State
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All steps, and what they come to.

    `proved`: in the log, and everything that is inside holds. `promised`: signed for, and not yet due. `overdue`: signed for, due, and no
    proof inside. `unsigned`: nothing differs, and nothing is signed. `differs`: a step does not hold.
    """

    outcome: Outcome
    steps: tuple[Step, ...]
    zh: str
    en: str

    @property
    def holds(self) -> bool:
        """Whether the receipt may be relied on now."""
        return self.outcome in {"proved", "promised"}


@dataclass(slots=True)
class _Check:
    """A receipt on its way through the steps."""

    receipt: Receipt
    keys: Keys
    at: datetime
    steps: list[Step] = field(default_factory=list)
    entry: Mapping[str, Any] = field(default_factory=dict)
    opened: dict[str, object] = field(default_factory=dict)
    promise: Promise | None = None
    batched: int = 0
    """How many purchases are in the batch that holds this one; 0 where none is proved to."""
    proved_index: int | None = None

    def note(self, name: str, state: State, code: str, **facts: str | int) -> None:
        """Keep what a step came to."""
        self.steps.append(Step(name, state, *say(code, field=name, **facts)))

    @property
    def by(self) -> str:
        """Until when it is promised, in the time zone of whoever checks; empty without a promise that holds."""
        return "" if self.promise is None else self.promise.by.astimezone(self.at.tzinfo).isoformat(sep=" ")

    @property
    def differs(self) -> Step | None:
        """The first step that does not hold."""
        return next((step for step in self.steps if step.state == State.DIFFERS), None)


def verify_receipt(receipt: Receipt, *, keys: Keys | None, at: datetime) -> Verdict:
    """Check everything that a receipt says. With no `keys` those in the file itself are taken, which proves it to be of one piece only.

    `at` is now; instants are said in its time zone.
    """
    check = _Check(receipt, keys or Keys((receipt.log,), (receipt.promise_key,)), at)
    for step in _STEPS:
        step(check)
    outcome = _judge(check)
    return Verdict(outcome, tuple(check.steps), *_summarize(check, outcome))


def _check_keys(check: _Check) -> None:
    """The keys that the file names are among the trusted ones."""
    for name, key, trusted in (
        ("log", check.receipt.log, check.keys.log),
        ("promise_key", check.receipt.promise_key, check.keys.promise),
    ):
        # Whoever gives no promise key relies on the proof alone.
        if trusted and key not in trusted:
            check.note(name, State.DIFFERS, "key_unknown", key=key.text)


def _check_entry(check: _Check) -> None:
    """The entry is that of its hash, and its amounts add up."""
    receipt = check.receipt
    if entry_hash(receipt.entry) != receipt.leaf:
        check.note("leaf", State.DIFFERS, "leaf_differs")
    else:
        check.note("leaf", State.HOLDS, "leaf_holds")
    entry = _read_json(receipt.entry)
    if not isinstance(entry, dict) or entry.get("type") != "sale" or not isinstance(entry.get("id"), str):
        check.note("entry", State.DIFFERS, "entry_unreadable")
        return
    check.entry = entry
    numbers = [entry.get(name) for name in AMOUNTS]
    if any(type(number) is not int or not 0 <= number <= MOST_FEN for number in numbers):
        check.note("entry", State.DIFFERS, "entry_unreadable")
    elif entry["list"] != entry["concession"] + entry["subsidy"] + entry["paid"]:
        check.note("entry", State.DIFFERS, "entry_unequal")
    else:
        check.note("entry", State.HOLDS, "entry_adds_up")


def _check_promise(check: _Check) -> None:
    """The promise is signed, of this log and for this entry."""
    receipt = check.receipt
    if receipt.promise is None:
        check.note("promise", State.OPEN, "promise_missing")
        return
    if not check.keys.promise:
        check.note("promise", State.OPEN, "promise_key_missing")
        return
    promise = _first_proved(
        check.keys.promise, lambda key: open_promise(receipt.promise or b"", key=key, origin=receipt.origin)
    )
    if promise is None:
        check.note("promise", State.DIFFERS, "promise_unsigned")
    elif promise.leaf != receipt.leaf or promise.leaf != entry_hash(receipt.entry):
        check.note("promise", State.DIFFERS, "promise_of_another")
    else:
        check.promise = promise
        check.note("promise", State.HOLDS, "promise_holds", by=check.by)


def _check_batch(check: _Check) -> None:
    """The path leads from the entry to the root that its batch says, and the batch is one that may hold it."""
    batch = check.receipt.batch
    if batch is None:
        return
    said = _read_json(batch.entry)
    if not isinstance(said, dict) or said.get("type") != "batch" or said.get("of") != "sale":
        check.note("batch.entry", State.DIFFERS, "batch_unreadable")
        return
    count = said.get("count")
    try:
        root = decode_hash(str(said.get("root")), "batch", "root")
        leaf, size = entry_hash(check.receipt.entry), count if type(count) is int else 0
        verify_inclusion(leaf=leaf, index=batch.index, size=size, proof=batch.path, root=root)
    except (MalformedError, NotProvedError):
        check.note("batch.path", State.DIFFERS, "batch_differs")
        return
    if not _may_hold(said, check.entry):
        check.note("batch.entry", State.DIFFERS, "batch_of_others")
        return
    check.batched = size
    check.note("batch.path", State.HOLDS, "batch_holds", count=size)


def _may_hold(batch: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether it is of the same merchant and month, up to a day not before the entry's, and no sum is below the entry's amount."""
    until, day = str(batch.get("day")), str(entry.get("day"))
    sums, parts = ([one.get(name) for name in AMOUNTS] for one in (batch, entry))
    return (
        batch.get("merchant") == entry.get("merchant")
        and until[:7] == day[:7]
        and until >= day
        and all(
            type(whole) is int and type(part) is int and whole >= part for whole, part in zip(sums, parts, strict=True)
        )
    )


def _check_proof(check: _Check) -> None:
    """The proof leads from the entry, or from its batch, to a checkpoint that the log signed; so do those of the offers."""
    receipt = check.receipt
    if not check.keys.log:
        check.note("proof", State.OPEN, "proof_key_missing")
        return
    published = receipt.entry if receipt.batch is None else receipt.batch.entry
    if receipt.proof is None:
        check.note("proof", State.OPEN, "proof_missing")
    elif not _is_proved(check, published, receipt.proof):
        check.note("proof", State.DIFFERS, "proof_differs")
    elif receipt.batch is not None:
        if check.batched:
            check.proved_index = receipt.proof.index
            check.note("proof", State.HOLDS, "batch_proof_holds", number=receipt.proof.index + 1)
    else:
        check.proved_index = receipt.proof.index
        check.note("proof", State.HOLDS, "proof_holds", number=receipt.proof.index + 1)
    for number, offer in enumerate(receipt.offers):
        if not _is_proved(check, offer.entry, offer.proof):
            check.note(f"offers[{number}]", State.DIFFERS, "offer_differs")


def _check_documents(check: _Check) -> None:
    """Each document that is inside is the one that the entry commits to."""
    for name in DOCUMENTS:
        where, document = f"documents.{name}", check.receipt.documents.get(name)
        if document is None:
            check.note(where, State.OPEN, f"{name}_missing")
        elif check.entry.get(name) != commit(document.salt, document.body):
            check.note(where, State.DIFFERS, "document_differs")
        else:
            check.opened[name] = _read_json(document.body)
            check.note(where, State.HOLDS, f"{name}_holds")


def _check_sums(check: _Check) -> None:
    """The lines of the basket come to the entry's list price, and the quote's amounts are the entry's."""
    if "basket" in check.opened:
        total = sum_basket(check.opened["basket"])
        if total is None or total != check.entry.get("list"):
            check.note("documents.basket", State.DIFFERS, "basket_differs")
        else:
            check.note("documents.basket", State.HOLDS, "basket_adds_up", amount=yuan(total))
    if "facts" in check.opened:
        same = is_quoted(check.opened["facts"], check.entry)
        check.note("documents.facts", *((State.HOLDS, "quote_holds") if same else (State.DIFFERS, "quote_differs")))


def _check_price(check: _Check) -> None:
    """The price comes out again. Only what is signed is priced: the search costs time, and a stranger's basket is nobody's price."""
    if "basket" not in check.opened or "facts" not in check.opened:
        check.note("documents.facts.quote", State.OPEN, "price_needs_documents")
    elif check.differs or not check.keys.log or (check.promise is None and check.proved_index is None):
        check.note("documents.facts.quote", State.OPEN, "price_not_tried")
    else:
        entries = [_read_json(offer.entry) for offer in check.receipt.offers]
        problem = find_price_problem(check.opened["basket"], check.opened["facts"], entries)
        if problem is None:
            check.note("documents.facts.quote", State.HOLDS, "price_holds", amount=yuan(check.entry["paid"]))
        else:
            state = State.DIFFERS if problem.differs else State.OPEN
            check.note("documents.facts.quote", state, problem.code, **problem.facts)


_STEPS: Final = (
    _check_keys,
    _check_entry,
    _check_promise,
    _check_batch,
    _check_proof,
    _check_documents,
    _check_sums,
    _check_price,
)


def _judge(check: _Check) -> Outcome:
    if check.differs:
        return "differs"
    if check.proved_index is not None:
        return "proved"
    if check.promise is None:
        return "unsigned"
    return "promised" if check.at <= check.promise.by else "overdue"


def _summarize(check: _Check, outcome: Outcome) -> tuple[str, str]:
    if (step := check.differs) is not None:
        return step.zh, step.en
    code = "is_proved_in_batch" if outcome == "proved" and check.batched else SUMMARIES[outcome]
    return say(code, by=check.by, number=(check.proved_index or 0) + 1, count=check.batched)


def _is_proved(check: _Check, entry: bytes, proof: ProofFile) -> bool:
    origin = check.receipt.origin
    signed = _first_proved(check.keys.log, lambda key: verify_proof_file(proof, entry=entry, key=key, origin=origin))
    return signed is not None


def _first_proved(keys: Sequence[VerifierKey], prove: Callable[[VerifierKey], Any]) -> Any:  # noqa: ANN401  what `prove` answers
    """What the first of the keys under which it holds answers; None under none."""
    return next(_list_proved(keys, prove), None)


def _list_proved(keys: Sequence[VerifierKey], prove: Callable[[VerifierKey], Any]) -> Iterator[Any]:
    for key in keys:
        try:
            yield prove(key)
        except (MalformedError, NotProvedError):
            continue


def _read_json(body: bytes) -> object:
    """The value of an entry or document; None for what is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
