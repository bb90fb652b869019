"""A deliberately naive pricer, written from the pricing rules alone: it tries every plan and keeps the best. Slow on purpose.

It reads cases of the pricing document as plain dicts, imports nothing of the engine, and is used only to test it.
"""

from bisect import bisect_right
from fractions import Fraction
from itertools import combinations, combinations_with_replacement, product
from math import comb, floor

STAGES = ["line", "order", "subsidy"]


def round_half_up(value):
    return floor(value + Fraction(1, 2))


def part(amount, basis_points):
    return round_half_up(Fraction(amount * basis_points, 10000))


def share_out(amount, weights):
    """Largest remainder over {name: weight} in order of names; ties to the larger weight, then the earlier."""
    whole = sum(weights.values())
    if whole == 0:
        assert amount == 0
        return dict.fromkeys(weights, 0)
    exact = {name: Fraction(amount * weight, whole) for name, weight in weights.items()}
    shares = {name: floor(value) for name, value in exact.items()}
    names = list(weights)
    for _ in range(amount - sum(shares.values())):
        winner = max(names, key=lambda name: (exact[name] - shares[name], weights[name], -names.index(name)))
        shares[winner] += 1
        exact[winner] = Fraction(shares[winner])  # it has had its spare fen
    return shares


def eligible_lines(case, offer):
    match = offer.get("match", {"any": True})
    found = []
    for place, line in enumerate(case["basket"]):
        if not line.get("discountable", True):
            continue
        names_items = "skus" in match or "categories" in match
        hit = not names_items
        if line["sku"] in match.get("skus", []):
            hit = True
        if set(line["categories"]) & set(match.get("categories", [])):
            hit = True
        if line["sku"] in match.get("exclude_skus", []):
            hit = False
        if "merchants" in match and line["merchant"] not in match["merchants"]:
            hit = False
        if "shops" in match and case.get("shop") not in match["shops"]:
            hit = False
        if hit:
            found.append(place)
    return found


def is_usable(case, offer):  # noqa: PLR0911  one line for each rule
    if offer.get("consent", "auto") == "ask" and offer["id"] not in case.get("accepted", []):
        return False
    if offer["id"] in case.get("declined", []):
        return False
    if offer.get("gate") or offer.get("uses_remaining") == 0 or offer.get("member_amount_remaining") == 0:
        return False
    lines = eligible_lines(case, offer)
    if not lines:
        return False
    if sum(case["basket"][place]["qty"] for place in lines) < offer.get("min_qty", 0):
        return False
    if offer["stage"] == "line":
        value = sum(case["basket"][place]["qty"] * case["basket"][place]["unit_price"] for place in lines)
        return value >= offer.get("min_spend", 0)
    return True


def may_stand_together(offers):
    groups = [offer["group"] for offer in offers if offer.get("group")]
    if len(set(groups)) != len(groups):
        return False
    for offer in offers:
        others = [other for other in offers if other is not offer]
        alone = offer.get("alone", "none")
        if alone == "all" and others:
            return False
        if alone == "stage" and any(other["stage"] == offer["stage"] for other in others):
            return False
    return True


def application_order(offers):
    def place(offer):
        late = offer["stage"] == "line" and offer["kind"] == "percent_off"
        return (STAGES.index(offer["stage"]), late, -offer.get("priority", 0), offer["id"])

    return sorted(offers, key=place)


def after_limits(offer, amount, purses):
    """The amount after every cap, or None when a budget that may not be short is short."""
    if "max_discount" in offer:
        amount = min(amount, offer["max_discount"])
    if "member_amount_remaining" in offer:
        amount = min(amount, offer["member_amount_remaining"])
    partial = offer.get("on_shortage", "none") == "partial"
    if "budget_remaining" in offer:
        if partial:
            amount = min(amount, offer["budget_remaining"])
        elif amount > offer["budget_remaining"]:
            return None
    named = list(offer.get("budgets", [])) + ([offer["allowance"]] if "allowance" in offer else [])
    share = offer.get("sponsor_share_bp", 0)
    for purse in named:
        if part(amount, share) > purses[purse]:
            if not partial:
                return None
            amount = bisect_right(range(amount), purses[purse], key=lambda less: part(less, share)) - 1
    for purse in named:
        purses[purse] -= part(amount, share)
    return amount


