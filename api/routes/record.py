"""The public record for everybody: what was given and paid by month and merchant, as page, CSV and JSON. No sign-in."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

import merchants
from api.access import Doors
from api.errors import PageUnknownError
from api.exports import csv_response
from api.pages.kit import render
from api.pages.totals import add_up, month_on, show_amounts, show_month
from api.pages.views import MerchantAmounts, MonthAmounts, RecordMonths, RecordSort
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.oversight.queries import Totals, month_days, total_by_merchant, total_by_month

doors = Doors(prefix="/record", tags=["public record"])

MONTHS_SHOWN = 12
FIGURES = ("sales", "list_fen", "concession_fen", "subsidy_fen", "paid_fen", "rebate_member_fen", "rebate_union_fen")

Month = Annotated[str | None, Query(pattern="^[0-9]{4}-[0-9]{2}$", description="YYYY-MM")]


@doors.get("/months", include_in_schema=False)
def record_months(request: Request, month: Month = None, sort: RecordSort = "list", *, down: bool = True) -> Response:
    """One month by merchant, and the last twelve as a picture."""
    with transaction() as tx:
        months = total_by_month(tx, last=MONTHS_SHOWN)
        chosen = _chosen(month, months)
        rows = total_by_merchant(tx, month=chosen)
        names = _names(tx)
    shown = tuple(
        MerchantAmounts(
            merchant=names.get(row.label, row.label),
            merchant_code=row.label,
            amounts=show_amounts(row),
            sales_count=row.sales,
        )
        for row in rows
    )
    amounts, sales_count = add_up(rows)
    view = RecordMonths(
        month_on=month_on(chosen),
        months=tuple(show_month(row) for row in months),
        total=MonthAmounts(month_on=month_on(chosen), amounts=amounts, sales_count=sales_count),
        merchants=_sorted(shown, sort, down=down),
        sort=sort,
        down=down,
    )
    return render(request, "record.html", view)


@doors.get("/months.csv")
def record_csv(month: Month = None) -> Response:
    """The figures as CSV, in fen: of one month by merchant, or of all months."""
    label, rows = _figures(month)
    header = ("month", "merchant", "merchant_name", *FIGURES) if month else ("month", *FIGURES)
    return csv_response(f"huigong-record-{label}.csv", header, (tuple(row.values()) for row in rows), public=True)


@doors.get("/months.json")
def record_json(month: Month = None) -> Response:
    """The figures as JSON, in fen: of one month by merchant, or of all months."""
    _, rows = _figures(month)
    return JSONResponse(
        {"currency": "CNY", "unit": "fen", "rows": rows}, headers={"Cache-Control": "public, max-age=60"}
    )


def _figures(month: str | None) -> tuple[str, list[dict[str, Any]]]:
    with transaction() as tx:
        if month is None:
            return "months", [{"month": row.label} | _numbers(row) for row in total_by_month(tx)]
        chosen = _chosen(month, [])
        names = _names(tx)
        rows = total_by_merchant(tx, month=chosen)
    return chosen, [
        {"month": chosen, "merchant": row.label, "merchant_name": names.get(row.label, "")} | _numbers(row)
        for row in rows
    ]


def _numbers(row: Totals) -> dict[str, int]:
    return {name: getattr(row, name) for name in FIGURES}


def _chosen(month: str | None, months: Sequence[Totals]) -> str:
    """The month asked for, else the newest with anything, else this one. A month there never was is an unknown page."""
    if month is None:
        return months[-1].label if months else business_day(now()).isoformat()[:7]
    try:
        month_days(month)
    except ValueError:
        raise PageUnknownError from None
    return month


def _names(tx: Session) -> dict[str, str]:
    return {merchant.merchant: merchant.name for merchant in merchants.list_merchants(tx)}


def _sorted(rows: Sequence[MerchantAmounts], sort: RecordSort, *, down: bool) -> tuple[MerchantAmounts, ...]:
    """By the column asked for; equals stay in the order of their codes."""

    def place(row: MerchantAmounts) -> tuple[int, str]:
        match sort:
            case "merchant":
                return 0, row.merchant
            case "count":
                return row.sales_count, ""
            case _:
                return int(getattr(row.amounts, f"{sort}_fen")), ""

    return tuple(sorted(rows, key=place, reverse=down))
