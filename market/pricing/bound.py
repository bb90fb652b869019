"""The least that order and subsidy offers can leave, over a whole range of line results: what lets the search pass plans over unseen. Pure.

Lines that the same order and subsidy offers look at form an *atom*. While nothing splits an atom, only its sum matters, and on sums
every offer is monotone: a lower net before it never leaves a higher net after it. So the least net of each line, with every
threshold taken as reached, gives a bound. How an amount is shared over several atoms is rounded, which is not monotone: there the
bound gives way by at most a quarter fen per line and offer, because largest remainder moves no more than that between atoms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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

    @property
    def is_order(self) -> bool:
        """Whether its threshold looks at the net after the line stage."""
        return self.use.offer.stage is Stage.ORDER

    def opened(self) -> "Variant":
        """The offer at its most and without threshold, for as long as it is undecided."""
        off = None if self.off is None else self.use.most
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


def least_left(variants: Sequence[Variant], low: Sequence[int], high: Sequence[int], split: int) -> int | None:
    """A payable that no plan with exactly these variants is below, or None if there is no such plan.

    `low` and `high` are bounds of each atom's net after the line stage; `split` is the count of lines over which amounts are shared
    between atoms that a later variant looks at apart. Variants are in order of application.
    """
    net = list(low)
    wide = []
    for variant in variants:
        atoms = variant.atoms
        if len(atoms) > 1:
            wide.append(variant)
        elif high[atoms[0]] < variant.need:
            return None
        elif variant.is_order:
            if variant.below is not None and low[atoms[0]] >= variant.below:
                return None
            net[atoms[0]] = max(net[atoms[0]], variant.need)
    if wide:
        return _least_left_over_atoms(variants, wide, net, low, high, split)
    for variant in variants:
        atom = variant.atoms[0]
        here = net[atom] if variant.is_order else max(net[atom], variant.need)
        net[atom] = here - min(_most_off(variant, here, high[atom]), here)
    return sum(net)


def _most_off(variant: Variant, net: int, high: int) -> int:
    """The most it can take from an exact net."""
    off = share_of(net, variant.rate_bp) if variant.off is None else _most_fixed(variant, variant.off, high)
    return off if variant.cap is None else min(off, variant.cap)


def _most_fixed(variant: Variant, off: int, high: int) -> int:
    """The most a fixed amount comes to while the tier holds: `off` once, or once for every `times_of` fen."""
    if not variant.times_of:
        return off
    return off * ((high if variant.below is None else min(high, variant.below - 1)) // variant.times_of)


def _least_left_over_atoms(
    variants: Sequence[Variant],
    wide: Sequence[Variant],
    raised: list[int],
    low: Sequence[int],
    high: Sequence[int],
    split: int,
) -> int | None:
    """The same where an offer spans several atoms: each gives in proportion, in fixed point, rounded towards less."""
    deficit = 0
    for variant in wide:
        if sum([high[atom] for atom in variant.atoms]) < variant.need:
            return None
        if variant.is_order:
            if variant.below is not None and sum([low[atom] for atom in variant.atoms]) >= variant.below:
                return None
            deficit = max(deficit, variant.need - sum([raised[atom] for atom in variant.atoms]))
    net = [fen << SCALE_BITS for fen in raised]
    slack = (split * SCALE + 3) // 4
    kept, is_clipped = SCALE, False
    for variant in variants:
        atoms = variant.atoms
        here = sum([net[atom] for atom in atoms])
        if len(atoms) == 1 and not variant.is_order:
            net[atoms[0]] = here = max(here, (variant.need << SCALE_BITS) - slack)
        if variant.off is None:
            # Its own rounding may take half a fen more than its rate.
            off = (here * variant.rate_bp + WHOLE_BP - 1) // WHOLE_BP + SCALE // 2
            kept = kept * (WHOLE_BP - variant.rate_bp) // WHOLE_BP
        else:
            off = _most_fixed(variant, variant.off, sum([high[atom] for atom in atoms])) << SCALE_BITS
        if variant.cap is not None:
            off = min(off, variant.cap << SCALE_BITS)
        if off >= here:
            off, is_clipped = here, True
        if here:
            for atom in atoms:
                net[atom] = net[atom] * (here - off) // here
    left = sum(net) - slack
    if deficit and not is_clipped:
        # Reaching a threshold over several atoms takes more net than counted, and no offer takes more than its rate of that.
        left += deficit * kept - slack
    # Every floor above gave away less than one part in SCALE of a fen.
    return max(0, -(-left // SCALE))


def left_of_line(variants: Sequence[Variant], low: Sequence[int], atom: int, net: int) -> int:
    """No line of this atom with at least `net` after the line stage pays less, when every variant looks at one atom."""
    here = low[atom]
    for variant in variants:
        if variant.atoms[0] == atom and here:
            here = max(here, variant.need) if variant.is_order else here
            off = min(
                _most_off(variant, here, here if not variant.times_of else variant.use.most * variant.times_of), here
            )
            net = net * (here - off) // here
            here -= off
    return net


def split_lines(variants: Sequence[Variant]) -> int:
    """Over how many lines amounts are shared between atoms that a later variant looks at apart."""
    lines = 0
    for rank, variant in enumerate(variants):
        if len(variant.atoms) > 1:
            mine = set(variant.atoms)
            if any(mine & set(later.atoms) and not mine <= set(later.atoms) for later in variants[rank + 1 :]):
                lines += variant.lines
    return lines
