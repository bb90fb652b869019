"""What every payer gets back when units of a line return: the shares stored with the quote, by one cumulative floor. Pure.

No price is made again. After r of q units, each part has been given back as `part × r // q`, so the last unit closes every part.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from market.kit.money import cumulative_share
from market.pricing.kinds import Stage


@dataclass(frozen=True, slots=True)
class SponsorShare:
    """What a sponsor bears of one offer on one line, in fen, and the purse it came from and returns to."""

    offer: str
    version: int
    purse: str | None
    fen: int


@dataclass(frozen=True, slots=True)
class RebateShare:
    """What one rebate gives back on one line, in fen, and to whom: "member" or "union"."""

    offer: str
    version: int
    to: str
    fen: int


@dataclass(frozen=True, slots=True)
class LineShares:
    """A line of a quote cut by payer: paid by the member, concession of the merchant, each sponsor's share; and its rebates.

    Fen for all `qty` units.
    """

    line: str
    qty: int
    pay: int
    concession: int
    sponsors: tuple[SponsorShare, ...]
    rebates: tuple[RebateShare, ...] = ()


@dataclass(frozen=True, slots=True)
class RefundStep:
    """What `units` units give back, in fen; the list value of the refund is the sum of its four amounts but the rebate.

    `subsidy_back` is the sum of `sponsors`, the shares with their purses; `rebate_back` that of `rebates`, which are clawed back.
    """

    units: int
    to_member: int
    subsidy_back: int
    concession_back: int
    rebate_back: int
    sponsors: tuple[SponsorShare, ...]
    rebates: tuple[RebateShare, ...] = ()

    def to_json(self) -> dict[str, int]:
        """The step in the form of the pricing document."""
        names = ("units", "to_member", "subsidy_back", "concession_back", "rebate_back")
        return {name: getattr(self, name) for name in names}


def line_shares(quote: Mapping[str, Any], line: str) -> LineShares:
    """The shares of one line, out of a quote in the form of the pricing document, as a sale stores it. Raises KeyError for no such line."""
    rows = [row for row in quote["lines"] if row["line"] == line]
    if not rows:
        raise KeyError(line)
    applied = {row["offer"]: row for row in quote["applied"]}
    sponsors = tuple(
        SponsorShare(row["offer"], applied[row["offer"]]["version"], applied[row["offer"]].get("purse"), row["sponsor"])
        for row in quote["sponsor_by_line"]
        if row["line"] == line and row["sponsor"]
    )
    rebates = tuple(
        RebateShare(row["offer"], row["version"], row["rebate_to"], share["amount"])
        for row in quote["applied"]
        if row["stage"] == Stage.REBATE
        for share in row["shares"]
        if share["line"] == line and share["amount"]
    )
    return LineShares(line, rows[0]["qty"], rows[0]["pay"], rows[0]["concession"], sponsors, rebates)


def refund_step(shares: LineShares, *, units_before: int, units: int) -> RefundStep:
    """What `units` more units give back after `units_before` have gone back. Raises ValueError for more units than are left, or none."""
    until = units_before + units
    if units < 1 or units_before < 0 or until > shares.qty:
        raise ValueError(f"{units} of line {shares.line} cannot go back after {units_before} of {shares.qty}")

    def back(fen: int) -> int:
        return cumulative_share(fen, until, shares.qty) - cumulative_share(fen, units_before, shares.qty)

    sponsors = tuple(SponsorShare(part.offer, part.version, part.purse, back(part.fen)) for part in shares.sponsors)
    rebates = tuple(RebateShare(part.offer, part.version, part.to, back(part.fen)) for part in shares.rebates)
    return RefundStep(
        units=units,
        to_member=back(shares.pay),
        subsidy_back=sum(part.fen for part in sponsors),
        concession_back=back(shares.concession),
        rebate_back=sum(part.fen for part in rebates),
        sponsors=sponsors,
        rebates=rebates,
    )
