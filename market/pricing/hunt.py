"""The best plan of a component found so far, and how many steps the search may still take. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from market.pricing.apply import Outcome, Pool, apply_plan
from market.pricing.component import Component
from market.pricing.rebates import choose_rebates, rebate_of

# Among plans that pay alike, this many steps go to sponsor cost, fewer offers, ids and earlier lines: the shopper waits.
MOST_TIES = 20_000


@dataclass(slots=True)
class Found:
    """A legal plan of one component with its place by the criteria."""

    outcome: Outcome
    payable: int
    rebate: int
    sponsor: int
    mask: int
    net: list[int]

    def is_better(self, other: "Found") -> bool:
        """Whether this plan wins. Bits are in order of ids: of two sets of one size, that with the lowest differing bit is smaller."""
        mine = (self.payable, -self.rebate, self.sponsor, self.mask.bit_count())
        theirs = (other.payable, -other.rebate, other.sponsor, other.mask.bit_count())
        if mine != theirs:
            return mine < theirs
        differing = self.mask ^ other.mask
        if differing:
            return bool(differing & -differing & self.mask)
        return self.net < other.net


class Hunt:
    """The search over one component, holding the best plan so far."""

    def __init__(self, component: Component, nodes: list[int], best: "Found | None" = None) -> None:
        """`nodes` holds, in its one place, how many nodes the whole quote may still take; `best` is the plan to beat."""
        self.component, self.nodes = component, nodes
        self.is_proven = True
        self.floor: int | None = None
        self.ties = MOST_TIES
        self._bit_of = {use.index: bit for bit, use in component.by_place}
        self.best = best or self._found(
            Outcome([], {position: component.basket[position].list_price for position in component.positions})
        )

    def step(self, nodes: int = 1) -> bool:
        """Take some of the nodes that are left; False when there are not so many."""
        self.nodes[0] -= nodes
        return self.nodes[0] >= 0

    @property
    def is_spent(self) -> bool:
        """Whether no node is left."""
        return self.nodes[0] < 0

    def tie(self) -> bool:
        """Take one of the nodes that may go to plans that pay as little as the best; False when none is left."""
        self.ties -= 1
        if self.ties < 0:
            self.abandon(self.best.payable)
        return self.ties >= 0

    def abandon(self, floor: int) -> None:
        """Leave a part of the tree unseen in which no plan pays less than `floor`."""
        self.is_proven = False
        self.floor = floor if self.floor is None else min(self.floor, floor)

    @property
    def gap(self) -> int:
        """How much less than the best found a plan might pay."""
        return 0 if self.floor is None else max(0, self.best.payable - self.floor)

    def consider(self, pools: Mapping[int, tuple[Pool, ...]], mask: int) -> Found | None:
        """Work a plan out and keep it if it is better; None if it is not legal."""
        self.nodes[0] -= 3 + len(self.component.positions) // 8  # about as long as so many steps
        component = self.component
        chosen = [use for bit, use in component.by_place if bit & mask]
        held = component.held
        if held.uses:
            joined = dict(held.pools)
            for position, of_line in pools.items():
                joined[position] = (*joined.get(position, ()), *of_line)
            pools = joined
        outcome = apply_plan(component.basket, component.positions, component.purses, chosen, pools)
        if outcome is None:
            return None
        found = self._found(outcome)
        if found.is_better(self.best):
            self.best = found
        return found

    def _found(self, outcome: Outcome) -> Found:
        mask = sponsor = 0
        for step in outcome.steps:
            mask |= self._bit_of[step.use.index]
            sponsor += step.sponsor
        rebate = 0
        if self.component.rebates:
            groups = {step.use.offer.group for step in outcome.steps if step.use.offer.group}
            steps, _ = choose_rebates(outcome.net, self.component.rebates, groups)
            rebate = rebate_of(steps)
            mask |= sum([self._bit_of[step.use.index] for step in steps])
        net = list(outcome.net.values())
        return Found(outcome, sum(net), rebate, sponsor, mask, net)
