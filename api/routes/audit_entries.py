"""Every entry for the auditor: by merchant, offer, post, day, amount and state; one with its exact bytes; exports; a price made again."""

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final

from fastapi import Depends, Path, Request, Response
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, StreamingResponse

import merchants
from api.access import Doors
from api.door import language_of
from api.entry_filter import AuditAsked, AuditAskedInWords, Before, find_meant, read_cursor, write_cursor
from api.errors import PageUnknownError
from api.export_files import Form
from api.pages.entries import read_amounts, read_transfers
from api.pages.kit import render
from api.pages.public_record import show_published
from api.pages.views.audit import AuditEntries, AuditEntry, AuditPrice, AuditRow, RecomputedStep
from api.pages.views.record import MerchantName
from api.price_replay import read_keys
from api.record_exports import begin_export, pack_export
from market.kit.database import transaction
from market.kit.errors import InvalidError
from market.oversight.entry_search import Found, FoundPage, search_entries
from market.oversight.indexing import find_facts, read_facts
from market.oversight.published import list_published_kinds
from market.oversight.queries import find_entry
from market.oversight.recompute import recompute_sale
from market.record.auditing.finding import RETURNS
from market.record.entries import entry_hash
from market.record.models import Entry
from market.record.publishing.served import published_size

doors = Doors(include_in_schema=False)

ROWS_ON_PAGE: Final = 50
EntryId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
EntriesAsked = Annotated[AuditAsked, Depends()]


@doors.get("/audit/entries")
def audit_entries(request: Request, asked: Annotated[AuditAskedInWords, Depends()], before: Before = "") -> Response:
    """A page of entries: those that wait, then the published ones, the highest place first; `before` goes on where a page ended.

    A merchant in words leads to the address with his code, and to a choice where several are called so.
    """
    problem, page = None, FoundPage((), None)
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
            if is_clear:
                page = search_entries(tx, wanted=wanted, before=read_cursor(before), limit=ROWS_ON_PAGE)
        names = meant | merchants.find_names(tx, codes={entry.merchant for entry in page.entries if entry.merchant})
        kinds = list_published_kinds(tx)
        published = show_published(tx)
    view = AuditEntries(
        kinds=tuple(kinds),
        typed=asked.merchant,
        merchants=tuple(MerchantName(code=code, name=name) for code, name in names.items()),
        choices=() if is_clear else tuple(MerchantName(code=code, name=name) for code, name in meant.items()),
        asked=asked.address() | ({} if is_clear else {"merchant": ""}),
        problem=problem,
        before=before or None,
        older=write_cursor(page.older),
        looked_count=page.looked,
        entries=tuple(_row(entry, names) for entry in page.entries),
        published=published,
    )
    return render(request, "audit/entries.html", view, block="entries", status=422 if problem else 200)


@doors.get("/audit/exports/{form}.zip")
def audit_export(form: Form, asked: EntriesAsked) -> Response:
    """All entries of the filter that the newest checkpoint covers, without a limit, with that checkpoint and the SHA-256 of everything."""
    export = begin_export(form, asked.wanted)
    headers = {"Content-Disposition": f'attachment; filename="{export.name}"'}
    return StreamingResponse(pack_export(export), media_type="application/zip", headers=headers)


@doors.get("/audit/entries/{entry}")
def audit_entry(request: Request, entry: EntryId) -> Response:
    """One entry as it is stored, and its SHA-256."""
    with transaction() as tx:
        found = find_entry(tx, public_id=entry)
        names = _name_of(tx, found)
        size = published_size(tx)
    if found is None:
        raise PageUnknownError
    view = AuditEntry(
        entry_id=found.public_id,
        kind=found.type,
        day_on=found.day,
        merchant=names.get(found.merchant, found.merchant) if found.merchant else None,
        leaf_index=found.leaf_index,
        is_published=found.leaf_index is not None and found.leaf_index < size,
        of=read_facts(found.body).of if found.type in RETURNS else None,
        transfers=read_transfers(json.loads(found.body)),
        entry_json=found.body.decode(),
        sha256=hashlib.sha256(found.body).hexdigest(),
        entry_hash=entry_hash(found.body).hex(),
        bytes_count=len(found.body),
    )
    return render(request, "audit/entry.html", view)


@doors.get("/audit/entries/{entry}/price")
def audit_price(request: Request, entry: EntryId) -> Response:
    """A sale priced again from its stored inputs, beside what its public entry says."""
    with transaction() as tx:
        found = find_entry(tx, public_id=entry)
        connection = tx.connection()
        made = recompute_sale(connection, public_id=entry, keys_of=partial(read_keys, connection))
        names = _name_of(tx, found)
    if found is None or made is None:
        raise PageUnknownError
    view = AuditPrice(
        entry_id=entry,
        day_on=found.day,
        merchant=names.get(found.merchant, found.merchant) if found.merchant else None,
        verdict=made.verdict,
        where=made.where,
        steps=tuple(
            RecomputedStep(
                name=step.name,
                offer=f"{step.offer} v{step.version}" if step.offer else None,
                entry_fen=step.entry_fen,
                priced_fen=step.priced_fen,
            )
            for step in made.steps
        ),
        lines_count=made.lines_count,
        is_opened=made.is_opened,
    )
    return render(request, "audit/price.html", view)


def _name_of(tx: Session, entry: Entry | None) -> Mapping[str, str]:
    return merchants.find_names(tx, codes=[entry.merchant] if entry is not None and entry.merchant else [])


def _row(entry: Found, names: Mapping[str, str]) -> AuditRow:
    said = json.loads(entry.body)
    return AuditRow(
        leaf_index=entry.leaf_index,
        entry_id=entry.public_id,
        day_on=entry.day,
        kind=entry.kind,
        merchant=names.get(entry.merchant, entry.merchant) if entry.merchant else None,
        merchant_code=entry.merchant,
        amounts=read_amounts(said),
        offers=tuple(f"{offer} v{version}" for offer, version in find_facts(said).offers.items()),
        is_published=entry.is_published,
        state=entry.state,
    )
