"""Writes of the catalogue: products with their variants, dated list prices and pick-up points; what is offered to members and what is not.

Every write is of one merchant's own: a product is named by merchant and code, and another's is not found.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, NotFoundError
from market.kit.ids import new_id
from merchants.models import Item, Merchant, PickupPoint, Product, ProductPoint
from merchants.prices import note_price
from merchants.product_terms import PRODUCT_CODE, ProductTerms, VariantRepeatedError, check_terms, terms_wrong
from merchants.stops import ensure_not_stopped
from merchants.words import make_words


class ProductUnknownError(NotFoundError):
    """The merchant has no product of this code, or it is not for this reader."""

    code = "PRODUCT_UNKNOWN"
    zh = "没有找到这件商品。请回到商品列表重新选择。"
    en = "This product was not found. Go back to the list and choose again."


class ProductExistsError(ConflictError):
    """The merchant has a product of this code already."""

    code = "PRODUCT_EXISTS"
    zh = "商品编码 {code} 已经用过。请换一个编码，或去修改原来的商品。"
    en = "You have a product {code} already. Choose another code, or change that product."


class SkuTakenError(ConflictError):
    """Another product of the merchant, or an item of his shops, has this code."""

    code = "SKU_TAKEN"
    zh = "货号 {sku} 已用在别的商品上。请换一个货号。"
    en = "The item code {sku} belongs to something else you sell. Choose another."


class ProductNotReadyError(ConflictError):
    """A product cannot be offered yet: no variant on sale, or picked up nowhere."""

    code = "PRODUCT_NOT_READY"
    zh = "还不能上架：{problem_zh}。补好后再上架。"
    en = "This product cannot be listed yet: {problem_en}. Add that first."


class PointUnknownError(NotFoundError):
    """No open pick-up point has this code."""

    code = "POINT_UNKNOWN"
    zh = "没有自提点 {point}，或已停用。请重新选择自提点。"
    en = "There is no open pick-up point {point}. Choose the points again."


def add_product(tx: Session, *, merchant_id: UUID, code: str, terms: ProductTerms, at: datetime) -> UUID:
    """Write a new product as a draft, which no member sees.

    Raises ProductTermsWrongError, ProductExistsError, SkuTakenError, VariantRepeatedError, PointUnknownError.
    """
    if not PRODUCT_CODE.fullmatch(code):
        raise terms_wrong("code", "A-Z a-z 0-9 _ -，1–32 个字符", "A-Z a-z 0-9 _ -, 1 to 32 characters")
    check_terms(terms)
    if not terms.variants:
        raise terms_wrong("sku", "至少一个规格", "at least one variant")
    row = {"id": new_id(), "merchant_id": merchant_id, "code": code, "state": "draft", "created_at": at}
    added: UUID | None = tx.scalar(
        insert(Product)
        .values(row | _columns(terms) | {"words": []})
        .on_conflict_do_nothing(index_elements=[Product.merchant_id, Product.code])
        .returning(Product.id)
    )
    if added is None:
        raise ProductExistsError(code=code)
    _write_parts(tx, merchant_id, added, terms, at=at)
    return added


def change_product(tx: Session, *, merchant_id: UUID, code: str, terms: ProductTerms, at: datetime) -> None:
    """Write all that is said of a product anew; a changed price goes into its history. Its state stays.

    Raises ProductUnknownError, ProductTermsWrongError, SkuTakenError, VariantRepeatedError, PointUnknownError, and ProductNotReadyError
    when a listed product would be left without a variant on sale or a place to pick it up.
    """
    check_terms(terms)
    product = _lock(tx, merchant_id, code)
    tx.execute(update(Product).where(Product.id == product.id).values(_columns(terms)))
    _write_parts(tx, merchant_id, product.id, terms, at=at)
    if product.state == "listed":
        _check_ready(tx, product.id)


def list_product(tx: Session, *, merchant_id: UUID, code: str) -> None:
    """Offer a product to members; within its sale window it can be ordered.

    Raises ProductUnknownError, ProductStoppedError, ProductNotReadyError.
    """
    product = _lock(tx, merchant_id, code)
    ensure_not_stopped(tx, product_id=product.id)
    _check_ready(tx, product.id)
    tx.execute(update(Product).where(Product.id == product.id).values(state="listed"))


def withdraw_product(tx: Session, *, merchant_id: UUID, code: str) -> None:
    """Take a product off sale; orders already placed stand. Raises ProductUnknownError."""
    product = _lock(tx, merchant_id, code)
    tx.execute(update(Product).where(Product.id == product.id).values(state="withdrawn"))


def renew_words(tx: Session, *, merchant_id: UUID) -> None:
    """Write what a merchant's products are found by anew, after he has another name."""
    for product_id in tx.scalars(select(Product.id).where(Product.merchant_id == merchant_id).order_by(Product.id)):
        _renew(tx, product_id)


