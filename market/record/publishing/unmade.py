"""Entries that the log makes of itself (batches, closes, counts of erasures, the chart of accounts) and one of which could not be made.

It is rolled back alone, written down with what it is about, and said in the operator's log; all others are published. It is tried again
after a minute, then after twice as long each time, at most an hour. `huigong verify` names it until it is made.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from market.record.publishing.models import UnmadeEntry

FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=1)
_DOUBLINGS: Final = 6  # an hour is reached before

log = structlog.get_logger("huigong.record")


@dataclass(slots=True)
class Attempt:
    """Whether what was tried could be made; known when the attempt is over."""

    is_made: bool = False


@contextmanager
def attempt(tx: Session, *, kind: str, subject: str, at: datetime) -> Iterator[Attempt]:
    """Make an entry of this type about this subject, or leave nothing of it and go on. That the connection is gone passes."""
    tried, savepoint = Attempt(), tx.begin_nested()
    try:
        yield tried
        savepoint.commit()
    except Exception as error:  # whatever it is, it must not stop the entries of others
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        savepoint.rollback()
        _note(tx, kind=kind, subject=subject, problem=_say(error), at=at)
    else:
        tried.is_made = True
        forget(tx, kind=kind, subjects=[subject])


def list_unmade(tx: Session, *, kind: str) -> dict[str, datetime]:
    """What could not be made of a type of entry: by subject, when it is to be tried again."""
    rows = tx.execute(
        select(UnmadeEntry.subject, UnmadeEntry.tried_at, UnmadeEntry.times).where(UnmadeEntry.kind == kind)
    )
    return {row.subject: row.tried_at + _wait(row.times) for row in rows}


def forget(tx: Session, *, kind: str, subjects: Collection[str]) -> None:
    """These are made, or there is nothing to make any more."""
    if subjects:
        tx.execute(delete(UnmadeEntry).where(UnmadeEntry.kind == kind, UnmadeEntry.subject.in_(subjects)))


def _wait(times: int) -> timedelta:
    return min(FIRST_WAIT * (1 << min(times - 1, _DOUBLINGS)), LONGEST_WAIT)


def _note(tx: Session, *, kind: str, subject: str, problem: str, at: datetime) -> None:
    row = {"kind": kind, "subject": subject, "problem": problem, "since": at, "tried_at": at, "times": 1}
    noted = insert(UnmadeEntry).values(row)
    again = {"problem": problem, "tried_at": at, "times": UnmadeEntry.times + 1}
    noted = noted.on_conflict_do_update(index_elements=["kind", "subject"], set_=again)
    times = tx.scalar(noted.returning(UnmadeEntry.times))
    log.error(
        "an entry of the public record could not be made; it is tried again",
        kind=kind,
        subject=subject,
        problem=problem,
        times=times,
    )


def _say(error: Exception) -> str:
    """What went wrong, in a line; of the database only its own sentence, because its details repeat whole rows."""
    orig = error.orig if isinstance(error, DBAPIError) else None
    said = getattr(getattr(orig, "diag", None), "message_primary", None) or str(orig or error)
    return f"{type(error).__name__}: {' '.join(said.split())[:200]}"
