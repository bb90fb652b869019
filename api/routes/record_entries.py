"""The published entries, one by one and unnamed: by type, merchant, offer, post, day and amount, each with a page of its own. No sign-in."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Final

from fastapi import Depends, Query, Request, Response
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse

import merchants
from api.access import Doors
from api.door import language_of
from api.entry_filter import PublicAsked, PublicAskedInWords, find_meant
from api.errors import PageUnknownError
from api.exports import csv_response, json_rows_response
from api.pages.entries import (
    COLUMNS,
    WITH_AMOUNTS,
    read_amounts,
    read_body,
    read_count,
    read_offers,
    read_transfers,
    row_cells,
    row_json,
    show_chart,
    show_fields,
    show_text,
)
from api.pages.entries import show_published as show_entry
from api.pages.kit import render
from api.pages.public_record import newest_checkpoint, show_published, size_of, write_checkpoint
from api.pages.totals import month_on
from api.pages.views import MerchantName, RecordEntries, RecordEntry
from api.routes.record_log import PublicId
from market.kit.database import transaction
from market.kit.errors import InvalidError
from market.oversight.entry_search import Wanted
from market.oversight.public_totals import list_public_months
from market.oversight.published import (
    Published,
    covering_checkpoint,
    find_published,
    is_inside,
    list_published,
    list_published_kinds,
    list_published_returns,
)
from market.record.auditing.finding import RETURNS
from market.record.entries import entry_hash
from market.record.texts import find_texts

doors = Doors(prefix="/record", tags=["public record"])

ROWS_ON_PAGE: Final = 50
ROWS_PER_READ: Final = 1000


EntriesAsked = Annotated[PublicAsked, Depends()]
Before = Annotated[int | None, Query(ge=0, lt=1 << 62)]


@doors.get("/entries", include_in_schema=False)
def record_entries(
    request: Request, asked: Annotated[PublicAskedInWords, Depends()], before: Before = None
) -> Response:
    """A page of published entries, the highest place first; `before` goes on below a place.

    A merchant in words leads to the address with his code, and to a choice where several are called so. By what stands inside of
    entries, they are found a moment after their checkpoint, as soon as they can be searched.
    """
    problem, rows = None, list[Published]()
    with transaction() as tx:
        meant = find_meant(tx, asked.merchant)
        if len(meant) == 1 and asked.merchant not in meant:
            return RedirectResponse(f"?{request.url.include_query_params(merchant=next(iter(meant))).query}", 303)
        is_clear = not asked.merchant or asked.merchant in meant
        try:
            wanted = asked.wanted
        except InvalidError as error:
            problem = error.sentence(language_of(request))
        else:
            rows = list_published(tx, wanted=wanted, before=before, limit=ROWS_ON_PAGE + 1) if is_clear else []
        names = meant | _names_of(tx, rows)
        months = list_public_months(tx)
        kinds = list_published_kinds(tx)
        published = show_published(tx)
    page = rows[:ROWS_ON_PAGE]
    view = RecordEntries(
        kinds=tuple(kinds),
        merchants=tuple(MerchantName(code=code, name=name) for code, name in names.items()),
        choices=() if is_clear else tuple(MerchantName(code=code, name=name) for code, name in meant.items()),
        months=tuple(month_on(each) for each in reversed(months)),
        kind=asked.kind or None,
        merchant_code=(asked.merchant or None) if is_clear else None,
        typed=asked.merchant,
        month_on=month_on(asked.month) if asked.month else None,
        day_on=asked.day,
        asked=asked.address() | ({"month": ""} if asked.day else {}) | ({} if is_clear else {"merchant": ""}),
        problem=problem,
        before=before,
        older=page[-1].leaf_index if len(rows) > len(page) else None,
        entries=tuple(show_entry(row, names) for row in page),
        published=published,
    )
    return render(request, "record/entries.html", view, status=422 if problem else 200)


@doors.get("/entries.csv")
def record_entries_csv(asked: EntriesAsked) -> Response:
    """All published entries of the filter as CSV, the highest place first, without a limit; amounts in fen."""
    wanted = asked.wanted
    rows = list_all(wanted, size_of(_checkpoint(wanted)))
    return csv_response("huigong-record-entries.csv", COLUMNS, (row_cells(row) for row in rows), public=True)


@doors.get("/entries.json")
def record_entries_json(asked: EntriesAsked) -> Response:
    """All published entries of the filter as JSON, the highest place first, without a limit; each document byte for byte."""
    wanted = asked.wanted
    note = _checkpoint(wanted)
    rows = (row_json(row) for row in list_all(wanted, size_of(note)))
    return json_rows_response("huigong-record-entries.json", rows, **write_checkpoint(note))


@doors.get("/entries/{entry}", include_in_schema=False)
def record_entry_page(request: Request, entry: PublicId) -> Response:
    """One published entry in words, with its place, its hash, and where its exact bytes and its proof are."""
    with transaction() as tx:
        found = find_published(tx, public_id=entry)
        if found is None:
            raise PageUnknownError
        returns = list_published_returns(tx, sale=entry) if found.kind == "sale" else ()
        kept = find_texts(tx, public_ids=[entry]).get(entry)
        names = _names_of(tx, [found])
        published = show_published(tx)
    body = read_body(found)
    of = body.get("of")
    view = RecordEntry(
        entry_id=entry,
        kind=found.kind,
        day_on=found.day,
        merchant=names.get(found.merchant, found.merchant) if found.merchant else None,
        merchant_code=found.merchant,
        leaf_index=found.leaf_index,
        leaf_hash=entry_hash(found.body).hex(),
        bytes_count=len(found.body),
        amounts=read_amounts(body) if found.kind in WITH_AMOUNTS else None,
        offers=read_offers(body),
        transfers=read_transfers(body),
        count=read_count(body, found.kind),
        of=of if isinstance(of, str) and of and found.kind != "batch" else None,
        is_return=found.kind in RETURNS or (found.kind == "batch" and of == "return"),
        returns=tuple(returns),
        fields=show_fields(body, kind=found.kind, language=language_of(request), names=names),
        chart=show_chart(body, kind=found.kind, language=language_of(request)),
        text=None if kept is None else show_text(kept, language=language_of(request)),
        entry_json=found.body.decode(),
        published=published,
    )
    return render(request, "record/entry.html", view)


def _checkpoint(wanted: Wanted) -> bytes | None:
    """The newest checkpoint all of whose entries can be looked through for it; None before the first one."""
    if not is_inside(wanted):
        return newest_checkpoint()
    with transaction() as tx:
        return covering_checkpoint(tx)


def _names_of(tx: Session, entries: Iterable[Published]) -> dict[str, str]:
    return merchants.find_names(tx, codes={entry.merchant for entry in entries if entry.merchant})


def list_all(wanted: Wanted, size: int) -> Iterator[Published]:
    """All entries of a log of `size` entries, so many at a time, each read in a short transaction of its own.

    What is published never changes, so the reads fit each other as one snapshot would, and a slow reader holds no connection.
    """
    before: int | None = None
    while True:
        with transaction() as tx:
            rows = list_published(tx, wanted=wanted, before=before, size=size, limit=ROWS_PER_READ)
        yield from rows
        if len(rows) < ROWS_PER_READ:
            return
        before = rows[-1].leaf_index
