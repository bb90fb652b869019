"""Erasure: a person asks to be deleted, a second person carries it out, and the register knows him no more.

What the market keeps of him it restricts itself (`market.sales.erasing`); the door joins both in one transaction. In public an erasure is
a count over a span of days, never a day of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, delete, false, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from cards.models import Card, CardCode, Erasure, Member, PersonKey, Unit, Visit
from cards.queries import MemberUnknownError, in_subtree
from market.kit.clock import business_day
from market.kit.errors import ConflictError, InvalidError, NotFoundError
from market.kit.ids import new_id
from market.record.operations import publish_event
from market.record.publishing.unmade import attempt

FEWEST: Final = (
    5  # erasures that an entry counts, but for the last one of a year: nobody is singled out by day and count
)
REASON_LENGTH: Final = 200

AskedAs = Literal["member", "officer"]


class ErasureUnknownError(NotFoundError):
    """There is no such request that waits, for this caller."""

    code = "ERASURE_UNKNOWN"
    zh = "没有这份在等的删除申请，可能已撤回或已办完。请刷新页面。"
    en = "There is no such request waiting; it may have been withdrawn or carried out. Reload the page."


class ErasureWaitsError(ConflictError):
    """One request is enough."""

    code = "ERASURE_WAITS"
    zh = "这位会员已有一份删除申请在等另一位干部批准，不用再提。"
    en = "A request for this member waits already for another officer's approval; there is no need for a second one."


class ErasureSamePersonError(ConflictError):
    """Whoever asked, or is to be deleted, does not decide."""

    code = "ERASURE_SAME_PERSON"
    zh = "提出申请的人和要删除的本人都不能批准，请由另一位干部办理。"
    en = "Whoever asked for it, and the member himself, cannot decide on it; ask another officer."


class DeclineReasonError(InvalidError):
    """A member is told why."""

    code = "DECLINE_REASON"
    zh = "请写明不办理的理由（最多 {most} 个字），会员会看到。"
    en = "Say why it is declined, in at most {most} characters; the member reads it."


@dataclass(frozen=True, slots=True)
class ErasureAsked:
    """A request as pages show it. `member_id` is None once it was carried out; `reason` says why it was declined."""

    id: UUID
    member_id: UUID | None
    subject: UUID
    state: str
    asked_as: str
    asked_by: UUID | None
    asked_at: datetime
    ended_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class WaitingErasure:
    """A request on an officer's desk, with whom it is about."""

    asked: ErasureAsked
    name: str
    staff_number: str
    unit: str


def ask_erasure(tx: Session, *, member_id: UUID, asked_as: AskedAs, asked_by: UUID, at: datetime) -> UUID:
    """Ask to delete a member; it waits for a second person. Raises MemberUnknownError, ErasureWaitsError."""
    subject = tx.scalar(select(Member.subject).where(Member.id == member_id).with_for_update(key_share=True))
    if subject is None:
        raise MemberUnknownError
    erasure_id = new_id()
    row = {"id": erasure_id, "subject": subject, "member_id": member_id, "state": "waiting", "asked_as": asked_as}
    asked = upsert(Erasure).values(**row, asked_by=asked_by, asked_at=at)
    waits = Erasure.state == "waiting"
    made = asked.on_conflict_do_nothing(index_elements=["member_id"], index_where=waits).returning(Erasure.id)
    if tx.scalar(made) is None:
        raise ErasureWaitsError
    return erasure_id


def withdraw_erasure(tx: Session, *, member_id: UUID, by: UUID, at: datetime) -> None:
    """The member takes back what waits for him, whoever asked. Raises ErasureUnknownError."""
    waits = (Erasure.member_id == member_id, Erasure.state == "waiting")
    ended = update(Erasure).where(*waits).values(state="withdrawn", ended_by=by, ended_at=at).returning(Erasure.id)
    if tx.scalar(ended) is None:
        raise ErasureUnknownError


def decline_erasure(tx: Session, *, erasure_id: UUID, by: UUID, reason: str, at: datetime) -> None:
    """End a locked request with a no, and why. Raises DeclineReasonError."""
    said = " ".join(reason.split())
    if not 0 < len(said) <= REASON_LENGTH:
        raise DeclineReasonError(field="reason", problem="length", most=REASON_LENGTH)
    ended = {"state": "declined", "ended_by": by, "ended_at": at, "reason": said}
    tx.execute(update(Erasure).where(Erasure.id == erasure_id).values(**ended))


