"""From state to state of the programme over sums: what a line may do, given which offers are in use and how far groups have come. Pure.

All states of a depth are one array, and what a line does to them is worked out once for the few fields it looks at.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from market.pricing.apply import Use
from market.pricing.component import Component
from market.pricing.light import FAR, MOST_STATES, Light
from market.pricing.tables import Table, Tables, Whole
from market.pricing.terminal import NotModelled
from market.pricing.ways import Way

# Of moves: origins, targets, ways, net and cost.
Columns = Sequence[Whole]

NOTHING: Final[Whole] = np.zeros(0, dtype=np.int64)
FEW_MOVES: Final = 40  # of one line are quicker made one by one than as arrays
NOWHERE: Final[Whole] = np.zeros(1, dtype=np.int64)


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


class Moves(Tables):
    """The tables with the moves from each state."""

    def __init__(
        self,
        component: Component,
        part_of: Mapping[int, int],
        grouped: Sequence[Use],
        noted: Mapping[int, Use] = MappingProxyType({}),
    ) -> None:
        super().__init__(component, part_of, grouped, noted)
        self._layers: dict[int, list[Layer]] = {}

    @cached_property
    def light(self) -> Light:
        """What matters to what sums there are. Raises NotModelled."""
        return Light(self)

    @cached_property
    def ends(self) -> Whole:
        """The states after the last line: several where lines are noted. Raises NotModelled."""
        _, end = self._moves
        return end

    def layers(self, allowed: int) -> list[Layer]:
        """Every state of every depth with its moves by the allowed offers. Raises NotModelled."""
        banned = self.allowed & ~allowed
        if banned not in self._layers:
            moves, ends = self._moves
            kept = list(map(self._without, [banned] * len(moves), self.tables, moves)) if banned else moves
            end = np.zeros_like(ends)
            layers = [Layer(ends, end, end, *([NOTHING] * 5))]
            for states, columns in reversed(kept):
                layers.append(_looking_back(states, columns, layers[-1]))
            self._layers[banned] = layers[::-1]
        return self._layers[banned]

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
    def _moves(self) -> tuple[list[tuple[Whole, Columns]], Whole]:
        """By depth the states and the moves from them (origins, targets, ways, net and cost); and the states after the last line."""
        states = np.zeros(1, dtype=np.int64)
        found: list[tuple[Whole, Columns]] = []
        for depth, table in enumerate(self.tables):
            is_small = states.size * len(table.ways) <= FEW_MOVES
            origin, way, after, more, cost = (self._expand_few if is_small else self._expand)(depth, states)
            following, target = distinct(after)
            found.append((states, [origin, target, way, more, cost]))
            states = following
            if states.size > MOST_STATES:
                raise NotModelled("too many states")
        return found, states

    def _expand_few(self, depth: int, states: Whole) -> tuple[Whole, Whole, Whole, Whole, Whole]:
        """The same as `_expand`, one by one."""
        table = self.tables[depth]
        relevant = table.looked_at + sum([field.ones << field.place for field in table.slots])
        stays = table.looked_at & ~table.closing
        slots = [(field.at, field.place, field.ones, field.given) for field in table.slots]
        found: list[tuple[int, int, int, int, int]] = []
        columns = list(zip(table.uses, table.clashes, table.more, table.cost, strict=True))
        for origin, state in enumerate(states.tolist()):
            rest = state & ~relevant
            for way, (uses, clashes, net, price) in enumerate(columns):
                if state & clashes:
                    continue
                after, more, cost = rest | (state | uses) & stays, net, price
                if fresh := uses & ~state:
                    cost += sum([weight for place, weight in table.weights if fresh >> place & 1])
                for at, place, ones, given in slots:
                    value, added, besides = self.effect(depth, at, state >> place & ones, given[way])
                    if value < 0:
                        break
                    after |= value << place
                    more += added
                    cost += besides
                else:
                    found.append((origin, way, after, more, cost))
        rows = np.array(found, dtype=np.int64).reshape(-1, 5).T.copy()
        return rows[0], rows[1], rows[2], rows[3], rows[4]

    def _expand(self, depth: int, states: Whole) -> tuple[Whole, Whole, Whole, Whole, Whole]:
        """The moves of a line from these states: origins, ways, states after it, net and cost."""
        table = self.tables[depth]
        relevant = table.looked_at + sum([field.ones << field.place for field in table.slots])
        more, cost = np.array(table.more, dtype=np.int64), np.array(table.cost, dtype=np.int64)
        if not relevant:
            origin = np.arange(states.size).repeat(more.size)
            way = np.arange(origin.size) % more.size
            return origin, way, states[origin], more[way], cost[way]
        # Worked out once for all states that look alike to this line: a row for each such state, a column for each way.
        fields, alike = distinct(states & relevant)
        after, more, cost, fits = self._rows(depth, fields, more, cost)
        row, way = fits.nonzero()
        counts = fits.sum(axis=1)
        mine = counts[alike]
        origin = np.arange(states.size).repeat(mine)
        at = np.arange(origin.size) + (counts.cumsum()[alike] - mine.cumsum()).repeat(mine)
        row, way = row[at], way[at]
        return origin, way, states[origin] & ~relevant | after[row, way], more[row, way], cost[row, way]

    def _rows(
        self, depth: int, fields: Whole, more: Whole, cost: Whole
    ) -> tuple[Whole, Whole, Whole, NDArray[np.bool_]]:
        """By fields and way: the fields after it, net and cost, and whether that can be."""
        table, column = self.tables[depth], fields[:, None]
        shape = (fields.size, more.size)
        if table.looked_at:
            uses = np.array(table.uses, dtype=np.int64)
            after = (column & table.looked_at | uses) & ~table.closing
            fits = (column & np.array(table.clashes, dtype=np.int64)) == 0
            fresh = uses & ~column
            for place, weight in table.weights:
                cost = cost + (fresh >> place & 1) * weight
        else:
            after, fits = np.zeros(shape, dtype=np.int64), np.ones(shape, dtype=bool)
        for slot in table.slots:
            values, which = distinct(fields >> slot.place & slot.ones)
            amounts, given = distinct(np.array(slot.given, dtype=np.int64))
            effects = np.array(
                [
                    [self.effect(depth, slot.at, value, amount) for amount in amounts.tolist()]
                    for value in values.tolist()
                ]
            )
            effect = effects[which[:, None], given]
            after |= effect[..., 0] << slot.place
            more = more + effect[..., 1]
            cost = cost + effect[..., 2]
            fits &= effect[..., 0] >= 0
        return after, np.broadcast_to(more, shape), np.broadcast_to(cost, shape), fits


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


def _looking_back(states: Whole, moves: Columns, later: Layer) -> Layer:
    """A layer with what can still be added from its states, without the moves that cannot end well."""
    if moves[0].size <= FEW_MOVES:
        return _looking_back_few(states, moves, later)
    origin, target, way, more, cost = moves
    ends_well = later.low[target] < FAR
    if not ends_well.all():
        origin, target, way, more, cost = (column[ends_well] for column in moves)
    low, high = np.full(states.size, FAR, dtype=np.int64), np.full(states.size, -FAR, dtype=np.int64)
    np.minimum.at(low, origin, more + later.low[target])
    np.maximum.at(high, origin, more + later.high[target])
    return Layer(states, low, high, origin, target, way, more, cost)


def _looking_back_few(states: Whole, moves: Columns, later: Layer) -> Layer:
    """The same, one by one."""
    low, high, ends_well = [FAR] * states.size, [-FAR] * states.size, []
    lowest, highest = later.low.tolist(), later.high.tolist()
    for origin, target, more in zip(moves[0].tolist(), moves[1].tolist(), moves[3].tolist(), strict=True):
        least = lowest[target]
        ends_well.append(least < FAR)
        if least < FAR:
            low[origin] = min(low[origin], more + least)
            high[origin] = max(high[origin], more + highest[target])
    if not all(ends_well):
        kept = np.array(ends_well)
        moves = [column[kept] for column in moves]
    return Layer(states, np.array(low, dtype=np.int64), np.array(high, dtype=np.int64), *moves)
