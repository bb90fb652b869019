"""Rebates on the public record: what fell due by merchant and month, as page, CSV and JSON. No sign-in."""

from typing import Any, Final

from fastapi import Request, Response
from sqlalchemy.orm import Session

from api.access import Doors
from api.exports import csv_response, public_json
from api.pages.kit import render
from api.pages.paged import PageNumber, Search, cut_page, is_found
from api.pages.public_record import Month, choose_month, find_rows, list_businesses, name_of, show_published, show_rows
from api.pages.totals import add_up, month_on, show_month
from api.pages.views import RecordRebates
from market.kit.database import snapshot
from market.oversight.counting import counted_size
from market.oversight.public_totals import (
    PublicTotals,
    sum_public_merchant_months,
    sum_public_merchants,
    sum_public_months,
)

doors = Doors(prefix="/record", tags=["public record"])

MONTHS_SHOWN: Final = 12
HEADER: Final = ("month", "merchant", "merchant_name", "rebate_member_fen", "rebate_union_fen", "rebate_fen")


@doors.get("/rebates", include_in_schema=False)
def record_rebates(request: Request, month: Month = "", query: Search = "", number: PageNumber = 1) -> Response:
    """A page of what fell due in a month by merchant, and in the last twelve months together."""
    with snapshot() as tx:
        months = sum_public_months(tx, last=MONTHS_SHOWN)
        chosen = choose_month(month, [row.label for row in months])
        rows = sum_public_merchants(tx, month=chosen)
        businesses = list_businesses(tx)
        published = show_published(tx)
    found = find_rows([row for row in rows if _is_due(row)], businesses, query)
    page, pages = cut_page(sorted(found, key=lambda row: (-_due(row), row.label)), number)
    view = RecordRebates(
        month_on=month_on(chosen),
        months=tuple(show_month(row) for row in months),
        total=add_up(rows)[0],
        query=query,
        rows=tuple(show_rows(page, businesses)),
        pages=pages,
        found=add_up(found)[0],
        most_fen=max(map(_due, found), default=0),
        published=published,
    )
    return render(request, "record/rebates.html", view)


@doors.get("/rebates.csv")
def record_rebates_csv(month: Month = "", query: Search = "") -> Response:
    """Rebates due as CSV, in fen: a row for each month and merchant with any, of one month or of all."""
    with snapshot() as tx:
        label, rows = _rows(tx, month, query)
    return csv_response(f"huigong-rebates{label}.csv", HEADER, (tuple(row.values()) for row in rows), public=True)


@doors.get("/rebates.json")
def record_rebates_json(month: Month = "", query: Search = "") -> Response:
    """Rebates due as JSON, in fen: a row for each month and merchant with any, of one month or of all. Of the first `log_size` entries."""
    with snapshot() as tx:
        return public_json(_rows(tx, month, query)[1], log_size=counted_size(tx))


def _rows(tx: Session, month: str, query: str) -> tuple[str, list[dict[str, Any]]]:
    chosen = choose_month(month, []) if month else None
    figures = sum_public_merchant_months(tx, month=chosen)
    businesses = list_businesses(tx)
    rows = [
        {
            "month": row.label,
            "merchant": code,
            "merchant_name": businesses[code].name if code in businesses else "",
            "rebate_member_fen": row.rebate_member_fen,
            "rebate_union_fen": row.rebate_union_fen,
            "rebate_fen": row.rebate_member_fen + row.rebate_union_fen,
        }
        for code, months in figures.items()
        for row in months
        if _is_due(row) and is_found(query, code, name_of(businesses, code))
    ]
    return f"-{chosen}" if chosen else "", sorted(rows, key=lambda row: (row["month"], row["merchant"]))


def _due(row: PublicTotals) -> int:
    return row.rebate_member_fen + row.rebate_union_fen


def _is_due(amounts: PublicTotals) -> bool:
    """Whether there is anything to owe, or to take back: sums of both that cancel each other out still stand in the file."""
    return bool(amounts.rebate_member_fen or amounts.rebate_union_fen)
