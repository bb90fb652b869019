"""Tables of merchants, shops, staff and items."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, ForeignKeyConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from market.kit.database import Base


class Merchant(Base):
    """A business admitted to the market; `code` is its public name in offers, accounts and entries."""

    __tablename__ = "merchant"
    __table_args__ = (
        CheckConstraint("state IN ('admitted', 'suspended')", name="state_known"),
        CheckConstraint("code ~ '^[A-Za-z0-9_]{1,32}$'", name="code_format"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    credit_code: Mapped[str] = mapped_column(Text, unique=True)
    category: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
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


class Item(Base):
    """Something a shop can ring up by its code: a name, a category that offers can match, and the list price in fen."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("merchant_id", "sku"),
        CheckConstraint("price_fen BETWEEN 0 AND 100000000", name="price_bounded"),
        CheckConstraint("state IN ('sold', 'withdrawn')", name="state_known"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchant.id"), index=True)
    sku: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    price_fen: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)
