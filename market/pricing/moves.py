"""From state to state of the programme over sums: what a line may do, given which offers are in use and how far groups have come. Pure.

A state is one whole number: each offer in use and each slot has a field of bits in it from the first line that concerns it to the last.
So all states of a depth are one array, and what a line does to them is worked out once for the few fields it looks at.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from market.kit.money import share_of
from market.pricing.apply import Use
from market.pricing.component import Component
from market.pricing.groups import Hold
from market.pricing.kinds import group_size
from market.pricing.offer import Offer
from market.pricing.places import Places
from market.pricing.terminal import NotModelled
from market.pricing.ways import Layout, Slot, Stage, Way, part_of, period_of

Whole = NDArray[np.int64]
# Of moves: origins, targets, ways, net and cost.
Columns = Sequence[Whole]

MOST_STATES: Final = 60_000
NOTHING: Final[Whole] = np.zeros(0, dtype=np.int64)
NOWHERE: Final[Whole] = np.zeros(1, dtype=np.int64)
FAR: Final = 1 << 60  # beyond all sums: where no line can end well


class Layer(NamedTuple):
    """All states before one line, rising, with the least and the most net that the lines from there on can add, and the moves from them.

    A move goes from state `origin` to state `target` of the next layer (places in their arrays) by way `way` of the line's table; moves
    are in order of their origins. Moves that cannot end well are left out; after the last line there are none.
    """

    states: Whole
    low: Whole
    high: Whole
    origin: Whole
    target: Whole
    way: Whole
    more: Whole
    cost: Whole


class Step(NamedTuple):
    """One way of a line as taken: net above the least, and cost."""

    more: int
    cost: int
    way: Way


class OfferField(NamedTuple):
    """The bit of an offer that is followed: whether it is in use. By way: whether that uses it, and whether it may not stand beside it.

    `excludes`: others may not stand beside it, so that it matters to what sums there are.
    """

    place: int
    weight: int
    uses: Whole
    clashes: Whole
    is_closing: bool
    excludes: bool


class SlotField(NamedTuple):
    """The bits of a slot: what each way gives it (`given`), as distinct amounts and the place of each way's among them."""

    at: int
    place: int
    ones: int
    given: list[int]
    which: Whole
    is_of_cost: bool  # of no matter to what sums there are


class Table(NamedTuple):
    """One line: its ways with net and cost, and the fields that it looks at or changes."""

    ways: Sequence[Way]
    more: Whole
    cost: Whole
    offers: Sequence[OfferField]
    slots: Sequence[SlotField]


