"""Offers and their immutable versions, the merchants' signatures, drafts; the number of the offer book that every process follows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base

STATES = ("submitted", "approved", "rejected", "withdrawn", "ended")
WAYS = ("owner", "declared", "carried")


class OfferVersion(Base):
    """One version of an offer. Terms, limits, title and hash never change (trigger); only its state moves forward.

    `terms` are the fields of the pricing document, `limits` how often and how much one person and all persons may use it,
    `merchants` those that bear a part, so that each must sign (trigger). `note` says in words why there is this version; it is public.
    An approved version is in force from `started_at` on, and inside its window: it starts when a signed checkpoint covers its entry.
    `audience_salt` is that of the commitment which the public entry has in place of the audience; None where it names it, or there is none.
    `closed_*` say who rejected or withdrew it, and why.
    """

    __tablename__ = "offer_version"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state_known"),
        CheckConstraint("approved_by IS NULL OR approved_by <> proposed_by", name="two_persons"),
        CheckConstraint("(state IN ('approved', 'ended')) = (approved_by IS NOT NULL)", name="approved_by_someone"),
        CheckConstraint(
            "live_until IS NULL OR live_from IS NULL OR live_until > live_from", name="window_runs_forward"
        ),
        CheckConstraint("length(terms_hash) = 32", name="hash_size"),
        CheckConstraint("audience_salt IS NULL OR length(audience_salt) = 32", name="salt_size"),
        Index(
            "ix_offer_version_unstarted", "entry_id", postgresql_where=text("state = 'approved' AND started_at IS NULL")
        ),
        Index("ix_offer_version_state_live", "state", "live_until"),
    )

    offer: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    title_en: Mapped[str] = mapped_column(Text)
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    limits: Mapped[dict[str, Any]] = mapped_column(JSONB)
    merchants: Mapped[list[str]] = mapped_column(ARRAY(Text))
    terms_hash: Mapped[bytes] = mapped_column(LargeBinary)
    live_from: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    live_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    approved_by: Mapped[UUID | None]
    approved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("entry.id"))
    audience_salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    note: Mapped[str] = mapped_column(Text, server_default="")
    closed_by: Mapped[UUID | None]
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_reason: Mapped[str] = mapped_column(Text, server_default="")


class OfferSignature(Base):
    """What a merchant says to one version in which it bears a part: signed or refused, once, to these very terms; append-only by trigger.

    `way` is `owner` when `by` is the merchant's owner, `declared` when a load of many offers records an agreement on paper, `carried`
    when the version only ends earlier than one that the merchant signed.
    """

    __tablename__ = "offer_signature"
    __table_args__ = (
        ForeignKeyConstraint(["offer", "version"], ["offer_version.offer", "offer_version.version"]),
        CheckConstraint("length(terms_hash) = 32", name="hash_size"),
        CheckConstraint(f"way IN {WAYS}", name="way_known"),
        CheckConstraint("is_signed OR (way = 'owner' AND length(reason) > 0)", name="refused_with_reason"),
    )

    offer: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    merchant: Mapped[str] = mapped_column(Text, primary_key=True)
    terms_hash: Mapped[bytes] = mapped_column(LargeBinary)
    is_signed: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text, server_default="")
    way: Mapped[str] = mapped_column(Text)
    by: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class OfferConsent(Base):
    """What a person said last to an offer that asks, whatever its version: it may be used for him, or it may not; and when.

    `subject` is opaque. What was agreed to at a sale stands in the sale's facts, so nothing of the past hangs on this row.
    """

    __tablename__ = "offer_consent"

    subject: Mapped[UUID] = mapped_column(primary_key=True)
    offer: Mapped[str] = mapped_column(Text, primary_key=True)
    is_given: Mapped[bool]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class OfferDraft(Base):
    """An offer that somebody is writing: the form as typed, complete or not. It becomes a version when it is submitted."""

    __tablename__ = "offer_draft"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    offer: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    form: Mapped[dict[str, Any]] = mapped_column(JSONB)
    written_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    discarded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class BookNumber(Base):
    """One row: the number of the offer book. Raised by every approval and ending, in the same transaction."""

    __tablename__ = "offer_book_number"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
