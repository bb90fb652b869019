"""Reads of the catalogue: one product with all that is shown of it, a merchant's own products, and what is offered of what somebody wants.

Stock is not known here: it is kept in the ledger, by item; `merchants.search` asks there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, aliased

from merchants.models import Item, Merchant, PickupPoint, Picture, Product, ProductPoint
from merchants.points import POINT_COLUMNS, Point
from merchants.product_terms import Handover, State
from merchants.products import ProductUnknownError
from merchants.words import read_query

Window = Literal["open", "soon", "over"]


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of a product with its list price in fen; `variant` is `''` for the only one."""

    item_id: UUID
    sku: str
    variant: str
    price_fen: int
    state: str


@dataclass(frozen=True, slots=True)
class ProductDetail:
    """A product with its parts. `variants` are all of them, withdrawn ones too; `pictures` their ids in order; `points` the open ones."""

    product_id: UUID
    merchant_id: UUID
    merchant: str
    merchant_name: str
    merchant_state: str
    code: str
    name: str
    category: str
    description: str
    state: State
    limit_per_member: int | None
    sale_from: datetime | None
    sale_to: datetime | None
    is_flash: bool
    handover: Handover
    price_fen: int | None
    created_at: datetime
    variants: tuple[Variant, ...]
    pictures: tuple[UUID, ...]
    points: tuple[Point, ...]

    @property
    def is_offered(self) -> bool:
        """Whether members see it: listed, by a merchant in good standing, with something on sale. Its window is another question."""
        return self.state == "listed" and self.merchant_state == "admitted" and self.price_fen is not None


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product in its merchant's list; `item_ids` are its variants on sale, `picture` the first picture."""

    product_id: UUID
    code: str
    name: str
    category: str
    state: State
    price_fen: int | None
    most_fen: int | None
    limit_per_member: int | None
    sale_from: datetime | None
    sale_to: datetime | None
    is_flash: bool
    item_ids: tuple[UUID, ...]
    picture: UUID | None


def window_at(sale_from: datetime | None, sale_to: datetime | None, *, at: datetime) -> Window:
    """Where in its sale window a product is; the window is half-open, and an end that is not set is no end."""
    if sale_to is not None and sale_to <= at:
        return "over"
    return "soon" if sale_from is not None and at < sale_from else "open"


def find_product(tx: Session, *, merchant: str, code: str) -> ProductDetail | None:
    """A product by its merchant's code and its own, in whatever state; None if there is none."""
    return _find(tx, _PRODUCT.where(Merchant.code == merchant, Product.code == code))


def get_own_product(tx: Session, *, merchant_id: UUID, code: str) -> ProductDetail:
    """A product of this merchant, in whatever state. Raises ProductUnknownError."""
    found = _find(tx, _PRODUCT.where(Product.merchant_id == merchant_id, Product.code == code))
    if found is None:
        raise ProductUnknownError
    return found


def find_product_of_item(tx: Session, *, merchant_id: UUID, item_id: UUID) -> ProductDetail | None:
    """The product of this merchant that an item is a variant of, in whatever state; None if it is none of his."""
    return _find(
        tx,
        _PRODUCT.join(Item, Item.product_id == Product.id).where(
            Product.merchant_id == merchant_id, Item.id == item_id
        ),
    )


def get_products(tx: Session, *, product_ids: Collection[UUID]) -> dict[UUID, ProductDetail]:
    """Those of these products that exist, by id, in whatever state."""
    return {each.product_id: each for each in _read(tx, _PRODUCT.where(Product.id.in_(product_ids)))}


@dataclass(frozen=True, slots=True)
class ProductsThere:
    """Products on sale that can be fetched at a pick-up point, and how many of them nowhere else."""

    every: int = 0
    only_there: int = 0


def list_own_products(
    tx: Session, *, merchant_id: UUID, query: str = "", state: State | None = None, after: str = "", limit: int = 50
) -> list[ProductRow]:
    """A merchant's products by code; the next page begins `after` the last code of this one."""
    wanted = _OWN.where(Product.merchant_id == merchant_id)
    if query.strip():
        wanted = wanted.where(Product.words.contains(read_query(query) or [""]))
    if state is not None:
        wanted = wanted.where(Product.state == state)
    if after:
        wanted = wanted.where(Product.code > after)
    return [_row(row) for row in tx.execute(wanted.order_by(Product.code).limit(limit))]


def count_own_products(tx: Session, *, merchant_id: UUID) -> Mapping[str, int]:
    """How many products a merchant has in each state."""
    counted = select(Product.state, func.count()).where(Product.merchant_id == merchant_id).group_by(Product.state)
    return {row[0]: row[1] for row in tx.execute(counted)}


