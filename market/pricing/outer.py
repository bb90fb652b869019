"""The outer decisions of a component: order and subsidy offers, tier by tier, and which offer of each group may be used. Pure."""

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import count

from market.pricing.bound import Upper
from market.pricing.component import Component, Item, Way
from market.pricing.descent import descend
from market.pricing.dives import dive
from market.pricing.hunt import Found, Hunt
from market.pricing.setting import Setting
from market.pricing.sums import Look, Solver

LOOK_NODES = 50  # what a look at the lines sum by sum is worth
FEW_ITEMS = 2  # so few outer decisions are simply tried
CLIMBS = 3


class Outer:
    """The outer decisions of one component: order and subsidy offers, tier by tier, and who of each group."""

    def __init__(self, component: Component, nodes: list[int], best: Found | None = None) -> None:
        self.component, self.hunt = component, Hunt(component, nodes, best)
        self._known: dict[int, tuple[list[int], list[int]]] = {}
        self._solver: Solver | None = None

    def least(self, solver: Solver | None = None) -> int | None:
        """No plan of this component pays less; None if there is none. Raises NotModelled with a solver."""
        self._solver = solver
        return self._bound([], self.component.items)

    def run_best_first(self, solver: Solver) -> None:
        """Decide the items where least could be paid first, then the lines sum by sum, until nothing that is left can win."""
        # What changes which sums there are comes first: what is left then moves no bound but by its own amount.
        items, hunt, order = sorted(self.component.items, key=_counts_as_open), self.hunt, count()
        # A bound, and what it is a bound of: ways of the first items, or of all of them a look at the lines, which knows what they pay.
        heap: list[tuple[int, int, int, list[Way] | Look]] = [(0, 0, next(order), [])]
        while heap:
            left, _, _, what = heappop(heap)
            if left > hunt.best.payable:
                return
            is_open = isinstance(what, list) and len(what) < len(items)
            if not hunt.step(1 if is_open else LOOK_NODES):
                hunt.abandon(left)
                return
            if not isinstance(what, list) or not is_open:
                look = solver.look(self._setting(what)) if isinstance(what, list) else what
                if look.is_known:
                    if not look.settle(left):
                        heappush(heap, (left, -len(items), next(order), look))
                elif (further := look.go_on(left)) is not None:
                    heappush(heap, (further, -len(items) - look.is_known, next(order), look))
                continue
            for way in items[len(what)].ways:
                path = [*what, way]
                # To decide what counted as decided so changes no bound.
                is_as_open = bool(what) and _counts_as_open(items[len(what)]) and way is items[len(what)].ways[0]
                bound = left if is_as_open else self._bound(path, items[len(path) :])
                if bound is not None and bound <= hunt.best.payable:
                    heappush(heap, (max(left, bound), -len(path), next(order), path))

    def run(self) -> None:
        """Search until nothing can be better or the nodes are used up."""
        items = self.component.items
        ways: list[Sequence[Way]] = [item.ways for item in items]
        if items:
            self._climb(items)
        if len(items) > FEW_ITEMS:
            ways = [self._worthwhile(place, items) for place in range(len(items))]
            # What is settled comes first, so that bounds further down know it.
            order = sorted(range(len(items)), key=lambda place: (len(ways[place]) > 1, place))
            items, ways = [items[place] for place in order], [ways[place] for place in order]
        self._decide(items, ways)

    def _climb(self, items: Sequence[Item]) -> None:
        """A good plan to begin with: every item its first way, then each its best way in turn, while that makes the plan better."""
        now = [item.ways[0] for item in items]
        dive(self._setting(now))
        best = self.hunt.best
        if best.payable == self._bound([], items):
            return
        for _ in range(CLIMBS):
            before = best
            for place, item in enumerate(items):
                kept = now[place]
                for way in item.ways:
                    if self.hunt.is_spent:
                        return
                    if way is not kept:
                        now[place] = way
                        dive(self._setting(now))
                        if self.hunt.best is not best:
                            best, kept = self.hunt.best, way
                now[place] = kept
            if best is before:
                return

    def _worthwhile(self, place: int, items: Sequence[Item]) -> list[Way]:
        """The ways of one item that could be in a best plan while all others are open."""
        others = [*items[:place], *items[place + 1 :]]
        return [way for way in items[place].ways if self._can_win(self._bound([way], others))]

    def _can_win(self, bound: int | None) -> bool:
        return bound is not None and bound <= self.hunt.best.payable

    def _decide(self, items: Sequence[Item], ways: Sequence[Sequence[Way]]) -> None:
        """Decide the items one by one, leaving out what even all open offers together could not make better."""
        path: list[Way] = []
        stack = [iter(ways[0])] if items else []
        if not items:
            descend(self._setting(path))
        while stack:
            way = next(stack[-1], None)
            del path[len(stack) - 1 :]
            if way is None:
                stack.pop()
                continue
            path.append(way)
            if not self._can_win(self._bound(path, items[len(path) :])):
                continue
            if not self.hunt.step():
                self.hunt.abandon(self._bound([], items) or 0)
                return
            if len(path) == len(items):
                descend(self._setting(path))
            else:
                stack.append(iter(ways[len(path)]))

    def _setting(self, ways: Sequence[Way]) -> Setting:
        """The lines' decisions under these ways of all items."""
        allowed = self.component.free
        for _, mask in ways:
            allowed |= mask
        low, high = self._sums(allowed)
        upper = Upper([variant for variant, _ in ways if variant])
        return Setting(self.component, self.hunt, upper, allowed=allowed, low=low, high=high)

    def _bound(self, decided: Sequence[Way], still_open: Sequence[Item]) -> int | None:
        """The least that could be paid if the open items took what they take at most, whatever their thresholds."""
        if self.component.held.is_loose:
            return 0
        allowed, most = self.component.free, 0
        variants = []
        for variant, mask in decided:
            allowed |= mask
            if variant:
                variants.append(variant)
        for item in still_open:
            if item.opened:
                variants.append(item.opened)
            else:
                most += item.most
        if most:
            # A line offer of an open group may bring the net below the end of a tier that it now seems to have left behind.
            variants = [variant.endless() for variant in variants]
        low, high = self._sums(allowed)
        upper, relief = Upper(variants), self.component.relief
        left = upper.least([max(0, fen - relief) for fen in low] if relief else low, high)
        if left is not None and self._solver is not None:
            for item in still_open:
                for _, mask in item.ways:
                    allowed |= mask
            left = max(left, upper.least_of_all(self._solver.least_sum(allowed, variants), self.component.atoms))
        return None if left is None else max(0, left - most)

    def _sums(self, allowed: int) -> tuple[list[int], list[int]]:
        """Least and most net of each atom after the line stage under the allowed line offers."""
        known = self._known.get(allowed)
        if known is None:
            known = self._known[allowed] = self.component.sums(allowed)
        return known


def _counts_as_open(item: Item) -> bool:
    """Whether to decide for its first way changes nothing that a bound looks at."""
    return item.opened is not None and item.opened is item.ways[0][0]
