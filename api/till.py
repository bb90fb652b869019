"""The one door to a redemption: who may benefit meets what is given, in one transaction.

The JSON routes, the pages, the demo works and every replay call these functions and nothing beneath them.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import cards
import merchants
from api.identity import throttle
from cards.visits import CodeMalformedError, CodeUnknownError
from market.kit.database import transaction
from market.kit.errors import DomainError, unreachable
from market.ledger.operations import BalanceShortError
from market.offers.live import get_book
from market.pricing import Line
from market.sales import basket, giving_back, redeem, repeats, returns
from market.sales.parties import Till

WRONG_CODES = (10, 20, 60)  # wrong codes that an assistant, a shop, a merchant may type
WRONG_CODE_SECONDS = 600
TRIES = 8  # a sale that lost a race for the last fen is priced again with what is left
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class AmountsKeyed:
    """Two amounts in fen: what takes part in offers and what does not."""

    joining_fen: int
    other_fen: int


@dataclass(frozen=True, slots=True)
class ItemsKeyed:
    """Catalogue items by code with their quantities, and an amount in fen that takes no part in offers."""

    items: Sequence[tuple[str, int]]
    other_fen: int = 0


@dataclass(frozen=True, slots=True)
class RegisterKeyed:
    """Lines of a shop's own register, priced by it."""

    lines: Sequence[basket.RegisterLine]


Basket = AmountsKeyed | ItemsKeyed | RegisterKeyed


def open_visit_at_till(*, staff_id: UUID, scanned: str, at: datetime) -> cards.OpenVisit:
    """Scanning or typing a card's code opens a visit at this shop and consumes the code; the same shop repeating it gets the same visit.

    Raises the refusals of `cards.open_visit` and `merchants.open_till`; each is kept, without the code. Wrong codes are counted by
    assistant, shop and merchant: TooManyTriesError when one of them guesses.
    """
    guessers: list[tuple[str, int]] = []

    def attempt(tx: Session, till: Till) -> cards.OpenVisit:
        guessers[:] = [
            (f"code:{whose}", limit)
            for whose, limit in zip((till.staff_id, till.shop_id, till.merchant), WRONG_CODES, strict=True)
        ]
        for key, limit in guessers:
            throttle.check(tx, key=key, limit=limit, window_seconds=WRONG_CODE_SECONDS, at=at)
        return cards.open_visit(tx, scanned=scanned, shop_id=till.shop_id, staff_id=till.staff_id, at=at)

    try:
        return _at_till(_Act("visit", staff_id, {}, at), attempt)
    except (CodeUnknownError, CodeMalformedError):
        with suppress(throttle.TooManyTriesError), transaction() as tx:
            for key, limit in guessers:
                throttle.hit(tx, key=key, limit=limit, window_seconds=WRONG_CODE_SECONDS, at=at)
        raise


def quote_at_till(*, staff_id: UUID, visit_id: UUID, keyed: Basket, at: datetime) -> redeem.Priced:
    """What the member of this visit would pay now, without any effect."""
    live = get_book(at=at)

    def attempt(tx: Session, till: Till) -> redeem.Priced:
        shopper = cards.get_shopper(tx, visit_id=visit_id, shop_id=till.shop_id, at=at)
        lines = make_lines(tx, till, keyed)
        return redeem.price(
            tx, subject=shopper.subject, facts=shopper.facts, shop=till.shop, lines=lines, live=live, at=at
        )

    return _at_till(_Act("quote", staff_id, {"visit": str(visit_id)}, at), attempt)


def redeem_at_till(
    *, staff_id: UUID, visit_id: UUID, keyed: Basket, key: str, at: datetime, expected_paid_fen: int | None = None
) -> redeem.SaleAnswer:
    """Redeem the card of this visit: price, book and publish in one transaction, committed before the answer.

    `key` makes repeats safe: the same key and body get the same answer, whatever has happened since. `expected_paid_fen` is the
    price the member agreed to; another price is refused. A refusal has no effect but is kept, and stays the answer to its key.
    """
    live = get_book(at=at)
    request = {"visit": str(visit_id), "basket": keyed_json(keyed), "expected_paid_fen": expected_paid_fen}

    def attempt(tx: Session, till: Till) -> redeem.SaleAnswer:
        if (done := repeats.find_answered(tx, shop_id=till.shop_id, key=key, request=request)) is not None:
            return redeem.get_answer(tx, sale_id=done)
        shopper = cards.get_shopper(tx, visit_id=visit_id, shop_id=till.shop_id, at=at)
        lines = make_lines(tx, till, keyed)
        sale = redeem.Keyed(lines=lines, key=key, request=request, expected_paid_fen=expected_paid_fen)
        return redeem.redeem(tx, shopper=shopper, till=till, keyed=sale, live=live, at=at)

    return _at_till(_Act("redeem", staff_id, request, at, key), attempt)


