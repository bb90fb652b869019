"""Published entries by type, merchant, day and what they say, newest place first; never one that no signed checkpoint covers.

An entry never changes and never moves, so the place of the last row of a page is where the next one goes on, whatever is added since.
What a filter leaves open is cut into short runs of an index, one for each type and day: each is read in the order of the log, at any depth.
The indexes stand on `entry_index`, which follows a moment later; what it has not reached yet is read from the entries themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, cast

from sqlalchemy import TextClause, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Date, Text

from market.oversight.entry_search import Wanted, list_indexed
from market.oversight.indexing import indexed_size
from market.record.models import Entry
from market.record.publishing.models import LogCheckpoint
from market.record.publishing.served import published_size
from market.sales.models import Reversal, Sale

_RUNS: Final = {"days": Date, "kinds": Text}
_COLUMNS: Final = "entry.leaf_index, entry.public_id, entry.type, entry.merchant, entry.day, entry.body"


@dataclass(frozen=True, slots=True)
class Published:
    """An entry with its place in the log (`leaf_index`, from 0); `body` is what is hashed."""

    leaf_index: int
    public_id: str
    kind: str
    merchant: str | None
    day: date
    body: bytes


def list_published(
    tx: Session, *, wanted: Wanted, before: int | None = None, size: int | None = None, limit: int
) -> list[Published]:
    """Up to `limit` entries below place `before`, the highest place first, of the log of `size` entries (as published now).

    By what stands inside of entries (`is_inside`), only as far as they can be searched: see `covering_checkpoint`.
    """
    size = published_size(tx) if size is None else size
    before = size if before is None else min(before, size)
    if wanted == Wanted():
        return _list_fresh(tx, wanted, since=0, before=before, limit=limit)
    indexed = indexed_size(tx)
    if is_inside(wanted):
        rows = list_indexed(tx, wanted=wanted, size=size, before=min(before, indexed), limit=limit)
        return [
            Published(cast("int", row.leaf_index), row.public_id, row.kind, row.merchant, row.day, row.body)
            for row in rows
        ]
    found = _list_fresh(tx, wanted, since=indexed, before=before, limit=limit) if before > indexed else []
    if len(found) < limit:
        found += _list_indexed(tx, wanted, before=min(before, indexed), limit=limit - len(found))
    return found


def is_inside(wanted: Wanted) -> bool:
    """Whether something is asked for that an entry says inside: an offer, a post, an amount; or what came of it, or days without an end."""
    return (
        any((wanted.offer, wanted.post, wanted.state))
        or any(fen is not None for fen in (wanted.least_fen, wanted.most_fen))
        or (wanted.first is None) != (wanted.last is None)
    )


def _list_fresh(tx: Session, wanted: Wanted, *, since: int, before: int, limit: int) -> list[Published]:
    """The same out of the entries themselves, from place `since` on: each is looked at. What is not indexed yet is never much."""
    conditions = ["leaf_index >= :since", "leaf_index < :before"]
    values: dict[str, Any] = {"since": since, "before": before, "most": limit}
    for condition, name, value in (
        ("type = :kind", "kind", wanted.kind),
        ("merchant = :merchant", "merchant", wanted.merchant),
        ("day >= :first", "first", wanted.first),
        ("day <= :last", "last", wanted.last),
    ):
        if value is not None:
            conditions.append(condition)
            values[name] = value
    query = f"SELECT {_COLUMNS} FROM entry WHERE {' AND '.join(conditions)} ORDER BY leaf_index DESC LIMIT :most"  # noqa: S608  our own words; what a reader sends is bound
    return [Published(*row) for row in tx.execute(text(query), values)]


def _list_indexed(tx: Session, wanted: Wanted, *, before: int, limit: int) -> list[Published]:
    """The same of those below `before` that are indexed: an index leads to each run, whatever the filter leaves open."""
    values: dict[str, Any] = {"before": before, "most": limit}
    runs, conditions = [], []
    if wanted.first is not None and wanted.last is not None:
        runs.append("days")
        conditions.append("day = one_of_days")
        values["days"] = [wanted.first + timedelta(days=n) for n in range((wanted.last - wanted.first).days + 1)]
    if wanted.merchant is not None:
        conditions.append("merchant = :merchant")
        values["merchant"] = wanted.merchant
    if wanted.kind is not None or len(conditions) > 1:
        runs.append("kinds")
        conditions.append("type = one_of_kinds")
        values["kinds"] = [wanted.kind] if wanted.kind is not None else list_published_kinds(tx)
    return [Published(*row) for row in tx.execute(_find(tuple(runs), tuple(conditions)), values)]


def _find(runs: tuple[str, ...], conditions: tuple[str, ...]) -> TextClause:
    """The query for these conditions: one run of an index for each day and type, merged by place."""
    each = " CROSS JOIN ".join(("(SELECT) AS once", *(f"unnest(:{name}) AS one_of_{name}" for name in runs)))
    found = text(
        f"""
SELECT {_COLUMNS} FROM (
  SELECT run.leaf_index FROM {each} CROSS JOIN LATERAL (
    SELECT leaf_index FROM entry_index WHERE {" AND ".join(conditions)} AND leaf_index < :before ORDER BY leaf_index DESC LIMIT :most
  ) AS run ORDER BY run.leaf_index DESC LIMIT :most
) AS found JOIN entry ON entry.leaf_index = found.leaf_index ORDER BY entry.leaf_index DESC
"""  # noqa: S608  our own words; what a reader sends is bound
    )
    return found.bindparams(*(bindparam(name, type_=ARRAY(_RUNS[name])) for name in runs))


_KINDS = text(
    """
WITH RECURSIVE kinds AS (
  (SELECT type FROM entry_index ORDER BY type LIMIT 1)
  UNION ALL
  SELECT (SELECT type FROM entry_index WHERE type > kinds.type ORDER BY type LIMIT 1) FROM kinds WHERE kinds.type IS NOT NULL
) SELECT type FROM kinds WHERE type IS NOT NULL
UNION SELECT type FROM entry WHERE leaf_index >= :indexed AND leaf_index < :size ORDER BY type
"""
)


def list_published_kinds(tx: Session) -> list[str]:
    """The types of published entries, sorted; a step of an index for each."""
    return list(tx.execute(_KINDS, {"indexed": indexed_size(tx), "size": published_size(tx)}).scalars())


def find_published(tx: Session, *, public_id: str) -> Published | None:
    """One entry by its public id, or None while no signed checkpoint covers it."""
    found = tx.scalar(select(Entry).where(Entry.public_id == public_id))
    if found is None or found.leaf_index is None or found.leaf_index >= published_size(tx):
        return None
    return Published(found.leaf_index, found.public_id, found.type, found.merchant, found.day, found.body)


def covering_checkpoint(tx: Session) -> bytes | None:
    """The newest checkpoint all of whose entries can be searched, as the log signed it; None while there is none."""
    query = select(LogCheckpoint.note).where(LogCheckpoint.size <= indexed_size(tx)).order_by(LogCheckpoint.size.desc())
    note: bytes | None = tx.scalar(query.limit(1))
    return note


def list_published_returns(tx: Session, *, sale: str) -> Sequence[str]:
    """The public ids of the published voids and refunds of a sale (public id), in the order of the log."""
    query = (
        select(Reversal.public_id)
        .join(Sale, Sale.id == Reversal.sale_id)
        .join(Entry, Entry.id == Reversal.entry_id)
        .where(Sale.public_id == sale, Entry.leaf_index < published_size(tx))
        .order_by(Entry.leaf_index)
    )
    return tx.scalars(query).all()
