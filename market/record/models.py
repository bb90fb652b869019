"""The tables of public entries and of how each merchant's purchases are published.

Sequencing (leaf indexes, tiles, checkpoints) comes on top of entries and changes nothing but `leaf_index`; batching nothing but the batch.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    false,
    literal,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base
from market.record.policy import RANK_OF_TYPE, WINDOWED


class Entry(Base):
    """One entry. `body` is the canonical JSON that is hashed; a trigger refuses every change but the first `leaf_index` or the first batch.

    Giving a place writes into every whole index and is what sequencing costs (decision 0022): published entries are looked for in
    `entry_index`, and by their type only those that are no purchases.

    A purchase of a batched merchant (`is_batched`) never has a place of its own: it stands at `batch_index` below the root that the
    public entry `batch_id` says, and in no other.
    """

    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint("octet_length(body) BETWEEN 2 AND 65535", name="body_size"),
        CheckConstraint(
            "NOT is_batched OR (leaf_index IS NULL AND type IN ('sale', 'void', 'refund'))", name="batched_unplaced"
        ),
        CheckConstraint(
            "num_nulls(batch_id, batch_index) <> 1 AND (batch_id IS NULL OR is_batched)", name="batch_whole"
        ),
        Index("uq_entry_leaf_index", "leaf_index", unique=True, postgresql_where="leaf_index IS NOT NULL"),
        Index(
            "ix_entry_unsequenced",
            text(f"({RANK_OF_TYPE})"),
            "id",
            postgresql_where="leaf_index IS NULL AND NOT is_batched",
        ),
        Index("ix_entry_unbatched", "day", "merchant", postgresql_where="is_batched AND batch_id IS NULL"),
        Index("ix_entry_unbatched_id", "id", postgresql_where="is_batched AND batch_id IS NULL"),
        Index("uq_entry_batch", "batch_id", "batch_index", unique=True, postgresql_where="batch_id IS NOT NULL"),
        Index("ix_entry_type_id", "type", "id", postgresql_where=f"type NOT IN {WINDOWED}"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(Text, unique=True)
    type: Mapped[str] = mapped_column(Text)
    merchant: Mapped[str | None] = mapped_column(Text)
    day: Mapped[date]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_index: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    is_batched: Mapped[bool] = mapped_column(server_default=false())
    batch_id: Mapped[UUID | None] = mapped_column(ForeignKey("entry.id"))
    batch_index: Mapped[int | None]


def of_type(kind: str) -> ColumnElement[bool]:
    """Entries of one type that is no purchase's, with the type spelt out: planned for any type at all a statement cannot use its index."""
    return Entry.type == literal(kind, literal_execute=True)


class EntryText(Base):
    """The text beside an entry that holds the hash of salt and text (`market.record.texts`).

    A trigger refuses every change but that both are taken away, once; who did it and when stays.
    """

    __tablename__ = "entry_text"
    __table_args__ = (
        CheckConstraint("octet_length(salt) = 32", name="salt_size"),
        CheckConstraint("num_nulls(salt, document) IN (0, 2)", name="text_whole"),
        CheckConstraint("num_nulls(removed_at, removed_by) IN (0, 2)", name="removal_whole"),
        CheckConstraint("(document IS NULL) = (removed_at IS NOT NULL)", name="kept_or_removed"),
    )

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("entry.id"), primary_key=True)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    document: Mapped[str | None] = mapped_column(Text)
    removed_by: Mapped[str | None] = mapped_column(Text)
    removed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class MerchantPublication(Base):
    """How the purchases of a merchant (by code) are published from a day on; of all whose day has come the last one written holds.

    `reason` is why, `by` the officer who chose it or took his choice back, None where a rule decided.
    """

    __tablename__ = "merchant_publication"
    __table_args__ = (
        CheckConstraint("publication IN ('row', 'batched')", name="publication_known"),
        CheckConstraint("reason IN ('new', 'stated', 'sales', 'few', 'sensitive', 'chosen')", name="reason_known"),
        CheckConstraint(
            "publication = CASE WHEN reason = 'sales' THEN 'row' WHEN reason = 'stated' THEN publication ELSE 'batched' END",
            name="reason_fits",
        ),
        CheckConstraint("reason <> 'chosen' OR by IS NOT NULL", name="chosen_by_somebody"),
        Index("ix_merchant_publication_newest", "merchant", text("id DESC")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant: Mapped[str] = mapped_column(Text)
    from_on: Mapped[date]
    publication: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    by: Mapped[UUID | None]
    decided_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PublicationReview(Base):
    """The months for which it has been decided how purchases are published, by their first day: each once."""

    __tablename__ = "publication_review"

    from_on: Mapped[date] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
