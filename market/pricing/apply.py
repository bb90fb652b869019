"""What a plan costs: the stages applied in order to the running net, exactly as the rules say. Pure, and the only place that does it.

A plan is the chosen offers and, for line offers, which units they touch. The search asks it for candidates of the best plan; the
quote is made of what it answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from market.kit.money import WHOLE_BP, largest_remainder, share_of
from market.pricing.case import Candidate, Line
from market.pricing.kinds import (
    GROUPED,
    Stage,
    group_gross,
    least_spend,
    line_formula,
    line_gross,
    most_amount,
    most_of_sets,
    order_gross,
)
from market.pricing.offer import Offer

# Units of one line that carry the same offers: how many, and the indices of the offers.
Pool = tuple[int, tuple[int, ...]]
Numbers = tuple[tuple[str, int], ...]
# One component of a bundle: units of one set, and the positions of the lines that may fill it.
Slot = tuple[int, tuple[int, ...]]


class Use:
    """A usable candidate compiled for one basket. `index` is its rank by id; `ceiling` and `hard` are caps in fen, None = none.

    Above `ceiling` the amount is cut; above `hard` (a budget that may not be short) the plan is not legal. No plan's amount exceeds
    `gross_most` before caps or `most` after them; below a spend of `least` the offer gives nothing. `slots` are a bundle's components.
    """

    __slots__ = (
        *("candidate", "ceiling", "gross_most", "hard", "index", "least"),
        *("lines", "most", "offer", "share_bp", "slots"),
    )

    def __init__(
        self,
        index: int,
        candidate: Candidate,
        lines: tuple[int, ...],
        basket: Sequence[Line],
        slots: Sequence[Slot] = (),
    ) -> None:
        self.index = index
        self.slots = slots
        self.candidate = candidate
        self.offer: Offer = candidate.offer
        self.lines = lines
        # A rebate is borne by the merchant.
        self.share_bp = 0 if self.offer.stage is Stage.REBATE else self.offer.sponsor_share_bp
        partial = self.offer.on_shortage == "partial"
        budget = candidate.budget_remaining
        caps = (self.offer.max_discount, candidate.member_amount_remaining, budget if partial else None)
        self.ceiling = min((cap for cap in caps if cap is not None), default=None)
        self.hard = None if partial else budget
        self.least = least_spend(self.offer)
        units = [(basket[position].unit_price, basket[position].qty) for position in lines]
        self.gross_most = most_amount(self.offer, units)
        if slots:
            parts = [[(basket[at].unit_price, basket[at].qty) for at in fill] for _, fill in slots]
            self.gross_most = most_of_sets(self.offer, parts)
        self.most = self.gross_most if self.ceiling is None else min(self.gross_most, self.ceiling)

    def cap(self, purses: Mapping[str, int]) -> int | None:
        """No plan's amount exceeds this, whatever else is drawn from the purses; None if nothing caps it."""
        caps = [cap for cap in (self.ceiling, self.hard) if cap is not None]
        if self.share_bp:
            caps += [most_fitting(purses[purse], self.share_bp) for purse in self.offer.purses]
        return min(caps, default=None)

    def refusal(self, purses: Mapping[str, int]) -> int | None:
        """An amount above this, before other caps, makes any plan illegal, whatever else is drawn; None if nothing does."""
        fits = [] if self.hard is None else [self.hard]
        if self.share_bp and self.offer.on_shortage == "none":
            fits += [most_fitting(purses[purse], self.share_bp) for purse in self.offer.purses]
        most = min(fits, default=None)
        return None if most is None or (self.ceiling is not None and self.ceiling <= most) else most


@dataclass(slots=True)
class Step:
    """One applied offer: what it took, from what base, by which formula, what cut it, and its shares by line position (fen)."""

    use: Use
    base: int
    gross: int
    amount: int
    sponsor: int
    limited_by: str | None
    formula: str
    numbers: Numbers
    shares: list[tuple[int, int]]


