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
    count = max(1, -(-len(rows) // ROWS_ON_PAGE))
    number = min(number, count)
    first = (number - 1) * ROWS_ON_PAGE
    return rows[first : first + ROWS_ON_PAGE], Pages(number=number, count=count, rows_count=len(rows))


def is_found(query: str, *texts: str) -> bool:
    """Whether one of these texts holds what is looked for, whatever its case; nothing looked for finds all."""
    wanted = query.strip().casefold()
    return not wanted or any(wanted in text.casefold() for text in texts)
