"""Placing: a basket becomes one order per merchant, each priced on what the earlier ones left, all reserved in one statement.

All pricing comes first, all rows after it, the balances last: the stock of a product that thousands want is held for the length of a
commit and no longer.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.kit.errors import ConflictError
from market.kit.ids import new_id, new_public_id
from market.ledger.operations import get_balances, post_together
from market.ledger.postings import Draw, Event, merge_draws, post_order
from market.offers.live import LiveBook
from market.pricing import Line
from market.record.entries import commit_documents
from market.sales.basket import BasketError, RegisterLine, register_lines
from market.sales.documents import basket_document, facts_document
from market.sales.orders.models import Order, OrderLine
from market.sales.orders.states import By, change_row, keep_changes
from market.sales.orders.stock import draw_stock, stock_balance
from market.sales.parties import Shopper, Ware
from market.sales.redeem import Priced, list_documents, price, price_changed, sponsor_parts
from market.sales.repeats import KeyReusedError
from market.sales.standing import make_draws

PAY_WINDOW: Final = timedelta(minutes=15)
MOST_ORDERS: Final = 20
NUMBER_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is read for another
NUMBER_LENGTH: Final = 8
SLIP_DIGITS: Final = 6

_INSERT_ORDER = insert(cast("Table", Order.__table__))
_INSERT_LINE = insert(cast("Table", OrderLine.__table__))
_PLACED = select(Order.request, Order.id).order_by(Order.place)


class SoldOutError(ConflictError):
    """Fewer pieces are free than are wanted; what is reserved and not paid in time comes back."""

    code = "SOLD_OUT"
    zh = "{item} 库存不足（现可购 {left} 件）。未按时付款的订单会释放库存，请稍后再试或修改数量。"
    en = "{item} has {left} left. Pieces of orders that are not paid in time come back: try again later, or change the number."


class MemberLimitError(ConflictError):
    """The member has bought of this product what one member may."""

    code = "MEMBER_LIMIT"
    zh = "{item} 每位会员限购 {limit} 件，您还可购 {left} 件。请修改数量。"
    en = "Each member may buy {limit} of {item}; {left} are left to you. Change the number."


@dataclass(frozen=True, slots=True)
class WantedOrder:
    """What is wanted of one merchant, how it is to be handed over, and the price that was shown (fen), if one was."""

    merchant: str
    wares: Sequence[Ware]
    handover: str
    point: str | None = None
    deliver_to: str | None = None
    expected_paid_fen: int | None = None


@dataclass(frozen=True, slots=True)
class WantedBasket:
    """The orders of a basket in its order, its key, and the body as sent."""

    orders: Sequence[WantedOrder]
    key: str
    request: Mapping[str, Any]


@dataclass(slots=True)
class _Made:
    """An order on its way: the wish, its price, and what it takes."""

    wanted: WantedOrder
    priced: Priced
    id: UUID
    number: str
    draws: list[Draw]


def find_placed(tx: Session, *, subject: UUID, key: str, request: Mapping[str, Any]) -> list[UUID]:
    """The orders that this person's key made, in their place; none when the key is new. Raises KeyReusedError for another body."""
    rows = tx.execute(_PLACED.where(Order.subject == subject, Order.key == key)).all()
    if rows:
        first, sent = rows[0].request, json.loads(json.dumps(dict(request)))
        if first != sent:
            raise KeyReusedError(field=min(name for name in {*first, *sent} if first.get(name) != sent.get(name)))
    return [row.id for row in rows]


def price_orders(
    tx: Session, *, shopper: Shopper, orders: Sequence[WantedOrder], live: LiveBook, at: datetime
) -> list[Priced]:
    """What each order of a basket would come to, one after the other, without any effect. Raises BasketError."""
    return [made.priced for made in _price(tx, shopper=shopper, orders=orders, live=live, at=at)]


def place_orders(tx: Session, *, shopper: Shopper, basket: WantedBasket, live: LiveBook, at: datetime) -> list[UUID]:
    """Reserve a basket: its orders wait 15 minutes for their payment. The caller has locked the shopper and found no order of this key.

    First refusal that holds: BasketError, MemberLimitError, SoldOutError, PriceChangedError. Raises BalanceShortError when somebody
    else took the last of something since it was read: the caller rolls back and tries again with what is left.
    """
    _check(basket)
    limits = _check_left(tx, shopper.subject, basket.orders)
    made = _price(tx, shopper=shopper, orders=basket.orders, live=live, at=at)
    for order in made:
        if order.wanted.expected_paid_fen not in (None, order.priced.quote.payable):
            raise price_changed(order.priced.quote)
    orders = _order_rows(shopper, basket, made, at)
    lines = [row for order in made for row in _line_rows(order, limits)]
    changes = [
        change_row(order.id, None, "placed", by=By("member", shopper.subject), reason="placed", at=at) for order in made
    ]
    booked = [
        (Event("order", order.id, business_day(at), at), post_order(order.number, sponsor_parts(order.priced.quote)))
        for order in made
    ]
    reserved = [
        draw
        for order in made
        for ware in order.wanted.wares
        for draw in draw_stock(ware.item_id, ware.qty, part="free", to="reserved")
    ]
    draws = merge_draws([*(draw for order in made for draw in order.draws), *limits.values(), *reserved])
    # From here on nothing but a balance emptied in the meantime can fail.
    tx.connection().execute(_INSERT_ORDER, orders)
    tx.connection().execute(_INSERT_LINE, lines)
    keep_changes(tx, changes)
    post_together(tx, booked=booked, draws=draws)
    return [order.id for order in made]


