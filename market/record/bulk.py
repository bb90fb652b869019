"""Many entries at once, for loads of whole catalogues of offers. The same rows as `append_entry` writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from market.kit.ids import new_id
from market.record.models import Entry


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to append; `body` is its canonical JSON."""

    kind: str
    public_id: str
    merchant: str | None
    day: date
    body: bytes


def append_entries(tx: Session, *, entries: Sequence[NewEntry], at: datetime) -> list[UUID]:
    """Store entries in their order and answer their row ids."""
    ids = [new_id() for _ in entries]
    rows = [
        {
            "id": id_,
            "public_id": entry.public_id,
            "type": entry.kind,
            "merchant": entry.merchant,
            "day": entry.day,
            "body": entry.body,
            "created_at": at,
        }
        for id_, entry in zip(ids, entries, strict=True)
    ]
    if rows:
        tx.execute(insert(Entry), rows)
    return ids
