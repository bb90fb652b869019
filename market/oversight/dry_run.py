"""A dry run: what the sales of a month would have cost had one more offer been in force. Pure; the sales are handed in, in their order.

Each sale is priced again from its stored inputs with the draft as one more candidate, or in place of the version of the same offer
that was one then. What a purse or a person's limit held is what it held then, less what the draft changed since: a budget that the draft
empties is empty for later sales, which is how a purchase can become dearer.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

from market.offers.book import OfferBook
from market.offers.limits import Limits, total_balance
from market.oversight.stored import StoredSale, Versions
from market.pricing import Candidate, Case, Offer, Reason, quote
from market.pricing.reading import read_object

FEWEST_PERSONS: Final = 5
BEFORE_AUDIENCE: Final = frozenset(list(Reason)[: list(Reason).index(Reason.AUDIENCE)])
"""Reasons that come first, whoever the person is."""
PAYERS: Final = {
    "concession": "concession",
    "subsidy": "sponsor_pays",
    "paid": "payable",
    "rebate_member": "rebate",
    "rebate_union": "rebate_union",
}
"""Who bears what of a price, and where a quote says it."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The offer that is tried. Its dates do not count: it is as if it had been in force all the time.

    `budget_fen` is what each purse of the draft held when the first sale was made; without it a purse holds what it held then, and one
    that no sale names holds enough.
    """

    offer: Offer
    limits: Limits
    budget_fen: int | None = None

    @classmethod
    def from_json(cls, document: Mapping[str, Any], *, budget_fen: int | None = None) -> Self:
        """Read `{"terms": …, "limits": …}`, the form in which a version is published, or the terms alone.

        Raises PricingDocumentError naming the field, and InvalidError for limits.
        """
        found = (
            read_object(document, "$", ("terms", "limits"), ("terms",)) if "terms" in document else {"terms": document}
        )
        offer = Offer.from_json(found["terms"], path="terms")
        limits = Limits.from_json(read_object(found.get("limits", {}), "limits", Limits.__dataclass_fields__))
        return cls(replace(offer, window=None), limits, budget_fen)

    def to_json(self) -> dict[str, Any]:
        """The document that is tried."""
        return {"terms": self.offer.to_json(), "limits": self.limits.to_json()}


@dataclass(slots=True)
class Tally:
    """Sums over some sales: how many, how many became cheaper or dearer, and what each payer bore then and would have borne (fen)."""

    sales: int = 0
    cheaper: int = 0
    dearer: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)

    def add(self, before: Mapping[str, int], after: Mapping[str, int]) -> None:
        """One more sale."""
        self.sales += 1
        self.cheaper += after["paid"] < before["paid"]
        self.dearer += after["paid"] > before["paid"]
        self.before.update(before)
        self.after.update(after)

    def to_json(self) -> dict[str, Any]:
        """As a result keeps it."""
        counts = {"sales": self.sales, "cheaper": self.cheaper, "dearer": self.dearer}
        return {**counts, **{name: {who: int(sums[who]) for who in PAYERS} for name, sums in self._sums()}}

    def _sums(self) -> Iterator[tuple[str, Counter[str]]]:
        yield "before", self.before
        yield "after", self.after


@dataclass(slots=True)
class Simulation:
    """The draft against sales in their order: `add` each, then ask for the `result`."""

    draft: Draft
    versions: Versions
    whole: Tally = field(default_factory=Tally)
    weeks: dict[date, Tally] = field(default_factory=dict)
    repriced: int = 0
    bounded: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)
    largest: dict[str, dict[str, Any]] = field(default_factory=dict)
    touched: set[UUID] = field(default_factory=set)
    told_apart: defaultdict[str, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    moved: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    book: OfferBook = field(init=False)

    def __post_init__(self) -> None:
        """A sale meets the draft by the rules of the offer book."""
        self.book = OfferBook(0, (self.draft.offer,), None)

    def add(self, sale: StoredSale) -> None:
        """Price a sale as it would have been, if the draft or what it changed could touch it."""
        stored = sale.facts["quote"]
        case = self._make_case(sale)
        made = stored
        if case is not None:
            priced = quote(case)
            made = priced.to_json()
            self.repriced += 1
            self.bounded += priced.proof != "optimal"
            self._note_draft(sale.row.subject, made)
            self._move(sale, stored, made)
        elif self.draft.budget_fen is not None:
            self.taken.update(row_draws(stored, self.draft.offer.purses))
        before, after = (_by_payer(found) for found in (stored, made))
        if before != after:
            self.touched.add(sale.row.subject)
        self.whole.add(before, after)
        week = sale.row.day - timedelta(days=sale.row.day.weekday())
        self.weeks.setdefault(week, Tally()).add(before, after)
        self._note_largest(sale, stored, made)

    def result(self) -> dict[str, Any]:
        """What was found, as it is kept: amounts in fen, no person, no shop and no hour.

        When it would have changed the price of few persons only, it would tell what they bought: then it is withheld. So it is when
        its audience has few of the buyers on one side: how often it was used, and why not, would tell how often they came.
        """
        sides = self.told_apart.values() if self.draft.offer.audience else ()
        if any(map(_is_few, (self.touched, *sides))):
            return {"withheld": True, "sales": self.whole.sales}
        return {
            "withheld": False,
            **self.whole.to_json(),
            "repriced": self.repriced,
            "bounded": self.bounded,
            "draft": {name: int(self.used[name]) for name in ("sales", "amount", "sponsor_pays")},
            "reasons": dict(self.reasons.most_common()),
            "weeks": [{"week": week.isoformat(), **tally.to_json()} for week, tally in sorted(self.weeks.items())],
            "largest": self.largest,
        }

    # --- the case -----------------------------------------------------------------------------------------------------

    def _make_case(self, sale: StoredSale) -> Case | None:
        """The sale's case with the draft in it and with what is left after what it changed; None when the price must be the same."""
        offer = self.draft.offer
        stored = sale.make_case(self.versions)
        is_met = bool(self.book.candidates(stored.basket, shop=stored.shop))
        kept = tuple(candidate for candidate in stored.candidates if candidate.offer.id != offer.id)
        subject, at = sale.row.subject, stored.now
        candidates = tuple(self._stand(candidate, subject, at) for candidate in kept)
        purses = {purse: self._left(purse, fen) for purse, fen in stored.purses.items()}
        touched = is_met or len(kept) < len(stored.candidates) or candidates != kept
        # No purse can give more than the list price: one that held that much before and after changes nothing.
        whole = sum(line.list_price for line in stored.basket)
        if not touched and all(
            fen == purses[purse] or min(fen, purses[purse]) >= whole for purse, fen in stored.purses.items()
        ):
            return None
        if is_met:
            given = self.draft.budget_fen
            for purse in offer.purses:
                purses.setdefault(purse, whole if given is None else max(0, given - self.taken[purse]))
            candidates = (*candidates, self._draft_candidate(subject, at))
        # Whoever would be asked is taken to agree: the cost is that of everybody's consent.
        return replace(
            stored, candidates=candidates, purses=purses, accepted=stored.accepted | ({offer.id} if is_met else set())
        )

    def _left(self, purse: str, fen: int) -> int:
        """What a purse that held `fen` at this sale would have held."""
        if self.draft.budget_fen is not None and purse in self.draft.offer.purses:
            return max(0, self.draft.budget_fen - self.taken[purse])
        return max(0, fen - self.moved[purse])

    def _stand(self, candidate: Candidate, subject: UUID, at: datetime) -> Candidate:
        """Another offer with what would have been left of its limits."""
        offer = candidate.offer
        limits = self.versions.held[offer.id, offer.version].limits
        left = {
            name: max(0, was - gone)
            for name, balance in _counters(limits, offer.id, subject, at).items()
            if (was := getattr(candidate, name)) is not None and (gone := self.moved[balance])
        }
        return replace(candidate, **left) if left else candidate

    def _draft_candidate(self, subject: UUID, at: datetime) -> Candidate:
        """The draft with what this run has left of its limits."""
        limits, offer = self.draft.limits, self.draft.offer
        counters = _counters(limits, offer.id, subject, at)

        def left(name: str, whole: int | None) -> int | None:
            return None if whole is None else max(0, whole - self.taken[counters[name]])

        return Candidate(
            offer,
            uses_remaining=left("uses_remaining", limits.uses),
            member_amount_remaining=left("member_amount_remaining", limits.amount_fen),
            budget_remaining=left("budget_remaining", limits.total_fen),
        )

    # --- what it changed ----------------------------------------------------------------------------------------------

    def _move(self, sale: StoredSale, stored: Mapping[str, Any], made: Mapping[str, Any]) -> None:
        """Keep what was drawn beyond what was drawn then, from purses and limits."""
        draft, subject, at = self.draft, sale.row.subject, sale.row.priced_at
        for found, sign in ((stored, -1), (made, 1)):
            for row in found["draws"]:
                self.moved[row["purse"]] += sign * row["fen"]
            for row in found["applied"]:
                if row["offer"] == draft.offer.id:
                    if sign > 0:
                        self.taken.update(_spent(draft.limits, row, subject, at))
                    continue
                limits = self.versions.held[row["offer"], row["version"]].limits
                for balance, amount in _spent(limits, row, subject, at).items():
                    self.moved[balance] += sign * amount
        if draft.budget_fen is not None:
            self.taken.update(row_draws(made, draft.offer.purses))

    def _note_draft(self, subject: UUID, made: Mapping[str, Any]) -> None:
        """Whether the draft applied, with what amount, or why it did not; and on which side of its audience the person is."""
        for row in made["applied"]:
            if row["offer"] == self.draft.offer.id:
                self.used.update(sales=1, amount=row["amount"], sponsor_pays=row["sponsor_pays"])
                self.told_apart["within"].add(subject)
        for row in made["not_applied"]:
            if row["offer"] == self.draft.offer.id:
                self.reasons[row["reason"]] += 1
                if row["reason"] not in BEFORE_AUDIENCE:
                    self.told_apart["beyond" if row["reason"] == Reason.AUDIENCE else "within"].add(subject)

    def _note_largest(self, sale: StoredSale, stored: Mapping[str, Any], made: Mapping[str, Any]) -> None:
        """Keep the basket that became cheapest and the one that became dearest by the most, with no person, shop or hour."""
        change = made["payable"] - stored["payable"]
        name = "cheaper" if change < 0 else "dearer"
        if not change or abs(change) <= abs(self.largest.get(name, {}).get("change", 0)):
            return
        pays = [{row["line"]: row["pay"] for row in found["lines"]} for found in (stored, made)]
        self.largest[name] = {
            "change": change,
            "merchant": sale.row.merchant,
            "before": stored["payable"],
            "after": made["payable"],
            "lines": [
                {
                    **{key: line[key] for key in ("sku", "categories", "unit_price", "qty")},
                    "before": pays[0][line["line"]],
                    "after": pays[1][line["line"]],
                }
                for line in sale.basket
            ],
            "offers": [
                [[row["offer"], row["version"], row["amount"]] for row in found["applied"]] for found in (stored, made)
            ],
        }


