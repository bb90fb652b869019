"""National ids: what is read, and which slip is named."""

from itertools import product

import pytest

from cards.national_id import NationalIdWrongError, read_national_id
from market.kit.errors import DomainError

RIGHT = "11010519491231002X"  # the example of GB 11643


@pytest.mark.parametrize("text", [RIGHT, RIGHT.lower(), f" {RIGHT} ", "210302196001150015"])
def test_a_right_id_is_read_in_one_spelling(text):
    assert read_national_id(text) == text.strip().upper()


def test_somebody_born_before_his_county_had_its_code_is_not_refused():
    # 210302 is in force since 1983; whoever was born before was given it with his first id.
    assert read_national_id("210302196001150015").startswith("2103021960")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "length"),
        ("11010519491231002", "length"),
        ("110105194912310020X", "length"),
        ("1101051949123100XX", "length"),
        ("110105 19491231002X1", "length"),
        ("110105194912310021", "check_digit"),
        ("010105194912310026", "region"),
        ("110105194902300020", "birth_date"),
        ("110105184912310020", "birth_date"),
    ],
)
def test_a_wrong_id_is_refused_with_the_slip_and_without_the_value(text, problem):
    with pytest.raises(NationalIdWrongError) as refusal:
        read_national_id(text)
    assert refusal.value.facts == {"problem": problem}
    assert isinstance(refusal.value, DomainError)
    assert not text or text not in str(refusal.value)


def test_every_single_wrong_digit_is_found():
    for at, digit in product(range(17), "0123456789"):
        if RIGHT[at] != digit:
            with pytest.raises(NationalIdWrongError):
                read_national_id(RIGHT[:at] + digit + RIGHT[at + 1 :])
