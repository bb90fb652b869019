"""Tables of sales: one row per sale with the quote it was made from, one per void or refund, one per refusal."""

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
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base

FOUR_AMOUNTS = "list_fen = concession_fen + subsidy_fen + paid_fen"
REBATE_NOT_NEGATIVE = "rebate_member_fen >= 0 AND rebate_union_fen >= 0"


class Sale(Base):
    """One redemption at a till, or one order that was paid. Amounts are fen: union budgets bear `subsidy`, the merchant `concession`.

    The rebates are what the merchant owes afterwards, to the member and to the union, out of what was paid.
    `basket` and `facts` are canonical JSON kept as bytes: together they are the pricing document and, in `facts`, the quote
    that answered it. The `back_…` sums of later voids and refunds are the only columns that change (trigger), but for what is dropped
    of a buyer who was erased (`restrict_person`): his card, the request, and the facts about him.
    """

    __tablename__ = "sale"
    __table_args__ = (
        UniqueConstraint("shop_id", "key"),
        UniqueConstraint("visit_id"),
        UniqueConstraint("order_id"),
        CheckConstraint(
            "CASE channel WHEN 'shop' THEN num_nonnulls(shop_id, staff_id, visit_id) = 3 AND order_id IS NULL"
            " WHEN 'online' THEN num_nulls(shop_id, staff_id, visit_id) = 3 AND order_id IS NOT NULL ELSE FALSE END",
            name="channel_place",
        ),
        CheckConstraint(FOUR_AMOUNTS, name="four_amounts"),
        CheckConstraint(
            "list_fen >= 0 AND concession_fen >= 0 AND subsidy_fen >= 0 AND paid_fen >= 0", name="not_negative"
        ),
        CheckConstraint(REBATE_NOT_NEGATIVE, name="rebate_not_negative"),
        CheckConstraint("rebate_member_fen + rebate_union_fen <= paid_fen", name="rebate_within_paid"),
        CheckConstraint(
            "back_list_fen = back_concession_fen + back_subsidy_fen + back_paid_fen", name="back_four_amounts"
        ),
        CheckConstraint("back_concession_fen BETWEEN 0 AND concession_fen", name="back_concession_bounded"),
        CheckConstraint("back_subsidy_fen BETWEEN 0 AND subsidy_fen", name="back_subsidy_bounded"),
        CheckConstraint("back_paid_fen BETWEEN 0 AND paid_fen", name="back_paid_bounded"),
        CheckConstraint("back_rebate_member_fen BETWEEN 0 AND rebate_member_fen", name="back_rebate_member_bounded"),
        CheckConstraint("back_rebate_union_fen BETWEEN 0 AND rebate_union_fen", name="back_rebate_union_bounded"),
        Index("ix_sale_subject_at", "subject", text("at DESC")),
        Index("ix_sale_shop_day", "shop_id", "day"),
        Index(
            "ix_sale_day_merchant",
            "day",
            "merchant",
            postgresql_include=[
                "list_fen",
                "concession_fen",
                "subsidy_fen",
                "paid_fen",
                "rebate_member_fen",
                "rebate_union_fen",
            ],
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(Text, unique=True)
    channel: Mapped[str] = mapped_column(Text)
    shop_id: Mapped[UUID | None]
    merchant: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[UUID | None]
    visit_id: Mapped[UUID | None]
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("member_order.id", use_alter=True))
    subject: Mapped[UUID]
    card_id: Mapped[UUID | None]
    key: Mapped[str] = mapped_column(Text)
    request: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    day: Mapped[date]
    list_fen: Mapped[int] = mapped_column(BigInteger)
    concession_fen: Mapped[int] = mapped_column(BigInteger)
    subsidy_fen: Mapped[int] = mapped_column(BigInteger)
    paid_fen: Mapped[int] = mapped_column(BigInteger)
    rebate_member_fen: Mapped[int] = mapped_column(BigInteger)
    rebate_union_fen: Mapped[int] = mapped_column(BigInteger)
    basket: Mapped[bytes] = mapped_column(LargeBinary)
    facts: Mapped[bytes] = mapped_column(LargeBinary)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("entry.id"), unique=True)
    back_list_fen: Mapped[int] = mapped_column(BigInteger, server_default="0")
    back_concession_fen: Mapped[int] = mapped_column(BigInteger, server_default="0")
    back_subsidy_fen: Mapped[int] = mapped_column(BigInteger, server_default="0")
    back_paid_fen: Mapped[int] = mapped_column(BigInteger, server_default="0")
    back_rebate_member_fen: Mapped[int] = mapped_column(BigInteger, server_default="0")
    back_rebate_union_fen: Mapped[int] = mapped_column(BigInteger, server_default="0")


