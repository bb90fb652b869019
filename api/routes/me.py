"""One's own sign-ins, and who looked at one's record: see where one is signed in, and end what one does not recognise."""

from typing import Annotated

from fastapi import Form, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.access import Doors, Who
from api.door import language_of, see_other
from api.identity import Principal, list_looks, list_sessions, revoke_session
from api.pages.kit import render
from api.pages.views import Me, SessionRow
from api.pages.views.details import LookRow, MemberLooks
from api.routes.member_pages import member_of
from cards.models import Member, Unit
from market.kit.clock import now
from market.kit.database import transaction
from merchants.models import Merchant, Shop, Staff

doors = Doors(include_in_schema=False)

LOOKS_SHOWN = 100
BROWSERS = (
    ("MicroMessenger", "微信", "WeChat"),
    ("Edg", "Edge", "Edge"),
    ("Firefox", "Firefox", "Firefox"),
    ("Chrome", "Chrome", "Chrome"),
    ("Safari", "Safari", "Safari"),
)
SYSTEMS = (
    ("HarmonyOS", "鸿蒙", "HarmonyOS"),
    ("Android", "安卓", "Android"),
    ("iPhone", "iPhone", "iPhone"),
    ("iPad", "iPad", "iPad"),
    ("Windows", "Windows", "Windows"),
    ("Mac OS", "Mac", "Mac"),
    ("Linux", "Linux", "Linux"),
)


@doors.get("/me")
def me(request: Request, who: Who) -> Response:
    """Name, place, and the living sign-ins of this account."""
    english = language_of(request) == "en"
    with transaction() as tx:
        sessions = list_sessions(tx, account_id=who.account_id, at=now())
        place = _place(tx, who)
    rows = tuple(
        SessionRow(
            session_id=session.session_id,
            device=describe_device(session.agent, english=english),
            started_at=session.started_at,
            seen_at=session.seen_at,
            current=session.session_id == who.session_hash.hex(),
        )
        for session in sessions
    )
    view = Me(name=who.name, login=who.login, unit=place, is_member="member" in who.roles, sessions=rows)
    return render(request, "member/me.html", view)


@doors.post("/me/sessions/revoke")
def revoke(request: Request, who: Who, session_id: Annotated[str, Form(pattern="^[0-9a-f]{64}$")]) -> Response:
    """End one of one's own sign-ins; another's is as unknown as none."""
    with transaction() as tx:
        revoke_session(tx, account_id=who.account_id, id_hash=bytes.fromhex(session_id), at=now())
    return see_other(request, "/me", notice="session_revoked")


@doors.get("/me/looks")
def looks(request: Request, who: Who) -> Response:
    """Which officers and auditors looked at one's record, by post."""
    with transaction() as tx:
        found = list_looks(tx, member_id=member_of(who), limit=LOOKS_SHOWN + 1)
    rows = tuple(
        LookRow(
            post=look.post,
            unit=look.unit,
            kind=look.kind,
            reason=look.reason,
            first_at=look.first_at,
            last_at=look.last_at,
            times=look.times,
        )
        for look in found[:LOOKS_SHOWN]
    )
    return render(request, "member/looks.html", MemberLooks(rows=rows, is_cut=len(found) > LOOKS_SHOWN))


def describe_device(agent: str, *, english: bool) -> str:
    """A browser and a system in words, from what the browser says of itself; good enough to recognise one's own phone."""
    names = [next((found[1 + english] for found in table if found[0] in agent), None) for table in (BROWSERS, SYSTEMS)]
    return " · ".join(name for name in names if name) or ("Another program" if english else "其他程序")


def _place(tx: Session, who: Principal) -> str:
    """The unit, shop or merchant that a person belongs to; an auditor belongs to none."""
    queries = {
        "member": select(Unit.name).join(Member, Member.unit_id == Unit.id).where(Member.id == who.roles.get("member")),
        "officer": select(Unit.name).where(Unit.id == who.roles.get("officer")),
        "assistant": select(Shop.name)
        .join(Staff, Staff.shop_id == Shop.id)
        .where(Staff.id == who.roles.get("assistant")),
        "owner": select(Merchant.name)
        .join(Staff, Staff.merchant_id == Merchant.id)
        .where(Staff.id == who.roles.get("owner")),
    }
    found = (tx.execute(queries[role]).scalar() for role in queries if role in who.roles)
    return next((name for name in found if name), "")
