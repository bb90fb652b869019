"""From state to state of the programme over sums: what a line may do, given which offers are in use and how far groups have come. Pure.

Where there are many moves, states are one array, and what a line does to them is worked out once for the few fields it looks at.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from market.pricing.light import Light
from market.pricing.tables import Tables, Whole
from market.pricing.ways import Way

# A move: from which state (its place), by which way, to which state (itself), with what net and cost.
Move = tuple[int, int, int, int, int]
# Many moves, by column.
Columns = tuple[Whole, Whole, Whole, Whole, Whole]

FEW_MOVES: Final = 40  # of one line are quicker made one by one than as arrays
NOWHERE: Final[Whole] = np.zeros(1, dtype=np.int64)


class Step(NamedTuple):
    """One way of a line as taken: net above the least, and cost."""

    more: int
    cost: int
    way: Way


class Moves(Tables):
    """The tables with the moves from any states."""

    @cached_property
    def light(self) -> Light:
        """What matters to what sums there are. Raises NotModelled."""
        return Light(self)

    def list_moves(self, depth: int, states: Sequence[int], banned: int) -> list[Move]:
        """The moves of a line from these states without banned offers, in order of states and ways: where they are few."""
        table = self.tables[depth]
        relevant = table.looked_at + sum([field.ones << field.place for field in table.slots])
        stays = table.looked_at & ~table.closing
        slots = [(field.at, field.place, field.ones, field.given) for field in table.slots]
        found: list[Move] = []
        columns = [
            row
            for row in zip(range(len(table.ways)), table.uses, table.clashes, table.more, table.cost, strict=True)
            if not table.ways[row[0]].tracked & banned
        ]
        for origin, state in enumerate(states):
            rest = state & ~relevant
            for way, uses, clashes, net, price in columns:
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
        return found

    def make_moves(self, depth: int, states: Whole, banned: int) -> Columns:
        """The same where they are many."""
        table = self.tables[depth]
        origin, way, after, more, cost = self._expand(depth, states)
        is_banned = [bool(one.tracked & banned) for one in table.ways] if banned else ()
        if any(is_banned):
            stays = ~np.array(is_banned)[way]
            return origin[stays], way[stays], after[stays], more[stays], cost[stays]
        return origin, way, after, more, cost

    def _expand(self, depth: int, states: Whole) -> Columns:
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
