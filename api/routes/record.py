"""The public record by month: what was given and paid by merchant, category and offer, as page, CSV and JSON. No sign-in."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request, Response
from sqlalchemy.orm import Session

import merchants
from api.access import Doors
from api.door import language_of
from api.exports import csv_response, public_json
from api.pages.kit import render
from api.pages.paged import ROWS_ON_PAGE, PageNumber, Search, count_pages, cut_page, first_row
from api.pages.public_record import Month, choose_month, show_categories, show_published, show_rows, write_figures
from api.pages.totals import month_on, show_month
from api.pages.views import (
    AmountsRow,
    OfferGiven,
    RecordBy,
    RecordMonths,
    RecordOfferSums,
    RecordSort,
    Tenders,
)
from api.routes.desk_offers import say_givers
from market.kit.database import snapshot
from market.offers.queries import list_of_versions
from market.oversight.counting import counted_size
from market.oversight.public_totals import (
    TOTALLED,
    OfferSums,
    PublicTotals,
    count_public_offers,
    list_public_months,
    sum_public_month,
    sum_public_months,
    sum_public_offers,
)
from merchants import MonthWanted

doors = Doors(prefix="/record", tags=["public record"])

MONTHS_SHOWN = 12
OFFER_FIGURES = ("month", "offer", "version", "sales", "batches", "borne_fen")


@doors.get("/months", include_in_schema=False)
def record_months(
    request: Request,
    *,
    month: Month = "",
    by: RecordBy = "merchant",
    query: Search = "",
    sort: RecordSort = "list",
    number: PageNumber = 1,
    down: bool = True,
) -> Response:
    """A page of one month by merchant or by category, and the last twelve as a picture."""
    with snapshot() as tx:
        months = sum_public_months(tx, last=MONTHS_SHOWN)
        chosen = choose_month(month, [row.label for row in months])
        total = sum_public_month(tx, month=chosen)
        if by == "category":
            categories = merchants.sum_months_by_category(tx, month=chosen)
            shown = show_categories(categories, month=chosen, language=language_of(request))
            found = total
            rows, pages = cut_page(_sorted(shown, sort, down=down), number)
        else:
            wanted = MonthWanted(chosen, query=query)
            months_found = merchants.sum_months(tx, wanted)
            found = months_found.totals
            pages = count_pages(months_found.count, number)
            page = merchants.list_months(tx, wanted, order=sort, down=down, offset=first_row(pages), limit=ROWS_ON_PAGE)
            rows = show_rows(page)
        published = show_published(tx)
    view = RecordMonths(
        month_on=month_on(chosen),
        months=tuple(show_month(row) for row in months),
        total=show_month(total),
        by=by,
        query=query,
        rows=tuple(rows),
        pages=pages,
        found=show_month(found),
        sort=sort,
        down=down,
        tenders=_tenders(total),
        published=published,
    )
    return render(request, "record.html", view)


@doors.get("/months.csv")
def record_csv(month: Month = "", by: RecordBy = "merchant", query: Search = "") -> Response:
    """The figures as CSV, in fen: of one month by merchant or category, or of all months."""
    with snapshot() as tx:
        label, rows = _figures(tx, month, by, query)
    named = ("category",) if by == "category" else ("merchant", "merchant_name")
    header = ("month", *(named if month else ()), *TOTALLED)
    return csv_response(f"huigong-record-{label}.csv", header, (tuple(row.values()) for row in rows), public=True)


@doors.get("/months.json")
def record_json(month: Month = "", by: RecordBy = "merchant", query: Search = "") -> Response:
    """The figures as JSON, in fen: of one month by merchant or category, or of all months. Of the first `log_size` entries."""
    with snapshot() as tx:
        return public_json(_figures(tx, month, by, query)[1], log_size=counted_size(tx))


@doors.get("/months/offers", include_in_schema=False)
def record_offer_sums(request: Request, month: Month = "", number: PageNumber = 1) -> Response:
    """A page of what merchants bore in a month by offer and version, out of the published entries."""
    language = language_of(request)
    with snapshot() as tx:
        months = list_public_months(tx)
        chosen = choose_month(month, months)
        pages = count_pages(count_public_offers(tx, month=chosen), number)
        sums = sum_public_offers(tx, month=chosen, offset=first_row(pages), limit=ROWS_ON_PAGE)
        versions = {
            (row.offer, row.version): row
            for row in list_of_versions(tx, versions=[(row.offer, row.version) for row in sums.rows])
        }
        names = merchants.find_names(tx, codes={code for row in versions.values() for code in row.merchants})
        published = show_published(tx)
    given = []
    for row in sums.rows:
        version = versions.get((row.offer, row.version))
        title = "" if version is None else version.title_en if language == "en" else version.title
        given.append(
            OfferGiven(
                offer_id=row.offer,
                version=row.version,
                title=title or row.offer,
                merchant=(say_givers(version, names) if version else None) or "",
                is_rebate=version is not None and version.terms.get("stage") == "rebate",
                sales_count=row.sales,
                batches_count=row.batches,
                borne_fen=row.borne_fen,
            )
        )
    view = RecordOfferSums(
        month_on=month_on(chosen),
        months=tuple(month_on(each) for each in months[-MONTHS_SHOWN:]),
        given=tuple(given),
        pages=pages,
        named_fen=sums.named_fen,
        most_fen=sums.most_fen,
        sales_count=sums.sales,
        given_fen=sums.given_fen,
        back_fen=sums.back_fen,
        other_fen=sums.other_fen,
        published=published,
    )
    return render(request, "record/offer_sums.html", view)


@doors.get("/months/offers.csv")
def record_offer_sums_csv(month: Month = "") -> Response:
    """What merchants bore in a month by offer and version as CSV, in fen."""
    with snapshot() as tx:
        chosen, sums = _offer_sums(tx, month)
    rows = (tuple(row.values()) for row in _offer_rows(chosen, sums))
    return csv_response(f"huigong-record-{chosen}-offers.csv", OFFER_FIGURES, rows, public=True)


@doors.get("/months/offers.json")
def record_offer_sums_json(month: Month = "") -> Response:
    """What merchants bore in a month by offer and version as JSON, in fen.

    `given_fen` is their sum with `other_fen`, of which batches do not name the offers; `back_fen` is what returns took back.
    """
    with snapshot() as tx:
        chosen, sums = _offer_sums(tx, month)
        size = counted_size(tx)
    whole = {"given_fen": sums.given_fen, "other_fen": sums.other_fen, "back_fen": sums.back_fen}
    return public_json(_offer_rows(chosen, sums), log_size=size, sales=sums.sales, **whole)


def _offer_sums(tx: Session, month: str) -> tuple[str, OfferSums]:
    chosen = choose_month(month, list_public_months(tx))
    return chosen, sum_public_offers(tx, month=chosen)


def _offer_rows(month: str, sums: OfferSums) -> list[dict[str, Any]]:
    return [
        {
            "month": month,
            "offer": row.offer,
            "version": row.version,
            "sales": row.sales,
            "batches": row.batches,
            "borne_fen": row.borne_fen,
        }
        for row in sums.rows
    ]


def _figures(tx: Session, month: str, by: RecordBy, query: str) -> tuple[str, list[dict[str, Any]]]:
    if not month:
        return "months", [{"month": row.label} | write_figures(row) for row in sum_public_months(tx)]
    chosen = choose_month(month, [])
    if by == "category":
        return f"{chosen}-categories", [
            {"month": chosen, "category": row.label} | write_figures(row)
            for row in merchants.sum_months_by_category(tx, month=chosen)
        ]
    return chosen, [
        {"month": chosen, "merchant": row.totals.label, "merchant_name": row.name} | write_figures(row.totals)
        for row in merchants.list_months(tx, MonthWanted(chosen, query=query))
    ]


def _tenders(total: PublicTotals) -> Tenders:
    declared, provider = total.paid_declared_fen, total.paid_provider_fen
    return Tenders(declared_fen=declared, provider_fen=provider, untold_fen=total.paid_fen - declared - provider)


def _sorted(rows: Sequence[AmountsRow], sort: RecordSort, *, down: bool) -> tuple[AmountsRow, ...]:
    """By the column asked for; equals stay in the order of their codes."""

    def place(row: AmountsRow) -> tuple[int, str]:
        match sort:
            case "merchant":
                return 0, row.name
            case "count":
                return row.sales_count, ""
            case _:
                return int(getattr(row.amounts, f"{sort}_fen")), ""

    return tuple(sorted(rows, key=place, reverse=down))
