"""Amounts and pieces as people type them become whole fen and whole pieces, or a named refusal."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.till import AmountsKeyed, ItemsKeyed
from api.typed import (
    OTHER,
    AmountMissingError,
    AmountNegativeError,
    AmountTooFineError,
    AmountTooLargeError,
    AmountUnreadableError,
    UnitsUnreadableError,
    read_keyed,
    read_units,
    read_yuan,
)
from market.kit.money import yuan

MOST_FEN = 100_000_000


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("15.4", 1540),
        ("15.40", 1540),
        ("15.400", 1540),
        ("１５．４", 1540),
        ("¥15.4", 1540),
        ("￥ 15.40 元", 1540),
        ("15。4", 1540),
        (" 15 ", 1500),
        ("\u3000１５\u3000", 1500),
        ("0" * 40, 0),
        ("15.", 1500),
        (".5", 50),
        ("0.05", 5),
        ("007", 700),
        ("1,234.5", 123_450),
        ("1，234，567.89", None),
        ("", 0),
        ("   ", 0),
        ("1000000", MOST_FEN),
    ],
)
def test_an_amount_is_read_to_the_fen(typed: str, fen: int | None) -> None:
    if fen is None:
        with pytest.raises(AmountTooLargeError):
            read_yuan(typed, field=OTHER)
    else:
        assert read_yuan(typed, field=OTHER) == fen


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("abc", AmountUnreadableError),
        (".", AmountUnreadableError),
        ("1.2.3", AmountUnreadableError),
        ("1,23", AmountUnreadableError),
        ("1e3", AmountUnreadableError),
        ("0x10", AmountUnreadableError),
        ("٣", AmountUnreadableError),
        ("十五", AmountUnreadableError),
        ("15 or 16", AmountUnreadableError),
        ("1 5", AmountUnreadableError),
        ("1 000", AmountUnreadableError),
        ("²", AmountUnreadableError),
        ("①", AmountUnreadableError),
        ("½", AmountUnreadableError),
        ("𝟑", AmountUnreadableError),
        ("NaN", AmountUnreadableError),
        ("15.405", AmountTooFineError),
        ("0.001", AmountTooFineError),
        ("-5", AmountNegativeError),
        ("−5", AmountNegativeError),
        ("－５", AmountNegativeError),
        ("1000000.01", AmountTooLargeError),
        ("9" * 400, AmountTooLargeError),
        ("0" * 41, AmountTooLargeError),
        ("0" * 5000, AmountTooLargeError),
    ],
)
def test_what_is_no_amount_is_named(typed: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal) as refused:
        read_yuan(typed, field=OTHER)
    assert "不参加优惠" in refused.value.sentence("zh")  # type: ignore[attr-defined]
    assert "Without offers" in refused.value.sentence("en")  # type: ignore[attr-defined]


@given(st.integers(0, MOST_FEN))
def test_what_is_written_is_read_back(fen: int) -> None:
    assert read_yuan(yuan(fen), field=OTHER) == fen


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_refused_by_name(typed: str) -> None:
    with suppress(AmountUnreadableError, AmountTooFineError, AmountNegativeError, AmountTooLargeError):
        assert 0 <= read_yuan(typed, field=OTHER) <= MOST_FEN


@pytest.mark.parametrize(("typed", "units"), [("", 0), ("0", 0), ("３", 3), (" 12 ", 12), ("9999", 9999)])
def test_pieces_are_read(typed: str, units: int) -> None:
    assert read_units(typed) == units


@pytest.mark.parametrize("typed", ["-1", "1.5", "x", "10000", "1" * 50, "0" * 5000, " " * 41, "²", "①", "1 2"])
def test_what_is_no_number_of_pieces_is_refused(typed: str) -> None:
    with pytest.raises(UnitsUnreadableError):
        read_units(typed)


def test_a_till_with_items_takes_items_and_the_rest() -> None:
    fields = {"qty.beef": "2", "qty.egg": "0", "qty.unknown": "5", "other": "3.5"}
    assert read_keyed(fields, skus=["beef", "egg"]) == ItemsKeyed([("beef", 2)], 350)


def test_a_till_without_items_takes_two_amounts() -> None:
    assert read_keyed({"discountable": "16", "other": "2.00"}, skus=[]) == AmountsKeyed(1600, 200)


@pytest.mark.parametrize("skus", [[], ["beef"]])
def test_nothing_keyed_is_said_so(skus: list[str]) -> None:
    with pytest.raises(AmountMissingError):
        read_keyed({"discountable": "0", "other": "", "qty.beef": ""}, skus=skus)


def test_two_amounts_together_stay_under_the_limit() -> None:
    with pytest.raises(AmountTooLargeError):
        read_keyed({"discountable": "600000", "other": "600000"}, skus=[])
