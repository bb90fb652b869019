"""The member's basket: put in, change, take out with undo, choose where to fetch, order all of it with one button."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import Request, Response

import cards
import merchants
from api.access import Doors, Fields, Who
from api.basket import (
    LookedBasket,
    add_to_basket,
    change_basket,
    last_handover,
    look_at_basket,
    order_basket,
)
from api.door import language_of, recount_basket, safe_back, see_other
from api.errors import PageUnknownError
from api.pages.kit import render
from api.pages.member_orders import Handing, Labels, full_name, show_blocks, show_gone
from api.pages.views import ShopBasket, TakenOut
from api.routes.member_pages import member_of
from api.shopping import BasketKeyed, HandoverKeyed
from api.typed import read_units
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.kit.ids import new_id
from market.offers.live import get_book
from market.pricing import Stage
from market.sales.orders.baskets import list_basket

doors = Doors(include_in_schema=False)

MOST_TYPED = 200


@doors.get("/shop/basket")
def basket_page(request: Request, who: Who) -> Response:
    """What lies in the basket, by merchant, with its price now."""
    return _render(request, member_of(who), {})


@doors.post("/shop/basket/lines")
def add(request: Request, who: Who, fields: Fields) -> Response:
    """Put a thing in: back to its page, or on to the basket (`then` = basket)."""
    line = add_to_basket(
        member_id=member_of(who), item_id=read_id(fields.get("item")), qty=read_units(_text(fields, "qty")), at=now()
    )
    if fields.get("then") == "basket":
        return see_other(request, "/shop/basket")
    page = f"/shop/{line.merchant_code}/{line.product_code}"
    return see_other(request, safe_back(_text(fields, "back"), otherwise=page), notice="basket_added")


@doors.post("/shop/basket")
def change(request: Request, who: Who, fields: Fields) -> Response:
    """Other numbers of pieces: as typed, one more or fewer, none at all, or back again."""
    member_id, error, taken_out = member_of(who), None, None
    try:
        pieces = {read_id(name): read_units(typed) for name, typed in _named(fields, "qty").items()}
        for button, more in (("more", 1), ("less", -1)):
            if item := _text(fields, button):
                pieces[read_id(item)] = max(0, pieces.get(read_id(item), 0) + more)
        if item := _text(fields, "drop"):
            pieces[read_id(item)] = 0
        if undo := _text(fields, "undo"):
            item, _, qty = undo.partition(":")
            add_to_basket(member_id=member_id, item_id=read_id(item), qty=read_units(qty), at=now())
        taken_out = _find_taken_out(member_id, pieces)
        change_basket(member_id=member_id, pieces=pieces)
    except DomainError as refusal:
        if isinstance(refusal, PageUnknownError):
            raise
        error = refusal
    return _render(request, member_id, read_handings(fields), error=error, taken_out=taken_out)


@doors.post("/shop/basket/place")
def place(request: Request, who: Who, fields: Fields) -> Response:
    """Order what was shown at the price that was shown; a refusal shows the basket as it stands now, and why."""
    member_id = member_of(who)
    handings = read_handings(fields)
    try:
        keyed = BasketKeyed(
            items={read_id(name): read_units(typed) for name, typed in _named(fields, "wanted").items()},
            handovers={merchant: read_handover(handing) for merchant, handing in handings.items()},
            expected_paid_fen={
                merchant: int(typed) if typed.isdecimal() and typed.isascii() and len(typed) < 16 else -1
                for merchant, typed in _named(fields, "expected").items()
            },
        )
        placed = order_basket(member_id=member_id, keyed=keyed, tokens={}, key=read_key(fields), at=now())
    except DomainError as refusal:
        if isinstance(refusal, PageUnknownError):
            raise
        return _render(request, member_id, handings, error=refusal)
    return see_other(request, f"/orders/b/{placed[0].order.basket_id}")


# --- what forms say ---------------------------------------------------------------------------------------------------


def read_id(text: object) -> UUID:
    """An id that a page of ours has written. Raises PageUnknownError for anything else."""
    try:
        return UUID(str(text))
    except ValueError:
        raise PageUnknownError from None


def read_key(fields: Fields) -> str:
    """The key of an intent, as a page of ours has written it. Raises PageUnknownError."""
    return str(read_id(fields.get("key")))


def read_handings(fields: Fields) -> dict[str, Handing]:
    """How each merchant is to hand over, as chosen."""
    addresses = _named(fields, "deliver_to")
    chosen = _named(fields, "handover")
    return {
        merchant: Handing(chosen.get(merchant, ""), addresses.get(merchant, "")) for merchant in {**chosen, **addresses}
    }


def read_handover(handing: Handing) -> HandoverKeyed:
    """A choice as the order door takes it."""
    if handing.choice == "delivery":
        return HandoverKeyed("delivery", deliver_to=handing.deliver_to.strip())
    return HandoverKeyed("pickup", point=handing.choice.removeprefix("pickup:"))


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return value[: MOST_TYPED + 1] if isinstance(value, str) else ""


def _named(fields: Fields, kind: str) -> dict[str, str]:
    """The fields `kind.<name>` by name."""
    return {name.removeprefix(f"{kind}."): _text(fields, name) for name in fields if name.startswith(f"{kind}.")}


# --- what the page shows ----------------------------------------------------------------------------------------------


def make_labels(request: Request, products: Mapping[UUID, merchants.ProductDetail], codes: set[str]) -> Labels:
    """What things, points and merchants are called."""
    with transaction() as tx:
        points = {point.code: point for point in merchants.list_points(tx, with_closed=True)}
        names = merchants.find_names(tx, codes=codes)
    return Labels(products, points, names, language_of(request))


def _render(
    request: Request,
    member_id: UUID,
    handings: Mapping[str, Handing],
    *,
    error: DomainError | None = None,
    taken_out: TakenOut | None = None,
) -> Response:
    at, language = now(), language_of(request)
    basket = look_at_basket(member_id=member_id, at=at)
    live = get_book(at=at)
    if not handings:
        with transaction() as tx:
            point, address = last_handover(tx, subject=cards.get_subject(tx, member_id=member_id))
        handings = {"": Handing(f"pickup:{point}" if point else "", address)}
    labels = make_labels(request, basket.products, {line.merchant_code for line in basket.lines})
    refusal = error or basket.refusal
    view = ShopBasket(
        blocks=show_blocks(
            basket,
            labels,
            titles=live.titles,
            rebates={offer.id for offer in live.book.offers if offer.stage is Stage.REBATE},
            handings=handings,
        ),
        gone=tuple(show_gone(each, labels) for each in basket.gone),
        taken_out=taken_out,
        error=refusal.sentence(language) if refusal else None,
        key=str(new_id()),
        list_fen=sum(line.price_fen * line.qty for line in basket.lines),
        total_fen=_total(basket),
    )
    recount_basket(request, member_id=member_id)
    return render(request, "shop/basket.html", view, block="basket", status=error.status if error else 200)


def _total(basket: LookedBasket) -> int | None:
    return sum(order.quote["payable"] for order in basket.orders) if basket.orders else None


def _find_taken_out(member_id: UUID, pieces: Mapping[UUID, int]) -> TakenOut | None:
    """The first thing that this change takes out, with what would put it back."""
    with transaction() as tx:
        there = list_basket(tx, subject=cards.get_subject(tx, member_id=member_id))
        item_id = next((each for each, qty in pieces.items() if not qty and each in there), None)
        if item_id is None:
            return None
        [looked] = merchants.look_at_lines(tx, wanted={item_id: there[item_id]}, at=now())
    if looked.line is None or looked.refusal is not None:
        return None
    return TakenOut(name=full_name(looked.line.name, looked.line.variant), undo=f"{item_id}:{there[item_id]}")