class Reversal(Base):
    """A void or a refund of a sale: what went back to each payer, with the units of each line; append-only.

    At a shop a refund names the visit in which the buyer was there; one visit serves one refund or one sale. Of an order, pieces go
    back without a shop: who took them back stands with the order.
    """

    __tablename__ = "reversal"
    __table_args__ = (
        UniqueConstraint("shop_id", "key"),
        UniqueConstraint("visit_id"),
        CheckConstraint("kind IN ('void', 'refund')", name="kind_known"),
        CheckConstraint(
            "CASE WHEN shop_id IS NULL THEN kind = 'refund' AND num_nulls(staff_id, visit_id) = 2"
            " ELSE staff_id IS NOT NULL AND (kind = 'refund') = (visit_id IS NOT NULL) END",
            name="refund_has_visit",
        ),
        CheckConstraint(FOUR_AMOUNTS, name="four_amounts"),
        CheckConstraint(
            "list_fen >= 0 AND concession_fen >= 0 AND subsidy_fen >= 0 AND paid_fen >= 0", name="not_negative"
        ),
        CheckConstraint(REBATE_NOT_NEGATIVE, name="rebate_not_negative"),
        Index("ix_reversal_shop_day", "shop_id", "day"),
        Index("ix_reversal_day_merchant", "day", "merchant"),
        Index("uq_reversal_online_key", "sale_id", "key", unique=True, postgresql_where=text("shop_id IS NULL")),
        Index("uq_reversal_one_void", "sale_id", unique=True, postgresql_where=text("kind = 'void'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(Text, unique=True)
    sale_id: Mapped[UUID] = mapped_column(ForeignKey("sale.id"), index=True)
    visit_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(Text)
    shop_id: Mapped[UUID | None]
    merchant: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[UUID | None]
    key: Mapped[str] = mapped_column(Text)
    request: Mapped[dict[str, Any]] = mapped_column(JSONB)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    day: Mapped[date]
    list_fen: Mapped[int] = mapped_column(BigInteger)
    concession_fen: Mapped[int] = mapped_column(BigInteger)
    subsidy_fen: Mapped[int] = mapped_column(BigInteger)
    paid_fen: Mapped[int] = mapped_column(BigInteger)
    rebate_member_fen: Mapped[int] = mapped_column(BigInteger)
    rebate_union_fen: Mapped[int] = mapped_column(BigInteger)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("entry.id"), unique=True)


class EffectKey(Base):
    """The keys of sales and returns of a shop together: one effect per key, whatever it is. Written by a trigger on both tables."""

    __tablename__ = "effect_key"

    shop_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)


class Refusal(Base):
    """A business refusal, kept for the audit; with a key it also makes a repeat of that key answer the same."""

    __tablename__ = "refusal"
    __table_args__ = (
        Index("uq_refusal_shop_id_key", "shop_id", "key", unique=True, postgresql_where=text("key IS NOT NULL")),
        Index("ix_refusal_at", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    shop_id: Mapped[UUID]
    staff_id: Mapped[UUID]
    act: Mapped[str] = mapped_column(Text)
    key: Mapped[str | None] = mapped_column(Text)
    request: Mapped[dict[str, Any]] = mapped_column(JSONB)
    code: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
