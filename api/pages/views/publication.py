"""The officer's page of how each merchant's purchases are published."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

PublicationShown: TypeAlias = Literal["all", "row", "batched", "chosen"]


@dataclass(frozen=True, kw_only=True)
class PublicationStep:
    """How a merchant is published from a day on, and why; `who` is the officer who chose it or took his choice back."""

    publication: Literal["row", "batched"]
    from_on: date
    reason: Literal["new", "stated", "sales", "few", "sensitive", "chosen"]
    who: str | None


@dataclass(frozen=True, kw_only=True)
class PublicationRow:
    """A merchant: what holds today (None: nothing is said yet, row by row), what comes, and its 28 days before today.

    POST /desk/publication/{code}/choose has it published in batches, …/take-back ends that choice, which is there if `is_chosen`.
    """

    code: str
    name: str
    category: str
    now: PublicationStep | None
    coming: PublicationStep | None
    is_chosen: bool
    is_sensitive: bool
    sales_count: int
    in_company_percent: int


@dataclass(frozen=True, kw_only=True)
class DeskPublication:
    """`desk/publication.html` at /desk/publication?shown=batched; `counts` are merchants by what is to be shown."""

    shown: PublicationShown
    counts: dict[PublicationShown, int]
    rows: tuple[PublicationRow, ...]
    error: str | None
