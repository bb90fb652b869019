"""Enters the demo's suppliers, pick-up points and products with their pictures. What an earlier run left stays as it is."""

from datetime import timedelta
from functools import cache
from typing import cast
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

import merchants
from api.demo.goods import POINTS, DemoProduct, DemoSupplier, make_products, make_suppliers
from api.demo.stage import OFFICER, Mark, Progress
from api.demo.still_life import draw_thing
from market.kit.database import transaction
from merchants import DrawnPicture, Handover, ProductTerms, VariantTerms
from merchants.models import Merchant, PickupPoint, Product

EVERY = timedelta(hours=2)  # one product after another, so that the newest are different ones


def fill_catalogue(mark: Mark, progress: Progress) -> None:
    """Suppliers, points and products of this works."""
    suppliers = make_suppliers(mark.size, seed=mark.seed)
    products = make_products(mark.size, suppliers, seed=mark.seed, until=mark.until)
    with transaction() as tx:
        _open_points(tx, mark)
        ids = _admit(tx, suppliers, mark)
        known = {(row.merchant_id, row.code) for row in tx.execute(select(Product.merchant_id, Product.code))}
    for number, product in enumerate(products):
        if (ids[product.merchant], product.code) not in known:
            with transaction() as tx:
                _write(tx, ids[product.merchant], product, number, mark)
        progress("products", number + 1, len(products))


def _open_points(tx: Session, mark: Mark) -> None:
    known = set(tx.scalars(select(PickupPoint.code)))
    for code, name, address, hours in POINTS:
        if code not in known:
            terms = {"name": name, "address": address, "hours": hours}
            merchants.add_point(tx, code=code, **terms, by=OFFICER, at=mark.begins_at)


def _admit(tx: Session, suppliers: list[DemoSupplier], mark: Mark) -> dict[str, UUID]:
    """The ids of all merchants by code, the suppliers among them."""
    ids = {row.code: row.id for row in tx.execute(select(Merchant.code, Merchant.id))}
    for number, supplier in enumerate(suppliers, start=1):
        if supplier.code not in ids:
            names = {"code": supplier.code, "name": supplier.name, "credit_code": supplier.credit_code}
            ids[supplier.code] = merchants.admit_merchant(
                tx, **names, category="home", publication="batched", at=mark.begins_at
            )
            merchants.set_payment_account(tx, merchant_id=ids[supplier.code], account=f"acct_demo{number:03}")
            merchants.add_staff(tx, merchant_id=ids[supplier.code], name=f"{supplier.name}客服")
    return ids


def _write(tx: Session, merchant_id: UUID, product: DemoProduct, number: int, mark: Mark) -> None:
    at = mark.begins_at + EVERY * number
    terms = ProductTerms(
        name=product.name,
        category=product.category,
        variants=[VariantTerms(*variant) for variant in product.variants],
        description=product.about,
        limit_per_member=product.limit,
        sale_from=product.flash_at,
        is_flash=product.flash_at is not None,
        handover=cast("Handover", product.handover),
        points=product.points,
    )
    merchants.add_product(tx, merchant_id=merchant_id, code=product.code, terms=terms, at=at)
    if product.look is not None:
        shown = (product.look, product.look + 1) if number % 3 == 0 else (product.look,)
        for look in shown:
            merchants.add_picture(tx, merchant_id=merchant_id, code=product.code, drawn=_draw(product.thing, look % 6))
    if product.state != "draft":
        merchants.list_product(tx, merchant_id=merchant_id, code=product.code)
    if product.state == "withdrawn":
        merchants.withdraw_product(tx, merchant_id=merchant_id, code=product.code)


@cache
def _draw(thing: str, look: int) -> DrawnPicture:
    """The picture as it would be drawn anew from an upload; each is drawn once, however many products have it."""
    return merchants.draw_picture(draw_thing(thing, look))
