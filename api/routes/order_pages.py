"""The member's orders: the list, one basket's orders together, one order with its slip; paying, coming back, second thoughts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response
from sqlalchemy.orm import Session

import cards
import merchants
from api.access import Doors, Fields, Who
from api.door import language_of, own_origin, see_other
from api.errors import PageUnknownError
from api.pages.asked import show_asked
from api.pages.cursor import read_cursor, write_cursor
from api.pages.explain import Titles
from api.pages.kit import render
from api.pages.member_orders import list_versions, show_order, show_order_quote, show_story
from api.pages.views import OrderedBasket, OrderPage, Orders, Paying, RefundRow
from api.payments import get_gateway
from api.routes.basket_pages import make_labels, read_key
from api.routes.member_pages import member_of
from api.shopping import cancel_order, check_payment, start_payment, withdraw_return
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.kit.ids import new_id
from market.offers.queries import list_titles
from market.payments.gateway import ProviderDownError
from market.sales import queries as sales
from market.sales.orders import queries
from market.sales.orders.baskets import put_in_basket
from market.sales.orders.counter import preview_take_back
from market.sales.orders.models import ReturnRequest
from market.sales.orders.queries import OrderDetail
from market.sales.orders.requests import can_ask, list_requests
from market.sales.orders.states import WAITING, OrderUnknownError
from market.sales.orders.undo import list_undone

doors = Doors(include_in_schema=False)

ORDERS_ON_PAGE = 20
QUICK_LOOKS, SLOW_SECONDS, QUICK_SECONDS = 10, 15, 2

Number = Annotated[str, Path(pattern="^[0-9A-Z]{4,16}$")]


@doors.get("/orders")
def orders(request: Request, who: Who, before: Annotated[str | None, Query(max_length=200)] = None) -> Response:
    """Everything ordered, newest first; `before` goes on where a page ended."""
    place = read_cursor(before) if before else None
    if before and place is None:
        raise PageUnknownError
    at = now()
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_of(who))
        page = queries.list_member_orders(tx, subject=subject, before=place, limit=ORDERS_ON_PAGE)
        products = _products(tx, page.orders)
        asked = list_requests(tx, order_ids=[detail.order.id for detail in page.orders])
    labels = make_labels(request, products, {detail.order.merchant for detail in page.orders})
    view = Orders(
        orders=tuple(
            replace(
                show_order(detail, labels, at=at),
                is_asked=any(each.state == "open" for each in asked[detail.order.id]),
            )
            for detail in page.orders
        ),
        older=write_cursor(page.older) if page.older else None,
    )
    return render(request, "orders/list.html", view)


@doors.get("/orders/b/{basket}")
def ordered_basket(request: Request, who: Who, basket: UUID) -> Response:
    """The orders of one basket: each is paid, and each explains its price."""
    at = now()
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_of(who))
        details = queries.list_basket_orders(tx, subject=subject, basket_id=basket)
        products, titles = _products(tx, details), _titles(tx, details)
    if not details:
        raise OrderUnknownError
    labels = make_labels(request, products, {detail.order.merchant for detail in details})
    shown = tuple(show_order(detail, labels, at=at) for detail in details)
    waiting = [order for order in shown if order.pay_until_at is not None]
    view = OrderedBasket(
        orders=shown,
        quotes=tuple(show_order_quote(detail, titles, labels.language) for detail in details),
        due_fen=sum(order.paid_fen for order in waiting),
        pay_until_at=min((order.pay_until_at for order in waiting if order.pay_until_at), default=None),
    )
    return render(request, "orders/basket.html", view)


@doors.get("/orders/{number}")
def order_page(request: Request, who: Who, number: Number) -> Response:
    """One order: how it stands, what to do next, what to bring, how it was priced, what became of it."""
    return _render(request, member_of(who), number)


@doors.post("/orders/{number}/pay")
def pay(request: Request, who: Who, number: Number) -> Response:
    """On to the provider's own page; if the provider does not answer, the order waits and says so."""
    member_id = member_of(who)
    here = f"/orders/{number}"
    try:
        checkout = start_payment(
            get_gateway(),
            member_id=member_id,
            number=number,
            return_url=f"{own_origin(request)}{here}/return",
            at=now(),
        )
    except OrderUnknownError:
        raise
    except DomainError as refusal:
        return _render(request, member_id, number, error=refusal)
    if checkout.url is None:
        return _render(request, member_id, number, waits_for_provider=True)
    return see_other(request, checkout.url)


@doors.get("/orders/{number}/return")
def come_back(request: Request, who: Who, number: Number, look: Annotated[int, Query(ge=0, le=1000)] = 0) -> Response:
    """Where the provider sends people back to. The address proves nothing: the provider is asked, again and again while it is silent."""
    member_id = member_of(who)
    try:
        detail = check_payment(get_gateway(), member_id=member_id, number=number, at=now())
    except ProviderDownError:
        detail = None
    if detail is None or (detail.order.state == "placed" and detail.order.expires_at > now()):
        return _render_waiting(request, member_id, number, look=look)
    with transaction() as tx:
        together = queries.list_basket_orders(tx, subject=detail.order.subject, basket_id=detail.order.basket_id)
    if any(other.order.state == "placed" and other.order.expires_at > now() for other in together):
        return see_other(request, f"/orders/b/{detail.order.basket_id}", notice="order_paid")
    return see_other(request, f"/orders/{number}", notice="order_paid" if detail.order.sale_id else None)


