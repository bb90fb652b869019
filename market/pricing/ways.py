"""The ways of each line of a component for the programme over sums. Pure.

Raises NotModelled for what sums cannot tell: offers whose base depends on how the amount of another is shared, too many ways.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from market.kit.money import share_of
from market.pricing.apply import Use
from market.pricing.component import Component
from market.pricing.groups import MOST_UNITS
from market.pricing.links import Links, Slot, bits_of, part_of
from market.pricing.options import Option
from market.pricing.terminal import NotModelled

MOST_LISTED: Final = 3_000  # ways of one line, before those are left out that another is never worse than
MOST_WAYS: Final = 4_000  # of all lines


class Way(NamedTuple):
    """One way of one line: net above the line's least, cost without offers on other lines, tracked offers, and the option itself.

    `clash` are tracked offers of the same groups as its own.

    `held` are units by slot of an offer of whole groups; `taken` fen or units by slot of a followed offer.
    """

    more: int
    cost: int
    tracked: int
    held: tuple[tuple[int, int], ...]
    taken: tuple[tuple[int, int], ...]
    option: Option
    clash: int = 0


class Ways(Links):
    """The ways of each line; `least` is the sum of all lines at their least, `least_of` that of each."""

    def __init__(
        self,
        component: Component,
        part_of: Mapping[int, int],
        grouped: Sequence[Use],
        noted: Mapping[int, Use] = MappingProxyType({}),
    ) -> None:
        super().__init__(component, part_of, grouped, noted)
        self.least = self.listed = 0
        self.least_of: dict[int, int] = {}
        self._clashes: dict[int, int] = {}
        self._followed = {slot.bit: at for at, slot in enumerate(self.slots) if slot.kind in ("residue", "cap")}
        self._counted = {slot.bit: at for at, slot in enumerate(self.slots) if slot.kind == "count"}
        self._use_of = dict(component.by_place)
        self.ways = {position: self._ways(position) for position in component.positions}
        self.nets_of: dict[int, list[int]] = {}
        for position, use in noted.items():
            self._note(position, use)

    def _note(self, position: int, use: Use) -> None:
        """Remember the net of a line."""
        if any(slot.kind == "cap" and self.concerns(slot, position) for slot in self.slots):
            raise NotModelled("a noted line whose net depends on others")
        self.nets_of[position] = sorted({way.more for way in self.ways[position]})
        self.slots.append(Slot("note", use, 0, most=len(self.nets_of[position]), position=position))

    def _ways(self, position: int) -> list[Way]:
        """Every way of one line, with the units that offers of whole groups hold of it."""
        component, line = self.component, self.component.basket[position]
        if line.qty > MOST_UNITS:
            raise NotModelled("too many units of one line")
        holders = [(at, slot) for at, slot in enumerate(self.slots) if slot.kind in ("hold", "turn", "sets")]
        holders = [(at, slot) for at, slot in holders if position in slot.use.lines]
        found: list[tuple[int, tuple[tuple[int, int], ...], Option]] = []
        for held in _helds(holders, position, line.qty):
            units = line.qty - sum(count for _, count in held)
            choice = component.choices.get(position)
            if units and choice is not None:
                options = (choice if units == line.qty else choice.of_fewer(units)).options(None, self.allowed)
            else:
                options = [Option(line.unit_price * units, line.unit_price * units, 0, (), ())]
            found += [(option.net + line.unit_price * (line.qty - units), held, option) for option in options]
            if len(found) > MOST_LISTED:
                raise NotModelled("too many ways of one line")
        made = [self._way(net, held, option) for net, held, option in found]
        if self.rivals:
            # On one line, too, offers of one group do not stand together.
            made = [way for way in made if not way.tracked & self._clash(way.tracked)]
        ways = _undominated(made)
        self.listed += len(ways)
        if self.listed > MOST_WAYS:
            raise NotModelled("too many ways of all lines")
        least = min(way.more for way in ways)
        self.least_of[position] = least
        self.least += least
        return [
            Way(net - least, cost, tracked, held, taken, option, self._clash(tracked))
            for net, cost, tracked, held, taken, option, _ in ways
        ]

    def _clash(self, tracked: int) -> int:
        """The offers that may not stand beside any of these."""
        clash = self._clashes.get(tracked)
        if clash is None:
            clash = 0
            for bit in bits_of(tracked) if self.rivals else ():
                clash |= self.rivals.get(bit, 0)
            self._clashes[tracked] = clash
        return clash

    def _way(self, net: int, held: tuple[tuple[int, int], ...], option: Option) -> Way:
        """One way with its cost."""
        cost, tracked, taken = 0, 0, []
        followed, counts = self._followed, self._counted
        for bit, fen, units in option.taken:
            use = self._use_of[bit]
            amount = fen
            if not bit & self.tracked or len(self.lines_of[bit]) == 1:
                cap = use.ceiling if use.ceiling is not None else fen
                if fen > cap:
                    if len(option.taken) > 1:
                        raise NotModelled("a cap on a unit with several offers")
                    amount = cap
                net += fen - amount
            if bit in followed:
                taken.append((followed[bit], amount))
                if len(option.taken) > 1 and self.slots[followed[bit]].kind == "cap":
                    raise NotModelled("a cap on a unit with several offers")
            else:
                cost += share_of(amount, use.share_bp) << self.cost_bits
            if bit in counts:
                taken.append((counts[bit], units))
            if bit & self.tracked:
                tracked |= bit
            else:
                cost += self.weight(bit)
        return Way(net, cost, tracked, held, tuple(taken), option)


def _undominated(ways: Sequence[Way]) -> list[Way]:
    """Of ways that leave the same and touch the same slots, those that need not more offers and cost not more than another."""
    rising = sorted(ways, key=_by_cost)
    groups: dict[object, list[Way]] = {}
    for way in rising:
        groups.setdefault((way.more, way.held, way.taken), []).append(way)
    if len(groups) == len(ways):
        return rising
    return [way for alike in groups.values() for way in (_least(alike) if len(alike) > 1 else alike)]


def _by_cost(way: Way) -> tuple[int, int, int]:
    return way.cost, way.tracked.bit_count(), way.tracked


def _least(alike: Sequence[Way]) -> list[Way]:
    """Of ways by rising cost that differ in cost and offers alone those that need not more offers and cost not more than another."""
    kept: list[Way] = []
    for way in alike:
        if not any(not other.tracked & ~way.tracked for other in kept):
            kept.append(way)
    return kept


def _helds(holders: Sequence[tuple[int, Slot]], position: int, qty: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Every way to give units of one line to offers of whole groups, as (slot, units)."""
    if not holders:
        yield ()
        return
    (at, slot), *rest = holders
    if slot.kind == "hold":
        counts = sorted({hold.units.get(position, 0) if hold else 0 for hold in slot.holds})
    elif slot.kind == "sets":
        # More than the sets take would not fit into the bits in which they are counted.
        part = part_of(slot.use, position)
        counts = list(range(min(qty, 0 if part is None else slot.most * slot.use.slots[part][0]) + 1))
    else:
        counts = list(range(qty + 1))
    for count in counts:
        if count <= qty:
            for others in _helds(rest, position, qty - count):
                yield ((at, count), *others) if count else others
