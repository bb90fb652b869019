"""Online purchase as JSON, for a member's own programs: keep a basket, order, pay, cancel. The same doors as the pages.

Products are found by `shop_api`. Amounts are fen. An order is one merchant's; the orders of a basket share `basket`. Money goes to the
merchant at the provider's page.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

import cards
import merchants
from api import flash, shopping
from api.access import Doors, Who
from api.basket import look_at_basket, order_basket, replace_basket
from api.door import language_of, own_origin
from api.errors import MalformedError
from api.pages.cursor import read_cursor, write_cursor
from api.payments import get_gateway
from api.routes.member_pages import NO_CONTROLS, member_of
from api.routes.till_api import Key, Strict
from market.kit.clock import now
from market.kit.database import transaction
from market.sales.orders import queries
from market.sales.orders.models import Cause, RequestState, ReturnRequest
from market.sales.orders.queries import OrderDetail
from market.sales.orders.requests import MOST_WORDS, Asked, list_requests
from merchants import window_at
from merchants.offering import SaleNotBegunError, SaleOverError
from merchants.products import ProductUnknownError

doors = Doors(prefix="/api", tags=["shopping"])

MOST_PRODUCTS = 50
MOST_ORDERS = 50

Code = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$")]
Number = Annotated[str, Path(pattern="^[0-9A-Z]{4,16}$")]
Word = Annotated[str, Field(max_length=100, pattern=NO_CONTROLS)]
Cursor = Annotated[str | None, Query(max_length=300)]
Pieces = Annotated[int, Field(strict=True, ge=1, le=9_999)]
Items = Annotated[dict[UUID, Pieces], Field(max_length=60, description="pieces by item")]
Window = Literal["open", "soon", "over"]
Fen = Annotated[int, Field(strict=True, ge=0, le=10**15)]
Token = Annotated[str, Field(max_length=64)]


class EntryOut(BaseModel):
    """The token that an order of this flash sale needs; good for ten minutes at least."""

    product: UUID
    token: str


class BasketIn(Strict):
    """All that is to lie in the basket."""

    items: Items


class WantedOut(BaseModel):
    """A thing that can be ordered; `paid_fen` is its part of what is paid."""

    item: UUID
    name: str
    variant: str
    qty: int
    list_fen: int
    paid_fen: int | None


class OrderToBeOut(BaseModel):
    """What one merchant's order would come to now."""

    merchant: str
    lines: list[WantedOut]
    list_fen: int
    concession_fen: int
    subsidy_fen: int
    paid_fen: int


class RefusedOut(BaseModel):
    """A thing in the basket that cannot be ordered now."""

    item: UUID
    code: str
    detail: str


class BasketOut(BaseModel):
    """The basket as it could be ordered now; `refusal` says why there is no price."""

    orders: list[OrderToBeOut]
    refused: list[RefusedOut]
    refusal: str | None


class HandoverIn(Strict):
    """Where a merchant's things go: fetched at a point, or brought to an address."""

    handover: Literal["pickup", "delivery"]
    point: Annotated[str | None, Field(max_length=64)] = None
    deliver_to: Annotated[str | None, Field(max_length=200, pattern=NO_CONTROLS)] = None


class PlaceIn(Strict):
    """What to order: pieces by item, each merchant's hand-over, the prices agreed to (fen, by merchant), entry tokens by product."""

    items: Items
    handovers: Annotated[dict[str, HandoverIn], Field(max_length=60)]
    expected_paid_fen: Annotated[dict[str, Fen] | None, Field(max_length=60)] = None
    tokens: Annotated[dict[UUID, Token], Field(max_length=60, default_factory=dict)]


class OrderLineOut(BaseModel):
    """A line of an order, and what became of its pieces."""

    line: str
    item: UUID
    name: str
    variant: str
    qty: int
    handed: int
    returned: int


class ReturnAskIn(Strict):
    """What is to be given back and why: pieces by line (`1` is the first), `words` for another cause."""

    pieces: Annotated[dict[Annotated[str, Field(max_length=8)], Pieces], Field(max_length=60)]
    cause: Cause
    words: Annotated[str, Field(max_length=MOST_WORDS, pattern=NO_CONTROLS)] = ""


