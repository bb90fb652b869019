"""A member asks to give things of an order back: which pieces and why; first what that would bring. No money moves here."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import Request, Response

import cards
from api.access import Doors, Fields, Who
from api.door import language_of, see_other
from api.errors import PageUnknownError
from api.pages.asked import show_causes
from api.pages.kit import render
from api.pages.member_orders import show_thing
from api.pages.views import AskLine, ReturnAsk
from api.routes.basket_pages import make_labels, read_key
from api.routes.member_pages import member_of
from api.routes.order_pages import Number
from api.routes.till_sales import NothingToRefundError
from api.shopping import ask_return
from api.supplier import find_products, read_line_units
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.kit.ids import new_id
from market.sales.orders import queries
from market.sales.orders.counter import preview_take_back
from market.sales.orders.requests import ASKED_WITHIN, MOST_WORDS, Asked, NothingToAskError, can_ask
from market.sales.orders.states import OrderUnknownError

doors = Doors(include_in_schema=False)


@doors.get("/orders/{number}/request")
def ask_page(request: Request, who: Who, number: Number) -> Response:
    """What can be given back; the only piece there is stands chosen."""
    return _show(request, member_of(who), number, None)


@doors.post("/orders/{number}/request/preview")
def preview(request: Request, who: Who, number: Number, fields: Fields) -> Response:
    """What these pieces would bring."""
    return _show(request, member_of(who), number, fields)


@doors.post("/orders/{number}/request")
def ask(request: Request, who: Who, number: Number, fields: Fields) -> Response:
    """Ask; the same form sent twice asks once."""
    member_id = member_of(who)
    try:
        if not (units := read_line_units(fields)):
            raise NothingToRefundError
        asked = Asked(units, str(fields.get("cause", "")), str(fields.get("words", "")))
        ask_return(member_id=member_id, number=number, asked=asked, key=read_key(fields), at=now())
    except (OrderUnknownError, PageUnknownError):
        raise
    except DomainError as refusal:
        return _show(request, member_id, number, fields, error=refusal)
    return see_other(request, f"/orders/{number}", notice="return_asked")


def _show(
    request: Request,
    member_id: UUID,
    number: str,
    fields: Mapping[str, object] | None,
    *,
    error: DomainError | None = None,
) -> Response:
    at, language = now(), language_of(request)
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_id)
        detail = queries.get_member_order(tx, subject=subject, number=number)
        if error is None and not can_ask(tx, order_id=detail.order.id, lines=detail.lines, at=at):
            error = NothingToAskError(days=ASKED_WITHIN.days)
        products = find_products(tx, [detail])
        units = _read(fields) if fields is not None else _whole(detail)
        back_fen = subsidy_back_fen = 0
        wanted = {line.line: units[line.line] for line in detail.lines if 1 <= units.get(line.line, 0) <= line.handed}
        if wanted:
            back = preview_take_back(tx, detail=detail, units=wanted, whence="member")
            back_fen, subsidy_back_fen = back.paid_fen, back.subsidy_fen
    said = fields or {}
    view = ReturnAsk(
        number=number,
        merchant_name=make_labels(request, products, {detail.order.merchant}).merchants[detail.order.merchant],
        lines=tuple(
            AskLine(
                line=line.line,
                thing=show_thing(products.get(line.product_id), name=line.name, variant=line.variant),
                units=units.get(line.line, 0),
                most=line.handed,
            )
            for line in detail.lines
            if line.handed
        ),
        causes=show_causes(str(said.get("cause", "")), language),
        words=str(said.get("words", ""))[: 4 * MOST_WORDS],
        back_fen=back_fen,
        subsidy_back_fen=subsidy_back_fen,
        key=str(new_id()),
        error=error.sentence(language) if error else None,
    )
    return render(request, "orders/ask.html", view, block="back", status=error.status if error else 200)


def _read(fields: Mapping[str, object]) -> dict[str, int]:
    try:
        return read_line_units(fields)
    except DomainError:
        return {}


def _whole(detail: queries.OrderDetail) -> dict[str, int]:
    """Where one piece is all there is, it is meant."""
    there = {line.line: line.handed for line in detail.lines if line.handed}
    return there if sum(there.values()) == 1 else {}
