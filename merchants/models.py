"""Tables of merchants, shops, staff, and what is sold: items, products with pictures and pick-up points, list prices by date."""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base

POINT_ACTS = ("added", "changed", "closed", "reopened")
PointAct: TypeAlias = Literal["added", "changed", "closed", "reopened"]


class Merchant(Base):
    """A business admitted to the market; `code` is its public name in offers, accounts and entries.

    `payment_account` is its own account at the payment provider: whoever pays online pays there, never to us.
    """

    __tablename__ = "merchant"
    __table_args__ = (
        CheckConstraint("state IN ('admitted', 'suspended')", name="state_known"),
        CheckConstraint("code ~ '^[A-Za-z0-9_]{1,32}$'", name="code_format"),
        CheckConstraint("payment_account ~ '^acct_[A-Za-z0-9]{1,64}$'", name="payment_account_format"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    credit_code: Mapped[str] = mapped_column(Text, unique=True)
    category: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    payment_account: Mapped[str | None] = mapped_column(Text)
    admitted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Shop(Base):
    """A place with a till. `till` says how sales are keyed: two amounts, catalogue items, or lines of a register."""

    __tablename__ = "shop"
    __table_args__ = (
        UniqueConstraint("merchant_id", "id"),
        CheckConstraint("state IN ('open', 'closed')", name="state_known"),
        CheckConstraint("till IN ('amounts', 'items', 'register')", name="till_known"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchant.id"), index=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    till: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)


class Staff(Base):
    """A person who works for a merchant: an owner (no shop) or an assistant of one shop of that merchant."""

    __tablename__ = "staff"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id", "shop_id"], ["shop.merchant_id", "shop.id"]),
        CheckConstraint(
            "(role = 'owner' AND shop_id IS NULL) OR (role = 'assistant' AND shop_id IS NOT NULL)", name="role_place"
        ),
        CheckConstraint("state IN ('active', 'left')", name="state_known"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchant.id"), index=True)
    shop_id: Mapped[UUID | None] = mapped_column(index=True)
    role: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)


class Product(Base):
    """Something offered to members: what is said of it, when and how it is sold. Its variants are items, with their prices.

    `price_fen` is the lowest list price among the variants on sale, None while there is none; `words` are what it is found by
    (`merchants.words`). A product of a plain shop's item does not exist: such an item stands alone.
    """

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("merchant_id", "code"),
        UniqueConstraint("merchant_id", "id"),
        CheckConstraint("code ~ '^[A-Za-z0-9_-]{1,32}$'", name="code_format"),
        CheckConstraint("name <> ''", name="name_given"),
        CheckConstraint("state IN ('draft', 'listed', 'withdrawn')", name="state_known"),
        CheckConstraint("handover IN ('pickup', 'delivery', 'both')", name="handover_known"),
        CheckConstraint("limit_per_member BETWEEN 1 AND 9999", name="limit_bounded"),
        CheckConstraint("sale_from < sale_to", name="window_runs_forward"),
        CheckConstraint(
            "NOT is_flash OR (sale_from IS NOT NULL AND limit_per_member IS NOT NULL)", name="flash_is_bounded"
        ),
        CheckConstraint("price_fen BETWEEN 0 AND 100000000", name="price_bounded"),
        Index("ix_product_words", "words", postgresql_using="gin"),
        Index("ix_product_newest", "created_at", "id", postgresql_where=text("state = 'listed'")),
        Index("ix_product_price", "price_fen", "id", postgresql_where=text("state = 'listed'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchant.id"))
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    limit_per_member: Mapped[int | None]
    sale_from: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    sale_to: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    is_flash: Mapped[bool]
    handover: Mapped[str] = mapped_column(Text)
    price_fen: Mapped[int | None] = mapped_column(BigInteger)
    words: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Item(Base):
    """Something with a code and a list price in fen. Alone it is what a shop rings up; of a product it is a variant, sold online.

    `category` is what offers can match. `variant` says which of the product's variants it is, `''` when there is only one.
    """

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("merchant_id", "sku"),
        UniqueConstraint("product_id", "variant"),
        ForeignKeyConstraint(["merchant_id", "product_id"], ["product.merchant_id", "product.id"]),
        CheckConstraint("price_fen BETWEEN 0 AND 100000000", name="price_bounded"),
        CheckConstraint("state IN ('sold', 'withdrawn')", name="state_known"),
        CheckConstraint("product_id IS NOT NULL OR variant = ''", name="variant_of_product"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchant.id"), index=True)
    product_id: Mapped[UUID | None]
    sku: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    variant: Mapped[str] = mapped_column(Text, server_default="")
    category: Mapped[str] = mapped_column(Text)
    price_fen: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)


class ItemPrice(Base):
    """From when an item had which list price (fen): the dated history. Rows are written once; the present price stands on the item too."""

    __tablename__ = "item_price"
    __table_args__ = (CheckConstraint("price_fen BETWEEN 0 AND 100000000", name="price_bounded"),)

    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"), primary_key=True)
    from_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    price_fen: Mapped[int] = mapped_column(BigInteger)


class Picture(Base):
    """A picture of a product as we drew it anew (`merchants.pictures`): WebP in two sizes, 4:3, without what a camera writes in.

    `sha256` is of the file as it was sent, so that the same file twice is one picture. A removed one can be brought back for a while.
    """

    __tablename__ = "picture"
    __table_args__ = (
        UniqueConstraint("product_id", "sha256"),
        CheckConstraint("position >= 0", name="position_counts"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("product.id"))
    position: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    sha256: Mapped[bytes]
    large: Mapped[bytes] = mapped_column(deferred=True)
    small: Mapped[bytes] = mapped_column(deferred=True)
    removed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class PickupPoint(Base):
    """A place where ordered goods are handed out, at a gate or in a canteen of the works."""

    __tablename__ = "pickup_point"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'closed')", name="state_known"),
        CheckConstraint("code ~ '^[A-Za-z0-9_-]{1,32}$'", name="code_format"),
        Index("uq_pickup_point_open_name", text("lower(name)"), unique=True, postgresql_where="state = 'open'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    hours: Mapped[str] = mapped_column(Text, server_default="")
    state: Mapped[str] = mapped_column(Text)


class PointChange(Base):
    """What an officer did to a pick-up point, and how it was called and placed from then on; append-only."""

    __tablename__ = "point_change"
    __table_args__ = (CheckConstraint(f"act IN {POINT_ACTS}", name="act_known"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    point_id: Mapped[UUID] = mapped_column(ForeignKey("pickup_point.id"), index=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    by_id: Mapped[UUID]
    act: Mapped[PointAct] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    hours: Mapped[str] = mapped_column(Text)


class ProductPoint(Base):
    """At which points a product can be picked up."""

    __tablename__ = "product_point"

    product_id: Mapped[UUID] = mapped_column(ForeignKey("product.id"), primary_key=True)
    point_id: Mapped[UUID] = mapped_column(ForeignKey("pickup_point.id"), primary_key=True, index=True)


class ProductFile(Base):
    """A file of products that an owner sent: kept until he has seen what it would do and enters it, or for a week."""

    __tablename__ = "product_file"
    __table_args__ = (CheckConstraint("(entered_at IS NULL) = (result IS NULL)", name="result_when_entered"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchant.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    content: Mapped[bytes] = mapped_column(deferred=True)
    sent_by: Mapped[UUID]
    sent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    entered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    result: Mapped[dict[str, int] | None] = mapped_column(JSONB(none_as_null=True))


class ProductStop(Base):
    """The union took a product off sale: why, who, when, and who let it go again; one at a time. Only its end is ever written to it."""

    __tablename__ = "product_stop"
    __table_args__ = (
        CheckConstraint("reason <> ''", name="reason_given"),
        CheckConstraint("(lifted_by IS NULL) = (lifted_at IS NULL)", name="lifted_by_somebody"),
        CheckConstraint("lifted_at >= at", name="runs_forward"),
        Index("uq_product_stop_one", "product_id", unique=True, postgresql_where=text("lifted_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("product.id"))
    reason: Mapped[str] = mapped_column(Text)
    by_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    lifted_by: Mapped[UUID | None]
    lifted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
