"""The merchants of the public record: who they are, what they gave by month, their offers and entries. No sign-in."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Path, Query, Request, Response
from sqlalchemy.orm import Session

import merchants
from api.access import Doors
from api.door import language_of
from api.errors import PageUnknownError
from api.exports import csv_response, public_json
from api.pages.entries import read_text, show_told, told_row
from api.pages.entries import show_published as show_entry
from api.pages.i18n import Language
from api.pages.kit import render
from api.pages.offers import ended_at_of, read_offer, state_of, title_of
from api.pages.paged import ROWS_ON_PAGE, PageNumber, Search, count_pages, first_row
from api.pages.public_record import (
    Month,
    choose_month,
    show_published,
    size_of,
    write_checkpoint,
    write_figures,
)
from api.pages.terms import say_gives
from api.pages.totals import month_on, show_amounts, show_month
from api.pages.views import (
    CategoryChoice,
    MerchantSort,
    MerchantVersion,
    NameSaid,
    PublicMerchant,
    RecordMerchant,
    RecordMerchants,
)
from api.pages.views.record import PublicationSaid
from api.routes.record_entries import list_all
from market.kit.clock import business_day, now
from market.kit.database import snapshot, transaction
from market.kit.errors import invariant
from market.offers.models import OfferVersion
from market.offers.queries import count_live, list_found, list_live_by_merchant
from market.oversight.counting import counted_size
from market.oversight.entry_search import Wanted
from market.oversight.public_totals import (
    PublicTotals,
    list_public_months,
    sum_public_merchant_months,
    sum_public_months,
)
from market.oversight.published import Published, list_published
from market.record.publication import Publication, Said, list_coming, list_publications
from market.record.publishing.served import find_newest_checkpoint
from market.record.texts import KeptText, find_texts
from merchants import MerchantMonth, MonthWanted

doors = Doors(prefix="/record", tags=["public record"])

MONTHS_SHOWN: Final = 12
VERSIONS_SHOWN: Final = 20
CHANGES_SHOWN: Final = 50
ENTRIES_SHOWN: Final = 10
ABOUT_READ: Final = 200  # entries about a merchant itself, among which its names are looked for: a dozen a year at most
NOTHING: Final = PublicTotals("", 0, 0, 0, 0, 0, 0, 0, 0, 0)

Code = Annotated[str, Path(pattern="^[A-Za-z0-9_]{1,32}$")]
Category = Annotated[str, Query(pattern="^[a-z_]{0,32}$")]


@doors.get("/merchants", include_in_schema=False)
def record_merchants(
    request: Request,
    *,
    month: Month = "",
    category: Category = "",
    query: Search = "",
    sort: MerchantSort = "concession",
    number: PageNumber = 1,
    down: bool = True,
) -> Response:
    """A page of all merchants, or of those of a category or name, with what they gave in a month."""
    at = now()
    with snapshot() as tx:
        months = list_public_months(tx)
        chosen = choose_month(month, months)
        wanted = MonthWanted(chosen, among="registered", query=query, category=category)
        found = merchants.sum_months(tx, wanted)
        pages = count_pages(found.count, number)
        rows = merchants.list_months(
            tx, wanted, at=at, order=sort, down=down, offset=first_row(pages), limit=ROWS_ON_PAGE
        )
        codes = [row.totals.label for row in rows]
        live = count_live(tx, at=at, merchants=codes)
        published = list_publications(tx, on=business_day(at), merchants=codes)
        categories = merchants.count_by_category(tx)
        counted = show_published(tx)
    view = RecordMerchants(
        month_on=month_on(chosen),
        months=tuple(month_on(each) for each in months[-MONTHS_SHOWN:]),
        category=category or None,
        categories=tuple(CategoryChoice(category=code, merchants_count=n) for code, n in categories.items()),
        query=query,
        merchants=tuple(
            _merchant(row, how=_how(published, row.totals.label), offers_count=live.get(row.totals.label, 0))
            for row in rows
        ),
        pages=pages,
        total=show_amounts(found.totals),
        sales_count=found.totals.sales,
        most_fen=found.most_concession_fen,
        sort=sort,
        down=down,
        counted=counted,
    )
    return render(request, "record/merchants.html", view)


@doors.get("/merchants.csv")
def record_merchants_csv(month: Month = "", category: Category = "", query: Search = "") -> Response:
    """Merchants as CSV: a row for each with its figures of a month (fen), or for each of its months with anything."""
    with snapshot() as tx:
        label, rows = _rows(tx, month, category, query)
    flat = [
        [*list(row.values())[:-2], " ".join(row["offers"]), *figures.values()]
        for row in rows
        for figures in row["months"] or [{"month": month, **write_figures(NOTHING)}]
    ]
    header = (*HEAD, "offers", "month", *write_figures(NOTHING))
    return csv_response(f"huigong-merchants{label}.csv", header, flat, public=True)


@doors.get("/merchants.json")
def record_merchants_json(month: Month = "", category: Category = "", query: Search = "") -> Response:
    """Merchants as JSON: each with the offers in force of which it bears a part, and its months (fen) in the first `log_size` entries."""
    with snapshot() as tx:
        return public_json(_rows(tx, month, category, query)[1], log_size=counted_size(tx))


TOLD: Final = ("leaf_index", "entry", "day", "action", "category", "publication", "from", "reason", "text")
HEAD: Final = ("merchant", "merchant_name", "category", "since", "state", "publication")


def _rows(tx: Session, month: str, category: str, query: str) -> tuple[str, list[dict[str, Any]]]:
    chosen = choose_month(month, []) if month else None
    figures = sum_public_merchant_months(tx, month=chosen)
    named = merchants.search_names(tx, query=query)
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
        for each in merchants.list_merchants(tx)
        if category in ("", each.category) and each.merchant in named
    ]
    return "".join(f"-{part}" for part in (chosen, category) if part), rows


@doors.get("/merchants/{code}.csv")
def record_merchant_csv(code: Code) -> Response:
    """A merchant's terms as CSV: a row for each published entry about it, the newest first."""
    note = _checkpoint(code)
    rows = (list(told_row(entry).values()) for entry in _all_told(code, note))
    return csv_response(f"huigong-merchant-{code}.csv", TOLD, rows, public=True)


