"""The closed list of stages and offer kinds: which parameters each kind has, and the one formula of each. Pure.

Every place that depends on a kind is in this file: adding a kind means adding it here and nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING, Final, assert_never

from market.kit.money import WHOLE_BP, share_of

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
    FIXED_UNIT_PRICE = "fixed_unit_price"
    BUY_X_GET_Y = "buy_x_get_y"
    BUNDLE = "bundle"
    AMOUNT_OFF = "amount_off"
    SPEND_SAVE = "spend_save"
    PERCENT_BACK = "percent_back"
    AMOUNT_BACK = "amount_back"


MOST_SETS: Final = 200  # so many sets are counted one by one

STAGE_RANK: Final = {Stage.LINE: 0, Stage.ORDER: 1, Stage.SUBSIDY: 2, Stage.REBATE: 3}

# Parameters a kind must have, by stage. `repeat` is the one optional parameter (of spend_save).
PARAMETERS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("line", "percent_off"): ("rate_bp",),
    ("line", "amount_off_unit"): ("amount",),
    ("line", "fixed_unit_price"): ("price",),
    ("line", "buy_x_get_y"): ("buy", "get", "get_rate_bp"),
    ("line", "bundle"): ("components", "price"),
    ("order", "percent_off"): ("rate_bp",),
    ("order", "amount_off"): ("amount",),
    ("order", "spend_save"): ("tiers",),
    ("subsidy", "percent_off"): ("rate_bp",),
    ("subsidy", "amount_off"): ("amount",),
    ("rebate", "percent_back"): ("rate_bp",),
    ("rebate", "amount_back"): ("amount",),
}

# Kinds of which several may work on one unit, if each says so.
STACKABLE: Final = frozenset({Kind.PERCENT_OFF, Kind.AMOUNT_OFF_UNIT})
# Kinds that take units of several lines together, in whole groups.
GROUPED: Final = frozenset({Kind.BUY_X_GET_Y, Kind.BUNDLE})


@dataclass(frozen=True, slots=True)
class Gross:
    """What the formula of an order or subsidy offer gives before any limit, with the numbers that show it."""

    amount: int
    formula: str
    numbers: tuple[tuple[str, int], ...]


def runs_late(offer: "Offer") -> bool:
    """Whether it runs after the others of its stage: percentages on units, and rebates to the union, which are no choice."""
    return offer.kind is Kind.PERCENT_OFF if offer.stage is Stage.LINE else not offer.is_choice


def line_gross(offer: "Offer", pools: Sequence[tuple[int, int]]) -> int:
    """Fen off for the touched units of one line, given as pools (units, running net): rounded once, nothing below zero."""
    match offer.kind:
        case Kind.PERCENT_OFF:
            return share_of(sum([net for _, net in pools]), offer.rate_bp)
        case Kind.AMOUNT_OFF_UNIT:
            amount = offer.amount
            return sum([min(units * amount, net) for units, net in pools])
        case Kind.FIXED_UNIT_PRICE:
            # A unit at or below the price is never touched: it takes nothing.
            price = offer.price
            return sum([max(0, net - units * price) for units, net in pools])
        case Kind.BUY_X_GET_Y | Kind.BUNDLE | Kind.AMOUNT_OFF | Kind.SPEND_SAVE | Kind.PERCENT_BACK | Kind.AMOUNT_BACK:
            raise ValueError(f"{offer.kind} takes nothing line by line")
        case _:
            assert_never(offer.kind)


def group_size(offer: "Offer") -> int:
    """Units of one whole group of a bundle or a buy-x-get-y."""
    return offer.buy + offer.get if offer.kind is Kind.BUY_X_GET_Y else sum(part.qty for part in offer.components)


def group_gross(offer: "Offer", touched: Sequence[tuple[int, int]]) -> int:
    """Fen off for whole groups of touched units, given as (unit price, units) in any order: of a bundle also below zero."""
    if offer.kind is Kind.BUNDLE:
        sets = sum(units for _, units in touched) // group_size(offer)
        return sum(price * units for price, units in touched) - sets * offer.price
    amount, place, size = 0, 0, group_size(offer)
    for price, units in sorted(touched, reverse=True):
        # Of the first n units of all groups so many are reduced; the dearest come first.
        reduced = _reduced(offer, place + units, size) - _reduced(offer, place, size)
        amount += reduced * share_of(price, offer.get_rate_bp)
        place += units
    return amount


def _reduced(offer: "Offer", units: int, size: int) -> int:
    """How many of the first `units` units are reduced: the last `get` of each group."""
    return units // size * offer.get + max(0, units % size - offer.buy)


def least_gross(offer: "Offer", price: int, units: int) -> int:
    """The least fen above 0 that a line offer can take from some of so many units at `price`, or 0 if it takes nothing from all."""
    some = 1
    if offer.kind is Kind.PERCENT_OFF and price and offer.rate_bp:
        # Half a fen rounds up to the first one.
        some = max(1, -(-WHOLE_BP // (2 * price * offer.rate_bp)))
    return line_gross(offer, [(some, price * some)]) if some <= units else 0


def unit_off(offer: "Offer", price: int) -> int:
    """Fen that a line offer of an amount takes off one unit at `price`."""
    return max(0, price - offer.price) if offer.kind is Kind.FIXED_UNIT_PRICE else min(offer.amount, price)


def most_of_units(offer: "Offer", lists: Sequence[tuple[int, int]], most_units: int) -> int:
    """What a line offer takes at most from so many of the units given as (unit price, units), before caps. Fen."""
    left, amount, whole, lines = most_units, 0, 0, 0
    for price, units in sorted(lists, reverse=True):
        count = min(left, units)
        left -= count
        whole += count * price
        amount += count * unit_off(offer, price)
        lines += bool(count)
    # A percentage is rounded for each line, by half a fen at most.
    return share_of(whole, offer.rate_bp) + lines if offer.kind is Kind.PERCENT_OFF else amount


def unit_slope(offer: "Offer", price: int) -> Fraction:
    """Fen that a line offer takes off one unit at `price`, unrounded."""
    if offer.kind is Kind.PERCENT_OFF:
        return Fraction(price * offer.rate_bp, WHOLE_BP)
    return Fraction(unit_off(offer, price))


def rounding_period(offer: "Offer", price: int) -> int:
    """After so many units at `price` the rounding of a line offer repeats."""
    return WHOLE_BP // gcd(price * offer.rate_bp, WHOLE_BP) if offer.kind is Kind.PERCENT_OFF else 1


def line_formula(offer: "Offer", units: int, base: int) -> tuple[str, tuple[tuple[str, int], ...]]:
    """The formula of a line offer as a code with its numbers: `units` touched, `base` their running net."""
    match offer.kind:
        case Kind.PERCENT_OFF:
            return "PERCENT_OF_UNITS", (("base", base), ("rate_bp", offer.rate_bp), ("units", units))
        case Kind.FIXED_UNIT_PRICE:
            return "FIXED_UNIT_PRICE", (("base", base), ("price", offer.price), ("units", units))
        case Kind.BUY_X_GET_Y:
            reduced = units // group_size(offer) * offer.get
            return "BUY_X_GET_Y", (
                ("buy", offer.buy),
                ("get", offer.get),
                ("get_rate_bp", offer.get_rate_bp),
                ("reduced", reduced),
                ("units", units),
            )
        case Kind.BUNDLE:
            sets = units // group_size(offer)
            return "BUNDLE", (("base", base), ("price", offer.price), ("sets", sets), ("units", units))
        case _:
            return "AMOUNT_PER_UNIT", (("amount", offer.amount), ("units", units))


def order_gross(offer: "Offer", threshold_base: int, running: int) -> Gross:
    """Fen that an order, subsidy or rebate offer gives: thresholds look at `threshold_base`, the amount is taken from `running`.

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
        case Kind.PERCENT_BACK:
            # A rebate rounds down.
            back = running * offer.rate_bp // WHOLE_BP
            return Gross(back, "PERCENT_BACK", (("base", running), ("rate_bp", offer.rate_bp)))
        case Kind.AMOUNT_BACK:
            return Gross(offer.amount, "AMOUNT_BACK", (("amount", offer.amount),))
        case Kind.AMOUNT_OFF_UNIT | Kind.FIXED_UNIT_PRICE | Kind.BUY_X_GET_Y | Kind.BUNDLE:
            raise ValueError(f"{offer.kind} is a kind of the line stage")
        case _:
            assert_never(offer.kind)


