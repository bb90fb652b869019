"""The picture of who gave what: every band as high as its share, none that vanishes, nothing that becomes markup."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.flow import BAR, LEAST, flow


def heights(picture: str) -> list[int]:
    """Of the bars of the givers, from the top."""
    return [int(height) for height in re.findall(r'<rect class="part-\w+"[^>]* height="(\d+)"', picture)]


def draw(*fens: int) -> str:
    names = ("part-concession", "part-subsidy", "part-paid")
    return str(flow("T", [("w", css, fen) for css, fen in zip(names, fens, strict=True)], ("all", sum(fens))))


@given(st.lists(st.integers(0, 10**12), min_size=3, max_size=3))
def test_a_band_is_as_high_as_its_share_and_never_lost(fens: list[int]) -> None:
    for height, fen in zip(heights(draw(*fens)), fens, strict=True):
        if fen:
            assert height == max(LEAST, BAR * fen // sum(fens))
        else:
            assert height == 0


@pytest.mark.parametrize("fens", [(0, 0, 0), (-500, 0, -100), (300, -100, 0)])
def test_a_month_with_more_back_than_sold_still_has_its_words(fens: tuple[int, int, int]) -> None:
    picture = draw(*fens)
    assert "−" in picture or not any(fens)
    assert all(height >= 0 for height in heights(picture))


def test_words_are_no_markup() -> None:
    picture = str(flow("<b>", [("<i>", "part-paid", 5)], ("<u>", 5)))
    assert re.findall("<[biu]>", picture) == []
