"""Writes of the register and of the cards: units, members with their card and key, freezing, losing, replacing.

Makers of members and cards come one at a time (`lock_register`), so that looking first and writing then is no race.
Whoever changes a card locks the card's row alone; a redemption holds it too, so a freeze is seen or waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from cards.keys import fingerprint_national_id, new_person_key, seal_national_id, wrap_person_key
from cards.models import Card, CardCode, Member, PersonKey, Unit
from cards.national_id import read_national_id
from cards.numbers import new_number, new_reference
from cards.standing import CardLostError, CardReplacedError
from market.kit.clock import business_day
from market.kit.errors import ConflictError, NotFoundError
from market.kit.ids import new_id

CARD_YEARS = 5
REGISTER_LOCK = 0x6875_6967  # an advisory lock's number, ours alone


class UnitUnknownError(NotFoundError):
    """No unit has this code or id."""

    code = "UNIT_UNKNOWN"
    zh = "组织架构中没有这个单位。请先导入单位，或核对单位代码。"
    en = "No such unit in the organisation tree. Import the units first, or check the unit code."


class UnitExistsError(ConflictError):
    """The code is taken."""

    code = "UNIT_EXISTS"
    zh = "单位代码已被使用。请换一个代码。"
    en = "This unit code is taken. Choose another."


class MemberExistsError(ConflictError):
    """The staff number or the national id is in the register already."""

    code = "MEMBER_EXISTS"
    zh = "工号或身份证号已在会员库中。请核对是否同一人。"
    en = "The staff number or national id is in the register already. Check whether it is the same person."


class CardUnknownError(NotFoundError):
    """No card has this id."""

    code = "CARD_UNKNOWN"
    zh = "没有找到这张会员服务卡。请核对后重试。"
    en = "This service card was not found. Check it and try again."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMember:
    """A person to enter in the register; `joined_on` defaults to today."""

    staff_number: str
    name: str
    phone: str
    national_id: str = field(repr=False)
    unit_id: UUID
    grade: str = "standard"
    tags: tuple[str, ...] = ()
    state: str = "active"
    joined_on: date | None = None


@dataclass(frozen=True, slots=True)
class AddedMember:
    """A member just entered: the row, the market's name for the person, and the card."""

    member_id: UUID
    subject: UUID
    card_id: UUID


def lock_register(tx: Session) -> None:
    """Wait until no other transaction enters members or makes cards; held to the end of this one."""
    tx.execute(select(func.pg_advisory_xact_lock(REGISTER_LOCK)))


def add_unit(tx: Session, *, code: str, name: str, parent_id: UUID | None = None) -> UUID:
    """Add a unit below `parent_id`, or a union (a top node). Raises UnitUnknownError, UnitExistsError."""
    lock_register(tx)
    path = [] if parent_id is None else tx.scalar(select(Unit.path).where(Unit.id == parent_id))
    if path is None:
        raise UnitUnknownError
    if tx.scalar(select(Unit.id).where(Unit.code == code)) is not None:
        raise UnitExistsError
    unit_id = new_id()
    tx.execute(insert(Unit).values(id=unit_id, code=code, name=name, parent_id=parent_id, path=[*path, code]))
    return unit_id


def add_member(tx: Session, *, member: NewMember, at: datetime) -> AddedMember:
    """Enter a person, with card and key. Raises MemberExistsError, NationalIdWrongError, UnitUnknownError."""
    return add_members(tx, members=[member], at=at)[0]


def add_members(tx: Session, *, members: Sequence[NewMember], at: datetime) -> list[AddedMember]:
    """Enter several persons, all or none; the answer is in the order of `members`. Raises what `add_member` raises."""
    lock_register(tx)
    ids = [read_national_id(member.national_id) for member in members]
    fingerprints = [fingerprint_national_id(national_id) for national_id in ids]
    staff_numbers = [member.staff_number for member in members]
    taken = select(Member.id).where(
        Member.staff_number.in_(staff_numbers) | Member.national_id_fingerprint.in_(fingerprints)
    )
    if len({*staff_numbers}) < len(ids) or len({*fingerprints}) < len(ids) or tx.scalar(taken.limit(1)) is not None:
        raise MemberExistsError
    unit_ids = {member.unit_id for member in members}
    if len(tx.scalars(select(Unit.id).where(Unit.id.in_(unit_ids))).all()) < len(unit_ids):
        raise UnitUnknownError
    return insert_members(tx, members=list(zip(members, ids, fingerprints, strict=True)), at=at)


