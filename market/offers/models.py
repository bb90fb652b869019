"""Offers and their immutable versions; the number of the compiled offer book that every process follows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base

STATES = ("draft", "submitted", "approved", "rejected", "ended")


class OfferVersion(Base):
    """One version of an offer. Terms, limits, title and hash never change (trigger); only its state moves forward.

    `terms` are the fields of the pricing document, `limits` how often and how much one person and all persons may use it,
    `merchants` those that must have admitted it because they bear a part.
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
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("entry.id"))


class BookNumber(Base):
    """One row: the number of the offer book. Raised by every approval and ending, in the same transaction."""

    __tablename__ = "offer_book_number"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
