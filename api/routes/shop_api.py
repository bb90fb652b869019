"""The shop and an owner's products as JSON. Amounts are fen, instants UTC; the same rules as the pages'."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

import merchants
from api.access import Doors, Who
from api.routes.merchant import own_merchant
from api.routes.shop import NO_CONTROLS, Asked, MerchantCode, ProductCode, write_after
from market.kit.clock import now
from market.kit.database import transaction
from merchants import FoundProduct, Point, ProductDetail, ProductTerms, VariantTerms
from merchants.prices import MAX_PRICE_FEN
from merchants.product_terms import MOST_DESCRIPTION, MOST_LIMIT, MOST_NAME, MOST_VARIANT, MOST_VARIANTS
from merchants.products import ProductUnknownError
from merchants.search import Facet

doors = Doors(prefix="/api", tags=["shop"])

Window = Literal["open", "soon", "over"]
Handover = Literal["pickup", "delivery", "both"]
State = Literal["draft", "listed", "withdrawn"]
Limit = Annotated[int, Query(ge=1, le=100)]


class Strict(BaseModel):
    """A body that holds what is described and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FoundOut(Strict):
    """A product in a list: the lowest and the highest list price of its variants."""

    merchant: str
    merchant_name: str
    code: str
    name: str
    category: str
    price_fen: int
    most_fen: int
    limit_per_member: int | None
    sale_from: datetime | None
    sale_to: datetime | None
    window: Window
    is_flash: bool
    items: list[UUID]
    picture: str | None


class FacetOut(Strict):
    """A way to narrow, with how many there are."""

    value: str
    name: str
    count: int


class ProductsOut(Strict):
    """A page of products; `after` asks for the next."""

    products: list[FoundOut]
    count: int
    categories: list[FacetOut]
    merchants: list[FacetOut]
    bands: list[FacetOut]
    points: list[FacetOut]
    stock: list[FacetOut]
    after: str | None


class VariantOut(Strict):
    """A variant with its list price."""

    item: UUID
    sku: str
    variant: str
    price_fen: int
    is_sold: bool


class PointOut(Strict):
    """A pick-up point."""

    code: str
    name: str
    address: str
    hours: str


class ProductOut(Strict):
    """A product with all that is said of it; `pictures` are addresses of its large pictures."""

    merchant: str
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
    variants: list[VariantOut]
    points: list[PointOut]
    pictures: list[str]


_Text = StringConstraints(strip_whitespace=True)


class VariantIn(Strict):
    """A variant to write."""

    sku: Annotated[str, Field(min_length=1, max_length=64, pattern=NO_CONTROLS)]
    variant: Annotated[str, _Text, Field(max_length=MOST_VARIANT, pattern=NO_CONTROLS)] = ""
    price_fen: Annotated[int, Field(strict=True, ge=0, le=MAX_PRICE_FEN)]
    is_sold: bool = True


class ProductIn(Strict):
    """All that is said of a product. Variants that are not named stay; points are exactly those named."""

    name: Annotated[str, _Text, Field(min_length=1, max_length=MOST_NAME, pattern=NO_CONTROLS)]
    category: Annotated[str, Field(pattern="^[a-z][a-z0-9-]{0,31}$")]
    variants: Annotated[list[VariantIn], Field(min_length=1, max_length=MOST_VARIANTS)]
    description: Annotated[str, _Text, Field(max_length=MOST_DESCRIPTION)] = ""
    limit_per_member: Annotated[int | None, Field(strict=True, ge=1, le=MOST_LIMIT)] = None
    sale_from: AwareDatetime | None = None
    sale_to: AwareDatetime | None = None
    is_flash: bool = False
    handover: Handover = "pickup"
    points: Annotated[list[Annotated[str, Field(max_length=32, pattern=NO_CONTROLS)]], Field(max_length=200)] = []


class StateIn(Strict):
    """Whether members are offered it."""

    state: Literal["listed", "withdrawn"]


class AskedByProgram(Asked):
    """The same, and how many at once."""

    limit: Annotated[int, Field(ge=1, le=100)] = 24


@doors.get("/shop/products")
def search(asked: Annotated[AskedByProgram, Query()]) -> ProductsOut:
    """What is offered: by words (Chinese, pinyin, initials, codes), category, merchant, price band and pick-up point.

    `stock=in` leaves only what has a piece free.
    """
    with transaction() as tx:
        page = merchants.search_products(tx, asked.search(limit=asked.limit))
    return ProductsOut(
        products=[_found(each) for each in page.products],
        count=page.facets.count,
        categories=_facets(page.facets.categories),
        merchants=_facets(page.facets.merchants),
        bands=_facets(page.facets.bands),
        points=_facets(page.facets.points),
        stock=_facets(page.facets.stock),
        after=write_after(page.after),
    )


