"""Oversight's own tables: what each run of the auditor found, dry runs, breakdowns, details exports. They change nothing that they watch."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, LargeBinary, SmallInteger, Text
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


NIGHT_STATES = ("running", "done", "interrupted")


class NightlyRun(Base):
    """One run of all audits of a night over books and log: when, over how much, and what it found. One that ended is never changed (trigger).

    `night` is the business day it began on. `size` entries of the log were checked up to `checkpoint`, none where nothing is published;
    a log of which not all is proved is checked as far as it is. `findings` holds the first ones (rule, subject, problem),
    `more` counts the rest.
    """

    __tablename__ = "nightly_run"
    __table_args__ = (
        CheckConstraint(f"state IN {NIGHT_STATES}", name="state_known"),
        CheckConstraint("(state = 'running') = (ended_at IS NULL)", name="ended_unless_running"),
        CheckConstraint(
            "num_nonnulls(rules, rows_seen, size) = CASE WHEN state = 'done' THEN 3 ELSE 0 END",
            name="figures_when_done",
        ),
        Index("ix_nightly_run_night", "night"),
        Index("uq_nightly_run_done", "night", unique=True, postgresql_where="state = 'done'"),
        Index("uq_nightly_run_running", "state", unique=True, postgresql_where="state = 'running'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    night: Mapped[date]
    state: Mapped[str] = mapped_column(Text)
    begun_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    rules: Mapped[int | None]
    rows_seen: Mapped[int | None] = mapped_column(BigInteger)
    size: Mapped[int | None] = mapped_column(BigInteger)
    checkpoint: Mapped[bytes | None] = mapped_column(LargeBinary)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    more: Mapped[int] = mapped_column(server_default="0")

    @property
    def findings_count(self) -> int:
        """How much was found, kept or not."""
        return len(self.findings) + self.more


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


class EntryIndex(Base):
    """What a placed entry says that it is looked for by: amounts in fen (None where it has none), and its post.

    Made from the entry's bytes after it got its place, never by whoever writes the entry. `back_leaf`, `whole_leaf` and `void_leaf` are
    the places of the return by which a sale was first returned in part, wholly, or voided: so its state is known for a log of any size.
    """

    __tablename__ = "entry_index"
    __table_args__ = (
        Index("ix_entry_index_type", "type", "leaf_index"),
        Index("ix_entry_index_merchant", "merchant", "leaf_index"),
        Index("ix_entry_index_day", "day", "leaf_index"),
        Index("ix_entry_index_merchant_type", "merchant", "type", "leaf_index"),
        Index("ix_entry_index_day_type", "day", "type", "leaf_index"),
        Index("ix_entry_index_merchant_day_type", "merchant", "day", "type", "leaf_index"),
        Index("ix_entry_index_returned", "leaf_index", postgresql_where="back_leaf IS NOT NULL"),
        Index("ix_entry_index_post", "post", "leaf_index", postgresql_where="post IS NOT NULL"),
        *(Index(f"ix_entry_index_{name}", name) for name in ("list_fen", "concession_fen", "subsidy_fen", "paid_fen")),
        *(
            Index(f"ix_entry_index_{name}", name, postgresql_where=f"{name} > 0")
            for name in ("rebate_member_fen", "rebate_union_fen")
        ),
    )

    leaf_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(Text)
    merchant: Mapped[str | None] = mapped_column(Text)
    day: Mapped[date]
    post: Mapped[str | None] = mapped_column(Text)
    list_fen: Mapped[int | None] = mapped_column(BigInteger)
    concession_fen: Mapped[int | None] = mapped_column(BigInteger)
    subsidy_fen: Mapped[int | None] = mapped_column(BigInteger)
    paid_fen: Mapped[int | None] = mapped_column(BigInteger)
    rebate_member_fen: Mapped[int | None] = mapped_column(BigInteger)
    rebate_union_fen: Mapped[int | None] = mapped_column(BigInteger)
    back_fen: Mapped[int] = mapped_column(BigInteger, server_default="0")
    back_leaf: Mapped[int | None] = mapped_column(BigInteger)
    whole_leaf: Mapped[int | None] = mapped_column(BigInteger)
    void_leaf: Mapped[int | None] = mapped_column(BigInteger)


class EntryOffer(Base):
    """An offer version that a placed entry publishes or names; an entry names one version of an offer."""

    __tablename__ = "entry_offer"

    offer: Mapped[str] = mapped_column(Text, primary_key=True)
    leaf_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)


class AccountMovement(Base):
    """One side of a transfer in a placed entry: what a public account was credited (debited: negative), and what it held then, in fen.

    `number` counts the sides within an entry. What stands in `balance_fen` is the sum up to this row, so a page needs no other.
    """

    __tablename__ = "account_movement"

    account: Mapped[str] = mapped_column(Text, primary_key=True)
    leaf_index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    other: Mapped[str] = mapped_column(Text)
    fen: Mapped[int] = mapped_column(BigInteger)
    balance_fen: Mapped[int] = mapped_column(BigInteger)


class PublicAccount(Base):
    """An account that some placed entry moved, the first one at place `first_leaf`; `kind` is the first part of its code."""

    __tablename__ = "public_account"
    __table_args__ = (Index("ix_public_account_kind", "kind", "account"),)

    account: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    first_leaf: Mapped[int] = mapped_column(BigInteger)


class _Figures:
    """What published purchases come to, in fen, returns taken off; whoever counts adds to them, once for each entry.

    `sold_count` are purchases, `voided_count` those of them that were voided by themselves. Of `paid_fen`, `paid_provider_fen` was confirmed by
    a provider and `paid_declared_fen` is the shop's word; batches do not say which. `given_fen` is what merchants gave in purchases
    (concessions and rebates, nothing taken off), `other_fen` of it under offers that batches do not name.
    """

    sold_count: Mapped[int] = mapped_column(BigInteger)
    voided_count: Mapped[int] = mapped_column(BigInteger)
    list_fen: Mapped[int] = mapped_column(BigInteger)
    concession_fen: Mapped[int] = mapped_column(BigInteger)
    subsidy_fen: Mapped[int] = mapped_column(BigInteger)
    paid_fen: Mapped[int] = mapped_column(BigInteger)
    rebate_member_fen: Mapped[int] = mapped_column(BigInteger)
    rebate_union_fen: Mapped[int] = mapped_column(BigInteger)
    paid_declared_fen: Mapped[int] = mapped_column(BigInteger)
    paid_provider_fen: Mapped[int] = mapped_column(BigInteger)
    given_fen: Mapped[int] = mapped_column(BigInteger)
    other_fen: Mapped[int] = mapped_column(BigInteger)


class DayTotal(_Figures, Base):
    """A day of all merchants together: what the counted entries of that `day` come to."""

    __tablename__ = "day_total"

    day: Mapped[date] = mapped_column(primary_key=True)


class MonthTotal(_Figures, Base):
    """A month (by its first day) of one merchant (by code)."""

    __tablename__ = "month_total"
    __table_args__ = (Index("ix_month_total_merchant", "merchant", "month"),)

    month: Mapped[date] = mapped_column(primary_key=True)
    merchant: Mapped[str] = mapped_column(Text, primary_key=True)


class OfferTotal(Base):
    """What merchants bore under one version of an offer in a month (by its first day), in fen.

    `sales_count` purchases published by themselves name it, and `batches_count` batches, which do not say how many of theirs used it.
    """

    __tablename__ = "offer_total"

    month: Mapped[date] = mapped_column(primary_key=True)
    offer: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sales_count: Mapped[int] = mapped_column(BigInteger)
    batches_count: Mapped[int] = mapped_column(BigInteger)
    borne_fen: Mapped[int] = mapped_column(BigInteger)


class TotalState(Base):
    """One row, or none before the first: so many entries from the log's beginning are in the totals. It is emptied with them."""

    __tablename__ = "total_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)


