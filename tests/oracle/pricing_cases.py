"""Random small cases of the pricing document, made awkward: ties, thresholds close by, purses too small, offers that exclude each other."""

from tests.oracle.pricing_rules import hits

PRICES = [0, 1, 2, 3, 5, 7, 10, 33, 50, 99, 100, 101, 250, 999, 1000, 1001, 2500, 6000]
# A case draws its prices from one of these: a narrow one makes equal prices, and so ties, common.
PALETTES = [PRICES, PRICES, PRICES, [1, 2, 3], [99, 100, 101], [50, 100], [10, 33, 1000]]
RATES = [1, 49, 100, 333, 500, 700, 1000, 1250, 2000, 3333, 5000, 6667, 9999, 10000]
SKUS = ["a", "b", "c", "d"]
CATEGORIES = ["x", "y"]
NAMES = ["A", "B", "C", "D", "E", "F"]
HOW_MANY = [1, 2, 3, 3, 4, 4, 5, 5, 6, 6]
KINDS = [  # stage, kind, weight
    ("line", "percent_off", 4),
    ("line", "amount_off_unit", 3),
    ("line", "fixed_unit_price", 2),
    ("line", "buy_x_get_y", 3),
    ("line", "bundle", 3),
    ("order", "spend_save", 4),
    ("order", "amount_off", 1),
    ("order", "percent_off", 2),
    ("subsidy", "amount_off", 2),
    ("subsidy", "percent_off", 2),
    ("rebate", "percent_back", 3),
    ("rebate", "amount_back", 3),
]
MIXED = [(stage, kind) for stage, kind, weight in KINDS for _ in range(weight)]
SETS = [("line", "buy_x_get_y"), ("line", "bundle")]


def random_case(rng):
    """One case as a plain dict: at most 4 lines, 8 units and 6 offers of every kind."""
    prices, basket, units = rng.choice(PALETTES), [], 0
    for number in range(rng.randint(1, 4)):
        qty = min(rng.choice([1, 1, 1, 2, 2, 3, 4]), 8 - units)
        if qty < 1:
            break
        line = random_line(rng, number, prices, qty)
        if basket and rng.random() < 0.2 and units + basket[-1]["qty"] <= 8:  # a line just like the one before
            line = {**basket[-1], "line": line["line"]}
        units += line["qty"]
        basket.append(line)
    case = around(rng, basket)
    # Half of the cases draw from a few kinds only, so that offers of one kind meet each other.
    kinds = MIXED if rng.random() < 0.5 else rng.sample(MIXED, 4)
    case["offers"] = [random_offer(rng, name, basket, kinds) for name in rng.sample(NAMES, rng.choice(HOW_MANY))]
    return agreed(rng, case)


def random_set_case(rng):
    """One case of single units under sets that reach over all lines: bundles and buy-x-get-y, with a few offers beside them."""
    prices = rng.choice(PALETTES)
    basket = [random_line(rng, number, prices, 1) for number in range(rng.randint(3, 7))]
    case = around(rng, basket)
    names = rng.sample(NAMES, rng.randint(1, 4))
    case["offers"] = [random_offer(rng, name, basket, SETS if rank < 2 else MIXED) for rank, name in enumerate(names)]
    for offer in case["offers"]:
        if rng.random() < 0.7:
            offer["match"] = {"any": True}
    return agreed(rng, case)


def random_line(rng, number, prices, qty):
    line = {"line": f"L{number}", "sku": rng.choice(SKUS), "merchant": rng.choice(["M1", "M1", "M2"])}
    line |= {"categories": rng.sample(CATEGORIES, rng.randint(0, 2)), "unit_price": rng.choice(prices), "qty": qty}
    if rng.random() < 0.06:
        line["discountable"] = False
    return line


