"""The person behind a visit, as the market sees him: looked up and locked by a redemption in one statement."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, select
from sqlalchemy.orm import Session

from cards.keys import unwrap_person_key
from cards.models import Card, Member, PersonKey, Unit, Visit
from cards.people import list_facts
from cards.standing import MemberLeftError, ensure_usable
from cards.visits import VisitExpiredError, VisitUnknownError, VisitUsedError
from market.kit.errors import ConflictError
from market.sales.models import Reversal, Sale
from market.sales.parties import Shopper

NO_VISIT = UUID(int=0)


def get_shopper(tx: Session, *, visit_id: UUID, shop_id: UUID, at: datetime) -> Shopper:
    """The person behind a visit, locked together with card and visit until the transaction ends; one statement.

    First refusal that holds: VisitUnknownError (also for a visit at another shop), VisitUsedError, VisitExpiredError,
    and those of `cards.standing`.
    """
    # Whoever waited for the lock gets the member's new row joined to the unit of the old one, which is no row at all
    # when an import has just moved him; a second look then finds him in his new unit.
    found = tx.connection().execute(_VISITOR, {"visit_id": visit_id}).one_or_none()
    found = found or tx.execute(_VISITOR, {"visit_id": visit_id}).one_or_none()
    if found is None or found.shop_id != shop_id:
        raise VisitUnknownError
    if found.sale_id is not None or found.refund_id is not None:
        raise VisitUsedError
    if found.expires_at <= at:
        raise VisitExpiredError
    ensure_usable(card_state=found.card_state, valid_until=found.valid_until, member_state=found.state, at=at)
    if found.wrapped is None:  # erased on request
        raise MemberLeftError
    return _shopper(found, visit_id)


def lock_member(tx: Session, *, member_id: UUID, at: datetime) -> Shopper:
    """The member who orders online, locked together with his card until the transaction ends; one statement. `NO_VISIT` for a visit.

    Raises MemberLeftError when there is no such member or he was erased, and the refusals of `cards.standing`.
    """
    # As with a visit: whoever waited for the lock looks again.
    found = tx.connection().execute(_BUYER, {"member_id": member_id}).one_or_none()
    found = found or tx.execute(_BUYER, {"member_id": member_id}).one_or_none()
    if found is None:
        raise MemberLeftError
    ensure_usable(card_state=found.card_state, valid_until=found.valid_until, member_state=found.state, at=at)
    return _shopper(found, NO_VISIT)


def find_shopper_for_member(tx: Session, *, member_id: UUID, at: datetime) -> Shopper | None:
    """The member as a shopper for his own quote page: no lock, `NO_VISIT` for a visit. None without a usable card."""
    found = tx.execute(_MEMBER_AS_SHOPPER, {"member_id": member_id}).one_or_none()
    if found is None:
        return None
    try:
        ensure_usable(card_state=found.card_state, valid_until=found.valid_until, member_state=found.state, at=at)
    except ConflictError:
        return None
    return _shopper(found, NO_VISIT)


def _shopper(found: Row[*tuple[Any, ...]], visit_id: UUID) -> Shopper:
    return Shopper(
        subject=found.subject,
        card_id=found.card_id,
        visit_id=visit_id,
        facts=list_facts(path=found.path, grade=found.grade, state=found.state, tags=found.tags),
        commit_key=unwrap_person_key(found.wrapped, subject=found.subject),
    )


_PERSON = (
    Member.subject,
    Member.state,
    Member.grade,
    Member.tags,
    Unit.path,
    Card.id.label("card_id"),
    Card.state.label("card_state"),
    Card.valid_until,
    PersonKey.wrapped,
)

_VISITOR = (
    select(*_PERSON, Visit.shop_id, Visit.expires_at, Sale.id.label("sale_id"), Reversal.id.label("refund_id"))
    .select_from(Visit)
    .join(Card, Card.id == Visit.card_id)
    .join(Member, Member.id == Card.member_id)
    .join(Unit, Unit.id == Member.unit_id)
    .outerjoin(PersonKey, PersonKey.subject == Member.subject)
    .outerjoin(Sale, Sale.visit_id == Visit.id)
    .outerjoin(Reversal, Reversal.visit_id == Visit.id)
    .where(Visit.id == bindparam("visit_id"))
    .with_for_update(key_share=True, of=[Visit, Card, Member])
)

_BUYER = (
    select(*_PERSON)
    .select_from(Member)
    .join(Card, and_(Card.member_id == Member.id, Card.state != "replaced"))
    .join(Unit, Unit.id == Member.unit_id)
    .join(PersonKey, PersonKey.subject == Member.subject)
    .where(Member.id == bindparam("member_id"))
    .with_for_update(key_share=True, of=[Card, Member])
)

_MEMBER_AS_SHOPPER = (
    select(*_PERSON)
    .select_from(Member)
    .join(Card, and_(Card.member_id == Member.id, Card.state != "replaced"))
    .join(Unit, Unit.id == Member.unit_id)
    .join(PersonKey, PersonKey.subject == Member.subject)
    .where(Member.id == bindparam("member_id"))
)
