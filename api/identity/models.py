"""Tables of accounts, roles, sessions, throttle counters, looks at members, and the one row that says demo or real."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base

ROLES = ("member", "assistant", "owner", "officer", "auditor")


class Account(Base):
    """A sign-in. `person` is the same for all accounts of one human being, so that 'a second person' can be told."""

    __tablename__ = "account"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str | None] = mapped_column(Text)
    person: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    disabled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AccountRole(Base):
    """A role of an account and where it holds: a member, a staff row (assistant, owner), a unit (officer), or everywhere (auditor)."""

    __tablename__ = "account_role"
    __table_args__ = (
        CheckConstraint(f"role IN {ROLES}", name="role_known"),
        CheckConstraint(
            "(role = 'member') = (member_id IS NOT NULL) AND (role IN ('assistant', 'owner')) = (staff_id IS NOT NULL)"
            " AND (role = 'officer') = (unit_id IS NOT NULL)",
            name="role_scope",
        ),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    role: Mapped[str] = mapped_column(Text, primary_key=True)
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("member.id"))
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))


class SignInSession(Base):
    """A signed-in browser or till. Only a hash of its id is stored; it ends by revocation, idleness or age."""

    __tablename__ = "sign_in_session"

    id_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    csrf: Mapped[bytes] = mapped_column(LargeBinary)
    agent: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    idle_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Throttle(Base):
    """How often something was tried in the running window; in a table, because there is more than one process."""

    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    window_started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    tries: Mapped[int]


LOOK_REASONS = ("asked", "card", "complaint", "register", "other")


class Look(Base):
    """An officer or auditor saw a named member's record: what he saw (`kind`) and why; the member sees his post and unit, not his name.

    Looks of the same person at the same thing within minutes are one row, counted up. A trigger lets nothing else change, and keeps
    each for three years, or until the member is erased.
    """

    __tablename__ = "look"
    __table_args__ = (
        CheckConstraint("post IN ('officer', 'auditor')", name="post_known"),
        CheckConstraint("(post = 'officer') = (unit_id IS NOT NULL)", name="officer_has_unit"),
        CheckConstraint(f"reason IN {LOOK_REASONS}", name="reason_known"),
        CheckConstraint("times > 0 AND last_at >= first_at", name="runs_forward"),
        Index("ix_look_member_last_at", "member_id", "last_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person: Mapped[UUID]
    post: Mapped[str] = mapped_column(Text)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    first_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    times: Mapped[int]


class Installation(Base):
    """One row, written once when the database is created: `demo` or `real`."""

    __tablename__ = "installation"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint("kind IN ('demo', 'real')", name="kind_known"),
    )

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
