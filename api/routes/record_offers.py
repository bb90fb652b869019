"""Offers on the public record: what is in force, and every approved version of each with what it changed. No sign-in."""

import json
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request, Response

from api.access import Doors
from api.door import language_of
from api.errors import PageUnknownError
from api.pages.i18n import Language
from api.pages.kit import render
from api.pages.offer_pages import read_cursor, say_all, show_differences, write_cursor
from api.pages.offers import read_offer, show_row, state_of, title_of
from api.pages.terms import say_gives
from api.pages.views import PublicOfferRow, PublicVersion, RecordOffer, RecordOffers
from api.routes.desk_offers import OfferId, Query_, all_names, find_codes, merchant_names, say_givers
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.errors import invariant
from market.offers.models import OfferVersion
from market.offers.queries import list_found, list_published_versions
from market.offers.signatures import list_signatures

doors = Doors(include_in_schema=False)

ROWS_ON_PAGE = 50


@doors.get("/record/offers")
def record_offers(
    request: Request, query: Query_ = "", after: Annotated[str, Query(max_length=140)] = "", *, ended: bool = False
) -> Response:
    """Offers in force or to come, or those that are over, newest first."""
    at, language = now(), language_of(request)
    with transaction() as tx:
        names = merchant_names(tx)
        rows = list_found(
            tx,
            shown="ended" if ended else "published",
            at=at,
            query=query,
            merchants=find_codes(names, query),
            after=read_cursor(after),
            limit=ROWS_ON_PAGE + 1,
        )
    page = rows[:ROWS_ON_PAGE]
    view = RecordOffers(
        query=query,
        ended=ended,
        rows=tuple(_row(row, names, at=at, language=language) for row in page),
        older=write_cursor(page[-1]) if len(rows) > len(page) else None,
    )
    return render(request, "record_offers.html", view)


@doors.get("/record/offers/{offer}")
def record_offer(request: Request, offer: OfferId) -> Response:
    """Every version of an offer that was ever approved, newest first, with what changed."""
    at, language = now(), language_of(request)
    with transaction() as tx:
        versions = list_published_versions(tx, offer=offer)
        names = all_names(tx)
        signed = {(one.version, one.merchant) for one in list_signatures(tx, offer=offer) if one.is_signed}
    if not versions:
        raise PageUnknownError
    shown = [
        _version(row, before, names=names, signed=signed, at=at, language=language)
        for row, before in zip(versions, [*versions[1:], None], strict=True)
    ]
    view = RecordOffer(
        offer_id=offer,
        title=title_of(versions[0], language),
        merchant=say_givers(versions[0], names),
        versions=tuple(shown),
    )
    return render(request, "record_offer.html", view)


def _row(row: OfferVersion, names: dict[str, str], *, at: datetime, language: Language) -> PublicOfferRow:
    short = show_row(row, language, at=at)
    return PublicOfferRow(
        offer_id=short.offer_id,
        version=short.version,
        title=short.title,
        gives=short.gives,
        merchant=say_givers(row, names),
        state=short.state,
        from_on=short.from_on,
        to_on=short.to_on,
    )


def _version(
    row: OfferVersion,
    before: OfferVersion | None,
    *,
    names: dict[str, str],
    signed: set[tuple[int, str]],
    at: datetime,
    language: Language,
) -> PublicVersion:
    invariant(row.approved_at is not None, "only approved versions are published")
    ended_at = row.ended_at or (row.live_until if row.live_until and row.live_until <= at else None)
    return PublicVersion(
        version=row.version,
        state=state_of(row, at=at),
        title=title_of(row, language),
        gives=say_gives(read_offer(row), language),
        terms=say_all(row, names=names, language=language),
        note=row.note,
        published_on=business_day(row.approved_at or at),
        ended_on=business_day(ended_at) if ended_at else None,
        signed=tuple(names.get(code, code) for code in row.merchants if (row.version, code) in signed),
        differences=show_differences(before, row, names=names, language=language) if before else (),
        terms_json=json.dumps({"limits": row.limits, "terms": row.terms}, ensure_ascii=False, indent=2, sort_keys=True),
        terms_hash=row.terms_hash.hex(),
    )