def _lock(tx: Session, merchant_id: UUID, code: str) -> Product:
    """The merchant's product, locked until the end of the transaction. Raises ProductUnknownError."""
    own = select(Product).where(Product.merchant_id == merchant_id, Product.code == code)
    found = tx.scalars(own.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise ProductUnknownError
    return found


def _columns(terms: ProductTerms) -> dict[str, object]:
    return {
        "name": terms.name,
        "category": terms.category,
        "description": terms.description,
        "limit_per_member": terms.limit_per_member,
        "sale_from": terms.sale_from,
        "sale_to": terms.sale_to,
        "is_flash": terms.is_flash,
        "handover": terms.handover,
    }


def _write_parts(tx: Session, merchant_id: UUID, product_id: UUID, terms: ProductTerms, *, at: datetime) -> None:
    known = {row.sku: row for row in tx.execute(_VARIANTS.where(Item.product_id == product_id))}
    named = {variant.sku for variant in terms.variants}
    kept = {row.variant for sku, row in known.items() if sku not in named}
    if clash := next((each.variant for each in terms.variants if each.variant in kept), None):
        raise VariantRepeatedError(variant=clash)
    renamed = [each for each in terms.variants if each.sku in known and known[each.sku].variant != each.variant]
    for each in renamed:  # out of the way first: two may swap their names
        tx.execute(update(Item).where(Item.id == known[each.sku].id).values(variant=f"\x1f{each.sku}"))
    for each in terms.variants:
        row = {"variant": each.variant, "price_fen": each.price_fen, "state": "sold" if each.is_sold else "withdrawn"}
        if each.sku in known:
            tx.execute(update(Item).where(Item.id == known[each.sku].id).values(row))
        else:
            _add_variant(tx, merchant_id, product_id, each.sku, row | {"name": terms.name, "category": terms.category})
        if each.sku not in known or known[each.sku].price_fen != each.price_fen:
            note_price(tx, merchant_id=merchant_id, sku=each.sku, price_fen=each.price_fen, at=at)
    _set_points(tx, product_id, terms.points)
    _renew(tx, product_id)


_VARIANTS = select(Item.id, Item.sku, Item.variant, Item.price_fen)


def _add_variant(tx: Session, merchant_id: UUID, product_id: UUID, sku: str, row: dict[str, object]) -> None:
    names = {"id": new_id(), "merchant_id": merchant_id, "product_id": product_id, "sku": sku}
    added = insert(Item).values(names | row).on_conflict_do_nothing(index_elements=[Item.merchant_id, Item.sku])
    if tx.scalar(added.returning(Item.id)) is None:
        raise SkuTakenError(sku=sku)


def _set_points(tx: Session, product_id: UUID, points: Sequence[str]) -> None:
    open_points = select(PickupPoint.code, PickupPoint.id).where(PickupPoint.state == "open")
    ids = {row.code: row.id for row in tx.execute(open_points.where(PickupPoint.code.in_(points)))} if points else {}
    if missing := next((code for code in points if code not in ids), None):
        raise PointUnknownError(point=missing[:32])
    tx.execute(delete(ProductPoint).where(ProductPoint.product_id == product_id))
    if ids:
        tx.execute(insert(ProductPoint).values([{"product_id": product_id, "point_id": id_} for id_ in ids.values()]))


def _renew(tx: Session, product_id: UUID) -> None:
    """What follows from a product's parts: its items' names and category, its lowest price, its words."""
    full_name = func.rtrim(Product.name + " " + Item.variant)
    tx.execute(
        update(Item)
        .where(Item.product_id == Product.id, Product.id == product_id)
        .values(name=full_name, category=Product.category)
    )
    of_product = select(Product.code, Product.name, Merchant.name.label("merchant")).join(Merchant)
    product = tx.execute(of_product.where(Product.id == product_id)).one()
    items = tx.execute(select(Item.sku, Item.variant, Item.price_fen, Item.state).where(Item.product_id == product_id))
    variants = items.all()
    words = make_words(
        product.name,
        codes=[product.code, *(each.sku for each in variants)],
        others=[product.merchant, *(each.variant for each in variants)],
    )
    lowest = min((each.price_fen for each in variants if each.state == "sold"), default=None)
    tx.execute(update(Product).where(Product.id == product_id).values(words=words, price_fen=lowest))


def _check_ready(tx: Session, product_id: UUID) -> None:
    points = select(func.count()).select_from(ProductPoint).join(PickupPoint, PickupPoint.id == ProductPoint.point_id)
    there = points.where(ProductPoint.product_id == Product.id, PickupPoint.state == "open").scalar_subquery()
    product = tx.execute(
        select(Product.price_fen, Product.handover, there.label("points")).where(Product.id == product_id)
    ).one()
    if product.price_fen is None:
        raise ProductNotReadyError(problem_zh="没有在售的规格", problem_en="no variant is on sale")
    if product.handover != "delivery" and not product.points:
        raise ProductNotReadyError(problem_zh="没有选自提点", problem_en="no pick-up point is chosen")
