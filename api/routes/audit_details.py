"""Details exports: an auditor asks, another person decides, the auditor fetches what only his own key opens."""

from datetime import date
from typing import Annotated, cast
from uuid import UUID

from fastapi import Form, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from api.access import Doors, Fields, Who
from api.door import language_of, see_other
from api.identity import Principal, is_one_member, list_names
from api.pages.kit import render
from api.pages.views import MerchantName
from api.pages.views.details import (
    DetailsHome,
    DetailsPage,
    DetailsRow,
    DetailsState,
    DetailsTyped,
    DownloadRow,
)
from api.routes.desk_offers import NOBODY, merchant_names
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.oversight import details
from market.oversight.models import DETAILS_REASONS, DetailsRequest
from market.record.details.keys import parse_auditor_key
from market.record.models import Entry

doors = Doors(include_in_schema=False)

ROWS_SHOWN = 200
NOTHING_TYPED = DetailsTyped(merchant="", first_day="", last_day="", reason="", words="", key="")


@doors.get("/audit/details")
def requests(request: Request, who: Who) -> Response:
    """What was asked for, and the form that asks."""
    return _show_home(request, who)


@doors.post("/audit/details")
def ask(request: Request, who: Who, fields: Fields) -> Response:
    """Ask to open the sales of some days."""
    names = DetailsTyped.__dataclass_fields__
    typed = DetailsTyped(**{name: str(fields.get(name, ""))[:4_000].replace("\0", "") for name in names})
    try:
        with transaction() as tx:
            made = details.ask_details(tx, asked=_read(typed), by=who.person, at=now())
    except DomainError as refusal:
        return _show_home(request, who, typed=typed, error=refusal)
    return see_other(request, f"/audit/details/{made.id}", notice="details_asked")


@doors.get("/audit/details/{request_id}")
def request_page(request: Request, who: Who, request_id: UUID) -> Response:
    """One request: what it opens, why, who decided, the file."""
    return _show(request, who, request_id)


@doors.post("/audit/details/{request_id}/withdraw")
def withdraw(request: Request, who: Who, request_id: UUID) -> Response:
    """Take one's own request back."""
    try:
        with transaction() as tx:
            details.withdraw_details(tx, request_id=request_id, by=who.person, at=now())
    except DomainError as refusal:
        return _show(request, who, request_id, error=refusal)
    return see_other(request, f"/audit/details/{request_id}", notice="details_withdrawn")


@doors.post("/audit/details/{request_id}/approve")
def approve(request: Request, who: Who, request_id: UUID) -> Response:
    """Another person approves; from now on it is public that details are opened."""
    try:
        with transaction() as tx:
            _need_another(tx, who, request_id)
            details.approve_details(tx, request_id=request_id, by=who.person, at=now())
    except DomainError as refusal:
        return _show(request, who, request_id, error=refusal)
    return see_other(request, f"/audit/details/{request_id}", notice="details_approved")


@doors.post("/audit/details/{request_id}/refuse")
def refuse(
    request: Request, who: Who, request_id: UUID, answer: Annotated[str, Form(max_length=4_000)] = ""
) -> Response:
    """Another person refuses, with a reason."""
    try:
        with transaction() as tx:
            _need_another(tx, who, request_id)
            details.refuse_details(tx, request_id=request_id, by=who.person, answer=answer, at=now())
    except DomainError as refusal:
        return _show(request, who, request_id, answer=answer, error=refusal)
    return see_other(request, f"/audit/details/{request_id}", notice="details_refused")


@doors.get("/audit/details/{request_id}/file")
def details_file(request: Request, who: Who, request_id: UUID) -> Response:
    """The sealed file, for whoever asked for it; that he fetched it is written down first."""
    try:
        with transaction() as tx:
            found = details.begin_download(tx, request_id=request_id, by=who.person, at=now())
    except details.DetailsNotThereError as refusal:
        return _show(request, who, request_id, error=refusal)
    headers = {
        "Content-Disposition": f'attachment; filename="huigong-details-{found.first_on}-{found.last_on}.sealed"',
        "Content-Length": str(found.bytes_count),
        "Cache-Control": "no-store",
    }
    parts = details.read_parts(request_id=request_id)
    return StreamingResponse(parts, media_type="application/octet-stream", headers=headers)


