"""What the union stops: a product is taken off sale by an officer, with a reason that its merchant reads, until an officer lets it go again.

A merchant lists its products by itself. This is the other half of that freedom: whoever stops a product is named, and so is who lifts it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, insert, select, update
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, InvalidError, NotFoundError
from market.kit.ids import new_id
from merchants.models import Merchant, Product, ProductStop

MOST_REASON = 200


class ProductNotStoppedError(NotFoundError):
    """No such product, or nothing holds it."""

    code = "PRODUCT_NOT_STOPPED"
    zh = "这件商品没有被停售，请刷新页面查看。"
    en = "Nothing holds this product; refresh the page."


class ProductNotListedError(ConflictError):
    """Only what is on sale can be stopped."""

    code = "PRODUCT_NOT_LISTED"
    zh = "这件商品现在没有上架，不用停售。请刷新页面查看。"
    en = "This product is not on sale, so there is nothing to stop. Refresh the page."


class StopReasonError(InvalidError):
    """A stop without a reason, or with one that is too long."""

    code = "STOP_REASON"
    zh = "请写明停售理由（不超过 {most} 个字），商户会看到。"
    en = "Give the reason, in at most {most} characters; the merchant will read it."


class ProductStoppedError(ConflictError):
    """The union stopped this product."""

    code = "PRODUCT_STOPPED"
    zh = "工会已停售这件商品：{reason}。请联系工会，解除后再上架。"
    en = "The union stopped this product: {reason}. Ask the union; it can be listed again once that is lifted."


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """A product on sale, or one that is stopped, as the union's desk sees it."""

    product_id: UUID
    merchant: str
    merchant_name: str
    code: str
    name: str
    category: str
    state: str
    price_fen: int | None
    is_flash: bool
    reason: str | None
    by_id: UUID | None
    at: datetime | None


def stop_product(tx: Session, *, product_id: UUID, reason: str, by: UUID, at: datetime) -> None:
    """Take a product off sale for the union; orders already placed stand. Raises StopReasonError, ProductNotListedError."""
    said = reason.strip()
    if not 1 <= len(said) <= MOST_REASON:
        raise StopReasonError(most=MOST_REASON)
    listed = update(Product).where(Product.id == product_id, Product.state == "listed").values(state="withdrawn")
    if tx.scalar(listed.returning(Product.id)) is None:
        raise ProductNotListedError
    row = {"id": new_id(), "product_id": product_id, "reason": said, "by_id": by, "at": at}
    tx.execute(insert(ProductStop).values(row))


def lift_stop(tx: Session, *, product_id: UUID, by: UUID, at: datetime) -> None:
    """The merchant may list the product again. Raises ProductNotStoppedError."""
    lifted = update(ProductStop).where(ProductStop.product_id == product_id, ProductStop.lifted_at.is_(None))
    if tx.scalar(lifted.values(lifted_by=by, lifted_at=at).returning(ProductStop.id)) is None:
        raise ProductNotStoppedError


def ensure_not_stopped(tx: Session, *, product_id: UUID) -> None:
    """Raises ProductStoppedError while a stop holds the product."""
    reason = tx.scalar(
        select(ProductStop.reason).where(ProductStop.product_id == product_id, ProductStop.lifted_at.is_(None))
    )
    if reason is not None:
        raise ProductStoppedError(reason=reason)


def list_listed(
    tx: Session, *, merchant: str | None = None, after: UUID | None = None, limit: int = 50
) -> list[ListedProduct]:
    """Everything that is stopped, then what is on sale, newest first; of one merchant (by code) or all.

    The next page of what is on sale begins `after` the last product of this one.
    """
    held = ProductStop.id.is_not(None)
    wanted: Select[*tuple[Any, ...]] = (
        select(
            Product.id,
            Merchant.code,
            Merchant.name,
            Product.code,
            Product.name,
            Product.category,
            Product.state,
            Product.price_fen,
            Product.is_flash,
            ProductStop.reason,
            ProductStop.by_id,
            ProductStop.at,
        )
        .join(Merchant, Merchant.id == Product.merchant_id)
        .outerjoin(ProductStop, (ProductStop.product_id == Product.id) & ProductStop.lifted_at.is_(None))
        .order_by(held.desc(), Product.id.desc())
        .limit(limit)
    )
    if merchant is not None:
        wanted = wanted.where(Merchant.code == merchant)
    if after is None:
        wanted = wanted.where((Product.state == "listed") | held)
    else:
        wanted = wanted.where(Product.state == "listed", ~held, Product.id < after)
    return [ListedProduct(*row) for row in tx.execute(wanted)]
