"""The merchants of the public record: who they are, what they gave by month, their offers and entries. No sign-in."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Path, Query, Request, Response
from sqlalchemy.orm import Session

from api.access import Doors
from api.door import language_of
from api.errors import PageUnknownError
from api.exports import csv_response, public_json
from api.pages.entries import show_published as show_entry
from api.pages.i18n import Language
from api.pages.kit import render
from api.pages.offers import read_offer, state_of, title_of
from api.pages.public_record import Month, choose_month, list_businesses, show_published, write_figures
from api.pages.terms import say_gives
from api.pages.totals import add_up, month_on, show_amounts, show_month
from api.pages.views import (
    CategoryChoice,
    MerchantSort,
    MerchantVersion,
    PublicMerchant,
    RecordMerchant,
    RecordMerchants,
)
from api.pages.views.record import PublicationSaid
from market.kit.clock import business_day, now
from market.kit.database import snapshot
from market.kit.errors import invariant
from market.offers.models import OfferVersion
from market.offers.queries import list_live_by_merchant, list_published_of_merchant
from market.oversight.counting import counted_size
from market.oversight.public_totals import (
    PublicTotals,
    list_public_months,
    sum_public_merchant_months,
    sum_public_merchants,
    sum_public_months,
)
from market.oversight.published import Filter, list_published
from market.record.publication import Publication, Said, list_coming, list_publications

doors = Doors(prefix="/record", tags=["public record"])

MONTHS_SHOWN: Final = 12
VERSIONS_SHOWN: Final = 200
ENTRIES_SHOWN: Final = 10
NOTHING: Final = PublicTotals("", 0, 0, 0, 0, 0, 0, 0, 0, 0)

Code = Annotated[str, Path(pattern="^[A-Za-z0-9_]{1,32}$")]
Category = Annotated[str, Query(pattern="^[a-z_]{0,32}$")]


@doors.get("/merchants", include_in_schema=False)
def record_merchants(
    request: Request,
    month: Month = "",
    category: Category = "",
    sort: MerchantSort = "concession",
    *,
    down: bool = True,
) -> Response:
    """All merchants, or those of a category, with what they gave in a month."""
    at = now()
    with snapshot() as tx:
        months = list_public_months(tx)
        chosen = choose_month(month, months)
        rows = {row.label: row for row in sum_public_merchants(tx, month=chosen)}
        businesses = list_businesses(tx)
        live = list_live_by_merchant(tx, at=at)
        published = list_publications(tx, on=business_day(at))
        counted = show_published(tx)
    wanted = [each for each in businesses.values() if category in ("", each.category)]
    categories = sorted({each.category for each in businesses.values()})
    shown = [
        PublicMerchant(
            code=each.merchant,
            name=each.name,
            category=each.category,
            since_on=business_day(each.admitted_at),
            is_suspended=each.state != "admitted",
            is_batched=_how(published, each.merchant) == "batched",
            offers_count=len(live.get(each.merchant, ())),
            amounts=show_amounts(rows.get(each.merchant, NOTHING)),
            sales_count=rows.get(each.merchant, NOTHING).sales,
        )
        for each in wanted
    ]
    total, _ = add_up([rows[each.merchant] for each in wanted if each.merchant in rows])
    view = RecordMerchants(
        month_on=month_on(chosen),
        months=tuple(month_on(each) for each in months[-MONTHS_SHOWN:]),
        category=category or None,
        categories=tuple(
            CategoryChoice(category=code, merchants_count=sum(each.category == code for each in businesses.values()))
            for code in categories
        ),
        merchants=_sorted(shown, sort, down=down),
        total=total,
        sort=sort,
        down=down,
        counted=counted,
    )
    return render(request, "record/merchants.html", view)


@doors.get("/merchants.csv")
def record_merchants_csv(month: Month = "", category: Category = "") -> Response:
    """Merchants as CSV: a row for each with its figures of a month (fen), or for each of its months with anything."""
    with snapshot() as tx:
        label, rows = _rows(tx, month, category)
    flat = [
        [*list(row.values())[:-2], " ".join(row["offers"]), *figures.values()]
        for row in rows
        for figures in row["months"] or [{"month": month, **write_figures(NOTHING)}]
    ]
    header = (*HEAD, "offers", "month", *write_figures(NOTHING))
    return csv_response(f"huigong-merchants{label}.csv", header, flat, public=True)


@doors.get("/merchants.json")
def record_merchants_json(month: Month = "", category: Category = "") -> Response:
    """Merchants as JSON: each with the offers in force of which it bears a part, and its months (fen) in the first `log_size` entries."""
    with snapshot() as tx:
        return public_json(_rows(tx, month, category)[1], log_size=counted_size(tx))


HEAD: Final = ("merchant", "merchant_name", "category", "since", "state", "publication")


def _rows(tx: Session, month: str, category: str) -> tuple[str, list[dict[str, Any]]]:
    chosen = choose_month(month, []) if month else None
    figures = sum_public_merchant_months(tx, month=chosen)
    businesses = list_businesses(tx)
    live = list_live_by_merchant(tx, at=now())
    published = list_publications(tx, on=business_day(now()))
    rows = [
        {
            "merchant": each.merchant,
            "merchant_name": each.name,
            "category": each.category,
            "since": business_day(each.admitted_at).isoformat(),
            "state": each.state,
            "publication": _how(published, each.merchant),
            "offers": [f"{offer} v{version}" for offer, version in live.get(each.merchant, ())],
            "months": [{"month": row.label, **write_figures(row)} for row in figures.get(each.merchant, ())],
        }
        for each in businesses.values()
        if category in ("", each.category)
    ]
    return "".join(f"-{part}" for part in (chosen, category) if part), rows


@doors.get("/merchants/{code}", include_in_schema=False)
def record_merchant(request: Request, code: Code) -> Response:
    """One merchant: its months, its offers with all published versions, its newest entries."""
    at, language = now(), language_of(request)
    with snapshot() as tx:
        businesses = list_businesses(tx)
        business = businesses.get(code)
        if business is None:
            raise PageUnknownError
        months = sum_public_months(tx, last=MONTHS_SHOWN, merchant=code)
        versions = list_published_of_merchant(tx, merchant=code, limit=VERSIONS_SHOWN)
        entries = list_published(tx, wanted=Filter(merchant=code), limit=ENTRIES_SHOWN)
        about = list_published(tx, wanted=Filter(merchant=code, kind="merchant"), limit=1)
        published = list_publications(tx, on=business_day(at)).get(code)
        coming = list_coming(tx, after=business_day(at)).get(code)
        counted = show_published(tx)
    names = {each.merchant: each.name for each in businesses.values()}
    view = RecordMerchant(
        code=code,
        name=business.name,
        category=business.category,
        since_on=business_day(business.admitted_at),
        is_suspended=business.state != "admitted",
        published=_said(published),
        coming=None if coming is None or coming.publication == _how_said(published) else _said(coming),
        months=tuple(show_month(row) for row in months),
        versions=tuple(_version(row, at=at, language=language) for row in versions),
        entries=tuple(show_entry(entry, names) for entry in entries),
        terms_entry=about[0].public_id if about else None,
        counted=counted,
    )
    return render(request, "record/merchant.html", view)


def _how(published: Mapping[str, Said], merchant: str) -> Publication:
    """How a merchant is published now."""
    return _how_said(published.get(merchant))


def _how_said(said: Said | None) -> Publication:
    return "row" if said is None else said.publication


def _said(said: Said | None) -> PublicationSaid | None:
    return None if said is None else PublicationSaid(publication=said.publication, from_on=said.from_on)


def _version(row: OfferVersion, *, at: datetime, language: Language) -> MerchantVersion:
    invariant(row.approved_at is not None, "only approved versions are published")
    ended_at = row.ended_at or (row.live_until if row.live_until and row.live_until <= at else None)
    return MerchantVersion(
        offer_id=row.offer,
        version=row.version,
        title=title_of(row, language),
        gives=say_gives(read_offer(row), language),
        state=state_of(row, at=at),
        published_on=business_day(row.approved_at or at),
        ended_on=business_day(ended_at) if ended_at else None,
    )


def _sorted(rows: Sequence[PublicMerchant], sort: MerchantSort, *, down: bool) -> tuple[PublicMerchant, ...]:
    """By the column asked for; equals stay in the order of their codes."""
    places: dict[MerchantSort, Callable[[PublicMerchant], int | str]] = {
        "merchant": lambda row: row.name,
        "category": lambda row: row.category,
        "since": lambda row: row.since_on.toordinal(),
        "offers": lambda row: row.offers_count,
        "concession": lambda row: row.amounts.concession_fen,
        "rebate": lambda row: row.amounts.rebate_fen,
        "count": lambda row: row.sales_count,
    }
    return tuple(sorted(rows, key=places[sort], reverse=down))
