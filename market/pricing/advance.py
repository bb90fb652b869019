"""The costs of all sums, one line further: what the programme over sums spends most of its time with. Pure.

For each state one array holds the least cost of every sum; a move shifts it by the net of a way and adds the way's cost. While few sums
are reached they are moved one by one, for all moves at once; later each move takes its whole array.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import numpy as np

from market.pricing.light import FAR
from market.pricing.links import LIVE
from market.pricing.moves import Columns, Move, distinct
from market.pricing.paths import Layer, Reached
from market.pricing.tables import Whole
from market.pricing.terminal import Costs

NEVER: Final = 1 << 61  # the cost of what is no sum of these lines
FEW_LIVE: Final = 40  # sums of a state that are quicker moved one by one than as one array
WIDE: Final = 4_000  # places of a move, of which more than a few are sums

# The least and the most net that later lines can add to a state.
Room = Callable[[int], tuple[int, int]]


class Front(NamedTuple):
    """The states after a line that are reached, rising, with the costs of their sums, and the moves that led there."""

    states: list[int]
    reached: Reached
    layer: Layer


class _Moves(NamedTuple):
    """The moves that can still end well, and between which places (`low`, `high`) they may lead."""

    origin: Whole
    target: Whole
    more: Whole
    cost: Whole
    low: Whole
    high: Whole


def advance_few(moves: Iterable[Move], reached: Reached, room: Room, first: int, last: int) -> Front:
    """The costs of all sums after one more line that can still end between `first` and `last`, where there are few moves."""
    rooms: dict[int, tuple[int, int]] = {}
    ranges: dict[int, tuple[int, int]] = {}
    kept: list[tuple[int, int, int, int, int, int, int]] = []
    for origin, way, after, more, cost in moves:
        if after not in rooms:
            rooms[after] = room(after)
        start, costs = reached[origin]
        least, most = rooms[after]
        low, high = max(start + more, first - most), min(start + more + costs.size - 1, last - least)
        if low <= high:
            kept.append((origin, after, way, more, cost, low, high))
            known = ranges.get(after)
            ranges[after] = (min(known[0], low), max(known[1], high)) if known else (low, high)
    states = sorted(ranges)
    places = {state: place for place, state in enumerate(states)}
    following: Reached = {}
    for place, state in enumerate(states):
        low, high = ranges[state]
        following[place] = Costs(low, np.full(high - low + 1, NEVER, dtype=np.int64))
    rows = [(origin, places[after], way, more, cost) for origin, after, way, more, cost, _, _ in kept]
    _move_arrays(
        [(origin, places[after], more, cost, low, high) for origin, after, _, more, cost, low, high in kept],
        reached,
        following,
    )
    return Front(states, following, Layer(rows, ()))


def advance(moves: Columns, reached: Reached, room: Room, first: int, last: int) -> Front:
    """The same where there are many."""
    origin, way, after, more, cost = moves
    states, target = distinct(after)
    least, most = np.array([room(state) for state in states.tolist()], dtype=np.int64).T
    starts, ends = _ranges(reached)
    low = np.maximum(starts[origin] + more, first - most[target])
    high = np.minimum(ends[origin] + more, last - least[target])
    kept = (low <= high).nonzero()[0]
    low, high = low[kept], high[kept]
    origin, way, more, cost = origin[kept], way[kept], more[kept], cost[kept]
    places, target = distinct(target[kept])
    states = states[places]
    starts, ends = np.full(states.size, FAR), np.full(states.size, -FAR)
    np.minimum.at(starts, target, low)
    np.maximum.at(ends, target, high)
    sizes = ends - starts + 1
    # All arrays lie in one, so that a sum of any state has a place in it.
    flat, begins = np.full(int(sizes.sum()), NEVER, dtype=np.int64), np.cumsum(sizes) - sizes
    following: Reached = {}
    for at, (start, begin, size) in enumerate(zip(starts.tolist(), begins.tolist(), sizes.tolist(), strict=True)):
        following[at] = Costs(start, flat[begin : begin + size])
    some = _Moves(origin, target, more, cost, low, high)
    # Where there are very many places, looking for the sums among them would take longer than moving all.
    live = None if int((high - low).sum()) > WIDE * kept.size else _find_live(reached)
    if live is not None and live.counts[origin].sum() <= FEW_LIVE * kept.size:
        where, costs = _move_each(some, live)
        np.minimum.at(flat, (begins - starts)[where.target] + where.place, costs)
    else:
        _move_arrays(zip(*[column.tolist() for column in some], strict=True), reached, following)
    return Front(states.tolist(), following, Layer([], (origin, target, way, more, cost)))


def _ranges(reached: Reached) -> tuple[Whole, Whole]:
    """By state the first and the last place."""
    starts = np.array([start for start, _ in reached.values()], dtype=np.int64)
    return starts, starts + np.array([costs.size - 1 for _, costs in reached.values()], dtype=np.int64)


class _Live(NamedTuple):
    """All sums that are reached, state by state, with their costs; of each state how many, and which is the first."""

    sums: Whole
    costs: Whole
    counts: Whole
    begins: Whole


def _find_live(reached: Reached) -> _Live:
    """Which sums are reached of all that have a place."""
    starts, lasts = _ranges(reached)
    sizes = lasts - starts + 1
    flat = np.concatenate([costs for _, costs in reached.values()])
    ends = sizes.cumsum()
    live = (flat < LIVE).nonzero()[0]
    till = live.searchsorted(ends)
    counts = np.diff(till, prepend=0)
    return _Live(live + (starts - ends + sizes).repeat(counts), flat[live], counts, till - counts)


class _Places(NamedTuple):
    """Where sums are moved to: a state, and a place in it."""

    target: Whole
    place: Whole


def _move_each(moves: _Moves, live: _Live) -> tuple[_Places, Whole]:
    """Every sum that is reached by every move, with its cost."""
    mine = live.counts[moves.origin]
    move = np.arange(mine.size).repeat(mine)
    cell = np.arange(move.size) + (live.begins[moves.origin] - mine.cumsum() + mine).repeat(mine)
    place = live.sums[cell] + moves.more[move]
    fits = (moves.low[move] <= place) & (place <= moves.high[move])
    move, place, cell = move[fits], place[fits], cell[fits]
    return _Places(moves.target[move], place), live.costs[cell] + moves.cost[move]


def _move_arrays(moves: Iterable[tuple[int, int, int, int, int, int]], reached: Reached, following: Reached) -> None:
    """Every move with the whole array of its origin."""
    room = np.empty(max([some.costs.size for some in reached.values()]), dtype=np.int64)
    for origin, target, more, cost, low, high in moves:
        before, costs = reached[origin]
        begin, into = following[target]
        into = into[low - begin : high + 1 - begin]
        some = costs[low - more - before : high + 1 - more - before]
        np.minimum(into, np.add(some, cost, out=room[: some.size]) if cost else some, out=into)
