"""Random small cases of the pricing document, made awkward: odd fen, thresholds close by, purses too small, offers that exclude each other."""

PRICES = [0, 1, 2, 3, 5, 7, 10, 33, 50, 99, 100, 101, 250, 999, 1000, 1001, 2500, 6000]
RATES = [1, 49, 100, 333, 500, 700, 1000, 1250, 2000, 3333, 5000, 6667, 9999, 10000]
SKUS = ["a", "b", "c", "d"]
CATEGORIES = ["x", "y"]


def random_case(rng):
    """One case as a plain dict: at most 4 lines, 8 units and 6 offers."""
    basket, units = [], 0
    for number in range(rng.randint(1, 4)):
        qty = min(rng.choice([1, 1, 1, 2, 2, 3, 4]), 8 - units)
        if qty < 1:
            break
        units += qty
        line = {"line": f"L{number}", "sku": rng.choice(SKUS), "merchant": rng.choice(["M1", "M1", "M2"])}
        line |= {"categories": rng.sample(CATEGORIES, rng.randint(0, 2)), "unit_price": rng.choice(PRICES), "qty": qty}
        if rng.random() < 0.08:
            line["discountable"] = False
        if basket and rng.random() < 0.2 and units - qty + basket[-1]["qty"] <= 8:  # a line just like the one before
            line = {**basket[-1], "line": line["line"]}
            units += line["qty"] - qty
        basket.append(line)
    whole = sum(line["unit_price"] * line["qty"] for line in basket)
    case = {"id": "random", "now": "2026-12-01T12:05:00+08:00", "channel": "shop", "shop": "S1", "basket": basket}
    case["purses"] = {"b1": rng.randint(0, max(1, whole // 2)), "b2": rng.randint(0, whole + 1)}
    names = rng.sample(["A", "B", "C", "D", "E", "F"], rng.randint(1, 6))
    case["offers"] = [random_offer(rng, name, whole) for name in names]
    asked = [offer["id"] for offer in case["offers"] if offer.get("consent") == "ask"]
    case["accepted"] = [name for name in asked if rng.random() < 0.7]
    case["declined"] = [name for name in names if rng.random() < 0.04]
    return case


def random_match(rng):
    match = {}
    chance = rng.random()
    if chance < 0.3:
        match["skus"] = rng.sample(SKUS, rng.randint(1, 2))
    elif chance < 0.5:
        match["categories"] = rng.sample(CATEGORIES, 1)
    elif chance < 0.6:
        match |= {"skus": rng.sample(SKUS, 1), "categories": rng.sample(CATEGORIES, 1)}
    else:
        match["any"] = True
    if rng.random() < 0.1:
        match["exclude_skus"] = rng.sample(SKUS, 1)
    if rng.random() < 0.1:
        match["merchants"] = rng.sample(["M1", "M2"], 1)
    if rng.random() < 0.05:
        match["shops"] = [rng.choice(["S1", "S2"])]
    return match


def random_offer(rng, name, whole):  # noqa: C901, PLR0912  a list of chances reads best in one place
    stage, kind = rng.choice(
        [
            *([("line", "percent_off")] * 3),
            *([("line", "amount_off_unit")] * 2),
            *([("order", "spend_save")] * 2),
            ("order", "amount_off"),
            ("subsidy", "amount_off"),
            ("subsidy", "percent_off"),
        ]
    )
    near = lambda: max(0, whole + rng.choice([-1, 0, 1]) - rng.randint(0, max(1, whole)) * rng.randint(0, 1))  # noqa: E731
    small = lambda: rng.choice([1, 2, 3, 5, 10, 20, 50, 99, 100, 150, 300, 500, max(1, whole // 3), whole + 5])  # noqa: E731
    offer = {"id": name, "stage": stage, "kind": kind, "match": random_match(rng)}
    if kind == "percent_off":
        offer["rate_bp"] = rng.choice(RATES)
    elif kind == "spend_save":
        least = rng.randint(1, max(1, whole))
        offer["tiers"] = [{"min": least, "off": rng.randint(0, least)}]
        if rng.random() < 0.4:
            offer["tiers"].append({"min": least + small(), "off": small()})
        if rng.random() < 0.3:
            offer["repeat"] = True
            for tier in offer["tiers"]:
                tier["off"] = min(tier["off"], tier["min"])
    else:
        offer["amount"] = small()
    if stage == "line":
        if rng.random() < 0.4:
            offer["line_stackable"] = True
        if rng.random() < 0.2:
            offer["max_units"] = rng.randint(1, 3)
    for field, chance in (
        ("min_spend", 0.15),
        ("max_discount", 0.2),
        ("member_amount_remaining", 0.1),
        ("budget_remaining", 0.12),
    ):
        if rng.random() < chance:
            offer[field] = near() if field == "min_spend" else small() if rng.random() < 0.95 else 0
    if rng.random() < 0.1:
        offer["min_qty"] = rng.randint(1, 4)
    if rng.random() < 0.03:
        offer["uses_remaining"] = rng.randint(0, 1)
    if rng.random() < 0.5:
        offer["sponsor_share_bp"] = rng.choice([10000, 10000, 5000, 3333, 1])
        if rng.random() < 0.4:
            offer["budgets"] = rng.sample(["b1", "b2"], rng.randint(1, 2))
        elif rng.random() < 0.2:
            offer["allowance"] = "b1"
    if rng.random() < 0.5:
        offer["on_shortage"] = "partial"
    if rng.random() < 0.25:
        offer["group"] = rng.choice(["g", "h"])
    if rng.random() < 0.08:
        offer["alone"] = rng.choice(["stage", "all"])
    if rng.random() < 0.3:
        offer["priority"] = rng.randint(-1, 2)
    if rng.random() < 0.1:
        offer["consent"] = "ask"
    return offer