class ReturnRequestOut(BaseModel):
    """A request for a return: `open` until the merchant accepts or declines it (`answer` says why) or its member withdraws it."""

    state: RequestState
    at: datetime
    pieces: dict[str, int]
    cause: Cause
    words: str
    ended_at: datetime | None
    answer: str


class OrderOut(BaseModel):
    """An order. `slip` is what the hand-out asks for while something waits there; `receipt` leads to the public record once it is paid."""

    number: str
    basket: UUID
    merchant: str
    state: str
    at: datetime
    pay_until: datetime | None
    handover: Literal["pickup", "delivery"]
    point: str | None
    deliver_to: str | None
    slip: str | None
    list_fen: int
    concession_fen: int
    subsidy_fen: int
    paid_fen: int
    back_paid_fen: int
    receipt: str | None
    lines: list[OrderLineOut]
    requests: list[ReturnRequestOut]


class OrdersOut(BaseModel):
    """A page of orders, newest first; give `before` to get the next."""

    orders: list[OrderOut]
    before: str | None


class CheckoutOut(BaseModel):
    """Where to pay; no address while the provider does not answer: the order waits, ask again."""

    state: str
    url: str | None


@doors.post("/shop/products/{merchant}/{code}/entry")
def enter_sale(who: Who, merchant: Code, code: Code) -> EntryOut:
    """Come into a flash sale once it has begun: the same token for a member however often he asks."""
    at = now()
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_of(who))
        product = merchants.find_product(tx, merchant=merchant, code=code)
    if product is None or not product.is_offered:
        raise ProductUnknownError
    match window_at(product.sale_from, product.sale_to, at=at):
        case "soon":
            raise SaleNotBegunError(name=product.name)
        case "over":
            raise SaleOverError(name=product.name)
    token = flash.make_token(subject=subject, product_id=product.product_id, at=at)
    return EntryOut(product=product.product_id, token=token)


@doors.get("/basket")
def get_basket(request: Request, who: Who) -> BasketOut:
    """The basket and what it would come to now."""
    return _basket(request, member_of(who))


@doors.put("/basket")
def put_basket(request: Request, who: Who, body: BasketIn) -> BasketOut:
    """Make the basket just this."""
    replace_basket(member_id=member_of(who), pieces=body.items, at=now())
    return _basket(request, member_of(who))


@doors.post("/orders", status_code=201)
def place_orders(who: Who, body: PlaceIn, key: Key) -> list[OrderOut]:
    """Order: one order for each merchant, reserved for 15 minutes. The same key and body answer the same orders, as they stand now."""
    keyed = shopping.BasketKeyed(
        items=body.items,
        handovers={
            merchant: shopping.HandoverKeyed(how.handover, how.point, how.deliver_to)
            for merchant, how in body.handovers.items()
        },
        expected_paid_fen=body.expected_paid_fen,
    )
    placed = order_basket(member_id=member_of(who), keyed=keyed, tokens=body.tokens, key=key, at=now())
    with transaction() as tx:
        return _orders(tx, placed)


@doors.get("/orders")
def list_orders(who: Who, before: Cursor = None, limit: Annotated[int, Query(ge=1, le=MOST_ORDERS)] = 20) -> OrdersOut:
    """One's own orders."""
    place = read_cursor(before) if before else None
    if before and place is None:
        raise MalformedError(field="before", problem="?")
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_of(who))
        page = queries.list_member_orders(tx, subject=subject, before=place, limit=limit)
        return OrdersOut(orders=_orders(tx, page.orders), before=write_cursor(page.older) if page.older else None)


@doors.get("/orders/{number}")
def get_order(who: Who, number: Number) -> OrderOut:
    """One of one's own orders."""
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_of(who))
        [order] = _orders(tx, [queries.get_member_order(tx, subject=subject, number=number)])
    return order