@dataclass(slots=True)
class Outcome:
    """A legal plan worked out: its steps in order of application and what is paid for each line position (fen)."""

    steps: list[Step]
    net: dict[int, int]


def most_fitting(left: int, share_bp: int) -> int:
    """The largest amount whose sponsor's part (half up) is at most `left` fen; for share_bp > 0."""
    return (2 * WHOLE_BP * left + WHOLE_BP - 1) // (2 * share_bp)


def limit(use: Use, gross: int, running: int, left: Mapping[str, int]) -> tuple[int, str | None] | None:
    """The amount after every cap, and which cap decided; None if a budget or purse that may not be short is short."""
    amount, limited_by = gross, None
    if amount > running:
        amount, limited_by = running, "net"
    if use.ceiling is not None and amount > use.ceiling:
        amount = use.ceiling
        limited_by = next(name for name, cap in _named_caps(use) if cap == amount)
    if use.hard is not None and amount > use.hard:
        return None
    if use.share_bp:
        for purse in use.offer.purses:
            if share_of(amount, use.share_bp) > left[purse]:
                if use.offer.on_shortage == "none":
                    return None
                amount, limited_by = most_fitting(left[purse], use.share_bp), purse
    return amount, limited_by


def _named_caps(use: Use) -> tuple[tuple[str, int | None], ...]:
    candidate = use.candidate
    return (
        ("max_discount", use.offer.max_discount),
        ("member_amount_remaining", candidate.member_amount_remaining),
        ("budget_remaining", candidate.budget_remaining),
    )


def touch(use: Use, of_line: Sequence[Pool], running: Sequence[int]) -> tuple[list[int], int, int, int]:
    """The pools of one line that a line offer touches: which, their units, their running net, and what its formula takes off (fen).

    An offer of whole groups takes nothing line by line: for it the last number is the running net again, by which its amount is shared.
    """
    mine = [number for number, pool in enumerate(of_line) if use.index in pool[1]]
    parts = [(of_line[number][0], running[number]) for number in mine]
    units, net = sum([part[0] for part in parts]), sum([part[1] for part in parts])
    return mine, units, net, net if use.offer.kind in GROUPED else line_gross(use.offer, parts)


def spread(share: int, mine: Sequence[int], running: list[int]) -> None:
    """Take a line's share off the pools it touches, by largest remainder on their running net."""
    for number, off in zip(mine, largest_remainder(share, [running[number] for number in mine]), strict=True):
        running[number] -= off


