"""Handing out ordered goods with one cheap phone: the card's code or the order's slip, big pictures, pieces by line, done.

Every form leads to another page by redirect, and every refusal is said where one stands. Of the member stands the surname, no more.
"""

import re
from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Form, Query, Request, Response
from starlette.datastructures import UploadFile

import cards
from api import handing_out
from api.access import Doors, Fields, Who
from api.door import language_of, see_other
from api.errors import PageUnknownError
from api.identity import Principal
from api.identity.throttle import TooManyTriesError
from api.pages.kit import render
from api.pages.orders import Products, show_goods, show_order_lines, show_row, show_undo
from api.pages.views.supplier import (
    HandoutCard,
    HandoutCode,
    HandoutDone,
    HandoutHome,
    HandoutOrder,
    HandoutScan,
    HandoutSlip,
    HandoutSlips,
)
from api.photo import PhotoUnreadableError, read_code
from api.routes.merchant_orders import Number, Typed, read_order, show_order_page
from api.routes.till_pages import Key, refused
from api.supplier import find_products, name_points, open_desk, read_line_units, staff_of
from cards.people import surname
from cards.visits import VisitExpiredError, VisitUnknownError, VisitUsedError
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError, InvalidError
from market.kit.ids import new_id
from market.sales.orders import queries, undo
from market.sales.orders.counter import find_since, list_waiting_like
from market.sales.orders.hand_out import HandoutUnitsError
from market.sales.orders.queries import OrderDetail
from market.sales.orders.requests import count_open_requests
from market.sales.orders.states import WAITING, OrderUnknownError

doors = Doors(include_in_schema=False)

HOME = "/merchant/handout"
SLIP = re.compile(r"(?P<number>[2-9A-HJ-NP-Z]{8}) (?P<digits>[0-9]{6})")
OVER = (VisitUnknownError, VisitExpiredError, VisitUsedError)


@doors.get("/merchant/handout")
def home(request: Request, who: Who) -> Response:
    """Three ways to begin, and what lies ready."""
    with transaction() as tx:
        desk = open_desk(tx, who)
        counts = queries.count_states(tx, merchant=desk.business.merchant)
        asked_count = count_open_requests(tx, merchant=desk.business.merchant)
    view = HandoutHome(
        merchant=desk.business.name,
        ready_count=counts.get("ready", 0),
        todo_count=counts.get("paid", 0),
        asked_count=asked_count,
    )
    return render(request, "merchant/handout.html", view)


@doors.get("/merchant/handout/scan")
def scan_page(request: Request, who: Who) -> Response:
    """The camera, and what to do without one."""
    return _scan(request, who, None)


@doors.post("/merchant/handout/scan")
def scan_photo(request: Request, who: Who, fields: Fields) -> Response:
    """A photo of the member's code is worth the code."""
    photo = fields.get("photo")
    try:
        if not isinstance(photo, UploadFile) or not photo.size:
            raise PhotoUnreadableError
        scanned = read_code(photo.file)
    except InvalidError as refusal:
        return _scan(request, who, refusal)
    return _open(request, who, scanned, by_scan=True)


@doors.get("/merchant/handout/code")
def code_page(request: Request, who: Who) -> Response:
    """Eight digits to type."""
    return _code(request, who, "", None)


