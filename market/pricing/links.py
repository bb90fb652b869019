"""What links the lines of a component in the programme over sums: which offers are followed, and what is remembered of each. Pure.

Raises NotModelled for what sums cannot tell: caps over several lines of sponsored offers, too many ways to hold units, too many lines.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd
from types import MappingProxyType
from typing import Final

from market.kit.money import WHOLE_BP, share_of
from market.pricing.apply import Use
from market.pricing.component import Component
from market.pricing.groups import Hold, find_holds
from market.pricing.kinds import Kind
from market.pricing.terminal import NotModelled

LIVE: Final = 1 << 60  # no cost is as large
MOST_HOLDS: Final = 64
MOST_LINES: Final = 120
MOST_PERIOD: Final = 4


@dataclass(frozen=True, slots=True)
class Slot:
    """What must be remembered of one offer between its lines."""

    kind: str  # "residue", "cap", "count", "turn", "sets", "hold" or "note"
    use: Use
    bit: int
    holds: tuple[Hold | None, ...] = ()
    # (hold, line) -> the hold that is alike from there on
    same: Mapping[tuple[int, int], int] = field(default_factory=dict)
    most: int = 0  # sets of a bundle, or the number of nets of a noted line
    position: int = -1  # of a note, the line whose net is remembered to the end
    counts: tuple[
        tuple[int, int], ...
    ] = ()  # of sets, where the units of each component are counted: first bit and mask


class Links:
    """What links the lines. `part_of` numbers the parts that thresholds look at, innermost first.

    Line offers that are not `component.free` are allowed in some settings only; they are tracked, so that ways with them can be left out.
    """

    def __init__(
        self,
        component: Component,
        part_of: Mapping[int, int],
        grouped: Sequence[Use],
        noted: Mapping[int, Use] = MappingProxyType({}),
    ) -> None:
        """`noted` are lines whose net after the line stage is remembered to the end, each with an offer that looks at it."""
        self.component, self.part_of, self.noted = component, part_of, noted
        self.allowed = component.free
        for item in component.items:
            for _, mask in item.ways:
                self.allowed |= mask
        self.bit_of = {use.index: bit for bit, use in component.by_place}
        mine = [bit for bit, _ in component.by_place if bit & self.allowed] + [
            self.bit_of[use.index] for use in grouped
        ]
        self.ranks = {bit: rank for rank, bit in enumerate(sorted(mine), 1)}
        # Below the sponsor's fen: the weights of all these offers together.
        self.cost_bits = len(mine) + len(mine).bit_length()
        sponsored = sum(use.most for bit, use in component.by_place if use.share_bp)
        if (sponsored + 1) << self.cost_bits >= LIVE:
            raise NotModelled("a cost beyond what an array holds")
        self.grouped = grouped
        if len(component.positions) > MOST_LINES:
            raise NotModelled("too many lines")
        self.slots: list[Slot] = []
        # What offers of whole groups take is counted when they take it: until then sums are that much higher.
        self.shift = sum(use.most for use in grouped)
        self.component_list = sum(component.basket[position].list_price for position in component.positions)
        self._check_offers()

    def stays(self, slot: Slot) -> bool:
        """Whether a slot is remembered to the end: for the net of a noted line."""
        return slot.kind == "note" or (
            slot.kind == "hold" and not self.noted.keys().isdisjoint(self.lines_of[slot.bit])
        )

    def concerns(self, slot: Slot, position: int) -> bool:
        """Whether a line may change a slot."""
        return position == slot.position if slot.kind == "note" else position in self.lines_of[slot.bit]

    def weight(self, bit: int) -> int:
        """Cost of using one more offer: counts first, and of equal counts the smaller ids are better."""
        places = len(self.ranks)
        return (1 << places) - (1 << (places - self.ranks[bit]))

    def _check_offers(self) -> None:
        """Line offers over several lines must be free of caps in fen; the state of each goes into a slot."""
        component = self.component
        self.lines_of = self._find_lines()
        by_bit = dict(component.by_place)
        groups: dict[str, int] = {}
        self.tracked = self.allowed & ~component.free
        for bit, lines in self.lines_of.items():
            use = by_bit[bit]
            if len(lines) > 1:
                self.tracked |= bit
                self._follow(use, bit, lines)
            if bit in component.most_units:
                self.slots.append(Slot("count", use, bit))
                self.tracked |= bit
            if use.offer.group is not None:
                groups[use.offer.group] = groups.get(use.offer.group, 0) | bit
        self.rivals: dict[int, int] = {}
        for members in groups.values():
            if members.bit_count() > 1:
                self.tracked |= members
                self.rivals |= {bit: members & ~bit for bit in bits_of(members)}
        for use in self.grouped:
            self._hold(use)

    def _find_lines(self) -> dict[int, set[int]]:
        """The lines of each allowed line offer, by its bit."""
        lines_of: dict[int, set[int]] = {}
        for position, choice in self.component.choices.items():
            if choice.complete_to is not None:
                raise NotModelled("too many ways of one line")
            for bit in choice.bits:
                if bit & self.allowed:
                    lines_of.setdefault(bit, set()).add(position)
        return lines_of

    def _follow(self, use: Use, bit: int, lines: set[int]) -> None:
        """What must be known of an offer over several lines: how much of its cap is used, and what rounding of the sponsor's part is left."""
        if use.ceiling is not None and use.ceiling < use.gross_most:
            if len({self.part_of[position] for position in lines}) > 1 or use.share_bp % WHOLE_BP:
                raise NotModelled("a cap over several parts or payers")
            self.slots.append(Slot("cap", use, bit))
        elif use.share_bp % WHOLE_BP:
            period = period_of(use.share_bp)
            if period > MOST_PERIOD:
                raise NotModelled("a sponsor's share of many roundings")
            self.slots.append(Slot("residue", use, bit))

    def _most_sets(self, use: Use) -> int:
        """No plan has more sets of a bundle."""
        return min(sum(self.component.basket[position].qty for position in lines) // qty for qty, lines in use.slots)

    def _hold(self, use: Use) -> None:
        """A bundle or a buy-x-get-y: by its turns where only sums matter, else by every way in which it may hold units."""
        offer, basket, bit = use.offer, self.component.basket, self.bit_of[use.index]
        if offer.group is not None:
            raise NotModelled("a group of an offer of whole groups")
        self.tracked |= bit
        self.lines_of[bit] = set(use.lines) if not use.slots else {at for _, lines in use.slots for at in lines}
        parts = {self.part_of[position] for position in self.lines_of[bit]}
        is_free = use.ceiling is None and offer.max_units is None and not use.share_bp % WHOLE_BP
        prices = [basket[position].unit_price for position in use.lines]
        # What a noted line gives is known only of a certain way to hold units.
        is_noted = not self.noted.keys().isdisjoint(self.lines_of[bit])
        taken_by_turns = any(slot.kind == "turn" and set(slot.use.lines) & set(use.lines) for slot in self.slots)
        if (
            offer.kind is Kind.BUY_X_GET_Y
            and len(parts) == 1
            and is_free
            and not is_noted
            and not taken_by_turns
            and share_of(min(prices), offer.get_rate_bp)
        ):
            self.slots.append(Slot("turn", use, bit))
            return
        fills = [set(lines) for _, lines in use.slots]
        if (
            offer.kind is Kind.BUNDLE
            and is_free
            and not is_noted
            and len(parts) == 1
            and sum(map(len, fills)) == len(set().union(*fills))
        ):
            most = self._most_sets(use)
            self.slots.append(Slot("sets", use, bit, most=most, counts=_places(most * qty for qty, _ in use.slots)))
            self.shift += offer.price * most
            return
        budget = [4000]
        holds: list[Hold | None] = [None]
        for hold in find_holds(use, basket, budget):
            holds.append(hold)
            if len(holds) > MOST_HOLDS:
                break
        if budget[0] < 0 or len(holds) > MOST_HOLDS:
            raise NotModelled("too many ways to hold units")
        self.slots.append(Slot("hold", use, bit, tuple(holds)))


def _places(most: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """For numbers up to these, first bits and masks side by side."""
    found, place = [], 0
    for number in most:
        found.append((place, (1 << number.bit_length()) - 1))
        place += number.bit_length()
    return tuple(found)


def part_of(use: Use, position: int) -> int | None:
    """The component of a bundle that a line may fill, of components that share no line; None if none."""
    return next((rank for rank, (_, lines) in enumerate(use.slots) if position in lines), None)


def period_of(share_bp: int) -> int:
    """After so many fen the rounding of a share repeats."""
    return WHOLE_BP // gcd(share_bp, WHOLE_BP)


def bits_of(mask: int) -> Iterator[int]:
    """The single bits of a mask."""
    while mask:
        bit = mask & -mask
        yield bit
        mask ^= bit
