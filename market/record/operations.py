"""Appending to the public record. An entry is written once, as the bytes that are hashed and served."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from market.kit.canonical import canonical_json
from market.kit.clock import business_day
from market.kit.ids import new_id, new_public_id
from market.record.models import Entry
from market.record.texts import keep_texts, make_text

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


def publish_event(
    tx: Session,
    *,
    kind: str,
    fields: Mapping[str, object],
    at: datetime,
    merchant: str | None = None,
    day: date | None = None,
    text: Mapping[str, str] | None = None,
) -> UUID:
    """Append the entry of an event that has no amounts of a purchase; `fields` are codes and integers. Formats: docs/record.md.

    `day` is the day the event counts for, without it that of `at`. What `text` says stands beside the entry, which holds its hash.
    """
    public_id, day = new_public_id(), day or business_day(at)
    head = {"v": 1, "type": kind, "id": public_id, "day": day.isoformat()}
    beside = None if text is None else make_text(text)
    hashed = {} if beside is None else {"text": beside.commitment}
    body = canonical_json({**fields, **hashed, **head})
    entry_id = append_entry(tx, kind=kind, public_id=public_id, merchant=merchant, day=day, body=body, at=at)
    if beside is not None:
        keep_texts(tx, {entry_id: beside})
    return entry_id
