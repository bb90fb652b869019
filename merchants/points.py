"""Pick-up points: the places of the works where ordered goods are handed out. The union keeps them, merchants choose among them.

A closed point keeps its name: what was ordered there before is still handed out there.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, InvalidError
from market.kit.ids import new_id
from merchants.models import PickupPoint, PointAct, PointChange
from merchants.product_terms import PRODUCT_CODE
from merchants.products import PointUnknownError

MOST_NAME: Final = 40
MOST_ADDRESS: Final = 120
MOST_HOURS: Final = 60


class PointExistsError(ConflictError):
    """The code of the point is taken."""

    code = "POINT_EXISTS"
    zh = "自提点代码已被使用。请换一个代码。"
    en = "This pick-up point code is taken. Choose another."


class PointNameTakenError(ConflictError):
    """An open point has this name: members could not tell the two apart."""

    code = "POINT_NAME_TAKEN"
    zh = "已有开放的自提点叫“{name}”（代码 {point}）。请换一个名称，好让会员分得清。"
    en = "The open pick-up point {point} is called “{name}” already. Choose another name, so that members can tell them apart."


class PointTermsError(InvalidError):
    """The code, name, address or hours of a point cannot be kept so."""

    code = "POINT_TERMS"
    zh = "请填写代码（字母、数字、_、-，最多 32 个）和名称（最多 40 个字）；地址最多 120 个字，开放时间最多 60 个字。"
    en = (
        "Give a code (letters, digits, _ and -, at most 32) and a name (at most 40 characters); "
        "the address takes at most 120, the hours 60."
    )


@dataclass(frozen=True, slots=True)
class Point:
    """A pick-up point by its code; `hours` says in words when somebody is there."""

    point_id: UUID
    code: str
    name: str
    address: str
    hours: str
    state: str

    @property
    def where_and_when(self) -> str:
        """What a member needs to get there, as far as it is known."""
        return " · ".join(each for each in (self.address, self.hours) if each)


@dataclass(frozen=True, slots=True)
class PointStep:
    """What an officer did to a point, and how it was called and placed after that."""

    act: PointAct
    by: UUID
    at: datetime
    name: str
    address: str
    hours: str


def add_point(tx: Session, *, code: str, name: str, address: str, by: UUID, at: datetime, hours: str = "") -> UUID:
    """Open a pick-up point. Raises PointTermsError, PointExistsError, PointNameTakenError."""
    terms = _check(name, address, hours)
    if not PRODUCT_CODE.fullmatch(code):
        raise PointTermsError
    _claim_name(tx, terms["name"], code)
    row = {"id": new_id(), "code": code, "state": "open", **terms}
    added = postgresql.insert(PickupPoint).values(row).on_conflict_do_nothing(index_elements=[PickupPoint.code])
    point_id: UUID | None = tx.scalar(added.returning(PickupPoint.id))
    if point_id is None:
        raise PointExistsError
    _note(tx, point_id, "added", terms, by=by, at=at)
    return point_id


def change_point(tx: Session, *, code: str, name: str, address: str, hours: str, by: UUID, at: datetime) -> None:
    """Call or place a point otherwise, open or closed; the same again changes nothing.

    Raises PointTermsError, PointUnknownError, PointNameTakenError.
    """
    terms, point = _check(name, address, hours), _lock(tx, code)
    if terms != _terms(point):
        if point.state == "open":
            _claim_name(tx, terms["name"], code)
        tx.execute(update(PickupPoint).where(PickupPoint.id == point.id).values(terms))
        _note(tx, point.id, "changed", terms, by=by, at=at)


def close_point(tx: Session, *, code: str, by: UUID, at: datetime) -> None:
    """Close a pick-up point: nothing new is sent there; again changes nothing. Raises PointUnknownError."""
    _set_state(tx, code, "closed", "closed", by=by, at=at)


def open_point(tx: Session, *, code: str, by: UUID, at: datetime) -> None:
    """Open a closed pick-up point again; again changes nothing. Raises PointUnknownError, PointNameTakenError."""
    _set_state(tx, code, "open", "reopened", by=by, at=at)


def list_points(tx: Session, *, with_closed: bool = False) -> list[Point]:
    """The open pick-up points by code, or all of them."""
    rows = select(*POINT_COLUMNS).order_by(PickupPoint.code)
    return [Point(*row) for row in tx.execute(rows if with_closed else rows.where(PickupPoint.state == "open"))]


def list_point_steps(tx: Session) -> dict[UUID, list[PointStep]]:
    """What was done to each point, latest first."""
    steps: dict[UUID, list[PointStep]] = {}
    for row in tx.scalars(select(PointChange).order_by(PointChange.id.desc())):
        steps.setdefault(row.point_id, []).append(
            PointStep(row.act, row.by_id, row.at, row.name, row.address, row.hours)
        )
    return steps


POINT_COLUMNS: Final = (
    PickupPoint.id,
    PickupPoint.code,
    PickupPoint.name,
    PickupPoint.address,
    PickupPoint.hours,
    PickupPoint.state,
)


def _check(name: str, address: str, hours: str) -> dict[str, str]:
    terms = {"name": name.strip(), "address": address.strip(), "hours": hours.strip()}
    most = {"name": MOST_NAME, "address": MOST_ADDRESS, "hours": MOST_HOURS}
    if not terms["name"] or any(len(said) > most[key] or not said.isprintable() for key, said in terms.items()):
        raise PointTermsError
    return terms


def _claim_name(tx: Session, name: str, code: str) -> None:
    """See that no other open point has this name. Points are written one at a time from here on; nobody who orders waits for that."""
    tx.execute(text("LOCK TABLE pickup_point IN SHARE ROW EXCLUSIVE MODE"))
    same = (PickupPoint.state == "open", func.lower(PickupPoint.name) == func.lower(name), PickupPoint.code != code)
    if taken := tx.execute(select(PickupPoint.code, PickupPoint.name).where(*same)).one_or_none():
        raise PointNameTakenError(point=taken.code, name=taken.name)


def _terms(point: PickupPoint) -> dict[str, str]:
    return {"name": point.name, "address": point.address, "hours": point.hours}


def _lock(tx: Session, code: str) -> PickupPoint:
    wanted = select(PickupPoint).where(PickupPoint.code == code).with_for_update(key_share=True)
    point = tx.scalar(wanted.execution_options(populate_existing=True))
    if point is None:
        raise PointUnknownError(point=code)
    return point


def _set_state(tx: Session, code: str, state: str, act: PointAct, *, by: UUID, at: datetime) -> None:
    point = _lock(tx, code)
    if point.state != state:
        if state == "open":
            _claim_name(tx, point.name, code)
        tx.execute(update(PickupPoint).where(PickupPoint.id == point.id).values(state=state))
        _note(tx, point.id, act, _terms(point), by=by, at=at)


def _note(tx: Session, point_id: UUID, act: PointAct, terms: dict[str, str], *, by: UUID, at: datetime) -> None:
    row = {"id": new_id(), "point_id": point_id, "at": at, "by_id": by, "act": act, **terms}
    tx.execute(insert(PointChange).values(row))
