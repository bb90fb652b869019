"""Reads of sales for the person who bought and the shop that sold. Each query names whose sales may be seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal_column, select, tuple_
from sqlalchemy.orm import Session

from market.kit.clock import get_zone
from market.kit.errors import NotFoundError
from market.sales.documents import read_basket, read_quote
from market.sales.models import Reversal, Sale
from market.sales.redeem import check_code, list_documents


@dataclass(frozen=True, slots=True)
class SaleSummary:
    """A sale in a list; that of an order has no shop. `back_…` (fen) is what voids and refunds gave back, of rebates what is due no more."""

    id: UUID
    public_id: str
    shop_id: UUID | None
    merchant: str
    at: datetime
    list_fen: int
    concession_fen: int
    subsidy_fen: int
    paid_fen: int
    rebate_member_fen: int
    rebate_union_fen: int
    back_list_fen: int
    back_paid_fen: int
    back_rebate_member_fen: int
    back_rebate_union_fen: int
    is_void: bool

    @property
    def check(self) -> str:
        """The short code on the till's done page."""
        return check_code(self.public_id)

    @property
    def saved_fen(self) -> int:
        """What the member did not have to pay."""
        return self.list_fen - self.paid_fen

    @property
    def state(self) -> Literal["sold", "voided", "refunded", "partly_refunded"]:
        """`sold`, `voided`, `refunded` (all of it) or `partly_refunded`."""
        if self.is_void:
            return "voided"
        if not self.back_list_fen:
            return "sold"
        return "refunded" if self.back_list_fen == self.list_fen else "partly_refunded"


@dataclass(frozen=True, slots=True)
class SaleDetail:
    """A sale with its basket, its quote as stored, and what went back of it."""

    summary: SaleSummary
    subject: UUID
    entry_id: UUID
    basket: Sequence[Mapping[str, Any]]
    quote: Mapping[str, Any]
    reversals: Sequence[Reversal]

    @property
    def skus(self) -> set[str]:
        """The codes of what was sold."""
        return {line["sku"] for line in self.basket}

    def units_back(self, line: str) -> int:
        """Units of a line that went back already."""
        return sum(row["units"] for reversal in self.reversals for row in reversal.lines if row["line"] == line)


@dataclass(frozen=True, slots=True)
class SalePage:
    """Sales, newest first, and where the next page goes on (None at the end)."""

    sales: list[SaleSummary]
    older: tuple[datetime, UUID] | None


@dataclass(frozen=True, slots=True)
class HourTotals:
    """One hour of a business day, 0 to 23: sales that were not voided, and what they come to (fen) after returns.

    `rebate_fen` is what the merchant owes for them afterwards, to members and to the union together.
    """

    hour: int
    sales: int
    list_fen: int
    paid_fen: int
    rebate_fen: int


@dataclass(frozen=True, slots=True)
class MonthTotals:
    """One calendar month, by its first day: sales that were not voided, and what they come to (fen) after returns."""

    month_on: date
    sales: int
    list_fen: int
    paid_fen: int


_IS_VOID = select(Reversal.id).where(Reversal.sale_id == Sale.id, Reversal.kind == "void").exists()
_SUMMARY = select(
    Sale.id,
    Sale.public_id,
    Sale.shop_id,
    Sale.merchant,
    Sale.at,
    Sale.list_fen,
    Sale.concession_fen,
    Sale.subsidy_fen,
    Sale.paid_fen,
    Sale.rebate_member_fen,
    Sale.rebate_union_fen,
    Sale.back_list_fen,
    Sale.back_paid_fen,
    Sale.back_rebate_member_fen,
    Sale.back_rebate_union_fen,
    _IS_VOID.label("is_void"),
)

_STANDING_SUMS = (
    func.count().filter(~_IS_VOID),
    func.sum(Sale.list_fen - Sale.back_list_fen),
    func.sum(Sale.paid_fen - Sale.back_paid_fen),
)


def list_shop_sales(tx: Session, *, shop_id: UUID, day: date) -> list[SaleSummary]:
    """All sales of a shop on one business day, newest first."""
    query = _SUMMARY.where(Sale.shop_id == shop_id, Sale.day == day).order_by(Sale.at.desc(), Sale.id.desc())
    return [SaleSummary(**row) for row in tx.execute(query).mappings()]


def page_shop_sales(
    tx: Session, *, shop_id: UUID, day: date, before: tuple[datetime, UUID] | None = None, limit: int = 50
) -> SalePage:
    """A page of a shop's sales on one business day, newest first, read by key."""
    return _page(tx, (Sale.shop_id == shop_id) & (Sale.day == day), before, limit)


def list_person_sales(
    tx: Session, *, subject: UUID, before: tuple[datetime, UUID] | None = None, limit: int = 20
) -> SalePage:
    """A page of one person's sales, newest first, read by key."""
    return _page(tx, Sale.subject == subject, before, limit)


def total_shop_hours(tx: Session, *, shop_id: UUID, day: date) -> list[HourTotals]:
    """What a shop sold in each hour of one business day, voids and refunds taken off; hours without a sale are absent."""
    hour = func.date_part("hour", func.timezone(get_zone().key, Sale.at))
    due = Sale.rebate_member_fen + Sale.rebate_union_fen - Sale.back_rebate_member_fen - Sale.back_rebate_union_fen
    sums = (*_STANDING_SUMS, func.sum(due))
    query = select(hour, *sums).where(Sale.shop_id == shop_id, Sale.day == day).group_by(hour).order_by(hour)
    return [HourTotals(*(int(value) for value in row)) for row in tx.execute(query)]


