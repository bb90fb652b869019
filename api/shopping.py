"""The member's door to orders: who may benefit meets what is offered and who is paid. Routes, demo and tests call these functions.

Whatever talks to the payment provider takes the gateway first and does so outside any transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import cards
import merchants
from api.cancelling import cancel
from market.kit.database import transaction
from market.kit.errors import ConflictError, DomainError, InvalidError, unreachable
from market.ledger.operations import BalanceShortError
from market.offers.live import LiveBook, get_book
from market.payments.gateway import PaymentGateway
from market.payments.operations import Checkout, ask_payment, open_payment, read_payment
from market.sales.orders import requests
from market.sales.orders.models import ReturnRequest
from market.sales.orders.money import LISTENER, find_waiting_payment
from market.sales.orders.pay import pay_order
from market.sales.orders.place import WantedBasket, WantedOrder, find_placed, place_orders, price_orders
from market.sales.orders.queries import OrderDetail, get_member_order, get_orders
from market.sales.orders.requests import Asked
from market.sales.orders.states import By, OrderStateError, OrderUnknownError, lock_order
from market.sales.parties import Ware
from merchants import OfferedLine

TRIES: Final = 8  # an order that lost a race for the last piece or fen is tried again with what is left
MOST_ADDRESS: Final = 200


class HandoverUnknownError(ConflictError):
    """What is ordered is not handed over in this way, or not at this point."""

    code = "HANDOVER_UNKNOWN"
    zh = "{item} 不支持所选的取货方式或自提点，请重新选择。"
    en = "{item} is not handed over in this way or at this point; choose another."


class AddressError(InvalidError):
    """A delivery without a place, or one that is too long."""

    code = "ADDRESS_INVALID"
    zh = "请填写送货地点（不超过 {most} 个字）。"
    en = "Say where to deliver, in at most {most} characters."


class NoPaymentAccountError(ConflictError):
    """The merchant has no account at the provider yet, so nobody could be paid."""

    code = "NO_PAYMENT_ACCOUNT"
    zh = "这家商户还没有开通线上收款，暂时不能下单。请联系商户或工会。"
    en = "This merchant cannot be paid online yet, so nothing can be ordered. Ask the merchant or the union."


class OrderExpiredError(ConflictError):
    """The 15 minutes to pay are over."""

    code = "ORDER_EXPIRED"
    zh = "付款时间已过，订单已释放。请重新下单。"
    en = "The time to pay is over and the order is released. Place a new order."


@dataclass(frozen=True, slots=True)
class HandoverKeyed:
    """How a merchant's goods are wanted: at a pick-up point (by its code), or delivered to a place."""

    handover: Literal["pickup", "delivery"]
    point: str | None = None
    deliver_to: str | None = None


