"""The members' shop and the owner's pages of his products."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ProductState = Literal["draft", "listed", "withdrawn"]
Window = Literal["open", "soon", "over"]
Handover = Literal["pickup", "delivery", "both"]


@dataclass(frozen=True, kw_only=True)
class ProductCard:
    """A product in the grid. `picture` is its id, None where a drawn one stands in; `is_from` when variants differ in price."""

    merchant: str
    merchant_name: str
    code: str
    name: str
    category: str
    picture: str | None
    price_fen: int
    is_from: bool
    limit: int | None
    sale_from: datetime | None
    window: Window
    is_flash: bool


@dataclass(frozen=True, kw_only=True)
class FacetShown:
    """A way to narrow: `value` goes into the address; a category's name is its label, a band's is made in the template."""

    value: str
    name: str
    count: int


@dataclass(frozen=True, kw_only=True)
class ShopBrowse:
    """`shop/home.html` at /shop?q=&category=&merchant=&band=&point=&stock=&order=&after=; blocks `list` and `more` for htmx.

    `chosen` are the parts of the address that are set; `more` is what to give as `after` for the next page.
    """

    chosen: dict[str, str]
    cards: tuple[ProductCard, ...]
    categories: tuple[FacetShown, ...]
    merchants: tuple[FacetShown, ...]
    bands: tuple[FacetShown, ...]
    points: tuple[FacetShown, ...]
    stock: tuple[FacetShown, ...]
    count: int
    more: str | None


@dataclass(frozen=True, kw_only=True)
class VariantShown:
    """A variant to choose. `variant` is empty for the only one."""

    item_id: str
    sku: str
    variant: str
    price_fen: int


@dataclass(frozen=True, kw_only=True)
class PointShown:
    """A pick-up point; `address` says where it is and when somebody is there."""

    code: str
    name: str
    address: str


@dataclass(frozen=True, kw_only=True)
class ShopProduct:
    """`shop/product.html` at /shop/{merchant}/{code}?sku=; block `choice` for htmx. `chosen` is one of `variants`.

    `price_since` is from when on the chosen variant has its list price, `free` how many of it can be ordered. What goes into the basket
    is `kit/basket.html`'s to say.
    """

    merchant: str
    merchant_name: str
    code: str
    name: str
    category: str
    description: str
    pictures: tuple[str, ...]
    variants: tuple[VariantShown, ...]
    chosen: VariantShown
    price_since: datetime | None
    free: int
    limit: int | None
    sale_from: datetime | None
    sale_to: datetime | None
    window: Window
    is_flash: bool
    handover: Handover
    points: tuple[PointShown, ...]


@dataclass(frozen=True, kw_only=True)
class OwnerProductRow:
    """A product in its owner's table. `stock` are the pieces that are free; None where nobody counts them yet."""

    code: str
    name: str
    category: str
    state: ProductState
    picture: str | None
    price_fen: int | None
    is_from: bool
    variants_count: int
    stock: int | None
    window: Window


@dataclass(frozen=True, kw_only=True)
class OwnerProducts:
    """`merchant/products.html` at /merchant/products?q=&state=&after=; block `list` for htmx. `counts` by state."""

    query: str
    state: ProductState | None
    counts: dict[str, int]
    rows: tuple[OwnerProductRow, ...]
    more: str | None


@dataclass(frozen=True, kw_only=True)
class PriceRow:
    """One price of the history: what an item cost from when on."""

    sku: str
    from_at: datetime
    price_fen: int


@dataclass(frozen=True, kw_only=True)
class OwnerProduct:
    """`merchant/product.html` at /merchant/products/new (`code` None) and /merchant/products/{code}.

    The form posts what `api.product_form` reads; `form` holds what is typed and `errors` what is wrong, both by field. `removed` is a
    picture that was just taken out and can be brought back; `shop_href` where members see the product.
    """

    code: str | None
    state: ProductState
    form: dict[str, tuple[str, ...]]
    errors: dict[str, str]
    categories: tuple[str, ...]
    points: tuple[PointShown, ...]
    pictures: tuple[str, ...]
    pictures_most: int
    removed: str | None
    prices: tuple[PriceRow, ...]
    shop_href: str | None


@dataclass(frozen=True, kw_only=True)
class FileChange:
    """What a file changes: the column's name, what stood there, what will."""

    column: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class FileEffect:
    """What a row of a file does."""

    row: int
    code: str
    sku: str
    name: str
    kind: Literal["added", "changed", "same", "refused"]
    changes: tuple[FileChange, ...]


@dataclass(frozen=True, kw_only=True)
class FileShown:
    """A file that was looked at: `counts` of rows by kind, what each row does, what is wrong in sentences."""

    file_id: str
    name: str
    counts: dict[str, int]
    effects: tuple[FileEffect, ...]
    errors: tuple[str, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OwnerImport:
    """`merchant/import.html` at /merchant/products/import; the form sends `file`, the preview POST …/import/{file_id} with the counts."""

    columns: tuple[tuple[str, str, bool], ...]
    shown: FileShown | None
    error: str | None
