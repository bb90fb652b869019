"""Batches: what waits of merchants that are published so, made into public entries. Before the sequencer places anything, in its process.

A batch is made when a business day is over: an hour would tell more of a small shop than the batch hides. It covers at least `LEAST`
purchases, or what is left when its month is over, and never purchases of two months, so that months add up. Each step is one
transaction, in which the single entries get their batch and their index; a crash before its end leaves nothing.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, select, text
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.kit.errors import invariant
from market.kit.ids import new_public_id
from market.record.batches import LEAST, Of, batch_entry
from market.record.operations import append_entry
from market.record.policy import Policy, month_of
from market.record.publishing.models import LogState

AT_ONCE: Final = 20_000  # purchases batched in one transaction, but for the last batch of it

_SALES: Final = "e.type = 'sale'"
# A return is never published before its sale: in public all that went back stays within what was sold.
_RETURNS: Final = """e.type <> 'sale' AND EXISTS (
  SELECT FROM entry s WHERE s.public_id = convert_from(e.body, 'UTF8')::jsonb ->> 'of' AND s.batch_id IS NOT NULL)"""


def _find_groups(which: str) -> TextClause:
    return text(
        f"""
SELECT merchant, month, array_agg(id) AS ids FROM (
  SELECT e.id, e.merchant, CAST(date_trunc('month', e.day) AS date) AS month FROM entry e
  WHERE e.is_batched AND e.batch_id IS NULL AND e.day < :today AND {which}) AS waiting
GROUP BY merchant, month HAVING count(*) >= :least OR month < :this_month ORDER BY month, merchant
"""  # noqa: S608  our own words
    )


_GROUPS: Final[dict[Of, TextClause]] = {"sale": _find_groups(_SALES), "return": _find_groups(_RETURNS)}
_BODIES = text("SELECT id, body FROM entry WHERE id = ANY(:ids)")
_BATCH = text(
    "UPDATE entry SET batch_id = :batch, batch_index = member.index FROM unnest(CAST(:ids AS uuid[]), CAST(:indexes AS integer[]))"
    " AS member(id, index) WHERE entry.id = member.id AND entry.is_batched AND entry.batch_id IS NULL"
)


@dataclass(frozen=True, slots=True)
class Batched:
    """What one step did: how many batches it made, over how many purchases."""

    batches: int
    purchases: int


def make_batches(tx: Session, *, policy: Policy, at: datetime, most: int = AT_ONCE) -> Batched:
    """Make the batches that are due, sales before returns, until about `most` purchases are in one. Nothing is left when it made none."""
    tx.execute(select(LogState.id).with_for_update())  # one at a time, and not while a day is closed
    today = business_day(policy.closed_before(at))
    batches = purchases = 0
    kinds: tuple[Of, Of] = ("sale", "return")
    for of in kinds:
        this_month, _ = month_of(today)
        groups = tx.execute(_GROUPS[of], {"today": today, "this_month": this_month, "least": LEAST}).all()
        for group in groups:
            if purchases >= most:
                return Batched(batches, purchases)
            _make(tx, of, group, today=today, at=at)
            batches, purchases = batches + 1, purchases + len(group.ids)
    return Batched(batches, purchases)


def _make(tx: Session, of: Of, group: Any, *, today: date, at: datetime) -> None:  # noqa: ANN401  a row of merchant, month and ids
    ids, bodies = _shuffle([(row.id, row.body) for row in tx.execute(_BODIES, {"ids": group.ids})])
    _, beyond = month_of(group.month)
    day, public_id = min(today, beyond) - timedelta(days=1), new_public_id()
    body = batch_entry(public_id=public_id, day=day, merchant=group.merchant, of=of, bodies=bodies)
    batch = append_entry(tx, kind="batch", public_id=public_id, merchant=group.merchant, day=day, body=body, at=at)
    made = tx.execute(_BATCH, {"batch": batch, "ids": ids, "indexes": list(range(len(ids)))}).rowcount  # type: ignore[attr-defined]
    invariant(made == len(ids), "Only the holder of the log's lock makes batches")


def _shuffle(rows: list[tuple[UUID, bytes]]) -> tuple[Sequence[UUID], Sequence[bytes]]:
    """An order left to chance, so that a place in the batch tells nothing."""
    secrets.SystemRandom().shuffle(rows)
    return [id_ for id_, _ in rows], [body for _, body in rows]