@doors.post("/orders/{number}/cancel")
def cancel(request: Request, who: Who, number: Number, fields: Fields) -> Response:
    """The member wants it no more: what was reserved is free again, what was paid goes back."""
    member_id = member_of(who)
    try:
        cancel_order(get_gateway(), member_id=member_id, number=number, key=read_key(fields), at=now())
    except (OrderUnknownError, PageUnknownError):
        raise
    except DomainError as refusal:
        return _render(request, member_id, number, error=refusal)
    return see_other(request, f"/orders/{number}", notice="order_cancelled")


@doors.post("/orders/{number}/request/withdraw")
def withdraw(request: Request, who: Who, number: Number) -> Response:
    """The member keeps his things after all."""
    member_id = member_of(who)
    try:
        withdraw_return(member_id=member_id, number=number, at=now())
    except OrderUnknownError:
        raise
    except DomainError as refusal:
        return _render(request, member_id, number, error=refusal)
    return see_other(request, f"/orders/{number}", notice="return_withdrawn")


@doors.post("/orders/{number}/again")
def order_again(request: Request, who: Who, number: Number) -> Response:
    """Put the things of an order into the basket once more: the undo of a cancelled one, and the short way for what is bought often."""
    at = now()
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_of(who))
        detail = queries.get_member_order(tx, subject=subject, number=number)
        for line in detail.lines:
            put_in_basket(tx, subject=subject, item_id=line.item_id, qty=line.qty, at=at)
    return see_other(request, "/shop/basket", notice="basket_filled")


def _render(
    request: Request,
    member_id: UUID,
    number: str,
    *,
    error: DomainError | None = None,
    waits_for_provider: bool = False,
) -> Response:
    at, language = now(), language_of(request)
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_id)
        detail = queries.get_member_order(tx, subject=subject, number=number)
        order = detail.order
        products, titles = _products(tx, [detail]), _titles(tx, [detail])
        changes = queries.list_changes(tx, order_id=order.id)
        handouts = queries.list_handouts(tx, order_id=order.id)
        undone = list_undone(tx, order_id=order.id)
        refunds = _refunds(tx, detail)
        asked = list_requests(tx, order_ids=[order.id])[order.id]
        may_ask = can_ask(tx, order_id=order.id, lines=detail.lines, at=at)
        back_fen = _back_fen(tx, detail, asked)
        people = {each.by_id for each in changes if each.by_kind == "staff" and each.by_id}
        people |= {each.staff_id for each in handouts} | {each.staff_id for each in undone.values()}
        people |= {each.ended_by for each in asked if each.ended_by and each.state != "withdrawn"}
        found = [merchants.find_staff(tx, staff_id=staff_id) for staff_id in people]
    staff = {each.staff_id: each.name for each in found if each}
    labels = make_labels(request, products, {order.merchant})
    shown = show_order(detail, labels, at=at)
    fetchable = order.handover == "pickup" and order.state in WAITING
    point = labels.points.get(order.point or "")
    view = OrderPage(
        order=shown,
        quote=show_order_quote(detail, titles, language),
        address=point.where_and_when if point else "",
        slip=order.slip if fetchable else None,
        slip_qr=f"{order.number} {order.slip}" if fetchable else None,
        changes=show_story(changes, handouts, undone, staff),
        refunds=refunds,
        asked=tuple(
            show_asked(each, detail.lines, back_fen=back_fen, staff=staff, language=language)
            for each in reversed(asked)
        ),
        can_ask=may_ask and not any(each.state == "open" for each in asked),
        can_cancel=order.state in {"placed", *WAITING}
        and not any(line.handed or line.returned for line in detail.lines),
        key=str(new_id()),
        waits_for_provider=waits_for_provider,
        error=error.sentence(language) if error else None,
    )
    status = error.status if error else 503 if waits_for_provider else 200
    return render(request, "orders/order.html", view, status=status)


def _render_waiting(request: Request, member_id: UUID, number: str, *, look: int) -> Response:
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_id)
        order = queries.get_member_order(tx, subject=subject, number=number).order
        names = merchants.find_merchants(tx, codes=[order.merchant])
    view = Paying(
        number=number,
        merchant_name=names[order.merchant].name if order.merchant in names else order.merchant,
        paid_fen=order.paid_fen,
        again=f"/orders/{number}/return?look={min(look + 1, 1000)}",
        again_seconds=QUICK_SECONDS if look < QUICK_LOOKS else SLOW_SECONDS,
        pay_until_at=order.expires_at,
    )
    return render(request, "orders/paying.html", view)


def _back_fen(tx: Session, detail: OrderDetail, asked: Sequence[ReturnRequest]) -> int | None:
    """What the open request would bring the member, if there is one."""
    waiting = [each for each in asked if each.state == "open"]
    if not waiting:
        return None
    return preview_take_back(tx, detail=detail, units=waiting[0].units, whence="member").paid_fen


def _products(tx: Session, details: Sequence[OrderDetail]) -> dict[UUID, merchants.ProductDetail]:
    return merchants.get_products(tx, product_ids={line.product_id for each in details for line in each.lines})


def _titles(tx: Session, details: Sequence[OrderDetail]) -> Titles:
    return {offer: title for (offer, _), title in list_titles(tx, versions=list_versions(details)).items()}


def _refunds(tx: Session, detail: OrderDetail) -> tuple[RefundRow, ...]:
    """What went back to whom, once the order was sold."""
    order = detail.order
    if order.sale_id is None:
        return ()
    sale = sales.get_person_sale(tx, subject=order.subject, public_id=order.public_id)
    return tuple(
        RefundRow(
            at=back.at,
            to_member_fen=back.paid_fen,
            subsidy_back_fen=back.subsidy_fen,
            rebate_back_fen=back.rebate_member_fen + back.rebate_union_fen,
        )
        for back in sale.reversals
    )
