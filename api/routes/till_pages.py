"""The till on one phone: scan or type a code, key the amounts, confirm. It is told list, discount and paid, and a surname; never a reason.

Every form leads to another page by redirect (a reload repeats nothing), and every refusal is said where the assistant stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Form, Request, Response
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

import cards
import merchants
from api import till
from api.access import Doors, Fields, Who
from api.door import language_of, see_other
from api.errors import split_sentence
from api.identity import Principal
from api.pages.kit import render
from api.pages.sales import show_items
from api.pages.views import TillCode, TillHome, TillQuote, TillRefused, TillScan, TillVisit
from api.photo import PhotoUnreadableError, read_code
from api.routes.till_api import staff_of
from api.typed import is_basket_field, read_keyed
from cards.visits import VisitExpiredError, VisitUnknownError, VisitUsedError
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.errors import ConflictError, DomainError, InvalidError
from market.kit.ids import new_id
from market.sales import queries
from market.sales.redeem import PriceChangedError
from market.sales.repeats import KeyReusedError, is_answered
from merchants import ItemPriced, ShopPlace

doors = Doors(include_in_schema=False)

UNUSUAL = 3  # times the median of the shop's last sales

Key = Annotated[str, Form(min_length=8, max_length=128, pattern=r"^[\x21-\x7e]+$")]
Fen = Annotated[int, Form(ge=0, le=10**12)]
# Refusals that end the visit: there is nothing to correct on the page, the next step is another code.
OVER = (VisitUnknownError, VisitExpiredError)


class UnusualAmountError(ConflictError):
    """Far more than this shop usually rings, and nobody said that it is right."""

    code = "UNUSUAL_AMOUNT"
    zh = "金额比平时大很多。请和顾客核对，没有多按一位就勾选确认。"
    en = "This is far more than usual. Check it with the customer, and tick the box if no digit is too many."


@dataclass(frozen=True, slots=True)
class Counter:
    """Where an assistant stands: his shop, and what it rings up when it keys items."""

    staff_id: UUID
    place: ShopPlace
    items: tuple[ItemPriced, ...] = ()


@doors.get("/till")
def home(request: Request, who: Who) -> Response:
    """Three ways to go, and the day so far."""
    with transaction() as tx:
        place = find_counter(tx, who).place
        hours = queries.total_shop_hours(tx, shop_id=place.shop_id, day=business_day(now()))
    view = TillHome(
        shop=place.name,
        merchant=place.merchant_name,
        category=place.category,
        today_count=sum(hour.sales for hour in hours),
        today_paid_fen=sum(hour.paid_fen for hour in hours),
    )
    return render(request, "till/home.html", view)


@doors.get("/till/scan")
def scan_page(request: Request, who: Who) -> Response:
    """The camera, and what to do without one."""
    return _scan(request, who, error=None)


@doors.post("/till/scan")
def scan_photo(request: Request, who: Who, fields: Fields) -> Response:
    """A photo of the member's code opens the visit like the code itself."""
    photo = fields.get("photo")
    try:
        if not isinstance(photo, UploadFile) or not photo.size:
            raise PhotoUnreadableError
        scanned = read_code(photo.file)
    except InvalidError as refusal:
        return _scan(request, who, error=refusal)
    return _open(request, who, scanned, by_scan=True)


@doors.get("/till/code")
def code_page(request: Request, who: Who) -> Response:
    """Eight digits to type."""
    return _code(request, who, code="", error=None)


