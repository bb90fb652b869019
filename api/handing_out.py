"""The supplier's door: stock, orders to lay ready, hand-out by card code or slip, delivery, returns. Staff see their own merchant only."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

import cards
import merchants
from api.cancelling import cancel
from api.identity import throttle
from cards.visits import CodeMalformedError, CodeUnknownError
from market.kit.database import transaction
from market.kit.errors import InvalidError, NotFoundError
from market.payments.gateway import PaymentGateway
from market.sales.giving_back import ReturnAnswer
from market.sales.orders import hand_out, requests, stock, undo
from market.sales.orders.hand_out import CardShown, Delivered, HandedOut, Proof, SlipShown, SlipWrongError
from market.sales.orders.queries import OrderDetail, get_merchant_order, list_collectable
from market.sales.orders.states import By
from market.sales.orders.stock import StockLevel
from market.sales.orders.take_back import TakenBack, take_back
from merchants.queries import StaffLeftError, TillUnknownError

WRONG_CODES: Final = (
    20  # wrong card codes that the staff of a merchant may type, and wrong slips of one order, in ten minutes
)
WRONG_SLIPS: Final = 5
WINDOW_SECONDS: Final = 600
MOST_NAME: Final = 40


class StockUnknownError(NotFoundError):
    """No such item at this merchant."""

    code = "STOCK_UNKNOWN"
    zh = "本商户没有这个商品，请在商品列表里查找。"
    en = "This merchant has no such item; look for it in the list of products."


class ProxyNameError(InvalidError):
    """A proxy without a name, or with one that is too long."""

    code = "PROXY_NAME"
    zh = "请填写代领人姓名（不超过 {most} 个字）。"
    en = "Give the name of whoever collects for the member, in at most {most} characters."


@dataclass(frozen=True, slots=True)
class Counter:
    """Where somebody hands out: the merchant by id and code."""

    merchant_id: UUID
    merchant: str


@dataclass(frozen=True, slots=True)
class CardSeen:
    """A card was shown: what its holder may fetch here now, for five minutes."""

    visit_id: UUID
    surname: str
    orders: Sequence[OrderDetail]


def open_counter(tx: Session, *, staff_id: UUID) -> Counter:
    """The merchant of a sign-in, owner or assistant; a suspended one still hands out what was paid.

    Raises TillUnknownError, StaffLeftError.
    """
    person = merchants.find_staff(tx, staff_id=staff_id)
    if person is None:
        raise TillUnknownError
    if person.state != "active":
        raise StaffLeftError
    return Counter(person.merchant_id, merchants.get_merchant(tx, merchant_id=person.merchant_id).merchant)


# --- stock ------------------------------------------------------------------------------------------------------------


def receive_stock(
    *, staff_id: UUID, item_id: UUID, pieces: int, key: str, at: datetime, reason: str = ""
) -> StockLevel:
    """Pieces came in. The same key again changes nothing. Raises StockUnknownError, PiecesError."""
    with transaction() as tx:
        _check_item(tx, staff_id, item_id)
        return stock.receive_stock(tx, item_id=item_id, pieces=pieces, by=staff_id, key=key, at=at, reason=reason)


def take_stock(*, staff_id: UUID, item_id: UUID, counted: int, reason: str, key: str, at: datetime) -> StockLevel:
    """So many pieces were counted on the shelf. Raises StockUnknownError, PiecesError, StockShortError."""
    with transaction() as tx:
        _check_item(tx, staff_id, item_id)
        return stock.take_stock(tx, item_id=item_id, counted=counted, reason=reason, by=staff_id, key=key, at=at)


def write_off_stock(*, staff_id: UUID, item_id: UUID, pieces: int, reason: str, key: str, at: datetime) -> StockLevel:
    """Free pieces are broken or lost. Raises StockUnknownError, PiecesError, StockShortError."""
    with transaction() as tx:
        _check_item(tx, staff_id, item_id)
        return stock.write_off_stock(tx, item_id=item_id, pieces=pieces, reason=reason, by=staff_id, key=key, at=at)


def _check_item(tx: Session, staff_id: UUID, item_id: UUID) -> None:
    counter = open_counter(tx, staff_id=staff_id)
    if not merchants.owns_item(tx, merchant_id=counter.merchant_id, item_id=item_id):
        raise StockUnknownError


# --- hand-out ---------------------------------------------------------------------------------------------------------


def mark_ready(*, staff_id: UUID, numbers: Sequence[str], at: datetime) -> None:
    """These orders lie ready, all or none. Raises OrderUnknownError, OrderStateError."""
    with transaction() as tx:
        counter = open_counter(tx, staff_id=staff_id)
        for number in sorted(set(numbers)):
            order_id = get_merchant_order(tx, merchant=counter.merchant, number=number).order.id
            hand_out.mark_ready(tx, order_id=order_id, by=By("staff", staff_id), at=at)


def show_card(*, staff_id: UUID, scanned: str, at: datetime) -> CardSeen:
    """A member shows his card code, which is consumed: what he may fetch here now. Raises the refusals of `cards.open_visit`."""
    with transaction() as tx:
        counter = open_counter(tx, staff_id=staff_id)
        guesser = f"code:{counter.merchant}"
        throttle.check(tx, key=guesser, limit=WRONG_CODES, window_seconds=WINDOW_SECONDS, at=at)
    try:
        with transaction() as tx:
            visit = cards.open_visit(tx, scanned=scanned, shop_id=counter.merchant_id, staff_id=staff_id, at=at)
            shopper = cards.get_shopper(tx, visit_id=visit.visit_id, shop_id=counter.merchant_id, at=at)
            orders = list_collectable(tx, merchant=counter.merchant, subject=shopper.subject)
    except (CodeUnknownError, CodeMalformedError):
        _count(guesser, WRONG_CODES, at)
        raise
    return CardSeen(visit.visit_id, visit.surname, orders)


def hand_out_by_card(
    *, staff_id: UUID, visit_id: UUID, number: str, units: Mapping[str, int] | None, key: str, at: datetime
) -> OrderDetail:
    """Give pieces to the buyer whose card was shown; `units` None: all that wait. The same key again changes nothing.

    Raises the refusals of `cards.get_shopper` and of `hand_out.hand_out`.
    """
    with transaction() as tx:
        counter = open_counter(tx, staff_id=staff_id)
        shopper = cards.get_shopper(tx, visit_id=visit_id, shop_id=counter.merchant_id, at=at)
        proof = CardShown(shopper.subject, visit_id)
        return _hand_out(tx, counter, staff_id, number, _Given(proof, units), key=key, at=at)


def hand_out_by_slip(
    *,
    staff_id: UUID,
    number: str,
    digits: str,
    units: Mapping[str, int] | None,
    key: str,
    at: datetime,
    proxy_name: str | None = None,
) -> OrderDetail:
    """Give pieces to whoever knows the order's slip: the buyer, or a proxy, whose name is kept beside the buyer's.

    Wrong slips are counted by order. Raises the refusals of `hand_out.hand_out`, ProxyNameError, TooManyTriesError.
    """
    if proxy_name is not None and not 1 <= len(proxy_name.strip()) <= MOST_NAME:
        raise ProxyNameError(most=MOST_NAME)
    guesser = f"slip:{number}"
    try:
        with transaction() as tx:
            counter = open_counter(tx, staff_id=staff_id)
            throttle.check(tx, key=guesser, limit=WRONG_SLIPS, window_seconds=WINDOW_SECONDS, at=at)
            given = _Given(SlipShown(digits), units, None if proxy_name is None else proxy_name.strip())
            return _hand_out(tx, counter, staff_id, number, given, key=key, at=at)
    except SlipWrongError:
        _count(guesser, WRONG_SLIPS, at)
        raise


def deliver(*, staff_id: UUID, number: str, units: Mapping[str, int] | None, key: str, at: datetime) -> OrderDetail:
    """Pieces were brought to where the member wanted them. Raises the refusals of `hand_out.hand_out`."""
    with transaction() as tx:
        counter = open_counter(tx, staff_id=staff_id)
        return _hand_out(tx, counter, staff_id, number, _Given(Delivered(), units), key=key, at=at)


def undo_handout(*, staff_id: UUID, number: str, handout_id: UUID, at: datetime) -> OrderDetail:
    """Take back a hand-out that was a mistake, a moment after it. Again changes nothing.

    Raises OrderUnknownError and the refusals of `undo.undo_handout`.
    """
    with transaction() as tx:
        counter = open_counter(tx, staff_id=staff_id)
        order_id = get_merchant_order(tx, merchant=counter.merchant, number=number).order.id
        undo.undo_handout(tx, order_id=order_id, handout_id=handout_id, staff_id=staff_id, at=at)
        return get_merchant_order(tx, merchant=counter.merchant, number=number)


def accept_return(
    *, staff_id: UUID, number: str, request_id: UUID, is_restocked: bool, reason: str, at: datetime
) -> ReturnAnswer:
    """Take back what the member asked to give back: one effect per request.

    Raises OrderUnknownError and the refusals of `requests.accept_request`.
    """
    with transaction() as tx:
        counter = open_counter(tx, staff_id=staff_id)
        order_id = get_merchant_order(tx, merchant=counter.merchant, number=number).order.id
        request = requests.get_request(tx, order_id=order_id, request_id=request_id)
        taken = TakenBack(request.units, "member", is_restocked, reason, request.id)
        return requests.accept_request(tx, order_id=order_id, taken=taken, by=By("staff", staff_id), at=at)


def decline_return(*, staff_id: UUID, number: str, answer: str, at: datetime) -> None:
    """Do not take back what the member asked to give back; `answer` is why, for him to read.

    Raises OrderUnknownError and the refusals of `requests.decline_request`.
    """
    with transaction() as tx:
        counter = open_counter(tx, staff_id=staff_id)
        order_id = get_merchant_order(tx, merchant=counter.merchant, number=number).order.id
        said = " ".join(answer.split())
        requests.decline_request(tx, order_id=order_id, by=By("staff", staff_id), answer=said, at=at)


def return_lines(*, staff_id: UUID, number: str, taken: TakenBack, key: str, at: datetime) -> ReturnAnswer:
    """Take back pieces: money and subsidy go back by the refund rules, the goods to the stock or out of it. One effect per key.

    Raises OrderUnknownError and the refusals of `take_back`.
    """
    with transaction() as tx:
        counter = open_counter(tx, staff_id=staff_id)
        order_id = get_merchant_order(tx, merchant=counter.merchant, number=number).order.id
        return take_back(tx, order_id=order_id, taken=taken, key=key, by=By("staff", staff_id), at=at)


def cancel_for_member(
    gateway: PaymentGateway,
    *,
    staff_id: UUID,
    number: str,
    key: str,
    at: datetime,
    reason: str = "cancelled_by_merchant",
) -> OrderDetail:
    """The supplier cannot hand out what was ordered: it is released, or refunded whole. `reason` is what the member reads.

    Raises OrderUnknownError, OrderStateError.
    """
    with transaction() as tx:
        counter = open_counter(tx, staff_id=staff_id)
        order_id = get_merchant_order(tx, merchant=counter.merchant, number=number).order.id
    cancel(gateway, order_id=order_id, by=By("staff", staff_id), reason=reason, key=key, at=at)
    with transaction() as tx:
        return get_merchant_order(tx, merchant=counter.merchant, number=number)


@dataclass(frozen=True, slots=True)
class _Given:
    """What is given out: the proof, the pieces, and the proxy's name if one came."""

    proof: Proof
    units: Mapping[str, int] | None
    proxy_name: str | None = None


def _hand_out(
    tx: Session, counter: Counter, staff_id: UUID, number: str, given: _Given, *, key: str, at: datetime
) -> OrderDetail:
    order = get_merchant_order(tx, merchant=counter.merchant, number=number).order
    name = cards.get_name(tx, subject=order.subject)
    handed = HandedOut(given.proof, name, given.units, given.proxy_name)
    hand_out.hand_out(tx, order_id=order.id, given=handed, key=key, staff_id=staff_id, at=at)
    return get_merchant_order(tx, merchant=counter.merchant, number=number)


def _count(guesser: str, limit: int, at: datetime) -> None:
    with suppress(throttle.TooManyTriesError), transaction() as tx:
        throttle.hit(tx, key=guesser, limit=limit, window_seconds=WINDOW_SECONDS, at=at)
