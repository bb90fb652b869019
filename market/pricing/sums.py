"""The lines' decisions under fixed order and subsidy offers, as a dynamic programme over what the lines add up to. Pure; whole numbers only.

Where a threshold binds, thousands of combinations of line offers reach the same sum, and trying them one by one does not end. What matters
of the lines decided so far is only their sum, and which offers on several lines are in use: for each of these the programme keeps the
least cost, that is sponsor cost, then number of offers, then their ids, as one integer. One array holds the cost of every sum.

It takes what it can model exactly, and raises NotModelled for the rest (see ways and terminal); the search then goes plan by plan.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np

from market.pricing.advance import NEVER, advance, advance_few
from market.pricing.apply import Use
from market.pricing.bound import Variant
from market.pricing.component import Component
from market.pricing.layout import Stage
from market.pricing.light import FAR, MOST_STATES, LightLayer
from market.pricing.links import LIVE
from market.pricing.moves import FEW_MOVES, Moves
from market.pricing.paths import Layer, Node, Paths, Reached
from market.pricing.setting import Setting
from market.pricing.tables import Whole
from market.pricing.terminal import ENDLESS, Costs, Ground, NotModelled, Terminal, are_nested, number_parts

MOST_SUMS: Final = 600_000
MOST_CELLS: Final = 20_000_000  # costs kept at once
MOST_SHIFTED: Final = 10_000_000_000  # bits of places that one programme moves: some tenths of a second
BITS_A_SHIFT: Final = 10_000  # that are moved in the time it takes to begin
BITS_A_NODE: Final = 1_000_000  # that are moved in about the time of a step
ROOMS: Final = (2_000, 10_000)  # fen above a bound that are looked at, before all that is no worse than the best found
STEP: Final = 8_192  # sums are worked out up to a multiple of this, so that settings share them
AT_ONCE: Final = (
    4_096  # sums of which is worked out what is paid, before looking whether higher ones could pay as little
)
FEW_SUMS: Final = 8  # of which is worked out one by one what is paid


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
        self.ground = Ground(component, grouped, parts if are_nested(parts) else ())
        # The rank of each part by its atoms as bits.
        self._part_of = {
            variant.reach: self.ground.parts.index(lines)
            for item in component.items
            for variant, _ in item.ways
            if variant and (lines := frozenset(variant.use.lines)) in self.ground.parts
        }

    def least_sum(self, allowed: int, variants: Sequence[Variant]) -> int:
        """No plan of these line offers that reaches what these variants need leaves less after the line stage. Raises NotModelled."""
        programme = self.programme(self.ground.parts)
        least, beyond = programme.least_sums(allowed)
        for variant in variants:
            if variant.need and variant.is_order and len(variant.atoms) < self._component.atoms:
                rank = self._part_of.get(variant.reach)
                if rank is not None:
                    least = max(least, variant.need + beyond[rank])
        return least

    def look(self, setting: Setting) -> "Look":
        """Begin to look for the best plans of a setting. Raises NotModelled where that cannot be done exactly."""
        return Look(self, setting, self.ground.read(setting))

    def programme(
        self, parts: Sequence[frozenset[int]], noted: Mapping[int, Use] = MappingProxyType({})
    ) -> "Programme":
        """The programme with these parts; `noted` lines are remembered to the end."""
        name = (tuple(parts), tuple(sorted(noted)))
        if name not in self._programmes:
            part_of = number_parts(self._component, parts)
            self._programmes[name] = Programme(self._component, part_of, self._grouped, noted)
        return self._programmes[name]


class Look:
    """The best plans of one setting: first what they pay, from the sums that lines can come to; then, if that may win, the plans.

    Where a plan pays more than its sums say, because an amount took all that was left of a small part, it looks again and notes the nets of
    those lines.
    """

    def __init__(self, solver: Solver, setting: Setting, terminal: Terminal) -> None:
        self._solver, self._setting, self._terminal = solver, setting, terminal
        self._programme = solver.programme(terminal.parts)
        self._begin(0)

    def _begin(self, floor: int) -> None:
        """Look from the beginning; plans whose sums say that less than `floor` is paid were considered."""
        self._floor = floor
        self._ends: dict[int, Whole] = {}
        self._rooms = iter(ROOMS)
        self.is_known = False

    def go_on(self, bound: int) -> int | None:
        """Look a little further: a payable that no plan of this setting is below, and `is_known` once one pays just that; None: none wins.

        `bound` is such a payable already known. Raises NotModelled.
        """
        best, room = self._setting.hunt.best.payable, next(self._rooms, None)
        most = best if room is None else min(best, bound + room)
        floor = self._least_up_to(most)
        if floor is not None:
            self.is_known = True
            return floor
        return most + 1 if most < best else None

    def _least_up_to(self, most: int) -> int | None:
        """The least paid if it is no more than that."""
        programme, terminal, floor = self._programme, self._terminal, most
        ends: dict[int, list[Whole]] = {}
        high, shifted = most + terminal.most_off(programme.highest), programme.shifted
        by_state = programme.sums(terminal, self._setting.allowed, high)
        self._setting.hunt.step((programme.shifted - shifted) // BITS_A_NODE)
        for state, sums in by_state.items():
            nets = programme.nets_at(programme.light.ends[state])
            begin = int(np.searchsorted(sums, terminal.need))
            first = None if nets or self._floor else _first_paid(terminal, sums[begin : begin + FEW_SUMS])
            if first is not None:
                least, some = first
                if least < floor:
                    floor, ends = least, {}
                if least == floor:
                    ends.setdefault(state, []).append(some)
                continue
            while begin < sums.size and int(sums[begin]) - terminal.most_off(int(sums[begin])) <= floor:
                some = sums[begin : begin + AT_ONCE]
                paid, _ = terminal.leave(some, nets)
                least = int(paid[paid >= self._floor].min(initial=ENDLESS))
                if least < floor:
                    floor, ends = least, {}
                if least == floor:
                    ends.setdefault(state, []).append(some[paid == floor])
                begin += AT_ONCE
        self._ends = {state: np.concatenate(sums) for state, sums in ends.items()}
        return floor if ends else None

    def settle(self, bound: int) -> bool:
        """Let the hunt consider the best plans, which pay `bound`. False: there may be others; look again. Raises NotModelled."""
        if self._programme.reach(self._ends, self._setting, self._terminal, bound):
            return True
        if self._programme.nets_of:
            self._begin(bound + 1)
            return False
        noted = self._solver.ground.find_cut(self._setting)
        if not noted:
            raise NotModelled("a plan that is not what its sums say")
        self._programme = self._solver.programme(self._terminal.parts, noted)
        self._begin(0)
        return False


def _first_paid(terminal: Terminal, sums: Whole) -> tuple[int, Whole] | None:
    """The least paid of these rising sums, and those of which it is paid; None if that is not plain from these few."""
    if not terminal.is_rising:
        return None
    least: int | None = None
    for rank, one in enumerate(sums.tolist()):
        paid = terminal.leave_of(one)
        if paid is None or (least is not None and paid > least):
            return None if least is None else (least, sums[:rank])
        least = paid
    return None


class Programme(Moves):
    """The costs of all sums, line by line. A sum's place is how far it is above the least of all lines, and `shift` more."""

    def __init__(
        self, component: Component, part_of: Mapping[int, int], grouped: Sequence[Use], noted: Mapping[int, Use]
    ) -> None:
        super().__init__(component, part_of, grouped, noted)
        self._sums: dict[object, tuple[int, dict[int, Whole]]] = {}
        self._inner: dict[object, dict[int, int]] = {}
        self._least_sums: dict[int, tuple[int, list[int]]] = {}
        self.highest = self.component_list
        self.shifted = 0

    def sums(self, terminal: Terminal, allowed: int, most: int) -> dict[int, Whole]:
        """By state after the last line all sums up to `most`, and some above, that lines can come to there, rising. Raises NotModelled.

        The thresholds of inner parts are passed.
        """
        name = (terminal.gate_name, allowed)
        known_to, sums = self._sums.get(name, (-1, {}))
        if known_to < most:
            most = min(most - most % -STEP, self.highest)
            if most - self.lowest > MOST_SUMS:
                raise NotModelled("too wide a range of sums")
            places = self._places(terminal, allowed, most - self.lowest)
            sums = {state: _numbers(bits) + self.lowest for state, bits in places.items()}
            self._sums[name] = (max(most, known_to), sums)
        return sums

    def least_sums(self, allowed: int) -> tuple[int, list[int]]:
        """The least sum of all lines by these line offers, and of the lines after each inner part. Raises NotModelled."""
        if allowed not in self._least_sums:
            layers = self.light.layers(allowed)
            ends = [depth for depth, stage in enumerate(self.stages, 1) if stage.boundary is not None]
            beyond = [self.least + min(layers[end].low) - self.stages[end - 1].least for end in ends]
            self._least_sums[allowed] = (self.least + layers[0].low[0], beyond)
        return self._least_sums[allowed]

    def _places(self, terminal: Terminal, allowed: int, most: int) -> dict[int, int]:
        """By state after all lines the places that can be reached, as bits; those above `most` may be missing."""
        layers = self.light.layers(allowed)
        # What thresholds of parts leave of the lines so far is worked out once for all settings that share it.
        reached: dict[int, int] = {0: 1 << self.shift}
        gates: tuple[object, ...] = ()
        depth = 0
        for until in [depth for depth, stage in enumerate(self.stages, 1) if stage.boundary is not None]:
            name = (allowed, most, until, gates)
            if name not in self._inner:
                self._inner[name] = self._run(layers[depth : until + 1], reached, most)
            part, base = self.part_of[self.stages[until - 1].position], self.stages[until - 1].least - self.shift
            gates = (*gates, terminal.name_of(part))
            reached = {state: terminal.cross_sums(part, bits, base) for state, bits in self._inner[name].items()}
            depth = until
        return reached

    def _run(self, layers: Sequence[LightLayer], reached: dict[int, int], most: int) -> dict[int, int]:
        """The places reached after some more lines. Raises NotModelled."""
        for layer, later in pairwise(layers):
            following: dict[int, int] = {}
            for origin, places in reached.items():
                for target, shifts in layer.moves[origin]:
                    self.shifted += len(shifts) * (places.bit_length() + BITS_A_SHIFT)
                    if self.shifted > MOST_SHIFTED:
                        raise NotModelled("too many moves from sum to sum")
                    here = following.get(target, 0)
                    for more in shifts:
                        here |= places << more if more >= 0 else places >> -more
                    following[target] = here
            reached = {}
            for state, bits in following.items():
                room = max(0, most - later.low[state] + 1)
                reached[state] = bits if bits.bit_length() <= room else bits & ((1 << room) - 1)
        return reached

    @property
    def lowest(self) -> int:
        """The sum of place 0."""
        return self.least - self.shift

    def reach(self, ends: Mapping[int, Whole], setting: Setting, terminal: Terminal, paid: int) -> bool:
        """Let the hunt consider the best plans that end in one of these light states with one of these sums, all of which pay `paid`.

        False: what a plan pays is not what its sums say. Raises NotModelled.
        """
        places = {state: sums - self.lowest for state, sums in ends.items()}
        first = min([int(some[0]) for some in places.values()])
        last = max([int(some[-1]) for some in places.values()])
        begun = sum([way.cost for way in self.fixed.values()])
        reached: list[Reached] = [{0: Costs(self.shift, np.full(1, begun, dtype=np.int64))}]
        layers: list[Layer] = []
        states, cells, banned = [0], 0, self.allowed & ~setting.allowed
        rooms = self.light.layers(setting.allowed)
        highs = self._highs(terminal, rooms, first)
        for depth, stage in enumerate(self.stages):
            room = partial(self.light.room, depth + 1, low=rooms[depth + 1].low, high=highs[depth + 1])
            if len(states) * len(self.tables[depth].ways) <= FEW_MOVES:
                front = advance_few(self.list_moves(depth, states, banned), reached[-1], room, first, last)
            else:
                moves = self.make_moves(depth, np.array(states, dtype=np.int64), banned)
                front = advance(moves, reached[-1], room, first, last)
            states = front.states
            if not states:
                raise NotModelled("a sum that no plan comes to")
            reached.append(front.reached)
            layers.append(front.layer)
            cells += sum([one.costs.size for one in front.reached.values()])
            if cells > MOST_CELLS or len(states) > MOST_STATES:
                raise NotModelled("too many sums")
            if stage.boundary is not None and depth + 1 < len(self.stages):
                self._cross(stage, reached[-1], terminal)
        costs: dict[Node, int] = {}
        best = NEVER
        for light, some in places.items():
            state = states.index(self.light.ends[light])
            _, sponsor = terminal.leave(some + self.lowest, self.nets_at(self.light.ends[light]))
            start, known = reached[-1][state]
            besides = sponsor << self.cost_bits
            best = min(best, int((known[some - start] + besides).min()))
            costs |= dict(zip([(state, place) for place in some.tolist()], besides.tolist(), strict=True))
        if best >= LIVE:
            raise NotModelled("a sum that no plan comes to")
        if self.nets_of:
            return Paths(self, setting, layers, ends=list(costs), best=(paid, best)).consider_in_turn(reached, costs)
        ends_best = [
            (state, place)
            for (state, place), besides in costs.items()
            if reached[-1][state].costs[place - reached[-1][state].start] + besides == best
        ]
        return Paths(self, setting, layers, ends=ends_best, best=(paid, best)).consider(reached)

    def _highs(self, terminal: Terminal, layers: Sequence[LightLayer], first: int) -> list[list[int]]:
        """By depth and state the most that later lines add; less where a part would not come to its threshold so. No sum ends below `first`."""
        highs = [layer.high for layer in layers]
        for until, stage in enumerate(self.stages, 1):
            need = 0 if stage.boundary is None else terminal.need_of(self.part_of[stage.position])
            if not need:
                continue
            over = first - (need - stage.least + self.shift)
            most = [0] * len(layers[until].low)
            for depth in range(until, -1, -1):
                if depth < until:
                    most = [
                        max([max(nets) + most[target] for target, nets in moves], default=-FAR)
                        for moves in layers[depth].moves
                    ]
                highs[depth] = [min(high, over + more) for high, more in zip(highs[depth], most, strict=True)]
        return highs

    def _cross(self, stage: Stage, reached: Reached, terminal: Terminal) -> None:
        """Rule out what the thresholds of the part that ends here do not allow; only from the first sum to the last that is left is kept."""
        for at, (start, costs) in reached.items():
            kept = costs.copy()
            terminal.cross(self.part_of[stage.position], kept, stage.least - self.shift + start, NEVER)
            live = (kept < LIVE).nonzero()[0]
            first, end = (int(live[0]), int(live[-1]) + 1) if live.size else (0, 0)
            reached[at] = Costs(start + first, kept[first:end])


def _numbers(bits: int) -> Whole:
    """The numbers of the bits that are set, rising."""
    octets = np.frombuffer(bits.to_bytes(bits.bit_length() // 8 + 1, "little"), dtype=np.uint8)
    return np.flatnonzero(np.unpackbits(octets, bitorder="little"))