@dataclass(frozen=True, slots=True)
class BasketKeyed:
    """Pieces by item, how each merchant (by code) is to hand over, and the prices that were shown (fen), if any were."""

    items: Mapping[UUID, int]
    handovers: Mapping[str, HandoverKeyed]
    expected_paid_fen: Mapping[str, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """The body as stored with the orders."""
        return {
            "items": [[str(item_id), qty] for item_id, qty in self.items.items()],
            "handovers": {
                merchant: [keyed.handover, keyed.point, keyed.deliver_to] for merchant, keyed in self.handovers.items()
            },
            "expected_paid_fen": None if self.expected_paid_fen is None else dict(self.expected_paid_fen),
        }


@dataclass(frozen=True, slots=True)
class OrderPriced:
    """What an order would be: its lines and its quote in the form of the pricing document."""

    merchant: str
    lines: Sequence[OfferedLine]
    quote: Mapping[str, Any]


def price_basket(*, member_id: UUID, items: Mapping[UUID, int], at: datetime) -> list[OrderPriced]:
    """What each order of a basket would come to, in basket order, each on what earlier ones left. No effect.

    Raises the refusals of `merchants.get_offered_lines` and of `cards.standing`.
    """
    live = get_book(at=at)
    with transaction() as tx:
        shopper = cards.lock_member(tx, member_id=member_id, at=at)
        lines = _group(merchants.get_offered_lines(tx, wanted=items, at=at))
        orders = [WantedOrder(merchant, _wares(offered), "pickup") for merchant, offered in lines.items()]
        priced = price_orders(tx, shopper=shopper, orders=orders, live=live, at=at)
    return [
        OrderPriced(merchant, offered, made.quote.to_json())
        for (merchant, offered), made in zip(lines.items(), priced, strict=True)
    ]


def place_basket(*, member_id: UUID, keyed: BasketKeyed, key: str, at: datetime) -> list[OrderDetail]:
    """Order a basket: one order per merchant, reserved for 15 minutes; what subsidies bear wholly is paid at once.

    `key` makes repeats safe: the same key and body get the same orders as they stand now. A refusal has no effect and is not kept:
    what is sold out now may be there in a quarter of an hour, and the same key may then order it.
    """
    live, request = get_book(at=at), keyed.to_json()
    order_ids = _place(member_id, keyed, _Try(key, request, live, at))
    with transaction() as tx:
        placed = get_orders(tx, order_ids=order_ids)
    free = [detail.order for detail in placed if not detail.order.paid_fen and detail.order.state == "placed"]
    if not free:
        return placed
    for order in free:
        pay_nothing(order_id=order.id, subject=order.subject, at=at)
    with transaction() as tx:
        return get_orders(tx, order_ids=order_ids)


def pay_nothing(*, order_id: UUID, subject: UUID, at: datetime) -> None:
    """An order of which the member pays nothing is sold without a provider."""
    with transaction() as tx:
        pay_order(tx, order_id=order_id, payment_id=None, by=By("member", subject), at=at)


def start_payment(gateway: PaymentGateway, *, member_id: UUID, number: str, return_url: str, at: datetime) -> Checkout:
    """Where the member pays this order; asking again gives the same place. `url` None: the provider does not answer, the order waits.

    Raises OrderUnknownError, OrderStateError, OrderExpiredError, NoPaymentAccountError.
    """
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_id)
        order = lock_order(tx, number=number)
        if order.subject != subject:
            raise OrderUnknownError
        if order.state != "placed":
            raise OrderStateError(state=order.state)
        if order.expires_at <= at:
            raise OrderExpiredError
        payment = ask_payment(
            tx,
            purpose_id=order.id,
            merchant=order.merchant,
            account=_get_account(tx, order.merchant),
            title=f"职工内购 {order.number}",
            amount_fen=order.paid_fen,
            livemode=gateway.livemode,
            expires_at=order.expires_at,
            return_url=return_url,
            at=at,
        )
    return open_payment(gateway, payment_id=payment.id, listener=LISTENER, at=at)


def check_payment(gateway: PaymentGateway, *, member_id: UUID, number: str, at: datetime) -> OrderDetail:
    """How an order stands; one that waits for its payment is asked for at the provider. For the page people return to.

    Raises OrderUnknownError, ProviderDownError.
    """
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_id)
        detail = get_member_order(tx, subject=subject, number=number)
        payment_id = find_waiting_payment(tx, order_id=detail.order.id)
    if payment_id is None:
        return detail
    read_payment(gateway, payment_id=payment_id, listener=LISTENER, at=at)
    with transaction() as tx:
        return get_member_order(tx, subject=subject, number=number)


def cancel_order(gateway: PaymentGateway, *, member_id: UUID, number: str, key: str, at: datetime) -> OrderDetail:
    """The member does not want it any more: a placed order is released, a paid one of which nothing was handed out is refunded whole.

    Again changes nothing. Raises OrderUnknownError, OrderStateError.
    """
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_id)
        detail = get_member_order(tx, subject=subject, number=number)
    cancel(gateway, order_id=detail.order.id, by=By("member", subject), reason="cancelled_by_member", key=key, at=at)
    with transaction() as tx:
        return get_member_order(tx, subject=subject, number=number)


def ask_return(*, member_id: UUID, number: str, asked: Asked, key: str, at: datetime) -> ReturnRequest:
    """Ask the merchant to take pieces back. Raises OrderUnknownError and the refusals of `requests.ask_return`."""
    with transaction() as tx:
        order = _get_own(tx, member_id, number).order
        words = Asked(asked.units, asked.cause, " ".join(asked.words.split()))
        return requests.ask_return(tx, subject=order.subject, order_id=order.id, asked=words, key=key, at=at)


