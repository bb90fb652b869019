"""The best plan of a basket: branch and bound over every legal combination, component by component. Pure.

Outside, the search decides order and subsidy offers (tier by tier) and which offer of each group may be used; inside, how each line
uses its line offers. A step is passed over only when a proven bound says that nothing below it is better by the six criteria of the
rules: least paid, most rebate to the member, least sponsor cost, fewest offers, smallest ids, least on earlier lines.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count, product

from market.kit.money import share_of
from market.pricing.apply import Outcome, Pool, Step, Use, apply_plan
from market.pricing.bound import Upper
from market.pricing.case import Line
from market.pricing.component import Component, Item, Way, make_component, split_components
from market.pricing.descent import descend
from market.pricing.dives import dive
from market.pricing.groups import find_held
from market.pricing.hunt import Found, Hunt
from market.pricing.kinds import GROUPED, STAGE_RANK, Kind, Stage
from market.pricing.options import Choice
from market.pricing.rebates import choose_rebates, rebate_of
from market.pricing.setting import Setting
from market.pricing.sums import Look, Solver
from market.pricing.terminal import NotModelled


@dataclass(slots=True)
class Plan:
    """The best plan of the whole basket: steps and rebates in order of application, what is paid by line position, and the proof."""

    steps: list[Step]
    rebates: list[Step]
    net: list[int]
    is_proven: bool
    gap: int

    def key(self) -> tuple[int, int, int, int, list[str], list[int]]:
        """The place by the criteria."""
        ids = sorted(step.use.offer.id for step in (*self.steps, *self.rebates))
        sponsor = sum(step.sponsor for step in self.steps)
        return (sum(self.net), -rebate_of(self.rebates), sponsor, len(ids), ids, self.net)


FEW_NODES = 400  # what plan by plan is quicker than sum by sum
MOST_TRIED = 40  # offers that are tried one after another when nothing is proven
TRY_NODES, ALL_TRIES_NODES = 300, 30_000
LOOK_NODES = 50  # what a look at the lines sum by sum is worth
DENSE_LINES = 9
FEW_ITEMS = 2  # so few outer decisions are simply tried
CLIMBS = 3
PRICED_A_NODE = 2  # ways of a line that are priced in about the time of a step


class _Outer:
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


def best_plan(basket: Sequence[Line], uses: Sequence[Use], purses: Mapping[str, int], node_limit: int) -> Plan:
    """The best legal plan. `uses` are usable candidates in order of their ids."""
    nodes = [node_limit]
    plans = (_plan(basket, scenario, purses, nodes) for scenario in _scenarios(uses))
    best = next(plans)
    for plan in plans:
        is_proven, floor = best.is_proven and plan.is_proven, min(sum(best.net) - best.gap, sum(plan.net) - plan.gap)
        if plan.key() < best.key():
            best = plan
        best.is_proven, best.gap = is_proven, sum(best.net) - floor
    if best.is_proven:
        best.gap = 0
        return best
    return _better_of_few(basket, uses, purses, best)


def _better_of_few(basket: Sequence[Line], uses: Sequence[Use], purses: Mapping[str, int], best: Plan) -> Plan:
    """A plan that is not proven against those of one offer, and of ever one more while that is better: no offer more makes it dearer."""
    floor = sum(best.net) - best.gap
    chosen: list[Use] = []
    best_of_few: Plan | None = None
    left = ALL_TRIES_NODES
    for use in sorted(uses, key=lambda use: -use.most)[:MOST_TRIED]:
        mine = sorted([*chosen, use], key=lambda use: use.index)
        for some in ([use], mine) if chosen else ([use],):
            for scenario in _scenarios(some) if left > 0 else ():
                nodes = [TRY_NODES]
                plan = _plan(basket, scenario, purses, nodes)
                left -= TRY_NODES - nodes[0]
                if best_of_few is None or plan.key() < best_of_few.key():
                    best_of_few, chosen = plan, [step.use for step in (*plan.steps, *plan.rebates)]
    if best_of_few is not None and best_of_few.key() < best.key():
        best_of_few.is_proven = False
        best_of_few.gap = max(0, sum(best_of_few.net) - floor)
        return best_of_few
    return best


def _scenarios(uses: Sequence[Use]) -> Iterator[list[Use]]:
    """The candidates left under each way to grant the stand-alone rules: who may be alone in the order, or in each stage."""
    if all(use.offer.alone == "none" for use in uses):
        yield list(uses)
        return
    by_stage: dict[int, list[list[Use]]] = {}
    for rank in sorted(STAGE_RANK.values()):
        mine = [use for use in uses if use.offer.place[0] == rank]
        ways = [[use for use in mine if use.offer.alone == "none"]]
        by_stage[rank] = ways + [[use] for use in mine if use.offer.alone == "stage"]
    for stages in product(*by_stage.values()):
        yield sorted((use for stage in stages for use in stage), key=lambda use: use.index)
    for use in uses:
        if use.offer.alone == "all":
            yield [use]


def _plan(basket: Sequence[Line], uses: Sequence[Use], purses: Mapping[str, int], nodes: list[int]) -> Plan:
    """The best plan when none of these offers stands alone by rule: the best of each component, put together."""
    net = [line.list_price for line in basket]
    steps: list[Step] = []
    is_proven, gap = True, 0
    for positions, members in _parts(uses, purses):
        plain = _all_in(basket, positions, members, purses)
        if plain is not None:
            steps += plain.steps
            for position, paid in plain.net.items():
                net[position] = paid
            continue
        hunt = _hunt(basket, positions, members, purses, nodes)
        steps += hunt.best.outcome.steps
        for position, paid in hunt.best.outcome.net.items():
            net[position] = paid
        if not hunt.is_proven:
            is_proven = False
            gap += hunt.gap
    steps.sort(key=lambda step: step.use.offer.place)
    rebates: list[Step] = []
    backs = [use for use in uses if use.offer.stage is Stage.REBATE]
    if backs:
        groups = {step.use.offer.group for step in steps if step.use.offer.group}
        rebates, is_known = choose_rebates(dict(enumerate(net)), backs, groups)
        is_proven = is_proven and is_known
    return Plan(steps, rebates, net, is_proven, gap)


def _parts(uses: Sequence[Use], purses: Mapping[str, int]) -> list[tuple[list[int], list[Use]]]:
    """The components. A rebate links its lines where it makes a difference which of them pay less.

    That is, unless it looks at all of every component it looks at, has no group, and shares no line with another rebate.
    """
    rebates = [use for use in uses if use.offer.stage is Stage.REBATE]
    if not rebates:
        return split_components(uses, purses)
    times: dict[int, int] = {}
    for use in rebates:
        for position in use.lines:
            times[position] = times.get(position, 0) + 1
    free = {
        use.index for use in rebates if use.offer.group is None and all(times[position] == 1 for position in use.lines)
    }
    while True:
        parts = split_components([use for use in uses if use.index not in free], purses)
        partly = {
            use.index
            for use in rebates
            if use.index in free
            and any(0 < len(set(use.lines).intersection(positions)) < len(positions) for positions, _ in parts)
        }
        if not partly:
            return parts
        free -= partly


def _is_dense(component: Component, grouped: Sequence[Use]) -> bool:
    """Whether so many lines have a choice, and something ties them together, that combinations are not to be tried one by one."""
    if len(component.choices) < DENSE_LINES:
        return False
    return bool(grouped) or any(variant and variant.need for item in component.items for variant, _ in item.ways)


def _hunt(
    basket: Sequence[Line], positions: Sequence[int], uses: Sequence[Use], purses: Mapping[str, int], nodes: list[int]
) -> Hunt:
    """Search one component: plan by plan if that is soon done, else sum by sum, else plan by plan to the end."""
    grouped = [use for use in uses if use.offer.kind in GROUPED]
    known: dict[object, Choice] = {}
    component = make_component(basket, positions, uses, purses, known=known)
    nodes[0] -= component.priced // PRICED_A_NODE
    best = None
    is_dense = _is_dense(component, grouped)
    if not is_dense:
        # Plan by plan is quicker where little hangs together.
        some = min(nodes[0], FEW_NODES)
        easy = [some]
        outer = _Outer(component, easy)
        outer.run()
        nodes[0] -= some - max(0, easy[0])
        best = outer.hunt.best
        if outer.hunt.is_proven and not grouped:
            return outer.hunt
    summed = make_component(basket, positions, uses, purses, summed_like=component)
    by_sums = _Outer(summed, nodes, best)
    floor = 0
    try:
        solver = Solver(summed, grouped)
        floor = by_sums.least(solver) or 0
        by_sums.run_best_first(solver)
    except NotModelled:
        pass
    else:
        if by_sums.hunt.is_proven or is_dense:
            return by_sums.hunt
    outer = _Outer(component, nodes, by_sums.hunt.best)
    outer.run()
    if not grouped:
        return outer.hunt
    return _hunt_held(basket, positions, uses, purses, outer=outer, floor=floor, known=known)


def _hunt_held(
    basket: Sequence[Line],
    positions: Sequence[int],
    uses: Sequence[Use],
    purses: Mapping[str, int],
    *,
    outer: _Outer,
    floor: int,
    known: dict[object, Choice],
) -> Hunt:
    """Go on for every way in which bundles and buy-x-get-y may hold units, the most promising first; `outer` has looked at none.

    No plan pays less than `floor`.
    """
    nodes = outer.hunt.nodes
    best, is_proven, floors = outer.hunt.best, outer.hunt.is_proven, [outer.hunt.floor]
    ways: list[tuple[int, int, Component]] = []
    for held in find_held(basket, uses, purses, nodes):
        component = make_component(basket, positions, uses, purses, held, known=known)
        nodes[0] -= 8 + component.priced // PRICED_A_NODE  # about as long as so many steps
        left = _Outer(component, nodes, best).least()
        if left is not None and left <= best.payable:
            ways.append((left, len(ways), component))
    if nodes[0] < 0:
        is_proven = False
        floors.append(floor)
    for left, _, component in sorted(ways, key=lambda way: way[:2]):
        if left > best.payable:
            break
        outer = _Outer(component, nodes, best)
        outer.run()
        best = outer.hunt.best
        is_proven = is_proven and outer.hunt.is_proven
        floors.append(outer.hunt.floor)
    hunt = outer.hunt
    hunt.best, hunt.is_proven = best, is_proven
    hunt.floor = min((floor for floor in floors if floor is not None), default=None)
    return hunt


def _all_in(
    basket: Sequence[Line], positions: Sequence[int], uses: Sequence[Use], purses: Mapping[str, int]
) -> Outcome | None:
    """The plan with every offer on every unit, if it is plain that no other is as good, else None.

    It is when each offer takes the most it ever could: a plan that pays as little then takes the same amounts by the same offers, and
    from the same lines, for a line has one line offer at most, without a cap that cuts. Or when leaving anything out costs a fen.
    """
    pools: dict[int, tuple[Pool, ...]] = {}
    groups: set[str] = set()
    for use in uses:
        offer = use.offer
        if offer.stage is Stage.LINE:
            for position in use.lines:
                if position in pools:
                    return None
                pools[position] = ((basket[position].qty, (use.index,)),)
            if offer.max_units is not None and offer.max_units < sum([basket[position].qty for position in use.lines]):
                return None
        if offer.group is not None:
            if offer.group in groups:
                return None
            groups.add(offer.group)
        if offer.stage is Stage.REBATE or offer.kind in GROUPED:
            return None
    outcome = apply_plan(basket, positions, purses, sorted(uses, key=_place), pools)
    if outcome is None:
        return None
    return outcome if all(map(_is_most, outcome.steps)) or _is_strict(outcome.steps) else None


def _is_most(step: Step) -> bool:
    """Whether an offer took the most it ever could, and a line offer from every line what it could."""
    return step.amount == step.use.most and (step.amount == step.gross or step.use.offer.stage is not Stage.LINE)


def _is_strict(steps: Sequence[Step]) -> bool:
    """Whether order and subsidy offers, all on the same lines, leave more as soon as one fen more comes in: then leaving anything out costs.

    Every step must be as large as it can be from its base, and no percentage may swallow the next fen by its rounding.
    """
    lines = None
    for step in steps:
        use = step.use
        if use.offer.stage is not Stage.LINE:
            if lines is not None and lines != use.lines:
                return False
            lines = use.lines
        if not _is_most(step) and (
            use.offer.stage is Stage.LINE
            or use.offer.kind is not Kind.PERCENT_OFF
            or step.limited_by is not None
            or share_of(step.base + 1, use.offer.rate_bp) != step.amount
        ):
            return False
    return True


def _place(use: Use) -> tuple[int, bool, int, str]:
    return use.offer.place