@doors.post("/orders/{number}/payment", status_code=201)
def start_payment(request: Request, who: Who, number: Number) -> CheckoutOut:
    """Where to pay this order; asking again gives the same place."""
    checkout = shopping.start_payment(
        get_gateway(),
        member_id=member_of(who),
        number=number,
        return_url=f"{own_origin(request)}/orders/{number}/return",
        at=now(),
    )
    return CheckoutOut(state=str(checkout.state), url=checkout.url)


@doors.post("/orders/{number}/cancel")
def cancel_order(who: Who, number: Number, key: Key) -> OrderOut:
    """Cancel an order of which nothing was handed out; what was paid goes back."""
    shopping.cancel_order(get_gateway(), member_id=member_of(who), number=number, key=key, at=now())
    return get_order(who, number)


@doors.post("/orders/{number}/request", status_code=201)
def ask_return(who: Who, number: Number, body: ReturnAskIn, key: Key) -> OrderOut:
    """Ask the merchant to take pieces back. No money moves before he does; one request of an order waits at a time."""
    asked = Asked(body.pieces, body.cause, body.words)
    shopping.ask_return(member_id=member_of(who), number=number, asked=asked, key=key, at=now())
    return get_order(who, number)


@doors.post("/orders/{number}/request/withdraw")
def withdraw_return(who: Who, number: Number) -> OrderOut:
    """Keep the things after all."""
    shopping.withdraw_return(member_id=member_of(who), number=number, at=now())
    return get_order(who, number)


def _basket(request: Request, member_id: UUID) -> BasketOut:
    basket, language = look_at_basket(member_id=member_id, at=now()), language_of(request)
    return BasketOut(
        orders=[_to_be(order) for order in basket.orders],
        refused=[
            RefusedOut(item=each.looked.item_id, code=each.refusal.code, detail=each.refusal.sentence(language))
            for each in basket.gone
        ],
        refusal=basket.refusal.sentence(language) if basket.refusal else None,
    )


def _to_be(order: shopping.OrderPriced) -> OrderToBeOut:
    quote: Mapping[str, Any] = order.quote
    paid = {row["line"]: row["pay"] for row in quote["lines"]}
    return OrderToBeOut(
        merchant=order.merchant,
        lines=[
            WantedOut(
                item=line.item_id,
                name=line.name,
                variant=line.variant,
                qty=line.qty,
                list_fen=line.price_fen * line.qty,
                paid_fen=paid.get(str(number)),
            )
            for number, line in enumerate(order.lines, start=1)
        ],
        list_fen=quote["list_total"],
        concession_fen=quote["concession"],
        subsidy_fen=quote["sponsor_pays"],
        paid_fen=quote["payable"],
    )


def _orders(tx: Session, details: Sequence[OrderDetail]) -> list[OrderOut]:
    requests = list_requests(tx, order_ids=[detail.order.id for detail in details])
    return [_order(detail, requests[detail.order.id]) for detail in details]


def _order(detail: OrderDetail, requests: Sequence[ReturnRequest]) -> OrderOut:
    order = detail.order
    return OrderOut(
        number=order.number,
        basket=order.basket_id,
        merchant=order.merchant,
        state=order.state,
        at=order.at,
        pay_until=order.expires_at if order.state == "placed" else None,
        handover="pickup" if order.handover == "pickup" else "delivery",
        point=order.point,
        deliver_to=order.deliver_to,
        slip=order.slip if order.state in {"paid", "ready"} else None,
        list_fen=order.list_fen,
        concession_fen=order.concession_fen,
        subsidy_fen=order.subsidy_fen,
        paid_fen=order.paid_fen,
        back_paid_fen=detail.back_paid_fen,
        receipt=order.public_id if order.sale_id else None,
        lines=[
            OrderLineOut(
                line=line.line,
                item=line.item_id,
                name=line.name,
                variant=line.variant,
                qty=line.qty,
                handed=line.handed,
                returned=line.returned,
            )
            for line in detail.lines
        ],
        requests=[
            ReturnRequestOut(
                state=each.state,
                at=each.at,
                pieces=each.units,
                cause=each.cause,
                words=each.words,
                ended_at=each.ended_at,
                answer=each.answer,
            )
            for each in requests
        ],
    )