def _is_few(persons: set[UUID]) -> bool:
    """Whether figures about these would be figures about somebody."""
    return 0 < len(persons) < FEWEST_PERSONS


def row_draws(found: Mapping[str, Any], purses: tuple[str, ...]) -> dict[str, int]:
    """What a quote draws from some purses (fen)."""
    return {row["purse"]: row["fen"] for row in found["draws"] if row["purse"] in purses}


def _by_payer(found: Mapping[str, Any]) -> dict[str, int]:
    return {who: found[name] for who, name in PAYERS.items()}


def _counters(limits: Limits, offer: str, subject: UUID, at: datetime) -> dict[str, str]:
    """The balances under an offer's limits, by the part of the standing that they give."""
    counters = {}
    if limits.uses:
        counters["uses_remaining"] = limits.uses_balance(offer, subject, at)
    if limits.amount_fen:
        counters["member_amount_remaining"] = limits.amount_balance(offer, subject, at)
    if limits.total_fen:
        counters["budget_remaining"] = total_balance(offer)
    return counters


def _spent(limits: Limits, row: Mapping[str, Any], subject: UUID, at: datetime) -> dict[str, int]:
    """What an applied offer takes of its own limits: a use, and its amount."""
    return {
        balance: 1 if name == "uses_remaining" else row["amount"]
        for name, balance in _counters(limits, row["offer"], subject, at).items()
    }
