"""Who stands at a supplier's pages: the merchant of an owner or an assistant, and what several of those pages read of orders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

import merchants
from api.handing_out import open_counter
from api.identity import Principal
from api.typed import read_units
from market.sales.orders.queries import OrderDetail
from merchants import MerchantBusiness, ProductDetail

UNITS = "units."


@dataclass(frozen=True, slots=True)
class Desk:
    """Where somebody of a merchant works, and as what."""

    staff_id: UUID
    is_owner: bool
    business: MerchantBusiness


def open_desk(tx: Session, who: Principal) -> Desk:
    """The merchant of whoever is at the door, by the role with most to answer for. Raises TillUnknownError, StaffLeftError."""
    staff_id = staff_of(who)
    counter = open_counter(tx, staff_id=staff_id)
    business = merchants.get_merchant(tx, merchant_id=counter.merchant_id)
    return Desk(staff_id, "owner" in who.roles, business)


def staff_of(who: Principal) -> UUID:
    """The staff row of the owner or assistant at the door; the access table admits no one else here."""
    return UUID(str(who.roles["owner"] if "owner" in who.roles else who.roles["assistant"]))


def find_products(tx: Session, details: Iterable[OrderDetail]) -> Mapping[UUID, ProductDetail]:
    """The products behind the lines of these orders, for their pictures."""
    return merchants.get_products(tx, product_ids={line.product_id for each in details for line in each.lines})


def name_points(tx: Session) -> dict[str, str]:
    """What the pick-up points are called, by code, closed ones too: something may still wait there."""
    return {point.code: point.name for point in merchants.list_points(tx, with_closed=True)}


def read_line_units(fields: Mapping[str, object]) -> dict[str, int]:
    """`units.<line>` of a form, without the lines of which nothing is wanted. Raises UnitsUnreadableError."""
    typed = {name.removeprefix(UNITS): value for name, value in fields.items() if name.startswith(UNITS)}
    units = {line: read_units(value) for line, value in typed.items() if isinstance(value, str)}
    return {line: number for line, number in units.items() if number}
