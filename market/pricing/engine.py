"""`quote`: the best price of a case, explained. Pure: no clock, no database, no float; the same case gives the same bytes."""

from collections.abc import Sequence
from typing import Final

from market.kit.money import share_of
from market.pricing.apply import Slot, Use
from market.pricing.case import Candidate, Case, Reason
from market.pricing.gates import Shelf, find_lines, first_of, gate_outcome, make_shelf, standing_reason
from market.pricing.groups import missing_units
from market.pricing.kinds import GROUPED, Stage, group_size
from market.pricing.reading import PricingDocumentError
from market.pricing.reasons import find_hints, measure, passed_over, shut_out
from market.pricing.rebates import accrue
from market.pricing.result import AppliedOffer, Hint, NotApplied, Quote, QuoteLine, Share
from market.pricing.search import Plan, best_plan

NODE_LIMIT: Final = 60_000  # steps of the search: some seconds at the very worst


def quote(case: Case, *, node_limit: int = NODE_LIMIT) -> Quote:
    """The best price of the case over every legal combination of its candidates (pricing rules, Selection), in fen.

    `proof` is "optimal" unless the search used up `node_limit` steps: then it is "bounded", and no plan pays less than `payable − gap`.
    Raises PricingDocumentError when a candidate names a purse that the case does not hold, or two candidates have one id.
    """
    candidates = sorted(case.candidates, key=lambda candidate: candidate.offer.id)
    _check(case, candidates)
    shelf = make_shelf(case.basket, case.shop)
    uses: list[Use] = []
    shut: list[tuple[Candidate, Reason]] = []
    for candidate in candidates:
        lines, missed = find_lines(candidate.offer.match, shelf)
        gate, standing = gate_outcome(candidate, case), standing_reason(candidate, case)
        reason = first_of(gate, standing, missed) if gate or standing or missed else None
        if reason:
            shut.append((candidate, reason))
        else:
            uses.append(Use(len(uses), candidate, lines, case.basket, _slots(candidate, lines, shelf)))
    usable = [use for use in uses if _can_apply(use, case)]
    plan = best_plan(case.basket, [use for use in usable if use.offer.is_choice], case.purses, node_limit)
    plan.rebates = accrue(dict(enumerate(plan.net)), plan.rebates, [use for use in usable if not use.offer.is_choice])
    draws: dict[str, int] = {}
    for step in plan.steps:
        for purse in step.use.offer.purses if step.sponsor else ():
            draws[purse] = draws.get(purse, 0) + step.sponsor
    steps = [*plan.steps, *plan.rebates]
    measured = measure(case, steps, {purse: fen - draws.get(purse, 0) for purse, fen in case.purses.items()})
    used = {step.use.index for step in steps}
    not_applied = [shut_out(candidate, reason, measured) for candidate, reason in shut]
    not_applied += [passed_over(use, measured) for use in uses if use.index not in used]
    hints = find_hints(measured, [use for use in uses if use.index not in used], [step.use for step in plan.steps])
    return _quote(case, plan, not_applied=not_applied, draws=draws, hints=hints)


def _slots(candidate: Candidate, lines: Sequence[int], shelf: Shelf) -> list[Slot]:
    """A bundle's components with the lines that may fill them: those of the offer that the component matches too."""
    return [
        (part.qty, tuple(position for position in find_lines(part.match, shelf)[0] if position in lines))
        for part in candidate.offer.components
    ]


def _check(case: Case, candidates: Sequence[Candidate]) -> None:
    """A case must be whole: every purse known, every offer once."""
    last = None
    for candidate in candidates:
        offer = candidate.offer
        for purse in offer.purses:
            if purse not in case.purses:
                raise PricingDocumentError("purses", f"{purse} is missing, offer {offer.id} draws from it")
        if offer.id == last:
            raise PricingDocumentError("offers", f"{offer.id} is listed twice")
        last = offer.id


def _can_apply(use: Use, case: Case) -> bool:
    """Whether any plan can hold it: something to take, units enough, and a threshold that the list value reaches."""
    offer, basket = use.offer, case.basket
    if use.most <= 0 or offer.max_units == 0:
        return False
    if offer.kind in GROUPED and (
        missing_units(use, basket) or (offer.max_units is not None and offer.max_units < group_size(offer))
    ):
        return False
    if offer.min_qty > 1 and sum(basket[position].qty for position in use.lines) < offer.min_qty:
        return False
    return not use.least or sum(basket[position].list_price for position in use.lines) >= use.least


def _quote(
    case: Case, plan: Plan, *, not_applied: list[NotApplied], draws: dict[str, int], hints: tuple[Hint, ...]
) -> Quote:
    """Put the lines, steps and reasons of the chosen plan together."""
    count = len(case.basket)
    by_stage = {Stage.LINE: [0] * count, Stage.ORDER: [0] * count, Stage.SUBSIDY: [0] * count}
    back = {"member": [0] * count, "union": [0] * count}
    sponsored = [0] * count
    applied = []
    for step in [*plan.steps, *plan.rebates]:
        offer = step.use.offer
        rebate_to = offer.rebate_to if offer.stage is Stage.REBATE else None
        off = back[rebate_to] if rebate_to else by_stage[offer.stage]
        shares, done, paid_before = [], 0, 0
        for position, fen in step.shares:
            off[position] += fen
            # Per line, in line order: the difference of the rounded cumulative sums, so that the parts add up.
            done += fen
            paid = share_of(done, step.use.share_bp)
            sponsor = paid - paid_before
            paid_before = paid
            sponsored[position] += sponsor
            shares.append(Share(case.basket[position].line, fen, sponsor, fen - sponsor))
        applied.append(
            AppliedOffer(
                offer=offer.id,
                version=offer.version,
                stage=offer.stage.value,
                base=step.base,
                formula=step.formula,
                numbers=step.numbers,
                gross=step.gross,
                limited_by=step.limited_by,
                amount=step.amount,
                sponsor_pays=step.sponsor,
                sponsor=None if rebate_to else offer.sponsor,
                purse=offer.purse,
                purses=offer.purses,
                shares=tuple(shares),
                rebate_to=rebate_to,
            )
        )
    lines = []
    receives: dict[str, int] = {}
    columns = zip(case.basket, *by_stage.values(), sponsored, *back.values(), strict=True)
    for line, first, second, third, sponsor, rebate, rebate_union in columns:
        whole = line.unit_price * line.qty
        concession = first + second + third - sponsor
        receives[line.merchant] = receives.get(line.merchant, 0) + whole - concession
        lines.append(
            QuoteLine(
                line=line.line,
                merchant=line.merchant,
                qty=line.qty,
                list=whole,
                line_discount=first,
                order_discount=second,
                subsidy=third,
                pay=whole - first - second - third,
                concession=concession,
                sponsor_pays=sponsor,
                rebate=rebate,
                rebate_union=rebate_union,
            )
        )
    return Quote(
        list_total=sum(line.list for line in lines),
        payable=sum(line.pay for line in lines),
        rebate=sum(back["member"]),
        rebate_union=sum(back["union"]),
        concession=sum(line.concession for line in lines),
        sponsor_pays=sum(sponsored),
        lines=tuple(lines),
        applied=tuple(applied),
        not_applied=tuple(sorted(not_applied)),
        settlement=dict(sorted(receives.items())),
        draws=dict(sorted(draws.items())),
        hints=hints,
        proof="optimal" if plan.is_proven else "bounded",
        gap=plan.gap,
    )
