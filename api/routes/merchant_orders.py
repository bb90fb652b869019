"""A supplier's orders: what is to be laid ready, what waits, what became of each; ready, delivered, cancelled."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Form, Path, Query, Request, Response
from sqlalchemy.orm import Session

import cards
import merchants
from api import handing_out
from api.access import Doors, Fields, Who
from api.door import language_of, see_other
from api.errors import PageUnknownError
from api.exports import csv_response
from api.identity import Principal, list_names
from api.pages.asked import show_asked
from api.pages.cursor import read_cursor, write_cursor
from api.pages.i18n import Language
from api.pages.kit import render
from api.pages.orders import ALL_STATES, SHELVES, explain, show_order_lines, show_row, show_undo, tell_story
from api.pages.views import Amounts, AskedBack
from api.pages.views.supplier import BackRow, MerchantOrder, MerchantOrders, Shelf, ShelfLink
from api.payments import get_gateway
from api.routes.till_pages import Key
from api.supplier import Desk, find_products, name_points, open_desk, read_line_units, staff_of
from cards.people import surname
from market.kit.clock import get_zone, now
from market.kit.database import transaction
from market.kit.errors import DomainError, InvalidError
from market.kit.ids import new_id
from market.offers.queries import list_open_to_all, list_titles
from market.pricing.refund import line_shares
from market.sales.orders import queries, undo
from market.sales.orders.counter import find_since, list_returns, list_waiting_like, preview_take_back
from market.sales.orders.queries import OrderDetail
from market.sales.orders.requests import count_open_requests, list_asked_orders, list_requests
from market.sales.orders.states import WAITING, OrderUnknownError

doors = Doors(include_in_schema=False)

ON_PAGE = 30
IN_FILE = 500  # orders are read for a file in pages of so many
MOST_REASON = 100

Number = Annotated[str, Path(pattern="^[0-9A-Z]{4,16}$")]
Typed = Annotated[str, Query(max_length=40)]
Cursor = Annotated[str | None, Query(max_length=200)]


class CancelReasonError(InvalidError):
    """An order cancelled without a word to the member, or with too many."""

    code = "CANCEL_REASON"
    zh = "请写一句取消的原因（不超过 {most} 个字），会员会看到。"
    en = "Say in a sentence why (at most {most} characters); the member will read it."


@doors.get("/merchant/orders")
def orders(request: Request, who: Who, *, shelf: Shelf = "todo", typed: Typed = "", before: Cursor = None) -> Response:
    """The merchant's orders by where they stand, newest first; a number typed in whole leads to its order."""
    place = read_cursor(before) if before else None
    if before and place is None:
        raise PageUnknownError
    with transaction() as tx:
        desk = open_desk(tx, who)
        code = desk.business.merchant
        if typed and (found := _find(tx, desk, typed)):
            return see_other(request, f"/merchant/orders/{found}")
        counts = queries.count_states(tx, merchant=code)
        page = _page(tx, code, shelf, place)
        like = list_waiting_like(tx, merchant=code, typed=typed) if typed else page.orders
        asked = {
            order_id: each.at
            for order_id, requests in list_requests(tx, order_ids=[detail.order.id for detail in like]).items()
            for each in requests
            if each.state == "open"
        }
        asked_count = count_open_requests(tx, merchant=code)
        products, points = find_products(tx, like), name_points(tx)
        since = find_since(tx, order_ids=[detail.order.id for detail in like])
    shelves = [
        ShelfLink(shelf=name, orders_count=sum(counts.get(state, 0) for state in of)) for name, of in SHELVES.items()
    ]
    if asked_count or shelf == "asked":
        shelves.insert(2, ShelfLink(shelf="asked", orders_count=asked_count))
    view = MerchantOrders(
        merchant=desk.business.name,
        shelves=(*shelves, ShelfLink(shelf="all", orders_count=sum(counts.values()))),
        shelf=shelf,
        typed=typed,
        rows=tuple(
            show_row(
                detail,
                products,
                points=points,
                since_at=asked.get(detail.order.id, since[detail.order.id]),
                is_asked=detail.order.id in asked,
            )
            for detail in like
        ),
        older=write_cursor(page.older) if page.older and not typed else None,
        may_export=desk.is_owner,
    )
    return render(request, "merchant/orders.html", view)


@doors.get("/merchant/orders.csv")
def orders_file(who: Who, shelf: Shelf = "all") -> Response:
    """Every line of the merchant's orders as a file; amounts are fen, and nobody's name is among the columns."""
    with transaction() as tx:
        desk = open_desk(tx, who)
    header = ["order", "ordered_at", "state", "point", "sku", "name", "variant", "qty", "handed", "returned"]
    header += ["list_fen", "concession_fen", "subsidy_fen", "paid_fen"]
    return csv_response("orders.csv", header, _file_rows(desk.business.merchant, shelf), public=False)


