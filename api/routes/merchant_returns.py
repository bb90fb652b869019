"""A supplier takes goods back: pieces by line, from the member's hands or from the shelf; first what goes back to whom, then the button."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Form, Query, Request, Response
from sqlalchemy.orm import Session

from api import handing_out
from api.access import Doors, Fields, Who
from api.door import language_of, see_other
from api.identity import Principal
from api.pages.asked import say_cause
from api.pages.kit import render
from api.pages.orders import show_order_lines
from api.pages.views.supplier import BackShown, OrderReturn
from api.routes.merchant_orders import Number, read_order, show_requests
from api.routes.till_pages import Fen, Key
from api.routes.till_sales import NothingToRefundError, RefundChangedError
from api.supplier import Desk, find_products, open_desk, read_line_units, staff_of
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError, InvalidError
from market.kit.ids import new_id
from market.sales.orders.counter import list_returns, preview_take_back
from market.sales.orders.queries import OrderDetail
from market.sales.orders.requests import get_request
from market.sales.orders.states import OrderUnknownError
from market.sales.orders.take_back import TakenBack, Whence

doors = Doors(include_in_schema=False)

MOST_REASON = 100


class ReturnReasonError(InvalidError):
    """A return without a reason, or with one that is too long."""

    code = "RETURN_REASON"
    zh = "请写一句退货原因（不超过 {most} 个字）。"
    en = "Say in a sentence why it comes back, in at most {most} characters."


@doors.get("/merchant/orders/{number}/return")
def return_page(
    request: Request, who: Who, number: Number, whence: Annotated[Whence | None, Query()] = None
) -> Response:
    """What can come back of an order; nothing is chosen yet."""
    return _show(request, who, number, {"whence": whence or ""})


@doors.post("/merchant/orders/{number}/return/preview")
def preview(request: Request, who: Who, number: Number, fields: Fields) -> Response:
    """What these pieces would bring back, to whom."""
    return _show(request, who, number, fields, previewed=True)


@doors.post("/merchant/orders/{number}/return")
def take_back(
    request: Request, who: Who, number: Number, fields: Fields, *, key: Key, expected_to_member_fen: Fen
) -> Response:
    """Take back what was previewed; the same form sent twice is one return."""
    try:
        taken = _read(fields)
        with transaction() as tx:
            detail = read_order(tx, open_desk(tx, who), number)
            if not _is_done(tx, detail, key):
                back = preview_take_back(tx, detail=detail, units=taken.units, whence=taken.whence)
                if back.paid_fen != expected_to_member_fen:
                    raise RefundChangedError
        handing_out.return_lines(staff_id=staff_of(who), number=number, taken=taken, key=key, at=now())
    except OrderUnknownError:
        raise
    except DomainError as refusal:
        return _show(request, who, number, fields, previewed=True, error=refusal)
    return see_other(request, f"/merchant/orders/{number}", notice="order_returned")


@doors.post("/merchant/orders/{number}/request/accept")
def accept(
    request: Request,
    who: Who,
    number: Number,
    *,
    asked: Annotated[UUID, Form(alias="request")],
    expected_to_member_fen: Fen,
    goods: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Take back what the member asked to give back, at the sum that was shown; a request is accepted once, however often."""
    language, staff_id = language_of(request), staff_of(who)
    try:
        with transaction() as tx:
            detail = read_order(tx, open_desk(tx, who), number)
            row = get_request(tx, order_id=detail.order.id, request_id=asked)
            if row.state == "open":
                back = preview_take_back(tx, detail=detail, units=row.units, whence="member")
                if back.paid_fen != expected_to_member_fen:
                    raise RefundChangedError
        handing_out.accept_return(
            staff_id=staff_id,
            number=number,
            request_id=asked,
            is_restocked=goods != "write_off",
            reason=row.words or say_cause(row, language),
            at=now(),
        )
    except OrderUnknownError:
        raise
    except DomainError as refusal:
        return _show(request, who, number, {"goods": goods}, error=refusal)
    return see_other(request, f"/merchant/orders/{number}", notice="order_returned")


def _is_done(tx: Session, detail: OrderDetail, key: str) -> bool:
    sale_id = detail.order.sale_id
    return sale_id is not None and any(back.key == key for back in list_returns(tx, sale_id=sale_id))


def _read(fields: Mapping[str, object]) -> TakenBack:
    """What a form says is taken back. Raises UnitsUnreadableError, NothingToRefundError, ReturnReasonError."""
    units = read_line_units(fields)
    if not units:
        raise NothingToRefundError
    reason = " ".join(str(fields.get("reason", "")).split())
    if not 1 <= len(reason) <= MOST_REASON:
        raise ReturnReasonError(most=MOST_REASON)
    whence: Whence = "member" if fields.get("whence") == "member" else "shelf"
    return TakenBack(units, whence, is_restocked=fields.get("goods") != "write_off", reason=reason)


def _show(
    request: Request,
    who: Principal,
    number: str,
    fields: Mapping[str, object],
    *,
    previewed: bool = False,
    error: DomainError | None = None,
) -> Response:
    with transaction() as tx:
        desk = open_desk(tx, who)
        detail = read_order(tx, desk, number)
        shown = None
        if previewed:
            try:
                shown = _preview(tx, detail, fields)
            except DomainError as refusal:
                error = error or refusal
        view = _view(
            tx, desk, detail, fields, shown=shown, error=error.sentence(language_of(request)) if error else None
        )
        waiting = [each for each in show_requests(tx, desk, detail, language_of(request)) if each.state == "open"]
        if waiting and view.whence == "member":
            row = get_request(tx, order_id=detail.order.id, request_id=UUID(waiting[0].request_id))
            view = replace(view, asked=waiting[0], preview=_shown(tx, detail, row.units))
    return render(request, "merchant/return.html", view, block="back", status=error.status if error else 200)


def _preview(tx: Session, detail: OrderDetail, fields: Mapping[str, object]) -> BackShown:
    taken = _read(fields)
    return _shown(tx, detail, taken.units, whence=taken.whence)


def _shown(tx: Session, detail: OrderDetail, units: Mapping[str, int], *, whence: Whence = "member") -> BackShown:
    back = preview_take_back(tx, detail=detail, units=units, whence=whence)
    return BackShown(
        pieces=sum(units.values()),
        to_member_fen=back.paid_fen,
        subsidy_back_fen=back.subsidy_fen,
        concession_back_fen=back.concession_fen,
        rebate_back_fen=sum(back.rebates.values()),
        key=f"page:{new_id()}",
    )


def _view(
    tx: Session,
    desk: Desk,
    detail: OrderDetail,
    fields: Mapping[str, object],
    *,
    shown: BackShown | None,
    error: str | None,
) -> OrderReturn:
    can_member = any(line.handed for line in detail.lines)
    can_shelf = any(line.waiting for line in detail.lines) and detail.order.sale_id is not None
    whence: Whence = "shelf" if fields.get("whence") == "shelf" or not can_member else "member"
    most = {line.line: line.handed if whence == "member" else line.waiting for line in detail.lines}
    try:
        units = read_line_units(fields)
    except DomainError:
        units = {}
    return OrderReturn(
        number=detail.order.number,
        state=detail.order.state,
        lines=show_order_lines(detail, find_products(tx, [detail]), most=most, units=units),
        whence=whence,
        can_member=can_member,
        can_shelf=can_shelf,
        is_owner=desk.is_owner,
        is_restocked=fields.get("goods") != "write_off",
        reason=str(fields.get("reason", ""))[: 4 * MOST_REASON],
        asked=None,
        preview=shown,
        error=error,
    )
