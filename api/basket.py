"""The door of a member's basket: what lies there, what of it can be ordered now and for how much, and ordering it.

Placing itself is `api/shopping.py`; here stands what a basket needs around it, for the pages and the API alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

import cards
import merchants
from api import flash
from api.shopping import BasketKeyed, OrderPriced, place_basket, price_basket
from market.kit.database import transaction
from market.kit.errors import ConflictError, DomainError
from market.sales.orders.baskets import list_basket, put_in_basket, set_basket, take_from_basket
from market.sales.orders.place import SoldOutError, find_placed
from market.sales.orders.queries import OrderDetail, list_member_orders
from market.sales.orders.stock import find_free
from merchants import LookedLine, OfferedLine, ProductDetail
from merchants.offering import OfferedItemUnknownError

Tokens = Mapping[UUID, str]  # by product: the entry tokens of flash sales


class BasketEmptyError(ConflictError):
    """Nothing that can be ordered was in the basket."""

    code = "BASKET_EMPTY"
    zh = "购物篮里没有可以下单的商品。请先选几样。"
    en = "There is nothing in the basket that can be ordered. Choose something first."


class FlashOnlyError(ConflictError):
    """A thing of a flash sale does not lie in a basket."""

    code = "FLASH_ONLY"
    zh = "“{name}”是限时抢购，不放进购物篮。请从它的抢购页进入。"
    en = "“{name}” is in a flash sale and does not go into the basket. Use its waiting page."


@dataclass(frozen=True, slots=True)
class Gone:
    """A thing that lies in the basket and cannot be ordered now."""

    looked: LookedLine
    refusal: DomainError


@dataclass(frozen=True, slots=True)
class LookedBasket:
    """A basket as it stands now: its orders to be, priced if they can be; what is gone; the products behind all of it.

    `refusal` is why there is no price: the card cannot be used.
    """

    orders: Sequence[OrderPriced]
    lines: Sequence[OfferedLine]
    gone: Sequence[Gone]
    products: Mapping[UUID, ProductDetail]
    free: Mapping[UUID, int]
    refusal: DomainError | None


def add_to_basket(*, member_id: UUID, item_id: UUID, qty: int, at: datetime) -> OfferedLine:
    """Put pieces of a thing into the basket.

    Raises the refusals of `merchants.get_offered_lines` and of `put_in_basket`, and FlashOnlyError.
    """
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_id)
        [line] = merchants.get_offered_lines(tx, wanted={item_id: qty}, at=at)
        if line.is_flash:
            raise FlashOnlyError(name=line.name)
        put_in_basket(tx, subject=subject, item_id=item_id, qty=qty, at=at)
    return line


def change_basket(*, member_id: UUID, pieces: Mapping[UUID, int]) -> None:
    """Set how many pieces of things in the basket are wanted; 0 takes a thing out. Raises PiecesWantedError."""
    with transaction() as tx:
        set_basket(tx, subject=cards.get_subject(tx, member_id=member_id), pieces=pieces)


def replace_basket(*, member_id: UUID, pieces: Mapping[UUID, int], at: datetime) -> None:
    """Make the basket just this, in this order; whether its things can be ordered is said when it is looked at."""
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_id)
        take_from_basket(tx, subject=subject, item_ids=list_basket(tx, subject=subject))
        for place, (item_id, qty) in enumerate(pieces.items()):
            put_in_basket(tx, subject=subject, item_id=item_id, qty=qty, at=at + timedelta(microseconds=place))


def look_at_basket(*, member_id: UUID, at: datetime) -> LookedBasket:
    """What lies in the basket, as it could be ordered now; nothing changes."""
    with transaction() as tx:
        wanted = list_basket(tx, subject=cards.get_subject(tx, member_id=member_id))
        looked = merchants.look_at_lines(tx, wanted=wanted, at=at)
        free = find_free(tx, item_ids=wanted)
        products = merchants.get_products(tx, product_ids={each.line.product_id for each in looked if each.line})
    lines, gone = _part(looked, free)
    orders: list[OrderPriced] = []
    refusal: DomainError | None = None
    if lines:
        try:
            orders = price_basket(member_id=member_id, items={line.item_id: line.qty for line in lines}, at=at)
        except DomainError as error:
            refusal = error
    return LookedBasket(orders, lines, gone, products, free, refusal)


def order_basket(*, member_id: UUID, keyed: BasketKeyed, tokens: Tokens, key: str, at: datetime) -> list[OrderDetail]:
    """Order what was shown, and take it out of the basket. The same key and body again: the same orders, also when a token is too old by now.

    Raises BasketEmptyError, flash.EntryTokenError and the refusals of `place_basket`.
    """
    if not keyed.items:
        raise BasketEmptyError
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_id)
        try:
            for line in (each.line for each in merchants.look_at_lines(tx, wanted=keyed.items, at=at)):
                if line is not None and line.is_flash:
                    _check_token(line, tokens, subject, at)
        except flash.EntryTokenError:
            if not find_placed(tx, subject=subject, key=key, request=keyed.to_json()):
                raise
    placed = place_basket(member_id=member_id, keyed=keyed, key=key, at=at)
    with transaction() as tx:
        take_from_basket(tx, subject=subject, item_ids=keyed.items)
    return placed


def last_handover(tx: Session, *, subject: UUID) -> tuple[str | None, str]:
    """Where this person last had something sent: the point's code, and the address of a delivery that is still on its way."""
    latest = [detail.order for detail in list_member_orders(tx, subject=subject, limit=5).orders]
    point = next((order.point for order in latest if order.point), None)
    return point, next((order.deliver_to for order in latest if order.deliver_to), "")


def _part(looked: Sequence[LookedLine], free: Mapping[UUID, int]) -> tuple[list[OfferedLine], list[Gone]]:
    """What can be ordered, and what cannot, with the reason. A limit that is passed is no reason: fewer can be ordered."""
    lines: list[OfferedLine] = []
    gone: list[Gone] = []
    for each in looked:
        if each.line is None:
            gone.append(Gone(each, each.refusal or OfferedItemUnknownError()))
        elif each.refusal is not None and each.refusal.code != "OVER_LIMIT":
            gone.append(Gone(each, each.refusal))
        elif not free.get(each.item_id):
            gone.append(Gone(each, SoldOutError(item=each.line.name, left=0)))
        else:
            lines.append(each.line)
    return lines, gone


def _check_token(line: OfferedLine, tokens: Tokens, subject: UUID, at: datetime) -> None:
    token = tokens.get(line.product_id, "")
    if not flash.fits_token(token, subject=subject, product_id=line.product_id, at=at):
        raise flash.EntryTokenError(name=line.name)