@doors.get("/merchant/orders/{number}")
def order_page(request: Request, who: Who, number: Number) -> Response:
    """One order: goods, price, what became of it and by whom, and what can be done now."""
    return show_order_page(request, who, number)


@doors.post("/merchant/orders/{number}/ready")
def ready(request: Request, who: Who, number: Number) -> Response:
    """The goods lie ready."""
    try:
        handing_out.mark_ready(staff_id=staff_of(who), numbers=[number], at=now())
    except OrderUnknownError:
        raise
    except DomainError as refusal:
        return show_order_page(request, who, number, error=refusal)
    return see_other(request, f"/merchant/orders/{number}", notice="order_ready")


@doors.post("/merchant/orders/{number}/deliver")
def deliver(request: Request, who: Who, number: Number, fields: Fields, *, key: Key) -> Response:
    """Pieces were brought to the member."""
    try:
        units = read_line_units(fields)
        handing_out.deliver(staff_id=staff_of(who), number=number, units=units, key=key, at=now())
    except OrderUnknownError:
        raise
    except DomainError as refusal:
        return show_order_page(request, who, number, error=refusal)
    return see_other(request, f"/merchant/orders/{number}", notice="order_delivered")


@doors.post("/merchant/orders/{number}/cancel")
def cancel(
    request: Request, who: Who, number: Number, *, key: Key, reason: Annotated[str, Form(max_length=400)] = ""
) -> Response:
    """The merchant cannot deliver: everything goes back, with a word to the member."""
    said = " ".join(reason.split())
    try:
        if not 1 <= len(said) <= MOST_REASON:
            raise CancelReasonError(most=MOST_REASON)
        handing_out.cancel_for_member(
            get_gateway(), staff_id=staff_of(who), number=number, key=key, at=now(), reason=said
        )
    except OrderUnknownError:
        raise
    except DomainError as refusal:
        return show_order_page(request, who, number, error=refusal)
    return see_other(request, f"/merchant/orders/{number}", notice="order_called_off")


@doors.post("/merchant/orders/{number}/request/decline")
def decline(request: Request, who: Who, number: Number, answer: Annotated[str, Form(max_length=400)] = "") -> Response:
    """The merchant does not take back what the member asked to give back, with a word to him."""
    try:
        handing_out.decline_return(staff_id=staff_of(who), number=number, answer=answer, at=now())
    except OrderUnknownError:
        raise
    except DomainError as refusal:
        return show_order_page(request, who, number, error=refusal, answer=answer)
    return see_other(request, f"/merchant/orders/{number}", notice="return_declined")


def read_order(tx: Session, desk: Desk, number: str) -> OrderDetail:
    """An order of this desk's merchant. Raises OrderUnknownError."""
    return queries.get_merchant_order(tx, merchant=desk.business.merchant, number=number)


def _page(
    tx: Session, code: str, shelf: Shelf, before: queries.Place | None, *, limit: int = ON_PAGE
) -> queries.OrderPage:
    """What stands on a shelf; the few orders of which a return is asked for come at once, the longest waiting first."""
    if shelf == "asked":
        return queries.OrderPage(list_asked_orders(tx, merchant=code), None)
    states = SHELVES.get(shelf, ALL_STATES)
    return queries.list_merchant_orders(tx, merchant=code, states=states, before=before, limit=limit)


def _find(tx: Session, desk: Desk, typed: str) -> str | None:
    """The order that was typed: its whole number, or part of the only one that waits."""
    try:
        return read_order(tx, desk, "".join(typed.split()).upper()).order.number
    except OrderUnknownError:
        like = list_waiting_like(tx, merchant=desk.business.merchant, typed=typed)
        return like[0].order.number if len(like) == 1 else None


def show_requests(tx: Session, desk: Desk, detail: OrderDetail, language: Language) -> tuple[AskedBack, ...]:
    """What the member asked to give back, the newest first; of an open request what accepting it would bring him."""
    people = merchants.list_staff(tx, merchant_id=desk.business.merchant_id)
    staff = {person.staff_id: person.name for person in people}
    shown = []
    for each in reversed(list_requests(tx, order_ids=[detail.order.id])[detail.order.id]):
        back_fen = None
        if each.state == "open":
            back_fen = preview_take_back(tx, detail=detail, units=each.units, whence="member").paid_fen
        shown.append(show_asked(each, detail.lines, back_fen=back_fen, staff=staff, language=language))
    return tuple(shown)


