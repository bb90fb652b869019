"""The member's page on which he asks to be deleted: what goes, what must stay, what he loses; and takes it back while it waits."""

from fastapi import Request, Response

from api import erasing
from api.access import Doors, Who
from api.door import language_of, see_other
from api.pages.kit import render
from api.pages.views.erasure import MemberErasure
from api.routes.member_pages import member_of
from cards.erasing import find_erasure, withdraw_erasure
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError

doors = Doors(include_in_schema=False)


@doors.get("/me/erasure")
def show(request: Request, who: Who) -> Response:
    """What an erasure would do, and how his request stands."""
    return _show(request, who)


@doors.post("/me/erasure")
def ask(request: Request, who: Who) -> Response:
    """Ask for it; nothing is deleted by this."""
    try:
        erasing.ask_for_oneself(member_id=member_of(who), person=who.person, at=now())
    except DomainError as refusal:
        return _show(request, who, error=refusal)
    return see_other(request, "/me/erasure", notice="erasure_asked")


@doors.post("/me/erasure/withdraw")
def withdraw(request: Request, who: Who) -> Response:
    """Take back whatever waits for him."""
    try:
        with transaction() as tx:
            withdraw_erasure(tx, member_id=member_of(who), by=who.person, at=now())
    except DomainError as refusal:
        return _show(request, who, error=refusal)
    return see_other(request, "/me/erasure", notice="erasure_withdrawn")


def _show(request: Request, who: Who, *, error: DomainError | None = None) -> Response:
    member_id, language = member_of(who), language_of(request)
    with transaction() as tx:
        outlook = erasing.get_outlook(tx, member_id=member_id)
        asked = find_erasure(tx, member_id=member_id)
    waits = asked is not None and asked.state == "waiting"
    view = MemberErasure(
        hindrance=outlook.hindrance.sentence(language) if outlook.hindrance else None,
        asked_at=asked.asked_at if asked and waits else None,
        by_officer=asked is not None and asked.asked_as == "officer",
        declined=asked.reason if asked and asked.state == "declined" else None,
        rebates_fen=outlook.held.rebates_fen,
        basket_count=outlook.held.basket_count,
        purchases_count=outlook.held.purchases_count,
        error=error.sentence(language) if error else None,
    )
    return render(request, "member/erasure.html", view, status=error.status if error else 200)