class Moves(Layout):
    """A layout with the moves from each state."""

    def __init__(
        self,
        component: Component,
        part_of: Mapping[int, int],
        grouped: Sequence[Use],
        noted: Mapping[int, Use] = MappingProxyType({}),
    ) -> None:
        super().__init__(component, part_of, grouped, noted)
        self._layers: dict[tuple[bool, int], list[Layer]] = {}
        # By whether light, the states after the last line: several where lines are noted.
        self.ends: dict[bool, Whole] = {}
        self._known: dict[tuple[int, int, int, int], tuple[int, int, int]] = {}
        places = Places(self)
        self.tables = [self._table(stage, places) for stage in self.stages]
        self._kept = places.kept

    def layers(self, allowed: int, *, is_light: bool) -> list[Layer]:
        """Every state of every depth with its moves by the allowed offers.

        Light: with all that matters to what sums there are, and nothing of their costs, which takes far fewer states.
        """
        banned = self.allowed & ~allowed
        name = (is_light, banned)
        if name not in self._layers:
            moves = self._light_moves if is_light else self._exact_moves
            kept = list(map(self._without, [banned] * len(moves), self.tables, moves)) if banned else moves
            if is_light:
                kept = [(states, _distinct_moves(columns)) for states, columns in kept]
            end = np.zeros_like(self.ends[is_light])
            layers = [Layer(self.ends[is_light], end, end, *([NOTHING] * 5))]
            for states, columns in reversed(kept):
                layers.append(_looking_back(states, columns, layers[-1]))
            self._layers[name] = layers[::-1]
        return self._layers[name]

    @staticmethod
    def _without(banned: int, table: Table, layer: tuple[Whole, Columns]) -> tuple[Whole, Columns]:
        """Leave out the moves by banned offers."""
        states, columns = layer
        is_banned = [bool(way.tracked & banned) for way in table.ways]
        if any(is_banned):
            stays = ~np.array(is_banned)[columns[2]]
            columns = [column[stays] for column in columns]
        return states, columns

    @cached_property
    def _light_moves(self) -> list[tuple[Whole, Columns]]:
        return self._all_moves(is_light=True)

    @cached_property
    def _exact_moves(self) -> list[tuple[Whole, Columns]]:
        return self._all_moves(is_light=False)

    def _all_moves(self, *, is_light: bool) -> list[tuple[Whole, Columns]]:
        """By depth the states and the moves from them: origins, targets, ways, net and cost."""
        states = np.zeros(1, dtype=np.int64)
        found: list[tuple[Whole, Columns]] = []
        for depth in range(len(self.stages)):
            origin, way, after, more, cost = self._expand(depth, states, is_light=is_light)
            following, target = distinct(after)
            found.append((states, [origin, target, way, more, cost]))
            states = following
            if states.size > MOST_STATES:
                raise NotModelled("too many states")
        self.ends[is_light] = states
        return found

    def _expand(self, depth: int, states: Whole, *, is_light: bool) -> tuple[Whole, Whole, Whole, Whole, Whole]:
        """The moves of a line from these states: origins, ways, states after it, net and cost."""
        table = self.tables[depth]
        offers = [field for field in table.offers if field.excludes or not is_light]
        slots = [field for field in table.slots if not (is_light and field.is_of_cost)]
        relevant = sum([1 << field.place for field in offers]) + sum([field.ones << field.place for field in slots])
        count = table.more.size
        if not relevant:
            origin = np.repeat(np.arange(states.size), count)
            way = np.tile(np.arange(count), states.size)
            return origin, way, states[origin], table.more[way], table.cost[way]
        # Worked out once for all states that look alike to this line: a row for each such state, a column for each way.
        fields, alike = distinct(states & relevant)
        shape = (fields.size, count)
        after, fits = np.zeros(shape, dtype=np.int64), np.ones(shape, dtype=bool)
        more, cost = np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.int64)
        more[:], cost[:] = table.more, table.cost
        for offer in offers:
            value = (fields >> offer.place & 1)[:, None]
            fits &= (value & offer.clashes) == 0
            cost += (offer.uses & ~value) * offer.weight
            if not offer.is_closing:
                after |= (value | offer.uses) << offer.place
        for slot in slots:
            values, which = distinct(fields >> slot.place & slot.ones)
            effects = np.array(
                [[self._effect(depth, slot.at, value, given) for given in slot.given] for value in values.tolist()]
            )
            effect = effects[np.ix_(which, slot.which)]
            after |= effect[..., 0] << slot.place
            more += effect[..., 1]
            cost += effect[..., 2]
            fits &= effect[..., 0] >= 0
        row, column = np.nonzero(fits)
        counts = fits.sum(axis=1)
        first = np.cumsum(counts) - counts
        mine = counts[alike]
        origin = np.repeat(np.arange(states.size), mine)
        at = np.arange(origin.size) + np.repeat(first[alike] - np.cumsum(mine) + mine, mine)
        row, column = row[at], column[at]
        return origin, column, states[origin] & ~relevant | after[row, column], more[row, column], cost[row, column]

    def nets_at(self, state: int) -> dict[int, int]:
        """The net of each noted line after the line stage, by a state after the last line. Fen."""
        nets = {}
        values = {at: state >> place & ones for at, (place, ones) in self._kept.items()}
        for at, value in values.items():
            if self.slots[at].kind == "note":
                position = self.slots[at].position
                nets[position] = self.nets_of[position][value] + self.least_of[position]
        for at, value in values.items():
            for position, fen in hold.shares.items() if (hold := _hold_of(self.slots[at], value)) else ():
                if position in nets:
                    nets[position] -= fen
        return nets

    def _table(self, stage: Stage, places: Places) -> Table:
        """What there is to a line. At the first line of an offer with holds, every way is there once for each hold that it suits."""
        here = stage.position
        begun = [(way, numbers) for way in stage.ways for numbers in self._begin(stage, way)]
        used = [self._used_by(way, numbers) for way, numbers in begun]
        offers = []
        any_used = any_clash = 0
        for mask, (way, _) in zip(used, begun, strict=True):
            any_used |= mask
            any_clash |= way.clash
        nowhere = np.zeros(len(begun), dtype=np.int64)
        for bit, place in places.offers_at(stage):
            is_closing = stage.closing & bit > 0
            if is_closing or bit & (any_used | any_clash):
                uses = np.array([mask & bit > 0 for mask in used], dtype=np.int64) if any_used & bit else nowhere
                clashes = nowhere
                if any_clash & bit:
                    clashes = np.array([way.clash & bit > 0 for way, _ in begun], dtype=np.int64)
                offers.append(OfferField(place, self.weight(bit), uses, clashes, is_closing, bit in self.rivals))
        slots = []
        for at, (place, ones) in places.slots_at(stage):
            kind = self.slots[at].kind
            if kind == "hold" and at in stage.opening:
                given = [numbers[at] for _, numbers in begun]
            elif kind == "note":
                given = [self.nets_of[here].index(way.more) for way, _ in begun]
            else:
                given = [dict(way.held).get(at, 0) or dict(way.taken).get(at, 0) for way, _ in begun]
            if kind == "hold" or any(given) or at in stage.closing_slots or at in [one[0] for one in stage.filled]:
                amounts, which = distinct(np.array(given, dtype=np.int64))
                slots.append(SlotField(at, place, ones, amounts.tolist(), which, kind == "residue"))
        ways = [way for way, _ in begun]
        more = np.array([way.more for way in ways], dtype=np.int64)
        return Table(ways, more, np.array([way.cost for way in ways], dtype=np.int64), offers, slots)

    def _begin(self, stage: Stage, way: Way) -> Iterator[dict[int, int]]:
        """At the first line of offers with holds, the holds (by slot, by number) that take as many units of it as this way gives them."""
        if not stage.opening:
            yield {}
            return
        held = dict(way.held)
        suitable = [
            [
                number
                for number, hold in enumerate(self.slots[at].holds)
                if (hold.units.get(stage.position, 0) if hold else 0) == held.get(at, 0)
            ]
            for at in stage.opening
        ]
        for numbers in product(*suitable):
            yield dict(zip(stage.opening, numbers, strict=True))

    def _used_by(self, way: Way, begun: Mapping[int, int]) -> int:
        """The followed offers that a way uses, those of whole groups among them."""
        used = way.tracked
        for at, units in way.held:
            if units and self.slots[at].kind != "hold":
                used |= self.slots[at].bit
        for at, number in begun.items():
            if number:
                used |= self.slots[at].bit
        return used

    def _effect(self, depth: int, at: int, value: int, given: int) -> tuple[int, int, int]:
        """What a line does to one slot: the state after it, net and cost. A state below zero: that cannot be."""
        name = (depth, at, value, given)
        if name not in self._known:
            stage = self.stages[depth]
            made = self._change(stage, at, value, given)
            if made is not None and at in stage.closing_slots:
                made = self._close(at, *made)
            self._known[name] = (-1, 0, 0) if made is None else made
        return self._known[name]

    def _change(self, stage: Stage, at: int, value: int, given: int) -> tuple[int, int, int] | None:
        """The effect while the slot stays open; None: that cannot be."""
        slot = self.slots[at]
        use = slot.use
        more = sponsored = 0
        match slot.kind:
            case "hold":
                return self._hold_on(stage, at, value, given)
            case "note":
                after = given
            case "count":
                after = value + given
                if after > self.component.most_units[slot.bit]:
                    return None
            case "cap":
                # The way counts the whole amount; beyond the cap it comes back.
                after = min(value + given, use.most)
                sponsored = after - value
                more = given - sponsored
            case "residue":
                after = (value + given) % period_of(use.share_bp)
                sponsored = value + given - after
            case "turn":
                reduced = _reduced(value + given, use.offer) - _reduced(value, use.offer)
                sponsored = reduced * share_of(self.component.basket[stage.position].unit_price, use.offer.get_rate_bp)
                more, after = -sponsored, (value + given) % group_size(use.offer)
            case _:
                sponsored = self.component.basket[stage.position].unit_price * given
                part = part_of(use, stage.position) or 0
                more, after = -sponsored, value + (given << slot.counts[part][0])
                if _count(slot, value, part) + given > slot.most * use.slots[part][0]:
                    return None
                if not all(_is_as_full(slot, after, one, first) for which, one, first in stage.filled if which == at):
                    return None
        return after, more, share_of(sponsored, use.share_bp) << self.cost_bits

    def _hold_on(self, stage: Stage, at: int, value: int, given: int) -> tuple[int, int, int] | None:
        """The effect on a slot of holds: `given` is the hold begun, or later the units of this line."""
        slot, position = self.slots[at], stage.position
        is_first = at in stage.opening
        number = given if is_first else value
        hold = slot.holds[number]
        if not is_first and (hold.units.get(position, 0) if hold else 0) != given:
            return None
        if hold is None:
            return 0, 0, 0
        cost = share_of(hold.amount, hold.use.share_bp) << self.cost_bits if is_first else 0
        return slot.same[number, position], -hold.shares.get(position, 0), cost

    def _close(self, at: int, state: int, more: int, cost: int) -> tuple[int, int, int] | None:
        """Forget a slot that no later line concerns: what follows from its last state; None if a group is not whole."""
        slot = self.slots[at]
        if slot.kind == "residue":
            return 0, more, cost + (share_of(state, slot.use.share_bp) << self.cost_bits)
        if slot.kind == "turn" and state:
            return None
        if slot.kind == "sets" and state:
            sets = _whole_sets(slot, state)
            if sets is None:
                return None
            price = sets * slot.use.offer.price
            return 0, more + price, cost - (share_of(price, slot.use.share_bp) << self.cost_bits)
        return 0, more, cost


