"""Products as pages show them: in the members' grid, on their own page, in their owner's table."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from api.pages.i18n import LANGUAGES, translate
from api.pages.pictures import PRODUCT_CATEGORIES, category
from api.pages.views import OwnerProductRow, PointShown, ProductCard, VariantShown
from merchants import FoundProduct, Point, ProductDetail, ProductRow, window_at


def show_card(found: FoundProduct) -> ProductCard:
    """A product that was found, in the grid."""
    return ProductCard(
        merchant=found.merchant,
        merchant_name=found.merchant_name,
        code=found.code,
        name=found.name,
        category=found.category,
        picture=None if found.picture is None else str(found.picture),
        price_fen=found.price_fen,
        is_from=found.price_fen != found.most_fen,
        limit=found.limit_per_member,
        sale_from=found.sale_from,
        window=found.window,
        is_flash=found.is_flash,
    )


def show_variants(product: ProductDetail) -> tuple[VariantShown, ...]:
    """The variants on sale."""
    return tuple(
        VariantShown(item_id=str(each.item_id), sku=each.sku, variant=each.variant, price_fen=each.price_fen)
        for each in product.variants
        if each.state == "sold"
    )


def show_points(points: Iterable[Point]) -> tuple[PointShown, ...]:
    """Pick-up points."""
    return tuple(PointShown(code=point.code, name=point.name, address=point.where_and_when) for point in points)


def show_own_row(row: ProductRow, *, free: Mapping[UUID, int], at: datetime) -> OwnerProductRow:
    """A product in its owner's table; `free` are the pieces that can be sold, by item: a product never received has no stock to show."""
    known = [free[item_id] for item_id in row.item_ids if item_id in free]
    return OwnerProductRow(
        code=row.code,
        name=row.name,
        category=row.category,
        state=row.state,
        picture=None if row.picture is None else str(row.picture),
        price_fen=row.price_fen,
        is_from=row.price_fen != row.most_fen,
        variants_count=len(row.item_ids),
        stock=sum(known) if known else None,
        window=window_at(row.sale_from, row.sale_to, at=at),
    )


def category_words() -> dict[str, str]:
    """What a file may say for a category: its code, or its name in either language."""
    words = {code: code for code in PRODUCT_CATEGORIES}
    for code in PRODUCT_CATEGORIES:
        words |= {translate(language, category(code).label).lower(): code for language in LANGUAGES}
    return words
