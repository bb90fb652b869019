"""Rebates on the public record: what fell due by merchant and month, as page, CSV and JSON. No sign-in."""

from typing import Any, Final

from fastapi import Request, Response
from sqlalchemy.orm import Session

import merchants
from api.access import Doors
from api.exports import csv_response, public_json
from api.pages.kit import render
from api.pages.paged import ROWS_ON_PAGE, PageNumber, Search, count_pages, first_row
from api.pages.public_record import Month, choose_month, show_published, show_rows
from api.pages.totals import month_on, show_amounts, show_month
from api.pages.views import RecordRebates
from market.kit.database import snapshot
from market.oversight.counting import counted_size
from market.oversight.public_totals import list_public_months, sum_public_month, sum_public_months
from merchants import MonthWanted

doors = Doors(prefix="/record", tags=["public record"])

MONTHS_SHOWN: Final = 12
HEADER: Final = ("month", "merchant", "merchant_name", "rebate_member_fen", "rebate_union_fen", "rebate_fen")


@doors.get("/rebates", include_in_schema=False)
def record_rebates(request: Request, month: Month = "", query: Search = "", number: PageNumber = 1) -> Response:
    """A page of what fell due in a month by merchant, and in the last twelve months together."""
    with snapshot() as tx:
        months = sum_public_months(tx, last=MONTHS_SHOWN)
        chosen = choose_month(month, [row.label for row in months])
        total = sum_public_month(tx, month=chosen)
        wanted = MonthWanted(chosen, among="due", query=query)
        found = merchants.sum_months(tx, wanted)
        pages = count_pages(found.count, number)
        rows = merchants.list_months(tx, wanted, order="rebate", down=True, offset=first_row(pages), limit=ROWS_ON_PAGE)
        published = show_published(tx)
    view = RecordRebates(
        month_on=month_on(chosen),
        months=tuple(show_month(row) for row in months),
        total=show_amounts(total),
        query=query,
        rows=tuple(show_rows(rows)),
        pages=pages,
        found=show_amounts(found.totals),
        most_fen=found.most_rebate_fen,
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
    """What the file's name ends with, and its rows by month and merchant."""
    chosen = choose_month(month, []) if month else None
    rows = [
        {
            "month": each,
            "merchant": row.totals.label,
            "merchant_name": row.name,
            "rebate_member_fen": row.totals.rebate_member_fen,
            "rebate_union_fen": row.totals.rebate_union_fen,
            "rebate_fen": row.totals.rebate_member_fen + row.totals.rebate_union_fen,
        }
        for each in ([chosen] if chosen else list_public_months(tx))
        for row in merchants.list_months(tx, MonthWanted(each, among="due", query=query))
    ]
    return f"-{chosen}" if chosen else "", rows
