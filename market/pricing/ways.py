"""The lines of a component laid out for the programme over sums: the ways of each line, what links lines, and their order. Pure.

Raises NotModelled for what sums cannot tell: caps over several lines of sponsored offers, offers whose base depends on how the amount of
another is shared, too many ways or states.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import gcd
from types import MappingProxyType
from typing import Final, NamedTuple

from market.kit.money import WHOLE_BP, share_of
from market.pricing.apply import Use
from market.pricing.component import Component
from market.pricing.groups import MOST_UNITS, Hold, find_holds
from market.pricing.kinds import Kind
from market.pricing.options import Option
from market.pricing.terminal import NotModelled

LIVE: Final = 1 << 60  # no cost is as large
MOST_HOLDS: Final = 64
MOST_LISTED: Final = 3_000  # ways of one line, before those are left out that another is never worse than
MOST_WAYS: Final = 4_000  # of all lines
MOST_LINES: Final = 120
MOST_PERIOD: Final = 4


class Way(NamedTuple):
    """One way of one line: net above the line's least, cost without offers on other lines, tracked offers, and the option itself.

    `clash` are tracked offers of the same groups as its own.

    `held` are units by slot of an offer of whole groups; `taken` fen or units by slot of a followed offer.
    """

    more: int
    cost: int
    tracked: int
    held: tuple[tuple[int, int], ...]
    taken: tuple[tuple[int, int], ...]
    option: Option
    clash: int = 0


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


@dataclass(frozen=True, slots=True)
class Slot:
    """What must be remembered of one offer between its lines."""

    kind: str  # "residue", "cap", "count", "turn", "sets", "hold" or "note"
    use: Use
    bit: int
    holds: tuple[Hold | None, ...] = ()
    # (hold, line) -> the hold that is alike from there on
    same: Mapping[tuple[int, int], int] = field(default_factory=dict)
    most: int = 0  # sets of a bundle, or the number of nets of a noted line
    position: int = -1  # of a note, the line whose net is remembered to the end
    counts: tuple[
        tuple[int, int], ...
    ] = ()  # of sets, where the units of each component are counted: first bit and mask


class Layout:
    """The lines of a component. `part_of` numbers the parts that thresholds look at, innermost first.

    Line offers that are not `component.free` are allowed in some settings only; they are tracked, so that ways with them can be left out.
    """

    def __init__(
        self,
        component: Component,
        part_of: Mapping[int, int],
        grouped: Sequence[Use],
        noted: Mapping[int, Use] = MappingProxyType({}),
    ) -> None:
        """`noted` are lines whose net after the line stage is remembered to the end, each with an offer that looks at it."""
        self.component, self.part_of, self.noted = component, part_of, noted
        self.allowed = component.free
        for item in component.items:
            for _, mask in item.ways:
                self.allowed |= mask
        self.bit_of = {use.index: bit for bit, use in component.by_place}
        mine = [bit for bit, _ in component.by_place if bit & self.allowed] + [
            self.bit_of[use.index] for use in grouped
        ]
        self.ranks = {bit: rank for rank, bit in enumerate(sorted(mine), 1)}
        # Below the sponsor's fen: the weights of all these offers together.
        self.cost_bits = len(mine) + len(mine).bit_length()
        sponsored = sum(use.most for bit, use in component.by_place if use.share_bp)
        if (sponsored + 1) << self.cost_bits >= LIVE:
            raise NotModelled("a cost beyond what an array holds")
        self.grouped = grouped
        if len(component.positions) > MOST_LINES:
            raise NotModelled("too many lines")
        self.slots: list[Slot] = []
        self.least = self.listed = 0
        # What offers of whole groups take is counted when they take it: until then sums are that much higher.
        self.shift = sum(use.most for use in grouped)
        self.least_of: dict[int, int] = {}
        self.component_list = sum(component.basket[position].list_price for position in component.positions)
        self._check_offers()
        self._followed = {slot.bit: at for at, slot in enumerate(self.slots) if slot.kind in ("residue", "cap")}
        self._counted = {slot.bit: at for at, slot in enumerate(self.slots) if slot.kind == "count"}
        self._use_of = dict(component.by_place)
        self.ways = {position: self._ways(position) for position in component.positions}
        self.nets_of: dict[int, list[int]] = {}
        for position, use in noted.items():
            self._note(position, use)
        # Lines that nothing is to be decided about are no stages; they begin every plan.
        self.fixed: dict[int, Way] = {}
        self.stages = self._stages()

    def _note(self, position: int, use: Use) -> None:
        """Remember the net of a line."""
        if any(slot.kind == "cap" and self.concerns(slot, position) for slot in self.slots):
            raise NotModelled("a noted line whose net depends on others")
        self.nets_of[position] = sorted({way.more for way in self.ways[position]})
        self.slots.append(Slot("note", use, 0, most=len(self.nets_of[position]), position=position))

    def stays(self, slot: Slot) -> bool:
        """Whether a slot is remembered to the end: for the net of a noted line."""
        return slot.kind == "note" or (
            slot.kind == "hold" and not self.noted.keys().isdisjoint(self.lines_of[slot.bit])
        )

    def concerns(self, slot: Slot, position: int) -> bool:
        """Whether a line may change a slot."""
        return position == slot.position if slot.kind == "note" else position in self.lines_of[slot.bit]

    def weight(self, bit: int) -> int:
        """Cost of using one more offer: counts first, and of equal counts the smaller ids are better."""
        places = len(self.ranks)
        return (1 << places) - (1 << (places - self.ranks[bit]))

    def _check_offers(self) -> None:
        """Line offers over several lines must be free of caps in fen; the state of each goes into a slot."""
        component = self.component
        self.lines_of = self._find_lines()
        by_bit = dict(component.by_place)
        groups: dict[str, int] = {}
        self.tracked = self.allowed & ~component.free
        for bit, lines in self.lines_of.items():
            use = by_bit[bit]
            if len(lines) > 1:
                self.tracked |= bit
                self._follow(use, bit, lines)
            if bit in component.most_units:
                self.slots.append(Slot("count", use, bit))
                self.tracked |= bit
            if use.offer.group is not None:
                groups[use.offer.group] = groups.get(use.offer.group, 0) | bit
        self.rivals: dict[int, int] = {}
        self._clashes: dict[int, int] = {}
        for members in groups.values():
            if members.bit_count() > 1:
                self.tracked |= members
                self.rivals |= {bit: members & ~bit for bit in bits_of(members)}
        for use in self.grouped:
            self._hold(use)

    def _find_lines(self) -> dict[int, set[int]]:
        """The lines of each allowed line offer, by its bit."""
        lines_of: dict[int, set[int]] = {}
        for position, choice in self.component.choices.items():
            if choice.complete_to is not None:
                raise NotModelled("too many ways of one line")
            for bit in choice.bits:
                if bit & self.allowed:
                    lines_of.setdefault(bit, set()).add(position)
        return lines_of

    def _follow(self, use: Use, bit: int, lines: set[int]) -> None:
        """What must be known of an offer over several lines: how much of its cap is used, and what rounding of the sponsor's part is left."""
        if use.ceiling is not None and use.ceiling < use.gross_most:
            if len({self.part_of[position] for position in lines}) > 1 or use.share_bp % WHOLE_BP:
                raise NotModelled("a cap over several parts or payers")
            self.slots.append(Slot("cap", use, bit))
        elif use.share_bp % WHOLE_BP:
            period = period_of(use.share_bp)
            if period > MOST_PERIOD:
                raise NotModelled("a sponsor's share of many roundings")
            self.slots.append(Slot("residue", use, bit))

    def _most_sets(self, use: Use) -> int:
        """No plan has more sets of a bundle."""
        return min(sum(self.component.basket[position].qty for position in lines) // qty for qty, lines in use.slots)

    def _hold(self, use: Use) -> None:
        """A bundle or a buy-x-get-y: by its turns where only sums matter, else by every way in which it may hold units."""
        offer, basket, bit = use.offer, self.component.basket, self.bit_of[use.index]
        if offer.group is not None:
            raise NotModelled("a group of an offer of whole groups")
        self.tracked |= bit
        self.lines_of[bit] = set(use.lines) if not use.slots else {at for _, lines in use.slots for at in lines}
        parts = {self.part_of[position] for position in self.lines_of[bit]}
        is_free = use.ceiling is None and offer.max_units is None and not use.share_bp % WHOLE_BP
        prices = [basket[position].unit_price for position in use.lines]
        # What a noted line gives is known only of a certain way to hold units.
        is_noted = not self.noted.keys().isdisjoint(self.lines_of[bit])
        taken_by_turns = any(slot.kind == "turn" and set(slot.use.lines) & set(use.lines) for slot in self.slots)
        if (
            offer.kind is Kind.BUY_X_GET_Y
            and len(parts) == 1
            and is_free
            and not is_noted
            and not taken_by_turns
            and share_of(min(prices), offer.get_rate_bp)
        ):
            self.slots.append(Slot("turn", use, bit))
            return
        fills = [set(lines) for _, lines in use.slots]
        if (
            offer.kind is Kind.BUNDLE
            and is_free
            and not is_noted
            and len(parts) == 1
            and sum(map(len, fills)) == len(set().union(*fills))
        ):
            most = self._most_sets(use)
            self.slots.append(Slot("sets", use, bit, most=most, counts=_places(most * qty for qty, _ in use.slots)))
            self.shift += offer.price * most
            return
        budget = [4000]
        holds: list[Hold | None] = [None]
        for hold in find_holds(use, basket, budget):
            holds.append(hold)
            if len(holds) > MOST_HOLDS:
                break
        if budget[0] < 0 or len(holds) > MOST_HOLDS:
            raise NotModelled("too many ways to hold units")
        self.slots.append(Slot("hold", use, bit, tuple(holds)))

    def _ways(self, position: int) -> list[Way]:
        """Every way of one line, with the units that offers of whole groups hold of it."""
        component, line = self.component, self.component.basket[position]
        if line.qty > MOST_UNITS:
            raise NotModelled("too many units of one line")
        holders = [(at, slot) for at, slot in enumerate(self.slots) if slot.kind in ("hold", "turn", "sets")]
        holders = [(at, slot) for at, slot in holders if position in slot.use.lines]
        found: list[tuple[int, tuple[tuple[int, int], ...], Option]] = []
        for held in _helds(holders, position, line.qty):
            units = line.qty - sum(count for _, count in held)
            choice = component.choices.get(position)
            if units and choice is not None:
                options = (choice if units == line.qty else choice.of_fewer(units)).options(None, self.allowed)
            else:
                options = [Option(line.unit_price * units, line.unit_price * units, 0, (), ())]
            found += [(option.net + line.unit_price * (line.qty - units), held, option) for option in options]
            if len(found) > MOST_LISTED:
                raise NotModelled("too many ways of one line")
        made = [self._way(net, held, option) for net, held, option in found]
        if self.rivals:
            # On one line, too, offers of one group do not stand together.
            made = [way for way in made if not way.tracked & self._clash(way.tracked)]
        ways = _undominated(made)
        self.listed += len(ways)
        if self.listed > MOST_WAYS:
            raise NotModelled("too many ways of all lines")
        least = min(way.more for way in ways)
        self.least_of[position] = least
        self.least += least
        return [
            Way(net - least, cost, tracked, held, taken, option, self._clash(tracked))
            for net, cost, tracked, held, taken, option, _ in ways
        ]

    def _clash(self, tracked: int) -> int:
        """The offers that may not stand beside any of these."""
        clash = self._clashes.get(tracked)
        if clash is None:
            clash = 0
            for bit in bits_of(tracked) if self.rivals else ():
                clash |= self.rivals.get(bit, 0)
            self._clashes[tracked] = clash
        return clash

    def _way(self, net: int, held: tuple[tuple[int, int], ...], option: Option) -> Way:
        """One way with its cost."""
        cost, tracked, taken = 0, 0, []
        followed, counts = self._followed, self._counted
        for bit, fen, units in option.taken:
            use = self._use_of[bit]
            amount = fen
            if not bit & self.tracked or len(self.lines_of[bit]) == 1:
                cap = use.ceiling if use.ceiling is not None else fen
                if fen > cap:
                    if len(option.taken) > 1:
                        raise NotModelled("a cap on a unit with several offers")
                    amount = cap
                net += fen - amount
            if bit in followed:
                taken.append((followed[bit], amount))
                if len(option.taken) > 1 and self.slots[followed[bit]].kind == "cap":
                    raise NotModelled("a cap on a unit with several offers")
            else:
                cost += share_of(amount, use.share_bp) << self.cost_bits
            if bit in counts:
                taken.append((counts[bit], units))
            if bit & self.tracked:
                tracked |= bit
            else:
                cost += self.weight(bit)
        return Way(net, cost, tracked, held, tuple(taken), option)

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


def _places(most: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """For numbers up to these, first bits and masks side by side."""
    found, place = [], 0
    for number in most:
        found.append((place, (1 << number.bit_length()) - 1))
        place += number.bit_length()
    return tuple(found)


def _undominated(ways: Sequence[Way]) -> list[Way]:
    """Of ways that leave the same and touch the same slots, those that need not more offers and cost not more than another."""
    rising = sorted(ways, key=_by_cost)
    groups: dict[object, list[Way]] = {}
    for way in rising:
        groups.setdefault((way.more, way.held, way.taken), []).append(way)
    if len(groups) == len(ways):
        return rising
    return [way for alike in groups.values() for way in (_least(alike) if len(alike) > 1 else alike)]


def _by_cost(way: Way) -> tuple[int, int, int]:
    return way.cost, way.tracked.bit_count(), way.tracked


def _least(alike: Sequence[Way]) -> list[Way]:
    """Of ways by rising cost that differ in cost and offers alone those that need not more offers and cost not more than another."""
    kept: list[Way] = []
    for way in alike:
        if not any(not other.tracked & ~way.tracked for other in kept):
            kept.append(way)
    return kept


def _helds(holders: Sequence[tuple[int, Slot]], position: int, qty: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Every way to give units of one line to offers of whole groups, as (slot, units)."""
    if not holders:
        yield ()
        return
    (at, slot), *rest = holders
    if slot.kind == "hold":
        counts = sorted({hold.units.get(position, 0) if hold else 0 for hold in slot.holds})
    elif slot.kind == "sets":
        # More than the sets take would not fit into the bits in which they are counted.
        part = part_of(slot.use, position)
        counts = list(range(min(qty, 0 if part is None else slot.most * slot.use.slots[part][0]) + 1))
    else:
        counts = list(range(qty + 1))
    for count in counts:
        if count <= qty:
            for others in _helds(rest, position, qty - count):
                yield ((at, count), *others) if count else others


def part_of(use: Use, position: int) -> int | None:
    """The component of a bundle that a line may fill, of components that share no line; None if none."""
    return next((rank for rank, (_, lines) in enumerate(use.slots) if position in lines), None)


def period_of(share_bp: int) -> int:
    """After so many fen the rounding of a share repeats."""
    return WHOLE_BP // gcd(share_bp, WHOLE_BP)


def bits_of(mask: int) -> Iterator[int]:
    """The single bits of a mask."""
    while mask:
        bit = mask & -mask
        yield bit
        mask ^= bit
