"""What each line of the programme over sums looks at and changes in a state, and what it does to each slot. Pure; whole numbers only.

A state is one whole number: each offer in use and each slot has a field of bits in it from the first line that concerns it to the last.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import product
from operator import or_
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from market.kit.money import share_of
from market.pricing.apply import Use
from market.pricing.component import Component
from market.pricing.groups import Hold
from market.pricing.kinds import group_size
from market.pricing.layout import Layout, Stage
from market.pricing.links import Slot, part_of, period_of
from market.pricing.offer import Offer
from market.pricing.places import Places
from market.pricing.ways import Way

Whole = NDArray[np.int64]


class SlotField(NamedTuple):
    """The bits of a slot, and what each way gives it."""

    at: int
    place: int
    ones: int
    given: list[int]
    is_of_cost: bool  # of no matter to what sums there are


class Table(NamedTuple):
    """One line: its ways with net and cost, and the fields that it looks at or changes.

    Of offers that are followed a state has one bit: whether it is in use. `uses` are those bits of the offers that a way uses, `clashes`
    of those that it may not stand beside. `looked_at` are all of them, `closing` those that no later line looks at, `excluding` those
    that others may not stand beside, so that they matter to what sums there are. `weights` are what it costs to be the first to use one,
    by the place of its bit.
    """

    ways: Sequence[Way]
    more: Sequence[int]
    cost: Sequence[int]
    uses: Sequence[int]
    clashes: Sequence[int]
    looked_at: int
    closing: int
    excluding: int
    weights: Sequence[tuple[int, int]]
    slots: Sequence[SlotField]


class Tables(Layout):
    """A layout with the table of each line."""

    def __init__(
        self,
        component: Component,
        part_of: Mapping[int, int],
        grouped: Sequence[Use],
        noted: Mapping[int, Use] = MappingProxyType({}),
    ) -> None:
        super().__init__(component, part_of, grouped, noted)
        self._known: dict[tuple[int, int, int, int], tuple[int, int, int]] = {}
        places = Places(self)
        self.tables = [self._table(stage, places) for stage in self.stages]
        self._kept = places.kept
        self.of_sums = places.of_sums

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
        begun = [(way, numbers) for way in stage.ways for numbers in self._begin(stage, way)]
        ways = [way for way, _ in begun]
        used = [self._used_by(way, numbers) for way, numbers in begun]
        any_used, any_clash = reduce(or_, used), reduce(or_, [way.clash for way in ways])
        looked_at = closing = excluding = 0
        place_of: dict[int, int] = {}
        weights: list[tuple[int, int]] = []
        for bit, place in places.offers_at(stage):
            if (any_used | any_clash | stage.closing) & bit:
                place_of[bit] = here = 1 << place
                looked_at |= here
                closing |= here if stage.closing & bit else 0
                excluding |= here if bit in self.rivals else 0
                if any_used & bit:
                    weights.append((place, self.weight(bit)))
        return Table(
            ways=ways,
            more=[way.more for way in ways],
            cost=[way.cost for way in ways],
            uses=_placed(used, place_of),
            clashes=_placed([way.clash for way in ways], place_of),
            looked_at=looked_at,
            closing=closing,
            excluding=excluding,
            weights=weights,
            slots=self._slot_fields(stage, places, begun),
        )

    def _slot_fields(
        self, stage: Stage, places: Places, begun: Sequence[tuple[Way, Mapping[int, int]]]
    ) -> list[SlotField]:
        """The slots that a line changes, with what each way gives them."""
        fields = []
        for at, (place, ones) in places.slots_at(stage):
            kind = self.slots[at].kind
            if kind == "hold" and at in stage.opening:
                given = [numbers[at] for _, numbers in begun]
            elif kind == "note":
                given = [self.nets_of[stage.position].index(way.more) for way, _ in begun]
            else:
                given = [_given(way.held, at) or _given(way.taken, at) for way, _ in begun]
            if kind == "hold" or any(given) or at in stage.closing_slots or at in [one[0] for one in stage.filled]:
                fields.append(SlotField(at, place, ones, given, kind == "residue"))
        return fields

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

    def effect(self, depth: int, at: int, value: int, given: int) -> tuple[int, int, int]:
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


def _placed(masks: Sequence[int], place_of: Mapping[int, int]) -> list[int]:
    """Offers as bits of a state."""
    known = {mask: sum([here for bit, here in place_of.items() if mask & bit]) for mask in set(masks)}
    return [known[mask] for mask in masks]


def _given(pairs: Sequence[tuple[int, int]], at: int) -> int:
    """What is given to a slot."""
    return next((given for slot, given in pairs if slot == at), 0)


def _hold_of(slot: Slot, state: int) -> Hold | None:
    """The hold that a slot is at, if it is one of holds."""
    return slot.holds[state] if slot.kind == "hold" else None


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