@doors.post("/merchant/handout/cards")
def open_card(
    request: Request,
    who: Who,
    code: Annotated[str, Form(max_length=200)] = "",
    by: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """A card's code, typed or (`by` = scan) scanned: what its holder may fetch here."""
    return _open(request, who, code, by_scan=by == "scan")


@doors.get("/merchant/handout/cards/{visit}")
def card_page(request: Request, who: Who, visit: UUID) -> Response:
    """What waits for the member who stands here."""
    return _card(request, who, visit)


@doors.post("/merchant/handout/cards/{visit}/{number}")
def give_by_card(request: Request, who: Who, visit: UUID, number: Number, fields: Fields, *, key: Key) -> Response:
    """Give the member what was keyed of one order; the same form sent twice gives once."""
    try:
        handing_out.hand_out_by_card(
            staff_id=staff_of(who), visit_id=visit, number=number, units=_read_units(fields), key=key, at=now()
        )
    except OVER as refusal:
        return refused(request, refusal, next_href=HOME)
    except OrderUnknownError:
        raise
    except DomainError as refusal:
        return _card(request, who, visit, number=number, fields=fields, error=refusal)
    return see_other(request, f"{HOME}/orders/{number}/done?visit={visit}")


@doors.get("/merchant/handout/slip")
def slips(request: Request, who: Who, typed: Typed = "") -> Response:
    """The order that somebody names by its number, or by any three characters of it."""
    with transaction() as tx:
        desk = open_desk(tx, who)
        found = list_waiting_like(tx, merchant=desk.business.merchant, typed="".join(typed.split()))
        if len(found) == 1:
            return see_other(request, f"{HOME}/orders/{found[0].order.number}")
        products, points = find_products(tx, found), name_points(tx)
        since = find_since(tx, order_ids=[detail.order.id for detail in found])
    rows = tuple(show_row(each, products, points=points, since_at=since[each.order.id]) for each in found)
    return render(request, "merchant/handout_slips.html", HandoutSlips(typed=typed, rows=rows))


@doors.get("/merchant/handout/orders/{number}")
def slip_page(request: Request, who: Who, number: Number) -> Response:
    """One order, to be given to whoever knows its slip."""
    return _slip(request, who, number, {})


@doors.post("/merchant/handout/orders/{number}")
def give_by_slip(
    request: Request,
    who: Who,
    number: Number,
    fields: Fields,
    *,
    key: Key,
    digits: Annotated[str, Form(max_length=20)] = "",
    came: Annotated[str, Form(max_length=10)] = "member",
    proxy_name: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Give what was keyed to whoever said the slip's digits; of a proxy the name is kept beside the buyer's."""
    try:
        handing_out.hand_out_by_slip(
            staff_id=staff_of(who),
            number=number,
            digits="".join(digits.split()),
            units=_read_units(fields),
            proxy_name=proxy_name if came == "proxy" else None,
            key=key,
            at=now(),
        )
    except OrderUnknownError:
        raise
    except DomainError as refusal:
        return _slip(request, who, number, fields, error=refusal)
    return see_other(request, f"{HOME}/orders/{number}/done")


@doors.get("/merchant/handout/orders/{number}/done")
def done(request: Request, who: Who, number: Number, visit: Annotated[UUID | None, Query()] = None) -> Response:
    """What was given out last of this order, and what is next."""
    at = now()
    with transaction() as tx:
        desk = open_desk(tx, who)
        detail = read_order(tx, desk, number)
        handouts = queries.list_handouts(tx, order_id=detail.order.id)
        if not handouts:
            raise PageUnknownError
        last, products = handouts[-1], find_products(tx, [detail])
        undoable = undo.find_undoable(tx, order_id=detail.order.id, at=at)
        if last.id in undo.list_undone(tx, order_id=detail.order.id):
            return see_other(request, f"/merchant/orders/{number}")
        more = 0
        if visit is not None:
            waiting = queries.list_collectable(tx, merchant=desk.business.merchant, subject=detail.order.subject)
            more = len(waiting)
    view = HandoutDone(
        number=number,
        given=tuple(
            show_goods(line, products, qty=last.units[line.line]) for line in detail.lines if line.line in last.units
        ),
        at=last.at,
        proxy_name=last.proxy_name,
        undo=show_undo(undoable),
        waiting_count=sum(line.waiting for line in detail.lines),
        visit_id=None if visit is None else str(visit),
        more_count=more,
    )
    return render(request, "merchant/handout_done.html", view)


@doors.post("/merchant/handout/orders/{number}/undo")
def take_back(request: Request, who: Who, number: Number, handout: Annotated[UUID, Form()]) -> Response:
    """The hand-out was a mistake: it is as if nothing of it was given."""
    try:
        handing_out.undo_handout(staff_id=staff_of(who), number=number, handout_id=handout, at=now())
    except OrderUnknownError:
        raise
    except DomainError as refusal:
        return show_order_page(request, who, number, error=refusal)
    return see_other(request, f"/merchant/orders/{number}", notice="handout_undone")


def _read_units(fields: Mapping[str, object]) -> dict[str, int]:
    units = read_line_units(fields)
    if not units:
        raise HandoutUnitsError(line="—", left=0)
    return units


def _open(request: Request, who: Principal, scanned: str, *, by_scan: bool) -> Response:
    if slip := SLIP.fullmatch(scanned.strip()):
        # The slip's picture holds the order's number and its digits: what somebody would say and type.
        return _slip(request, who, slip["number"], {"digits": slip["digits"]})
    try:
        seen = handing_out.show_card(staff_id=staff_of(who), scanned=scanned, at=now())
    except DomainError as refusal:
        # A camera that starts again at once would read the same code again: the sentence is read first.
        if by_scan or isinstance(refusal, TooManyTriesError):
            return refused(request, refusal, next_href=HOME)
        return _code(request, who, scanned, refusal)
    return see_other(request, f"{HOME}/cards/{seen.visit_id}")


def _scan(request: Request, who: Principal, error: DomainError | None) -> Response:
    with transaction() as tx:
        open_desk(tx, who)
    view = HandoutScan(error=error.sentence(language_of(request)) if error else None)
    return render(request, "merchant/handout_scan.html", view, status=error.status if error else 200)


def _code(request: Request, who: Principal, code: str, error: DomainError | None) -> Response:
    with transaction() as tx:
        open_desk(tx, who)
    shown = "".join(digit for digit in code if digit.isascii() and digit.isdecimal())[:8]
    view = HandoutCode(code=shown, error=error.sentence(language_of(request)) if error else None)
    return render(request, "merchant/handout_code.html", view, status=error.status if error else 200)


def _card(
    request: Request,
    who: Principal,
    visit: UUID,
    *,
    number: str = "",
    fields: Mapping[str, object] | None = None,
    error: DomainError | None = None,
) -> Response:
    at = now()
    try:
        with transaction() as tx:
            desk = open_desk(tx, who)
            opened = cards.get_open_visit(tx, visit_id=visit, shop_id=desk.business.merchant_id, at=at)
            shopper = cards.get_shopper(tx, visit_id=visit, shop_id=desk.business.merchant_id, at=at)
            found = queries.list_collectable(tx, merchant=desk.business.merchant, subject=shopper.subject)
            products, points = find_products(tx, found), name_points(tx)
    except OVER as refusal:
        return refused(request, refusal, next_href=HOME)
    view = HandoutCard(
        visit_id=str(visit),
        surname=opened.surname,
        opened_at=opened.opened_at,
        expires_at=opened.expires_at,
        orders=tuple(
            _show_order(each, products, points, fields if each.order.number == number else None) for each in found
        ),
        error=error.sentence(language_of(request)) if error else None,
    )
    return render(request, "merchant/handout_card.html", view, status=error.status if error else 200)


def _slip(
    request: Request, who: Principal, number: str, fields: Mapping[str, object], *, error: DomainError | None = None
) -> Response:
    with transaction() as tx:
        desk = open_desk(tx, who)
        detail = read_order(tx, desk, number)
        if error is None and (detail.order.state not in WAITING or detail.order.handover != "pickup"):
            return see_other(request, f"/merchant/orders/{number}")
        keyed = fields if error is not None else None
        order = _show_order(detail, find_products(tx, [detail]), name_points(tx), keyed)
        name = surname(cards.get_name(tx, subject=detail.order.subject))
    view = HandoutSlip(
        order=order,
        surname=name,
        is_proxy=fields.get("came") == "proxy",
        proxy_name=str(fields.get("proxy_name", ""))[:40],
        digits=str(fields.get("digits", ""))[:8] if error is None else "",
        error=error.sentence(language_of(request)) if error else None,
    )
    return render(request, "merchant/handout_slip.html", view, status=error.status if error else 200)


def _show_order(
    detail: OrderDetail, products: Products, points: Mapping[str, str], fields: Mapping[str, object] | None
) -> HandoutOrder:
    """An order to give out; what was keyed comes back as it was, if it can be read."""
    try:
        units = None if fields is None else read_line_units(fields)
    except DomainError:
        units = None
    order = detail.order
    return HandoutOrder(
        number=order.number,
        at=order.at,
        state=order.state,
        point=None if order.point is None else points.get(order.point, order.point),
        lines=show_order_lines(detail, products, most={line.line: line.waiting for line in detail.lines}, units=units),
        key=f"page:{new_id()}",
    )
