"""The pricing rules, written from their text alone: what an offer matches, who may stand together, what caps leave. Slow on purpose.

Cases are plain dicts of the pricing document. Nothing of the engine is imported: this is what the engine is tested against.
"""

from itertools import product

STAGES = ["line", "order", "subsidy", "rebate"]
CAPS = ["max_discount", "member_amount_remaining"]


def round_half_up(above, below):
    whole, rest = divmod(above, below)
    return whole + (2 * rest >= below)


def part(amount, basis_points):
    return round_half_up(amount * basis_points, 10000)


def share_out(amount, weights):
    """Largest remainder over {name: weight} in order of names; ties to the larger weight, then the earlier."""
    whole = sum(weights.values())
    if whole == 0:
        assert amount == 0
        return dict.fromkeys(weights, 0)
    shares = {name: amount * weight // whole for name, weight in weights.items()}
    spare = amount - sum(shares.values())
    places = list(weights)
    ranked = sorted(places, key=lambda name: (-(amount * weights[name] % whole), -weights[name], places.index(name)))
    for name in ranked[:spare]:
        shares[name] += 1
    return shares


def hits(match, line, shop):
    """Whether an item condition and a scope both hold on a line."""
    hit = "skus" not in match and "categories" not in match
    if line["sku"] in match.get("skus", []):
        hit = True
    if set(line["categories"]) & set(match.get("categories", [])):
        hit = True
    if line["sku"] in match.get("exclude_skus", []):
        hit = False
    if "merchants" in match and line["merchant"] not in match["merchants"]:
        hit = False
    if "shops" in match and shop not in match["shops"]:
        hit = False
    return hit


def eligible_lines(case, offer):
    """The places of the lines an offer sees; for a bundle and a buy-x-get-y too, whatever the components say."""
    match = offer.get("match", {"any": True})
    return [
        place
        for place, line in enumerate(case["basket"])
        if line.get("discountable", True) and hits(match, line, case.get("shop"))
    ]


def is_usable(case, offer):  # noqa: PLR0911  one line for each rule
    """Whether an offer may be part of a plan, as far as that can be told without a plan."""
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
        alone = offer.get("alone", "none")
        if alone == "all" and len(offers) > 1:
            return False
        if alone == "stage" and sum(other["stage"] == offer["stage"] for other in offers) > 1:
            return False
    return True


def application_order(offers):
    def place(offer):
        late = offer["stage"] == "line" and offer["kind"] == "percent_off"
        return (STAGES.index(offer["stage"]), late, -offer.get("priority", 0), offer["id"])

    return sorted(offers, key=place)


def whole_sets(case, offer, touched):
    """Into how many whole sets of a bundle the touched units {line place: units} can be dealt; 0 if they cannot."""
    components = offer["components"]
    sets, over = divmod(sum(touched.values()), sum(component["qty"] for component in components))
    if over:
        return 0

    def can_deal(left, rest):
        if not rest:
            return not any(left.values())
        wanted = sets * rest[0]["qty"]
        fitting = [place for place in left if hits(rest[0]["match"], case["basket"][place], case.get("shop"))]
        for taken in product(*(range(min(left[place], wanted) + 1) for place in fitting)):
            if sum(taken) == wanted:
                remaining = dict(left)
                for place, units in zip(fitting, taken, strict=True):
                    remaining[place] -= units
                if can_deal(remaining, rest[1:]):
                    return True
        return False

    return sets if can_deal(touched, components) else 0


def off_of_sets(case, offer, touched):
    """What a bundle or a buy-x-get-y takes off the touched units before caps; None if they are no whole groups."""
    prices = sorted(
        (case["basket"][place]["unit_price"] for place in touched for _ in range(touched[place])), reverse=True
    )
    if offer["kind"] == "bundle":
        sets = whole_sets(case, offer, touched)
        return sum(prices) - sets * offer["price"] if sets else None
    size = offer["buy"] + offer["get"]
    if len(prices) % size:
        return None
    off = 0
    for begin in range(0, len(prices), size):
        for price in prices[begin + offer["buy"] : begin + size]:
            off += part(price, offer["get_rate_bp"])
    return off


def after_limits(offer, amount, purses):  # noqa: C901  one limit after the other
    """The amount after every cap, or None when a budget that may not be short is short. Draws the purses."""
    for cap in CAPS:
        amount = min(amount, offer.get(cap, amount))
    partial = offer.get("on_shortage", "none") == "partial"
    if "budget_remaining" in offer:
        if partial:
            amount = min(amount, offer["budget_remaining"])
        elif amount > offer["budget_remaining"]:
            return None
    if offer["stage"] == "rebate":
        return amount  # the merchant bears it: no purse, no sponsor
    named = list(offer.get("budgets", [])) + ([offer["allowance"]] if "allowance" in offer else [])
    share = offer.get("sponsor_share_bp", 0)
    for purse in named:
        if part(amount, share) > purses[purse]:
            if not partial:
                return None
            while part(amount, share) > purses[purse]:
                amount -= 1
    for purse in named:
        purses[purse] -= part(amount, share)
    return amount
