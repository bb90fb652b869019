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


terms = st.tuples(matches, st.none() | st.lists(matches, min_size=1, max_size=3))
some_terms = st.lists(terms, max_size=12)
shops = st.sampled_from([None, *"abcdefgh"])


def write(number, terms):
    match, parts = terms
    return offer(number, match) if parts is None else bundle(number, match, parts)


def offer(number, match):
    terms = {"id": f"O{number:05}", "stage": "line", "match": match or {"any": True}}
    return Offer.from_json({**terms, "kind": "percent_off", "rate_bp": 100})


def bundle(number, match, parts):
    terms = {"id": f"O{number:05}", "stage": "line", "match": match or {"any": True}}
    components = [{"match": part or {"any": True}, "qty": 1} for part in parts]
    return Offer.from_json({**terms, "kind": "bundle", "components": components, "price": 50})


def find_by_scan(offers, basket, shop):
    """Every offer asked: has it an eligible line, for a bundle one that a component asks for too?"""
    shelf = make_shelf(basket, shop)
    found = []
    for one in offers:
        eligible = set(find_lines(one.match, shelf)[0])
        asked = [set(find_lines(part.match, shelf)[0]) for part in one.components] or [eligible]
        if any(eligible & lines for lines in asked):
            found.append(one)
    return tuple(sorted(found, key=lambda one: one.id))


@settings(max_examples=400)
@given(some_terms, st.lists(lines, max_size=5), shops)
def test_the_index_finds_what_a_scan_of_all_offers_finds(found, basket, shop):
    offers = [write(number, terms) for number, terms in enumerate(found)]
    assert OfferBook(1, reversed(offers), None).candidates(basket, shop=shop) == find_by_scan(offers, basket, shop)


@settings(max_examples=400)
@given(
    some_terms, st.dictionaries(st.integers(0, 15), terms | st.none(), max_size=5), st.lists(lines, max_size=5), shops
)
def test_a_book_that_followed_changes_finds_what_a_new_one_finds(found, changes, basket, shop):
    offers = {number: write(number, terms) for number, terms in enumerate(found)}
    many = {number: offer(number, {"skus": [f"far{number}"]}) for number in range(100, 140)}  # few changes among many
    before = OfferBook(1, [*offers.values(), *many.values()], None)
    put = {number: write(number, terms) for number, terms in changes.items() if terms is not None}
    drop = {f"O{number:05}" for number, terms in changes.items() if terms is None}
    after = before.change(2, put=tuple(put.values()), drop=drop, next_change_at=None)
    now = {**offers, **put}
    now = [one for number, one in now.items() if one.id not in drop]
    assert after.offers == OfferBook(2, [*now, *many.values()], None).offers
    assert after.candidates(basket, shop=shop) == find_by_scan(now, basket, shop)
    assert after.offers_at(shop=shop or "a", merchant="a") == tuple(
        one for one in after.offers if is_placed(one, shop or "a", "a")
    )
    assert before.candidates(basket, shop=shop) == find_by_scan(offers.values(), basket, shop)


def is_placed(one, shop, merchant):
    here = not one.match.shops or shop in one.match.shops
    return here and (not one.match.merchants or merchant in one.match.merchants)


@settings(max_examples=200)
@given(st.lists(matches, max_size=12), st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh"))
def test_offers_of_a_place_are_those_whose_scope_holds_it(found, shop, merchant):
    offers = [offer(number, match) for number, match in enumerate(found)]
    scanned = tuple(one for one in offers if is_placed(one, shop, merchant))
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
    filed = OfferBook(1, common, None)._index.filed
    assert filed["merchant", "M7"] == ("O00007",)
    assert ("category", "tea") not in filed


def test_a_bundle_of_common_goods_is_filed_under_what_its_components_ask_for():
    sets = [bundle(number, {"merchants": ["M"]}, [{"skus": [f"a{number}"]}, {"skus": ["b"]}]) for number in range(3)]
    one = bundle(9, {"merchants": ["M"]}, [{"skus": ["x"]}, {"categories": ["y"]}])
    filed = OfferBook(1, [*sets, one], None)._index.filed
    assert filed["sku", "x"] == filed["category", "y"] == ("O00009",)


def test_a_change_in_a_large_book_costs_a_fraction_of_compiling_it():
    far = [offer(number, {"skus": [f"s{number}"]}) for number in range(20_000)]
    begun = time.perf_counter()
    book = OfferBook(1, far, None)
    compiled = time.perf_counter()
    changed = book.change(2, put=[offer(5, {"skus": ["tea"]})], drop=["O00007"], next_change_at=None)
    assert len(changed) == 19_999
    assert time.perf_counter() - compiled < (compiled - begun) / 3


@pytest.mark.parametrize("number", [0, 7])
def test_a_book_is_numbered_and_ordered(number):
    made = OfferBook(number, [offer(2, None), offer(1, None)], None)
    assert made.number == number
    assert [one.id for one in made.offers] == ["O00001", "O00002"]
    assert made.candidates([], shop=None) == ()
