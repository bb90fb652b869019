"""Reads for pages: the card of a member, a visit as the till sees it, units with head counts, imports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal, select
from sqlalchemy.orm import Session, aliased

from cards.models import Card, ImportRun, Member, Unit, Visit
from cards.numbers import mask_number
from cards.operations import UnitUnknownError
from cards.people import surname
from cards.visits import OpenVisit, VisitExpiredError, VisitUnknownError
from market.kit.clock import business_day
from market.kit.errors import NotFoundError


class MemberUnknownError(NotFoundError):
    """No member has this id, or he holds no card."""

    code = "MEMBER_UNKNOWN"
    zh = "没有找到这位会员。请核对后重试。"
    en = "This member was not found. Check and try again."


@dataclass(frozen=True, slots=True)
class CardPage:
    """What a member's card page shows; `units` are the names of his units from the top down, `expired` is by date."""

    member_id: UUID
    subject: UUID
    card_id: UUID
    number_masked: str
    name: str
    unit: str
    units: tuple[str, ...]
    state: str
    valid_until: date


@dataclass(frozen=True, slots=True)
class UnitHeads:
    """A unit with the members and usable cards in its whole subtree; who left is not counted."""

    unit_id: UUID
    code: str
    name: str
    members_count: int
    cards_count: int


def get_card_page(tx: Session, *, member_id: UUID, at: datetime) -> CardPage:
    """The card of a member as he may see it. Raises MemberUnknownError."""
    found = tx.execute(
        select(
            Member.id,
            Member.subject,
            Member.name,
            Unit.path,
            Card.id.label("card_id"),
            Card.number,
            Card.state,
            Card.valid_until,
        )
        .join(Card, and_(Card.member_id == Member.id, Card.state != "replaced"))
        .join(Unit, Unit.id == Member.unit_id)
        .where(Member.id == member_id)
    ).one_or_none()
    if found is None:
        raise MemberUnknownError
    names = {row.code: row.name for row in tx.execute(select(Unit.code, Unit.name).where(Unit.code.in_(found.path)))}
    units = tuple(names[code] for code in found.path)
    expired = found.state == "active" and business_day(at) > found.valid_until
    return CardPage(
        member_id=found.id,
        subject=found.subject,
        card_id=found.card_id,
        number_masked=mask_number(found.number),
        name=found.name,
        unit=units[-1],
        units=units,
        state="expired" if expired else found.state,
        valid_until=found.valid_until,
    )


@dataclass(frozen=True, slots=True)
class FoundMember:
    """A member as an officer of his units sees him; the card is the one that was not replaced, None where he holds none."""

    member_id: UUID
    name: str
    staff_number: str
    units: tuple[str, ...]
    state: str
    joined_on: date
    number_masked: str | None
    card_state: str | None
    valid_until: date | None


def get_member(tx: Session, *, staff_number: str, within: UUID) -> FoundMember:
    """A member of a unit or of any below it, by his staff number. Raises MemberUnknownError, also for one of another unit."""
    place = select(Unit.code).where(Unit.id == within).scalar_subquery()
    found = tx.execute(
        select(Member, Unit.path, Card.number, Card.state, Card.valid_until)
        .join(Unit, Unit.id == Member.unit_id)
        .outerjoin(Card, and_(Card.member_id == Member.id, Card.state != "replaced"))
        .where(Member.staff_number == staff_number, place == func.any(Unit.path))
    ).one_or_none()
    if found is None:
        raise MemberUnknownError
    member, path, number, card_state, valid_until = found
    names = {row.code: row.name for row in tx.execute(select(Unit.code, Unit.name).where(Unit.code.in_(path)))}
    return FoundMember(
        member_id=member.id,
        name=member.name,
        staff_number=member.staff_number,
        units=tuple(names[code] for code in path),
        state=member.state,
        joined_on=member.joined_on,
        number_masked=mask_number(number) if number else None,
        card_state=card_state,
        valid_until=valid_until,
    )


def get_subject(tx: Session, *, member_id: UUID) -> UUID:
    """The market's name for a member, whatever became of his card. Raises MemberUnknownError."""
    subject = tx.scalar(select(Member.subject).where(Member.id == member_id))
    if subject is None:
        raise MemberUnknownError
    return subject


def get_name(tx: Session, *, subject: UUID) -> str:
    """The full name of the person the market knows as `subject`, for what must be signed for. Raises MemberUnknownError."""
    name = tx.scalar(select(Member.name).where(Member.subject == subject))
    if name is None:
        raise MemberUnknownError
    return name


def get_open_visit(tx: Session, *, visit_id: UUID, shop_id: UUID, at: datetime) -> OpenVisit:
    """A visit for the page of its shop. Raises VisitUnknownError (also at another shop) and VisitExpiredError."""
    found = tx.execute(
        select(Visit.shop_id, Visit.opened_at, Visit.expires_at, Member.name)
        .join(Card, Card.id == Visit.card_id)
        .join(Member, Member.id == Card.member_id)
        .where(Visit.id == visit_id)
    ).one_or_none()
    if found is None or found.shop_id != shop_id:
        raise VisitUnknownError
    if found.expires_at <= at:
        raise VisitExpiredError
    return OpenVisit(visit_id, surname(found.name), found.opened_at, found.expires_at, repeated=True)


def in_subtree(code: str) -> ColumnElement[bool]:
    """The condition on `unit` for a unit and all below it: an officer sees his own subtree only."""
    return Unit.path.contains([code])


def get_unit(tx: Session, *, unit_id: UUID) -> UnitHeads:
    """A unit with the heads of its whole subtree. Raises UnitUnknownError."""
    found = _count_heads(tx, Unit.id == unit_id)
    if not found:
        raise UnitUnknownError
    return found[0]


def get_unit_names(tx: Session, *, unit_id: UUID) -> tuple[str, str]:
    """Code and name of a unit; its people are not counted. Raises UnitUnknownError."""
    found = tx.execute(select(Unit.code, Unit.name).where(Unit.id == unit_id)).one_or_none()
    if found is None:
        raise UnitUnknownError
    return found.code, found.name


def list_units(tx: Session, *, parent_id: UUID | None = None) -> list[UnitHeads]:
    """The units right below `parent_id` (None: the unions) by code, each with the heads of its whole subtree."""
    return _count_heads(tx, Unit.parent_id.is_not_distinct_from(parent_id))


def _count_heads(tx: Session, which: ColumnElement[bool]) -> list[UnitHeads]:
    below = aliased(Unit)
    heads = (
        select(Unit.id, Unit.code, Unit.name, func.count(Member.id), func.count(Card.id))
        .join(below, below.path.contains(func.array_append(literal([], Unit.path.type), Unit.code)))
        .outerjoin(Member, and_(Member.unit_id == below.id, Member.state != "left"))
        .outerjoin(Card, and_(Card.member_id == Member.id, Card.state == "active"))
        .where(which)
        .group_by(Unit.id)
        .order_by(Unit.code)
    )
    return [UnitHeads(*row) for row in tx.execute(heads)]


def list_imports(tx: Session, *, limit: int = 10) -> Sequence[ImportRun]:
    """The latest imports, newest first."""
    return tx.scalars(select(ImportRun).order_by(ImportRun.id.desc()).limit(limit)).all()


def find_union_name(tx: Session) -> str | None:
    """The name of the first top unit, or None while the tree is empty."""
    return tx.scalar(select(Unit.name).where(Unit.parent_id.is_(None)).order_by(Unit.id).limit(1))
