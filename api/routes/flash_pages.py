"""The door of a flash sale: a waiting page that costs nothing, and at the hour an entry that orders with one button.

The waiting page is the same bytes for everybody and is made at most once in half a minute per process: whoever reloads it while 30,000
wait asks neither the session nor the database.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

import cards
import merchants
from api.access import Doors, Fields, Who
from api.basket import last_handover, order_basket
from api.door import language_of, see_other
from api.errors import PageUnknownError
from api.flash import make_token
from api.pages.flash import get_waiting_page
from api.pages.kit import render
from api.pages.member_orders import show_thing
from api.pages.views import FlashEntry, FlashVariant, PointChoice
from api.routes.basket_pages import read_handings, read_handover, read_id, read_key
from api.routes.member_pages import member_of
from api.shopping import BasketKeyed
from api.typed import read_units
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.kit.ids import new_id
from market.sales.orders.stock import find_free
from merchants import ProductDetail, window_at

doors = Doors(include_in_schema=False)

Merchant = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$")]
Code = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$")]


@doors.get("/shop/{merchant}/{code}/wait")
def wait(merchant: Merchant, code: Code, lang: Annotated[str | None, Query(max_length=8)] = None) -> Response:
    """When it begins, counted down to the server's hour. The language is in the address: whoever keeps a copy may give it to anybody."""
    return get_waiting_page(merchant=merchant, code=code, asked=lang, at=now())


@doors.get("/shop/{merchant}/{code}/enter")
def enter(request: Request, who: Who, merchant: Merchant, code: Code) -> Response:
    """At the hour: what is left, one choice, one button, and the token that the order door asks for. Before it: back to wait."""
    product = _get_flash(merchant, code)
    if window_at(product.sale_from, product.sale_to, at=now()) != "open":
        return see_other(request, waiting_page(product, language_of(request)))
    return _render(request, member_of(who), product)


@doors.post("/shop/{merchant}/{code}/enter")
def order(request: Request, who: Who, merchant: Merchant, code: Code, fields: Fields) -> Response:
    """Order it; a refusal shows what is left now, and why."""
    member_id, product = member_of(who), _get_flash(merchant, code)
    try:
        item_id, qty = read_id(fields.get("item")), read_units(str(fields.get("qty", "1"))[:8])
        handings = read_handings(fields)
        placed = order_basket(
            member_id=member_id,
            keyed=BasketKeyed(
                items={item_id: qty},
                handovers={product.merchant: read_handover(handings[product.merchant])} if handings else {},
                expected_paid_fen=None,
            ),
            tokens={product.product_id: str(fields.get("token", ""))[:64]},
            key=read_key(fields),
            at=now(),
        )
    except DomainError as refusal:
        if isinstance(refusal, PageUnknownError):
            raise
        return _render(request, member_id, product, error=refusal)
    return see_other(request, f"/orders/b/{placed[0].order.basket_id}")


def waiting_page(product: ProductDetail, language: str) -> str:
    """The address of a product's waiting page in a language."""
    return f"/shop/{product.merchant}/{product.code}/wait" + ("?lang=en" if language == "en" else "")


def _get_flash(merchant: str, code: str) -> ProductDetail:
    with transaction() as tx:
        product = merchants.find_product(tx, merchant=merchant, code=code)
    if product is None or not product.is_offered or not product.is_flash:
        raise PageUnknownError
    return product


def _render(request: Request, member_id: UUID, product: ProductDetail, *, error: DomainError | None = None) -> Response:
    at, language = now(), language_of(request)
    sold = [each for each in product.variants if each.state == "sold"]
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_id)
        free = find_free(tx, item_ids=[each.item_id for each in sold])
        point, address = last_handover(tx, subject=subject)
    view = FlashEntry(
        product_href=f"/shop/{product.merchant}/{product.code}",
        action=f"/shop/{product.merchant}/{product.code}/enter",
        thing=show_thing(product, name=product.name, variant=""),
        merchant=product.merchant,
        merchant_name=product.merchant_name,
        variants=tuple(
            FlashVariant(
                item_id=str(each.item_id),
                variant=each.variant,
                price_fen=each.price_fen,
                free=free.get(each.item_id, 0),
            )
            for each in sold
        ),
        points=tuple(
            PointChoice(
                code=each.code,
                name=each.name,
                address=each.where_and_when,
                chosen=each.code == point or len(product.points) == 1,
            )
            for each in (product.points if product.handover != "delivery" else ())
        ),
        can_deliver=product.handover != "pickup",
        deliver_to=address,
        most=min(product.limit_per_member or 1, 9),
        token=make_token(subject=subject, product_id=product.product_id, at=at),
        key=str(new_id()),
        sale_to=product.sale_to,
        is_sold_out=not any(free.get(each.item_id) for each in sold),
        error=error.sentence(language) if error else None,
    )
    return render(request, "shop/enter.html", view, status=error.status if error else 200)
