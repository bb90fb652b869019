"""The closed list of stages and offer kinds: which parameters each kind has, and the one formula of each. Pure.

Every place that depends on a kind is in this file: adding a kind means adding it here and nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, assert_never

from market.kit.money import share_of

if TYPE_CHECKING:
    from market.pricing.offer import Offer


class Stage(StrEnum):
    """When an offer works on the running net."""

    LINE = "line"
    ORDER = "order"
    SUBSIDY = "subsidy"
    REBATE = "rebate"


class Kind(StrEnum):
    """How an offer makes its amount."""

    PERCENT_OFF = "percent_off"
    AMOUNT_OFF_UNIT = "amount_off_unit"
    AMOUNT_OFF = "amount_off"
    SPEND_SAVE = "spend_save"


STAGE_RANK: Final = {Stage.LINE: 0, Stage.ORDER: 1, Stage.SUBSIDY: 2, Stage.REBATE: 3}

# Parameters a kind must have, by stage. `repeat` is the one optional parameter (of spend_save).
PARAMETERS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("line", "percent_off"): ("rate_bp",),
    ("line", "amount_off_unit"): ("amount",),
    ("order", "amount_off"): ("amount",),
    ("order", "spend_save"): ("tiers",),
    ("subsidy", "percent_off"): ("rate_bp",),
    ("subsidy", "amount_off"): ("amount",),
}

# Kinds of the format that this engine does not price yet; an offer of one is refused by name rather than passed over.
NOT_YET: Final = frozenset(
    {
        ("line", "fixed_unit_price"),
        ("line", "buy_x_get_y"),
        ("line", "bundle"),
        ("order", "percent_off"),
        ("rebate", "percent_back"),
        ("rebate", "amount_back"),
    }
)


@dataclass(frozen=True, slots=True)
class Gross:
    """What the formula of an order or subsidy offer gives before any limit, with the numbers that show it."""

    amount: int
    formula: str
    numbers: tuple[tuple[str, int], ...]


def is_percentage(kind: Kind) -> bool:
    """Whether, on one unit, it runs after the amounts (pricing rules, Units)."""
    return kind is Kind.PERCENT_OFF


def line_gross(offer: "Offer", pools: Sequence[tuple[int, int]]) -> int:
    """Fen off for the touched units of one line, given as pools (units, running net): rounded once, nothing below zero."""
    match offer.kind:
        case Kind.PERCENT_OFF:
            return share_of(sum(net for _, net in pools), offer.rate_bp)
        case Kind.AMOUNT_OFF_UNIT:
            return sum(min(units * offer.amount, net) for units, net in pools)
        case Kind.AMOUNT_OFF | Kind.SPEND_SAVE:
            raise ValueError(f"{offer.kind} is no kind of the line stage")
        case _:
            assert_never(offer.kind)


def line_formula(offer: "Offer", units: int, base: int) -> tuple[str, tuple[tuple[str, int], ...]]:
    """The formula of a line offer as a code with its numbers: `units` touched, `base` their running net."""
    if offer.kind is Kind.PERCENT_OFF:
        return "PERCENT_OF_UNITS", (("base", base), ("rate_bp", offer.rate_bp), ("units", units))
    return "AMOUNT_PER_UNIT", (("amount", offer.amount), ("units", units))


def order_gross(offer: "Offer", threshold_base: int, running: int) -> Gross:
    """Fen off an order or subsidy offer gives: thresholds look at `threshold_base`, the amount is taken from `running`.

    The caller has checked that the least threshold is reached.
    """
    match offer.kind:
        case Kind.PERCENT_OFF:
            return Gross(
                share_of(running, offer.rate_bp), "PERCENT_OF_BASE", (("base", running), ("rate_bp", offer.rate_bp))
            )
        case Kind.AMOUNT_OFF:
            return Gross(offer.amount, "AMOUNT", (("amount", offer.amount),))
        case Kind.SPEND_SAVE:
            least, off = max(tier for tier in offer.tiers if tier[0] <= threshold_base)
            times = threshold_base // least if offer.repeat else 1
            return Gross(
                off * times, "SPEND_SAVE", (("spent", threshold_base), ("min", least), ("off", off), ("times", times))
            )
        case Kind.AMOUNT_OFF_UNIT:
            raise ValueError(f"{offer.kind} is no kind of the order or subsidy stage")
        case _:
            assert_never(offer.kind)


def least_spend(offer: "Offer") -> int:
    """The eligible spend (fen) below which the offer gives nothing: `min_spend` and, of spend-and-save, the lowest tier."""
    lowest = min((least for least, _ in offer.tiers), default=0)
    return max(offer.min_spend, lowest)


def most_amount(offer: "Offer", lists: Sequence[tuple[int, int]]) -> int:
    """No legal plan takes more by this offer from lines given as (unit price, units), before caps. Fen."""
    whole = sum(price * units for price, units in lists)
    match offer.kind:
        case Kind.PERCENT_OFF if offer.stage is Stage.LINE:
            return sum(share_of(price * units, offer.rate_bp) for price, units in lists)
        case Kind.PERCENT_OFF:
            return share_of(whole, offer.rate_bp)
        case Kind.AMOUNT_OFF_UNIT:
            return sum(min(price, offer.amount) * units for price, units in lists)
        case Kind.AMOUNT_OFF:
            return min(offer.amount, whole)
        case Kind.SPEND_SAVE:
            reached = [(least, off) for least, off in offer.tiers if least <= whole]
            return min(whole, max((off * (whole // least if offer.repeat else 1) for least, off in reached), default=0))
        case _:
            assert_never(offer.kind)