def count_at_points(tx: Session) -> dict[str, ProductsThere]:
    """By pick-up point, open or closed: how many products on sale name it, and of how many it is the only way to the member."""
    others = (
        select(ProductPoint.point_id)
        .join(open_point := aliased(PickupPoint), open_point.id == ProductPoint.point_id)
        .where(ProductPoint.product_id == Product.id, open_point.id != PickupPoint.id, open_point.state == "open")
        .correlate(Product, PickupPoint)
    )
    rows = (
        select(
            PickupPoint.code,
            func.count(),
            func.count().filter(Product.handover == "pickup", ~others.exists()),
        )
        .join(linked := aliased(ProductPoint), linked.point_id == PickupPoint.id)
        .join(Product, Product.id == linked.product_id)
        .join(Merchant, Merchant.id == Product.merchant_id)
        .where(*OFFERED)
        .group_by(PickupPoint.code)
    )
    return {code: ProductsThere(every, only) for code, every, only in tx.execute(rows)}


def _find(tx: Session, wanted: Select[*tuple[Any, ...]]) -> ProductDetail | None:
    return next(iter(_read(tx, wanted)), None)


def _read(tx: Session, wanted: Select[*tuple[Any, ...]]) -> list[ProductDetail]:
    """Products with their parts: four statements however many products."""
    rows = tx.execute(wanted).all()
    ids = [row.id for row in rows]
    if not ids:
        return []
    variants = _group(tx.execute(_VARIANT.where(Item.product_id.in_(ids)).order_by(Item.id)))
    pictures = _group(tx.execute(_PICTURE.where(Picture.product_id.in_(ids))))
    points = _group(tx.execute(_POINT.where(ProductPoint.product_id.in_(ids))))
    return [
        ProductDetail(
            product_id=row.id,
            merchant_id=row.merchant_id,
            merchant=row.merchant,
            merchant_name=row.merchant_name,
            merchant_state=row.merchant_state,
            code=row.code,
            name=row.name,
            category=row.category,
            description=row.description,
            state=cast("State", row.state),
            limit_per_member=row.limit_per_member,
            sale_from=row.sale_from,
            sale_to=row.sale_to,
            is_flash=row.is_flash,
            handover=cast("Handover", row.handover),
            price_fen=row.price_fen,
            created_at=row.created_at,
            variants=tuple(Variant(*each) for each in variants.get(row.id, ())),
            pictures=tuple(each[0] for each in pictures.get(row.id, ())),
            points=tuple(Point(*each) for each in points.get(row.id, ())),
        )
        for row in rows
    ]


def _group(rows: Any) -> dict[UUID, list[Sequence[Any]]]:  # noqa: ANN401  rows whose first value is the product's id
    groups: dict[UUID, list[Sequence[Any]]] = {}
    for product_id, *values in rows:
        groups.setdefault(product_id, []).append(values)
    return groups


def _row(row: Row[*tuple[Any, ...]]) -> ProductRow:
    return ProductRow(**row._asdict() | {"item_ids": tuple(row.item_ids or ())})


# --- statements, built once -------------------------------------------------------------------------------------------

_PRODUCT = select(
    Product.id,
    Product.merchant_id,
    Merchant.code.label("merchant"),
    Merchant.name.label("merchant_name"),
    Merchant.state.label("merchant_state"),
    Product.code,
    Product.name,
    Product.category,
    Product.description,
    Product.state,
    Product.limit_per_member,
    Product.sale_from,
    Product.sale_to,
    Product.is_flash,
    Product.handover,
    Product.price_fen,
    Product.created_at,
).join(Merchant, Merchant.id == Product.merchant_id)

_VARIANT = select(Item.product_id, Item.id, Item.sku, Item.variant, Item.price_fen, Item.state)

_PICTURE = (
    select(Picture.product_id, Picture.id)
    .where(Picture.removed_at.is_(None))
    .order_by(Picture.product_id, Picture.position, Picture.id)
)

_POINT = (
    select(ProductPoint.product_id, *POINT_COLUMNS)
    .join(PickupPoint, PickupPoint.id == ProductPoint.point_id)
    .where(PickupPoint.state == "open")
    .order_by(ProductPoint.product_id, PickupPoint.code)
)

FIRST_PICTURE = (
    select(Picture.id)
    .where(Picture.product_id == Product.id, Picture.removed_at.is_(None))
    .order_by(Picture.position, Picture.id)
    .limit(1)
    .correlate(Product)
    .scalar_subquery()
)
_ON_SALE = (Item.product_id == Product.id, Item.state == "sold")
ITEM_IDS = (
    select(func.array_agg(aggregate_order_by(Item.id, Item.id))).where(*_ON_SALE).correlate(Product).scalar_subquery()
)
MOST_FEN = select(func.max(Item.price_fen)).where(*_ON_SALE).correlate(Product).scalar_subquery()

_OWN = select(
    Product.id.label("product_id"),
    Product.code,
    Product.name,
    Product.category,
    Product.state,
    Product.price_fen,
    MOST_FEN.label("most_fen"),
    Product.limit_per_member,
    Product.sale_from,
    Product.sale_to,
    Product.is_flash,
    ITEM_IDS.label("item_ids"),
    FIRST_PICTURE.label("picture"),
)

OFFERED = (Product.state == "listed", Merchant.state == "admitted", Product.price_fen.is_not(None))
"""Of a product joined with its merchant: members see it."""


def not_over(at: datetime) -> ColumnElement[bool]:
    """Of a product: its sale has not ended."""
    return or_(Product.sale_to.is_(None), Product.sale_to > at)
