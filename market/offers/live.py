"""The offer book in force: compiled once per change, shared by all threads of the process, swapped as a whole.

A process asks for the book's number at most twice a second and compiles a new one when an approval, an ending or the clock
has changed what is live; sales meanwhile go on with the book they hold.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, or_, select

from market.kit.database import get_engine, transaction
from market.offers.book import OfferBook
from market.offers.limits import Limits
from market.offers.models import BookNumber, OfferVersion
from market.pricing import Offer

ASK_AGAIN_SECONDS = 0.5
BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Title:
    """What people read of an offer, in Chinese and English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class LiveBook:
    """The versions live from `since` until `until` (half-open), with the limits and titles that stand beside their terms."""

    book: OfferBook
    limits: Mapping[str, Limits]
    titles: Mapping[str, Title]
    since: datetime
    until: datetime

    def covers(self, at: datetime) -> bool:
        """Whether the book says what is live at this instant."""
        return self.since <= at < self.until


@dataclass(slots=True)
class _Shelf:
    """The book of one database, and when its number was last asked for."""

    engine: object
    held: LiveBook | None = None
    asked: float = 0.0


_shelf = _Shelf(engine=None)
_compiling = threading.Lock()


def get_book(*, at: datetime) -> LiveBook:
    """The book in force at `at`. Call it before the transaction of a sale, never inside."""
    global _shelf  # noqa: PLW0603  one book per process is the design
    if _shelf.engine is not get_engine():
        _shelf = _Shelf(engine=get_engine())
    shelf = _shelf
    held = shelf.held
    if held is not None and held.covers(at):
        if time.monotonic() - shelf.asked < ASK_AGAIN_SECONDS:
            return held
        if not _compiling.acquire(blocking=False):
            return held  # another thread is at it
    else:
        _compiling.acquire()
    try:
        return _refresh(shelf, at)
    finally:
        _compiling.release()


def _refresh(shelf: _Shelf, at: datetime) -> LiveBook:
    """Under the lock: keep the book when its number still stands, else compile the new one."""
    with transaction() as tx:
        number = tx.scalar(select(BookNumber.number)) or 0
    held = shelf.held
    if held is None or held.book.number != number or not held.covers(at):
        held = load_book(at=at)
        shelf.held = held
    shelf.asked = time.monotonic()
    return held


def load_book(*, at: datetime) -> LiveBook:
    """Compile the book of the versions approved and inside their window at `at`."""
    version = OfferVersion
    with transaction() as tx:
        # The number first: a change that commits in between makes us compile once more, never miss one.
        number = tx.scalar(select(BookNumber.number)) or 0
        approved = version.state == "approved"
        begun = or_(version.live_from.is_(None), version.live_from <= at)
        going = or_(version.live_until.is_(None), version.live_until > at)
        rows = tx.execute(
            select(version.terms, version.limits, version.title, version.title_en).where(approved, begun, going)
        ).all()
        # Summed up by the database: there may be hundreds of thousands of versions that are not live.
        later, earlier = tx.execute(
            select(
                func.least(*(func.min(edge).filter(edge > at) for edge in (version.live_from, version.live_until))),
                func.greatest(*(func.max(edge).filter(edge <= at) for edge in (version.live_from, version.live_until))),
            ).where(approved)
        ).one()
    offers = [Offer.from_json(row.terms, path="terms") for row in rows]
    return LiveBook(
        book=OfferBook(number, offers, later or END),
        limits={offer.id: Limits.from_json(row.limits) for offer, row in zip(offers, rows, strict=True) if row.limits},
        titles={offer.id: Title(row.title, row.title_en) for offer, row in zip(offers, rows, strict=True)},
        since=earlier or BEGINNING,
        until=later or END,
    )