def _hold_of(slot: Slot, state: int) -> Hold | None:
    """The hold that a slot is at, if it is one of holds."""
    return slot.holds[state] if slot.kind == "hold" else None


def distinct(values: Whole) -> tuple[Whole, Whole]:
    """The distinct values, rising, and for each value its place among them. Quicker than numpy's own on few values."""
    if values.size == 1:
        return values, NOWHERE
    order = values.argsort()
    rising = values[order]
    is_new = np.empty(values.size, dtype=bool)
    is_new[:1] = True
    np.not_equal(rising[1:], rising[:-1], out=is_new[1:])
    places = np.empty(values.size, dtype=np.int64)
    places[order] = is_new.cumsum() - 1
    return rising[is_new], places


def _distinct_moves(moves: Columns) -> Columns:
    """Of moves that lead from one state to one other with the same net, one."""
    origin, target, _, more, _ = moves
    if origin.size < 2:
        return moves
    order = np.lexsort((more, target, origin))
    rising = [column[order] for column in moves]
    is_new = np.ones(order.size, dtype=bool)
    from_, to, _, net, _ = rising
    np.not_equal(from_[1:], from_[:-1], out=is_new[1:])
    is_new[1:] |= to[1:] != to[:-1]
    is_new[1:] |= net[1:] != net[:-1]
    return rising if is_new.all() else [column[is_new] for column in rising]


