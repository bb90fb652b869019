"""Tables of orders: what lies in a basket; one row per merchant of it once ordered, its lines, changes, hand-outs, return requests; stock."""

from datetime import datetime
from typing import Any, Literal, TypeAlias
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
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base
from market.sales.models import FOUR_AMOUNTS, REBATE_NOT_NEGATIVE

STATES = (
    "placed",
    "paid",
    "ready",
    "collected",
    "delivered",
    "closed",
    "cancelled",
    "partly_returned",
    "returned",
)
UNSOLD = ("placed", "cancelled")
Cause: TypeAlias = Literal["faulty", "wrong", "unsuited", "other"]
CAUSES = ("faulty", "wrong", "unsuited", "other")
RequestState: TypeAlias = Literal["open", "accepted", "declined", "withdrawn"]
REQUEST_STATES = ("open", "accepted", "declined", "withdrawn")


class Order(Base):
    """What one member wants of one merchant: priced and reserved when placed, sold when paid. Amounts are fen.

    The orders of a basket have one key, each its `place` in it. `basket` and `facts` freeze the quote as a sale stores it, `draws` what
    was taken from purses and quotas (the member's limits stand with the lines). `public_id` and `commitments` are those of the entry to
    come, so that paying needs no secret. `slip` proves at the hand-out that the buyer sent whoever shows it. `deliver_to` is emptied
    when the order closes.
    """

    __tablename__ = "member_order"
    __table_args__ = (
        UniqueConstraint("subject", "key", "place"),
        CheckConstraint(FOUR_AMOUNTS, name="four_amounts"),
        CheckConstraint(
            "list_fen > 0 AND concession_fen >= 0 AND subsidy_fen >= 0 AND paid_fen >= 0", name="not_negative"
        ),
        CheckConstraint(REBATE_NOT_NEGATIVE, name="rebate_not_negative"),
        CheckConstraint(f"state IN {STATES}", name="state_known"),
        CheckConstraint(f"(state IN {UNSOLD}) = (sale_id IS NULL)", name="sold_has_sale"),
        CheckConstraint("payment_id IS NULL OR paid_fen > 0", name="nothing_to_pay"),
        CheckConstraint("(handover = 'pickup') = (point IS NOT NULL)", name="pickup_has_point"),
        CheckConstraint("handover IN ('pickup', 'delivery')", name="handover_known"),
        CheckConstraint("handover = 'delivery' OR deliver_to IS NULL", name="pickup_has_no_address"),
        CheckConstraint("expires_at > at", name="runs_forward"),
        Index("ix_member_order_subject_at", "subject", text("at DESC")),
        Index("ix_member_order_open", "expires_at", postgresql_where=text("state = 'placed'")),
        Index("ix_member_order_merchant_state", "merchant", "state", text("at DESC")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    basket_id: Mapped[UUID] = mapped_column(index=True)
    place: Mapped[int] = mapped_column(SmallInteger)
    subject: Mapped[UUID]
    card_id: Mapped[UUID | None]
    merchant: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    request: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(Text)
    handover: Mapped[str] = mapped_column(Text)
    point: Mapped[str | None] = mapped_column(Text)
    deliver_to: Mapped[str | None] = mapped_column(Text)
    slip: Mapped[str] = mapped_column(Text)
    list_fen: Mapped[int] = mapped_column(BigInteger)
    concession_fen: Mapped[int] = mapped_column(BigInteger)
    subsidy_fen: Mapped[int] = mapped_column(BigInteger)
    paid_fen: Mapped[int] = mapped_column(BigInteger)
    rebate_member_fen: Mapped[int] = mapped_column(BigInteger)
    rebate_union_fen: Mapped[int] = mapped_column(BigInteger)
    basket: Mapped[bytes] = mapped_column(LargeBinary)
    facts: Mapped[bytes] = mapped_column(LargeBinary)
    draws: Mapped[list[list[Any]]] = mapped_column(JSONB)
    public_id: Mapped[str] = mapped_column(Text, unique=True)
    commitments: Mapped[dict[str, str]] = mapped_column(JSONB)
    payment_id: Mapped[UUID | None] = mapped_column(unique=True)
    sale_id: Mapped[UUID | None] = mapped_column(ForeignKey("sale.id"), unique=True)
    ready_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    unclaimed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class OrderLine(Base):
    """A line of an order and what became of its pieces: with the buyer (`handed`), returned, or still to be handed out.

    `limit_balance` counts what the member may buy of the product; pieces that are returned count no more.
    """

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint(
            "qty >= 1 AND handed >= 0 AND returned >= 0 AND handed + returned <= qty", name="pieces_add_up"
        ),
        Index("ix_order_line_item", "item_id"),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("member_order.id"), primary_key=True)
    line: Mapped[str] = mapped_column(Text, primary_key=True)
    item_id: Mapped[UUID]
    product_id: Mapped[UUID]
    sku: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    variant: Mapped[str] = mapped_column(Text)
    qty: Mapped[int]
    handed: Mapped[int] = mapped_column(server_default="0")
    returned: Mapped[int] = mapped_column(server_default="0")
    limit_balance: Mapped[str | None] = mapped_column(Text)

    @property
    def waiting(self) -> int:
        """Pieces that are still to be handed out."""
        return self.qty - self.handed - self.returned


class OrderChange(Base):
    """A change of an order's state: who made it, when, and why; append-only. `by_id` is empty for jobs and the provider."""

    __tablename__ = "order_change"
    __table_args__ = (
        CheckConstraint("by_kind IN ('member', 'staff', 'officer', 'job', 'provider')", name="by_known"),
        CheckConstraint("(by_kind IN ('job', 'provider')) = (by_id IS NULL)", name="person_named"),
        CheckConstraint("from_state IS DISTINCT FROM to_state", name="states_differ"),
        Index("ix_order_change_order", "order_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("member_order.id"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    from_state: Mapped[str | None] = mapped_column(Text)
    to_state: Mapped[str] = mapped_column(Text)
    by_kind: Mapped[str] = mapped_column(Text)
    by_id: Mapped[UUID | None]
    reason: Mapped[str] = mapped_column(Text)


class Handout(Base):
    """Pieces given out at once: by whom, to whom, and what proved it; append-only. A proxy is named beside the buyer."""

    __tablename__ = "handout"
    __table_args__ = (
        UniqueConstraint("order_id", "key"),
        CheckConstraint("proof IN ('card', 'slip', 'delivery')", name="proof_known"),
        CheckConstraint("(proof = 'card') = (visit_id IS NOT NULL)", name="card_has_visit"),
        CheckConstraint("collected_by IN ('member', 'proxy')", name="collector_known"),
        CheckConstraint("(collected_by = 'proxy') = (proxy_name IS NOT NULL)", name="proxy_named"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("member_order.id"))
    key: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    units: Mapped[dict[str, int]] = mapped_column(JSONB)
    staff_id: Mapped[UUID]
    proof: Mapped[str] = mapped_column(Text)
    visit_id: Mapped[UUID | None]
    collected_by: Mapped[str] = mapped_column(Text)
    member_name: Mapped[str] = mapped_column(Text)
    proxy_name: Mapped[str | None] = mapped_column(Text)


class UndoneHandout(Base):
    """A hand-out that was taken back at once, because it was a mistake: when and by whom; append-only. The pieces wait again."""

    __tablename__ = "undone_handout"

    handout_id: Mapped[UUID] = mapped_column(ForeignKey("handout.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    staff_id: Mapped[UUID]


class StockMove(Base):
    """Pieces that came or went other than by an order: received, found or missed at a count, written off; append-only.

    `order_id` names the order whose returned pieces were written off rather than put back.
    """

    __tablename__ = "stock_move"
    __table_args__ = (
        UniqueConstraint("item_id", "key"),
        CheckConstraint("kind IN ('received', 'counted', 'written_off')", name="kind_known"),
        CheckConstraint(
            "CASE kind WHEN 'received' THEN pieces > 0 WHEN 'written_off' THEN pieces < 0 ELSE TRUE END", name="way"
        ),
        CheckConstraint("order_id IS NULL OR kind = 'written_off'", name="order_is_written_off"),
        CheckConstraint("kind = 'received' OR reason <> ''", name="reason_given"),
        Index("ix_stock_move_item_at", "item_id", text("at DESC")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    pieces: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    by_id: Mapped[UUID]
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("member_order.id"))
    key: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ReturnRequest(Base):
    """A member asks to give pieces back (退货申请): `open` until he withdraws it or the merchant accepts or declines it.

    It moves no money: an accepted one names the return that did. `ended_by` is the member's subject for one withdrawn, else a staff id.
    `answer` is what the member reads of one that was declined.
    """

    __tablename__ = "return_request"
    __table_args__ = (
        UniqueConstraint("order_id", "key"),
        CheckConstraint("jsonb_typeof(units) = 'object' AND units <> '{}'", name="something_asked"),
        CheckConstraint(f"cause IN {CAUSES}", name="cause_known"),
        CheckConstraint("cause <> 'other' OR words <> ''", name="other_cause_told"),
        CheckConstraint(f"state IN {REQUEST_STATES}", name="state_known"),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended_at_some_moment"),
        CheckConstraint("(state = 'open') = (ended_by IS NULL)", name="ended_by_somebody"),
        CheckConstraint("(state = 'accepted') = (reversal_id IS NOT NULL)", name="accepted_has_return"),
        CheckConstraint("(state = 'declined') = (answer <> '')", name="declined_with_a_reason"),
        CheckConstraint("ended_at >= at", name="runs_forward"),
        Index("uq_return_request_one_open", "order_id", unique=True, postgresql_where=text("state = 'open'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("member_order.id"))
    key: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    units: Mapped[dict[str, int]] = mapped_column(JSONB)
    cause: Mapped[Cause] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    state: Mapped[RequestState] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_by: Mapped[UUID | None]
    answer: Mapped[str] = mapped_column(Text, server_default="")
    reversal_id: Mapped[UUID | None] = mapped_column(ForeignKey("reversal.id"), unique=True)


class BasketLine(Base):
    """A thing a member has put into the basket and not ordered yet. It holds nothing: neither a price nor a piece of the stock."""

    __tablename__ = "basket_line"
    __table_args__ = (CheckConstraint("qty BETWEEN 1 AND 9999", name="qty_in_range"),)

    subject: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    qty: Mapped[int]
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
