"""The lines of a component in the order in which the programme over sums decides them, and what begins and ends to matter with each. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from market.pricing.apply import Use
from market.pricing.component import Component
from market.pricing.links import Slot, bits_of
from market.pricing.ways import Way, Ways


@dataclass(slots=True)
class Stage:
    """One line in the order of the programme, with the least sum up to it, fixed lines of its part among them.

    `opening` are slots that it is the first line of, `closing` the bits and `closing_slots` the slots that no later line concerns;
    `relevant` are all offers that matter to it when in use.
    `filled` are the components of bundles that no later line fills, as (slot, component, the component of that bundle filled first).
    """

    position: int
    ways: list[Way]
    least: int = 0
    opening: tuple[int, ...] = ()
    closing: int = 0
    closing_slots: tuple[int, ...] = ()
    boundary: int | None = None
    filled: tuple[tuple[int, int, int], ...] = ()
    relevant: int = 0


class Layout(Ways):
    """The lines as stages. Lines that nothing is to be decided about are none (`fixed`): they begin every plan."""

    def __init__(
        self,
        component: Component,
        part_of: Mapping[int, int],
        grouped: Sequence[Use],
        noted: Mapping[int, Use] = MappingProxyType({}),
    ) -> None:
        super().__init__(component, part_of, grouped, noted)
        self.fixed: dict[int, Way] = {}
        self.stages = self._stages()

    def _stages(self) -> list[Stage]:
        """The lines in order: a part that a threshold looks at before what surrounds it, lines that share offers next to each other."""
        concerns = {
            position: sum([bit for bit, lines in self.lines_of.items() if position in lines and bit & self.tracked])
            for position in self.component.positions
        }
        stages = self._order(concerns)
        self._open_and_close(stages, concerns)
        for stage in stages:
            stage.relevant = concerns[stage.position]
            for way in stage.ways:
                stage.relevant |= way.tracked | way.clash
        for at, slot in enumerate(self.slots):
            if slot.holds:
                order = [stage.position for stage in stages]
                same = {(number, position): number for number in range(len(slot.holds)) for position in order}
                self.slots[at] = replace(slot, same=same if self.stays(slot) else self._alike(slot, order))
        return stages

    def _order(self, concerns: Mapping[int, int]) -> list[Stage]:
        """The lines in the order in which they are decided. `concerns` are the tracked offers of each line."""
        blocks: list[list[int]] = []
        in_block: set[int] = set()
        for slot in self.slots:
            if slot.kind == "turn":
                block = sorted(slot.use.lines, key=lambda at: -self.component.basket[at].unit_price)
                blocks.append(block)
                in_block.update(block)
        blocks += [[position] for position in self.component.positions if position not in in_block]
        plain = [
            position for position in self.component.positions if position not in in_block and not concerns[position]
        ]
        stages: list[Stage] = []
        for part in sorted(set(self.part_of.values())):
            rest = [block for block in blocks if self.part_of[block[0]] == part and concerns[block[0]]]
            mine = [at for at in plain if self.part_of[at] == part]
            fixed = [at for at in mine if len(self.ways[at]) == 1 and at not in self.noted]
            if len(fixed) == len(mine) and not rest:
                fixed.pop()  # each part ends with a stage
            self.fixed |= {at: self.ways[at][0] for at in fixed}
            stages += [Stage(at, self.ways[at]) for at in mine if at not in fixed]
            ahead, turns = 0, {block[0]: self._turn(block) for block in rest}
            while rest:
                block = min(rest, key=lambda block: (turns[block[0]], *self._effort(block, rest, ahead, concerns)))
                rest.remove(block)
                for position in block:
                    stages.append(Stage(position, self.ways[position]))
                    ahead |= concerns[position]
            stages[-1].boundary = part
        return stages

    def _open_and_close(self, stages: Sequence[Stage], concerns: Mapping[int, int]) -> None:
        """Note with each line the least sum up to it, and what begins and ends to matter."""
        total = 0
        first_of_slot: dict[int, int] = {}
        for depth, stage in enumerate(stages):
            total += self.least_of[stage.position]
            fixed = [at for at in self.fixed if self.part_of[at] <= self.part_of[stage.position]]
            stage.least = total + sum([self.least_of[at] for at in fixed])
            for at, slot in enumerate(self.slots):
                if slot.holds and stage.position in self.lines_of[slot.bit] and at not in first_of_slot:
                    first_of_slot[at] = depth
                    stage.opening += (at,)
        self._close_after(stages, concerns)

    def _close_after(self, stages: Sequence[Stage], concerns: Mapping[int, int]) -> None:
        """Note with each line the offers and slots that no later line concerns."""
        last_of_bit: dict[int, int] = {}
        last_of_slot: dict[int, int] = {}
        for depth, stage in enumerate(stages):
            for bit in bits_of(concerns[stage.position]):
                for one in bits_of(bit | self.rivals.get(bit, 0)):
                    last_of_bit[one] = depth
            for at, slot in enumerate(self.slots):
                if not self.stays(slot) and self.concerns(slot, stage.position):
                    last_of_slot[at] = depth
        for bit, depth in last_of_bit.items():
            stages[depth].closing |= bit
        for at, depth in last_of_slot.items():
            stages[depth].closing_slots += (at,)
        place_of = {stage.position: depth for depth, stage in enumerate(stages)}
        for at, slot in enumerate(self.slots):
            ends = [max(place_of[line] for line in lines) for _, lines in slot.use.slots] if slot.kind == "sets" else []
            for part, depth in enumerate(ends):
                stages[depth].filled += ((at, part, ends.index(min(ends))),)

    def _turn(self, block: Sequence[int]) -> int:
        """Lines of whole groups come first, while sums are few; where a group reaches into a surrounding part, last of the inner one."""
        turn = 1
        for slot in self.slots:
            if slot.kind in ("hold", "turn", "sets") and any(position in slot.use.lines for position in block):
                parts = {self.part_of[position] for position in slot.use.lines}
                here = self.part_of[block[0]]
                turn = 0 if here == max(parts) else 2
        return turn

    @staticmethod
    def _effort(
        block: Sequence[int], rest: Sequence[Sequence[int]], ahead: int, concerns: Mapping[int, int]
    ) -> tuple[int, int, int]:
        """How many offers taking these lines next would keep open."""
        mine = 0
        for position in block:
            mine |= concerns[position]
        later = 0
        for other in rest:
            if other is not block:
                for position in other:
                    later |= concerns[position]
        return (((ahead | mine) & later).bit_count(), -mine.bit_count(), block[0])

    @staticmethod
    def _alike(slot: Slot, order: Sequence[int]) -> dict[tuple[int, int], int]:
        """From each line on, the holds that differ in nothing any more count as one."""
        same: dict[tuple[int, int], int] = {}
        for depth in range(len(order)):
            first: dict[object, int] = {}
            for number, hold in enumerate(slot.holds):
                if hold is None:
                    same[number, order[depth]] = 0
                    continue
                ahead = [(at, hold.units.get(at, 0), hold.shares.get(at, 0)) for at in order[depth + 1 :]]
                name = tuple(row for row in ahead if row[1])
                same[number, order[depth]] = first.setdefault(name, number)
        return same