def lock_erasure(tx: Session, *, erasure_id: UUID, unit_id: UUID) -> ErasureAsked:
    """A request that waits, of a member below this unit, with all that leads to him locked: he buys nothing meanwhile.

    Raises ErasureUnknownError.
    """
    found = tx.execute(
        select(*_ASKED)
        .join(Member, Member.id == Erasure.member_id)
        .join(Unit, Unit.id == Member.unit_id)
        .where(Erasure.id == erasure_id, Erasure.state == "waiting", _is_below(tx, unit_id))
        .with_for_update(of=Erasure)
    ).one_or_none()
    if found is None:
        raise ErasureUnknownError
    asked = ErasureAsked(*found)
    _lock_person(tx, subject=asked.subject)
    return asked


def ensure_second_person(asked: ErasureAsked, *, by: UUID, member_persons: Sequence[UUID]) -> None:
    """Raise ErasureSamePersonError unless `by` neither asked nor is to be deleted."""
    if by == asked.asked_by or by in member_persons:
        raise ErasureSamePersonError


def erase_member(tx: Session, *, subject: UUID, by: UUID | None, at: datetime) -> None:
    """Delete a person from the register: the key first, then codes, cards and himself; his visits name no card any more.

    What waited for him is done; without a request that waits (a restored backup) one that is done is written down.
    His sign-ins are gone already.
    """
    _lock_person(tx, subject=subject)
    tx.execute(delete(PersonKey).where(PersonKey.subject == subject))
    member_id = find_member_id(tx, subject=subject)
    cards = select(Card.id).where(Card.member_id == member_id)
    tx.execute(delete(CardCode).where(CardCode.card_id.in_(cards)))
    tx.execute(update(Visit).where(Visit.card_id.in_(cards)).values(card_id=None))
    _end_requests(tx, subject=subject, by=by, at=at)
    tx.execute(delete(Card).where(Card.member_id == member_id))
    tx.execute(delete(Member).where(Member.id == member_id))


def _lock_person(tx: Session, *, subject: UUID) -> None:
    """Visits, codes, cards, then the member: in the order in which a redemption takes them, so that neither waits for the other."""
    cards = select(Card.id).join(Member, Member.id == Card.member_id).where(Member.subject == subject)
    tx.execute(select(Visit.id).where(Visit.card_id.in_(cards)).order_by(Visit.id).with_for_update()).all()
    tx.execute(select(CardCode.code).where(CardCode.card_id.in_(cards)).order_by(CardCode.code).with_for_update()).all()
    tx.execute(select(Card.id).where(Card.id.in_(cards)).order_by(Card.id).with_for_update()).all()
    tx.execute(select(Member.id).where(Member.subject == subject).with_for_update()).all()


def _end_requests(tx: Session, *, subject: UUID, by: UUID | None, at: datetime) -> None:
    """All that was asked about this person names him no more."""
    mine = Erasure.subject == subject
    nobody = {"member_id": None, "reason": ""}
    if by is not None:
        waits = (mine, Erasure.state == "waiting")
        tx.execute(update(Erasure).where(*waits).values(state="done", ended_by=by, ended_at=at, **nobody))
    elif tx.scalar(select(Erasure.id).where(mine, Erasure.state == "done")) is None:
        tx.execute(update(Erasure).where(mine, Erasure.state == "waiting").values(state="withdrawn", ended_at=at))
        again = {"id": new_id(), "subject": subject, "state": "done", "asked_as": "restore"}
        tx.execute(insert(Erasure).values(**again, asked_at=at, ended_at=at))
    tx.execute(update(Erasure).where(mine).values(**nobody))
    tx.execute(update(Erasure).where(mine, Erasure.asked_as == "member").values(asked_by=None))


