"""Card numbers carry check digits that find the slips people make, and are not in sequence."""

from itertools import pairwise

import pytest

from cards.numbers import is_number, mask_number, new_number, new_reference


def test_new_numbers_have_16_digits_the_prefix_and_right_check_digits():
    for _ in range(500):
        number = new_number()
        assert len(number) == 16
        assert number.startswith("3302")
        assert int(number) % 97 == 1  # ISO 7064 MOD 97-10, written out
        assert is_number(number)


def test_numbers_and_references_do_not_repeat_or_count_up():
    numbers = [new_number() for _ in range(2000)]
    assert len(set(numbers)) > 1998
    steps = {int(later[:14]) - int(earlier[:14]) for earlier, later in pairwise(numbers)}
    assert len(steps) > 1990
    assert len({new_reference() for _ in range(2000)}) == 2000


def test_every_single_wrong_digit_and_every_swap_of_neighbours_is_found():
    number = new_number()
    for at in range(16):
        for digit in set("0123456789") - {number[at]}:
            assert not is_number(number[:at] + digit + number[at + 1 :])
    for at in range(15):
        if number[at] != number[at + 1]:
            assert not is_number(number[:at] + number[at + 1] + number[at] + number[at + 2 :])


@pytest.mark.parametrize(
    "text", ["", "3302", "9" * 16, "33０2123456785678", "3302 1234 5678 90", "a" * 16, "3302" + "9" * 13]
)
def test_what_is_no_number_of_ours_is_refused(text):
    assert not is_number(text)


def test_the_masked_form_shows_the_first_and_last_four():
    assert mask_number("3302123456785678") == "3302 •••• •••• 5678"


def test_a_reference_has_12_url_safe_characters():
    reference = new_reference()
    assert len(reference) == 12
    assert set(reference) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
