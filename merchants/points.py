"""Pick-up points: the places of the works where ordered goods are handed out. The union keeps them, merchants choose among them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError
from market.kit.ids import new_id
from merchants.models import PickupPoint
from merchants.operations import MerchantTermsWrongError
from merchants.product_terms import PRODUCT_CODE
from merchants.products import PointUnknownError


class PointExistsError(ConflictError):
    """The code of the point is taken."""

    code = "POINT_EXISTS"
    zh = "自提点代码已被使用。请换一个代码。"
    en = "This pick-up point code is taken. Choose another."


@dataclass(frozen=True, slots=True)
class Point:
    """A pick-up point by its code."""

    point_id: UUID
    code: str
    name: str
    address: str
    state: str


def add_point(tx: Session, *, code: str, name: str, address: str) -> UUID:
    """Open a pick-up point. Raises MerchantTermsWrongError, PointExistsError."""
    if not PRODUCT_CODE.fullmatch(code):
        raise MerchantTermsWrongError(field="code", problem="A-Z a-z 0-9 _ -, 1 … 32")
    row = {"id": new_id(), "code": code, "name": name, "address": address, "state": "open"}
    added: UUID | None = tx.scalar(
        insert(PickupPoint)
        .values(row)
        .on_conflict_do_nothing(index_elements=[PickupPoint.code])
        .returning(PickupPoint.id)
    )
    if added is None:
        raise PointExistsError
    return added


def close_point(tx: Session, *, code: str) -> None:
    """Close a pick-up point: nothing new is sent there. Raises PointUnknownError."""
    _set_state(tx, code, "closed")


def open_point(tx: Session, *, code: str) -> None:
    """Open a closed pick-up point again. Raises PointUnknownError."""
    _set_state(tx, code, "open")


def list_points(tx: Session) -> list[Point]:
    """The open pick-up points, by code."""
    rows = select(PickupPoint.id, PickupPoint.code, PickupPoint.name, PickupPoint.address, PickupPoint.state)
    return [Point(*row) for row in tx.execute(rows.where(PickupPoint.state == "open").order_by(PickupPoint.code))]


def _set_state(tx: Session, code: str, state: str) -> None:
    changed = update(PickupPoint).where(PickupPoint.code == code).values(state=state).returning(PickupPoint.id)
    if tx.scalar(changed) is None:
        raise PointUnknownError(point=code)
