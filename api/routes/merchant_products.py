"""The owner's products: the list, the form with its price history, listing and withdrawing. Every act is on his own merchant's."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query, Request, Response
from pydantic import BeforeValidator
from sqlalchemy.orm import Session

import merchants
from api.access import Doors, Fields, Who
from api.door import language_of, see_other
from api.identity import Principal
from api.pages.kit import render
from api.pages.pictures import PRODUCT_CATEGORIES
from api.pages.products import show_own_row, show_points
from api.pages.views import OwnerProduct, OwnerProducts, PriceRow
from api.product_form import Form, fill_form, find_box, keep_form, new_form, read_form
from api.routes.merchant import own_merchant
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import ConflictError, DomainError
from market.sales.orders.stock import find_free
from merchants.albums import MOST_PICTURES
from merchants.products import ProductUnknownError

doors = Doors(include_in_schema=False)

ON_PAGE = 50
NO_CONTROLS = r"^\P{Cc}*$"
ProductCode = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,32}$")]
Typed = Annotated[str, Query(max_length=100, pattern=NO_CONTROLS)]
State = Annotated[Literal["draft", "listed", "withdrawn"] | None, BeforeValidator(lambda given: given or None), Query()]
After = Annotated[str, Query(pattern="^[A-Za-z0-9_-]{0,32}$")]


@doors.get("/merchant/products")
def products(request: Request, who: Who, q: Typed = "", state: State = None, after: After = "") -> Response:
    """His products by code, searched and by state; `after` is the last code of the page before."""
    at = now()
    with transaction() as tx:
        own = own_merchant(tx, who).merchant_id
        rows = merchants.list_own_products(tx, merchant_id=own, query=q, state=state, after=after, limit=ON_PAGE + 1)
        counts = merchants.count_own_products(tx, merchant_id=own)
        free = find_free(tx, item_ids=[item_id for row in rows for item_id in row.item_ids])
    view = OwnerProducts(
        query=q,
        state=state,
        counts=dict(counts),
        rows=tuple(show_own_row(row, free=free, at=at) for row in rows[:ON_PAGE]),
        more=rows[ON_PAGE - 1].code if len(rows) > ON_PAGE else None,
    )
    return render(request, "merchant/products.html", view, block="list")


@doors.get("/merchant/products/new")
def new(request: Request, who: Who) -> Response:
    """An empty form."""
    with transaction() as tx:
        view = _view(tx, who, code=None, form=new_form(), errors={})
    return render(request, "merchant/product.html", view)


@doors.post("/merchant/products")
def add(request: Request, who: Who, fields: Fields) -> Response:
    """Write a new product as a draft, or show the form again with what is wrong at each box."""
    return _save(request, who, keep_form(fields), code=None)


@doors.get("/merchant/products/{code}")
def product(request: Request, who: Who, code: ProductCode, removed: Annotated[UUID | None, Query()] = None) -> Response:
    """The form of a product; `removed` is a picture that was just taken out."""
    with transaction() as tx:
        own = own_merchant(tx, who).merchant_id
        form = fill_form(merchants.get_own_product(tx, merchant_id=own, code=code))
        view = _view(tx, who, code=code, form=form, errors={}, removed=removed)
    return render(request, "merchant/product.html", view)


@doors.post("/merchant/products/{code}")
def save(request: Request, who: Who, code: ProductCode, fields: Fields) -> Response:
    """Write a product anew, or show the form again with what is wrong at each box."""
    return _save(request, who, keep_form(fields), code=code)


@doors.post("/merchant/products/{code}/list")
def offer(request: Request, who: Who, code: ProductCode) -> Response:
    """Offer it to members."""
    try:
        with transaction() as tx:
            merchants.list_product(tx, merchant_id=own_merchant(tx, who).merchant_id, code=code)
    except ConflictError as refusal:
        return show_refused(request, who, code, refusal)
    return see_other(request, f"/merchant/products/{code}", notice="product_listed")


@doors.post("/merchant/products/{code}/withdraw")
def withdraw(request: Request, who: Who, code: ProductCode) -> Response:
    """Take it off sale; one press brings it back."""
    with transaction() as tx:
        merchants.withdraw_product(tx, merchant_id=own_merchant(tx, who).merchant_id, code=code)
    return see_other(request, f"/merchant/products/{code}", notice="product_withdrawn")


def show_refused(request: Request, who: Principal, code: str, refusal: DomainError) -> Response:
    """The form as it is stored, with the refusal of an act on the product above it."""
    with transaction() as tx:
        own = own_merchant(tx, who).merchant_id
        form = fill_form(merchants.get_own_product(tx, merchant_id=own, code=code))
        view = _view(tx, who, code=code, form=form, errors={"top": refusal.sentence(language_of(request))})
    return render(request, "merchant/product.html", view, status=refusal.status)


def _save(request: Request, who: Principal, form: Form, *, code: str | None) -> Response:
    language = language_of(request)
    written = read_form(form, language)
    errors = written.errors
    status = 422
    if written.terms is not None:
        try:
            with transaction() as tx:
                own = own_merchant(tx, who).merchant_id
                at = now()
                if code is None:
                    code_typed = form["code"][0]
                    merchants.add_product(tx, merchant_id=own, code=code_typed, terms=written.terms, at=at)
                else:
                    merchants.change_product(tx, merchant_id=own, code=code, terms=written.terms, at=at)
        except ProductUnknownError:
            raise
        except DomainError as refusal:
            errors, status = {find_box(refusal): refusal.sentence(language)}, refusal.status
        else:
            return see_other(request, f"/merchant/products/{code or form['code'][0]}", notice="product_saved")
    with transaction() as tx:
        view = _view(tx, who, code=code, form=form, errors=errors)
    return render(request, "merchant/product.html", view, status=status)


def _view(
    tx: Session, who: Principal, *, code: str | None, form: Form, errors: dict[str, str], removed: UUID | None = None
) -> OwnerProduct:
    own = own_merchant(tx, who)
    points = show_points(merchants.list_points(tx))
    product = None if code is None else merchants.get_own_product(tx, merchant_id=own.merchant_id, code=code)
    prices = [] if product is None else merchants.list_prices(tx, item_ids=[each.item_id for each in product.variants])
    return OwnerProduct(
        code=code,
        state="draft" if product is None else product.state,
        form=form,
        errors=errors,
        categories=PRODUCT_CATEGORIES,
        points=points,
        pictures=() if product is None else tuple(str(each) for each in product.pictures),
        pictures_most=MOST_PICTURES,
        removed=None if removed is None else str(removed),
        prices=tuple(PriceRow(sku=each.sku, from_at=each.from_at, price_fen=each.price_fen) for each in prices),
        shop_href=f"/shop/{own.merchant}/{code}" if product is not None and product.is_offered else None,
    )
