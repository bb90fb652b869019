"""The lines' decisions under fixed order and subsidy offers: depth first in basket order, the cheapest option first. Pure."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from market.kit.money import WHOLE_BP, share_of
from market.pricing.apply import Pool
from market.pricing.bound import Variant, least_left, left_of_line, split_lines
from market.pricing.component import Component
from market.pricing.hunt import Hunt
from market.pricing.options import Option


class Node(NamedTuple):
    """A decided beginning of the lines: the last option, net by atom, offers used, uncapped fen by followed offer, units by counted offer,
    and fen by atom that capped offers took off before any cap.
    """

    option: Option | None
    net: tuple[int, ...]
    mask: int
    raws: Mapping[int, int]
    units: Mapping[int, int]
    lifted: tuple[int, ...]


class Descent:
    """One descent: `variants` are the order and subsidy offers that apply, in order of application; `allowed` the line offers."""

    def __init__(self, component: Component, hunt: Hunt, variants: Sequence[Variant], allowed: int) -> None:
        self.component, self.hunt, self.variants, self.allowed = component, hunt, variants, allowed
        self.split = split_lines(variants)
        self.upper = sum(variant.bit for variant in variants)
        self.limits = {bit: limit for bit, limit in component.limits.items() if bit & allowed}
        self.shares = {bit: use.share_bp for bit, use in component.by_place if bit & allowed and use.share_bp}
        # With a repeated amount more net may leave less; with capped line offers an option's net is no sum.
        self.is_monotone = not self.limits and not any(variant.times_of for variant in variants)

    def run(self, low: Sequence[int], high: Sequence[int]) -> None:
        """Try every line at its cheapest, then whatever could still be better. `low` and `high` bound the net of each atom."""
        if self._is_beaten(low, high):
            return
        self._dive()
        if self._is_beaten(low, high):
            return
        component = self.component
        start = Node(None, (0,) * component.atoms, self.upper, {}, {}, (0,) * component.atoms)
        spare = [self._spare(atom, low, high) for atom in range(component.atoms)]
        self.lines: list[tuple[int, int, list[Option]]] = []
        self.known: dict[int, Option] = {}
        for position in component.positions:
            atom, choice = component.atom_of[position], component.choices.get(position)
            if choice is None:
                list_price = component.basket[position].list_price
                start = start._replace(net=_plus(start.net, atom, list_price))
                self.known[position] = Option(list_price, 0, (), ())
                continue
            room = spare[atom]
            highest = None if room is None else choice.cheapest(self.allowed) + room
            if choice.complete_to is not None and (highest is None or highest > choice.complete_to):
                self.hunt.is_proven = False
            options = choice.options(highest, self.allowed) or choice.options(None, self.allowed)[:1]
            if len(options) == 1:
                self.known[position] = options[0]
                start = self._after(start, atom, options[0])
            else:
                self.lines.append((position, atom, options))
        if self.lines:
            self._prepare()
            self._descend(start)

    def _is_beaten(self, low: Sequence[int], high: Sequence[int]) -> bool:
        left = least_left(self.variants, low, high, self.split)
        return left is None or left > self.hunt.best.payable

    def _dive(self) -> None:
        """The plan with every line at its cheapest, as far as counted units go."""
        component = self.component
        pools: dict[int, tuple[Pool, ...]] = {}
        mask, units = self.upper, dict(component.most_units)
        for position, choice in component.choices.items():
            is_plain = not component.most_units and choice.complete_to is None
            highest = choice.cheapest(self.allowed) if is_plain else None
            for option in choice.options(highest, self.allowed):
                if all(count <= units.get(bit, count) for bit, _, count in option.taken):
                    units |= {bit: units[bit] - count for bit, _, count in option.taken if bit in units}
                    if option.pools:
                        pools[position] = option.pools
                        mask |= option.mask
                    break
        self.hunt.consider(pools, mask)

    def _spare(self, atom: int, low: Sequence[int], high: Sequence[int]) -> int | None:
        """How far above its least net a line of this atom may be in a best plan; None: as far as it likes."""
        room = high[atom] - low[atom]
        if not self.is_monotone:
            return None
        step, reach, raised = 1, 0, list(low)
        while reach + step <= room:
            raised[atom] = low[atom] + reach + step
            if self._is_beaten(raised, high):
                return reach + step - 1
            reach += step
            step *= 2
        return None

    def _prepare(self) -> None:
        """What the lines from each depth on add at least and at most, by atom; and by capped offer, their fen before the cap."""
        atoms = self.component.atoms
        self.rest_low = [(0,) * atoms]
        self.rest_high = [(0,) * atoms]
        self.rest_plain = [(0,) * atoms]
        self.rest_raws: list[dict[int, int]] = [dict.fromkeys(self.limits, 0)]
        for _, atom, options in reversed(self.lines):
            self.rest_low.append(_plus(self.rest_low[-1], atom, options[0].net))
            self.rest_high.append(_plus(self.rest_high[-1], atom, options[-1].net))
            if self.limits:
                plain = next(option.net for option in options if not option.mask & self.component.linked)
                self.rest_plain.append(_plus(self.rest_plain[-1], atom, plain))
                raws = dict(self.rest_raws[-1])
                for bit in raws:
                    raws[bit] += max((fen for option in options for at, fen, _ in option.taken if at == bit), default=0)
                self.rest_raws.append(raws)
        for rest in (self.rest_low, self.rest_high, self.rest_plain):
            rest.reverse()
        self.rest_raws.reverse()

    def _descend(self, start: Node) -> None:
        """Depth first with an explicit stack, so that a basket of any length fits."""
        path = [start]
        stack = [self._moves(0, path)]
        last = len(self.lines)
        while stack:
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
                path.pop()
                continue
            path.append(node)
            if len(stack) == last:
                self._finish(path)
                path.pop()
            else:
                stack.append(self._moves(len(stack), path))

    def _finish(self, path: Sequence[Node]) -> None:
        """Work out the plan of a full path."""
        pools = {position: option.pools for position, option in self.known.items() if option.pools}
        for (position, _, _), node in zip(self.lines, path[1:], strict=True):
            if node.option and node.option.pools:
                pools[position] = node.option.pools
        self.hunt.consider(pools, path[-1].mask)

    def _moves(self, depth: int, path: list[Node]) -> Iterator[Node]:
        """The options of one line that could still lead to a better plan."""
        here = path[-1]
        _, atom, options = self.lines[depth]
        rest_high = self.rest_high[depth + 1]
        first = 0
        for variant in self.variants:
            if variant.is_order and variant.need and atom in variant.atoms and not self.limits:
                missing = variant.need - sum([here.net[at] + rest_high[at] for at in variant.atoms])
                if missing > options[first].net:
                    first = bisect_left(options, missing, lo=first, key=_net_of)
                    if first == len(options):
                        return
        for option in options[first:]:
            if not self.hunt.step():
                return
            node = self._after(here, atom, option)
            if any(count > self.component.most_units[bit] for bit, count in node.units.items()):
                continue
            low = self._low(depth + 1, node)
            high = [net + more for net, more in zip(node.net, rest_high, strict=True)]
            if self.limits:
                high = [net + more for net, more in zip(high, node.lifted, strict=True)]
            left = least_left(self.variants, low, high, self.split)
            if left is None:
                continue
            if left > self.hunt.best.payable:
                if self.is_monotone:
                    return
                continue
            if left == self.hunt.best.payable and self._cannot_win(depth + 1, [*path, node], low):
                continue
            yield node

    def _after(self, node: Node, atom: int, option: Option) -> Node:
        """The node that one more decided line leads to."""
        raws, units, lifted = node.raws, node.units, node.lifted
        for bit, fen, count in option.taken:
            if bit in self.limits or bit in self.shares:
                raws = {**raws, bit: raws.get(bit, 0) + fen}
                if bit in self.limits:
                    lifted = _plus(lifted, atom, fen)
            if bit in self.component.most_units:
                units = {**units, bit: units.get(bit, 0) + count}
        return Node(option, _plus(node.net, atom, option.net), node.mask | option.mask, raws, units, lifted)

    def _low(self, depth: int, node: Node) -> list[int]:
        """The least net of each atom: no line below its cheapest, and no capped offer above its cap."""
        low = [net + more for net, more in zip(node.net, self.rest_low[depth], strict=True)]
        if not self.limits or self.component.is_linked_stack:
            return low
        rest = self.rest_raws[depth]
        most = sum([min(limit, node.raws.get(bit, 0) + rest[bit]) for bit, limit in self.limits.items()])
        plain = zip(node.net, node.lifted, self.rest_plain[depth], strict=True)
        return [max(least, net + lifted + more - most) for least, (net, lifted, more) in zip(low, plain, strict=True)]

    def _cannot_win(self, depth: int, path: Sequence[Node], low: Sequence[int]) -> bool:
        """Among plans that pay as little as the best: whether sponsor cost, offers, ids or earlier lines already rule this one out."""
        best, node = self.hunt.best, path[-1]
        sponsor = self._least_sponsor(node, low)
        count, most = node.mask.bit_count(), best.mask.bit_count()
        if sponsor != best.sponsor:
            return sponsor > best.sponsor
        if count != most:
            return count > most
        if node.mask != best.mask:
            differing = node.mask ^ best.mask
            return not differing & -differing & node.mask
        if self.component.is_linked_stack or any(len(variant.atoms) > 1 for variant in self.variants):
            return False
        return self._pays_later(depth, path, low)

    def _least_sponsor(self, node: Node, low: Sequence[int]) -> int:
        """No plan below this node that pays as little as the best costs the sponsor less."""
        sponsor = 0
        for bit, share in self.shares.items():
            fen = node.raws.get(bit, 0)
            sponsor += share_of(min(fen, self.limits.get(bit, fen)), share)
        shares = [variant.use.share_bp for variant in self.variants]
        if shares and min(shares):
            off = max(0, sum(low) - self.hunt.best.payable)
            sponsor += (
                share_of(off, shares[0]) if len(shares) == 1 else max(0, off * min(shares) // WHOLE_BP - len(shares))
            )
        return sponsor

    def _pays_later(self, depth: int, path: Sequence[Node], low: Sequence[int]) -> bool:
        """Whether, line by line in basket order, this one pays more than the best at the first difference, or can pay nothing less."""
        node = path[-1]
        decided = {position: step.option for (position, _, _), step in zip(self.lines, path[1:], strict=False)}
        undecided = {position: options[0] for position, _, options in self.lines[depth:]}
        options = {**self.known, **decided, **undecided}
        for position, best in zip(self.component.positions, self.hunt.best.net, strict=True):
            option = options[position]
            assert option is not None  # noqa: S101
            net = option.net
            if position not in undecided:
                for bit, fen, _ in option.taken:
                    if bit in self.limits and node.raws[bit] > self.limits[bit]:
                        net += fen - min(fen, self.limits[bit] * fen // node.raws[bit] + 1)
            paid = left_of_line(self.variants, low, self.component.atom_of[position], net)
            if paid != best:
                return paid > best
        return True


def _net_of(option: Option) -> int:
    return option.net


def _plus(sums: tuple[int, ...], at: int, fen: int) -> tuple[int, ...]:
    """The sums with one of them raised."""
    if len(sums) == 1:
        return (sums[0] + fen,)
    return (*sums[:at], sums[at] + fen, *sums[at + 1 :])
