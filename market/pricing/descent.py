"""The lines' decisions under fixed order and subsidy offers: depth first in basket order, the cheapest option first. Pure."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from market.pricing.dives import dive
from market.pricing.options import Option
from market.pricing.ranges import Node, OpenLine, Ranges, plus
from market.pricing.setting import Setting
from market.pricing.ties import cannot_win, find_twins, safe_swap


def descend(setting: Setting) -> None:
    """Try every line at its cheapest, then whatever could still be better; the setting's hunt keeps the best."""
    if setting.is_beaten(setting.low):
        return
    dive(setting)
    if not setting.is_beaten(setting.low):
        _Descent(setting).run()


class _Descent:
    def __init__(self, setting: Setting) -> None:
        """Settle the lines with one option that could be in a best plan; the others stay open."""
        self._setting, component = setting, setting.component
        zeros = (0,) * component.atoms
        held = list(zeros)
        for position, fen in component.held.net.items():
            held[component.atom_of[position]] += fen
        start = Node(None, tuple(held), setting.upper_mask, {}, {}, zeros)
        rooms = [_room(setting, atom) for atom in range(component.atoms)]
        self._lines: list[OpenLine] = []
        self._known: dict[int, Option] = {}
        for position in component.positions:
            atom = component.atom_of[position]
            options = self._options(position, rooms[atom])
            if len(options) == 1:
                self._known[position] = options[0]
                start = start.after(setting, atom, options[0])
            else:
                self._lines.append((position, atom, options))
        self._start = start
        self._ranges = Ranges(setting, self._lines, start)
        self._twins = find_twins(setting, self._lines)

    def _options(self, position: int, room: int | None) -> list[Option]:
        """What a line may do: no more than `room` above its cheapest."""
        setting = self._setting
        choice = setting.component.choices.get(position)
        if choice is None:
            list_price = setting.component.held.left.get(position, setting.component.basket[position].list_price)
            return [Option(list_price, list_price, 0, (), ())]
        highest = None if room is None else choice.cheapest(setting.allowed) + room
        options = choice.options(highest, setting.allowed) or choice.options(None, setting.allowed)[:1]
        if choice.complete_to is not None and (highest is None or highest > choice.complete_to):
            left = setting.upper.least(setting.low, setting.high)
            setting.hunt.abandon(setting.hunt.best.payable if left is None else left)
        return options

    def run(self) -> None:
        """Depth first with an explicit stack, so that a basket of any length fits."""
        if not self._lines:
            return
        path = [self._start]
        stack = [self._moves(path)]
        while stack:
            node = next(stack[-1], None)
            if self._setting.hunt.is_spent:
                left, _ = self._ranges.bound(0, self._start, self._ranges.low(0, self._start))
                self._setting.hunt.abandon(left or 0)
                return
            if node is None:
                stack.pop()
                path.pop()
                continue
            path.append(node)
            if len(stack) == len(self._lines):
                self._finish(path)
                path.pop()
            else:
                stack.append(self._moves(path))

    def _finish(self, path: Sequence[Node]) -> None:
        """Work out the plan of a full path."""
        pools = {position: option.pools for position, option in self._all_options(path).items() if option.pools}
        self._setting.hunt.consider(pools, path[-1].mask)

    def _all_options(self, path: Sequence[Node]) -> dict[int, Option]:
        """The option of every line: settled, decided, or the cheapest of an open one."""
        options = dict(self._known)
        for position, _, mine in self._lines[len(path) - 1 :]:
            options[position] = mine[0]
        for (position, _, _), node in zip(self._lines, path[1:], strict=False):
            if node.option:
                options[position] = node.option
        return options

    def _moves(self, path: list[Node]) -> Iterator[Node]:
        """The options of the next line that could still lead to a better plan."""
        setting, hunt, ranges = self._setting, self._setting.hunt, self._ranges
        here, depth = path[-1], len(path)
        _, atom, options = self._lines[depth - 1]
        for option in options[self._first(path) :]:
            if not hunt.step():
                return
            node = here.after(setting, atom, option)
            if not ranges.is_legal(node):
                continue
            low = ranges.low(depth, node)
            if setting.is_monotone and ranges.reach and setting.is_beaten(low):
                return  # without regard to what lines can come to, more net of this line would be beaten too
            left, low = ranges.bound(depth, node, low)
            if left is None:
                continue
            if left > hunt.best.payable:
                if setting.is_monotone and not ranges.reach:
                    return
                continue
            if left == hunt.best.payable and (
                cannot_win(setting, node, low, self._all_options([*path, node])) or not hunt.tie()
            ):
                continue
            yield node

    def _first(self, path: Sequence[Node]) -> int:
        """The first option that thresholds leave possible, and that no swap with an earlier line just like it would better."""
        setting, here, depth = self._setting, path[-1], len(path)
        _, atom, options = self._lines[depth - 1]
        least = 0
        if not setting.limits:
            high = self._ranges.high[depth]
            for variant in setting.upper.variants:
                if variant.is_order and variant.need and atom in variant.atoms:
                    least = max(least, variant.need - sum([here.net[at] + high[at] for at in variant.atoms]))
        twin = self._twins[depth - 1]
        if twin is not None and (option := path[twin + 1].option):
            least = max(least, option.net - safe_swap(setting, atom, option.net))
        return bisect_left(options, least, key=_net_of)


def _room(setting: Setting, atom: int) -> int | None:
    """How far above its least net a line of this atom may be in a best plan; None: as far as it likes."""
    if not setting.is_monotone:
        return None
    least = setting.low[atom]
    step, reach = 1, 0
    while reach + step <= setting.high[atom] - least:
        raised = plus(tuple(setting.low), atom, reach + step)
        if setting.is_beaten(raised):
            return reach + step - 1
        reach += step
        step *= 2
    return None


def _net_of(option: Option) -> int:
    return option.net
