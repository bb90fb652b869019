"""Finding products: by words, by facets, page by page.

A product is found when it has every word that was typed (`merchants.words`). With words typed, the order is: the product whose code was
typed; then those whose name holds the text as it was typed; then the rest, which have it in pinyin, initials, a variant or the
merchant's name. Within these, and without words, the newest come first; by price the cheapest, and then rank plays no part.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from market.sales.orders.stock import has_free
from merchants.catalogue import FIRST_PICTURE, ITEM_IDS, MOST_FEN, OFFERED, Window, not_over, window_at
from merchants.models import Item, Merchant, PickupPoint, Product, ProductPoint
from merchants.words import plain_text, read_query

Order = Literal["newest", "price"]
FACETS = ("category", "merchant", "band", "point")
IN_STOCK = "in"
"""The one value of the facet of stock: a variant on sale has a piece that is free."""
BANDS: tuple[tuple[int, int | None], ...] = (
    (0, 50_00),
    (50_00, 100_00),
    (100_00, 200_00),
    (200_00, 500_00),
    (500_00, None),
)
"""Price bands in fen, half-open."""
MOST_MERCHANTS = 40  # of a facet


@dataclass(frozen=True, slots=True)
class Place:
    """The last product of a page: where the next page goes on, in either order."""

    rank: int
    created_at: datetime
    price_fen: int
    product_id: UUID


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. Facets narrow each other; `within` are the only products that count, by id."""

    at: datetime
    query: str = ""
    category: str | None = None
    merchant: str | None = None
    band: int | None = None
    point: str | None = None
    in_stock: bool = False
    within: Collection[UUID] | None = None
    order: Order = "newest"
    after: Place | None = None
    limit: int = 24


@dataclass(frozen=True, slots=True)
class FoundProduct:
    """A product in a list of many: lowest and highest price in fen of what is on sale, its first picture, its items."""

    product_id: UUID
    code: str
    name: str
    category: str
    merchant: str
    merchant_name: str
    price_fen: int
    most_fen: int
    limit_per_member: int | None
    sale_from: datetime | None
    sale_to: datetime | None
    is_flash: bool
    item_ids: tuple[UUID, ...]
    picture: UUID | None
    window: Window


