"""The offer book in force: compiled once per change, shared by all threads of the process, swapped as a whole.

A process asks for the book's number twice a second and compiles the next one from the one it holds when an approval or an ending has
changed what is live; sales meanwhile go on with that one. What begins or ends by the clock is compiled shortly before, so that the
first sale of that instant finds the new book and waits for nothing.
"""

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, Engine, Text, and_, any_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from market.kit.database import get_engine, snapshot, transaction
from market.offers.book import OfferBook
from market.offers.limits import Limits
from market.offers.models import BookNumber, OfferVersion
from market.pricing import Offer

ASK_AGAIN_SECONDS = 0.5
AHEAD = timedelta(seconds=10)
BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Title:
    """What people read of an offer, in Chinese and English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class LiveBook:
    """The versions live from `since` until `until` (half-open), with the limits and titles that stand beside their terms.

    `unnamed` are the offers whose audience the public record does not name.
    """

    book: OfferBook
    limits: Mapping[str, Limits]
    titles: Mapping[str, Title]
    unnamed: Mapping[str, bool]
    since: datetime
    until: datetime

    def covers(self, at: datetime) -> bool:
        """Whether the book says what is live at this instant."""
        return self.since <= at < self.until


EMPTY = LiveBook(OfferBook(0, (), None), {}, {}, {}, BEGINNING, END)


@dataclass(slots=True)
class _Shelf:
    """The book of one database, the one that follows by the clock if that is soon, and when the number was last asked for."""

    engine: Engine | None
    held: LiveBook | None = None
    ahead: LiveBook | None = None
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
    """Under the lock: take a book that is there when its number still stands, else compile; look ahead when the clock will change it."""
    with transaction() as tx:
        number = tx.scalar(select(BookNumber.number)) or 0

    def find(instant: datetime) -> LiveBook | None:
        known = (book for book in (shelf.held, shelf.ahead) if book is not None)
        return next((book for book in known if book.book.number == number and book.covers(instant)), None)

    held = find(at) or load_book(at=at, known=shelf.held)
    if held.until - at <= AHEAD:
        shelf.ahead = find(held.until) or load_book(at=held.until, known=held)
    shelf.held = held
    shelf.asked = time.monotonic()
    return held


def load_book(*, at: datetime, known: LiveBook | None = None) -> LiveBook:
    """The book of the versions that have started and are inside their window at `at`; what `known` holds already is not read again.

    Number and versions are those of one snapshot: books of one number and one instant are the same in every process.
    """
    version = OfferVersion
    approved = and_(version.state == "approved", version.started_at.is_not(None))
    begun = or_(version.live_from.is_(None), version.live_from <= at)
    going = or_(version.live_until.is_(None), version.live_until > at)
    is_live = and_(approved, begun, going)
    held = known or EMPTY
    with snapshot() as tx:
        number = tx.scalar(select(BookNumber.number)) or 0
        # The database sums up: there may be hundreds of thousands of versions that are not live, or that are held already.
        ids, versions = tx.execute(
            select(func.array_agg(version.offer), func.array_agg(version.version)).where(is_live)
        ).one()
        live = dict(zip(ids or (), versions or (), strict=True))
        later, earlier = tx.execute(
            select(
                func.least(*(func.min(edge).filter(edge > at) for edge in (version.live_from, version.live_until))),
                func.greatest(*(func.max(edge).filter(edge <= at) for edge in (version.live_from, version.live_until))),
            ).where(approved)
        ).one()
        before = held.book.versions
        put = _read(tx, is_live, [id_ for id_, number_ in live.items() if before.get(id_) != number_])
    drop = before.keys() - live.keys()
    return LiveBook(
        book=held.book.change(number, put=[offer for offer, _, _, _ in put], drop=drop, next_change_at=later or END),
        limits=_followed(held.limits, drop, {offer.id: limits for offer, limits, _, _ in put}),
        titles=_followed(held.titles, drop, {offer.id: title for offer, _, title, _ in put}),
        unnamed=_followed(held.unnamed, drop, {offer.id: unnamed for offer, _, _, unnamed in put}),
        since=earlier or BEGINNING,
        until=later or END,
    )


def _read(
    tx: Session, is_live: ColumnElement[bool], ids: list[str]
) -> list[tuple[Offer, Limits | None, Title, bool | None]]:
    """The live versions of these offers, with what stands beside their terms."""
    version = OfferVersion
    rows = tx.execute(
        select(version.terms, version.limits, version.title, version.title_en, version.audience_salt).where(
            is_live, version.offer == any_(literal(ids, ARRAY(Text)))
        )
    )
    return [
        (
            Offer.from_json(row.terms, path="terms"),
            Limits.from_json(row.limits) if row.limits else None,
            Title(row.title, row.title_en),
            None if row.audience_salt is None else True,
        )
        for row in rows
    ]


def _followed(held: Mapping[str, T], drop: Collection[str], put: Mapping[str, T | None]) -> dict[str, T]:
    """What stands beside the terms of the next book."""
    kept = {id_: value for id_, value in held.items() if id_ not in drop and id_ not in put}
    return kept | {id_: value for id_, value in put.items() if value is not None}