def total_person_months(tx: Session, *, subject: UUID, oldest: date, newest: date) -> list[MonthTotals]:
    """What one person bought in each of the months that hold these two days and between, returns taken off, newest first."""
    month = func.date_trunc("month", Sale.day)
    first, beyond = oldest.replace(day=1), (newest.replace(day=1) + timedelta(days=31)).replace(day=1)
    bought = (Sale.subject == subject) & (Sale.day >= first) & (Sale.day < beyond)
    query = select(month, *_STANDING_SUMS).where(bought).group_by(month).order_by(month.desc())
    return [MonthTotals(at.date(), *(int(value) for value in sums)) for at, *sums in tx.execute(query)]


def get_person_sale(tx: Session, *, subject: UUID, public_id: str) -> SaleDetail:
    """One sale that this person made. Raises NotFoundError, also for another's."""
    return _get(tx, public_id, Sale.subject == subject)


def get_person_documents(tx: Session, *, subject: UUID, public_id: str) -> dict[str, bytes]:
    """The private documents of one sale that this person made, as its entry commits to them. Raises NotFoundError, also for another's."""
    query = select(Sale.card_id, Sale.basket, Sale.facts).where(Sale.public_id == public_id, Sale.subject == subject)
    row = tx.execute(query).one_or_none()
    if row is None or row.card_id is None:  # of somebody erased nobody opens a commitment
        raise NotFoundError
    return list_documents(subject=subject, card_id=row.card_id, basket=row.basket, facts=row.facts)


def get_shop_sale(tx: Session, *, shop_id: UUID, public_id: str) -> SaleDetail:
    """One sale that this shop made. Raises NotFoundError, also for another's."""
    return _get(tx, public_id, Sale.shop_id == shop_id)


def saved_by_month(tx: Session, *, subject: UUID, since: date) -> list[tuple[str, int]]:
    """What one person did not have to pay, by month (YYYY-MM, fen), returns taken off; months without a sale are absent."""
    month = func.to_char(Sale.day, "YYYY-MM")
    saved = func.sum(Sale.list_fen - Sale.paid_fen - Sale.back_list_fen + Sale.back_paid_fen)
    query = select(month, saved).where(Sale.subject == subject, Sale.day >= since).group_by(month).order_by(month)
    return [(label, int(fen)) for label, fen in tx.execute(query)]


def median_list_fen(tx: Session, *, shop_id: UUID, last: int = 200) -> int | None:
    """The median list total of a shop's last sales, in fen; None for a shop that sold nothing."""
    recent = select(Sale.list_fen).where(Sale.shop_id == shop_id).order_by(Sale.day.desc()).limit(last).subquery()
    median = tx.scalar(select(func.percentile_disc(literal_column("0.5")).within_group(recent.c.list_fen)))
    return None if median is None else int(median)


@dataclass(frozen=True, slots=True)
class Company:
    """How many sales a merchant made, and how many of them in an hour with at least so many sales of his."""

    sales: int
    in_company: int


def count_company(tx: Session, *, first: date, beyond: date, least: int) -> dict[str, Company]:
    """The sales of every merchant (by code) in the days from `first` until `beyond`, and those in hours with at least `least` of them."""
    hour = func.date_trunc("hour", Sale.at)
    days = (Sale.day >= first, Sale.day < beyond)
    hours = select(Sale.merchant, func.count().label("sales")).where(*days).group_by(Sale.merchant, hour).subquery()
    in_company = func.coalesce(func.sum(hours.c.sales).filter(hours.c.sales >= least), 0)
    query = select(hours.c.merchant, func.sum(hours.c.sales), in_company).group_by(hours.c.merchant)
    return {merchant: Company(int(sales), int(crowd)) for merchant, sales, crowd in tx.execute(query)}


def _page(tx: Session, whose: ColumnElement[bool], before: tuple[datetime, UUID] | None, limit: int) -> SalePage:
    query = _SUMMARY.where(whose).order_by(Sale.at.desc(), Sale.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(tuple_(Sale.at, Sale.id) < before)
    rows = [SaleSummary(**row) for row in tx.execute(query).mappings()]
    more = len(rows) > limit
    return SalePage(rows[:limit], (rows[limit - 1].at, rows[limit - 1].id) if more else None)


def _get(tx: Session, public_id: str, owned: ColumnElement[bool]) -> SaleDetail:
    query = _SUMMARY.add_columns(Sale.subject, Sale.entry_id, Sale.basket, Sale.facts).where(
        Sale.public_id == public_id, owned
    )
    found = tx.execute(query).mappings().one_or_none()
    if found is None:
        raise NotFoundError
    row = dict(found)
    reversals = tx.scalars(select(Reversal).where(Reversal.sale_id == row["id"]).order_by(Reversal.at)).all()
    return SaleDetail(
        subject=row.pop("subject"),
        entry_id=row.pop("entry_id"),
        basket=read_basket(row.pop("basket")),
        quote=read_quote(row.pop("facts")),
        summary=SaleSummary(**row),
        reversals=reversals,
    )
