"""The members' shop: browse and search, one product, its pictures. What is ordered is another file's; nothing here knows who buys."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

import merchants
from api.access import Doors
from api.pages.cursor import read_place, write_place
from api.pages.kit import render
from api.pages.products import show_card, show_points, show_variants
from api.pages.views import FacetShown, ShopBrowse, ShopProduct, VariantShown
from market.kit.clock import now
from market.kit.database import transaction
from market.sales.orders.stock import find_free
from merchants import Facet, PictureSize, Place, PriceSince, ProductDetail, Search, window_at
from merchants.products import ProductUnknownError
from merchants.search import BANDS

doors = Doors(include_in_schema=False)

ON_PAGE = 40  # whole rows of 2, 4 and 5
NO_CONTROLS = r"^\P{Cc}*$"
FOREVER = "private, max-age=31536000, immutable"  # a picture never changes: another one has another id

# A form sends an empty field for "all".
_EMPTY = BeforeValidator(lambda given: given or None)
Typed = Annotated[str, Field(max_length=100, pattern=NO_CONTROLS)]
Word = Annotated[Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,32}$")] | None, _EMPTY]
Band = Annotated[Annotated[int, Field(ge=0, lt=len(BANDS))] | None, _EMPTY]
Stock = Annotated[Literal["in"] | None, _EMPTY]
OrderBy = Literal["newest", "price"]
After = Annotated[str | None, Field(max_length=200, pattern=NO_CONTROLS)]
MerchantCode = Annotated[str, Path(pattern="^[A-Za-z0-9_]{1,32}$")]
ProductCode = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,32}$")]
Sku = Annotated[str | None, Query(max_length=64, pattern="^[A-Za-z0-9._-]*$")]


class Asked(BaseModel):
    """What a search asks for: words, facets, order, and where to go on."""

    model_config = ConfigDict(frozen=True)

    q: Typed = ""
    category: Word = None
    merchant: Word = None
    band: Band = None
    point: Word = None
    stock: Stock = None
    order: OrderBy = "newest"
    after: After = None

    def search(self, *, limit: int) -> Search:
        """The search, as of now."""
        place = read_place(self.after) if self.after else None
        return Search(
            at=now(),
            query=self.q,
            category=self.category,
            merchant=self.merchant,
            band=self.band,
            point=self.point,
            in_stock=self.stock is not None,
            order=self.order,
            after=Place(*place) if place else None,
            limit=limit,
        )

    def chosen(self) -> dict[str, str]:
        """The parts that are set, as they stand in an address; where to go on is not among them."""
        parts = self.model_dump(exclude={"after"}) | {"order": self.order if self.order != "newest" else None}
        return {name: str(value) for name, value in parts.items() if value not in {None, ""}}


@doors.get("/shop")
def browse(request: Request, asked: Annotated[Asked, Query()]) -> Response:
    """What is offered, newest or cheapest first, narrowed as asked; `after` goes on where a page ended."""
    search = asked.search(limit=ON_PAGE)
    goes_on = search.after is not None and request.headers.get("HX-Request-Type") == "partial"
    with transaction() as tx:
        page = merchants.search_products(tx, search, with_facets=not goes_on)
    facets = page.facets
    view = ShopBrowse(
        chosen=asked.chosen(),
        cards=tuple(show_card(each) for each in page.products),
        categories=_show(facets.categories),
        merchants=_show(facets.merchants),
        bands=_show(facets.bands),
        points=_show(facets.points),
        stock=_show(facets.stock),
        count=facets.count,
        more=write_after(page.after),
    )
    return render(request, "shop/home.html", view, block="more" if goes_on else "list")


@doors.get("/shop/{merchant}/{code}")
def product_page(request: Request, merchant: MerchantCode, code: ProductCode, sku: Sku = None) -> Response:
    """One product: pictures, variants, what each costs, when, where and how many of it one may have."""
    at = now()
    with transaction() as tx:
        product = merchants.find_product(tx, merchant=merchant, code=code)
        if product is None or not product.is_offered:
            raise ProductUnknownError
        variants = show_variants(product)
        chosen = next((each for each in variants if each.sku == sku), variants[0])
        item_id = UUID(chosen.item_id)
        prices = merchants.list_prices(tx, item_ids=[item_id])
        free = find_free(tx, item_ids=[item_id]).get(item_id, 0)
    view = _show_product(product, variants, chosen, prices, free=free, at=at)
    return render(request, "shop/product.html", view, block="choice")


@doors.get("/pictures/{picture}/{size}.webp")
def picture(picture: Annotated[UUID, Path()], size: Annotated[PictureSize, Path()]) -> Response:
    """A picture as we drew it. A browser that has it once never asks again."""
    with transaction() as tx:
        content = merchants.get_picture_bytes(tx, picture_id=picture, size=size)
    return Response(content, media_type="image/webp", headers={"Cache-Control": FOREVER})


def _show(facets: tuple[Facet, ...]) -> tuple[FacetShown, ...]:
    return tuple(FacetShown(value=each.value, name=each.name, count=each.count) for each in facets)


def write_after(place: Place | None) -> str | None:
    """Where the next page begins, as it stands in an address."""
    return write_place(place.rank, place.created_at, place.price_fen, place.product_id) if place else None


def _show_product(
    product: ProductDetail,
    variants: tuple[VariantShown, ...],
    chosen: VariantShown,
    prices: list[PriceSince],
    *,
    free: int,
    at: datetime,
) -> ShopProduct:
    return ShopProduct(
        merchant=product.merchant,
        merchant_name=product.merchant_name,
        code=product.code,
        name=product.name,
        category=product.category,
        description=product.description,
        pictures=tuple(str(each) for each in product.pictures),
        variants=variants,
        chosen=chosen,
        price_since=prices[0].from_at if prices else None,
        free=free,
        limit=product.limit_per_member,
        sale_from=product.sale_from,
        sale_to=product.sale_to,
        window=window_at(product.sale_from, product.sale_to, at=at),
        is_flash=product.is_flash,
        handover=product.handover,
        points=show_points(product.points),
    )
