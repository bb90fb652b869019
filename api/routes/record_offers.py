"""Offers on the public record: what is in force, and every approved version of each with what it changed; as CSV and JSON too. No sign-in."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from sqlalchemy.orm import Session

import merchants
from api.access import Doors
from api.door import language_of
from api.errors import PageUnknownError
from api.exports import csv_response, json_rows_response, public_json
from api.pages.i18n import Language
from api.pages.kit import render
from api.pages.offer_pages import read_cursor, say_public, show_differences, write_cursor
from api.pages.offers import ended_at_of, read_offer, show_row, state_of, title_of
from api.pages.paged import Search
from api.pages.public_record import newest_checkpoint, size_of, write_checkpoint
from api.pages.terms import say_gives
from api.pages.views import PublicOfferRow, PublicShown, PublicVersion, RecordOffer, RecordOffers
from api.routes.desk_offers import OfferId, all_names, say_givers
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.errors import invariant
from market.offers.audience import get_commitment, list_public_terms
from market.offers.models import OfferVersion
from market.offers.queries import Place, Shown, find_public_ids, list_found, list_published_versions, list_signers
from market.offers.signatures import list_signatures
from market.record.publishing.served import published_size
from market.record.texts import find_texts

doors = Doors(prefix="/record", tags=["public record"])

ROWS_ON_PAGE: Final = 50
ROWS_PER_READ: Final = 1_000
HEADER: Final = (
    *("offer", "version", "state", "title", "title_en", "merchants", "from", "to", "published", "ended"),
    *("note", "signed", "entry", "terms", "limits", "audience"),
)
SHOWN: Final[dict[PublicShown, Shown]] = {"current": "published", "ended": "ended", "all": "ever_published"}


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter as it stands in the address: part of a title, id or merchant; one merchant's code; which states."""

    query: Search = ""
    merchant: Annotated[str, Query(pattern="^[A-Za-z0-9_]{0,32}$")] = ""
    shown: PublicShown = "current"


OffersAsked = Annotated[Asked, Depends()]


@doors.get("/offers", include_in_schema=False)
def record_offers(request: Request, asked: OffersAsked, after: Annotated[str, Query(max_length=140)] = "") -> Response:
    """Offers in force or to come, or those that are over, newest first; of all merchants or of one."""
    at, language = now(), language_of(request)
    with transaction() as tx:
        rows = _find(tx, asked, at=at, after=read_cursor(after), limit=ROWS_ON_PAGE + 1)
        page = rows[:ROWS_ON_PAGE]
        named = {asked.merchant, *(code for row in page for code in row.merchants)}
        names = merchants.find_names(tx, codes=named)
    view = RecordOffers(
        query=asked.query,
        merchant_code=asked.merchant or None,
        merchant=names.get(asked.merchant, asked.merchant) or None,
        shown=asked.shown,
        rows=tuple(_row(row, names, at=at, language=language) for row in page),
        older=write_cursor(page[-1]) if len(rows) > len(page) else None,
    )
    return render(request, "record_offers.html", view)


@doors.get("/offers.csv")
def record_offers_csv(asked: OffersAsked) -> Response:
    """Offer versions in force or to come, those that are over, or all, as CSV, newest first, without a limit; terms and limits are JSON."""
    rows = map(_cells, _all_rows(asked, size=size_of(newest_checkpoint())))
    return csv_response("huigong-offers.csv", HEADER, rows, public=True)


@doors.get("/offers.json")
def record_offers_json(asked: OffersAsked) -> Response:
    """Offer versions in force or to come, those that are over, or all, as JSON, newest first, without a limit."""
    note = newest_checkpoint()
    rows = (json.dumps(row, ensure_ascii=False).encode() for row in _all_rows(asked, size=size_of(note)))
    return json_rows_response("huigong-offers.json", rows, **write_checkpoint(note))


@doors.get("/offers/{offer}.csv")
def record_offer_csv(offer: OfferId) -> Response:
    """Every approved version of an offer as CSV, newest first; terms and limits are JSON."""
    rows = _rows_of(offer, size=size_of(newest_checkpoint()))
    return csv_response(f"huigong-offer-{offer}.csv", HEADER, map(_cells, rows), public=True)


@doors.get("/offers/{offer}.json")
def record_offer_json(offer: OfferId) -> Response:
    """Every approved version of an offer as JSON, newest first."""
    note = newest_checkpoint()
    return public_json(_rows_of(offer, size=size_of(note)), **write_checkpoint(note))


