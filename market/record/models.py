"""The table of public entries. Sequencing (leaf indexes, tiles, checkpoints) comes on top of it and changes nothing but `leaf_index`."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base

# By these published entries are found, in the order of the log; one without a place stands in none of them.
_PUBLISHED = {
    "ix_entry_type_leaf": ("type", "leaf_index"),
    "ix_entry_merchant_type_leaf": ("merchant", "type", "leaf_index"),
    "ix_entry_day_type_leaf": ("day", "type", "leaf_index"),
    "ix_entry_merchant_day_type_leaf": ("merchant", "day", "type", "leaf_index"),
}


class Entry(Base):
    """One public entry. `body` is the canonical JSON that is hashed and served; a trigger refuses every change but the first `leaf_index`."""

    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint("octet_length(body) BETWEEN 2 AND 65535", name="body_size"),
        Index("ix_entry_unsequenced", "id", postgresql_where="leaf_index IS NULL"),
        Index("ix_entry_type_id", "type", "id"),
        *(Index(name, *columns, postgresql_where="leaf_index IS NOT NULL") for name, columns in _PUBLISHED.items()),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(Text, unique=True)
    type: Mapped[str] = mapped_column(Text)
    merchant: Mapped[str | None] = mapped_column(Text)
    day: Mapped[date]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    leaf_index: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
