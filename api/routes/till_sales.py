"""What a shop sold today, and how it gives back: a void within ten minutes, a refund by line with the buyer's card."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Form, Path, Query, Request, Response
from sqlalchemy.orm import Session

import merchants
from api import till
from api.access import Doors, Fields, Who
from api.door import language_of, see_other
from api.errors import PageUnknownError
from api.identity import Principal
from api.pages.cursor import read_cursor, write_cursor
from api.pages.kit import render
from api.pages.sales import echo_units, show_lines, show_sale
from api.pages.views import HourCount, RefundShown, TillDone, TillLine, TillSale, TillToday
from api.receipts import find_promise
from api.routes.till_api import staff_of
from api.routes.till_pages import Fen, Key, find_counter, refused
from api.typed import read_units
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.errors import ConflictError, DomainError, NotFoundError, unreachable
from market.kit.ids import new_id
from market.kit.settings import get_settings
from market.sales import queries
from market.sales.giving_back import RefundUnitsError
from market.sales.queries import SaleDetail
from market.sales.repeats import is_answered
from market.sales.returns import SaleUnknownError, SaleVoidedError, preview_refund

doors = Doors(include_in_schema=False)

SALES_ON_PAGE = 50

PublicId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class RefundChangedError(ConflictError):
    """Something else of this sale went back since the amount was shown."""

    code = "REFUND_CHANGED"
    zh = "应退金额变了，刚才可能已退过一部分。请看清新的金额再确认。"
    en = "The amount to give back has changed; part of it may have gone back just now. Look at the new amount, then confirm."


class NothingToRefundError(ConflictError):
    """Not one unit was named."""

    code = "NOTHING_TO_REFUND"
    zh = "还没有选要退的商品。请先填要退几件。"
    en = "Nothing is chosen yet. Say first how many pieces come back."


@doors.get("/till/today")
def today(request: Request, who: Who, before: Annotated[str | None, Query(max_length=200)] = None) -> Response:
    """The day's sales, newest first, with their sums and the picture of the rush; `before` goes on where a page ended."""
    at = now()
    place = read_cursor(before) if before else None
    if before and place is None:
        raise PageUnknownError
    with transaction() as tx:
        shop = find_counter(tx, who).place
        page = queries.page_shop_sales(
            tx, shop_id=shop.shop_id, day=business_day(at), before=place, limit=SALES_ON_PAGE
        )
        hours = queries.total_shop_hours(tx, shop_id=shop.shop_id, day=business_day(at))
    list_fen, paid_fen = sum(hour.list_fen for hour in hours), sum(hour.paid_fen for hour in hours)
    view = TillToday(
        shop=shop.name,
        on=business_day(at),
        sales_count=sum(hour.sales for hour in hours),
        list_fen=list_fen,
        saved_fen=list_fen - paid_fen,
        paid_fen=paid_fen,
        rebate_fen=sum(hour.rebate_fen for hour in hours),
        hours=tuple(HourCount(hour=hour.hour, sales_count=hour.sales) for hour in hours),
        rows=tuple(show_sale(sale, at=at) for sale in page.sales),
        older=write_cursor(page.older) if page.older else None,
    )
    return render(request, "till/today.html", view)


@doors.get("/till/sales/{sale}/done")
def done(request: Request, who: Who, sale: PublicId) -> Response:
    """What was just sold: the figure to say, the code to compare, what is promised, the way back."""
    with transaction() as tx:
        found = _get_sale(tx, who, sale)
    promised = find_promise(get_settings(), public_id=sale)
    view = TillDone(
        sale=show_sale(found.summary, at=now()),
        void_key=_void_key(),
        promise=promised.note if promised else None,
        promise_by=promised.by if promised else None,
    )
    return render(request, "till/done.html", view)


@doors.get("/till/sales/{sale}")
def sale_page(request: Request, who: Who, sale: PublicId) -> Response:
    """One sale with its lines, to void it or to give some of it back."""
    return _sale(request, who, sale, {})


@doors.post("/till/sales/{sale}/void")
def void(request: Request, who: Who, sale: PublicId, key: Key) -> Response:
    """Undo the whole sale; after ten minutes the way is a refund, which stands on the page of the sale."""
    try:
        till.void_at_till(staff_id=staff_of(who), sale=sale, key=key, at=now())
    except SaleUnknownError as refusal:
        return refused(request, refusal, next_href="/till/today")
    except SaleVoidedError:
        # By another page or a colleague. Not to the page that says to hand back the money: that was said where it was voided.
        return see_other(request, f"/till/sales/{sale}")
    except DomainError as refusal:
        return _sale(request, who, sale, {}, error=refusal)
    return see_other(request, f"/till/sales/{sale}/done", notice="sale_voided")


@doors.post("/till/sales/{sale}/refund/preview")
def preview(request: Request, who: Who, sale: PublicId, fields: Fields) -> Response:
    """What giving these units back would come to."""
    return _sale(request, who, sale, _typed(fields), previewed=True)


