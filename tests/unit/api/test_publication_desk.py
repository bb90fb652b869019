"""How a merchant is published follows from its trade and from how many stood beside each of its sales."""

import pytest

from api.publication_desk import decide
from market.record.publication import Publication
from market.sales.queries import Company

TABLE: list[tuple[str, int, int, tuple[Publication, str]]] = [
    # category, sales of 28 days, those among five or more of an hour
    ("food", 0, 0, ("batched", "few")),
    ("food", 120, 0, ("batched", "few")),
    ("food", 1000, 899, ("batched", "few")),
    ("food", 1000, 900, ("row", "sales")),
    ("food", 5, 5, ("row", "sales")),
    ("pharmacy", 90_000, 90_000, ("batched", "sensitive")),
    ("clinic", 0, 0, ("batched", "sensitive")),
    ("legal_aid", 500, 500, ("batched", "sensitive")),
]


@pytest.mark.parametrize(("category", "sales", "in_company", "expected"), TABLE)
def test_nine_in_ten_sales_among_five_of_an_hour_make_rows(
    category: str, sales: int, in_company: int, expected: tuple[Publication, str]
) -> None:
    assert decide(category, Company(sales, in_company)) == expected