def show_order_page(
    request: Request, who: Principal, number: str, *, error: DomainError | None = None, answer: str = ""
) -> Response:
    """The page of an order, with what was refused and the answer as it was typed."""
    language = language_of(request)
    with transaction() as tx:
        desk = open_desk(tx, who)
        detail = read_order(tx, desk, number)
        view = replace(_view(tx, desk, detail, language, error), answer=answer)
    return render(request, "merchant/order.html", view, status=error.status if error else 200)


def _view(tx: Session, desk: Desk, detail: OrderDetail, language: Language, error: DomainError | None) -> MerchantOrder:
    order = detail.order
    products, points = find_products(tx, [detail]), name_points(tx)
    versions = [(row["offer"], row["version"]) for row in detail.quote["applied"]]
    steps, rest = explain(
        detail.quote,
        open_to_all=list_open_to_all(tx, versions=versions),
        titles=list_titles(tx, versions=versions),
        language=language,
    )
    asked = show_requests(tx, desk, detail, language)
    waits = order.state in WAITING and any(line.waiting for line in detail.lines)
    return MerchantOrder(
        number=order.number,
        state=order.state,
        at=order.at,
        surname=surname(cards.get_name(tx, subject=order.subject)),
        point=None if order.point is None else points.get(order.point, order.point),
        deliver_to=order.deliver_to,
        expires_at=order.expires_at if order.state == "placed" else None,
        is_unclaimed=order.unclaimed_at is not None and order.state == "ready",
        lines=show_order_lines(detail, products, most={line.line: line.waiting for line in detail.lines}),
        amounts=Amounts(
            list_fen=order.list_fen,
            concession_fen=order.concession_fen,
            subsidy_fen=order.subsidy_fen,
            paid_fen=order.paid_fen,
        ),
        back_paid_fen=detail.back_paid_fen,
        steps=steps if desk.is_owner else (),
        other_concession_fen=rest if desk.is_owner else 0,
        story=tell_story(
            queries.list_changes(tx, order_id=order.id),
            queries.list_handouts(tx, order_id=order.id),
            undo.list_undone(tx, order_id=order.id),
            names=_staff_names(tx, desk, order.id),
            language=language,
        ),
        backs=tuple(
            BackRow(
                at=back.at,
                pieces=sum(line["units"] for line in back.lines),
                to_member_fen=back.paid_fen,
                subsidy_back_fen=back.subsidy_fen,
            )
            for back in (list_returns(tx, sale_id=order.sale_id) if order.sale_id else ())
        ),
        asked=asked,
        answer="",
        is_owner=desk.is_owner,
        can_ready=order.state == "paid",
        can_hand_out=waits and order.handover == "pickup",
        can_deliver=waits and order.handover == "delivery",
        can_cancel=desk.is_owner
        and order.state in {"placed", *WAITING}
        and not any(line.handed for line in detail.lines),
        can_return=order.sale_id is not None
        and any(line.returned < line.qty for line in detail.lines)
        and (waits or not any(each.state == "open" for each in asked)),
        undo=show_undo(undo.find_undoable(tx, order_id=order.id, at=now())),
        key=f"page:{new_id()}",
        error=error.sentence(language) if error else None,
    )


def _staff_names(tx: Session, desk: Desk, order_id: UUID) -> Mapping[UUID, str]:
    """Who of the merchant's staff, and which officers, moved an order."""
    people = {
        person.staff_id: person.name for person in merchants.list_staff(tx, merchant_id=desk.business.merchant_id)
    }
    ids = {change.by_id for change in queries.list_changes(tx, order_id=order_id) if change.by_kind == "officer"}
    return people | list_names(tx, persons=[each for each in ids if each])


def _file_rows(merchant: str, shelf: Shelf) -> Iterator[list[object]]:
    """Line by line, page by page of orders; each page is a transaction of its own."""
    before: tuple[datetime, UUID] | None = None
    while True:
        with transaction() as tx:
            page = _page(tx, merchant, shelf, before, limit=IN_FILE)
            for detail in page.orders:
                yield from _order_rows(detail)
        if page.older is None:
            return
        before = page.older


def _order_rows(detail: OrderDetail) -> Iterator[list[object]]:
    order = detail.order
    for line in detail.lines:
        shares = line_shares(detail.quote, line.line)
        subsidy_fen = sum(share.fen for share in shares.sponsors)
        yield [
            order.number,
            order.at.astimezone(get_zone()).isoformat(timespec="seconds"),
            order.state,
            order.point or "",
            line.sku,
            line.name,
            line.variant,
            line.qty,
            line.handed,
            line.returned,
            shares.concession + subsidy_fen + shares.pay,
            shares.concession,
            subsidy_fen,
            shares.pay,
        ]
