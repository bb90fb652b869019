"""Plans of which it is plain without search that no other is as good. Pure."""

from collections.abc import Mapping, Sequence

from market.kit.money import share_of
from market.pricing.apply import Outcome, Pool, Step, Use, apply_plan
from market.pricing.case import Line
from market.pricing.kinds import GROUPED, Kind, Stage


def find_all_in(
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