def _looking_back(states: Whole, moves: Columns, later: Layer) -> Layer:
    """A layer with what can still be added from its states, without the moves that cannot end well."""
    origin, target, way, more, cost = moves
    ends_well = later.low[target] < FAR
    if not ends_well.all():
        origin, target, way, more, cost = (column[ends_well] for column in moves)
    low, high = np.full(states.size, FAR, dtype=np.int64), np.full(states.size, -FAR, dtype=np.int64)
    np.minimum.at(low, origin, more + later.low[target])
    np.maximum.at(high, origin, more + later.high[target])
    return Layer(states, low, high, origin, target, way, more, cost)


def _reduced(units: int, offer: Offer) -> int:
    """How many of the first `units` units of a buy-x-get-y are reduced."""
    size = group_size(offer)
    return units // size * offer.get + max(0, units % size - offer.buy)


def _count(slot: Slot, state: int, part: int) -> int:
    """The units of one component of a bundle."""
    place, ones = slot.counts[part]
    return state >> place & ones


def _is_as_full(slot: Slot, state: int, part: int, first: int) -> bool:
    """Whether a component that no later line fills holds the units of as many whole sets as the one that was full first."""
    sets, over = divmod(_count(slot, state, first), slot.use.slots[first][0])
    return not over and _count(slot, state, part) == sets * slot.use.slots[part][0]


def _whole_sets(slot: Slot, state: int) -> int | None:
    """How many whole sets the counted units make, or None if some are left over."""
    slots = slot.use.slots
    sets = _count(slot, state, 0) // slots[0][0]
    return sets if all(_count(slot, state, part) == sets * qty for part, (qty, _) in enumerate(slots)) else None