@dataclass(frozen=True, slots=True)
class Facet:
    """A way to narrow: `value` is a code (of a band its number), `count` how many products there are with the other facets kept."""

    value: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """The ways to narrow a search, each with those that have something."""

    categories: tuple[Facet, ...] = ()
    merchants: tuple[Facet, ...] = ()
    bands: tuple[Facet, ...] = ()
    points: tuple[Facet, ...] = ()
    stock: tuple[Facet, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A page of what was found, and where the next one begins (None at the end)."""

    products: tuple[FoundProduct, ...]
    facets: Facets
    after: Place | None


def search_products(tx: Session, search: Search, *, with_facets: bool = True) -> ProductPage:
    """A page of the products that members may see and that fit; four statements. Sales that have ended are left out."""
    words = read_query(search.query)
    if search.query.strip() and not words:
        return ProductPage((), Facets(), None)
    rows = tx.execute(_page(search, words)).all()
    shown = rows[: search.limit]
    after = None
    if len(rows) > search.limit:
        last = shown[-1]
        after = Place(last.rank, last.created_at, last.price_fen, last.id)
    facets = _count(tx, search, words) if with_facets else Facets()
    return ProductPage(tuple(_found(row, search.at) for row in shown), facets, after)


def _found(row: Any, at: datetime) -> FoundProduct:  # noqa: ANN401  a row of _page
    return FoundProduct(
        product_id=row.id,
        code=row.code,
        name=row.name,
        category=row.category,
        merchant=row.merchant,
        merchant_name=row.merchant_name,
        price_fen=row.price_fen,
        most_fen=row.most_fen,
        limit_per_member=row.limit_per_member,
        sale_from=row.sale_from,
        sale_to=row.sale_to,
        is_flash=row.is_flash,
        item_ids=tuple(row.item_ids),
        picture=row.picture,
        window=window_at(row.sale_from, row.sale_to, at=at),
    )


def _page(search: Search, words: Sequence[str]) -> Select[*tuple[Any, ...]]:
    rank = _rank(search) if words else literal(0)
    wanted = (
        select(
            Product.id,
            Product.code,
            Product.name,
            Product.category,
            Merchant.code.label("merchant"),
            Merchant.name.label("merchant_name"),
            Product.price_fen,
            MOST_FEN.label("most_fen"),
            Product.limit_per_member,
            Product.sale_from,
            Product.sale_to,
            Product.is_flash,
            Product.created_at,
            ITEM_IDS.label("item_ids"),
            FIRST_PICTURE.label("picture"),
            rank.label("rank"),
        )
        .join(Merchant, Merchant.id == Product.merchant_id)
        .where(*_fits(search, words), *_narrowed(search))
        .limit(search.limit + 1)
    )
    if search.order == "price":
        if search.after is not None:
            place = tuple_(literal(search.after.price_fen), literal(search.after.product_id))
            wanted = wanted.where(tuple_(Product.price_fen, Product.id) > place)
        return wanted.order_by(Product.price_fen, Product.id)
    if search.after is not None:
        place = tuple_(literal(search.after.created_at), literal(search.after.product_id))
        older = tuple_(Product.created_at, Product.id) < place
        wanted = wanted.where(or_(rank > search.after.rank, and_(rank == search.after.rank, older)) if words else older)
    by_rank = [rank] if words else []
    return wanted.order_by(*by_rank, Product.created_at.desc(), Product.id.desc())


def _rank(search: Search) -> ColumnElement[int]:
    typed = plain_text(search.query)
    return case((func.lower(Product.code) == typed, 0), (func.strpos(func.lower(Product.name), typed) > 0, 1), else_=2)


def _fits(search: Search, words: Sequence[str]) -> list[ColumnElement[bool]]:
    """Offered, not over, with all words, and among those that count."""
    conditions: list[ColumnElement[bool]] = [*OFFERED, not_over(search.at)]
    if words:
        conditions.append(Product.words.contains(type_coerce(list(words), ARRAY(Text))))
    if search.within is not None:
        conditions.append(Product.id.in_(search.within))
    return conditions


def _in_band(number: int) -> ColumnElement[bool]:
    low, high = BANDS[number] if number in range(len(BANDS)) else (0, 0)
    at_least = Product.price_fen >= low
    return at_least if high is None else and_(at_least, Product.price_fen < high)


def _at_point(code: str) -> ColumnElement[bool]:
    there = select(ProductPoint.product_id).join(PickupPoint, PickupPoint.id == ProductPoint.point_id)
    there = there.where(ProductPoint.product_id == Product.id, PickupPoint.code == code, PickupPoint.state == "open")
    return exists(there.correlate(Product))


def _narrowed(search: Search) -> list[ColumnElement[bool]]:
    """What was chosen of the facets."""
    conditions: list[ColumnElement[bool]] = []
    if search.category is not None:
        conditions.append(Product.category == search.category)
    if search.merchant is not None:
        conditions.append(Merchant.code == search.merchant)
    if search.band is not None:
        conditions.append(_in_band(search.band))
    if search.point is not None:
        conditions.append(_at_point(search.point))
    if search.in_stock:
        conditions.append(_HAS_STOCK)
    return conditions


# --- facets -----------------------------------------------------------------------------------------------------------


def _count(tx: Session, search: Search, words: Sequence[str]) -> Facets:
    """How many there are of each value of each facet, with what was chosen of the others; three statements.

    Category, merchant and band are counted together, which makes few rows, and added up here; points by themselves, because a
    product has several, and so what is in stock, which the ledger knows.
    """
    counted: dict[str, dict[str, int]] = {facet: {} for facet in FACETS}
    names: dict[str, str] = {}
    total = 0
    for category, merchant, name, band, count in tx.execute(_together(search, words)):
        names[merchant] = name
        of = {"category": category, "merchant": merchant, "band": str(band)}
        fits = {
            "category": search.category in {None, category},
            "merchant": search.merchant in {None, merchant},
            "band": search.band in {None, band},
        }
        for facet, value in of.items():
            if all(fit for other, fit in fits.items() if other != facet):
                counted[facet][value] = counted[facet].get(value, 0) + count
        total += count if all(fits.values()) else 0
    for point, name, count in tx.execute(_by_point(search, words)):
        names[point], counted["point"][point] = name, count
    facets = {
        facet: tuple(Facet(value, names.get(value, value), count) for value, count in sorted(values.items()))
        for facet, values in counted.items()
    }
    return Facets(
        categories=_most_first(facets["category"]),
        merchants=_most_first(facets["merchant"])[:MOST_MERCHANTS],
        bands=facets["band"],
        points=facets["point"],
        stock=_in_stock(tx, search, words),
        count=total,
    )


def _in_stock(tx: Session, search: Search, words: Sequence[str]) -> tuple[Facet, ...]:
    there = select(func.count()).select_from(Product).join(Merchant, Merchant.id == Product.merchant_id)
    there = there.where(*_fits(search, words), *_narrowed(replace(search, in_stock=True)))
    count = tx.scalar(there) or 0
    return (Facet(IN_STOCK, IN_STOCK, count),) if count else ()


def _most_first(facets: Sequence[Facet]) -> tuple[Facet, ...]:
    return tuple(sorted(facets, key=lambda each: -each.count))


def _together(search: Search, words: Sequence[str]) -> Select[*tuple[Any, ...]]:
    band = case(*((_in_band(number), number) for number in range(len(BANDS))))
    # These two are no columns to count by: what was chosen of them holds for all that is counted here.
    apart = _narrowed(Search(at=search.at, point=search.point, in_stock=search.in_stock))
    counted = (
        select(Product.category, Product.merchant_id, band.label("band"), func.count().label("count"))
        .join(Merchant, Merchant.id == Product.merchant_id)
        .where(*_fits(search, words), *apart)
        .group_by(Product.category, Product.merchant_id, text("band"))
        .subquery()
    )
    return select(counted.c.category, Merchant.code, Merchant.name, counted.c.band, counted.c.count).join(
        Merchant, Merchant.id == counted.c.merchant_id
    )


def _by_point(search: Search, words: Sequence[str]) -> Select[*tuple[Any, ...]]:
    counted = (
        select(ProductPoint.point_id, func.count().label("count"))
        .join(Product, Product.id == ProductPoint.product_id)
        .join(Merchant, Merchant.id == Product.merchant_id)
        .where(*_fits(search, words), *_narrowed(replace(search, point=None)))
        .group_by(ProductPoint.point_id)
        .subquery()
    )
    return (
        select(PickupPoint.code, PickupPoint.name, counted.c.count)
        .join(counted, counted.c.point_id == PickupPoint.id)
        .where(PickupPoint.state == "open")
    )


_HAS_STOCK = exists(
    select(Item.id).where(Item.product_id == Product.id, Item.state == "sold", has_free(Item.id)).correlate(Product)
)