def around(rng, basket):
    """A case with its purses, without offers."""
    whole = list_value(basket)
    case = {"id": "random", "now": "2026-12-01T12:05:00+08:00", "channel": "shop", "shop": "S1", "basket": basket}
    case["purses"] = {"b1": rng.randint(0, max(1, whole // 2)), "b2": rng.randint(0, whole + 1)}
    return case


def agreed(rng, case):
    """The case with what the shopper agreed to and lines that go back."""
    asked = [offer["id"] for offer in case["offers"] if offer.get("consent") == "ask"]
    case["accepted"] = [name for name in asked if rng.random() < 0.7]
    case["declined"] = [offer["id"] for offer in case["offers"] if rng.random() < 0.03]
    case["refunds"] = []
    for policy, chance in (("pro_rata", 0.4), ("reprice_kept", 0.2)):
        if rng.random() < chance:
            line = rng.choice(case["basket"])
            steps, left = [], rng.randint(1, line["qty"])
            while left:
                steps.append({"units": rng.randint(1, left)})
                left -= steps[-1]["units"]
            case["refunds"].append({"policy": policy, "line": line["line"], "steps": steps})
    return case


def list_value(basket):
    return sum(line["unit_price"] * line["qty"] for line in basket)


def random_items(rng):
    chance = rng.random()
    if chance < 0.2:
        return {"skus": rng.sample(SKUS, rng.randint(1, 3))}
    if chance < 0.35:
        return {"categories": rng.sample(CATEGORIES, 1)}
    if chance < 0.45:
        return {"skus": rng.sample(SKUS, 1), "categories": rng.sample(CATEGORIES, 1)}
    return {"any": True}


def random_match(rng):
    match = random_items(rng)
    if rng.random() < 0.1:
        match["exclude_skus"] = rng.sample(SKUS, 1)
    if rng.random() < 0.1:
        match["merchants"] = rng.sample(["M1", "M2"], 1)
    if rng.random() < 0.05:
        match["shops"] = [rng.choice(["S1", "S2"])]
    return match


def random_terms(rng, kind, basket, whole):  # noqa: PLR0911  one answer for each form of terms
    """The parameters of a kind, with values that this basket makes matter. `whole` is the list value of what the offer sees."""
    prices = [line["unit_price"] for line in basket]
    small = [1, 2, 3, 5, 10, 20, 50, 99, 100, 150, 300, 500, max(1, whole // 3), whole + 5]
    if kind in {"percent_off", "percent_back"}:
        return {"rate_bp": rng.choice(RATES)}
    if kind in {"amount_off", "amount_off_unit", "amount_back"}:
        return {"amount": rng.choice(small)}
    if kind == "fixed_unit_price":
        return {"price": max(0, rng.choice(prices) - rng.choice([0, 1, 2, 10, 50]))}
    if kind == "buy_x_get_y":
        return {
            "buy": rng.choice([1, 1, 2]),
            "get": rng.choice([1, 1, 1, 2]),
            "get_rate_bp": rng.choice([10000, 10000, 5000, 3333]),
        }
    if kind == "bundle":
        components = [
            {"match": random_items(rng), "qty": rng.choice([1, 1, 1, 2])} for _ in range(rng.choice([1, 2, 2, 2, 3]))
        ]
        worth = sum(component["qty"] * rng.choice(prices) for component in components)
        return {"components": components, "price": max(0, worth - rng.choice([0, 1, 5, 50, worth // 3, worth // 10]))}
    least = max(
        1, rng.choice([rng.randint(0, whole), rng.randint(0, whole), whole, whole - 1, whole - rng.choice(small)])
    )
    tiers = [{"min": least, "off": rng.randint(0, least)}]
    if rng.random() < 0.4:
        tiers.append({"min": least + rng.choice(small), "off": rng.choice(small)})
    if rng.random() < 0.3:
        return {"tiers": [{"min": tier["min"], "off": min(tier["off"], tier["min"])} for tier in tiers], "repeat": True}
    return {"tiers": tiers}


def random_offer(rng, name, basket, kinds):
    """One offer of one of the kinds, with gates, caps, purses and stacking at random."""
    stage, kind = rng.choice(kinds)
    offer = {"id": name, "stage": stage, "kind": kind, "match": random_match(rng)}
    whole = list_value([line for line in basket if hits(offer["match"], line, "S1")])
    offer |= random_terms(rng, kind, basket, whole)
    near = max(0, whole + rng.choice([-1, 0, 0, 1]) - rng.randint(0, whole) * rng.randint(0, 1))
    small = [1, 2, 3, 5, 10, 20, 50, 99, 100, 150, 300, 500, max(1, whole // 3), whole + 5] * 2 + [0]
    chances = [
        ("min_spend", 0.3 if stage == "rebate" else 0.12, near),
        ("max_discount", 0.2, rng.choice(small)),
        ("member_amount_remaining", 0.1, rng.choice(small)),
        ("budget_remaining", 0.12, rng.choice(small)),
        ("min_qty", 0.1, rng.randint(1, 4)),
        ("uses_remaining", 0.03, rng.randint(0, 1)),
        ("on_shortage", 0.5, "partial"),
        ("group", 0.25, rng.choice(["g", "h"])),
        ("alone", 0.07, rng.choice(["stage", "all"])),
        ("priority", 0.3, rng.randint(-1, 2)),
        ("consent", 0.08, "ask"),
    ]
    if stage == "line":
        chances += [("line_stackable", 0.4, True), ("max_units", 0.2, rng.randint(1, 4))]
    if stage == "rebate":
        chances.append(("rebate_to", 0.35, "union"))
    offer |= {field: value for field, chance, value in chances if rng.random() < chance}
    if rng.random() < (0.15 if stage == "rebate" else 0.5):  # a rebate has no sponsor and no purse, whatever it says
        offer["sponsor_share_bp"] = rng.choice([10000, 10000, 5000, 3333, 1])
        if rng.random() < 0.4:
            offer["budgets"] = rng.sample(["b1", "b2"], rng.randint(1, 2))
        elif rng.random() < 0.2:
            offer["allowance"] = "b1"
    return offer
