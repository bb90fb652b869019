"""Appending to the public record. An entry is written once, as the bytes that are hashed and served."""

from datetime import date, datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from market.kit.ids import new_id
from market.record.models import Entry

_APPEND = insert(cast("Table", Entry.__table__))  # Core: no unit of work on the hot path


def append_entry(
    tx: Session, *, kind: str, public_id: str, merchant: str | None, day: date, body: bytes, at: datetime
) -> UUID:
    """Store an entry and answer its row id; its place in the log is given later, off the hot path."""
    id_ = new_id()
    tx.connection().execute(
        _APPEND,
        {
            "id": id_,
            "public_id": public_id,
            "type": kind,
            "merchant": merchant,
            "day": day,
            "body": body,
            "created_at": at,
        },
    )
    return id_
