"""Why each candidate that did not apply did not, measured on the chosen plan. Pure."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from market.pricing.apply import Step, Use, limit, most_fitting
from market.pricing.case import Candidate, Case, Line, Reason
from market.pricing.gates import first_of
from market.pricing.groups import least_of_group, missing_units
from market.pricing.kinds import GROUPED, Stage, least_gross, least_spend, order_gross
from market.pricing.result import Hint, NotApplied

MOST_HINTS = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """The chosen plan as reasons look at it: its steps in order of application and what it leaves in the purses."""

    basket: Sequence[Line]
    steps: Sequence[Step]
    left: Mapping[str, int]
    groups: AbstractSet[str]
    stages: AbstractSet[Stage]
    stands_alone: AbstractSet[str]

    def paid(self, position: int) -> int:
        """What is paid for a line, in fen."""
        off = sum(
            share
            for step in self.steps
            if step.use.offer.stage is not Stage.REBATE
            for at, share in step.shares
            if at == position
        )
        return self.basket[position].list_price - off

    def net_before(self, use: Use) -> tuple[int, int]:
        """The eligible net before the use's stage, which thresholds look at, and at its own turn, which the amount is taken from."""
        eligible = set(use.lines)
        before = running = sum(self.basket[position].list_price for position in use.lines)
        stage, place = use.offer.stage, use.offer.place
        for step in self.steps:
            if step.use.offer.place >= place:
                break
            if step.use.offer.stage is Stage.REBATE:
                continue  # a rebate lowers nothing that is paid
            off = sum(share for position, share in step.shares if position in eligible)
            running -= off
            if step.use.offer.stage is not stage:
                before -= off
        return before, running


def measure(case: Case, steps: Sequence[Step], left: Mapping[str, int]) -> Measured:
    """Gather what the reasons ask of the plan."""
    # A rebate to the union stands outside groups and stand-alone rules.
    offers = [step.use.offer for step in steps if step.use.offer.is_choice]
    return Measured(
        basket=case.basket,
        steps=steps,
        left=left,
        groups={offer.group for offer in offers if offer.group is not None},
        stages={offer.stage for offer in offers},
        stands_alone={"all" if offer.alone == "all" else offer.stage for offer in offers if offer.alone != "none"},
    )


def shut_out(candidate: Candidate, reason: Reason, plan: Measured) -> NotApplied:
    """The row of a candidate that gates, standing or match shut out. An empty purse comes first where it takes precedence."""
    offer = candidate.offer
    empty = offer.sponsor_share_bp > 0 and any(plan.left[purse] == 0 for purse in offer.purses)
    found = first_of(reason, Reason.BUDGET_EXHAUSTED if empty else None) or reason
    return NotApplied(offer.id, offer.version, found)


def passed_over(use: Use, plan: Measured) -> NotApplied:
    """The row of a usable candidate that the chosen plan does without."""
    offer = use.offer
    units = sum(plan.basket[position].qty for position in use.lines)
    spent, running = plan.net_before(use)
    if offer.stage is Stage.LINE:
        # Thresholds of the line stage look at the list value.
        spent = sum(plan.basket[position].list_price for position in use.lines)
    need = least_spend(offer)
    gross = 0
    if spent >= need and units >= offer.min_qty:
        gross = _least_line_gross(use, plan) if offer.stage is Stage.LINE else order_gross(offer, spent, running).amount
    missing = missing_units(use, plan.basket) if offer.kind in GROUPED else 0
    limited = limit(use, gross, gross if offer.stage is Stage.LINE else running, plan.left)
    if limited is None or (gross and not limited[0] and limited[1] in offer.purses) or _has_empty_purse(use, plan):
        return NotApplied(offer.id, offer.version, Reason.BUDGET_EXHAUSTED)
    if spent < need:
        return NotApplied(offer.id, offer.version, Reason.MIN_SPEND_NOT_MET, short_by=need - spent)
    if units < offer.min_qty:
        return NotApplied(offer.id, offer.version, Reason.MIN_QTY_NOT_MET, short_by_units=offer.min_qty - units)
    if not limited[0] or offer.max_units == 0 or missing or _has_nothing_left(use, plan):
        return NotApplied(offer.id, offer.version, Reason.NO_EFFECT, short_by_units=missing or None)
    barred = _is_barred(use, plan)
    return NotApplied(offer.id, offer.version, Reason.EXCLUSIVE_CONFLICT if barred else Reason.BEATEN_BY_BETTER)


def find_hints(plan: Measured, passed_over: Sequence[Use], applied: Sequence[Use]) -> tuple[Hint, ...]:
    """The nearest two "spend so much more": offers whose least spend is not reached, and the next tier of those that apply."""
    found = []
    for use in (*passed_over, *applied):
        offer = use.offer
        if not offer.min_spend and not offer.tiers:
            continue
        units = sum(plan.basket[position].qty for position in use.lines)
        if units < offer.min_qty or (use in passed_over and _is_barred(use, plan)):
            continue
        spent, running = plan.net_before(use)
        if offer.stage is Stage.LINE:
            spent = sum(plan.basket[position].list_price for position in use.lines)
        need = next((least for least, _ in offer.tiers if least > spent), 0)
        need = max(need, offer.min_spend) if need or not offer.tiers else 0
        if need <= spent:
            continue
        more = need - spent
        gross = use.most if offer.stage is Stage.LINE else order_gross(offer, need, running + more).amount
        limited = limit(use, gross, running + more, plan.left)
        if limited is not None and limited[0]:
            found.append(Hint(offer.id, offer.version, more, limited[0]))
    return tuple(sorted(found, key=lambda hint: (hint.short_by, -hint.off, hint.offer))[:MOST_HINTS])


def _has_nothing_left(use: Use, plan: Measured) -> bool:
    """Whether earlier rebates have taken all that was paid for the lines of a rebate."""
    if use.offer.stage is not Stage.REBATE:
        return False
    left = {position: plan.paid(position) for position in use.lines}
    for step in plan.steps:
        if step.use.offer.stage is Stage.REBATE:
            for position, share in step.shares:
                if position in left:
                    left[position] -= share
    return not any(left.values())


def _is_barred(use: Use, plan: Measured) -> bool:
    """Whether a group or a stand-alone rule keeps it from standing beside an applied offer."""
    offer = use.offer
    if not offer.is_choice:
        return False
    if offer.group in plan.groups or "all" in plan.stands_alone or offer.stage in plan.stands_alone:
        return True
    return (offer.alone == "all" and bool(plan.stages)) or (offer.alone == "stage" and offer.stage in plan.stages)


def _has_empty_purse(use: Use, plan: Measured) -> bool:
    """Whether the plan leaves nothing in a purse it needs. A part too small to cost the sponsor a fen needs none."""
    share = use.share_bp
    return (
        any(plan.left[purse] == 0 and most_fitting(0, share) < use.most for purse in use.offer.purses)
        if share
        else False
    )


def _least_line_gross(use: Use, plan: Measured) -> int:
    """The smallest amount above 0 that a line offer can take: a budget too short even for that shuts it out."""
    if use.offer.kind in GROUPED:
        return least_of_group(use, plan.basket)
    least = 0
    for position in use.lines:
        gross = least_gross(use.offer, plan.basket[position].unit_price, plan.basket[position].qty)
        if gross and (not least or gross < least):
            least = gross
    return least
