"""The auditor's pages: totals, every public entry by merchant and day, its exact bytes, exports. No person stands in any of them."""

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Request, Response
from pydantic import BeforeValidator

import merchants
from api.access import Doors
from api.errors import PageUnknownError
from api.exports import csv_response, jsonl_response
from api.pages.kit import render
from api.pages.totals import show_month
from api.pages.views import Amounts, AuditEntry, AuditHome, EntryRow, Finding, MerchantChoice, VerifyRun
from market.kit.database import transaction
from market.oversight import models
from market.oversight.queries import find_entry, find_verify_run, list_entries, total_by_month
from market.record.entries import entry_hash
from market.record.models import Entry

doors = Doors(include_in_schema=False)

ROWS_ON_PAGE = 50
ROWS_PER_READ = 1000
COLUMNS = (
    "id",
    "type",
    "day",
    "merchant",
    "list",
    "concession",
    "subsidy",
    "paid",
    "rebate_member",
    "rebate_union",
    "offers",
)

EntryId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


# The form sends an empty field for "all".
Merchant = Annotated[str, Query(pattern="^[A-Za-z0-9_]{0,32}$")]
Day = Annotated[date | None, BeforeValidator(lambda given: given or None), Query()]
Before = Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")]


@doors.get("/audit")
def audit(request: Request, merchant: Merchant = "", day: Day = None, before: Before = None) -> Response:
    """Totals by month and a page of entries, newest first; `before` goes on where a page ended."""
    with transaction() as tx:
        months = total_by_month(tx)
        run = find_verify_run(tx)
        businesses = merchants.list_merchants(tx)
        cursor = UUID(hex=before) if before else None
        page = list_entries(tx, merchant=merchant or None, day=day, before=cursor, limit=ROWS_ON_PAGE)
    names = {business.merchant: business.name for business in businesses}
    view = AuditHome(
        months=tuple(show_month(row) for row in months),
        merchants=tuple(MerchantChoice(code=code, name=name) for code, name in names.items()),
        merchant_code=merchant or None,
        day_on=day,
        entries=tuple(_row(entry, names) for entry in page.entries),
        older=page.older.hex if page.older else None,
        verify=_verdict(run),
    )
    return render(request, "audit/home.html", view, block="entries")


def _verdict(run: models.VerifyRun | None) -> VerifyRun | None:
    """What `huigong verify` last found."""
    if run is None:
        return None
    findings = tuple(
        Finding(check=row["rule"], subject=row["subject"], sentence=row["problem"]) for row in run.findings
    )
    return VerifyRun(at=run.at, checks_count=run.rules, rows_count=run.rows_seen, findings=findings)


@doors.get("/audit/entries.csv")
def entries_csv(merchant: Merchant = "", day: Day = None) -> Response:
    """All entries of the filter as CSV, newest first, without a limit; amounts in fen."""
    rows = (_cells(json.loads(entry.body)) for entry in _all_entries(merchant, day))
    return csv_response("huigong-entries.csv", COLUMNS, rows, public=False)


@doors.get("/audit/entries.jsonl")
def entries_jsonl(merchant: Merchant = "", day: Day = None) -> Response:
    """The exact bytes of all entries of the filter, one per line, newest first."""
    return jsonl_response("huigong-entries.jsonl", (entry.body for entry in _all_entries(merchant, day)), public=False)


@doors.get("/audit/entries/{entry}")
def audit_entry(request: Request, entry: EntryId) -> Response:
    """One entry as it is stored, and its SHA-256."""
    with transaction() as tx:
        found = find_entry(tx, public_id=entry)
        names = {business.merchant: business.name for business in merchants.list_merchants(tx)}
    if found is None:
        raise PageUnknownError
    view = AuditEntry(
        entry_id=found.public_id,
        kind=found.type,
        day_on=found.day,
        merchant=names.get(found.merchant, found.merchant) if found.merchant else None,
        entry_json=found.body.decode(),
        sha256=hashlib.sha256(found.body).hexdigest(),
        entry_hash=entry_hash(found.body).hex(),
        bytes_count=len(found.body),
    )
    return render(request, "audit/entry.html", view)


def _all_entries(merchant: str, day: date | None) -> Iterator[Entry]:
    """Page by page, each in a short transaction of its own: a long download holds nothing."""
    before: UUID | None = None
    while True:
        with transaction() as tx:
            page = list_entries(tx, merchant=merchant or None, day=day, before=before, limit=ROWS_PER_READ)
        yield from page.entries
        if page.older is None:
            return
        before = page.older


def _row(entry: Entry, names: dict[str, str]) -> EntryRow:
    body = json.loads(entry.body)
    return EntryRow(
        entry_id=entry.public_id,
        day_on=entry.day,
        kind=entry.type,
        merchant=names.get(entry.merchant, entry.merchant) if entry.merchant else None,
        merchant_code=entry.merchant,
        amounts=Amounts(
            list_fen=body.get("list", 0),
            concession_fen=body.get("concession", 0),
            subsidy_fen=body.get("subsidy", 0),
            paid_fen=body.get("paid", 0),
            rebate_member_fen=body.get("rebate_member", 0),
            rebate_union_fen=body.get("rebate_union", 0),
        ),
        offers=tuple(_offer_names(body)),
    )


def _offer_names(body: dict[str, Any]) -> list[str]:
    """The offers of an entry as `id vN`: those a sale used, or the one an offer entry publishes."""
    terms = body.get("terms")
    used = (
        [(terms["id"], terms["version"])]
        if terms
        else [(offer, version) for offer, version, _ in body.get("offers", ())]
    )
    return [f"{offer} v{version}" for offer, version in used]


def _cells(body: dict[str, Any]) -> list[object]:
    return [*(body.get(name, "") for name in COLUMNS[:-1]), " ".join(_offer_names(body))]