def _need_another(tx: Session, who: Principal, request_id: UUID) -> None:
    """Two accounts of one member are one person. Raises DetailsUnknownError, DetailsOwnError."""
    asked_by = details.get_details(tx, request_id=request_id).asked_by
    if is_one_member(tx, persons=(asked_by, who.person)):
        raise details.DetailsOwnError


def _read(typed: DetailsTyped) -> details.Asked:
    try:
        first_on, last_on = date.fromisoformat(typed.first_day), date.fromisoformat(typed.last_day)
    except ValueError:
        raise details.DetailsAskedWrongError(most=details.MOST_WORDS) from None
    return details.Asked(typed.merchant or None, first_on, last_on, typed.reason, typed.words, typed.key)


def _show_home(
    request: Request, who: Principal, *, typed: DetailsTyped = NOTHING_TYPED, error: DomainError | None = None
) -> Response:
    with transaction() as tx:
        rows = details.list_details(tx, limit=ROWS_SHOWN)
        people = list_names(tx, persons=[row.asked_by for row in rows])
        names = merchant_names(tx)
    view = DetailsHome(
        can_ask="auditor" in who.roles,
        merchants=tuple(MerchantName(code=code, name=name) for code, name in names.items()),
        reasons=DETAILS_REASONS,
        most_sales=details.MOST_SALES,
        kept_days=details.KEPT.days,
        typed=typed,
        rows=tuple(_row(row, who, people, names) for row in rows),
        error=error.sentence(language_of(request)) if error else None,
    )
    return render(request, "audit/details.html", view, status=error.status if error else 200)


def _show(
    request: Request, who: Principal, request_id: UUID, *, answer: str = "", error: DomainError | None = None
) -> Response:
    with transaction() as tx:
        found = details.get_details(tx, request_id=request_id)
        downloads = details.list_downloads(tx, request_id=request_id)
        persons = [person for person in (found.asked_by, found.decided_by) if person]
        people = list_names(tx, persons=[*persons, *(each.by for each in downloads)])
        names = merchant_names(tx)
        entry = tx.get(Entry, found.entry_id) if found.entry_id else None
        is_one = is_one_member(tx, persons=(found.asked_by, who.person))
    view = DetailsPage(
        request=_row(found, who, people, names),
        words=found.words,
        key_id=parse_auditor_key(found.key).id,
        decided_by=people.get(found.decided_by, NOBODY) if found.decided_by else None,
        decided_at=found.decided_at,
        answer=found.answer,
        entry_id=entry.public_id if entry else None,
        ready_at=found.ready_at,
        expires_at=found.expires_at,
        bytes_count=found.bytes_count,
        sha256=found.sha256.hex() if found.sha256 else None,
        erased_count=found.erased_count,
        downloads=tuple(DownloadRow(who=people.get(each.by, NOBODY), at=each.at) for each in downloads),
        can_decide=found.state == "waiting" and not is_one,
        typed_answer=answer,
        error=error.sentence(language_of(request)) if error else None,
    )
    return render(request, "audit/details_request.html", view, status=error.status if error else 200)


def _row(row: DetailsRequest, who: Principal, people: dict[UUID, str], names: dict[str, str]) -> DetailsRow:
    return DetailsRow(
        request_id=str(row.id),
        asked_by=people.get(row.asked_by, NOBODY),
        asked_at=row.asked_at,
        merchant=names.get(row.merchant, row.merchant) if row.merchant else None,
        first_on=row.first_on,
        last_on=row.last_on,
        sales_count=row.sales_count,
        batched_count=row.batched_count or 0,
        reason=row.reason,
        state=cast("DetailsState", row.state),
        is_own=row.asked_by == who.person,
    )