class Register:
    """The running net of some lines while offers are taken from it one after another; refuses what the rules refuse."""

    def __init__(self, basket: Sequence[Line], positions: Sequence[int], purses: Mapping[str, int]) -> None:
        self.net = {position: basket[position].unit_price * basket[position].qty for position in positions}
        self.left = dict(purses)
        self.steps: list[Step] = []
        self._basket = basket
        self._threshold_net = self.net
        self._threshold_stage = Stage.LINE

    def take_line_offers(self, chosen: Sequence[Use], pools: Mapping[int, Sequence[Pool]]) -> bool:
        """Apply the chosen line offers, in order of application, to the units they touch. False: not a legal plan."""
        running = {
            position: [self._basket[position].unit_price * units for units, _ in of_line]
            for position, of_line in pools.items()
        }
        for use in chosen:
            is_grouped = use.offer.kind in GROUPED
            touched: list[tuple[int, list[int], int]] = []  # line, pools, gross; of whole groups the list value
            counts: list[tuple[int, int]] = []  # unit price, units
            base = units = 0
            for position in use.lines:
                if position in pools:
                    mine, count, net, off = touch(use, pools[position], running[position])
                    if mine:
                        touched.append((position, mine, off))
                        counts.append((self._basket[position].unit_price, count))
                        units += count
                        base += net
            weights = [part[2] for part in touched]
            gross = group_gross(use.offer, counts) if is_grouped else sum(weights)
            limited = limit(use, gross, gross, self.left) if gross > 0 else None
            if limited is None or not limited[0]:
                return False
            amount, limited_by = limited
            # A cap that cuts is shared by what each line would have got without it.
            shares = weights if amount == gross and not is_grouped else largest_remainder(amount, weights)
            for (position, mine, _), share in zip(touched, shares, strict=True):
                spread(share, mine, running[position])
            formula, numbers = line_formula(use.offer, units, base)
            kept = [(part[0], share) for part, share in zip(touched, shares, strict=True) if share]
            self._book(
                Step(use, base, gross, amount, share_of(amount, use.share_bp), limited_by, formula, numbers, kept)
            )
        return True

    def take_order_offer(self, use: Use) -> bool:
        """Apply one order or subsidy offer to its eligible lines. False: its threshold is not reached or it may not be used."""
        offer = use.offer
        if offer.stage is not self._threshold_stage:
            # Thresholds of a stage look at the net after the stages before it.
            self._threshold_net, self._threshold_stage = dict(self.net), offer.stage
        net = self.net
        spent = sum([self._threshold_net[position] for position in use.lines])
        if spent < use.least:
            return False
        weights = [net[position] for position in use.lines]
        running = sum(weights)
        made = order_gross(offer, spent, running)
        limited = limit(use, made.amount, running, self.left)
        if limited is None or not limited[0]:
            return False
        amount, limited_by = limited
        kept = [pair for pair in zip(use.lines, largest_remainder(amount, weights), strict=True) if pair[1]]
        sponsor = share_of(amount, use.share_bp)
        self._book(Step(use, running, made.amount, amount, sponsor, limited_by, made.formula, made.numbers, kept))
        return True

    def _book(self, step: Step) -> None:
        """Lower the lines by their shares and the purses by the sponsor's part."""
        for purse in step.use.offer.purses:
            self.left[purse] -= step.sponsor
        for position, share in step.shares:
            self.net[position] -= share
        self.steps.append(step)


def give_back(paid: Mapping[int, int], rebates: Sequence[Use]) -> list[Step] | None:
    """The steps of these rebates, in order of application, on what is paid by line position (fen); None if one of them has no effect.

    Each looks at all that is paid for its lines; together they never give back more of a line than was paid for it.
    """
    left = dict(paid)
    steps = []
    for use in rebates:
        weights = [paid[position] for position in use.lines]
        base = sum(weights)
        if base < use.least:
            return None
        made = order_gross(use.offer, base, base)
        limited = limit(use, made.amount, base, {})
        if limited is None or not limited[0]:
            return None
        amount, limited_by = limited
        shares = []
        for position, share in zip(use.lines, largest_remainder(amount, weights), strict=True):
            kept = min(share, left[position])
            left[position] -= kept
            if kept:
                shares.append((position, kept))
        whole = sum([share for _, share in shares])
        if not whole:
            return None
        if whole < amount:
            limited_by = "net"
        steps.append(Step(use, base, made.amount, whole, 0, limited_by, made.formula, made.numbers, shares))
    return steps


def apply_plan(
    basket: Sequence[Line],
    positions: Sequence[int],
    purses: Mapping[str, int],
    chosen: Sequence[Use],
    pools: Mapping[int, Sequence[Pool]],
) -> Outcome | None:
    """Work a plan out over these line positions, or None if it is not legal. `chosen` is in order of application (`Offer.place`).

    Not legal: a threshold not reached, a budget or purse too short for an offer that may not be cut, an offer without effect.
    Groups, stand-alone rules and `max_units` are the caller's: they do not depend on amounts.
    """
    register = Register(basket, positions, purses)
    line_offers = [use for use in chosen if use.offer.stage is Stage.LINE]
    if line_offers and not register.take_line_offers(line_offers, pools):
        return None
    for use in chosen[len(line_offers) :]:
        if not register.take_order_offer(use):
            return None
    return Outcome(register.steps, register.net)
