"""What was given, paid and owed, for everybody: sums of the published entries alone, read from the totals that `counting` keeps.

A month is that of an entry's day, a return counts in its own. What a sum costs does not grow with the sales in it.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, Subquery, func, literal, select
from sqlalchemy.orm import Session

from market.oversight.models import DayTotal, MonthTotal, OfferTotal
from market.oversight.queries import AMOUNTS, Totals, month_days, months_between

TOTALLED: Final = ("sales", *AMOUNTS, "paid_declared_fen", "paid_provider_fen")
"""What `PublicTotals` has after its label, in its order."""


@dataclass(frozen=True, slots=True)
class PublicTotals(Totals):
    """Sums in fen of published entries. Of what was paid, a part is the shop's word (declared), a part was confirmed by a provider.

    Batches say neither; and which of their purchases were voided they do not say, so `sales` counts those too.
    """

    paid_declared_fen: int
    paid_provider_fen: int


@dataclass(frozen=True, slots=True)
class OfferSum:
    """What merchants bore under one version of an offer in the published sales of a month (fen).

    `sales` of those that are published by themselves used it, and so many `batches` name it; a batch does not say in how many.
    """

    offer: str
    version: int
    sales: int
    batches: int
    borne_fen: int


@dataclass(frozen=True, slots=True)
class OfferSums:
    """A month's published sales by merchant-borne offer, and what came back: `given_fen` and `back_fen` are concessions and rebates.

    `other_fen` of it was given under offers that batches do not name, `named_fen` under the others, of which `most_fen` under one.
    """

    rows: list[OfferSum]
    named_fen: int
    most_fen: int
    sales: int
    given_fen: int
    back_fen: int
    other_fen: int


def list_public_months(tx: Session) -> list[str]:
    """Every month (YYYY-MM) from the first to the newest with a published purchase or return, oldest first."""
    first, last = (tx.scalar(select(edge)) for edge in (func.min(DayTotal.day), func.max(DayTotal.day)))
    return [] if first is None or last is None else months_between(first, last)


def sum_public_months(tx: Session, *, last: int | None = None, merchant: str | None = None) -> list[PublicTotals]:
    """Every month with anything, or those among the `last` ones up to the newest, oldest first; `label` is YYYY-MM.

    Of one merchant (by code) or of all.
    """
    months = list_public_months(tx) if last else []
    first = date.fromisoformat(f"{months[-last:][0]}-01") if last and months else date.min
    table, day = (DayTotal, DayTotal.day) if merchant is None else (MonthTotal, MonthTotal.month)
    month = func.to_char(day, "YYYY-MM")
    query = select(month, *_sums(table)).where(day >= first).group_by(month).order_by(month)
    return _read(tx, query if merchant is None else query.where(MonthTotal.merchant == merchant))


def month_figures(month: str) -> Subquery:
    """A month (YYYY-MM) of each merchant (`merchant`, by code) with anything, to be joined: the figures of `PublicTotals` by name."""
    first, _ = month_days(month)
    figures: list[ColumnElement[Any]] = [
        value.label(name) for name, value in zip(TOTALLED, _figures(MonthTotal), strict=True)
    ]
    return select(MonthTotal.merchant, *figures).where(MonthTotal.month == first).subquery("of_month")


def sum_public_month(tx: Session, *, month: str) -> PublicTotals:
    """A month (YYYY-MM) of all merchants together, its label; zeros where nothing is published of it."""
    first, beyond = month_days(month)
    return replace(sum_public_days(tx, first=first, beyond=beyond), label=month)


def sum_public_merchant_months(tx: Session, *, month: str | None = None) -> dict[str, list[PublicTotals]]:
    """The months of every merchant (by code) with anything, oldest first, or its one month (YYYY-MM); `label` is the month."""
    label = func.to_char(MonthTotal.month, "YYYY-MM")
    query = select(MonthTotal.merchant, label, *_sums(MonthTotal)).group_by(MonthTotal.merchant, label)
    if month is not None:
        query = query.where(MonthTotal.month == month_days(month)[0])
    found: dict[str, list[PublicTotals]] = {}
    for merchant, name, *amounts in tx.execute(query.order_by(MonthTotal.merchant, label)):
        found.setdefault(merchant, []).append(PublicTotals(name, *map(int, amounts)))
    return found


def sum_public_days(tx: Session, *, first: date, beyond: date) -> PublicTotals:
    """All days from `first` until `beyond` together; zeros where nothing is published of them. A batch counts on its own day."""
    (row,) = _read(tx, select(literal(""), *_sums(DayTotal)).where(DayTotal.day >= first, DayTotal.day < beyond))
    return row


def sum_public_offers(tx: Session, *, month: str, offset: int = 0, limit: int | None = None) -> OfferSums:
    """What merchants bore by offer and version in a month (YYYY-MM), the most first. Returns name no offer: what they took back is one sum."""
    first, beyond = month_days(month)
    rows = tx.execute(
        select(
            OfferTotal.offer, OfferTotal.version, OfferTotal.sales_count, OfferTotal.batches_count, OfferTotal.borne_fen
        )
        .where(OfferTotal.month == first)
        .order_by(OfferTotal.borne_fen.desc(), OfferTotal.offer, OfferTotal.version)
        .offset(offset)
        .limit(limit)
    )
    named = select(_sum(OfferTotal.borne_fen), func.greatest(func.max(OfferTotal.borne_fen), 0))
    net = DayTotal.concession_fen + DayTotal.rebate_member_fen + DayTotal.rebate_union_fen
    parts: list[ColumnElement[Any]] = [
        _sum(part) for part in (DayTotal.sold_count, DayTotal.given_fen, DayTotal.given_fen - net, DayTotal.other_fen)
    ]
    whole = tx.execute(select(*parts).where(DayTotal.day >= first, DayTotal.day < beyond)).one()
    named_fen, most_fen = map(int, tx.execute(named.where(OfferTotal.month == first)).one())
    return OfferSums([OfferSum(*row) for row in rows], named_fen, most_fen, *map(int, whole))


def count_public_offers(tx: Session, *, month: str) -> int:
    """How many rows `sum_public_offers` has of a month (YYYY-MM)."""
    first, _ = month_days(month)
    return tx.scalar(select(func.count()).select_from(OfferTotal).where(OfferTotal.month == first)) or 0


def _figures(table: type[DayTotal | MonthTotal]) -> list[SQLColumnExpression[int]]:
    """What `PublicTotals` has after its label, of one row."""
    return [table.sold_count - table.voided_count, *(getattr(table, name) for name in TOTALLED[1:])]


def _sums(table: type[DayTotal | MonthTotal]) -> list[ColumnElement[Any]]:
    """The same of rows together."""
    return [_sum(figure) for figure in _figures(table)]


def _sum(column: SQLColumnExpression[int]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(column), 0)


def _read(tx: Session, query: Select[Any]) -> list[PublicTotals]:
    """A query of a label and `_sums`."""
    return [PublicTotals(row[0], *map(int, row[1:])) for row in tx.execute(query)]