def void_at_till(*, staff_id: UUID, sale: str, key: str, at: datetime) -> giving_back.ReturnAnswer:
    """Undo a whole sale (by its public id) within 10 minutes; everything goes back to where it came from."""
    request = {"sale": sale}

    def attempt(tx: Session, till: Till) -> giving_back.ReturnAnswer:
        if (done := repeats.find_answered(tx, shop_id=till.shop_id, key=key, request=request)) is not None:
            return giving_back.get_answer(tx, reversal_id=done)
        return returns.void_sale(tx, till=till, sale=sale, key=key, request=request, at=at)

    return _at_till(_Act("void", staff_id, request, at, key), attempt)


def refund_at_till(
    *, staff_id: UUID, sale: str, units: Mapping[str, int], visit_id: UUID, key: str, at: datetime
) -> giving_back.ReturnAnswer:
    """Give back units of lines of a sale, with the member present: `visit_id` was opened by the code of the buyer's card."""
    request = {"sale": sale, "units": dict(units), "visit": str(visit_id)}

    def attempt(tx: Session, till: Till) -> giving_back.ReturnAnswer:
        if (done := repeats.find_answered(tx, shop_id=till.shop_id, key=key, request=request)) is not None:
            return giving_back.get_answer(tx, reversal_id=done)
        shopper = cards.get_shopper(tx, visit_id=visit_id, shop_id=till.shop_id, at=at)
        wanted = returns.Wanted(sale=sale, units=units, subject=shopper.subject, visit_id=visit_id)
        return returns.refund_sale(tx, till=till, wanted=wanted, key=key, request=request, at=at)

    return _at_till(_Act("refund", staff_id, request, at, key), attempt)


def make_lines(tx: Session, till: Till, keyed: Basket) -> list[Line]:
    """The lines of what was keyed, as this shop keys its sales. Raises BasketError, and WayOfKeyingError for another way."""
    match keyed, till.mode:
        case AmountsKeyed(), "amounts":
            return basket.amount_lines(
                merchant=till.merchant, category=till.category, joining_fen=keyed.joining_fen, other_fen=keyed.other_fen
            )
        case ItemsKeyed(), "items":
            return _item_lines(tx, till, keyed)
        case RegisterKeyed(), "register":
            return basket.register_lines(merchant=till.merchant, rows=keyed.lines)
        case _:
            raise basket.WayOfKeyingError(mode=till.mode)


def keyed_json(keyed: Basket) -> dict[str, Any]:
    """What was keyed, as stored with the sale."""
    match keyed:
        case AmountsKeyed():
            return {"joining_fen": keyed.joining_fen, "other_fen": keyed.other_fen}
        case ItemsKeyed():
            return {"items": [list(item) for item in keyed.items], "other_fen": keyed.other_fen}
        case RegisterKeyed():
            return {"lines": [[line.sku, line.category, line.price_fen, line.qty] for line in keyed.lines]}


@dataclass(frozen=True, slots=True)
class _Act:
    """What is tried at a till, for the refusal that may come of it."""

    name: str
    staff_id: UUID
    request: Mapping[str, Any]
    at: datetime
    key: str | None = None


def _at_till(act: _Act, attempt: Callable[[Session, Till], Answer]) -> Answer:
    """Run an attempt in one transaction; store a refusal in a second, small one.

    A lost race (a balance emptied meanwhile, the same key or visit taken by a twin) is tried again from the start: the second look
    sees what the winner left.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            with transaction() as tx:
                return attempt(tx, merchants.open_till(tx, staff_id=act.staff_id))
        except (BalanceShortError, IntegrityError):
            if not tries_left:
                raise
        except DomainError as refusal:
            if isinstance(refusal, repeats.KeyReusedError) or not _is_answered(act, refusal) or not tries_left:
                raise
    return unreachable("every try returns or raises")


def _is_answered(act: _Act, refusal: DomainError) -> bool:
    """Keep a refusal, unless a twin with the same key was answered while this one was on its way: then the next try finds the answer."""
    with transaction() as tx:
        shop_id = merchants.find_shop_id(tx, staff_id=act.staff_id)
        if shop_id is None:
            return False
        if act.key is not None and repeats.is_answered(tx, shop_id=shop_id, key=act.key):
            return True
        repeats.store_refusal(
            tx,
            act=act.name,
            shop_id=shop_id,
            staff_id=act.staff_id,
            # Malformed input has no effect to protect: the same key may come again, corrected.
            key=None if isinstance(refusal, basket.BasketError) else act.key,
            request={} if isinstance(refusal, basket.BasketError) else act.request,
            error=refusal,
            at=act.at,
        )
    return False


def _item_lines(tx: Session, till: Till, keyed: ItemsKeyed) -> list[Line]:
    """Items at their catalogue prices, and the amount that takes no part in offers."""
    found = {
        item.sku: item for item in merchants.get_items(tx, merchant=till.merchant, skus=[sku for sku, _ in keyed.items])
    }
    rows = []
    for sku, qty in keyed.items:
        if sku not in found:
            raise basket.BasketError(field=sku, problem="本店没有这个商品 / not sold here")
        rows.append(basket.RegisterLine(sku=sku, category=found[sku].category, price_fen=found[sku].price_fen, qty=qty))
    return basket.register_lines(merchant=till.merchant, rows=rows, other_fen=keyed.other_fen)
