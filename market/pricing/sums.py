"""The lines' decisions under fixed order and subsidy offers, as a dynamic programme over what the lines add up to. Pure; whole numbers only.

Where a threshold binds, thousands of combinations of line offers reach the same sum, and trying them one by one does not end. What matters
of the lines decided so far is only their sum, and which offers on several lines are in use: for each of these the programme keeps the
least cost, that is sponsor cost, then number of offers, then their ids, as one integer. One array holds the cost of every sum.

It takes what it can model exactly, and raises NotModelled for the rest (see ways and terminal); the search then goes plan by plan.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from market.pricing.apply import Use
from market.pricing.component import Component
from market.pricing.moves import Key, Moves
from market.pricing.paths import Node, Paths
from market.pricing.setting import Setting
from market.pricing.terminal import ENDLESS, Costs, NotModelled, Terminal, are_nested, number_parts, read_terminal
from market.pricing.ways import LIVE, Stage

NEVER: Final = 1 << 61  # the cost of what is no sum of these lines
MOST_SUMS: Final = 150_000
MOST_KEYS: Final = 2_000
MOST_LEAST_KEYS: Final = 20_000
AHEAD: Final = 3_000  # fen above what is looked for, worked out at once
# How much more than the least that any sum leaves is looked at first, in fen; None: all that is no worse than the best found.
ROOMS: Final[tuple[int | None, ...]] = (0, 8, 100, 800, 6_000, None)


class Solver:
    """Decides the lines of one component for any setting; what settings have in common is worked out once."""

    def __init__(self, component: Component, grouped: Sequence[Use]) -> None:
        self._component, self._grouped = component, grouped
        self._programmes: dict[object, Programme] = {}
        # The parts of all thresholds that could matter, so that as many settings as possible share one programme.
        everything = frozenset(component.positions)
        looked_at = {
            frozenset(variant.use.lines)
            for item in component.items
            for variant, _ in item.ways
            if variant and variant.is_order and (variant.need or variant.below is not None)
        }
        parts = sorted(looked_at - {everything}, key=len)
        self._parts: Sequence[frozenset[int]] = parts if are_nested(parts) else ()

    def least_sum(self) -> int:
        """No plan leaves less after the line stage, whatever its order and subsidy offers. Raises NotModelled."""
        component = self._component
        allowed = component.free
        for item in component.items:
            for _, mask in item.ways:
                allowed |= mask
        return self._programme(allowed, number_parts(component, self._parts)).least_sum()

    def look(self, setting: Setting) -> "Look":
        """Begin to look for the best plans of a setting. Raises NotModelled where that cannot be done exactly."""
        terminal = read_terminal(setting, self._grouped, self._parts)
        return Look(self._programme(setting.allowed, terminal.part_of), setting, terminal)

    def _programme(self, allowed: int, part_of: Mapping[int, int]) -> "Programme":
        name = (allowed, tuple(sorted(part_of.items())))
        if name not in self._programmes:
            self._programmes[name] = Programme(self._component, allowed, part_of, self._grouped)
        return self._programmes[name]


class Look:
    """The search for the best plans of one setting, in ever wider ranges of what is paid, so that others may be looked at in between."""

    def __init__(self, programme: "Programme", setting: Setting, terminal: Terminal) -> None:
        self._programme, self._setting, self._terminal = programme, setting, terminal
        self._least = programme.least_place(terminal)
        self._rooms = iter(ROOMS)
        self._known_to = -1

    def go_on(self, bound: int) -> int | None:
        """Look a little further and let the hunt consider what is found: a payable that all that is left is not below, or None if nothing is.

        `bound` is such a payable already known.
        """
        best, room = self._setting.hunt.best.payable, next(self._rooms, None)
        most = best if room is None else min(best, bound + room)
        if most > self._known_to:
            self._known_to = min(best, most + AHEAD)
            self._terminal.leave(self._programme.least - self._programme.shift, self._known_to)
        paid = self._terminal.paid[self._least :]
        floor = int(paid.min(initial=ENDLESS))
        if floor > most:
            return None if most >= best else floor if floor < ENDLESS else self._known_to + 1
        good = np.flatnonzero(paid <= most) + self._least
        if self._programme.reach(int(good[0]), int(good[-1]), self._setting, self._terminal, most):
            return None
        return None if most >= best else most + 1


class Programme(Moves):
    """The costs of all sums, line by line."""

    def __init__(self, component: Component, allowed: int, part_of: Mapping[int, int], grouped: Sequence[Use]) -> None:
        super().__init__(component, allowed, part_of, grouped)
        self.dead: dict[object, list[tuple[int, int]]] = {}

    def least_sum(self) -> int:
        """No plan leaves less after the line stage. Counts no caps and lets offers of one group stand together: that takes few states."""
        kept = tuple(slot.kind in ("hold", "turn", "sets") for slot in self.slots)
        sums: dict[tuple[int, ...], int] = {self.nothing: self.least}
        for stage in self.stages:
            following: dict[tuple[int, ...], int] = {}
            for states, fen in sums.items():
                for step in self.steps(stage, (0, states)):
                    after = tuple(state if keep else 0 for state, keep in zip(step.after[1], kept, strict=True))
                    if after not in following or fen + step.more < following[after]:
                        following[after] = fen + step.more
            sums = following
            if len(sums) > MOST_LEAST_KEYS:
                raise NotModelled("too many states")
        return min(sums.values())

    def least_place(self, terminal: Terminal) -> int:
        """No plan that passes the thresholds of inner parts ends before this place in the arrays."""
        least = self.to_go[0][0, self.nothing][0] + self.shift
        for stage, to_go in zip(self.stages, self.to_go[1:], strict=True):
            if stage.boundary is not None and to_go:
                need = terminal.need_of(self.part_of[stage.position]) - (stage.least - self.shift)
                least = max(least, need + min(low for low, _ in to_go.values()))
        return least

    @cached_property
    def to_go(self) -> list[dict[Key, tuple[int, int]]]:
        """By depth and state, the least and the most net that the lines from there on can add; only states that can end well."""
        keys: list[set[Key]] = [{(0, self.nothing)}]
        for stage in self.stages:
            keys.append({step.after for key in keys[-1] for step in self.steps(stage, key)})
            if len(keys[-1]) > MOST_KEYS:
                raise NotModelled("too many states")
        to_go: list[dict[Key, tuple[int, int]]] = [dict.fromkeys(keys[-1], (0, 0))]
        for stage, layer in zip(reversed(self.stages), reversed(keys[:-1]), strict=True):
            later, here = to_go[-1], {}
            for key in layer:
                ends = [(step.more, later[step.after]) for step in self.steps(stage, key) if step.after in later]
                if ends:
                    here[key] = (min(more + end[0] for more, end in ends), max(more + end[1] for more, end in ends))
            to_go.append(here)
        return to_go[::-1]

    def reach(self, first: int, last: int, setting: Setting, terminal: Terminal, most: int) -> bool:
        """Find the best plans with a sum from `first` to `last`, as places in the arrays; False if none pays `most` or less."""
        if any(low <= first and last <= high for low, high in self.dead.get(terminal.gate_name, ())):
            return False
        if last - min(0, self.to_go[0][0, self.nothing][0]) > MOST_SUMS:
            raise NotModelled("too wide a range of sums")
        layers: list[dict[Key, Costs]] = [{(0, self.nothing): Costs(self.shift, np.zeros(1, dtype=np.int64))}]
        for depth, stage in enumerate(self.stages):
            layers.append(self._advance(stage, layers[-1], self.to_go[depth + 1], first, last))
            if stage.boundary is not None:
                self._cross(stage, layers[-1], terminal)
        ends = [
            Costs(max(first, start), costs[max(0, first - start) : last + 1 - start])
            for start, costs in layers[-1].values()
        ]
        if not any((one.costs < LIVE).any() for one in ends):
            self.dead.setdefault(terminal.gate_name, []).append((first, last))
            return False
        return self._finish(layers, setting, terminal, first=first, last=last, most=most)

    def _advance(
        self, stage: Stage, layer: dict[Key, Costs], to_go: Mapping[Key, tuple[int, int]], first: int, last: int
    ) -> dict[Key, Costs]:
        """The costs of all sums after one more line that can still end between `first` and `last`."""
        if stage.is_idle:
            return dict(layer)
        spans: dict[Key, tuple[int, int]] = {}
        moves = []
        for key, (start, costs) in layer.items():
            for step in self.steps(stage, key):
                ends = to_go.get(step.after)
                if ends is None:
                    continue
                low = max(start + step.more, first - ends[1])
                high = min(start + costs.size - 1 + step.more, last - ends[0])
                if low <= high:
                    moves.append(
                        (
                            step.after,
                            low,
                            high,
                            costs[low - step.more - start : high + 1 - step.more - start],
                            step.cost,
                        )
                    )
                    known = spans.get(step.after)
                    spans[step.after] = (low, high) if known is None else (min(low, known[0]), max(high, known[1]))
        following = {
            key: Costs(low, np.full(high - low + 1, NEVER, dtype=np.int64)) for key, (low, high) in spans.items()
        }
        for after, low, high, costs, cost in moves:
            start, target = following[after]
            into = target[low - start : high + 1 - start]
            np.minimum(into, costs + cost if cost else costs, out=into)
        return following

    def _cross(self, stage: Stage, layer: dict[Key, Costs], terminal: Terminal) -> None:
        """Rule out what the thresholds of the part that ends here do not allow."""
        for key, (start, costs) in layer.items():
            kept = costs.copy()
            terminal.cross(self.part_of[stage.position], kept, stage.least - self.shift + start, NEVER)
            layer[key] = Costs(start, kept)

    def _finish(
        self,
        layers: Sequence[Mapping[Key, Costs]],
        setting: Setting,
        terminal: Terminal,
        *,
        first: int,
        last: int,
        most: int,
    ) -> bool:
        """Consider the plans that reach the least cost of the least paid; False if none pays `most` or less."""
        best: tuple[int, int] | None = None
        ends: list[Node] = []
        for key, (start, costs) in layers[-1].items():
            low, high = max(first, start), min(last, start + costs.size - 1)
            if low > high:
                continue
            mine, paid = costs[low - start : high + 1 - start], terminal.paid[low : high + 1]
            live = np.flatnonzero((mine < LIVE) & (paid <= most))
            if not live.size:
                continue
            least = int(paid[live].min())
            live = live[paid[live] == least]
            total = mine[live] + (terminal.sponsor[low + live] << self.cost_bits)
            cost = int(total.min())
            if best is None or (least, cost) < best:
                best, ends = (least, cost), []
            if (least, cost) == best:
                ends += [(key, low + int(at)) for at in live[total == cost]]
        if best is None:
            return False
        if best[0] <= setting.hunt.best.payable:
            Paths(self, setting, ends=ends, best=best).consider(layers)
        return True
