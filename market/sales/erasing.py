"""What the market keeps of a person who is erased: every amount and account under the opaque id, and nothing that leads to him.

Accounting duty keeps the rows; their use for anything else ends (停止处理). A trigger allows these changes only once the person's key is
gone. Must never change an amount, a state, a day, or a public entry.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Row, Table, bindparam, case, delete, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from market.ledger.models import Transfer
from market.ledger.postings import member_rebates_account
from market.offers.models import OfferConsent, OfferVersion
from market.payments.models import Payment, PaymentEvent, PaymentRefund
from market.pricing import Offer
from market.sales.documents import drop_person, read_candidates
from market.sales.models import Sale
from market.sales.orders.models import BasketLine, Handout, Order, OrderChange, ReturnRequest, StockMove

OPEN_STATES: Final = ("placed", "paid", "ready")
DROPPED: Final = "—"  # stands where a text was that a rule wants to be there
_TYPED: Final = ("cancelled", "returned", "partly_returned")  # the states whose reason may have been typed by staff
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What of a person's dealings is still under way: numbers of open orders and of those with a return request, refunds that run."""

    orders: Sequence[str]
    returns: Sequence[str]
    refunds_count: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a person would lose: rebates due to him that nobody paid yet (fen), pieces in the basket, purchases in his list."""

    rebates_fen: int
    basket_count: int
    purchases_count: int


def find_unfinished(tx: Session, *, subject: UUID, is_locking: bool = False) -> Unfinished:
    """What must be over before this person is erased; with `is_locking` his orders stay locked to the end of the transaction."""
    mine = select(Order.id, Order.number, Order.state).where(Order.subject == subject).order_by(Order.id)
    orders = tx.execute(mine.with_for_update(key_share=True) if is_locking else mine).all()
    ids = {order.id: order.number for order in orders}
    asked = select(ReturnRequest.order_id).where(ReturnRequest.order_id.in_(ids), ReturnRequest.state == "open")
    running = (
        select(func.count())
        .select_from(PaymentRefund)
        .join(Payment, Payment.id == PaymentRefund.payment_id)
        .where(Payment.purpose_id.in_(ids), PaymentRefund.state.in_(("asked", "pending")))
    )
    return Unfinished(
        orders=[order.number for order in orders if order.state in OPEN_STATES],
        returns=sorted(ids[order_id] for order_id in tx.scalars(asked)),
        refunds_count=tx.scalar(running) or 0,
    )


def get_held(tx: Session, *, subject: UUID) -> Held:
    """What this person has that ends with his erasure."""
    account = member_rebates_account(subject)
    due = func.sum(case((Transfer.credit == account, Transfer.amount_fen), else_=-Transfer.amount_fen))
    rebates = tx.scalar(select(due).where(or_(Transfer.credit == account, Transfer.debit == account)))
    basket = tx.scalar(select(func.sum(BasketLine.qty)).where(BasketLine.subject == subject))
    purchases = tx.scalar(select(func.count()).where(Sale.subject == subject))
    return Held(int(rebates or 0), int(basket or 0), purchases or 0)


def restrict_person(tx: Session, *, subject: UUID) -> None:
    """Drop what the market keeps of a person whose key was deleted in this transaction; doing it twice changes nothing.

    Dropped: card ids, requests, the shopper's facts (each offer's gate outcome is stored instead), names at hand-outs, addresses, slips,
    typed words, the provider's events, consents, the basket.
    """
    tx.execute(delete(OfferConsent).where(OfferConsent.subject == subject))
    tx.execute(delete(BasketLine).where(BasketLine.subject == subject))
    for table in (Sale.__table__, Order.__table__):
        _restrict(tx, cast("Table", table), subject)
    orders = select(Order.id).where(Order.subject == subject)
    tx.execute(update(Order).where(Order.subject == subject).values(slip="", deliver_to=None))
    proxy = case((Handout.proxy_name.is_(None), None), else_="")
    tx.execute(update(Handout).where(Handout.order_id.in_(orders)).values(member_name="", proxy_name=proxy))
    typed = OrderChange.to_state.in_(_TYPED) & (OrderChange.by_kind == "staff")
    tx.execute(update(OrderChange).where(OrderChange.order_id.in_(orders), typed).values(reason=DROPPED))
    tx.execute(update(StockMove).where(StockMove.order_id.in_(orders)).values(reason=DROPPED))
    words = case((ReturnRequest.words == "", ""), else_=DROPPED)
    answer = case((ReturnRequest.answer == "", ""), else_=DROPPED)
    tx.execute(update(ReturnRequest).where(ReturnRequest.order_id.in_(orders)).values(words=words, answer=answer))
    payments = select(Payment.id).where(Payment.purpose_id.in_(orders))
    tx.execute(update(Payment).where(Payment.id.in_(payments)).values(checkout_url=None))
    tx.execute(update(PaymentEvent).where(PaymentEvent.payment_id.in_(payments)).values(payload=b""))


def _restrict(tx: Session, table: Table, subject: UUID) -> None:
    """Drop card, request and facts of the rows of `sale` or `member_order`, some hundred at a time."""
    named = select(table.c.id, table.c.facts).where(table.c.subject == subject, table.c.card_id.is_not(None))
    change = update(table).where(table.c.id == bindparam("row_id"))
    while rows := tx.execute(named.order_by(table.c.id).limit(_AT_ONCE)).all():
        offers = _read_offers(tx, rows)
        tx.connection().execute(
            change.values(card_id=None, request={}, facts=bindparam("kept")),
            [{"row_id": row.id, "kept": drop_person(bytes(row.facts), offers)} for row in rows],
        )


def _read_offers(tx: Session, rows: Iterable[Row[*tuple[Any, ...]]]) -> dict[tuple[str, int], Offer]:
    """The terms of all candidates that these facts name."""
    keys = {key for row in rows for key in read_candidates(bytes(row.facts))}
    columns = (OfferVersion.offer, OfferVersion.version)
    found = tx.execute(select(*columns, OfferVersion.terms).where(tuple_(*columns).in_(sorted(keys))))
    return {(row.offer, row.version): Offer.from_json(row.terms, path="terms") for row in found}
