"""Dense baskets from a seed: thirty lines under forty offers that hang together, for the tests and the measurements of the engine."""

import random
from datetime import datetime
from typing import Any

from market.pricing import Candidate, Case, Line, Offer

NOW = datetime.fromisoformat("2026-12-01T12:05:00+08:00")
CATEGORIES = tuple(f"c{number}" for number in range(6))


def dense_case(seed: int, *, lines: int = 30, offers: int = 40) -> Case:
    """A basket with two thresholds that bind, groups, a bundle and a buy-x-get-y; every price and rate from the seed, none of them round.

    `offers` minus ten are simple line offers (a third with a sponsor, some stacking, some in one of three groups); then the bundle, the
    buy-x-get-y, two spend-and-save, two order amounts and four subsidies.
    """
    rng = random.Random(seed)
    basket = tuple(
        Line(
            str(row),
            f"s{row}",
            "M1",
            (rng.choice(CATEGORIES),),
            rng.randrange(100, 8000),
            rng.choice([1, 1, 1, 2, 3]),
        )
        for row in range(lines)
    )
    terms: list[dict[str, Any]] = [_line_offer(rng, lines) for _ in range(offers - 10)]
    terms += [_bundle(rng, basket), _buy_and_get(rng)]
    terms += [*_thresholds(rng, basket), *_coupons(rng), *_subsidies(rng)]
    return Case(
        NOW,
        "shop",
        basket,
        tuple(Candidate(Offer.from_json({"id": f"o{number:02}", **one})) for number, one in enumerate(terms)),
    )


def _line_offer(rng: random.Random, lines: int) -> dict[str, Any]:
    if rng.random() < 0.75:
        match: dict[str, Any] = {"skus": [f"s{rng.randrange(lines)}"]}
    else:
        match = {"categories": [rng.choice(CATEGORIES)]}
    offer: dict[str, Any] = {"stage": "line", "match": match}
    if rng.random() < 0.2:
        offer["group"] = f"g{rng.randint(0, 2)}"
    if rng.random() < 0.3:
        offer["sponsor_share_bp"] = rng.choice([5000, 10000])
    chance = rng.random()
    if chance < 0.85 and rng.random() < 0.15:
        offer["line_stackable"] = True
    if chance < 0.55:
        return {**offer, "kind": "percent_off", "rate_bp": rng.randrange(300, 4000, 100)}
    if chance < 0.85:
        return {**offer, "kind": "amount_off_unit", "amount": rng.randrange(20, 900)}
    return {**offer, "kind": "fixed_unit_price", "price": rng.randrange(1000, 6000)}


def _bundle(rng: random.Random, basket: tuple[Line, ...]) -> dict[str, Any]:
    pair = rng.sample(basket, 2)
    price = sum(line.unit_price for line in pair) * rng.randrange(50, 90) // 100
    parts = [{"match": {"skus": [line.sku]}, "qty": 1} for line in pair]
    return {"stage": "line", "kind": "bundle", "components": parts, "price": price}


def _buy_and_get(rng: random.Random) -> dict[str, Any]:
    return {
        "stage": "line",
        "kind": "buy_x_get_y",
        "buy": rng.choice([1, 2]),
        "get": 1,
        "get_rate_bp": rng.choice([5000, 10000]),
        "match": {"categories": [rng.choice(CATEGORIES)]},
    }


def _thresholds(rng: random.Random, basket: tuple[Line, ...]) -> list[dict[str, Any]]:
    """One on the whole basket, one on four of six categories, both so high that the line offers have to give way."""
    some = rng.sample(CATEGORIES, 4)
    found = []
    for match, least, most, off in (({"any": True}, 80, 95, 6000), ({"categories": some}, 75, 95, 4000)):
        names = CATEGORIES if "any" in match else some
        whole = sum(line.list_price for line in basket if line.categories[0] in names)
        tier = {"min": max(1, whole * rng.randrange(least, most) // 100), "off": rng.randrange(500, off)}
        found.append(
            {"stage": "order", "kind": "spend_save", "match": match, "tiers": [tier], "priority": rng.randint(0, 2)}
        )
    return found


def _match(rng: random.Random, chance: float) -> dict[str, Any]:
    return {"any": True} if rng.random() < chance else {"categories": [rng.choice(CATEGORIES)]}


def _coupons(rng: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "stage": "order",
            "kind": "amount_off",
            "amount": rng.randrange(50, 500),
            "match": _match(rng, 0.5),
            **({"group": "g1"} if rng.random() < 0.4 else {}),
        }
        for _ in range(2)
    ]


def _subsidies(rng: random.Random) -> list[dict[str, Any]]:
    found = []
    for _ in range(4):
        offer: dict[str, Any] = {"stage": "subsidy", "match": _match(rng, 0.6), "sponsor_share_bp": 10000}
        if rng.random() < 0.4:
            offer["group"] = "s"
        if rng.random() < 0.6 or "categories" in offer["match"]:
            offer |= {"kind": "amount_off", "amount": rng.randrange(50, 900)}
        else:
            offer |= {"kind": "percent_off", "rate_bp": rng.randrange(100, 1500, 100)}
            offer["max_discount"] = rng.randrange(300, 3000)
        found.append(offer)
    return found