@doors.get("/merchants/{code}.json")
def record_merchant_json(code: Code) -> Response:
    """A merchant's terms as JSON: a row for each published entry about it, the newest first."""
    note = _checkpoint(code)
    return public_json([told_row(entry) for entry in _all_told(code, note)], merchant=code, **write_checkpoint(note))


@doors.get("/merchants/{code}/months.csv")
def record_merchant_months_csv(code: Code) -> Response:
    """A merchant's months as CSV, the earliest first; amounts in fen."""
    with snapshot() as tx:
        rows = [tuple(row.values()) for row in _months(tx, code)]
    header = ("month", *write_figures(NOTHING))
    return csv_response(f"huigong-merchant-{code}-months.csv", header, rows, public=True)


@doors.get("/merchants/{code}/months.json")
def record_merchant_months_json(code: Code) -> Response:
    """A merchant's months in the first `log_size` entries as JSON, the earliest first; amounts in fen."""
    with snapshot() as tx:
        return public_json(_months(tx, code), merchant=code, log_size=counted_size(tx))


@doors.get("/merchants/{code}", include_in_schema=False)
def record_merchant(request: Request, code: Code) -> Response:
    """One merchant: its terms with every change, its months, its offers, its newest entries."""
    at, language = now(), language_of(request)
    with snapshot() as tx:
        business = merchants.find_merchants(tx, codes=[code]).get(code)
        if business is None:
            raise PageUnknownError
        months = sum_public_months(tx, last=MONTHS_SHOWN, merchant=code)
        versions = list_found(tx, shown="ever_published", at=at, merchant=code, limit=VERSIONS_SHOWN)
        entries = list_published(tx, wanted=Wanted(merchant=code), limit=ENTRIES_SHOWN)
        about = list_published(tx, wanted=Wanted(merchant=code, kind="merchant"), limit=ABOUT_READ)
        kept = find_texts(tx, public_ids=[entry.public_id for entry in about])
        published = list_publications(tx, on=business_day(at)).get(code)
        coming = list_coming(tx, after=business_day(at)).get(code)
        counted = show_published(tx)
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
        entries=tuple(show_entry(entry, {code: business.name}) for entry in entries),
        told=tuple(show_told(entry, language) for entry in about[:CHANGES_SHOWN]),
        names=tuple(_name(entry, kept[entry.public_id]) for entry in about if entry.public_id in kept),
        counted=counted,
    )
    return render(request, "record/merchant.html", view)


def _merchant(row: MerchantMonth, *, how: Publication, offers_count: int) -> PublicMerchant:
    """A registered merchant in the list."""
    invariant(row.category is not None and row.admitted_at is not None, "whoever is listed is registered")
    return PublicMerchant(
        code=row.totals.label,
        name=row.name,
        category=row.category or "",
        since_on=business_day(row.admitted_at or now()),
        is_suspended=row.state != "admitted",
        is_batched=how == "batched",
        offers_count=offers_count,
        amounts=show_amounts(row.totals),
        sales_count=row.totals.sales,
    )


def _name(entry: Published, kept: KeptText) -> NameSaid:
    return NameSaid(name=read_text(kept).get("name"), from_on=entry.day, entry_id=entry.public_id)


def _checkpoint(code: str) -> bytes | None:
    """The newest checkpoint, for a file about a merchant. Raises PageUnknownError where there is no such merchant."""
    with transaction() as tx:
        _need_merchant(tx, code)
        return find_newest_checkpoint(tx)


def _need_merchant(tx: Session, code: str) -> None:
    if not merchants.find_merchants(tx, codes=[code]):
        raise PageUnknownError


def _all_told(code: str, note: bytes | None) -> Iterator[Published]:
    return list_all(Wanted(merchant=code, kind="merchant"), size_of(note))


def _months(tx: Session, code: str) -> list[dict[str, Any]]:
    _need_merchant(tx, code)
    return [{"month": row.label} | write_figures(row) for row in sum_public_months(tx, merchant=code)]


def _how(published: Mapping[str, Said], merchant: str) -> Publication:
    """How a merchant is published now."""
    return _how_said(published.get(merchant))


def _how_said(said: Said | None) -> Publication:
    return "row" if said is None else said.publication


def _said(said: Said | None) -> PublicationSaid | None:
    return None if said is None else PublicationSaid(publication=said.publication, from_on=said.from_on)


def _version(row: OfferVersion, *, at: datetime, language: Language) -> MerchantVersion:
    invariant(row.approved_at is not None, "only approved versions are published")
    ended_at = ended_at_of(row, at=at)
    return MerchantVersion(
        offer_id=row.offer,
        version=row.version,
        title=title_of(row, language),
        gives=say_gives(read_offer(row), language),
        state=state_of(row, at=at),
        published_on=business_day(row.approved_at or at),
        ended_on=business_day(ended_at) if ended_at else None,
    )
