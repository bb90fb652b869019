"""The best plans of the programme over sums: back along every path of least cost, and the first of them in basket order. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import count, islice, pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from market.pricing.apply import Pool
from market.pricing.links import LIVE
from market.pricing.moves import Moves, Step
from market.pricing.setting import Setting
from market.pricing.tables import Whole
from market.pricing.terminal import Costs

# By the place of a state among those of its depth, the costs of the sums that matter.
Reached = dict[int, Costs]
# A state, by its place, and a sum.
Node = tuple[int, int]
Graph = Sequence[Mapping[Node, Sequence[tuple[Node, Step]]]]


class Layer(NamedTuple):
    """The moves of one line between states that are reached: origin, target (their places), way, net and cost.

    In order of origins and ways; few are rows, many are columns.
    """

    rows: Sequence[tuple[int, int, int, int, int]]
    columns: tuple[Whole, ...]


MOST_NODES: Final = 20_000  # of all equally good plans
MOST_PLANS: Final = 200  # equally good plans that are worked out one by one
MOST_IN_TURN: Final = 2_000  # plans that are tried where sums may say less than is paid


class Paths:
    """The plans that reach the least cost, `best` being what they pay and their cost, and `ends` where they end."""

    def __init__(
        self,
        programme: Moves,
        setting: Setting,
        layers: Sequence[Layer],
        *,
        ends: Sequence[Node],
        best: tuple[int, int],
    ) -> None:
        self._programme, self._setting, self._ends, self._best = programme, setting, ends, best
        self._layers = layers

    def consider(self, reached: Sequence[Reached]) -> bool:
        """Follow every best plan back and let the hunt consider those that may be first by the lesser criteria.

        False: one is not what its sums say.
        """
        hunt, best = self._setting.hunt, self._best
        graph = self._follow_back(reached)
        if graph is None:
            hunt.abandon(best[0])
            return True
        plans = list(islice(self._plans(graph), MOST_PLANS + 1))
        if len(plans) > MOST_PLANS:
            # Too many to work out: the one that leaves least on the earlier lines, if no rounding can turn that order round.
            plans = [self._first_in_order(graph)]
            if best[0] and not self._is_clear(graph):
                hunt.abandon(best[0])
        return all(self._is_true(plan, best[1]) for plan in plans)

    def _is_true(self, plan: Sequence[Step], cost: int) -> bool:
        """Let the hunt consider a plan: whether it is what its sums say."""
        found = self._setting.hunt.consider(*self._pools(plan))
        return found is not None and (found.payable, found.sponsor) == (
            self._best[0],
            cost >> self._programme.cost_bits,
        )

    def consider_in_turn(self, reached: Sequence[Reached], costs: Mapping[Node, int]) -> bool:
        """Let the hunt consider plans by rising cost until one is what its sums say, and those that cost the same. False: none is.

        `costs` are what ends cost besides: for sums that may say less than is paid.
        """
        least: int | None = None
        for tried, (cost, plan) in enumerate(self._in_turn(reached, costs)):
            if least is not None and cost > least:
                return True
            if tried >= MOST_IN_TURN or self._setting.hunt.is_spent:
                self._setting.hunt.abandon(self._best[0])
                return True
            if self._is_true(plan, cost):
                least = cost
        return least is not None

    def _in_turn(self, reached: Sequence[Reached], costs: Mapping[Node, int]) -> Iterator[tuple[int, list[Step]]]:
        """All plans that end in one of these nodes, by rising cost."""
        order = count()
        heap: list[tuple[int, int, int, Node, tuple[Step, ...]]] = []

        def push(depth: int, node: Node, behind: int, steps: tuple[Step, ...]) -> None:
            start, known = reached[depth][node[0]]
            if 0 <= node[1] - start < known.size and (cost := int(known[node[1] - start])) < LIVE:
                heappush(heap, (cost + behind, next(order), depth, node, steps))

        for end, cost in costs.items():
            push(len(reached) - 1, end, cost, ())
        while heap:
            total, _, depth, node, steps = heappop(heap)
            if depth == 0:
                yield total, list(steps)
                continue
            start, known = reached[depth][node[0]]
            behind = total - int(known[node[1] - start])
            for origin, _, step in self._steps(depth - 1, (node[0],), reached[depth - 1]):
                push(depth - 1, (origin, node[1] - step.more), behind + step.cost, (step, *steps))

    def _follow_back(self, reached: Sequence[Reached]) -> Graph | None:
        """By line, every node of a best plan with the nodes it came from; None if there are too many."""
        graph: list[dict[Node, list[tuple[Node, Step]]]] = []
        nodes, seen = set(self._ends), 0
        for depth in range(len(reached) - 1, 0, -1):
            came: dict[Node, list[tuple[Node, Step]]] = {node: [] for node in nodes}
            by_state: dict[int, list[tuple[int, int]]] = {}
            for state, at in nodes:
                start, costs = reached[depth][state]
                by_state.setdefault(state, []).append((at, int(costs[at - start])))
            for origin, target, step in self._steps(depth - 1, by_state, reached[depth - 1]):
                start, costs = reached[depth - 1][origin]
                for at, cost in by_state[target]:
                    before = at - step.more
                    if 0 <= before - start < costs.size and int(costs[before - start]) + step.cost == cost:
                        came[target, at].append(((origin, before), step))
            graph.append(came)
            nodes = {origin for rows in came.values() for origin, _ in rows}
            seen += len(nodes)
            if seen > MOST_NODES:
                return None
        return graph[::-1]

    def _steps(self, depth: int, targets: Collection[int], origins: Collection[int]) -> Iterator[tuple[int, int, Step]]:
        """The moves of a line from some states to some others."""
        layer, ways = self._layers[depth], self._programme.tables[depth].ways
        rows = layer.rows
        if layer.columns:
            origin, target = layer.columns[:2]
            is_wanted = _marked(max(int(target.max()), *targets) + 1, targets)[target]
            moves = (is_wanted & _marked(max(int(origin.max()), *origins) + 1, origins)[origin]).nonzero()[0]
            rows = list(zip(*[column[moves].tolist() for column in layer.columns], strict=True))
        for begin, end, way, more, cost in rows:
            if end in targets and begin in origins:
                yield begin, end, Step(more, cost, ways[way])

    def _first_in_order(self, graph: Graph) -> list[Step]:
        """Of all paths the one with the least net on the earlier lines, in basket order."""
        programme = self._programme
        ranks = {position: rank for rank, position in enumerate(sorted(programme.component.positions))}
        bits = (max(line.list_price for line in programme.component.basket) + programme.shift).bit_length() + 1
        values: dict[Node, tuple[int, list[Step]]] = {(0, programme.shift): (0, [])}
        for stage, came in zip(programme.stages, graph, strict=True):
            worth = bits * (len(ranks) - 1 - ranks[stage.position])
            following = {}
            for node, rows in came.items():
                reached = [
                    (values[origin][0] + ((step.more + programme.shift) << worth), origin, step)
                    for origin, step in rows
                    if origin in values
                ]
                value, origin, step = min(reached, key=lambda row: row[0])
                following[node] = (value, [*values[origin][1], step])
            values = following
        return min((values[end] for end in self._ends), key=lambda row: row[0])[1]

    def _is_clear(self, graph: Graph) -> bool:
        """Whether a line that is left more net also pays more, whatever the rounding of shares, in any of these plans."""
        programme = self._programme
        if any(slot.kind in ("turn", "sets", "cap") for slot in programme.slots):
            return False
        slack = 3 * len(self._setting.upper.variants) + 1
        for came in graph:
            nets = sorted({step.more for rows in came.values() for _, step in rows})
            if any(
                (after - before) * self._best[0] <= slack * programme.component_list for before, after in pairwise(nets)
            ):
                return False
        return True

    def _plans(self, graph: Graph) -> Iterator[list[Step]]:
        """Every path of the graph, as its steps in the order of the stages."""
        stack: list[tuple[int, Node, tuple[Step, ...]]] = [(len(graph), end, ()) for end in self._ends]
        while stack:
            depth, node, steps = stack.pop()
            if depth == 0:
                yield list(steps)
                continue
            stack.extend((depth - 1, origin, (step, *steps)) for origin, step in graph[depth - 1][node])

    def _pools(self, steps: Sequence[Step]) -> tuple[dict[int, tuple[Pool, ...]], int]:
        """A path as the pools of a plan and the mask of its offers."""
        programme = self._programme
        mask = self._setting.upper_mask
        pools: dict[int, tuple[Pool, ...]] = {}
        for position, way in programme.fixed.items():
            mask |= way.option.mask
            if way.option.pools:
                pools[position] = way.option.pools
        for stage, step in zip(programme.stages, steps, strict=True):
            mask |= step.way.option.mask
            mine = list(step.way.option.pools)
            for at, units in step.way.held:
                slot = programme.slots[at]
                mine.append((units, (slot.use.index,)))
                mask |= slot.bit
            if mine:
                pools[stage.position] = tuple(mine)
        return pools, mask


def _marked(size: int, places: Collection[int]) -> NDArray[np.bool_]:
    """Which of so many places are among these."""
    marked = np.zeros(size, dtype=bool)
    marked[list(places)] = True
    return marked
