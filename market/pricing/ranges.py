"""What the lines that are still undecided can come to, and so the least that can be paid below a node of the descent. Pure."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Final, NamedTuple

from market.pricing.options import Option
from market.pricing.setting import Setting

MOST_SUMS: Final = 200_000  # listing more sums of lines costs more than it saves

# A line to decide: its position, its atom, its options by rising net.
OpenLine = tuple[int, int, list[Option]]


class Node(NamedTuple):
    """A decided beginning of the lines. `raws` are uncapped fen of followed offers and `units` of counted ones, by bit.

    `lifted` are fen by atom that would come back if capped offers took nothing.
    """

    option: Option | None
    net: tuple[int, ...]
    mask: int
    raws: Mapping[int, int]
    units: Mapping[int, int]
    lifted: tuple[int, ...]

    def after(self, setting: Setting, atom: int, option: Option) -> "Node":
        """The node that one more decided line leads to."""
        raws, units, lifted = self.raws, self.units, self.lifted
        for bit, fen, count in option.taken:
            if bit in setting.limits or bit in setting.shares or bit in setting.component.refusals:
                raws = {**raws, bit: raws.get(bit, 0) + fen}
            if bit in setting.component.most_units:
                units = {**units, bit: units.get(bit, 0) + count}
        if option.plain != option.net:
            lifted = plus(lifted, atom, option.plain - option.net)
        return Node(option, plus(self.net, atom, option.net), self.mask | option.mask, raws, units, lifted)


class Ranges:
    """Sums over the lines from each depth on: least and most net, least net without capped offers, and most by capped offer."""

    def __init__(self, setting: Setting, lines: Sequence[OpenLine], start: Node) -> None:
        self._setting, self._lines = setting, lines
        atoms = setting.component.atoms
        low, high, plain = [(0,) * atoms], [(0,) * atoms], [(0,) * atoms]
        raws = [dict.fromkeys(setting.limits, 0)]
        masks = [0]
        for _, atom, options in reversed(lines):
            low.append(plus(low[-1], atom, options[0].net))
            high.append(plus(high[-1], atom, options[-1].net))
            if setting.limits:
                free = next(option.net for option in options if not option.mask & setting.component.linked)
                plain.append(plus(plain[-1], atom, free))
                raws.append({bit: fen + _most_of(options, bit) for bit, fen in raws[-1].items()})
                masks.append(reduce(or_, [option.mask for option in options], masks[-1]))
        self._low, self.high, self._plain, self._raws, self._masks = (
            low[::-1],
            high[::-1],
            plain[::-1],
            raws[::-1],
            masks[::-1],
        )
        self.reach = {
            rank: self._sums_of(variant.atoms)
            for rank, variant in enumerate(setting.upper.variants)
            if variant.is_order
            and not setting.limits
            and variant.need > sum([start.net[atom] + self._low[0][atom] for atom in variant.atoms])
        }

    def is_legal(self, node: Node) -> bool:
        """Whether no counted offer has too many units already, and none that a short budget shuts out too large an amount."""
        component = self._setting.component
        if any(count > component.most_units[bit] for bit, count in node.units.items()):
            return False
        return all(node.raws.get(bit, 0) - component.slack <= most for bit, most in component.refusals.items())

    def low(self, depth: int, node: Node) -> list[int]:
        """The least net of each atom: no line below its cheapest, and no capped offer above its cap."""
        setting = self._setting
        low = [net + more for net, more in zip(node.net, self._low[depth], strict=True)]
        if not setting.limits:
            return low
        slack = setting.component.slack
        if slack:
            # A capped offer that takes less leaves the others on its units more to take than they have uncapped.
            mask = node.mask | self._masks[depth]
            most = sum([limit for bit, limit in setting.limits.items() if bit & mask])
        else:
            rest = self._raws[depth]
            most = sum([min(limit, node.raws.get(bit, 0) + rest[bit]) for bit, limit in setting.limits.items()])
        plain = zip(node.net, node.lifted, self._plain[depth], strict=True)
        least = [max(least, net + lifted + more - most) for least, (net, lifted, more) in zip(low, plain, strict=True)]
        return [max(0, fen - slack) for fen in least] if slack else least

    def bound(self, depth: int, node: Node, low: list[int]) -> tuple[int | None, list[int]]:
        """The least that could be paid below a node (None: no plan is there), and the least net of each atom in such a plan."""
        if self._setting.component.held.is_loose:
            return 0, low
        upper = self._setting.upper
        slack = self._setting.component.slack
        high = [
            net + more + back + slack for net, more, back in zip(node.net, self.high[depth], node.lifted, strict=True)
        ]
        if not self.reach:
            return upper.least(low, high), low
        needs = self._needs(depth, node)
        return (None, low) if needs is None else (upper.least(low, high, needs), upper.raised(low, needs))

    def _needs(self, depth: int, node: Node) -> list[int] | None:
        """The thresholds as what the lines can really come to: the least sums that reach them. None if one cannot be reached."""
        needs = [variant.need for variant in self._setting.upper.variants]
        for rank, from_depth in self.reach.items():
            sums = from_depth[depth]
            if sums is not None:
                have = sum([node.net[atom] for atom in self._setting.upper.variants[rank].atoms])
                place = bisect_left(sums, needs[rank] - have)
                if place == len(sums):
                    return None
                if place:
                    needs[rank] = have + sums[place]
        return needs

    def _sums_of(self, atoms: tuple[int, ...]) -> list[list[int] | None]:
        """Every sum, rising, that the lines of these atoms from each depth on can come to; None where there are too many."""
        sums: list[int] | None = [0]
        from_depth = [sums]
        for _, atom, options in reversed(self._lines):
            if sums is not None and atom in atoms:
                nets = {option.net for option in options}
                is_short = len(nets) * len(sums) <= MOST_SUMS
                sums = sorted({net + rest for net in nets for rest in sums}) if is_short else None
            from_depth.append(sums)
        return from_depth[::-1]


def plus(sums: tuple[int, ...], at: int, fen: int) -> tuple[int, ...]:
    """The sums with one of them raised."""
    if len(sums) == 1:
        return (sums[0] + fen,)
    return (*sums[:at], sums[at] + fen, *sums[at + 1 :])


def _most_of(options: Sequence[Option], bit: int) -> int:
    """The most an offer takes in any of these options, before any cap."""
    return max((fen for option in options for at, fen, _ in option.taken if at == bit), default=0)
