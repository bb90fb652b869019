"""Offers that somebody is still writing: the form as typed, kept until it is submitted as a version. Only its writer changes it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from market.kit.errors import ForbiddenError, NotFoundError
from market.kit.ids import new_id
from market.offers.models import OfferDraft

Form = Mapping[str, Sequence[str]]


class DraftUnknownError(NotFoundError):
    """There is no such draft, or it was submitted."""

    code = "DRAFT_UNKNOWN"
    zh = "没有这份草稿，可能已经提交。请到优惠列表里看。"
    en = "There is no such draft; it may have been submitted. Look in the list of offers."


class DraftNotYoursError(ForbiddenError):
    """Somebody else writes it."""

    code = "DRAFT_NOT_YOURS"
    zh = "这份草稿是另一位干部写的，请复制一份再改。"
    en = "Another officer writes this draft; make a copy to change it."


def start_draft(tx: Session, *, form: Form, written_by: UUID, at: datetime) -> UUID:
    """Begin a draft with these fields and answer its id."""
    id_ = new_id()
    tx.execute(insert(OfferDraft).values(id=id_, written_by=written_by, created_at=at, changed_at=at, **_columns(form)))
    return id_


def save_draft(tx: Session, *, draft: UUID, form: Form, by: UUID, at: datetime) -> None:
    """Keep what is typed now. Raises DraftUnknownError, DraftNotYoursError."""
    get_own_draft(tx, draft=draft, by=by)
    tx.execute(update(OfferDraft).where(OfferDraft.id == draft).values(changed_at=at, **_columns(form)))


def get_own_draft(tx: Session, *, draft: UUID, by: UUID) -> OfferDraft:
    """A draft for its writer. Raises DraftUnknownError, DraftNotYoursError."""
    row = tx.get(OfferDraft, draft)
    if row is None:
        raise DraftUnknownError
    if row.written_by != by:
        raise DraftNotYoursError
    return row


def discard_draft(tx: Session, *, draft: UUID, by: UUID, at: datetime) -> None:
    """Put a draft away; `restore_draft` brings it back. Raises DraftUnknownError, DraftNotYoursError."""
    get_own_draft(tx, draft=draft, by=by)
    tx.execute(update(OfferDraft).where(OfferDraft.id == draft).values(discarded_at=at))


def restore_draft(tx: Session, *, draft: UUID, by: UUID) -> None:
    """Bring a discarded draft back. Raises DraftUnknownError, DraftNotYoursError."""
    get_own_draft(tx, draft=draft, by=by)
    tx.execute(update(OfferDraft).where(OfferDraft.id == draft).values(discarded_at=None))


def take_draft(tx: Session, *, draft: UUID, by: UUID) -> None:
    """Remove a draft that is being submitted: of two at once only one finds it. Raises DraftUnknownError, DraftNotYoursError."""
    get_own_draft(tx, draft=draft, by=by)
    if tx.scalar(delete(OfferDraft).where(OfferDraft.id == draft).returning(OfferDraft.id)) is None:
        raise DraftUnknownError


def list_drafts(tx: Session, *, discarded: bool, limit: int) -> list[OfferDraft]:
    """Drafts, or discarded ones, last changed first."""
    wanted = OfferDraft.discarded_at.is_not(None) if discarded else OfferDraft.discarded_at.is_(None)
    return list(tx.scalars(select(OfferDraft).where(wanted).order_by(OfferDraft.changed_at.desc()).limit(limit)))


def _columns(form: Form) -> dict[str, object]:
    kept = {name: list(values) for name, values in form.items() if any(values)}
    return {"form": kept, "offer": _first(form, "id"), "title": _first(form, "title")}


def _first(form: Form, name: str) -> str:
    return next(iter(form.get(name, ())), "").strip()
