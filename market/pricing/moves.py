"""From state to state of the programme over sums: what a line may do, given which offers are in use and how far groups have come. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from market.kit.money import WHOLE_BP, share_of
from market.pricing.apply import Use
from market.pricing.component import Component
from market.pricing.kinds import group_size
from market.pricing.offer import Offer
from market.pricing.ways import COUNT_BITS, COUNT_MASK, Layout, Stage, Way, bits_of, part_of, period_of

# What is still open of the decided lines: offers in use that later lines may use again, and the state of each slot.
Key = tuple[int, tuple[int, ...]]


class Step(NamedTuple):
    """One way of a line taken from one state: the state after it, net above the least, and cost."""

    after: Key
    more: int
    cost: int
    way: Way


class Moves(Layout):
    """A layout with the steps from each state."""

    def __init__(self, component: Component, allowed: int, part_of: Mapping[int, int], grouped: Sequence[Use]) -> None:
        super().__init__(component, allowed, part_of, grouped)
        self._moves: dict[object, list[tuple[int, tuple[int, ...], int, int, Way]]] = {}
        self._known: dict[tuple[int, Key], list[Step]] = {}
        self._weight_of: dict[int, int] = {}

    def steps(self, stage: Stage, key: Key) -> list[Step]:
        """The ways of a line that a state allows."""
        known = self._known.get((stage.position, key))
        if known is None:
            mask, states = key
            name = (stage.position, mask & stage.relevant, states)
            moves = self._moves.get(name)
            if moves is None:
                moves = self._moves[name] = list(self._make_moves(stage, mask & stage.relevant, states))
            kept = mask & ~stage.closing
            known = self._known[stage.position, key] = [
                Step((kept | bits, after), more, cost, way) for bits, after, more, cost, way in moves
            ]
        return known

    def _make_moves(
        self, stage: Stage, mask: int, states: tuple[int, ...]
    ) -> Iterator[tuple[int, tuple[int, ...], int, int, Way]]:
        """What a line may do: offers in use after it, states, net, cost and the way, where `mask` are the offers in use that matter to it."""
        is_plain = not stage.concerned and not stage.closing_slots
        left = ~stage.closing
        for begun, begun_bits in self._begin(stage, states) if stage.opening else ((states, 0),):
            for way in stage.ways:
                if mask & way.clash:
                    continue
                tracked = way.tracked
                cost = way.cost + (self._weights(tracked & ~mask) if tracked else 0)
                if is_plain and not way.taken:
                    yield tracked & left, states, way.more, cost, way
                    continue
                moved = self._move(stage, way, begun)
                if moved is None:
                    continue
                after, more, extra, used = moved
                used |= begun_bits
                if used:
                    cost += self._weights(used & ~mask)
                for at in stage.opening:
                    hold = self.slots[at].holds[begun[at]]
                    cost += share_of(hold.amount, hold.use.share_bp) << self.cost_bits if hold else 0
                closed = self._close(stage, after)
                if closed is not None:
                    more, extra = more + closed[0], extra + closed[1]
                    yield (tracked | used) & left, tuple(after), way.more + more, cost + extra, way

    def _weights(self, bits: int) -> int:
        """Cost of using these offers besides."""
        known = self._weight_of.get(bits)
        if known is None:
            known = self._weight_of[bits] = sum([self.weight(bit) for bit in bits_of(bits)])
        return known

    def _begin(self, stage: Stage, states: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], int]]:
        """At the first line of an offer with holds: every hold, or none."""
        for chosen in product(*(range(len(self.slots[at].holds)) for at in stage.opening)):
            begun, bits = list(states), 0
            for at, number in zip(stage.opening, chosen, strict=True):
                begun[at] = number
                bits |= self.slots[at].bit & self.tracked if number else 0
            yield tuple(begun), bits

    def _move(self, stage: Stage, way: Way, states: tuple[int, ...]) -> tuple[list[int], int, int, int] | None:
        """What one way does to the slots: states, net, cost, offers of whole groups in use. None: not possible."""
        after, more, cost, used = list(states), 0, 0, 0
        for at, amount in way.taken:
            slot = self.slots[at]
            if slot.kind == "count":
                after[at] += amount
                if after[at] > self.component.most_units[slot.bit]:
                    return None
            elif slot.kind == "cap":
                # The way counts the whole amount; beyond the cap it comes back.
                took = min(after[at] + amount, slot.use.most) - after[at]
                more += amount - took
                cost += share_of(took, slot.use.share_bp) << self.cost_bits
                after[at] += took
            else:
                period = period_of(slot.use.share_bp)
                whole, after[at] = divmod(after[at] + amount, period)
                cost += (whole * period * slot.use.share_bp // WHOLE_BP) << self.cost_bits
        if stage.concerned:
            held = self._hold_units(stage, dict(way.held), after)
            if held is None:
                return None
            more, cost, used = more + held[0], cost + held[1], held[2]
        return after, more, cost, used

    def _hold_units(self, stage: Stage, held: Mapping[int, int], after: list[int]) -> tuple[int, int, int] | None:
        """What offers of whole groups do with the units they hold of a line: net, cost, offers in use. None: not possible."""
        more = cost = used = 0
        for at in stage.concerned:
            slot, units = self.slots[at], held.get(at, 0)
            if slot.kind == "turn" and units:
                offer, before = slot.use.offer, after[at]
                reduced = _reduced(before + units, offer) - _reduced(before, offer)
                off = reduced * share_of(self.component.basket[stage.position].unit_price, offer.get_rate_bp)
                more -= off
                cost += share_of(off, slot.use.share_bp) << self.cost_bits
                after[at] = (before + units) % group_size(offer)
                used |= slot.bit
            elif slot.kind == "sets" and units:
                price = self.component.basket[stage.position].unit_price
                more -= price * units
                cost += share_of(price * units, slot.use.share_bp) << self.cost_bits
                part = part_of(slot.use, stage.position) or 0
                if _count(after[at], part) + units > slot.most * slot.use.slots[part][0]:
                    return None
                after[at] += units << COUNT_BITS * part
                used |= slot.bit
            elif slot.kind == "hold":
                hold = slot.holds[after[at]]
                if (hold.units.get(stage.position, 0) if hold else 0) != units:
                    return None
                if hold:
                    more -= hold.shares.get(stage.position, 0)
                    after[at] = slot.same[after[at], stage.position]
        for at, part, first in stage.filled:
            if not _is_as_full(self.slots[at].use, after[at], part, first):
                return None
        return more, cost, used

    def _close(self, stage: Stage, after: list[int]) -> tuple[int, int] | None:
        """Forget the slots that no later line concerns: net and cost that follow; None if a group is not whole."""
        more = cost = 0
        for at in stage.closing_slots:
            slot, state = self.slots[at], after[at]
            if slot.kind == "residue":
                cost += share_of(state, slot.use.share_bp) << self.cost_bits
            elif slot.kind == "turn" and state:
                return None
            elif slot.kind == "sets" and state:
                sets = _whole_sets(slot.use, state)
                if sets is None:
                    return None
                more += sets * slot.use.offer.price
                cost -= share_of(sets * slot.use.offer.price, slot.use.share_bp) << self.cost_bits
            after[at] = 0
        return more, cost


def _reduced(units: int, offer: Offer) -> int:
    """How many of the first `units` units of a buy-x-get-y are reduced."""
    size = group_size(offer)
    return units // size * offer.get + max(0, units % size - offer.buy)


def _count(state: int, part: int) -> int:
    """The units of one component of a bundle."""
    return state >> COUNT_BITS * part & COUNT_MASK


def _is_as_full(use: Use, state: int, part: int, first: int) -> bool:
    """Whether a component that no later line fills holds the units of as many whole sets as the one that was full first."""
    sets, over = divmod(_count(state, first), use.slots[first][0])
    return not over and _count(state, part) == sets * use.slots[part][0]


def _whole_sets(use: Use, state: int) -> int | None:
    """How many whole sets the counted units make, or None if some are left over."""
    counts = [_count(state, part) for part in range(len(use.slots))]
    sets = counts[0] // use.slots[0][0]
    return sets if all(count == sets * qty for count, (qty, _) in zip(counts, use.slots, strict=True)) else None