@doors.get("/offers/{offer}", include_in_schema=False)
def record_offer(request: Request, offer: OfferId) -> Response:
    """Every version of an offer that was ever approved, newest first, with what changed."""
    at, language = now(), language_of(request)
    with transaction() as tx:
        versions = list_published_versions(tx, offer=offer)
        names = all_names(tx)
        signed = {(one.version, one.merchant) for one in list_signatures(tx, offer=offer) if one.is_signed}
        entries = find_public_ids(tx, versions, size=published_size(tx))
        texts = find_texts(tx, public_ids=entries.values())
    if not versions:
        raise PageUnknownError
    shown = [
        _version(row, before, names=names, signed=signed, entries=entries, texts=texts, at=at, language=language)
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
    entries: dict[UUID, str],
    texts: Collection[str],
    at: datetime,
    language: Language,
) -> PublicVersion:
    invariant(row.approved_at is not None, "only approved versions are published")
    entry_id = _entry_of(row, entries)
    ended_at = ended_at_of(row, at=at)
    return PublicVersion(
        version=row.version,
        state=state_of(row, at=at),
        title=title_of(row, language),
        gives=say_gives(read_offer(row), language),
        terms=say_public(row, names=names, language=language),
        note=row.note,
        published_on=business_day(row.approved_at or at),
        ended_on=business_day(ended_at) if ended_at else None,
        signed=tuple(names.get(code, code) for code in row.merchants if (row.version, code) in signed),
        differences=show_differences(before, row, names=names, language=language, is_public=True) if before else (),
        terms_json=json.dumps(_document(row), ensure_ascii=False, indent=2, sort_keys=True),
        terms_hash=row.terms_hash.hex() if row.audience_salt is None else None,
        entry_id=entry_id,
        has_text=entry_id in texts,
    )


def _document(row: OfferVersion) -> dict[str, Any]:
    """What the entry says of the offer itself."""
    commitment = get_commitment(row)
    return {
        "limits": row.limits,
        "terms": list_public_terms(row),
        **({} if commitment is None else {"audience": commitment}),
    }


def _entry_of(row: OfferVersion, entries: dict[UUID, str]) -> str | None:
    return entries.get(row.entry_id) if row.entry_id is not None else None


def _find(tx: Session, asked: Asked, *, at: datetime, after: Place | None, limit: int) -> Sequence[OfferVersion]:
    called = merchants.search_names(tx, query=asked.query) if asked.query.strip() else ()
    return list_found(
        tx,
        shown=SHOWN[asked.shown],
        at=at,
        query=asked.query,
        merchants=called,
        merchant=asked.merchant or None,
        after=after,
        limit=limit,
    )


def _all_rows(asked: Asked, *, size: int) -> Iterator[dict[str, Any]]:
    """The rows of the whole list, so many at a time, each read in a short transaction of its own; entries as a log of `size` has them."""
    at, after = now(), None
    while True:
        with transaction() as tx:
            found = _find(tx, asked, at=at, after=after, limit=ROWS_PER_READ)
            rows = _write(tx, found, at=at, size=size)
        yield from rows
        if len(found) < ROWS_PER_READ:
            return
        after = _place_of(found[-1])


def _place_of(row: OfferVersion) -> Place:
    return row.proposed_at, row.offer, row.version


def _rows_of(offer: str, *, size: int) -> list[dict[str, Any]]:
    with transaction() as tx:
        rows = _write(tx, list_published_versions(tx, offer=offer), at=now(), size=size)
    if not rows:
        raise PageUnknownError
    return rows


def _write(tx: Session, versions: Sequence[OfferVersion], *, at: datetime, size: int) -> list[dict[str, Any]]:
    """Versions as rows of a file: dates are business days, `from` and `to` the instants between which it holds."""
    entries = find_public_ids(tx, versions, size=size)
    signed = list_signers(tx, versions=[(row.offer, row.version) for row in versions])
    return [
        {
            "offer": row.offer,
            "version": row.version,
            "state": state_of(row, at=at),
            "title": row.title,
            "title_en": row.title_en,
            "merchants": row.merchants,
            "from": row.live_from and row.live_from.isoformat(),
            "to": row.live_until and row.live_until.isoformat(),
            "published": business_day(row.approved_at or at).isoformat(),
            "ended": None if (ended_at := ended_at_of(row, at=at)) is None else business_day(ended_at).isoformat(),
            "note": row.note,
            "signed": signed.get((row.offer, row.version), []),
            "entry": _entry_of(row, entries),
            **_document(row),
        }
        for row in versions
    ]


def _cells(row: dict[str, Any]) -> list[object]:
    """The same in one line of a CSV."""
    compact = {
        **{name: " ".join(row[name]) for name in ("merchants", "signed")},
        **{name: json.dumps(row[name], ensure_ascii=False, sort_keys=True) for name in ("terms", "limits")},
    }
    return [compact.get(name, row.get(name)) for name in HEADER]
