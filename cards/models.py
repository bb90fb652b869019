"""Tables of the register and of the cards. Nothing here is published; to the market a person is a bare `subject`."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base

LEVELS = ("company", "plant", "workshop", "group")


class Unit(Base):
    """A node of the organisation tree, of any depth; `path` holds the codes from the top down to the unit itself."""

    __tablename__ = "unit"
    __table_args__ = (Index("ix_unit_path", "path", postgresql_using="gin"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"), index=True)
    path: Mapped[list[str]] = mapped_column(ARRAY(Text))


class Member(Base):
    """A person in the register. The national id is encrypted; its keyed fingerprint finds the same person twice.

    `subject` is the opaque id under which the market knows the person, whatever card he holds.
    """

    __tablename__ = "member"
    __table_args__ = (CheckConstraint("state IN ('active', 'retired', 'left')", name="state_known"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[UUID] = mapped_column(unique=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    staff_number: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    phone: Mapped[str] = mapped_column(Text)
    national_id_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    national_id_fingerprint: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    grade: Mapped[str] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str] = mapped_column(Text)
    joined_on: Mapped[date]


class PersonKey(Base):
    """The commitment key of a person, wrapped by the master key; deleting it is the erasure of his commitments."""

    __tablename__ = "person_key"
    __table_args__ = ({"schema": "vault"},)

    subject: Mapped[UUID] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)


class Card(Base):
    """A service card. `reference` stands in its QR; `number`, with two check digits, is printed and never reused."""

    __tablename__ = "card"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'frozen', 'lost', 'replaced')", name="state_known"),
        CheckConstraint("number ~ '^[0-9]{16}$'", name="number_format"),
        Index("uq_card_one_usable", "member_id", unique=True, postgresql_where=text("state <> 'replaced'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.id"), index=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    reference: Mapped[str] = mapped_column(Text, unique=True)
    generation: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(Text)
    issued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    valid_until: Mapped[date]


class CardCode(Base):
    """A typed code of 8 digits: 60 seconds, one live per card, used once; kept 3 hours, to explain a repeat."""

    __tablename__ = "card_code"
    __table_args__ = (
        CheckConstraint("code ~ '^[0-9]{8}$'", name="code_format"),
        CheckConstraint("visit_id IS NULL OR ended_at IS NOT NULL", name="used_is_ended"),
        Index("uq_card_code_one_live", "card_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.id"))
    issued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    visit_id: Mapped[UUID | None]


class Visit(Base):
    """A card shown at one shop: opened by a code, which it consumes, for 5 minutes. One sale comes of it at most.

    Of somebody erased it names no card any more.
    """

    __tablename__ = "visit"
    __table_args__ = (
        UniqueConstraint("card_id", "device", "step"),
        CheckConstraint("expires_at > opened_at", name="runs_forward"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    card_id: Mapped[UUID | None] = mapped_column(ForeignKey("card.id"))
    shop_id: Mapped[UUID]
    staff_id: Mapped[UUID]
    device: Mapped[str] = mapped_column(Text)
    step: Mapped[int] = mapped_column(BigInteger)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ImportRun(Base):
    """One import of a file of units or members: how many rows were read, added, changed, left and refused.

    `errors` holds the first refusals as `{row, column, problem, …}`, never a value of the row.
    """

    __tablename__ = "import_run"
    __table_args__ = (
        CheckConstraint("kind IN ('units', 'members')", name="kind_known"),
        CheckConstraint("rows_read = rows_added + rows_changed + rows_same + rows_refused", name="rows_add_up"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    file_name: Mapped[str] = mapped_column(Text)
    file_hash: Mapped[bytes] = mapped_column(LargeBinary)
    rows_read: Mapped[int]
    rows_added: Mapped[int]
    rows_changed: Mapped[int]
    rows_same: Mapped[int]
    rows_refused: Mapped[int]
    errors: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


ERASURE_STATES = ("waiting", "withdrawn", "declined", "done")


class Erasure(Base):
    """A request to delete a person: `waiting` until it is withdrawn, declined, or carried out by a second person (`done`).

    What was carried out names nobody: `subject` is opaque, `member_id` is gone, and of a member who asked for himself `asked_by` too.
    `entry_id` is the public entry that counts it. `restore`: carried out again because a restored backup was older.
    """

    __tablename__ = "erasure"
    __table_args__ = (
        CheckConstraint(f"state IN {ERASURE_STATES}", name="state_known"),
        CheckConstraint("asked_as IN ('member', 'officer', 'restore')", name="asked_as_known"),
        CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended_at_some_moment"),
        CheckConstraint("ended_by <> asked_by OR state = 'withdrawn'", name="two_persons"),
        CheckConstraint("state <> 'waiting' OR asked_by IS NOT NULL", name="somebody_asked"),
        CheckConstraint(
            "state <> 'done' OR (member_id IS NULL AND (ended_by IS NOT NULL OR asked_as = 'restore'))",
            name="done_names_nobody",
        ),
        CheckConstraint("state <> 'waiting' OR member_id IS NOT NULL", name="waiting_names_somebody"),
        CheckConstraint("entry_id IS NULL OR state = 'done'", name="done_is_counted"),
        Index("ix_erasure_subject", "subject"),
        Index("uq_erasure_one_waiting", "member_id", unique=True, postgresql_where=text("state = 'waiting'")),
        Index("uq_erasure_one_done", "subject", unique=True, postgresql_where=text("state = 'done'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[UUID]
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("member.id"))
    state: Mapped[str] = mapped_column(Text)
    asked_as: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[UUID | None]
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str] = mapped_column(Text, server_default="")
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("entry.id"))
