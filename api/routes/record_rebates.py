"""Rebates on the public record: what fell due by merchant and month, as page, CSV and JSON. No sign-in."""

from typing import Any, Final

from fastapi import Request, Response
from sqlalchemy.orm import Session

from api.access import Doors
from api.exports import csv_response, public_json
from api.pages.kit import render
from api.pages.public_record import Month, choose_month, list_businesses, show_published, show_rows
from api.pages.totals import add_up, month_on, show_month
from api.pages.views import RecordRebates
from market.kit.database import snapshot
from market.oversight.counting import counted_size
from market.oversight.public_totals import sum_public_merchant_months, sum_public_merchants, sum_public_months

doors = Doors(prefix="/record", tags=["public record"])

MONTHS_SHOWN: Final = 12
HEADER: Final = ("month", "merchant", "merchant_name", "rebate_member_fen", "rebate_union_fen", "rebate_fen")


@doors.get("/rebates", include_in_schema=False)
def record_rebates(request: Request, month: Month = "") -> Response:
    """What fell due in a month by merchant, and in the last twelve months together."""
    with snapshot() as tx:
        months = sum_public_months(tx, last=MONTHS_SHOWN)
        chosen = choose_month(month, [row.label for row in months])
        rows = sum_public_merchants(tx, month=chosen)
        businesses = list_businesses(tx)
        published = show_published(tx)
    owing = [row for row in show_rows(rows, businesses) if _is_due(row.amounts)]
    view = RecordRebates(
        month_on=month_on(chosen),
        months=tuple(show_month(row) for row in months),
        total=add_up(rows)[0],
        rows=tuple(sorted(owing, key=lambda row: (-row.amounts.rebate_fen, row.code))),
        published=published,
    )
    return render(request, "record/rebates.html", view)


@doors.get("/rebates.csv")
def record_rebates_csv(month: Month = "") -> Response:
    """Rebates due as CSV, in fen: a row for each month and merchant with any, of one month or of all."""
    with snapshot() as tx:
        label, rows = _rows(tx, month)
    return csv_response(f"huigong-rebates{label}.csv", HEADER, (tuple(row.values()) for row in rows), public=True)


@doors.get("/rebates.json")
def record_rebates_json(month: Month = "") -> Response:
    """Rebates due as JSON, in fen: a row for each month and merchant with any, of one month or of all. Of the first `log_size` entries."""
    with snapshot() as tx:
        return public_json(_rows(tx, month)[1], log_size=counted_size(tx))


def _rows(tx: Session, month: str) -> tuple[str, list[dict[str, Any]]]:
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
        if _is_due(row)
    ]
    return f"-{chosen}" if chosen else "", sorted(rows, key=lambda row: (row["month"], row["merchant"]))


def _is_due(amounts: Any) -> bool:  # noqa: ANN401  totals of a query or amounts of a page: both name them alike
    """Whether there is anything to owe, or to take back: sums of both that cancel each other out still stand in the file."""
    return bool(amounts.rebate_member_fen or amounts.rebate_union_fen)
