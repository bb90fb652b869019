"""Pages of a list: every row on exactly one, and none beyond the end."""

import pytest

from api.pages.paged import ROWS_ON_PAGE, cut_page, is_found


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_every_row_is_on_one_page(count: int) -> None:
    rows = list(range(count))
    _, first = cut_page(rows, 1)
    seen = [row for number in range(1, first.count + 1) for row in cut_page(rows, number)[0]]
    assert seen == rows
    assert first.rows_count == count
    assert first.count == max(1, (count + ROWS_ON_PAGE - 1) // ROWS_ON_PAGE)


def test_beyond_the_end_is_the_last_page() -> None:
    page, shown = cut_page(list(range(250)), 9)
    assert (list(page), shown.number) == (list(range(200, 250)), 3)
    assert cut_page([], 9)[1].number == 1


@pytest.mark.parametrize(
    ("query", "found"), [("", True), ("  ", True), ("M_0042", True), (" 面馆 ", True), ("m_00421", False), ("%", False)]
)
def test_a_name_or_a_code_holds_what_is_looked_for(query: str, *, found: bool) -> None:
    assert is_found(query, "老王面馆", "m_0042") == found
