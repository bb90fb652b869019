"""Tables of the ledger. An account is a code whose first part is its kind (`budget:b_12`); there is no row to keep in step with it."""

from datetime import date, datetime
from typing import Literal, TypeAlias
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base

ProposalState: TypeAlias = Literal["waiting", "approved", "refused", "withdrawn"]
ACCOUNT_PATTERN = (
    "^(union:fund|rebates:union|bank|(budget|payable|receivable|allowance|reserved|rebates):[A-Za-z0-9_:.-]{1,120})$"
)


class Transfer(Base):
    """One movement of union money or of a debt, from the debit account to the credit account; append-only by trigger.

    `event_id` is the sale, reversal or grant it belongs to; `reverses_id` refers back to the event that it undoes.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("debit <> credit", name="accounts_differ"),
        CheckConstraint(f"debit ~ '{ACCOUNT_PATTERN}'", name="debit_known"),
        CheckConstraint(f"credit ~ '{ACCOUNT_PATTERN}'", name="credit_known"),
        Index("ix_transfer_debit_day", "debit", "day"),
        Index("ix_transfer_credit_day", "credit", "day"),
        Index("ix_transfer_day", "day", postgresql_using="brin"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(Text)
    event_id: Mapped[UUID] = mapped_column(index=True)
    reverses_id: Mapped[UUID | None]
    debit: Mapped[str] = mapped_column(Text)
    credit: Mapped[str] = mapped_column(Text)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    day: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Balance(Base):
    """What is left of a budget, an allowance, a quota or a stock; a hot one is split in slots whose sum counts.

    Changed only by the database function `ledger_post`, which refuses to go below zero.
    """

    __tablename__ = "balance"
    __table_args__ = (CheckConstraint("left_over >= 0", name="never_below_zero"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    unit: Mapped[str] = mapped_column(Text)
    left_over: Mapped[int] = mapped_column(BigInteger)


class Budget(Base):
    """A purpose for which a union level has set money aside; its purse is the balance `budget:<code>`."""

    __tablename__ = "budget"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    sponsor: Mapped[str] = mapped_column(Text)
    slots: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Grant(Base):
    """Money granted to a budget: proposed by one person, approved by another."""

    __tablename__ = "budget_grant"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("approved_by <> proposed_by", name="two_persons"),
        UniqueConstraint("key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text)
    budget: Mapped[str] = mapped_column(Text, index=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    proposed_by: Mapped[UUID]
    approved_by: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class BudgetProposal(Base):
    """Money that one person asks for a budget and another decides on; one with a title asks for a new budget too.

    `state` is `waiting` until it is approved, refused (with a reason) or withdrawn, once, by trigger. What was approved is the grant
    whose key is `proposal/<id>`. `sponsor` is the union level that bears a new budget.
    """

    __tablename__ = "budget_proposal"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'approved', 'refused', 'withdrawn')", name="state_known"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("(title IS NULL) = (sponsor IS NULL)", name="new_names_its_sponsor"),
        CheckConstraint("(state = 'waiting') = (decided_by IS NULL)", name="decided_by_somebody"),
        CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided_at_some_moment"),
        CheckConstraint("(decided_by = proposed_by) = (state = 'withdrawn')", name="two_persons"),
        CheckConstraint("(reason <> '') = (state = 'refused')", name="refused_with_a_reason"),
        Index(
            "uq_budget_proposal_one_new",
            "budget",
            unique=True,
            postgresql_where=text("state = 'waiting' AND title IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    budget: Mapped[str] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    sponsor: Mapped[str | None] = mapped_column(Text)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[ProposalState] = mapped_column(Text)
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str] = mapped_column(Text, server_default="")