def insert_members(tx: Session, *, members: Sequence[tuple[NewMember, str, bytes]], at: datetime) -> list[AddedMember]:
    """Write persons that were checked under the register's lock: (member, compact national id, its fingerprint)."""
    added = [AddedMember(member_id=new_id(), subject=new_id(), card_id=new_id()) for _ in members]
    if not added:
        return added
    tx.execute(
        insert(Member),
        [
            {
                "id": row.member_id,
                "subject": row.subject,
                "unit_id": member.unit_id,
                "staff_number": member.staff_number,
                "name": member.name,
                "phone": member.phone,
                "national_id_cipher": seal_national_id(national_id, member_id=row.member_id),
                "national_id_fingerprint": fingerprint,
                "grade": member.grade,
                "tags": list(member.tags),
                "state": member.state,
                "joined_on": member.joined_on or business_day(at),
            }
            for row, (member, national_id, fingerprint) in zip(added, members, strict=True)
        ],
    )
    tx.execute(
        insert(PersonKey),
        [{"subject": row.subject, "wrapped": wrap_person_key(new_person_key(), subject=row.subject)} for row in added],
    )
    _insert_cards(tx, holders=[(row.card_id, row.member_id, 1) for row in added], at=at)
    return added


def freeze_card(tx: Session, *, card_id: UUID, at: datetime) -> None:
    """Freeze a card; its live code dies at once and open visits can no longer be redeemed.

    A frozen or lost card stays as it is. Raises CardUnknownError, CardReplacedError.
    """
    if _lock_card(tx, card_id).state == "active":
        _end(tx, card_id=card_id, state="frozen", at=at)


def report_lost(tx: Session, *, card_id: UUID, at: datetime) -> None:
    """Report a card lost: like a freeze, but only a new card ends it. Raises CardUnknownError, CardReplacedError."""
    if _lock_card(tx, card_id).state != "lost":
        _end(tx, card_id=card_id, state="lost", at=at)


def unfreeze_card(tx: Session, *, card_id: UUID) -> None:
    """Make a frozen card usable again; only an officer's door may call this, after looking at the person.

    An active card stays as it is. Raises CardUnknownError, CardLostError, CardReplacedError.
    """
    if _lock_card(tx, card_id).state == "lost":
        raise CardLostError
    tx.execute(update(Card).where(Card.id == card_id).values(state="active"))


def replace_card(tx: Session, *, card_id: UUID, at: datetime) -> UUID:
    """Give the holder a new card with a new number; the old one is never usable again, whatever was open on it.

    The person stays the same to the market. Raises CardUnknownError, CardReplacedError.
    """
    lock_register(tx)
    old = _lock_card(tx, card_id)
    _end(tx, card_id=card_id, state="replaced", at=at)
    card = new_id()
    _insert_cards(tx, holders=[(card, old.member_id, old.generation + 1)], at=at)
    return card


@dataclass(frozen=True, slots=True)
class _LockedCard:
    member_id: UUID
    generation: int
    state: str


def _lock_card(tx: Session, card_id: UUID) -> _LockedCard:
    """The card's row, held to the end of the transaction. Raises CardUnknownError, CardReplacedError."""
    found = tx.execute(
        select(Card.member_id, Card.generation, Card.state).where(Card.id == card_id).with_for_update(key_share=True)
    ).one_or_none()
    if found is None:
        raise CardUnknownError
    if found.state == "replaced":
        raise CardReplacedError
    return _LockedCard(found.member_id, found.generation, found.state)


def _end(tx: Session, *, card_id: UUID, state: str, at: datetime) -> None:
    tx.execute(update(Card).where(Card.id == card_id).values(state=state))
    tx.execute(update(CardCode).where(CardCode.card_id == card_id, CardCode.ended_at.is_(None)).values(ended_at=at))


def _insert_cards(tx: Session, *, holders: Sequence[tuple[UUID, UUID, int]], at: datetime) -> None:
    """Insert (card, member, generation), each with a number no card ever had; the register's lock is held."""
    numbers: set[str] = set()
    while len(numbers) < len(holders):
        numbers |= {new_number() for _ in range(len(holders) - len(numbers))}
        numbers -= set(tx.scalars(select(Card.number).where(Card.number.in_(numbers))))
    today = business_day(at)
    tx.execute(
        insert(Card),
        [
            {
                "id": card_id,
                "member_id": member_id,
                "number": number,
                "reference": new_reference(),
                "generation": generation,
                "state": "active",
                "issued_at": at,
                "valid_until": date(today.year + CARD_YEARS, 12, 31),
            }
            for (card_id, member_id, generation), number in zip(holders, numbers, strict=True)
        ],
    )
