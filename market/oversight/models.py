"""Oversight's own tables: what each run of the auditor found, dry runs, published breakdowns. They change nothing that they watch."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base


class VerifyRun(Base):
    """One run of `huigong verify`: how many rules over how many rows, and every finding (rule, subject, problem); written once."""

    __tablename__ = "verify_run"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    rules: Mapped[int]
    rows_seen: Mapped[int]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class Breakdown(Base):
    """A published table: a closed month (YYYY-MM) by one attribute of the members who bought; written once (trigger).

    `groups` holds what each group is made of, and its sums; empty where too few bought for any. No person stands in it.
    """

    __tablename__ = "breakdown"
    __table_args__ = (
        CheckConstraint("month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name="month_format"),
        CheckConstraint("attribute IN ('unit', 'retired', 'age')", name="attribute_known"),
        CheckConstraint("k >= 5", name="k_large_enough"),
        CheckConstraint(
            "NOT jsonb_path_exists(groups, '$[*].members ? (@ < $k)', jsonb_build_object('k', k))", name="groups_of_k"
        ),
    )

    month: Mapped[str] = mapped_column(Text, primary_key=True)
    attribute: Mapped[str] = mapped_column(Text, primary_key=True)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    k: Mapped[int]
    groups: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


DRY_RUN_STATES = ("waiting", "running", "done", "cancelled", "interrupted", "failed")


class DryRun(Base):
    """A draft tried on the sales from `first_on` until `beyond_on` (half-open), and what came of it; kept when it is over.

    `document` holds the terms and limits that were tried; `offer` and `version` name the stored version if it is one. `budget_fen` is
    what the draft's purses were given. `done_count` of `whole_count` sales are through.
    """

    __tablename__ = "dry_run"
    __table_args__ = (
        CheckConstraint(f"state IN {DRY_RUN_STATES}", name="state_known"),
        CheckConstraint("beyond_on > first_on", name="days_run_forward"),
        CheckConstraint("(state = 'done') = (result IS NOT NULL)", name="result_when_done"),
        Index("ix_dry_run_asked_at", "asked_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    offer: Mapped[str] = mapped_column(Text)
    version: Mapped[int | None]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    budget_fen: Mapped[int | None] = mapped_column(BigInteger)
    first_on: Mapped[date]
    beyond_on: Mapped[date]
    state: Mapped[str] = mapped_column(Text)
    done_count: Mapped[int]
    whole_count: Mapped[int]
    asked_by: Mapped[UUID]
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
