"""One member of an officer's own units, by staff number: who he is and whether his card works, never what he bought.

Every look is logged with its reason and shown to that member.
"""

from typing import Annotated, Literal, cast
from uuid import UUID

from fastapi import Form, Request, Response

import cards
from api.access import Doors, Who
from api.door import language_of
from api.identity import Principal, note_look
from api.identity.models import LOOK_REASONS
from api.pages.kit import render
from api.pages.views.details import DeskMembers, MemberFound
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError, NotFoundError

doors = Doors(include_in_schema=False)


class MemberNotInUnitsError(NotFoundError):
    """No member of this staff number in the officer's units."""

    code = "MEMBER_NOT_IN_UNITS"
    zh = "您管的单位里没有这个工号的会员。请核对工号；别的单位的会员由他们的工会查看。"
    en = "No member of your units has this staff number. Check it; members of other units are seen by their own union."


@doors.get("/desk/members")
def members(request: Request, who: Who) -> Response:
    """The form, and nobody."""
    return _show(request, who, number="", reason="", found=None)


@doors.post("/desk/members")
def look(
    request: Request,
    who: Who,
    staff_number: Annotated[str, Form(max_length=100)] = "",
    reason: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """One member, and the look written down in the same transaction. A form, so that no address anywhere keeps the number."""
    number = staff_number.replace("\0", "").strip()
    try:
        with transaction() as tx:
            found = cards.get_member(tx, staff_number=number, within=_unit_of(who))
            note_look(tx, who, member_id=found.member_id, kind="record", reason=reason, at=now())
    except NotFoundError:
        return _show(request, who, number=number, reason=reason, found=None, error=MemberNotInUnitsError())
    except DomainError as refusal:
        return _show(request, who, number=number, reason=reason, found=None, error=refusal)
    return _show(request, who, number=number, reason=reason, found=found)


def _unit_of(who: Principal) -> UUID:
    return cast("UUID", who.roles["officer"])  # the table's own constraint: an officer's role names his unit


def _show(
    request: Request,
    who: Principal,
    *,
    number: str,
    reason: str,
    found: cards.FoundMember | None,
    error: DomainError | None = None,
) -> Response:
    with transaction() as tx:
        unit = cards.get_unit(tx, unit_id=_unit_of(who)).name
    member = None
    if found is not None:
        member = MemberFound(
            name=found.name,
            staff_number=found.staff_number,
            units=found.units,
            state=cast("Literal['active', 'retired', 'left']", found.state),
            joined_on=found.joined_on,
            card_number=found.number_masked,
            card_state=found.card_state,
            valid_until=found.valid_until,
        )
    view = DeskMembers(
        unit=unit,
        reasons=LOOK_REASONS,
        typed_number=number,
        typed_reason=reason,
        found=member,
        error=error.sentence(language_of(request)) if error else None,
    )
    return render(request, "desk/members.html", view, status=error.status if error else 200)
