"""Offers that ask before they are used: what a person agreed to, by offer and not by version, given and taken back in one step."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from market.kit.errors import NotFoundError
from market.offers.live import LiveBook
from market.offers.models import OfferConsent


class NothingAskedError(NotFoundError):
    """No live offer of this id asks for consent."""

    code = "NOTHING_ASKED"
    zh = "这项优惠现在没有在问是否要用。请回到“优惠”页看看现在有哪些。"
    en = "This offer is not asking whether to be used now. See Offers for what there is."


def give_consent(tx: Session, *, subject: UUID, offer: str, live: LiveBook, at: datetime) -> None:
    """From the next quote on this offer may be used for this person. Raises NothingAskedError for one that does not ask now."""
    found = live.book.find(offer)
    if found is None or found.consent != "ask":
        raise NothingAskedError
    _answer(tx, subject=subject, offer=offer, is_given=True, at=at)


def withdraw_consent(tx: Session, *, subject: UUID, offer: str, at: datetime) -> None:
    """From the next quote on it may not, be it live or not; of one that was never agreed to nothing is kept."""
    if offer in list_consents(tx, subject=subject):
        _answer(tx, subject=subject, offer=offer, is_given=False, at=at)


def list_consents(tx: Session, *, subject: UUID) -> dict[str, datetime]:
    """The offers that a person agreed to, and when."""
    given = select(OfferConsent.offer, OfferConsent.at).where(OfferConsent.subject == subject, OfferConsent.is_given)
    return dict(tx.execute(given.order_by(OfferConsent.offer)).all())


def _answer(tx: Session, *, subject: UUID, offer: str, is_given: bool, at: datetime) -> None:
    """Keep the last word; the same word again leaves the moment at which it was first said."""
    said = upsert(OfferConsent).values(subject=subject, offer=offer, is_given=is_given, at=at)
    tx.execute(
        said.on_conflict_do_update(
            index_elements=["subject", "offer"],
            set_={"is_given": said.excluded.is_given, "at": said.excluded.at},
            where=OfferConsent.is_given != said.excluded.is_given,
        )
    )
