"""How publication fares: the sequencer notes each round, pages ask whether it stands still. Nothing is decided by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.record.models import Entry
from market.record.policy import Policy
from market.record.publishing.models import LogStanding

NOTED_EVERY: Final = timedelta(seconds=10)
"""How often a round that went well is noted: rounds are every second."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """Why nothing is published, and since when; None: never yet.

    `code` and `facts` are those of the sequencer's last refusal, None where it has not refused. `is_silent`: entries wait that should have
    been published, and it has not tried for as long.
    """

    since: datetime | None
    code: str | None
    facts: Mapping[str, str | int]
    is_silent: bool


def note_done(tx: Session, *, at: datetime) -> None:
    """A round went well; whatever was refused before is over."""
    row = {"tried_at": at, "done_at": at, "refused_since": None, "code": None, "facts": None}
    stale = or_(LogStanding.done_at.is_(None), LogStanding.done_at < at - NOTED_EVERY, LogStanding.code.is_not(None))
    tx.execute(
        insert(LogStanding).values(id=1, **row).on_conflict_do_update(index_elements=["id"], set_=row, where=stale)
    )


def note_refusal(tx: Session, *, code: str, facts: Mapping[str, str | int], at: datetime) -> None:
    """A round was refused; since when is that of the first refusal after one that went well."""
    row = {"tried_at": at, "code": code, "facts": dict(facts)}
    since = func.coalesce(LogStanding.refused_since, at)
    noted = insert(LogStanding).values(id=1, refused_since=at, **row)
    tx.execute(noted.on_conflict_do_update(index_elements=["id"], set_={**row, "refused_since": since}))


def find_standstill(tx: Session, policy: Policy | None, *, at: datetime) -> Standstill | None:
    """Why publication stands still now; None while it goes on, has nothing to do, or nobody has opened a log."""
    if policy is None:
        return None
    row = tx.execute(select(LogStanding)).scalar_one_or_none()
    due = at - timedelta(seconds=policy.window_seconds + policy.delay_seconds)
    is_silent = (row is None or row.tried_at < due) and _is_waiting(tx, due)
    if row is None or row.code is None:
        return Standstill(row.done_at if row else None, None, {}, is_silent=True) if is_silent else None
    return Standstill(row.refused_since, row.code, row.facts or {}, is_silent)


def _is_waiting(tx: Session, due: datetime) -> bool:
    """Whether an entry from before this instant has no place yet."""
    waiting = exists().where(Entry.leaf_index.is_(None), ~Entry.is_batched, Entry.created_at < due)
    return bool(tx.scalar(select(waiting)))
