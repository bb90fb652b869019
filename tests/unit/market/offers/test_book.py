import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.offers.book import OfferBook
from market.pricing import Line, Offer
from market.pricing.gates import find_lines, make_shelf

names = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3, unique=True)
matches = st.fixed_dictionaries(
    {},
    optional={"skus": names, "categories": names, "exclude_skus": names, "merchants": names, "shops": names},
)
lines = st.builds(
    Line,
    line=st.uuids().map(str),
    sku=st.sampled_from("abcdefgh"),
    merchant=st.sampled_from("abcdefgh"),
    categories=names.map(tuple),
    unit_price=st.just(100),
    qty=st.just(1),
    discountable=st.booleans(),
)


def offer(number, match):
    return Offer.from_json(
        {"id": f"O{number:05}", "stage": "line", "kind": "percent_off", "rate_bp": 100, "match": match or {"any": True}}
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(matches, max_size=12), st.lists(lines, max_size=5), st.sampled_from([None, *"abcdefgh"]))
def test_the_index_finds_what_a_scan_of_all_offers_finds(found, basket, shop):
    offers = [offer(number, match) for number, match in enumerate(found)]
    shelf = make_shelf(basket, shop)
    scanned = tuple(one for one in offers if find_lines(one.match, shelf)[0])
    assert OfferBook(1, reversed(offers), None).candidates(basket, shop=shop) == scanned


@settings(max_examples=200, deadline=None)
@given(st.lists(matches, max_size=12), st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh"))
def test_offers_of_a_place_are_those_whose_scope_holds_it(found, shop, merchant):
    offers = [offer(number, match) for number, match in enumerate(found)]
    scanned = tuple(
        one
        for one in offers
        if (not one.match.shops or shop in one.match.shops)
        and (not one.match.merchants or merchant in one.match.merchants)
    )
    assert OfferBook(1, offers, None).offers_at(shop=shop, merchant=merchant) == scanned


def test_the_cost_does_not_grow_with_offers_that_do_not_match():
    rng = random.Random(1)

    def book(count):
        far = [
            offer(number, {"skus": [f"s{rng.randrange(count)}"], "merchants": [f"M{number % 300}"]})
            for number in range(5, count)
        ]
        return OfferBook(1, [offer(number, {"categories": ["tea"]}) for number in range(5)] + far, None)

    basket = [Line(str(row), f"x{row}", "M1", ("tea",), 100, 1) for row in range(10)]

    def fastest(made):
        times = []
        for _ in range(200):
            begun = time.perf_counter()
            assert len(made.candidates(basket, shop="S1")) == 5
            times.append(time.perf_counter() - begun)
        return min(times)

    assert fastest(book(20_000)) < 3 * fastest(book(200))


def test_an_offer_is_filed_under_the_rarest_of_its_conditions():
    common = [offer(number, {"categories": ["tea"], "merchants": [f"M{number}"]}) for number in range(50)]
    made = OfferBook(1, common, None)
    assert len(made._filed["merchant", "M7"]) == 1
    assert ("category", "tea") not in made._filed


@pytest.mark.parametrize("number", [0, 7])
def test_a_book_is_numbered_and_ordered(number):
    made = OfferBook(number, [offer(2, None), offer(1, None)], None)
    assert made.number == number
    assert [one.id for one in made.offers] == ["O00001", "O00002"]
    assert made.candidates([], shop=None) == ()
