"""What published breakdowns ask of the register: each buyer's unit, state and year of age. Never a name, never a number."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Uuid

from cards.keys import open_national_id
from cards.models import Member, Unit

DEEPEST: Final = 3  # workshops; a union group of twenty people is no group to publish


@dataclass(frozen=True, slots=True)
class UnitPlace:
    """A unit by which members are counted: `path` are the codes from the top down to itself."""

    code: str
    path: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class MemberTraits:
    """What a breakdown may know of a member; `unit` is the code of his unit, or of the one above it that is counted by."""

    unit: str
    state: str
    age: int


def list_unit_places(tx: Session) -> list[UnitPlace]:
    """The units that members are counted by, in the order of the tree: workshops, and units above them that have members of their own."""
    rows = tx.execute(select(Unit.code, Unit.path, Unit.name, Unit.id).order_by(Unit.path)).all()
    parents = {path[-2] for _, path, _, _ in rows if 1 < len(path) <= DEEPEST}
    own = set(tx.scalars(select(Member.unit_id).distinct()))
    return [
        UnitPlace(code, tuple(path), name)
        for code, path, name, id_ in rows
        if len(path) <= DEEPEST and (code not in parents or id_ in own)
    ]


def list_unit_names(tx: Session) -> dict[str, str]:
    """The names of all units by code."""
    return {row.code: row.name for row in tx.execute(select(Unit.code, Unit.name))}


def find_traits(tx: Session, *, subjects: Collection[UUID], on: date) -> dict[UUID, MemberTraits]:
    """The traits of these people on a day; who is not in the register any more is left out. The age is that of the national id."""
    wanted = literal(list(subjects), ARRAY(Uuid))
    rows = tx.execute(
        select(Member.subject, Member.id, Member.state, Member.national_id_cipher, Unit.path)
        .join(Unit, Unit.id == Member.unit_id)
        .where(Member.subject == any_(wanted))
    )
    return {
        row.subject: MemberTraits(
            unit=row.path[:DEEPEST][-1],
            state=row.state,
            age=_age(open_national_id(row.national_id_cipher, member_id=row.id), on),
        )
        for row in rows
    }


def _age(national_id: str, on: date) -> int:
    """Whole years on a day; digits 7 to 14 are the date of birth (GB 11643)."""
    born = (int(national_id[6:10]), int(national_id[10:12]), int(national_id[12:14]))
    return on.year - born[0] - ((on.month, on.day) < born[1:])