def least_spend(offer: "Offer") -> int:
    """The eligible spend (fen) below which the offer gives nothing: `min_spend` and, of spend-and-save, the lowest tier."""
    lowest = min((least for least, _ in offer.tiers), default=0)
    return max(offer.min_spend, lowest)


def most_amount(offer: "Offer", lists: Sequence[tuple[int, int]]) -> int:  # noqa: PLR0911  one line for each kind
    """No legal plan takes more by this offer from lines given as (unit price, units), before caps. Fen."""
    whole = sum(price * units for price, units in lists)
    match offer.kind:
        case Kind.PERCENT_OFF if offer.stage is Stage.LINE:
            return sum(share_of(price * units, offer.rate_bp) for price, units in lists)
        case Kind.PERCENT_OFF:
            return share_of(whole, offer.rate_bp)
        case Kind.AMOUNT_OFF_UNIT:
            return sum(min(price, offer.amount) * units for price, units in lists)
        case Kind.FIXED_UNIT_PRICE:
            return sum(max(0, price - offer.price) * units for price, units in lists)
        case Kind.BUY_X_GET_Y:
            groups = sum(units for _, units in lists) // group_size(offer)
            return _most_reduced(offer, lists, groups * offer.get)
        case Kind.BUNDLE:
            groups = sum(units for _, units in lists) // group_size(offer)
            return max(0, whole - offer.price) if groups else 0
        case Kind.AMOUNT_OFF | Kind.AMOUNT_BACK:
            return min(offer.amount, whole)
        case Kind.PERCENT_BACK:
            return whole * offer.rate_bp // WHOLE_BP
        case Kind.SPEND_SAVE:
            reached = [(least, off) for least, off in offer.tiers if least <= whole]
            return min(whole, max((off * (whole // least if offer.repeat else 1) for least, off in reached), default=0))
        case _:
            assert_never(offer.kind)


def _most_reduced(offer: "Offer", lists: Sequence[tuple[int, int]], units: int) -> int:
    """Fen off the dearest so many units."""
    amount = 0
    for price, count in sorted(lists, reverse=True):
        taken = min(count, units)
        units -= taken
        amount += taken * share_of(price, offer.get_rate_bp)
    return amount


def most_of_sets(offer: "Offer", parts: Sequence[Sequence[tuple[int, int]]]) -> int:
    """No plan takes more by a bundle whose components may be filled from these units, given as (unit price, units). Fen."""
    if max(one.qty for one in offer.components) > MOST_SETS:
        return sum(price * units for part in parts for price, units in part)
    filled = zip(offer.components, parts, strict=True)
    dearest = [
        sorted([price for price, units in part for _ in range(min(units, MOST_SETS * one.qty))], reverse=True)
        for one, part in filled
    ]
    best = amount = 0
    for sets in range(MOST_SETS):
        rows = [
            prices[sets * one.qty : (sets + 1) * one.qty] for one, prices in zip(offer.components, dearest, strict=True)
        ]
        if any(len(row) < one.qty for row, one in zip(rows, offer.components, strict=True)):
            return best
        amount += sum(map(sum, rows)) - offer.price
        if amount <= best:
            return best  # every further set saves no more than the one before
        best = amount
    return max(best, sum(price * units for part in parts for price, units in part))
