"""Merchants with a month of the public record: found, summed, sorted and cut into pages by the database, so that a page reads no more rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal, TypeAlias, cast

from sqlalchemy import ColumnElement, FromClause, SQLColumnExpression, Subquery, func, or_, select
from sqlalchemy.orm import Session

from market.kit.errors import invariant
from market.offers.queries import live_counts
from market.oversight.public_totals import TOTALLED, PublicTotals, month_figures
from merchants.models import Merchant

Among: TypeAlias = Literal["registered", "sold", "due"]
"""All merchants; those with anything published of the month; those of them whose rebates are not nothing."""

MonthOrder: TypeAlias = Literal[
    "code",
    "merchant",
    "category",
    "since",
    "offers",
    "list",
    "concession",
    "subsidy",
    "paid",
    "rebate_member",
    "rebate_union",
    "rebate",
    "count",
]
UNREGISTERED: Final = "other"  # the category of a code of the record under which nobody is registered


@dataclass(frozen=True, slots=True)
class MonthWanted:
    """Which merchants in which month (YYYY-MM): of one category or all, whose name or code holds `query`, whatever its case."""

    month: str
    among: Among = "sold"
    query: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class MerchantMonth:
    """A merchant and its month; `totals.label` is its code. Where nobody is registered under it, that is its name and the rest None."""

    totals: PublicTotals
    name: str
    category: str | None
    state: str | None
    admitted_at: datetime | None


@dataclass(frozen=True, slots=True)
class MonthsFound:
    """How many merchants were found, what their months come to, and the largest concession and rebate of one (fen; none below 0)."""

    count: int
    totals: PublicTotals
    most_concession_fen: int
    most_rebate_fen: int


def sum_months(tx: Session, wanted: MonthWanted) -> MonthsFound:
    """What all that is wanted comes to."""
    source, of_month, conditions = _find(wanted)
    concession, rebate = of_month.c.concession_fen, _rebate(of_month)
    row = tx.execute(
        select(
            func.count(),
            *(func.coalesce(func.sum(of_month.c[name]), 0) for name in TOTALLED),
            func.greatest(func.max(concession), 0),
            func.greatest(func.max(rebate), 0),
        )
        .select_from(source)
        .where(*conditions)
    ).one()
    count, *sums, most_concession, most_rebate = map(int, row)
    return MonthsFound(count, PublicTotals(wanted.month, *sums), most_concession, most_rebate)


def list_months(
    tx: Session,
    wanted: MonthWanted,
    *,
    order: MonthOrder = "code",
    at: datetime | None = None,
    down: bool = False,
    offset: int = 0,
    limit: int | None = None,
) -> list[MerchantMonth]:
    """Those wanted by a column, equals by their codes; by "offers", which are those in force at the instant `at`, only with that."""
    source, of_month, conditions = _find(wanted)
    code, name = _code(of_month), _name(of_month)
    if order == "offers":
        invariant(at is not None, "offers are in force at some instant")
        live = live_counts(cast("datetime", at))
        source = source.outerjoin(live, live.c.merchant == code)
        place: SQLColumnExpression[Any] = func.coalesce(live.c.live_count, 0)
    else:
        place = _PLACES[order](of_month)
    rows = tx.execute(
        select(
            code,
            *(func.coalesce(of_month.c[figure], 0) for figure in TOTALLED),
            name,
            Merchant.category,
            Merchant.state,
            Merchant.admitted_at,
        )
        .select_from(source)
        .where(*conditions)
        .order_by(place.desc() if down else place, code)
        .offset(offset)
        .limit(limit)
    )
    return [MerchantMonth(PublicTotals(*row[:-4]), *row[-4:]) for row in rows]


def sum_months_by_category(tx: Session, *, month: str) -> list[PublicTotals]:
    """The month (YYYY-MM) by the category that each merchant has now, which is the label; by it."""
    source, of_month, conditions = _find(MonthWanted(month))
    category = func.coalesce(Merchant.category, UNREGISTERED)
    rows = tx.execute(
        select(category, *(func.sum(of_month.c[name]) for name in TOTALLED))
        .select_from(source)
        .where(*conditions)
        .group_by(category)
        .order_by(category)
    )
    return [PublicTotals(row[0], *map(int, row[1:])) for row in rows]


def count_by_category(tx: Session) -> dict[str, int]:
    """How many merchants are registered, by category."""
    rows = tx.execute(
        select(Merchant.category, func.count().label("merchants_count"))
        .group_by(Merchant.category)
        .order_by(Merchant.category)
    )
    return {row.category: row.merchants_count for row in rows}


def _find(wanted: MonthWanted) -> tuple[FromClause, Subquery, list[ColumnElement[bool]]]:
    """What is read, the months in it, and the conditions."""
    of_month = month_figures(wanted.month)
    code, name = _code(of_month), _name(of_month)
    is_same = Merchant.code == of_month.c.merchant
    conditions: list[ColumnElement[bool]] = []
    if wanted.among == "registered":
        source: FromClause = Merchant.__table__.outerjoin(of_month, is_same)
    else:
        source = of_month.outerjoin(Merchant.__table__, is_same)
    if wanted.among == "due":
        conditions.append(or_(of_month.c.rebate_member_fen != 0, of_month.c.rebate_union_fen != 0))
    if wanted.category:
        conditions.append(func.coalesce(Merchant.category, UNREGISTERED) == wanted.category)
    if query := wanted.query.strip():
        conditions.append(or_(code.icontains(query, autoescape=True), name.icontains(query, autoescape=True)))
    return source, of_month, conditions


def _code(of_month: Subquery) -> ColumnElement[str]:
    return func.coalesce(Merchant.code, of_month.c.merchant)


def _name(of_month: Subquery) -> ColumnElement[str]:
    return func.coalesce(Merchant.name, of_month.c.merchant)


def _rebate(of_month: Subquery) -> ColumnElement[int]:
    return of_month.c.rebate_member_fen + of_month.c.rebate_union_fen


def _amount(of_month: Subquery, *, name: str) -> ColumnElement[int]:
    return func.coalesce(of_month.c[name], 0)


_AMOUNTS: Final[tuple[MonthOrder, ...]] = ("list", "concession", "subsidy", "paid", "rebate_member", "rebate_union")
_PLACES: Final[dict[MonthOrder, Callable[[Subquery], SQLColumnExpression[Any]]]] = {
    "code": _code,
    "merchant": _name,
    "category": lambda _: Merchant.category,
    "since": lambda _: Merchant.admitted_at,
    "rebate": lambda of_month: func.coalesce(_rebate(of_month), 0),
    "count": partial(_amount, name="sales"),
    **{name: partial(_amount, name=f"{name}_fen") for name in _AMOUNTS},
}