def price_plan(case, chosen, units):  # noqa: C901, PLR0912, PLR0915  the rules in their order, in one piece on purpose
    """Work a plan out. `units` is, by line, a list of frozensets of offer ids, one for each unit. None if it is not legal."""
    basket = case["basket"]
    purses = dict(case.get("purses", {}))
    pools = []
    for place, line in enumerate(basket):
        here = {}
        for carried in units[place]:
            here[carried] = here.get(carried, 0) + 1
        pools.append({carried: [count, count * line["unit_price"]] for carried, count in here.items()})
    net = [line["unit_price"] * line["qty"] for line in basket]
    applied = {}
    sponsor = {}
    at_stage = {}
    for offer in application_order(chosen):
        name = offer["id"]
        if offer["stage"] == "line":
            uncapped = {}
            touched = 0
            for place in eligible_lines(case, offer):
                mine = {carried: pool for carried, pool in pools[place].items() if name in carried}
                if mine:
                    touched += sum(pool[0] for pool in mine.values())
                    if offer["kind"] == "percent_off":
                        uncapped[place] = part(sum(pool[1] for pool in mine.values()), offer["rate_bp"])
                    else:
                        uncapped[place] = sum(min(pool[0] * offer["amount"], pool[1]) for pool in mine.values())
            if touched > offer.get("max_units", touched):
                return None
            amount = after_limits(offer, sum(uncapped.values()), purses)
            if not amount:
                return None
            shares = uncapped if amount == sum(uncapped.values()) else share_out(amount, uncapped)
            for place, share in shares.items():
                mine = {carried: pool[1] for carried, pool in pools[place].items() if name in carried}
                for carried, off in share_out(share, mine).items():
                    pools[place][carried][1] -= off
        else:
            lines = eligible_lines(case, offer)
            if offer["stage"] not in at_stage:
                at_stage[offer["stage"]] = list(net)
            base = sum(at_stage[offer["stage"]][place] for place in lines)
            running = sum(net[place] for place in lines)
            if base < offer.get("min_spend", 0):
                return None
            if offer["kind"] == "amount_off":
                amount = offer["amount"]
            elif offer["kind"] == "percent_off":
                amount = part(running, offer["rate_bp"])
            else:
                reached = [tier for tier in offer["tiers"] if base >= tier["min"]]
                if not reached:
                    return None
                tier = max(reached, key=lambda tier: tier["min"])
                amount = tier["off"] * (base // tier["min"] if offer.get("repeat") else 1)
            amount = after_limits(offer, min(amount, running), purses)
            if not amount:
                return None
            shares = share_out(amount, {place: net[place] for place in lines})
        for place, share in shares.items():
            net[place] -= share
        applied[name] = {place: share for place, share in shares.items() if share}
        sponsor[name] = part(amount, offer.get("sponsor_share_bp", 0))
    key = (sum(net), sum(sponsor.values()), len(chosen), sorted(applied), net)
    return key, applied


def ways_of_unit(case, place, usable):
    """What one unit of a line may carry: nothing, one line offer, or several that are all stackable."""
    mine = [offer for offer in usable if offer["stage"] == "line" and place in eligible_lines(case, offer)]
    ways = [frozenset()] + [frozenset([offer["id"]]) for offer in mine]
    stackable = [offer["id"] for offer in mine if offer.get("line_stackable")]
    for size in range(2, len(stackable) + 1):
        ways += [frozenset(some) for some in combinations(stackable, size)]
    return ways


def count_plans(case):
    usable = [offer for offer in case["offers"] if is_usable(case, offer)]
    plans = 2 ** sum(offer["stage"] != "line" for offer in usable)
    for place, line in enumerate(case["basket"]):
        ways = len(ways_of_unit(case, place, usable))
        plans *= comb(ways + line["qty"] - 1, line["qty"])
    return plans


def best_plans(case):
    """The least key (paid, sponsor cost, offers, ids, paid by line) and every outcome that reaches it: {offer: {line place: fen}}."""
    usable = [offer for offer in case["offers"] if is_usable(case, offer)]
    by_id = {offer["id"]: offer for offer in usable}
    upper = [offer for offer in usable if offer["stage"] != "line"]
    by_line = []
    for place, line in enumerate(case["basket"]):
        ways = ways_of_unit(case, place, usable)
        # Units of a line are alike, so only how many carry what makes a difference.
        by_line.append(list(combinations_with_replacement(ways, line["qty"])))
    best, outcomes = None, []
    for units in product(*by_line):
        used = {name for line in units for carried in line for name in carried}
        for size in range(len(upper) + 1):
            for some in combinations(upper, size):
                chosen = [by_id[name] for name in used] + list(some)
                if not may_stand_together(chosen):
                    continue
                priced = price_plan(case, chosen, units)
                if priced is None:
                    continue
                if best is None or priced[0] < best:
                    best, outcomes = priced[0], []
                if priced[0] == best and priced[1] not in outcomes:
                    outcomes.append(priced[1])
    return best, outcomes
