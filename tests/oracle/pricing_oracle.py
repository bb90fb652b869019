"""A deliberately naive pricer: it tries every plan by pricing_rules and pricing_plan, and keeps the best. No code of the engine."""

from itertools import combinations, combinations_with_replacement, product
from math import comb

from tests.oracle.pricing_plan import Plan
from tests.oracle.pricing_rules import application_order, eligible_lines, is_usable, may_stand_together, part

STEPS = ["to_member", "subsidy_back", "concession_back", "rebate_back"]


def is_for_union(offer):
    return offer["stage"] == "rebate" and offer.get("rebate_to", "member") == "union"


def usable_offers(case):
    return [offer for offer in case["offers"] if is_usable(case, offer)]


def ways_of_unit(case, place, usable):
    """What one unit of a line may carry: nothing, one line offer, or several that are all stackable."""
    price = case["basket"][place]["unit_price"]
    mine = [offer for offer in usable if offer["stage"] == "line" and place in eligible_lines(case, offer)]
    mine = [offer for offer in mine if offer["kind"] != "fixed_unit_price" or price > offer["price"]]
    stackable = [
        offer["id"]
        for offer in mine
        if offer.get("line_stackable") and offer["kind"] in {"percent_off", "amount_off_unit"}
    ]
    ways = [frozenset()] + [frozenset([offer["id"]]) for offer in mine]
    for size in range(2, len(stackable) + 1):
        ways += [frozenset(some) for some in combinations(stackable, size)]
    return ways


def count_plans(case):
    """How many plans there are to try, legal or not."""
    usable = usable_offers(case)
    plans = 2 ** sum(offer["stage"] != "line" and not is_for_union(offer) for offer in usable)
    for place, line in enumerate(case["basket"]):
        ways = len(ways_of_unit(case, place, usable))
        plans *= comb(ways + line["qty"] - 1, line["qty"])
    return plans


def best_plans(case):
    """The least key and every plan that reaches it in another way: a key and a list of {offer: {line place: fen}}.

    The key is (paid, minus the member's rebate, sponsor cost, offers, sorted ids, paid by line).
    """
    usable = usable_offers(case)
    by_id = {offer["id"]: offer for offer in usable}
    lines_of = {offer["id"]: eligible_lines(case, offer) for offer in usable}
    chances = [offer for offer in usable if offer["stage"] != "line" and not is_for_union(offer)]
    upper = [some for size in range(len(chances) + 1) for some in combinations(chances, size)]
    by_line = []
    for place, line in enumerate(case["basket"]):
        ways = ways_of_unit(case, place, usable)
        # Units of a line are alike, so only how many carry what makes a difference.
        by_line.append(list(combinations_with_replacement(ways, line["qty"])))
    best, outcomes = None, []
    for units in product(*by_line):
        chosen = [by_id[name] for name in sorted({name for line in units for carried in line for name in carried})]
        if not may_stand_together(chosen):
            continue
        after_lines = Plan(case)
        if not after_lines.run_line_stage(chosen, units):
            continue
        for some in upper:
            if not may_stand_together([*chosen, *some]):
                continue
            plan = finish(after_lines.copy(), some, lines_of)
            if plan is None:
                continue
            key = (sum(plan.net), -sum(plan.back), plan.sponsor, len(plan.applied), sorted(plan.applied), plan.net)
            if best is None or key < best:
                best, outcomes = key, []
            if key == best and plan.applied not in outcomes:
                outcomes.append(plan.applied)
    return best, [with_union_rebates(case, applied, best[-1], lines_of) for applied in outcomes]


def finish(plan, offers, lines_of):
    """The stages above the line stage; None if one of the offers has no effect there."""
    for stage in ("order", "subsidy"):
        if not plan.run_stage([offer for offer in offers if offer["stage"] == stage], lines_of):
            return None
    for offer in application_order([offer for offer in offers if offer["stage"] == "rebate"]):
        if not plan.give_back(offer, lines_of[offer["id"]]):
            return None
    return plan


def with_union_rebates(case, applied, paid, lines_of):
    """The same plan with every rebate to the union that is usable: no choice, so it comes after the choice."""
    plan = Plan(case)
    plan.net, plan.applied = list(paid), dict(applied)
    for offer in case["offers"]:
        if offer["stage"] == "rebate":
            for place, share in applied.get(offer["id"], {}).items():
                plan.back[place] += share
    for offer in application_order([offer for offer in usable_offers(case) if is_for_union(offer)]):
        plan.give_back(offer, lines_of[offer["id"]])
    return plan.applied


def sponsor_parts(offer, shares):
    """The sponsor's part of each line: the difference of the rounded sums so far, in the order of lines."""
    parts, before = {}, 0
    if offer["stage"] == "rebate":
        return dict.fromkeys(shares, 0)
    for place in sorted(shares):
        until = before + shares[place]
        parts[place] = part(until, offer.get("sponsor_share_bp", 0)) - part(before, offer.get("sponsor_share_bp", 0))
        before = until
    return parts


def figures(case, paid, applied):
    """A plan cut by line and payer: list, pay, concession, sponsors {offer: fen} and rebates {offer: fen} of each line."""
    offers = {offer["id"]: offer for offer in case["offers"]}
    rows = []
    for place, line in enumerate(case["basket"]):
        worth = line["unit_price"] * line["qty"]
        sponsors = {name: sponsor_parts(offers[name], shares).get(place, 0) for name, shares in applied.items()}
        rebates = {name: shares.get(place, 0) for name, shares in applied.items() if offers[name]["stage"] == "rebate"}
        concession = worth - paid[place] - sum(sponsors.values())
        rows.append(
            {"list": worth, "pay": paid[place], "concession": concession, "sponsors": sponsors, "rebates": rebates}
        )
    return rows


def refund_pro_rata(row, qty, steps):
    """Each part has been given back by the same floor after each step, whatever the steps."""
    given, before = [], 0
    for units in steps:
        until = before + units

        def back(fen, before=before, until=until):
            return fen * until // qty - fen * before // qty

        sponsors = sum(back(fen) for fen in row["sponsors"].values())
        rebates = sum(back(fen) for fen in row["rebates"].values())
        given.append(dict(zip(STEPS, [back(row["pay"]), sponsors, back(row["concession"]), rebates], strict=True)))
        before = until
    return given


def refund_reprice_kept(case, rows, place, steps):
    """The purchase less the best price of what is kept, less what earlier steps gave, never below zero."""

    def totals(rows):
        pay, concession = sum(row["pay"] for row in rows), sum(row["concession"] for row in rows)
        sponsors, rebates = (sum(sum(row[name].values()) for row in rows) for name in ("sponsors", "rebates"))
        return dict(zip(STEPS, [pay, sponsors, concession, rebates], strict=True))

    bought, sums, given, gone = totals(rows), dict.fromkeys(STEPS, 0), [], 0
    for units in steps:
        gone += units
        kept = [dict(line) for line in case["basket"]]
        kept[place]["qty"] -= gone
        kept_case = {**case, "basket": [line for line in kept if line["qty"]]}
        key, outcomes = best_plans(kept_case)
        worth = totals(figures(kept_case, key[-1], outcomes[0]))
        given.append({name: max(0, bought[name] - worth[name] - sums[name]) for name in STEPS})
        for name in STEPS:
            sums[name] += given[-1][name]
    return given
