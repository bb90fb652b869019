"""Batches: what waits of merchants that are published so, made into public entries. Before the sequencer places anything, in its process.

A batch is made when a business day is over: an hour would tell more of a small shop than the batch hides. It covers at least `LEAST`
purchases, or what is left when its month is over, never purchases of two months, so that months add up, and never more than `MOST` nor
more than one entry can say. Each step is one transaction, in which the single entries get their batch and their index; a crash before its
end leaves nothing. What cannot be made of one merchant is left (`unmade`), and all others are published.

On a day for which that is done nothing is looked for: what a round then costs does not grow with what waits.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.kit.errors import invariant
from market.kit.ids import new_public_id
from market.record.batches import LEAST, MOST, Of, batch_entry
from market.record.log.bundles import MAX_ENTRY
from market.record.operations import append_entry
from market.record.policy import Policy, month_of
from market.record.publication import GRACE
from market.record.publishing.models import LogState
from market.record.publishing.sequencer import READ_NO_TABLE
from market.record.publishing.unmade import attempt, forget, list_unmade

AT_ONCE: Final = 20_000  # purchases batched in one transaction, but for the last batch of it


class PurchasesTooLongError(ValueError):
    """What these purchases move does not fit into one entry, and they are too few for two batches before their month is over."""


_GROUPS: Final = text(
    """
SELECT merchant, month, array_agg(id) AS ids FROM (
  SELECT id, merchant, CAST(date_trunc('month', day) AS date) AS month FROM entry
  WHERE is_batched AND batch_id IS NULL AND day < :today AND (type = 'sale') = :is_sale) AS waiting
GROUP BY merchant, month HAVING count(*) >= :least OR month < :this_month ORDER BY month, merchant
"""
)
# A return is never published before its sale: in public all that went back stays within what was sold.
_AFTER_THEIR_SALES: Final = text(
    """
SELECT id FROM entry WHERE id = ANY(:ids) AND (
  SELECT sale.batch_id FROM entry AS sale WHERE sale.public_id = convert_from(entry.body, 'UTF8')::jsonb ->> 'of') IS NOT NULL
"""
)
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
    """Make the batches that are due, sales before returns, until about `most` purchases are in one.

    When it made none, nothing is left that is due and can be made.
    """
    over = policy.closed_before(at)
    today, unmade = business_day(over), list_unmade(tx, kind="batch")
    gone = {subject for subject, again in unmade.items() if again <= at}
    if tx.scalars(select(LogState.batched_before)).one() == today and not gone:
        return Batched(0, 0)
    tx.execute(select(LogState.id).with_for_update())  # one at a time, and not while a day is closed
    tx.execute(READ_NO_TABLE)
    batches = purchases = 0
    kinds: tuple[Of, Of] = ("sale", "return")
    this_month, _ = month_of(today)
    wanted = {"today": today, "this_month": this_month, "least": LEAST}
    for of in kinds:
        for group in tx.execute(_GROUPS, {**wanted, "is_sale": of == "sale"}).all():
            subject = f"{group.merchant} {group.month:%Y-%m} {of}"
            gone.discard(subject)
            if unmade.get(subject, at) > at:
                continue
            if purchases >= most:
                return Batched(batches, purchases)
            with attempt(tx, kind="batch", subject=subject, at=at) as tried:
                sizes = _batch(tx, of, group, today=today, at=at, most=most - purchases)
            if tried.is_made:
                batches, purchases = batches + len(sizes), purchases + sum(sizes)
    if purchases < most:
        forget(tx, kind="batch", subjects=gone)
        if business_day(over - GRACE) == today:  # no purchase of the day before comes any more
            tx.execute(update(LogState).values(batched_before=today))
    return Batched(batches, purchases)


def _batch(tx: Session, of: Of, group: Any, *, today: date, at: datetime, most: int) -> list[int]:  # noqa: ANN401  a row of merchant, month and ids
    """Batches of about `most` of these purchases, all if there are no more; how many purchases each covers."""
    _, beyond = month_of(group.month)
    day = min(today, beyond) - timedelta(days=1)
    least = 1 if beyond <= today else LEAST
    due = group.ids if of == "sale" else tx.scalars(_AFTER_THEIR_SALES, {"ids": group.ids}).all()
    sizes: list[int] = []
    if len(due) < least:
        return sizes
    for ids in _deal(due):
        if sum(sizes) >= most:
            break
        bodies = {row.id: row.body for row in tx.execute(_BODIES, {"ids": ids})}
        for public_id, body, members in _fit(of, group.merchant, day, ids, bodies, least=least):
            batch = append_entry(
                tx, kind="batch", public_id=public_id, merchant=group.merchant, day=day, body=body, at=at
            )
            values = {"batch": batch, "ids": members, "indexes": list(range(len(members)))}
            made = tx.execute(_BATCH, values).rowcount  # type: ignore[attr-defined]
            invariant(made == len(members), "Only the holder of the log's lock makes batches")
            sizes.append(made)
    return sizes


def _deal(ids: Sequence[UUID]) -> Iterator[list[UUID]]:
    """These purchases in as few parts of at most `MOST` as there can be, all of one size or one less, in an order left to chance."""
    shuffled = list(ids)
    secrets.SystemRandom().shuffle(shuffled)
    parts = -(-len(shuffled) // MOST)
    return (shuffled[number::parts] for number in range(parts))


def _fit(
    of: Of, merchant: str, day: date, ids: list[UUID], bodies: dict[UUID, bytes], *, least: int
) -> Iterator[tuple[str, bytes, list[UUID]]]:
    """Batches of these purchases (public id, entry, purchases), halved until an entry can say what they move."""
    public_id = new_public_id()
    body = batch_entry(public_id=public_id, day=day, merchant=merchant, of=of, bodies=[bodies[id_] for id_ in ids])
    if len(body) <= MAX_ENTRY:
        yield public_id, body, ids
        return
    half = len(ids) // 2
    if half < least:
        raise PurchasesTooLongError(f"{len(ids)} purchases move more than an entry of {MAX_ENTRY:,} bytes can say")
    for part in (ids[:half], ids[half:]):
        yield from _fit(of, merchant, day, part, bodies, least=least)
