"""May this offer be used here, now, by this member, on these items? Gates, scopes and item matches, each answering with a reason. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from market.pricing.case import ABSENT, RANK, Candidate, Case, Line, Reason
from market.pricing.match import Match
from market.pricing.offer import Offer
from market.pricing.zones import get_zone


def gate_outcome(candidate: Candidate, case: Case) -> Reason | None:
    """The first gate that is shut (window, hours, channel, audience), or None. A stored outcome replaces them all.

    Keep this with a sale: given back as `Candidate.gate` it prices the sale again after the member's facts were erased.
    """
    if candidate.gate is not ABSENT:
        return candidate.gate
    offer = candidate.offer
    if not offer.is_gated:
        return None
    if shut := _time_reason(offer, case):
        return shut
    if offer.channels and case.channel not in offer.channels:
        return Reason.WRONG_CHANNEL
    if not all(_is_among(case.member.get(name), allowed) for name, allowed in offer.audience.items()):
        return Reason.AUDIENCE
    return None


def _time_reason(offer: Offer, case: Case) -> Reason | None:
    """Whether the moment lies before, after or beside the offer's times."""
    begin, end = offer.window or (None, None)
    if begin is not None and case.now < begin:
        return Reason.NOT_STARTED
    if end is not None and case.now >= end:
        return Reason.EXPIRED
    return Reason.OUTSIDE_HOURS if (offer.hours or offer.weekdays) and not _is_open(offer, case) else None


def _is_open(offer: Offer, case: Case) -> bool:
    """Weekdays and hours in the offer's zone. What a pair has after midnight belongs to the weekday on which the pair began."""
    here = case.now.astimezone(get_zone(offer.zone))
    minute = here.hour * 60 + here.minute
    today = not offer.weekdays or here.isoweekday() in offer.weekdays
    if not offer.hours:
        return today
    yesterday = not offer.weekdays or (here - timedelta(days=1)).isoweekday() in offer.weekdays
    for begin, end in offer.hours:
        if begin < end:
            if today and begin <= minute < end:
                return True
        elif (today and minute >= begin) or (yesterday and minute < end):
            return True
    return False


def _is_among(fact: object, allowed: Sequence[object]) -> bool:
    """Whether a member's fact (or any item of a list of them) is one of the allowed values; true is not 1."""
    facts = fact if isinstance(fact, list | tuple | set | frozenset) else (fact,)
    return any(type(one) is type(value) and one == value for one in facts for value in allowed)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The basket's discountable lines by what offers ask for, as line positions; built once for a quote."""

    lines: Sequence[Line]
    shop: str | None
    visible: tuple[int, ...]
    by_sku: Mapping[str, list[int]]
    by_category: Mapping[str, list[int]]
    found: dict[Match, tuple[tuple[int, ...], Reason | None]] = field(default_factory=dict)


def make_shelf(lines: Sequence[Line], shop: str | None) -> Shelf:
    """File the lines. A line with `discountable: false` is invisible to every offer."""
    by_sku: dict[str, list[int]] = {}
    by_category: dict[str, list[int]] = {}
    visible = []
    for position, line in enumerate(lines):
        if line.discountable:
            visible.append(position)
            by_sku.setdefault(line.sku, []).append(position)
            for category in line.categories:
                by_category.setdefault(category, []).append(position)
    return Shelf(lines, shop, tuple(visible), by_sku, by_category)


def find_lines(match: Match, shelf: Shelf) -> tuple[tuple[int, ...], Reason | None]:
    """The eligible line positions in basket order, or none and why: outside the scope, all excluded, or no such item."""
    skus, categories = match.skus, match.categories
    if not skus and not categories:
        hit: Sequence[int] = shelf.visible
    elif len(skus) == 1 and not categories:
        (sku,) = skus
        hit = shelf.by_sku.get(sku, ())
    else:
        positions = {position for sku in shelf.by_sku.keys() & skus for position in shelf.by_sku[sku]}
        for category in shelf.by_category.keys() & categories:
            positions.update(shelf.by_category[category])
        hit = sorted(positions)
    if not hit:
        return (), Reason.NO_MATCHING_ITEM
    lines = shelf.lines
    kept = (
        [position for position in hit if lines[position].sku not in match.exclude_skus] if match.exclude_skus else hit
    )
    if not kept:
        return (), Reason.ITEM_EXCLUDED
    if match.shops and shelf.shop not in match.shops:
        return (), Reason.WRONG_SHOP
    if match.merchants:
        kept = [position for position in kept if lines[position].merchant in match.merchants]
    return (tuple(kept), None) if kept else ((), Reason.WRONG_SHOP)


def standing_reason(candidate: Candidate, case: Case) -> Reason | None:
    """Why the member or the standing shuts this offer out before any item is looked at, or None."""
    offer = candidate.offer
    if offer.consent == "ask" and offer.id not in case.accepted:
        return Reason.NOT_ACCEPTED
    if offer.id in case.declined:
        return Reason.DECLINED
    if candidate.uses_remaining == 0 or candidate.member_amount_remaining == 0:
        return Reason.QUOTA_EXHAUSTED
    return Reason.BUDGET_EXHAUSTED if candidate.budget_remaining == 0 else None


def first_of(*reasons: Reason | None) -> Reason | None:
    """The reason that comes first in order of precedence, or None if none holds."""
    return min((reason for reason in reasons if reason), key=RANK.__getitem__, default=None)
