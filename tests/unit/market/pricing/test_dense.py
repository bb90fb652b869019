"""Dense baskets: the best price is proved, and no plan that simpler ways find is better."""

import pytest

from market.pricing import quote
from market.pricing.search import DENSE_LINES
from tests.dense_baskets import dense_case

# Besides the first ones: baskets of the thousand of `bench.pricing` where an amount takes all that is left of a small part.
CUT = [195, 408, 443, 670, 999]


@pytest.mark.parametrize("seed", [*range(12), *CUT])
def test_the_best_price_of_a_dense_basket_is_proved(seed):
    case = dense_case(seed)
    made = quote(case)
    assert made.proof == "optimal"
    assert made.list_total == made.concession + made.sponsor_pays + made.payable
    # What is left out of the case can only make it dearer.
    applied = {row.offer for row in made.applied}
    without = quote(_only(case, applied))
    assert (without.payable, without.sponsor_pays) == (made.payable, made.sponsor_pays)
    for name in sorted(applied)[:3]:
        assert quote(_only(case, applied - {name})).payable >= made.payable


@pytest.mark.parametrize("seed", range(30))
def test_sum_by_sum_is_as_good_as_plan_by_plan(seed, monkeypatch):
    """The two ways of the engine share the rules but not the search: on middling baskets both prove the same."""
    case = dense_case(seed, lines=7, offers=15)
    by_plan = quote(case, node_limit=2_000_000)
    monkeypatch.setattr("market.pricing.search.DENSE_LINES", 1)
    by_sum = quote(case)
    assert len(case.basket) < DENSE_LINES
    assert by_plan.proof == by_sum.proof == "optimal"
    assert by_plan.to_json() == by_sum.to_json()


def _only(case, names):
    return type(case)(
        case.now,
        case.channel,
        case.basket,
        tuple(candidate for candidate in case.candidates if candidate.offer.id in names),
    )