def find_erasure(tx: Session, *, member_id: UUID) -> ErasureAsked | None:
    """The newest request about this member, whatever became of it."""
    found = tx.execute(
        select(*_ASKED)
        .where(Erasure.member_id == member_id)
        .order_by(Erasure.asked_at.desc(), Erasure.id.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None else ErasureAsked(*found)


def list_erasures(tx: Session, *, unit_id: UUID) -> list[WaitingErasure]:
    """The requests that wait for a second person, of members below this unit, oldest first."""
    rows = tx.execute(
        select(Member.name, Member.staff_number, Unit.name, *_ASKED)
        .select_from(Erasure)
        .join(Member, Member.id == Erasure.member_id)
        .join(Unit, Unit.id == Member.unit_id)
        .where(Erasure.state == "waiting", _is_below(tx, unit_id))
        .order_by(Erasure.asked_at, Erasure.id)
    )
    return [WaitingErasure(ErasureAsked(*asked), name, number, unit) for name, number, unit, *asked in rows]


def count_erased(tx: Session) -> int:
    """How many persons were erased."""
    return tx.scalar(select(func.count()).where(Erasure.state == "done")) or 0


def find_member(tx: Session, *, typed: str, unit_id: UUID) -> UUID:
    """The member below this unit with this staff number or card number. Raises MemberUnknownError, also for one elsewhere."""
    wanted = "".join(typed.split())
    of_card = select(Card.member_id).where(Card.number == wanted)
    found = tx.scalar(
        select(Member.id)
        .join(Unit, Unit.id == Member.unit_id)
        .where(or_(Member.staff_number == wanted, Member.id.in_(of_card)), _is_below(tx, unit_id))
    )
    if found is None:
        raise MemberUnknownError
    return found


def list_erased(tx: Session) -> list[UUID]:
    """The opaque ids of all who were erased, for the list that a restore reads."""
    return list(tx.scalars(select(Erasure.subject).where(Erasure.state == "done").order_by(Erasure.ended_at)))


def find_member_id(tx: Session, *, subject: UUID) -> UUID | None:
    """The row in the register of this person, or None."""
    return tx.scalar(select(Member.id).where(Member.subject == subject))


def find_registered(tx: Session, *, subjects: Sequence[UUID]) -> list[UUID]:
    """Those of these persons whom the register or the vault still knows."""
    known = select(Member.subject).where(Member.subject.in_(subjects))
    keyed = select(PersonKey.subject).where(PersonKey.subject.in_(subjects))
    return sorted({*tx.scalars(known), *tx.scalars(keyed)})


def publish_erasures(tx: Session, *, at: datetime) -> int:
    """Count in public the erasures of the months that are over: one entry once there are `FEWEST`, and at the end of a year whatever there is.

    So no entry tells on which day anybody left, and few tell of so few that a colleague knows who. How many were counted.
    """
    first = business_day(at).replace(day=1)
    due = tx.execute(
        select(Erasure.id, Erasure.ended_at)
        .where(Erasure.state == "done", Erasure.entry_id.is_(None))
        .order_by(Erasure.ended_at)
        .with_for_update(skip_locked=True)
    ).all()
    over = [(row.id, business_day(row.ended_at)) for row in due if business_day(row.ended_at) < first]
    years = {day.year for _, day in over}
    counted = 0
    for year in sorted(years):
        rows = [(id_, day) for id_, day in over if day.year == year]
        last = first - timedelta(days=1) if year == (first - timedelta(days=1)).year else date(year, 12, 31)
        if len(rows) < FEWEST and last != date(year, 12, 31):
            continue
        fields = {"persons": len(rows), "since": min(day for _, day in rows).replace(day=1).isoformat()}
        with attempt(tx, kind="erasure", subject=str(year), at=at):
            entry_id = publish_event(tx, kind="erasure", fields=fields, at=at, day=last)
            tx.execute(update(Erasure).where(Erasure.id.in_([id_ for id_, _ in rows])).values(entry_id=entry_id))
            counted += len(rows)
    return counted


def _is_below(tx: Session, unit_id: UUID) -> ColumnElement[bool]:
    """The condition on `unit` for an officer's own unit and all below it."""
    code = tx.scalar(select(Unit.code).where(Unit.id == unit_id))
    return false() if code is None else in_subtree(code)


_ASKED = (
    Erasure.id,
    Erasure.member_id,
    Erasure.subject,
    Erasure.state,
    Erasure.asked_as,
    Erasure.asked_by,
    Erasure.asked_at,
    Erasure.ended_at,
    Erasure.reason,
)