DETAILS_STATES = ("waiting", "withdrawn", "refused", "approved", "ready", "expired")
DETAILS_REASONS = ("complaint", "finding", "sample", "authority", "other")


class DetailsRequest(Base):
    """An auditor asks to open baskets and facts: of which sales, why, for which key of his; what another person decided; the file.

    The sales are those of `merchant` (None: of all) from `first_on` to `last_on` (both inclusive) among the log's first `size` entries;
    `batched_count` of them stand there in batches. None: it was asked before those were opened, and holds none of them.
    `entry_id` is the public entry of the approval, which commits to the request under `salt`. A trigger lets a request only move forward.
    """

    __tablename__ = "details_request"
    __table_args__ = (
        CheckConstraint(f"state IN {DETAILS_STATES}", name="state_known"),
        CheckConstraint(f"reason IN {DETAILS_REASONS}", name="reason_known"),
        CheckConstraint("words <> ''", name="reason_in_words"),
        CheckConstraint("last_on >= first_on", name="days_run_forward"),
        CheckConstraint("sales_count > 0 AND size > 0", name="something_asked"),
        CheckConstraint("batched_count BETWEEN 0 AND sales_count", name="batched_within"),
        CheckConstraint("octet_length(salt) = 32", name="salt_size"),
        CheckConstraint("decided_by <> asked_by", name="two_persons"),
        CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided_at_some_moment"),
        CheckConstraint(
            "(state IN ('refused', 'approved', 'ready', 'expired')) = (decided_by IS NOT NULL)",
            name="decided_by_somebody",
        ),
        CheckConstraint(
            "(state IN ('approved', 'ready', 'expired')) = (entry_id IS NOT NULL)", name="approved_in_public"
        ),
        CheckConstraint("(state = 'refused') = (answer <> '')", name="refused_with_a_reason"),
        CheckConstraint(
            "num_nonnulls(ready_at, expires_at, bytes_count, sha256, erased_count)"
            " = CASE WHEN state IN ('ready', 'expired') THEN 5 ELSE 0 END",
            name="file_when_ready",
        ),
        Index("ix_details_request_asked_at", "asked_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    asked_by: Mapped[UUID]
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    merchant: Mapped[str | None] = mapped_column(Text)
    first_on: Mapped[date]
    last_on: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int] = mapped_column(BigInteger)
    sales_count: Mapped[int]
    batched_count: Mapped[int | None]
    state: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answer: Mapped[str] = mapped_column(Text, server_default="")
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("entry.id"), unique=True)
    ready_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    bytes_count: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    erased_count: Mapped[int | None]


class DetailsPart(Base):
    """A piece of the sealed file, in its order; deleted when the file expires."""

    __tablename__ = "details_part"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("details_request.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class DetailsDownload(Base):
    """Somebody fetched the file; written once, before its first byte goes out."""

    __tablename__ = "details_download"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("details_request.id"), index=True)
    by: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
