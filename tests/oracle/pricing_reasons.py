"""Why an offer did not apply, as far as the rules leave one answer: gates first, then items, then thresholds on the chosen plan."""

from tests.oracle.pricing_rules import STAGES, eligible_lines, hits

# Left to the engine's own tests: what these mean depends on how the offer would have been fitted into the chosen plan.
UNDECIDED = {"NO_EFFECT", "EXCLUSIVE_CONFLICT", "BEATEN_BY_BETTER"}

BEFORE_BUDGETS = {"WRONG_SHOP", "NOT_ACCEPTED", "DECLINED", "QUOTA_EXHAUSTED"}


def is_right_reason(case, offer, row, applied):
    """Whether a row of `not_applied` tells why, and how much is missing, on a chosen plan {offer: {line place: fen}}."""
    reason, short_by = decided_reason(case, offer, applied)
    if row["reason"] == "BUDGET_EXHAUSTED":
        has_purse = offer["stage"] != "rebate" and (offer.get("budgets") or "allowance" in offer)
        return (has_purse or "budget_remaining" in offer) and reason not in BEFORE_BUDGETS
    return (row["reason"] == reason or (not reason and row["reason"] in UNDECIDED)) and row.get("short_by") == short_by


def items_reason(case, offer):
    """Why no line is eligible; None if one is."""
    match, shop = offer.get("match", {"any": True}), case.get("shop")
    seen = [line for line in case["basket"] if line.get("discountable", True)]
    items = {name: value for name, value in match.items() if name not in {"merchants", "shops"}}
    wider = {name: value for name, value in items.items() if name != "exclude_skus"}
    if eligible_lines(case, offer):
        return None
    if any(hits(items, line, shop) for line in seen):
        return "WRONG_SHOP"
    return "ITEM_EXCLUDED" if any(hits(wider, line, shop) for line in seen) else "NO_MATCHING_ITEM"


def net_before(case, offer, applied):
    """What the eligible lines stand at when the offer's stage begins, on a plan {offer: {line place: fen}}."""
    stage_of = {one["id"]: STAGES.index(one["stage"]) for one in case["offers"]}
    earlier = [shares for name, shares in applied.items() if stage_of[name] < STAGES.index(offer["stage"])]
    lines = eligible_lines(case, offer)
    worth = sum(case["basket"][place]["unit_price"] * case["basket"][place]["qty"] for place in lines)
    return worth - sum(shares.get(place, 0) for shares in earlier for place in lines)


def decided_reason(case, offer, applied):  # noqa: PLR0911  one line for each reason
    """The reason and the fen that are missing; None for the reason where one of UNDECIDED is right."""
    items = items_reason(case, offer)
    if items == "WRONG_SHOP":
        return items, None
    if offer.get("consent") == "ask" and offer["id"] not in case["accepted"]:
        return "NOT_ACCEPTED", None
    if offer["id"] in case["declined"]:
        return "DECLINED", None
    if offer.get("uses_remaining") == 0 or offer.get("member_amount_remaining") == 0:
        return "QUOTA_EXHAUSTED", None
    if items:
        return items, None
    least = max(offer.get("min_spend", 0), min((tier["min"] for tier in offer.get("tiers", [])), default=0))
    base = net_before(case, offer, applied)
    if base < least:
        return "MIN_SPEND_NOT_MET", least - base
    if sum(case["basket"][place]["qty"] for place in eligible_lines(case, offer)) < offer.get("min_qty", 0):
        return "MIN_QTY_NOT_MET", None
    return None, None
