from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.kit.money import cumulative_share, half_up, largest_remainder, share_of, yuan

amounts = st.integers(0, 10**12)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"), [(1, 2, 1), (3, 2, 2), (149, 100, 1), (150, 100, 2), (0, 7, 0), (7, 7, 1)]
)
def test_half_up_rounds_halves_up(numerator, denominator, rounded):
    assert half_up(numerator, denominator) == rounded


@given(amounts, st.integers(1, 10**6))
def test_half_up_is_within_half_and_never_below_by_half(numerator, denominator):
    error = half_up(numerator, denominator) - Fraction(numerator, denominator)
    assert Fraction(-1, 2) < error <= Fraction(1, 2)


@given(amounts, st.integers(0, 10_000))
def test_share_of_is_half_up_of_basis_points(amount, share_bp):
    assert share_of(amount, share_bp) == half_up(amount * share_bp, 10_000)


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        (100, [1440, 200], [88, 12]),
        (500, [2500, 900], [368, 132]),
        (2000, [9000, 1500], [1714, 286]),
        (1, [5, 5], [1, 0]),  # equal remainders and weights: the earlier
        (1, [3, 5], [0, 1]),  # ties would go to the larger, here its remainder is larger too
        (2, [1, 3, 0], [0, 2, 0]),  # remainders 0.5 and 0.5: to the larger weight
        (0, [0, 0], [0, 0]),
        (7, [9], [7]),
    ],
)
def test_largest_remainder_gives_the_spare_fen_to_the_largest_remainders(amount, weights, shares):
    assert largest_remainder(amount, weights) == shares


@given(st.data(), st.lists(st.integers(0, 10**7), min_size=1, max_size=12))
def test_shares_sum_to_the_amount_and_none_exceeds_its_weight_or_strays_a_fen_from_its_part(data, weights):
    whole = sum(weights)
    amount = data.draw(st.integers(0, whole))
    shares = largest_remainder(amount, weights)
    assert sum(shares) == amount
    for share, weight in zip(shares, weights, strict=True):
        assert 0 <= share <= weight
        assert abs(share - Fraction(amount * weight, whole or 1)) < 1


def test_an_amount_without_weights_is_a_programmers_error():
    with pytest.raises(ValueError, match="all zero"):
        largest_remainder(1, [0, 0])


@given(amounts, st.integers(1, 50))
def test_cumulative_shares_close_on_the_last_unit(amount, whole):
    parts = [cumulative_share(amount, done + 1, whole) - cumulative_share(amount, done, whole) for done in range(whole)]
    assert sum(parts) == amount
    assert max(parts) - min(parts) <= 1


@pytest.mark.parametrize(
    ("fen", "written"), [(0, "0.00"), (5, "0.05"), (1540, "15.40"), (-5, "-0.05"), (123456789, "1234567.89")]
)
def test_yuan_has_two_digits(fen, written):
    assert yuan(fen) == written
