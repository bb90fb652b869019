"""The costs of all sums, one line further: what the programme over sums spends most of its time with. Pure.

For each state one array holds the least cost of every sum; a move shifts it by the net of a way and adds the way's cost. While few sums
are reached they are moved one by one, for all moves at once; later each move takes its whole array.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from market.pricing.light import FAR
from market.pricing.moves import FEW_MOVES, Layer
from market.pricing.paths import Reached
from market.pricing.tables import Whole
from market.pricing.terminal import Costs
from market.pricing.ways import LIVE

NEVER: Final = 1 << 61  # the cost of what is no sum of these lines
FEW_LIVE: Final = 40  # sums of a state that are quicker moved one by one than as one array
WIDE: Final = 4_000  # places of a move, of which more than a few are sums


class _Moves(NamedTuple):
    """The moves that can still end well, and between which places (`low`, `high`) they may lead."""

    origin: Whole
    target: Whole
    more: Whole
    cost: Whole
    low: Whole
    high: Whole


def advance(layer: Layer, later: Layer, reached: Reached, first: int, last: int) -> Reached:
    """The costs of all sums after one more line that can still end between `first` and `last`."""
    if layer.origin.size <= FEW_MOVES:
        return _advance_few(layer, later, reached, (first, last))
    starts, ends = np.full(layer.states.size, FAR), np.full(layer.states.size, -FAR)
    for at, (start, costs) in reached.items():
        starts[at], ends[at] = start, start + costs.size - 1
    low = np.maximum(starts[layer.origin] + layer.more, first - later.high[layer.target])
    high = np.minimum(ends[layer.origin] + layer.more, last - later.low[layer.target])
    kept = np.flatnonzero(low <= high)
    moves = _Moves(layer.origin[kept], layer.target[kept], layer.more[kept], layer.cost[kept], low[kept], high[kept])
    starts, ends = np.full(later.states.size, FAR), np.full(later.states.size, -FAR)
    np.minimum.at(starts, moves.target, moves.low)
    np.maximum.at(ends, moves.target, moves.high)
    sizes = np.where(starts < FAR, ends - starts + 1, 0)
    # All arrays lie in one, so that a sum of any state has a place in it.
    flat, begins = np.full(int(sizes.sum()), NEVER, dtype=np.int64), np.cumsum(sizes) - sizes
    following: Reached = {}
    for at in np.flatnonzero(sizes).tolist():
        begin = int(begins[at])
        following[at] = Costs(int(starts[at]), flat[begin : begin + int(sizes[at])])
    # Where there are very many places, looking for the sums among them would take longer than moving all.
    is_wide = int((moves.high - moves.low).sum()) > WIDE * kept.size
    live = None if is_wide else _find_live(reached, layer.states.size)
    if live is not None and live.counts[moves.origin].sum() <= FEW_LIVE * kept.size:
        places, costs = _move_each(moves, live)
        np.minimum.at(flat, (begins - starts)[places.target] + places.place, costs)
    else:
        _move_arrays(zip(*[column.tolist() for column in moves], strict=True), reached, following)
    return following


def _advance_few(layer: Layer, later: Layer, reached: Reached, ends: tuple[int, int]) -> Reached:
    """The same where there are few moves."""
    least, most = (ends[0] - later.high).tolist(), (ends[1] - later.low).tolist()
    moves: list[tuple[int, int, int, int, int, int]] = []
    ranges: dict[int, tuple[int, int]] = {}
    for origin, target, more, cost in zip(
        layer.origin.tolist(), layer.target.tolist(), layer.more.tolist(), layer.cost.tolist(), strict=True
    ):
        if origin in reached:
            start, costs = reached[origin]
            low, high = max(start + more, least[target]), min(start + more + costs.size - 1, most[target])
            if low <= high:
                moves.append((origin, target, more, cost, low, high))
                known = ranges.get(target)
                ranges[target] = (min(known[0], low), max(known[1], high)) if known else (low, high)
    following: Reached = {}
    for target in sorted(ranges):
        low, high = ranges[target]
        following[target] = Costs(low, np.full(high - low + 1, NEVER, dtype=np.int64))
    _move_arrays(moves, reached, following)
    return following


class _Live(NamedTuple):
    """All sums that are reached, state by state, with their costs; of each state how many, and which is the first."""

    sums: Whole
    costs: Whole
    counts: Whole
    begins: Whole


def _find_live(reached: Reached, states: int) -> _Live:
    """Which sums are reached of all that have a place."""
    sizes, starts = np.zeros(states, dtype=np.int64), np.zeros(states, dtype=np.int64)
    for at in sorted(reached):
        starts[at], sizes[at] = reached[at].start, reached[at].costs.size
    flat = np.concatenate([reached[at].costs for at in sorted(reached)])
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
