"""Sums of the oversight room as pages show them."""

from collections.abc import Sequence
from datetime import date

from api.pages.views import Amounts, MonthAmounts
from market.oversight.queries import Totals


def show_amounts(totals: Totals) -> Amounts:
    """The four amounts and the rebates, in fen."""
    return Amounts(
        list_fen=totals.list_fen,
        concession_fen=totals.concession_fen,
        subsidy_fen=totals.subsidy_fen,
        paid_fen=totals.paid_fen,
        rebate_member_fen=totals.rebate_member_fen,
        rebate_union_fen=totals.rebate_union_fen,
    )


def show_month(totals: Totals) -> MonthAmounts:
    """A month (`label` YYYY-MM)."""
    return MonthAmounts(month_on=month_on(totals.label), amounts=show_amounts(totals), sales_count=totals.sales)


def month_on(month: str) -> date:
    """The first day of a month written YYYY-MM."""
    return date.fromisoformat(f"{month}-01")


def add_up(rows: Sequence[Totals]) -> tuple[Amounts, int]:
    """The amounts and the number of sales of several rows together."""
    together = Amounts(
        list_fen=sum(row.list_fen for row in rows),
        concession_fen=sum(row.concession_fen for row in rows),
        subsidy_fen=sum(row.subsidy_fen for row in rows),
        paid_fen=sum(row.paid_fen for row in rows),
        rebate_member_fen=sum(row.rebate_member_fen for row in rows),
        rebate_union_fen=sum(row.rebate_union_fen for row in rows),
    )
    return together, sum(row.sales for row in rows)