def withdraw_return(*, member_id: UUID, number: str, at: datetime) -> ReturnRequest:
    """Keep the things after all. Raises OrderUnknownError, RequestUnknownError, RequestEndedError."""
    with transaction() as tx:
        order = _get_own(tx, member_id, number).order
        return requests.withdraw_request(tx, subject=order.subject, order_id=order.id, at=at)


def _get_own(tx: Session, member_id: UUID, number: str) -> OrderDetail:
    return get_member_order(tx, subject=cards.get_subject(tx, member_id=member_id), number=number)


# --- placing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Try:
    """What a try to place is made with."""

    key: str
    request: Mapping[str, Any]
    live: LiveBook
    at: datetime


def _place(member_id: UUID, keyed: BasketKeyed, attempt: _Try) -> list[UUID]:
    """Place in one transaction; a lost race is tried again, and a twin's answer is this one's."""
    for tries_left in reversed(range(TRIES)):
        try:
            with transaction() as tx:
                return _place_once(tx, member_id, keyed, attempt)
        except (BalanceShortError, IntegrityError):
            if not tries_left:
                raise
        except DomainError:
            with transaction() as tx:
                if done := _find_done(tx, member_id, attempt):
                    return done
            raise
    return unreachable("every try returns or raises")


def _place_once(tx: Session, member_id: UUID, keyed: BasketKeyed, attempt: _Try) -> list[UUID]:
    if done := _find_done(tx, member_id, attempt):
        return done
    shopper = cards.lock_member(tx, member_id=member_id, at=attempt.at)
    lines = _group(merchants.get_offered_lines(tx, wanted=keyed.items, at=attempt.at))
    expected = keyed.expected_paid_fen or {}
    orders = []
    for merchant, offered in lines.items():
        how = _check_handover(keyed.handovers.get(merchant), offered)
        orders.append(
            WantedOrder(merchant, _wares(offered), how.handover, how.point, how.deliver_to, expected.get(merchant))
        )
        _get_account(tx, merchant)
    basket = WantedBasket(orders, attempt.key, attempt.request)
    return place_orders(tx, shopper=shopper, basket=basket, live=attempt.live, at=attempt.at)


def _find_done(tx: Session, member_id: UUID, attempt: _Try) -> list[UUID]:
    subject = cards.get_subject(tx, member_id=member_id)
    return find_placed(tx, subject=subject, key=attempt.key, request=attempt.request)


def _group(lines: Sequence[OfferedLine]) -> dict[str, list[OfferedLine]]:
    """Lines by merchant, merchants in the order in which the basket names them."""
    grouped: dict[str, list[OfferedLine]] = {}
    for line in lines:
        grouped.setdefault(line.merchant_code, []).append(line)
    return grouped


def _wares(lines: Sequence[OfferedLine]) -> list[Ware]:
    return [
        Ware(
            item_id=line.item_id,
            product_id=line.product_id,
            sku=line.sku,
            name=line.name,
            variant=line.variant,
            category=line.category,
            price_fen=line.price_fen,
            qty=line.qty,
            limit=line.limit_per_member,
            sale="" if line.sale_from is None else f"{line.sale_from:%Y%m%dT%H%M%S}",
        )
        for line in lines
    ]


def _check_handover(how: HandoverKeyed | None, lines: Sequence[OfferedLine]) -> HandoverKeyed:
    """The way the goods change hands, if all lines of the merchant can go it. Raises HandoverUnknownError, AddressError."""
    for line in lines:
        if how is None or line.handover not in {how.handover, "both"}:
            raise HandoverUnknownError(item=line.name)
        if how.handover == "pickup" and (how.point not in line.point_codes or how.deliver_to is not None):
            raise HandoverUnknownError(item=line.name)
        if how.handover == "delivery" and how.point is not None:
            raise HandoverUnknownError(item=line.name)
    if how is None:
        unreachable("a merchant is asked for something")
    if how.handover == "delivery" and not 1 <= len((how.deliver_to or "").strip()) <= MOST_ADDRESS:
        raise AddressError(most=MOST_ADDRESS)
    return how


def _get_account(tx: Session, merchant: str) -> str:
    account = merchants.get_payment_account(tx, merchant=merchant)
    if account is None:
        raise NoPaymentAccountError
    return account