@doors.post("/till/sales/{sale}/refund")
def refund(
    request: Request,
    who: Who,
    sale: PublicId,
    fields: Fields,
    *,
    key: Key,
    expected_to_member_fen: Fen,
    code: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Give back what was previewed. The code of the buyer's card opens the visit that shows he is here."""
    typed, at = _typed(fields), now()
    try:
        units = _read_units(typed)
        with transaction() as tx:
            shop_id = find_counter(tx, who).place.shop_id
            if not is_answered(tx, shop_id=shop_id, key=key):
                _check_refund(tx, shop_id=shop_id, sale=sale, units=units, expected_fen=expected_to_member_fen)
        visit_id = till.open_visit_at_till(staff_id=staff_of(who), scanned=code, at=at).visit_id
        till.refund_at_till(staff_id=staff_of(who), sale=sale, units=units, visit_id=visit_id, key=key, at=at)
    except SaleUnknownError as refusal:
        return refused(request, refusal, next_href="/till/today")
    except DomainError as refusal:
        return _sale(request, who, sale, typed, previewed=True, error=refusal)
    return see_other(request, f"/till/sales/{sale}", notice="refunded")


def _sale(
    request: Request,
    who: Principal,
    sale: str,
    typed: Mapping[str, str],
    *,
    previewed: bool = False,
    error: DomainError | None = None,
) -> Response:
    """The page of a sale, with (`previewed`) what the named units would bring back, and what was refused on the way."""
    at = now()
    with transaction() as tx:
        found = _get_sale(tx, who, sale)
        shown = None
        if previewed:
            try:
                shown = _preview(tx, found, typed)
            except DomainError as refusal:
                error = error or refusal
        lines = _lines(tx, found, typed, request)
    if isinstance(error, RefundUnitsError):
        names = {line.line: line.name for line in lines}
        error = RefundUnitsError(line=names.get(str(error.facts["line"]), ""), left=error.facts["left"])
    view = TillSale(
        sale=show_sale(found.summary, at=at),
        lines=lines,
        refunded_fen=found.summary.back_paid_fen,
        member_code_needed=True,
        void_key=_void_key(),
        preview=shown,
        error=error.sentence(language_of(request)) if error else None,
    )
    return render(request, "till/sale.html", view, block="refund", status=error.status if error else 200)


def _preview(tx: Session, found: SaleDetail, typed: Mapping[str, str]) -> RefundShown:
    units = _read_units(typed)
    summary = found.summary
    if summary.shop_id is None:
        unreachable("what a till looks at was sold in its shop")
    list_fen, paid_fen = preview_refund(tx, shop_id=summary.shop_id, sale=summary.public_id, units=units)
    return RefundShown(to_member_fen=paid_fen, list_back_fen=list_fen, key=f"page:{new_id()}")


def _check_refund(tx: Session, *, shop_id: UUID, sale: str, units: Mapping[str, int], expected_fen: int) -> None:
    _, to_member_fen = preview_refund(tx, shop_id=shop_id, sale=sale, units=units)
    if to_member_fen != expected_fen:
        raise RefundChangedError


def _lines(tx: Session, found: SaleDetail, typed: Mapping[str, str], request: Request) -> tuple[TillLine, ...]:
    """The lines with what each came to; the offers behind it are the member's to know."""
    paid = {line["line"]: line["pay"] for line in found.quote["lines"]}
    names = merchants.find_item_names(tx, merchant=found.summary.merchant, skus=found.skus)
    named = show_lines(found, names, language_of(request))
    return tuple(
        TillLine(
            line=row["line"],
            name=line.name,
            qty=line.qty,
            returned=line.returned,
            list_fen=line.list_fen,
            paid_fen=paid[row["line"]],
            units=echo_units(typed.get(row["line"], "")),
        )
        for row, line in zip(found.basket, named, strict=True)
    )


def _get_sale(tx: Session, who: Principal, sale: str) -> SaleDetail:
    """A sale of the assistant's own shop. Raises SaleUnknownError."""
    try:
        return queries.get_shop_sale(tx, shop_id=find_counter(tx, who).place.shop_id, public_id=sale)
    except NotFoundError as error:
        raise SaleUnknownError from error


def _typed(fields: Mapping[str, object]) -> dict[str, str]:
    """Units as typed, by line."""
    return {
        name.removeprefix("units."): value
        for name, value in fields.items()
        if name.startswith("units.") and isinstance(value, str)
    }


def _read_units(typed: Mapping[str, str]) -> dict[str, int]:
    """Units to give back by line, those above 0. Raises UnitsUnreadableError, NothingToRefundError."""
    units = {line: count for line, text in typed.items() if (count := read_units(text))}
    if not units:
        raise NothingToRefundError
    return units


def _void_key() -> str:
    """A key for the void button of one page: pressed twice it is one void, and a refusal binds no page drawn later."""
    return f"page:{new_id()}"