@doors.get("/shop/products/{merchant}/{code}")
def product(merchant: MerchantCode, code: ProductCode) -> ProductOut:
    """One product that is offered, with its variants on sale."""
    with transaction() as tx:
        found = merchants.find_product(tx, merchant=merchant, code=code)
    if found is None or not found.is_offered:
        raise ProductUnknownError
    return _show(found, only_sold=True)


@doors.get("/shop/points")
def points() -> list[PointOut]:
    """The open pick-up points."""
    with transaction() as tx:
        return [_point(each) for each in merchants.list_points(tx)]


@doors.get("/merchant/products")
def own_products(
    who: Who, after: Annotated[str, Query(pattern="^[A-Za-z0-9_-]{0,32}$")] = "", limit: Limit = 50
) -> list[ProductOut]:
    """One's own merchant's products by code, in every state; the next page begins `after` the last code."""
    with transaction() as tx:
        own = own_merchant(tx, who).merchant_id
        rows = merchants.list_own_products(tx, merchant_id=own, after=after, limit=limit)
        found = merchants.get_products(tx, product_ids=[row.product_id for row in rows])
    return [_show(found[row.product_id]) for row in rows]


@doors.get("/merchant/products/{code}")
def own_product(who: Who, code: ProductCode) -> ProductOut:
    """One of one's own merchant's products."""
    with transaction() as tx:
        own = own_merchant(tx, who).merchant_id
        return _show(merchants.get_own_product(tx, merchant_id=own, code=code))


@doors.put("/merchant/products/{code}", responses={201: {"model": ProductOut}})
def put_product(who: Who, code: ProductCode, body: ProductIn, response: Response) -> ProductOut:
    """Write a product of one's own merchant: a new one as a draft (201), or one that is there anew (200)."""
    terms = ProductTerms(
        **body.model_dump(exclude={"variants", "points"}),
        variants=[VariantTerms(each.sku, each.variant, each.price_fen, is_sold=each.is_sold) for each in body.variants],
        points=body.points,
    )
    with transaction() as tx:
        own = own_merchant(tx, who).merchant_id
        try:
            merchants.change_product(tx, merchant_id=own, code=code, terms=terms, at=now())
        except ProductUnknownError:
            merchants.add_product(tx, merchant_id=own, code=code, terms=terms, at=now())
            response.status_code = 201
        return _show(merchants.get_own_product(tx, merchant_id=own, code=code))


@doors.post("/merchant/products/{code}/state")
def set_state(who: Who, code: ProductCode, body: StateIn) -> ProductOut:
    """Offer a product to members, or take it off sale."""
    act = merchants.list_product if body.state == "listed" else merchants.withdraw_product
    with transaction() as tx:
        own = own_merchant(tx, who).merchant_id
        act(tx, merchant_id=own, code=code)
        return _show(merchants.get_own_product(tx, merchant_id=own, code=code))


def _found(each: FoundProduct) -> FoundOut:
    return FoundOut(
        merchant=each.merchant,
        merchant_name=each.merchant_name,
        code=each.code,
        name=each.name,
        category=each.category,
        price_fen=each.price_fen,
        most_fen=each.most_fen,
        limit_per_member=each.limit_per_member,
        sale_from=each.sale_from,
        sale_to=each.sale_to,
        window=each.window,
        is_flash=each.is_flash,
        items=list(each.item_ids),
        picture=None if each.picture is None else f"/pictures/{each.picture}/small.webp",
    )


def _show(product: ProductDetail, *, only_sold: bool = False) -> ProductOut:
    return ProductOut(
        merchant=product.merchant,
        code=product.code,
        name=product.name,
        category=product.category,
        description=product.description,
        state=product.state,
        limit_per_member=product.limit_per_member,
        sale_from=product.sale_from,
        sale_to=product.sale_to,
        is_flash=product.is_flash,
        handover=product.handover,
        variants=[
            VariantOut(
                item=each.item_id,
                sku=each.sku,
                variant=each.variant,
                price_fen=each.price_fen,
                is_sold=each.state == "sold",
            )
            for each in product.variants
            if each.state == "sold" or not only_sold
        ],
        points=[_point(each) for each in product.points],
        pictures=[f"/pictures/{each}/large.webp" for each in product.pictures],
    )


def _point(point: Point) -> PointOut:
    return PointOut(code=point.code, name=point.name, address=point.address, hours=point.hours)


def _facets(facets: tuple[Facet, ...]) -> list[FacetOut]:
    return [FacetOut(value=each.value, name=each.name, count=each.count) for each in facets]