@doors.post("/till/visits")
def open_visit(
    request: Request,
    who: Who,
    code: Annotated[str, Form(max_length=200)] = "",
    by: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Open the visit of a typed or (`by` = scan) scanned code, and go to its page."""
    return _open(request, who, code, by_scan=by == "scan")


@doors.get("/till/visits/{visit}")
def visit_page(request: Request, who: Who, visit: UUID) -> Response:
    """An open visit, ready to key; what was keyed before comes back as a query."""
    return _visit(request, who, visit, _typed(request.query_params))


@doors.post("/till/visits/{visit}/quote")
def quote(request: Request, who: Who, visit: UUID, fields: Fields) -> Response:
    """The price of what was keyed, to be said to the customer."""
    return _visit(request, who, visit, _typed(fields), priced=True)


@doors.post("/till/visits/{visit}/redeem")
def redeem(
    request: Request,
    who: Who,
    visit: UUID,
    fields: Fields,
    *,
    key: Key,
    expected_paid_fen: Fen,
    confirm_unusual: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Confirm the price that was said. The same form sent twice is one sale; another price comes back to be said again."""
    typed, at = _typed(fields), now()
    try:
        with transaction() as tx:
            counter = find_counter(tx, who)
            keyed = read_keyed(typed, skus=[item.sku for item in counter.items])
            if confirm_unusual != "1" and not is_answered(tx, shop_id=counter.place.shop_id, key=key):
                _check_usual(tx, counter, keyed)
        sale = till.redeem_at_till(
            staff_id=counter.staff_id,
            visit_id=visit,
            keyed=keyed,
            key=key,
            at=at,
            expected_paid_fen=expected_paid_fen,
        )
    except (UnusualAmountError, PriceChangedError, KeyReusedError) as refusal:
        return _visit(request, who, visit, typed, priced=True, error=refusal)
    except VisitUsedError as refusal:
        return refused(request, refusal, next_href="/till/today")
    except OVER as refusal:
        return refused(request, refusal)
    except DomainError as refusal:
        return _visit(request, who, visit, typed, error=refusal)
    return see_other(request, f"/till/sales/{sale.public_id}/done")


def find_counter(tx: Session, who: Principal) -> Counter:
    """The shop of the assistant at the door, closed or not, and its items. Raises TillUnknownError, StaffLeftError."""
    staff_id = staff_of(who)
    place = merchants.get_workplace(tx, staff_id=staff_id)
    items = merchants.list_items(tx, merchant=place.merchant) if place.till == "items" else []
    return Counter(staff_id, place, tuple(items))


def refused(request: Request, error: DomainError, *, next_href: str = "/till/scan") -> Response:
    """A whole page (or its one block) for a refusal after which the page one stood on leads nowhere."""
    sentence, step = split_sentence(error.sentence(language_of(request)))
    view = TillRefused(code=error.code, sentence=sentence, next_step=step, next_href=next_href)
    return render(request, "till/refused.html", view, block="refusal", status=error.status)


def _open(request: Request, who: Principal, scanned: str, *, by_scan: bool) -> Response:
    try:
        opened = till.open_visit_at_till(staff_id=staff_of(who), scanned=scanned, at=now())
    except VisitUsedError as refusal:
        return refused(request, refusal, next_href="/till/today")
    except DomainError as refusal:
        # A camera that starts again at once would read the same code again: the assistant reads the sentence first.
        return refused(request, refusal) if by_scan else _code(request, who, code=scanned, error=refusal)
    return see_other(request, f"/till/visits/{opened.visit_id}")


def _scan(request: Request, who: Principal, *, error: DomainError | None) -> Response:
    with transaction() as tx:
        place = find_counter(tx, who).place
    view = TillScan(shop=place.name, error=error.sentence(language_of(request)) if error else None)
    return render(request, "till/scan.html", view, status=error.status if error else 200)


def _code(request: Request, who: Principal, *, code: str, error: DomainError | None) -> Response:
    with transaction() as tx:
        place = find_counter(tx, who).place
    shown = "".join(digit for digit in code if digit.isascii() and digit.isdecimal())[:8]
    view = TillCode(shop=place.name, code=shown, error=error.sentence(language_of(request)) if error else None)
    return render(request, "till/code.html", view, status=error.status if error else 200)


def _visit(
    request: Request,
    who: Principal,
    visit: UUID,
    typed: Mapping[str, str],
    *,
    priced: bool = False,
    error: DomainError | None = None,
) -> Response:
    """The page of a visit: its form, or (`priced`) what is to be paid for what was keyed, with what was refused on the way."""
    at = now()
    try:
        with transaction() as tx:
            counter = find_counter(tx, who)
            opened = cards.get_open_visit(tx, visit_id=visit, shop_id=counter.place.shop_id, at=at)
    except OVER as refusal:
        return refused(request, refusal)
    quoted = None
    if priced:
        try:
            quoted = _quote(counter, visit, typed, at)
        except VisitUsedError as refusal:
            return refused(request, refusal, next_href="/till/today")
        except OVER as refusal:
            return refused(request, refusal)
        except DomainError as refusal:
            error = refusal
    view = TillVisit(
        visit_id=str(visit),
        shop=counter.place.name,
        surname=opened.surname,
        opened_at=opened.opened_at,
        expires_at=opened.expires_at,
        items=show_items(counter.items, typed, category=counter.place.category),
        discountable=typed.get("discountable", ""),
        other=typed.get("other", ""),
        error=error.sentence(language_of(request)) if error else None,
        quote=quoted,
    )
    return render(request, "till/visit.html", view, block="quote", status=error.status if error else 200)


def _quote(counter: Counter, visit: UUID, typed: Mapping[str, str], at: datetime) -> TillQuote:
    """The price now, under a key of its own: a confirmed price is sold once however often the button is pressed."""
    keyed = read_keyed(typed, skus=[item.sku for item in counter.items])
    made = till.quote_at_till(staff_id=counter.staff_id, visit_id=visit, keyed=keyed, at=at).quote
    with transaction() as tx:
        unusual = _is_unusual(tx, counter, keyed)
    return TillQuote(
        list_fen=made.list_total,
        saved_fen=made.list_total - made.payable,
        paid_fen=made.payable,
        key=f"page:{new_id()}",
        unusual=unusual,
    )


def _check_usual(tx: Session, counter: Counter, keyed: till.Basket) -> None:
    if _is_unusual(tx, counter, keyed):
        raise UnusualAmountError


def _is_unusual(tx: Session, counter: Counter, keyed: till.Basket) -> bool:
    """Whether this comes to more than 3 times what the shop usually rings: one digit too many, mostly."""
    usual = queries.median_list_fen(tx, shop_id=counter.place.shop_id)
    return usual is not None and _list_fen(counter, keyed) > UNUSUAL * usual


def _list_fen(counter: Counter, keyed: till.Basket) -> int:
    match keyed:
        case till.AmountsKeyed():
            return keyed.joining_fen + keyed.other_fen
        case till.ItemsKeyed():
            prices = {item.sku: item.price_fen for item in counter.items}
            return keyed.other_fen + sum(prices[sku] * qty for sku, qty in keyed.items)
        case till.RegisterKeyed():
            return sum(line.price_fen * line.qty for line in keyed.lines)


def _typed(fields: Mapping[str, object]) -> dict[str, str]:
    """What was keyed, of all that was sent; of a field sent twice the last."""
    return {name: value for name, value in fields.items() if isinstance(value, str) and is_basket_field(name)}
