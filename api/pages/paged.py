"""A page of a list: where it begins, and how many there are. Pure."""

from collections.abc import Sequence
from typing import Annotated, Final, TypeVar

from fastapi import Query

from api.pages.views import Pages

ROWS_ON_PAGE: Final = 100

T = TypeVar("T")

PageNumber = Annotated[int, Query(alias="page", ge=1, le=1_000_000)]
Search = Annotated[str, Query(alias="q", max_length=60, description="part of a name or code")]


def cut_page(rows: Sequence[T], number: int) -> tuple[Sequence[T], Pages]:
    """The rows of a page, the first being 1; beyond the end it is the last one, because a list may have become shorter."""
    pages = count_pages(len(rows), number)
    first = first_row(pages)
    return rows[first : first + ROWS_ON_PAGE], pages


def count_pages(rows_count: int, number: int) -> Pages:
    """The same of a list of which the rows of that page are still to be read."""
    count = max(1, -(-rows_count // ROWS_ON_PAGE))
    return Pages(number=min(number, count), count=count, rows_count=rows_count)


def first_row(pages: Pages) -> int:
    """How many rows stand before a page."""
    return (pages.number - 1) * ROWS_ON_PAGE


def is_found(query: str, *texts: str) -> bool:
    """Whether one of these texts holds what is looked for, whatever its case; nothing looked for finds all."""
    wanted = query.strip().casefold()
    return not wanted or any(wanted in text.casefold() for text in texts)
