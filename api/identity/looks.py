"""Who looked at whom: every look of an officer or auditor at a named member's record, written with the look itself, shown to the member.

A supplier's staff hand goods out to a surname and are no officers; what they did stands on the member's order.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from api.identity.models import LOOK_REASONS, Look
from api.identity.sessions import Principal
from cards.models import Unit
from market.kit.errors import InvalidError, invariant
from market.kit.ids import new_id

AS_ONE: Final = timedelta(minutes=10)
KEPT: Final = timedelta(days=3 * 366)
"""At least the three years for which the database keeps a look."""


class LookReasonError(InvalidError):
    """Nobody looks at a member without a reason."""

    code = "LOOK_REASON"
    zh = "请选查看的理由；会员会看到这个理由。"
    en = "Choose why you look; the member sees the reason."


@dataclass(frozen=True, slots=True)
class ShownLook:
    """A look as the member sees it: the post and its unit's name (None for an auditor), what was seen, why, when, how often.

    Who it was stays out: an officer appears by post.
    """

    post: str
    unit: str | None
    kind: str
    reason: str
    first_at: datetime
    last_at: datetime
    times: int


def note_look(tx: Session, who: Principal, *, member_id: UUID, kind: str, reason: str, at: datetime) -> None:
    """Note that this officer or auditor sees this member's record, in the transaction that reads it. Raises LookReasonError."""
    if reason not in LOOK_REASONS:
        raise LookReasonError
    post = next((role for role in ("officer", "auditor") if role in who.roles), None)
    invariant(post is not None, "who looks at a member's record is an officer or an auditor")
    same = {
        "person": who.person,
        "post": post,
        "unit_id": who.roles["officer"] if post == "officer" else None,
        "member_id": member_id,
        "kind": kind,
        "reason": reason,
    }
    again = (
        update(Look)
        .filter_by(**same)
        .where(Look.last_at > at - AS_ONE, Look.last_at <= at)
        .values(last_at=at, times=Look.times + 1)
        .returning(Look.id)
    )
    if tx.execute(again).first() is None:
        tx.add(Look(id=new_id(), **same, first_at=at, last_at=at, times=1))
        tx.flush()


def list_looks(tx: Session, *, member_id: UUID, limit: int) -> list[ShownLook]:
    """The looks at a member's record, the newest first."""
    found = (
        select(Look.post, Unit.name, Look.kind, Look.reason, Look.first_at, Look.last_at, Look.times)
        .outerjoin(Unit, Unit.id == Look.unit_id)
        .where(Look.member_id == member_id)
        .order_by(Look.last_at.desc(), Look.id.desc())
        .limit(limit)
    )
    return [ShownLook(*row) for row in tx.execute(found)]


def prune_looks(tx: Session, *, at: datetime) -> int:
    """Delete looks that are older than they are kept; how many."""
    return len(tx.execute(delete(Look).where(Look.last_at < at - KEPT).returning(Look.id)).all())
