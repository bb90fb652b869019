"""How often something was tried: counted in a table, because there is more than one process.

A count must outlast the refusal it leads to, so callers count in a transaction of their own.
"""

from datetime import datetime, timedelta

from sqlalchemy import case, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from api.identity.models import Throttle
from market.kit.errors import DomainError


class TooManyTriesError(DomainError):
    """The window's tries are used up; `minutes` until it ends."""

    status = 429
    code = "TOO_MANY_TRIES"
    zh = "尝试次数过多，请 {minutes} 分钟后再试。"
    en = "Too many tries; try again in {minutes} minutes."


def hit(tx: Session, *, key: str, limit: int, window_seconds: int, at: datetime) -> int:
    """Count one try under `key` and return how many there are in its window now; the window starts with its first try.

    One statement, so that of many at the same moment exactly `limit` pass. Raises TooManyTriesError beyond it.
    """
    oldest = at - timedelta(seconds=window_seconds)
    over = Throttle.window_started_at <= oldest
    row = tx.execute(
        insert(Throttle)
        .values(key=key, window_started_at=at, tries=1)
        .on_conflict_do_update(
            index_elements=[Throttle.key],
            set_={
                "tries": case((over, 1), else_=Throttle.tries + 1),
                "window_started_at": case((over, at), else_=Throttle.window_started_at),
            },
        )
        .returning(Throttle.tries, Throttle.window_started_at)
    ).one()
    if row.tries > limit:
        raise _too_many(row.window_started_at, window_seconds=window_seconds, at=at)
    return int(row.tries)


def check(tx: Session, *, key: str, limit: int, window_seconds: int, at: datetime) -> None:
    """Raise TooManyTriesError when `limit` tries were counted in the running window; counts nothing itself."""
    started = tx.execute(
        select(Throttle.window_started_at).where(
            Throttle.key == key,
            Throttle.tries >= limit,
            Throttle.window_started_at > at - timedelta(seconds=window_seconds),
        )
    ).scalar()
    if started is not None:
        raise _too_many(started, window_seconds=window_seconds, at=at)


def forget(tx: Session, *, key: str) -> None:
    """Start anew: what was guarded has been proved."""
    tx.execute(delete(Throttle).where(Throttle.key == key))


def prune_throttle(tx: Session, *, at: datetime) -> int:
    """Delete counters whose window began a day ago or earlier; none of ours is longer. Returns how many."""
    return len(
        tx.execute(
            delete(Throttle).where(Throttle.window_started_at <= at - timedelta(days=1)).returning(Throttle.key)
        ).all()
    )


def _too_many(started: datetime, *, window_seconds: int, at: datetime) -> TooManyTriesError:
    left = started + timedelta(seconds=window_seconds) - at
    return TooManyTriesError(minutes=max(1, -(-left // timedelta(minutes=1))))