def _check(basket: WantedBasket) -> None:
    """One order per merchant, each thing once. Raises BasketError."""
    if not 1 <= len(basket.orders) <= MOST_ORDERS:
        raise BasketError(field="basket", problem=f"1 – {MOST_ORDERS}")
    merchants = [order.merchant for order in basket.orders]
    things = [ware.item_id for order in basket.orders for ware in order.wares]
    if len(set(merchants)) != len(merchants) or len(set(things)) != len(things):
        raise BasketError(field="basket", problem="重复 / twice the same")


def _check_left(tx: Session, subject: UUID, orders: Sequence[WantedOrder]) -> dict[UUID, Draw]:
    """The draws on the member's limits by item. Raises MemberLimitError, then SoldOutError; one statement reads all."""
    wares = [ware for order in orders for ware in order.wares]
    limits = {
        ware.item_id: Draw(_limit_balance(ware, subject), ware.qty, "piece", ware.limit)
        for ware in wares
        if ware.limit is not None
    }
    free = {ware.item_id: stock_balance(ware.item_id, "free") for ware in wares}
    left = get_balances(tx, [*{draw.balance for draw in limits.values()}, *free.values()])
    wanted = {draw.balance: draw.amount for draw in merge_draws(limits.values())}
    for ware in wares:
        if draw := limits.get(ware.item_id):
            allowed = left.get(draw.balance, ware.limit or 0)
            if wanted[draw.balance] > allowed:
                raise MemberLimitError(item=ware.name, limit=ware.limit or 0, left=allowed)
    for ware in wares:
        if ware.qty > (there := left.get(free[ware.item_id], 0)):
            raise SoldOutError(item=ware.name, left=there)
    return limits


def _limit_balance(ware: Ware, subject: UUID) -> str:
    """What counts one member's pieces of a product within one sale; another limit or another sale counts anew."""
    return f"limit:{ware.product_id}:{ware.limit}:{ware.sale}:{subject}"


def _price(
    tx: Session, *, shopper: Shopper, orders: Sequence[WantedOrder], live: LiveBook, at: datetime
) -> list[_Made]:
    """Each order is priced on what those before it left of purses and quotas."""
    spent: dict[str, int] = {}
    made = []
    for wanted in orders:
        priced = price(
            tx,
            subject=shopper.subject,
            facts=shopper.facts,
            shop=None,
            lines=_lines(wanted),
            live=live,
            at=at,
            spent=spent,
        )
        draws = make_draws(priced.quote, live=live, subject=shopper.subject, at=at)
        for draw in draws:
            spent[draw.balance] = spent.get(draw.balance, 0) + draw.amount
        number = "".join(secrets.choice(NUMBER_LETTERS) for _ in range(NUMBER_LENGTH))
        made.append(_Made(wanted, priced, new_id(), number, draws))
    return made


def _lines(wanted: WantedOrder) -> list[Line]:
    """The wares at their list prices, as lines of the engine."""
    rows = [
        RegisterLine(sku=ware.sku, category=ware.category, price_fen=ware.price_fen, qty=ware.qty)
        for ware in wanted.wares
    ]
    return register_lines(merchant=wanted.merchant, rows=rows)


def _order_rows(shopper: Shopper, basket: WantedBasket, made: Sequence[_Made], at: datetime) -> list[dict[str, Any]]:
    basket_id = new_id()
    rows = []
    for place, order in enumerate(made):
        quote, public_id = order.priced.quote, new_public_id()
        lines = basket_document(order.priced.case)
        live = order.priced.live
        facts = facts_document(order.priced.case, quote, book=live.book.number, unnamed=live.unnamed)
        documents = list_documents(subject=shopper.subject, card_id=shopper.card_id, basket=lines, facts=facts)
        rows.append(
            {
                "id": order.id,
                "number": order.number,
                "basket_id": basket_id,
                "place": place,
                "subject": shopper.subject,
                "card_id": shopper.card_id,
                "merchant": order.wanted.merchant,
                "key": basket.key,
                "request": dict(basket.request),
                "at": at,
                "expires_at": at + PAY_WINDOW,
                "state": "placed",
                "handover": order.wanted.handover,
                "point": order.wanted.point,
                "deliver_to": order.wanted.deliver_to,
                "slip": f"{secrets.randbelow(10**SLIP_DIGITS):0{SLIP_DIGITS}}",
                "list_fen": quote.list_total,
                "concession_fen": quote.concession,
                "subsidy_fen": quote.sponsor_pays,
                "paid_fen": quote.payable,
                "rebate_member_fen": quote.rebate,
                "rebate_union_fen": quote.rebate_union,
                "basket": lines,
                "facts": facts,
                "draws": [[draw.balance, draw.amount, draw.unit] for draw in order.draws if draw.amount],
                "public_id": public_id,
                "commitments": commit_documents(documents, commit_key=shopper.commit_key, public_id=public_id),
            }
        )
    return rows


def _line_rows(order: _Made, limits: Mapping[UUID, Draw]) -> list[dict[str, Any]]:
    return [
        {
            "order_id": order.id,
            "line": str(number),
            "item_id": ware.item_id,
            "product_id": ware.product_id,
            "sku": ware.sku,
            "name": ware.name,
            "variant": ware.variant,
            "qty": ware.qty,
            "limit_balance": limits[ware.item_id].balance if ware.item_id in limits else None,
        }
        for number, ware in enumerate(order.wanted.wares, start=1)
    ]
