"""The best plan of a basket: branch and bound over every legal combination, component by component. Pure.

Outside, the search decides order and subsidy offers (tier by tier) and which offer of each group may be used; inside, how each line
uses its line offers. A step is passed over only when a proven bound says that nothing below it is better by the six criteria of the
rules: least paid, most rebate to the member, least sponsor cost, fewest offers, smallest ids, least on earlier lines.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from market.pricing.apply import Step, Use
from market.pricing.case import Line
from market.pricing.component import Component, make_component, split_components
from market.pricing.groups import find_held
from market.pricing.hunt import Hunt
from market.pricing.kinds import GROUPED, STAGE_RANK, Stage
from market.pricing.options import Choice
from market.pricing.outer import Outer
from market.pricing.plain import find_all_in
from market.pricing.rebates import choose_rebates, rebate_of
from market.pricing.sums import Solver
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
DENSE_LINES = 9


def best_plan(basket: Sequence[Line], uses: Sequence[Use], purses: Mapping[str, int], node_limit: int) -> Plan:
    """The best legal plan. `uses` are usable candidates in order of their ids."""
    nodes = [node_limit]
    whole = sum([line.list_price for line in basket])
    scenarios = _scenarios(uses)
    best = _plan(basket, next(scenarios), purses, nodes)
    for scenario in scenarios:
        nodes[0] -= 1 + len(scenario)
        floor = max(0, whole - sum([use.most for use in scenario]))
        if floor > sum(best.net):
            continue
        if nodes[0] < 0:
            # There may be very many more.
            best.is_proven = False
            best.gap = max(best.gap, min(sum(best.net), sum(best.net) - whole + sum([use.most for use in uses])))
            break
        plan = _plan(basket, scenario, purses, nodes)
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
            for scenario in _scenarios(some):
                if left <= 0:
                    break
                nodes = [TRY_NODES]
                plan = _plan(basket, scenario, purses, nodes)
                left -= 1 + len(scenario) + TRY_NODES - nodes[0]
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
        plain = find_all_in(basket, positions, members, purses)
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
    component = make_component(basket, positions, uses, purses, nodes=nodes, known=known)
    best = None
    is_dense = _is_dense(component, grouped)
    if not is_dense:
        # Plan by plan is quicker where little hangs together.
        some = max(0, min(nodes[0], FEW_NODES))
        easy = [some]
        outer = Outer(component, easy)
        outer.run()
        nodes[0] -= some - max(0, easy[0])
        best = outer.hunt.best
        if outer.hunt.is_proven and not grouped:
            return outer.hunt
    summed = make_component(basket, positions, uses, purses, nodes=nodes, summed_like=component)
    by_sums = Outer(summed, nodes, best)
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
    outer = Outer(component, nodes, by_sums.hunt.best)
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
    outer: Outer,
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
        component = make_component(basket, positions, uses, purses, held, nodes=nodes, known=known)
        nodes[0] -= 8  # about as long as so many steps
        left = Outer(component, nodes, best).least()
        if left is not None and left <= best.payable:
            ways.append((left, len(ways), component))
    if nodes[0] < 0:
        is_proven = False
        floors.append(floor)
    for left, _, component in sorted(ways, key=lambda way: way[:2]):
        if left > best.payable:
            break
        outer = Outer(component, nodes, best)
        outer.run()
        best = outer.hunt.best
        is_proven = is_proven and outer.hunt.is_proven
        floors.append(outer.hunt.floor)
    hunt = outer.hunt
    hunt.best, hunt.is_proven = best, is_proven
    hunt.floor = min((floor for floor in floors if floor is not None), default=None)
    return hunt
