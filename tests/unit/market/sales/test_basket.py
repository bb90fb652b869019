"""What may be keyed at a till."""

import pytest

from market.sales.basket import MOST_FEN, BasketError, RegisterLine, amount_lines, register_lines


def test_two_amounts_are_two_lines_and_only_one_takes_part() -> None:
    lines = amount_lines(merchant="m_1", category="noodles", joining_fen=1600, other_fen=200)
    assert [(line.unit_price, line.discountable, line.categories) for line in lines] == [
        (1600, True, ("noodles",)),
        (200, False, ()),
    ]


def test_an_amount_of_nothing_makes_no_line() -> None:
    assert [line.line for line in amount_lines(merchant="m_1", category="n", joining_fen=0, other_fen=5)] == ["other"]


@pytest.mark.parametrize(
    ("joining", "other", "field"),
    [
        (0, 0, "joining_fen + other_fen"),
        (-1, 5, "joining_fen"),
        (5, -1, "other_fen"),
        (MOST_FEN + 1, 0, "joining_fen"),
        (MOST_FEN, 1, "joining_fen + other_fen"),
        (1.0, 0, "joining_fen"),
        ("5", 0, "joining_fen"),
        (True, 0, "joining_fen"),
    ],
)
def test_what_cannot_be_keyed_names_the_field(joining: int, other: int, field: str) -> None:
    with pytest.raises(BasketError) as refused:
        amount_lines(merchant="m_1", category="n", joining_fen=joining, other_fen=other)
    assert refused.value.facts["field"] == field


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([], "list"),
        ([RegisterLine("a", "c", 100, 0)], "lines[1].qty"),
        ([RegisterLine("a", "c", 100, 10_001)], "lines[1].qty"),
        ([RegisterLine("a", "c", -1, 1)], "lines[1].price_fen"),
        ([RegisterLine("a", "c", MOST_FEN, 2)], "list"),
        ([RegisterLine("a", "c", 1, 1)] * 501, "lines"),
    ],
)
def test_register_lines_have_bounds(rows: list[RegisterLine], field: str) -> None:
    with pytest.raises(BasketError) as refused:
        register_lines(merchant="m_1", rows=rows)
    assert refused.value.facts["field"] == field


def test_five_hundred_lines_pass() -> None:
    lines = register_lines(merchant="m_1", rows=[RegisterLine("a", "c", 100, 1)] * 500, other_fen=30)
    assert [line.line for line in lines[:2]] == ["1", "2"]
    assert lines[-1].discountable is False
