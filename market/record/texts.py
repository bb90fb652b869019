"""Texts beside entries: what a thing in an entry is called, served with its salt and removable. The entry holds the hash of both for ever.

So nobody can call a merchant, an offer or a budget of the past otherwise without its being seen, and no text need stay.
"""

import base64
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from market.kit.canonical import canonical_json
from market.kit.clock import business_day
from market.kit.errors import NotFoundError
from market.record.entries import commit
from market.record.models import Entry, EntryText

SALT_BYTES: Final = 32


class TextUnknownError(NotFoundError):
    """There is no such published entry, or it holds no hash of a text."""

    code = "TEXT_UNKNOWN"
    zh = "这条记录旁边没有文字，或还没有公布，请核对编号。"
    en = "No text stands beside this entry, or it is not published yet; check the id."


class TextRemovedError(NotFoundError):
    """The text that stood beside an entry was taken away."""

    status = 410
    code = "TEXT_REMOVED"
    zh = "这段文字已于 {day} 移除，不再提供；它的指纹仍在记录里，原来存过的人还能核对。"
    en = "This text was removed on {day} and is served no more; its hash stays in the entry, where a copy kept before can be checked."


@dataclass(frozen=True, slots=True)
class NewText:
    """A text to stand beside an entry: canonical JSON, and the salt with which it is hashed."""

    salt: bytes
    document: bytes

    @property
    def commitment(self) -> str:
        """What the entry has as `text`: base64 of SHA-256(salt ‖ document)."""
        return commit(self.salt, self.document)


@dataclass(frozen=True, slots=True)
class KeptText:
    """A text beside an entry (public id). Without document and salt once it was removed, at `removed_at`."""

    public_id: str
    salt: bytes | None
    document: str | None
    removed_at: datetime | None


def make_text(said: Mapping[str, str]) -> NewText:
    """The text that says this, by names of fields (ASCII), under a salt of its own."""
    return NewText(secrets.token_bytes(SALT_BYTES), canonical_json(dict(said)))


def keep_texts(tx: Session, texts: Mapping[UUID, NewText]) -> None:
    """Store texts beside their entries, by the entries' row ids."""
    rows = [{"entry_id": id_, "salt": one.salt, "document": one.document.decode()} for id_, one in texts.items()]
    if rows:
        tx.execute(insert(EntryText), rows)


def find_texts(tx: Session, *, public_ids: Collection[str]) -> dict[str, KeptText]:
    """The texts beside these entries, by public id; of an entry that never had one there is none."""
    rows = tx.execute(_KEPT.where(Entry.public_id.in_(public_ids)))
    return {row.public_id: KeptText(*row) for row in rows}


def remove_text(tx: Session, *, public_id: str, removed_by: str, at: datetime) -> None:
    """Take the text and its salt away for good: the hash stays, and nobody can open it who has not kept both. Once only.

    Raises TextUnknownError, TextRemovedError.
    """
    kept = find_texts(tx, public_ids=[public_id]).get(public_id)
    if kept is None:
        raise TextUnknownError
    of_entry = EntryText.entry_id == select(Entry.id).where(Entry.public_id == public_id).scalar_subquery()
    removed = update(EntryText).where(of_entry, EntryText.removed_at.is_(None))
    taken = removed.values(salt=None, document=None, removed_by=removed_by, removed_at=at).returning(EntryText.entry_id)
    if tx.scalar(taken) is None:
        raise TextRemovedError(day=business_day(kept.removed_at or at).isoformat())


def list_removed(tx: Session) -> list[str]:
    """The public ids of all entries whose text was removed."""
    return list(tx.scalars(select(Entry.public_id).join(EntryText).where(EntryText.removed_at.is_not(None))))


def read_salt(kept: KeptText) -> str:
    """The salt in base64, as it is served; empty once it was removed."""
    return base64.b64encode(kept.salt or b"").decode()


_KEPT: Final = select(Entry.public_id, EntryText.salt, EntryText.document, EntryText.removed_at).join(
    EntryText, EntryText.entry_id == Entry.id
)
