"""The least that order and subsidy offers can leave, over a whole range of line results: what lets the search pass plans over unseen. Pure.

Lines that the same order and subsidy offers look at form an *atom*. While nothing splits an atom, only its sum matters, and on sums
every offer is monotone: a lower net before it never leaves a higher net after it. So the least net of each line, with every
threshold taken as reached, gives a bound.

Where an offer spans several atoms its amount is shared between them by largest remainder, and that rounding is not monotone. It moves
at most a quarter fen per line from some atoms to others, and it costs something only where a later offer looks at part of them: the
rate of a percentage, or all of it where a fixed amount may take everything. The bound gives way by that much.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from market.kit.money import WHOLE_BP, share_of
from market.pricing.apply import Use
from market.pricing.kinds import Kind, Stage

SCALE_BITS = 16
SCALE = 1 << SCALE_BITS


@dataclass(frozen=True, slots=True)
class Variant:
    """An order or subsidy offer as the search takes it: one tier of it, reached at `need` and left at `below` (fen of eligible net).

    Takes `off` fen, or `rate_bp` of the running net when `off` is None; never more than `cap`. `times_of` > 0: `off` once for every
    so many fen. `lines` counts the lines it is shared over.

    Derived: `is_order`, whether its threshold looks at the net after the line stage; `reach`, its atoms as bits.
    """

    use: Use
    bit: int
    atoms: tuple[int, ...]
    lines: int
    need: int
    below: int | None
    off: int | None
    rate_bp: int
    cap: int | None
    times_of: int
    is_order: bool = field(init=False)
    reach: int = field(init=False)

    def __post_init__(self) -> None:
        """Work out what bounds ask for again and again."""
        object.__setattr__(self, "is_order", self.use.offer.stage is Stage.ORDER)
        object.__setattr__(self, "reach", sum([1 << atom for atom in self.atoms]))

    def endless(self) -> "Variant":
        """The same tier with nothing to leave it behind: for nets that open decisions may still lower."""
        return self if self.below is None else replace(self, below=None)

    def opened(self) -> "Variant":
        """The offer at its most and without threshold, for as long as it is undecided; itself if it is so."""
        off = None if self.off is None else self.use.most
        if not self.need and self.below is None and off == self.off and not self.times_of:
            return self
        return Variant(self.use, self.bit, self.atoms, self.lines, 0, None, off, self.rate_bp, self.cap, 0)


def make_variants(use: Use, bit: int, atoms: tuple[int, ...], purses: Mapping[str, int]) -> list[Variant]:
    """The tiers of an offer, highest first; one variant for offers without tiers."""
    cap = use.cap(purses)
    offer, count = use.offer, len(use.lines)
    if offer.kind is not Kind.SPEND_SAVE:
        off = None if offer.kind is Kind.PERCENT_OFF else offer.amount
        return [Variant(use, bit, atoms, count, use.least, None, off, offer.rate_bp, cap, 0)]
    variants = []
    below: int | None = None
    for least, off in reversed(offer.tiers):
        times_of = least if offer.repeat else 0
        if below is None or below > offer.min_spend:
            variants.append(Variant(use, bit, atoms, count, max(least, offer.min_spend), below, off, 0, cap, times_of))
        below = least
    return variants


class Upper:
    """The order and subsidy offers of a plan, in order of application, and what they leave."""

    __slots__ = ("_first_subsidy", "_moved", "_risks", "_wide", "variants")

    def __init__(self, variants: Sequence[Variant]) -> None:
        self.variants = tuple(sorted(variants, key=lambda variant: variant.use.offer.place))
        self._wide = [variant for variant in self.variants if len(variant.atoms) > 1]
        self._risks = _risks(self.variants) if self._wide else ()
        # All that rounding can move between atoms.
        self._moved = sum([variant.lines * SCALE // 4 + 1 for variant in self._wide])
        self._first_subsidy = next((rank for rank, one in enumerate(self.variants) if not one.is_order), -1)

    def least(self, low: Sequence[int], high: Sequence[int], needs: Sequence[int] | None = None) -> int | None:
        """A payable that no plan with exactly these offers is below, or None if there is no such plan.

        `low` and `high` bound each atom's net after the line stage; `needs` replaces the thresholds by what lines can really come to.
        """
        net = list(low)
        for rank, variant in enumerate(self.variants):
            atoms = variant.atoms
            if len(atoms) == 1:
                atom = atoms[0]
                need = needs[rank] if needs else variant.need
                if high[atom] < need or (variant.below is not None and low[atom] >= variant.below):
                    return None
                if variant.is_order and need > net[atom]:
                    net[atom] = need
        if self._wide:
            return self._least_over_atoms(net, low, high, needs)
        for rank, variant in enumerate(self.variants):
            if rank == self._first_subsidy:
                self._raise_to_subsidies(net, 1)
            atom = variant.atoms[0]
            here = net[atom]
            off = _most_off(variant, here, high[atom])
            net[atom] = here - off if off < here else 0
        return sum(net)

    def least_of_all(self, least: int, atoms: int) -> int:
        """A payable that no plan with exactly these offers is below, when all lines together come to `least` after the line stage, or more."""
        left = max([least, *(one.need for one in self.variants if one.is_order and len(one.atoms) == atoms)])
        high = left + sum([one.use.most for one in self.variants])
        for variant in self.variants:
            # Looking at some of the lines it takes no more than it would of all; of what is left after others, a fen of rounding more.
            off = variant.use.most if variant.times_of else _most_off(variant, left, high) + (variant.off is None)
            left = max(0, left - off)
        return left

    def _raise_to_subsidies(self, net: list[int], scale: int, slack: int = 0) -> None:
        """Thresholds of subsidies over one atom look at its net after the order stage: it is at least that."""
        for variant in self.variants[self._first_subsidy :]:
            if len(variant.atoms) == 1:
                atom = variant.atoms[0]
                net[atom] = max(net[atom], variant.need * scale - slack)

    def _least_over_atoms(
        self, raised: list[int], low: Sequence[int], high: Sequence[int], needs: Sequence[int] | None
    ) -> int | None:
        """The same where an offer spans several atoms: each gives in proportion, in fixed point, rounded towards less."""
        deficit = self._deficit(raised, low, high, needs)
        if deficit is None:
            return None
        net = [fen << SCALE_BITS for fen in raised]
        slack, kept, is_clipped = 0, SCALE, False
        for rank, (variant, risk) in enumerate(zip(self.variants, self._risks, strict=True)):
            if rank == self._first_subsidy:
                self._raise_to_subsidies(net, SCALE, slack + self._moved)
            atoms = variant.atoms
            here = sum([net[atom] for atom in atoms])
            if variant.off is None:
                # Its own rounding may take half a fen more than its rate.
                off = (here * variant.rate_bp + WHOLE_BP - 1) // WHOLE_BP + SCALE // 2
                kept = kept * (WHOLE_BP - variant.rate_bp) // WHOLE_BP
                slack += risk * variant.rate_bp // WHOLE_BP + 1
            else:
                off = _most_fixed(variant, variant.off, sum([high[atom] for atom in atoms])) << SCALE_BITS
            if variant.cap is not None and off > variant.cap << SCALE_BITS:
                off = variant.cap << SCALE_BITS
            if off + risk + slack >= here:
                # It may take everything: then what came from other atoms by rounding counts in full.
                slack, is_clipped = slack + risk, True
                off = min(off, here)
            if here:
                for atom in atoms:
                    net[atom] = net[atom] * (here - off) // here
        left = sum(net) - slack
        if deficit > 0 and not is_clipped:
            # Reaching a threshold over several atoms takes more net than counted, and no offer takes more than its rate of that.
            left += deficit * kept - slack
        return max(0, -(-left // SCALE))

    def _deficit(
        self, raised: Sequence[int], low: Sequence[int], high: Sequence[int], needs: Sequence[int] | None
    ) -> int | None:
        """How much more net than `raised` the thresholds over several atoms ask for; None if one cannot be reached or is left behind."""
        deficit = 0
        for rank, variant in enumerate(self.variants):
            if len(variant.atoms) > 1:
                need = needs[rank] if needs else variant.need
                if sum([high[atom] for atom in variant.atoms]) < need:
                    return None
                if variant.below is not None and sum([low[atom] for atom in variant.atoms]) >= variant.below:
                    return None
                if variant.is_order:
                    deficit = max(deficit, need - sum([raised[atom] for atom in variant.atoms]))
        return deficit

    def least_of_line(self, low: Sequence[int], atom: int, net: int) -> int:
        """No line of this atom with at least `net` after the line stage pays less, when every offer looks at one atom.

        A line keeps the part of its net that its atom keeps, rounded down; of more net a larger part is kept. For a percentage that is
        so only before its own rounding, which may take half a fen more.
        """
        # Every threshold of the order stage looks at the net before all of these offers.
        here = max([low[atom], *(one.need for one in self.variants if one.is_order and one.atoms[0] == atom)])
        for variant in self.variants:
            if variant.atoms[0] == atom and here:
                off = min(_most_off(variant, here, variant.use.most * variant.times_of or here), here)
                most = off * WHOLE_BP
                if variant.off is None and off != variant.cap:
                    most = min(here * WHOLE_BP, here * variant.rate_bp + WHOLE_BP // 2)
                net = net * (here * WHOLE_BP - most) // (here * WHOLE_BP)
                here -= off
        return net

    def raised(self, low: Sequence[int], needs: Sequence[int]) -> list[int]:
        """The least net of each atom when every threshold that looks at one atom is reached."""
        net = list(low)
        for variant, need in zip(self.variants, needs, strict=True):
            if variant.is_order and len(variant.atoms) == 1:
                net[variant.atoms[0]] = max(net[variant.atoms[0]], need)
        return net

    @property
    def is_narrow(self) -> bool:
        """Whether every offer looks at one atom."""
        return not self._wide


def _most_off(variant: Variant, net: int, high: int) -> int:
    """The most it can take from an exact net."""
    off = share_of(net, variant.rate_bp) if variant.off is None else _most_fixed(variant, variant.off, high)
    return off if variant.cap is None or off < variant.cap else variant.cap


def _most_fixed(variant: Variant, off: int, high: int) -> int:
    """The most a fixed amount comes to while the tier holds: `off` once, or once for every `times_of` fen."""
    if not variant.times_of:
        return off
    return off * ((high if variant.below is None else min(high, variant.below - 1)) // variant.times_of)


def _risks(variants: Sequence[Variant]) -> tuple[int, ...]:
    """By variant, how much net (scaled) rounding of the variants before it may have moved in or out of what it looks at."""
    risks = [0] * len(variants)
    for rank, variant in enumerate(variants):
        if len(variant.atoms) > 1:
            reach, is_apart = variant.reach, False
            for later in range(rank + 1, len(variants)):
                atoms = variants[later].reach
                # Inside an offer that looks at all of them the moves cancel out, until one has looked at a part.
                if atoms & reach and (is_apart or reach & ~atoms):
                    is_apart = True
                    risks[later] += variant.lines * SCALE // 4 + 1
                    reach |= atoms
    return tuple(risks)
