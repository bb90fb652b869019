"""Bundles of many components: as many as a document says, priced like the oracle prices them, and never wrong where they are too many."""

import random
import time

import pytest

from market.pricing.document import price_document
from market.pricing.groups import _deal
from tests.oracle.pricing_oracle import best_plans
from tests.unit.market.pricing.cases import amounts, case, line, percent, price, save, unit_off


def bundle(name, cost, parts, **more):
    """A set of components, each given as skus or as (skus, units)."""
    parts = [part if isinstance(part, tuple) else (part, 1) for part in parts]
    components = [{"match": {"skus": list(skus)}, "qty": qty} for skus, qty in parts]
    return {"id": name, "stage": "line", "kind": "bundle", "price": cost, "components": components, **more}


def agrees_with_the_oracle(made):
    (result,) = price_document({"vectors": [made]})["results"]
    quote = result["quote"]
    best, outcomes = best_plans(made)
    assert quote["proof"] == "optimal"
    ids = sorted(row["offer"] for row in quote["applied"])
    sponsor = sum(row["sponsor_pays"] for row in quote["applied"])
    paid = [row["pay"] for row in quote["lines"]]
    assert (quote["payable"], -quote["rebate"], sponsor, len(ids), ids, paid) == best
    places = {row["line"]: place for place, row in enumerate(made["basket"])}
    assert {
        row["offer"]: {places[share["line"]]: share["amount"] for share in row["shares"]} for row in quote["applied"]
    } in outcomes


@pytest.mark.parametrize("count", [9, 10, 11])
def test_one_line_for_each_of_many_components(count):
    names = "abcdefghijk"[:count]
    basket = [line(name, 100 + 7 * place) for place, name in enumerate(names)]
    agrees_with_the_oracle(case(basket, [bundle("SET", 500, names), percent("P", 900, match={"skus": ["a", "c"]})]))
    made = price(case(basket, [bundle("SET", 500, names)]))
    assert (made.payable, made.proof) == (500, "optimal")
    lacking = price(case(basket[1:], [bundle("SET", 500, names)]))
    assert (lacking.payable, list(amounts(lacking))) == (sum(100 + 7 * place for place in range(1, count)), [])


@pytest.mark.parametrize("seed", range(60))
def test_random_sets_of_many_components(seed):
    """Components over lines that they share or do not share, several units of one line, other offers and thresholds beside."""
    rng = random.Random(seed)
    names = "abcd"[: rng.randint(2, 4)]
    basket = [line(name, rng.randint(80, 300), rng.randint(2, 4)) for name in names]
    while sum(row["qty"] for row in basket) < 9:
        rng.choice(basket)["qty"] += 1
    units = sum(row["qty"] for row in basket)
    parts = [rng.sample(names, rng.randint(1, len(names))) for _ in range(rng.randint(9, units))]
    if seed % 2:  # sets that fit: a component for each unit, widened
        ones = [row["sku"] for row in basket for _ in range(row["qty"])]
        parts = [
            sorted({one, *rng.sample(names, rng.randint(0, 1))}) for one in rng.sample(ones, rng.randint(9, units))
        ]
    offers = [bundle("SET", rng.randint(500, 1400), parts)]
    if rng.random() < 0.5:
        offers.append(unit_off("U", rng.randint(1, 60), match={"skus": [rng.choice(names)]}))
    if rng.random() < 0.5:
        offers.append(save("SAVE", (rng.randint(600, 1600), rng.randint(50, 400))))
    agrees_with_the_oracle(case(basket, offers))


def test_two_sets_of_twelve_go_unit_by_unit_beside_a_threshold():
    """With 3 units of each of 12 components counts could stand in 4¹² ways; only those of equally many sets go on."""
    names = "abcdefghijkl"
    basket = [line(name, 1000 + 11 * place, 3) for place, name in enumerate(names)]
    whole = sum(3 * (1000 + 11 * place) for place in range(12))
    offers = [bundle("SET", 9000, names), save("SAVE", (whole - 2 * 3000, 700))]
    started = time.perf_counter()
    made = price(case(basket, offers))
    assert time.perf_counter() - started < 60
    sets = [whole - sets * (whole // 3 - 9000) for sets in range(4)]
    assert made.payable == min(fen - (700 if fen >= whole - 6000 else 0) for fen in sets)
    assert made.proof == "optimal"


def test_more_than_can_be_searched_is_priced_soundly():
    """Forty components over twenty lines that they share: a price that is legal, no dearer than without the offer, in good time."""
    rng = random.Random(4)
    names = [f"n{place}" for place in range(20)]
    basket = [line(name, rng.randint(100, 900), 4) for name in names]
    parts = [(rng.sample(names, 3), rng.randint(1, 2)) for _ in range(40)]
    offers = [bundle("SET", 3000, parts), percent("P", 1000), save("SAVE", (9000, 500))]
    started = time.perf_counter()
    made = price(case(basket, offers))
    assert time.perf_counter() - started < 60
    assert made.payable <= price(case(basket, offers[1:])).payable
    assert made.proof == "optimal" or made.gap >= 0
    assert sum(amounts(made).values()) == made.list_total - made.payable


def test_three_hundred_units_of_a_component_fit_their_bits():
    """Units of each component are counted in as many bits as its sets need: of a line of 300 no set takes more than there are sets for."""
    basket = [line("a", 100, 300), line("b", 100), line("c", 50, 2)]
    offers = [bundle("SET", 50, "ab"), percent("P", 500, match={"skus": ["c"]}), save("SAVE", (30_000, 1000))]
    made = price(case(basket, offers))
    assert (made.payable, made.proof) == (30_200 - 150 - 5 - 1000, "optimal")


def test_components_share_lines_as_hall_says():
    assert _deal([1, 1], [(1, 0b11), (1, 0b01)], 1) == 2  # the first leaves its line to the second
    assert _deal([2, 0, 1], [(1, 0b001), (1, 0b001), (1, 0b110)], 1) == 3
    assert _deal([1, 1, 1], [(1, 0b011), (1, 0b011), (1, 0b011)], 1) == 2
    assert _deal([3, 3], [(1, 0b01), (2, 0b11)], 2) == 6
    chain = [(1, 0b11 << place) for place in range(19)] + [(1, 1)]
    assert _deal([1] * 20, chain[::-1], 1) == 20
    assert _deal([1] * 20, chain, 1) == 20


@pytest.mark.parametrize("seed", range(40))
def test_a_deal_is_as_large_as_the_worst_set_of_components_allows(seed):
    rng = random.Random(seed)
    counts = [rng.randint(0, 4) for _ in range(rng.randint(1, 5))]
    slots = [(rng.randint(1, 3), rng.randrange(1, 1 << len(counts))) for _ in range(rng.randint(1, 7))]
    sets, short = rng.randint(1, 3), 0
    for chosen in range(1 << len(slots)):
        some = [slot for place, slot in enumerate(slots) if chosen >> place & 1]
        have = sum(count for rank, count in enumerate(counts) if any(mask >> rank & 1 for _, mask in some))
        short = max(short, sets * sum(qty for qty, _ in some) - have)
    assert _deal(counts, slots, sets) == sets * sum(qty for qty, _ in slots) - short
