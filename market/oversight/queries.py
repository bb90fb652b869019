"""What was given, paid and owed as the books have it now: sums over sales and returns, by month and day. A return counts in its own month.

For officers, auditors and the merchant himself, never for a public page: who asks again and again sees each sale the moment it is made.
What everybody may read is `market/oversight/public_totals`.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, case, func, literal, select, union_all
from sqlalchemy.orm import Session

from market.oversight.models import VerifyRun
from market.record.models import Entry
from market.sales.models import Reversal, Sale

_VOIDED = case((Reversal.kind == "void", -1), else_=0)
AMOUNTS = ("list_fen", "concession_fen", "subsidy_fen", "paid_fen", "rebate_member_fen", "rebate_union_fen")


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums in fen, returns taken off; `sales` counts the sales, voided ones not. Rebates are those that fell due."""

    label: str
    sales: int
    list_fen: int
    concession_fen: int
    subsidy_fen: int
    paid_fen: int
    rebate_member_fen: int
    rebate_union_fen: int


def total_by_month(tx: Session, *, last: int | None = None) -> list[Totals]:
    """Every month with anything, or those among the `last` ones up to the newest, oldest first; `label` is YYYY-MM.

    A page gives `last`, so that what it costs does not grow with the years.
    """
    months = list_months(tx) if last else []
    first = date.fromisoformat(f"{months[-last:][0]}-01") if last and months else date.min
    moved = _moved(first, date.max)
    return _totals(tx, _summed(_month_of(moved), moved))


def total_by_day(tx: Session, *, merchant: str, month: str) -> list[Totals]:
    """Every day of the month with anything at one merchant; `label` is YYYY-MM-DD."""
    first, beyond = month_days(month)
    moved = _moved(first, beyond, merchant=merchant)
    return _totals(tx, _summed(func.to_char(moved.c.day, "YYYY-MM-DD"), moved))


def list_months(tx: Session) -> list[str]:
    """Every month (YYYY-MM) from the first sale to the newest sale or return, oldest first; read by index."""
    first, sold, returned = (
        tx.scalar(select(edge)) for edge in (func.min(Sale.day), func.max(Sale.day), func.max(Reversal.day))
    )
    if first is None or sold is None:
        return []
    return months_between(first, max(sold, returned or sold))


def months_between(first: date, last: date) -> list[str]:
    """The months (YYYY-MM) from that of one day to that of another, both included."""
    begin, end = (day.year * 12 + day.month - 1 for day in (first, last))
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(begin, end + 1)]


def month_days(month: str) -> tuple[date, date]:
    """The first day of a month (YYYY-MM) and the first of the next. Raises ValueError for anything else."""
    first = date.fromisoformat(f"{month}-01")
    if first.year == date.max.year:
        raise ValueError(month)
    return first, (first + timedelta(days=31)).replace(day=1)


def find_verify_run(tx: Session) -> VerifyRun | None:
    """The newest run of `huigong verify`."""
    return tx.scalar(select(VerifyRun).order_by(VerifyRun.at.desc()).limit(1))


def find_entry(tx: Session, *, public_id: str) -> Entry | None:
    """One entry by its public id."""
    return tx.scalar(select(Entry).where(Entry.public_id == public_id))


def _moved(first: date, beyond: date, *, merchant: str | None = None) -> Subquery:
    """Sales as they were and returns as their opposite, of the days from `first` until `beyond`."""
    parts = []
    for table, columns in _columns():
        part = select(*columns).where(table.day >= first, table.day < beyond)
        if merchant is not None:
            part = part.where(table.merchant == merchant)
        parts.append(part)
    return union_all(*parts).subquery("moved")


def _columns() -> list[tuple[type[Sale] | type[Reversal], list[ColumnElement[Any]]]]:
    """What is summed of a sale, and of a return as its opposite."""
    return [
        (
            table,
            [
                table.day.label("day"),
                table.merchant.label("merchant"),
                count.label("sales"),
                *((getattr(table, name) * sign).label(name) for name in AMOUNTS),
            ],
        )
        for table, sign, count in ((Sale, 1, literal(1)), (Reversal, -1, _VOIDED))
    ]


def _month_of(moved: Subquery) -> ColumnElement[str]:
    return func.to_char(moved.c.day, "YYYY-MM")


def _summed(label: ColumnElement[str], moved: Subquery) -> Select[Any]:
    sums = [func.sum(moved.c[name]) for name in ("sales", *AMOUNTS)]
    columns: list[ColumnElement[Any]] = [label, *sums]
    return select(*columns).select_from(moved).group_by(label).order_by(label)


def _totals(tx: Session, query: Select[Any]) -> list[Totals]:
    return [Totals(row[0], *(int(amount) for amount in row[1:])) for row in tx.execute(query)]
