"""The tables of the log. Entries themselves stay in `entry`; here is what is hashed and signed over them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, LargeBinary, SmallInteger, Text, false
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base


class LogState(Base):
    """One row: how many entries have a place. Whoever gives places or signs holds its lock.

    `batched_before` is the day before which every batch that was due is made: on that day, and no other, nothing more is looked for.
    """

    __tablename__ = "log_state"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("size >= 0", name="size_not_negative"),
    )

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    batched_before: Mapped[date | None]


class LogTile(Base):
    """The hashes of a tile so far; of a partial tile more come behind them. A narrower tile of the same place is its beginning."""

    __tablename__ = "log_tile"
    __table_args__ = (
        CheckConstraint(
            "octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0", name="whole_hashes"
        ),
        CheckConstraint("level BETWEEN 0 AND 63 AND index >= 0", name="place"),
    )

    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary)


class LogCheckpoint(Base):
    """A signed checkpoint; `note` is served as it is. One for each size, never changed."""

    __tablename__ = "log_checkpoint"
    __table_args__ = (
        CheckConstraint("size > 0", name="size_positive"),
        CheckConstraint("octet_length(root) = 32", name="root_is_a_hash"),
    )

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[bytes] = mapped_column(LargeBinary)
    signed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class LogStanding(Base):
    """One row: how the sequencer fares. `tried_at` is its last round, `done_at` the last one that went well.

    While it refuses, `code` and `facts` are those of its last refusal, and `refused_since` when the first one was.
    """

    __tablename__ = "log_standing"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("num_nulls(refused_since, code, facts) IN (0, 3)", name="refusal_whole"),
    )

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    tried_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    refused_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    code: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class LogCosignature(Base):
    """What a witness signed of a checkpoint: its signature line."""

    __tablename__ = "log_cosignature"

    size: Mapped[int] = mapped_column(ForeignKey("log_checkpoint.size"), primary_key=True, autoincrement=False)
    witness: Mapped[str] = mapped_column(Text, primary_key=True)
    line: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ClosedBalance(Base):
    """What a public account held at the end of the last closed day on which it moved: credits less debits, in fen.

    `is_held`: it moved since it was last said, and is said again when no batch that is still to come would show in it.
    """

    __tablename__ = "closed_balance"

    account: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date]
    fen: Mapped[int] = mapped_column(BigInteger)
    is_held: Mapped[bool] = mapped_column(server_default=false())


class UnmadeEntry(Base):
    """An entry that the log makes of itself and that could not be made so far: of which type, about what, why, and how often it was tried."""

    __tablename__ = "unmade_entry"
    __table_args__ = (CheckConstraint("times > 0", name="tried"),)

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    problem: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    tried_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    times: Mapped[int]
