"""What stays fixed while the lines of a component are decided: the order and subsidy offers that apply and the line offers allowed. Pure."""

from collections.abc import Sequence

from market.pricing.bound import Upper
from market.pricing.component import Component
from market.pricing.hunt import Hunt


class Setting:
    """`upper` are the order and subsidy offers that apply, `allowed` the line offers; `low` and `high` bound each atom's net.

    `limits` are the caps that could cut allowed line offers, `shares` their sponsor shares, both by bit.
    """

    __slots__ = (
        "allowed",
        "component",
        "high",
        "hunt",
        "is_monotone",
        "limits",
        "low",
        "shares",
        "upper",
        "upper_mask",
    )

    def __init__(
        self, component: Component, hunt: Hunt, upper: Upper, *, allowed: int, low: Sequence[int], high: Sequence[int]
    ) -> None:
        self.component, self.hunt, self.upper, self.allowed = component, hunt, upper, allowed
        self.low, self.high = low, high
        self.upper_mask = component.held_mask + sum([variant.bit for variant in upper.variants])
        self.limits = {bit: limit for bit, limit in component.limits.items() if bit & allowed}
        self.shares = {bit: share for bit, share in component.line_shares.items() if bit & allowed}
        # With a repeated amount more net may leave less; with capped line offers an option's net is no sum.
        self.is_monotone = (
            not component.held.is_loose and not self.limits and not any(variant.times_of for variant in upper.variants)
        )

    def is_beaten(self, low: Sequence[int]) -> bool:
        """Whether no plan with at least this net of each atom pays as little as the best found."""
        if self.component.held.is_loose:
            return False
        left = self.upper.least(low, self.high)
        return left is None or left > self.hunt.best.payable
