"""The officer's desk for erasures: takes a member's request, and decides on those that others took."""

from typing import Annotated, cast
from uuid import UUID

from fastapi import Form, Request, Response
from sqlalchemy.orm import Session

from api import erasing
from api.access import Doors, Who
from api.door import language_of, see_other
from api.identity import list_names, note_look
from api.identity.forgetting import list_persons
from api.pages.i18n import Language
from api.pages.kit import render
from api.pages.views.erasure import DeskErasures, ErasureRow
from api.routes.desk_offers import NOBODY
from cards.erasing import WaitingErasure, count_erased, list_erasures
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.kit.settings import get_settings

doors = Doors(include_in_schema=False)


@doors.get("/desk/erasures")
def erasures(request: Request, who: Who) -> Response:
    """What waits below the officer's own unit."""
    return _show(request, who)


@doors.post("/desk/erasures")
def take(request: Request, who: Who, member: Annotated[str, Form(max_length=80)] = "") -> Response:
    """Take the request of a member who came to the desk."""
    try:
        erasing.take_request(typed=member, unit_id=unit_of(who), person=who.person, at=now())
    except DomainError as refusal:
        return _show(request, who, error=refusal, typed=member.strip())
    return see_other(request, "/desk/erasures", notice="erasure_taken")


@doors.post("/desk/erasures/{erasure}/approve")
def approve(request: Request, who: Who, erasure: UUID) -> Response:
    """Have the person deleted, now."""
    try:
        erasing.approve_request(get_settings(), erasure_id=erasure, unit_id=unit_of(who), person=who.person, at=now())
    except DomainError as refusal:
        return _show(request, who, error=refusal)
    return see_other(request, "/desk/erasures", notice="erasure_done")


@doors.post("/desk/erasures/{erasure}/decline")
def decline(request: Request, who: Who, erasure: UUID, reason: Annotated[str, Form(max_length=1000)] = "") -> Response:
    """Say no, and why."""
    try:
        erasing.decline_request(erasure_id=erasure, unit_id=unit_of(who), person=who.person, reason=reason, at=now())
    except DomainError as refusal:
        return _show(request, who, error=refusal, declining=erasure, reason=reason)
    return see_other(request, "/desk/erasures", notice="erasure_declined")


def unit_of(who: Who) -> UUID:
    """The unit of an officer; the table's own constraint names one for each."""
    return cast("UUID", who.roles["officer"])


def _show(
    request: Request,
    who: Who,
    *,
    error: DomainError | None = None,
    typed: str = "",
    declining: UUID | None = None,
    reason: str = "",
) -> Response:
    language = language_of(request)
    with transaction() as tx:
        waiting = list_erasures(tx, unit_id=unit_of(who))
        names = list_names(tx, persons=[row.asked.asked_by for row in waiting if row.asked.asked_by])
        rows = tuple(
            _row(tx, row, names, who, language, reason if row.asked.id == declining else None) for row in waiting
        )
        erased = count_erased(tx)
    view = DeskErasures(rows=rows, erased_count=erased, typed=typed, error=error.sentence(language) if error else None)
    return render(request, "desk/erasures.html", view, status=error.status if error else 200)


def _row(  # noqa: PLR0917  a row and what was typed in it
    tx: Session, row: WaitingErasure, names: dict[UUID, str], who: Who, language: Language, typed: str | None
) -> ErasureRow:
    member_id = cast("UUID", row.asked.member_id)  # a request that waits names its member
    note_look(tx, who, member_id=member_id, kind="erasure", reason="asked", at=now())
    outlook = erasing.get_outlook(tx, member_id=member_id)
    hindrance = outlook.hindrance
    asker = row.asked.asked_by
    return ErasureRow(
        erasure_id=str(row.asked.id),
        name=row.name,
        staff_number=row.staff_number,
        unit=row.unit,
        asked_by=names.get(asker, NOBODY) if asker and row.asked.asked_as == "officer" else None,
        asked_at=row.asked.asked_at,
        own=who.person == asker or who.person in list_persons(tx, member_id=member_id),
        hindrance=hindrance.sentence(language) if hindrance else None,
        rebates_fen=outlook.held.rebates_fen,
        purchases_count=outlook.held.purchases_count,
        declining=typed is not None,
        reason=typed or "",
    )
