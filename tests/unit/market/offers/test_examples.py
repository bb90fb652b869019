"""Example baskets are made of what a shop really sells, and show the offer at work."""

from typing import Any

import pytest

from market.offers.differences import find_differences
from market.offers.examples import MOST_EXAMPLES, make_basket, make_examples
from market.offers.wares import Place
from market.pricing import Candidate, Case, Offer, quote
from tests.unit.market.offers.test_contradictions import BUNDLE, BUY, NOW, PERCENT, PLACES, SAVE

UNIONLESS = {
    name: {**terms, "match": {"any": True}} for name, terms in {"percent": PERCENT, "save": SAVE, "buy": BUY}.items()
}


def read(terms: dict[str, Any]) -> Offer:
    return Offer.from_json({"id": "X", "version": 1, **terms})


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.till)
@pytest.mark.parametrize("name", sorted(UNIONLESS))
def test_some_example_shows_the_offer_applied(place: Place, name: str) -> None:
    offer = read(UNIONLESS[name])
    examples = make_examples(offer, place)
    assert 2 <= len(examples) <= MOST_EXAMPLES
    saved = []
    for basket in examples:
        lines = make_basket(basket, place.merchant)
        case = Case(now=NOW, channel="shop", shop=place.shop, basket=lines, candidates=(Candidate(offer),))
        saved.append(quote(case).concession)
    assert max(saved) > 0


def test_items_come_from_the_catalogue_at_its_prices() -> None:
    place = PLACES[0]
    for basket in make_examples(read(BUNDLE), place):
        for bought in basket:
            assert place.wares[bought.sku].price_fen == bought.price_fen
            assert bought.name == place.wares[bought.sku].name
    assert {bought.sku for bought in make_examples(read(BUNDLE), place)[0]} == {"plain", "egg"}


def test_the_same_offer_makes_the_same_examples() -> None:
    assert make_examples(read(SAVE), PLACES[0]) == make_examples(read(SAVE), PLACES[0])


def test_nothing_is_made_up_where_nothing_takes_part() -> None:
    assert make_examples(read({**PERCENT, "match": {"skus": ["tea"]}}), PLACES[0]) == []


def test_differences_are_named_field_by_field() -> None:
    old = {
        "title": "一",
        "title_en": "One",
        "limits": {"uses": 1, "period": "day"},
        "terms": {"id": "X", "version": 1, **SAVE},
    }
    new = {
        "title": "二",
        "title_en": "One",
        "limits": {},
        "terms": {
            "id": "X",
            "version": 2,
            **SAVE,
            "match": {"any": True, "merchants": ["m1", "m2"]},
            "window": {"to": "2027-01-01T00:00:00+08:00"},
        },
    }
    found = {one.field: (one.old, one.new) for one in find_differences(old, new)}
    assert found == {
        "title": ("一", "二"),
        "match.merchants": (["m1"], ["m1", "m2"]),
        "window.to": (None, "2027-01-01T00:00:00+08:00"),
        "limits.uses": (1, None),
        "limits.period": ("day", None),
    }
    assert find_differences(old, old) == ()
