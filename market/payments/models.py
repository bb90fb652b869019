"""Tables of payments: what is to be paid to whom, what went back, and every event the provider ever sent."""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base

PaymentState: TypeAlias = Literal["created", "open", "paid", "cancelled", "failed", "refunded_part", "refunded"]
RefundState: TypeAlias = Literal["asked", "pending", "done", "failed"]
EventOutcome: TypeAlias = Literal["applied", "unchanged", "mismatch", "foreign", "ignored"]

WAITING = ("created", "open")  # the provider may still tell us something about it
REPEATS = "repeats:"  # begins the key of a refund that is asked for once more, before the id of the one that failed
PAID = ("paid", "refunded_part", "refunded")  # the money arrived, whatever went back since


class Payment(Base):
    """One attempt to have a purpose paid to a merchant's own account at the provider; amounts in fen.

    `created` until the provider has a checkout for it, then `open`. It ends `paid`, `cancelled` (by us) or `failed` (by the
    provider: expired or declined for good). Money is a fact: a cancelled or failed one still becomes `paid` when the
    provider says so, and the room above then sends the money back. `asked_back_fen` counts refunds that have not failed,
    `refunded_fen` those that the provider carried out.
    """

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("currency = 'cny'", name="currency_known"),
        CheckConstraint(
            "state IN ('created', 'open', 'paid', 'cancelled', 'failed', 'refunded_part', 'refunded')",
            name="state_known",
        ),
        CheckConstraint(
            "0 <= refunded_fen AND refunded_fen <= asked_back_fen AND asked_back_fen <= amount_fen",
            name="never_more_back_than_paid",
        ),
        CheckConstraint(
            "CASE state WHEN 'refunded' THEN refunded_fen = amount_fen"
            " WHEN 'refunded_part' THEN refunded_fen > 0 AND refunded_fen < amount_fen ELSE refunded_fen = 0 END",
            name="state_tells_what_went_back",
        ),
        CheckConstraint(
            "(state IN ('paid', 'refunded_part', 'refunded')) = (paid_at IS NOT NULL)", name="paid_when_paid"
        ),
        CheckConstraint("paid_at IS NULL OR intent_id IS NOT NULL", name="paid_by_an_intent"),
        CheckConstraint("state <> 'open' OR checkout_id IS NOT NULL", name="open_with_a_checkout"),
        Index(
            "uq_payment_one_waiting",
            "purpose_id",
            unique=True,
            postgresql_where=text("state IN ('created', 'open')"),
        ),
        Index("ix_payment_poll_at", "poll_at", postgresql_where=text("poll_at IS NOT NULL")),
        Index("ix_payment_purpose_id", "purpose_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose_id: Mapped[UUID]
    merchant: Mapped[str] = mapped_column(Text)
    account: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text, server_default="cny")
    livemode: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[PaymentState] = mapped_column(Text)
    return_url: Mapped[str] = mapped_column(Text)
    checkout_id: Mapped[str | None] = mapped_column(Text, unique=True)
    checkout_url: Mapped[str | None] = mapped_column(Text)
    intent_id: Mapped[str | None] = mapped_column(Text, unique=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    paid_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    asked_back_fen: Mapped[int] = mapped_column(BigInteger, server_default="0")
    refunded_fen: Mapped[int] = mapped_column(BigInteger, server_default="0")
    poll_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    polls: Mapped[int] = mapped_column(Integer, server_default="0")


class PaymentRefund(Base):
    """Money that goes back to whoever paid: `asked` until the provider has it, `pending` until it is `done` or `failed`."""

    __tablename__ = "payment_refund"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("state IN ('asked', 'pending', 'done', 'failed')", name="state_known"),
        CheckConstraint("state NOT IN ('pending', 'done') OR provider_id IS NOT NULL", name="known_to_the_provider"),
        CheckConstraint("(state IN ('done', 'failed')) = (ended_at IS NOT NULL)", name="ended_when_ended"),
        Index("ix_payment_refund_poll_at", "poll_at", postgresql_where=text("poll_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payment.id"), index=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[RefundState] = mapped_column(Text)
    provider_id: Mapped[str | None] = mapped_column(Text, unique=True)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    poll_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    polls: Mapped[int] = mapped_column(Integer, server_default="0")


class PaymentEvent(Base):
    """One event of the provider, as the bytes that were signed. Kept for ever, whatever came of it.

    `applied` moved our row, `unchanged` found it there already, `mismatch` disagreed with it and changed nothing (`problem`
    says in what), `foreign` is about nothing of ours, `ignored` is of a kind we do not work on.
    """

    __tablename__ = "payment_event"
    __table_args__ = (
        CheckConstraint("outcome IN ('applied', 'unchanged', 'mismatch', 'foreign', 'ignored')", name="outcome_known"),
        CheckConstraint("(outcome IS NULL) = (worked_at IS NULL)", name="outcome_when_worked"),
        CheckConstraint("(outcome = 'mismatch') = (problem IS NOT NULL)", name="mismatch_says_why"),
        Index("ix_payment_event_received_at", "received_at"),
        Index("ix_payment_event_waiting", "received_at", postgresql_where=text("worked_at IS NULL")),
    )

    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    type: Mapped[str] = mapped_column(Text)
    account: Mapped[str | None] = mapped_column(Text)
    livemode: Mapped[bool] = mapped_column(Boolean)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    worked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    works: Mapped[int] = mapped_column(Integer, server_default="0")
    outcome: Mapped[EventOutcome | None] = mapped_column(Text)
    problem: Mapped[str | None] = mapped_column(Text)
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment.id"), index=True)
