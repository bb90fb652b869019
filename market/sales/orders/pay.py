"""Paying and releasing: a placed order becomes a sale, or gives back all it holds. Whichever comes first, once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, cast
from uuid import UUID

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.kit.ids import new_id
from market.ledger.operations import post
from market.ledger.postings import Draw, Event, Posting, Rebates, merge_draws, post_order_sale, post_release, post_sale
from market.record.entries import Amounts, PublicTransfer, sale_entry
from market.record.publication import append_purchase
from market.sales.documents import read_quote
from market.sales.models import Sale
from market.sales.orders.models import Order, OrderLine
from market.sales.orders.states import By, change_state, list_lines, lock_order
from market.sales.orders.stock import draw_stock
from market.sales.redeem import ONLINE

Tender = Literal["provider", "declared"]
Paid = Literal["paid", "repeated", "too_late"]

COPIED: Final = (
    *("public_id", "merchant", "subject", "card_id", "request", "basket", "facts"),
    *("list_fen", "concession_fen", "subsidy_fen", "paid_fen", "rebate_member_fen", "rebate_union_fen"),
)
_INSERT_SALE = insert(cast("Table", Sale.__table__))


def pay_order(tx: Session, *, order_id: UUID, payment_id: UUID | None, by: By, at: datetime) -> Paid:
    """An order's money has come (or, with `payment_id` None, there is none to come): it is sold, booked and published, once.

    An order that still stands is paid however late the news: its goods are reserved. `repeated` when this very payment paid it before;
    `too_late` when it was released, or paid by another payment: the caller gives the money back.
    Raises OrderUnknownError.
    """
    order = lock_order(tx, order_id=order_id)
    if order.state != "placed":
        return "repeated" if order.sale_id is not None and order.payment_id == payment_id else "too_late"
    sale_id, day = new_id(), business_day(at)
    parts = reserved_parts(order)
    rebates = Rebates(member=order.rebate_member_fen, union=order.rebate_union_fen)
    shown = post_sale(merchant=order.merchant, subject=order.subject, sponsor_parts=parts, rebates=rebates)
    booked = post_order_sale(
        order=order.number,
        merchant=order.merchant,
        subject=order.subject,
        subsidy_fen=order.subsidy_fen,
        rebates=rebates,
    )
    body = _entry(order, shown, tender="declared" if payment_id is None else "provider", at=at)
    draws = _move(list_lines(tx, order_id=order.id), to="sold")
    # From here on nothing can fail.
    entry_id = append_purchase(
        tx, kind="sale", public_id=order.public_id, merchant=order.merchant, day=day, body=body, at=at
    )
    sale = {name: getattr(order, name) for name in COPIED}
    sale |= {"id": sale_id, "channel": ONLINE, "order_id": order.id, "key": order.number, "at": at, "day": day}
    tx.connection().execute(_INSERT_SALE, {**sale, "entry_id": entry_id})
    change_state(tx, order, "paid", by=by, reason="paid", at=at, sale_id=sale_id, payment_id=payment_id)
    post(tx, event=Event("sale", sale_id, day, at), postings=booked, draws=draws)
    return "paid"


def release_order(tx: Session, *, order_id: UUID, by: By, reason: str, at: datetime) -> bool:
    """A placed order is cancelled or has expired: purses, uses, limits and stock get back what it held. False if it was not placed any more.

    Raises OrderUnknownError.
    """
    order = lock_order(tx, order_id=order_id)
    if order.state != "placed":
        return False
    lines = list_lines(tx, order_id=order.id)
    limits = [Draw(line.limit_balance, -line.qty, "piece") for line in lines if line.limit_balance]
    taken = [Draw(balance, -amount, unit) for balance, amount, unit in order.draws]
    change_state(tx, order, "cancelled", by=by, reason=reason, at=at, deliver_to=None)
    post(
        tx,
        event=Event("release", order.id, business_day(at), at, reverses_id=order.id),
        postings=post_release(order.number, reserved_parts(order)),
        draws=merge_draws([*taken, *limits, *_move(lines, to="free")]),
    )
    return True


def reserved_parts(order: Order) -> Mapping[str, int]:
    """How much each purse set aside for an order (fen), as its stored quote says."""
    parts: dict[str, int] = {}
    for applied in read_quote(order.facts)["applied"]:
        if applied["sponsor_pays"] and applied.get("purse"):
            parts[applied["purse"]] = parts.get(applied["purse"], 0) + applied["sponsor_pays"]
    return parts


def _move(lines: list[OrderLine], *, to: Literal["free", "sold"]) -> list[Draw]:
    """The reserved pieces of these lines become free again, or sold."""
    return [draw for line in lines for draw in draw_stock(line.item_id, line.qty, part="reserved", to=to)]


def _entry(order: Order, postings: list[Posting], *, tender: Tender, at: datetime) -> bytes:
    """The public entry: as at a till, the subsidy goes from its purse to the merchant; what was set aside in between is nobody's business.

    `declared` where nothing was to be paid: no provider stands behind such an order, only the merchant's hand-out.
    """
    applied: list[dict[str, Any]] = read_quote(order.facts)["applied"]
    return sale_entry(
        public_id=order.public_id,
        day=business_day(at),
        channel=ONLINE,
        merchant=order.merchant,
        tender=tender,
        amounts=Amounts(
            list=order.list_fen,
            concession=order.concession_fen,
            subsidy=order.subsidy_fen,
            paid=order.paid_fen,
            rebate_member=order.rebate_member_fen,
            rebate_union=order.rebate_union_fen,
        ),
        offers=[(row["offer"], row["version"], row["amount"] - row["sponsor_pays"]) for row in applied],
        transfers=[PublicTransfer(posting.debit, posting.credit, posting.amount_fen) for posting in postings],
        commitments=order.commitments,
    )
