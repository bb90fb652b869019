"""Redemption: the price at a till, and the one function that turns it into a sale, transfers and a public entry.

The order of a money operation: (the door answers a repeat) → lock → refuse → compute → write, with the bounded balances last.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.kit.errors import ConflictError
from market.kit.ids import new_id, new_public_id
from market.ledger.operations import post
from market.ledger.postings import Event, Posting, Rebates, post_sale
from market.offers.live import LiveBook
from market.pricing import Case, Line, Quote, quote
from market.record.entries import Amounts, PublicTransfer, commit_documents, sale_entry
from market.record.publication import append_purchase
from market.sales.documents import basket_document, facts_document, read_quote
from market.sales.models import Sale
from market.sales.parties import Shopper, Till
from market.sales.standing import NOTHING_SPENT, get_standing, make_draws

CHANNEL = "shop"
ONLINE = "online"
TENDER = "declared"  # the shop's word: what a till takes is confirmed by no provider

_INSERT_SALE = insert(cast("Table", Sale.__table__))  # Core: no unit of work on the hot path
_AMOUNTS = ("list_fen", "concession_fen", "subsidy_fen", "paid_fen", "rebate_member_fen", "rebate_union_fen")
_ANSWER = select(Sale.id, Sale.public_id, Sale.at, *(getattr(Sale, name) for name in _AMOUNTS), Sale.facts)


class PriceChangedError(ConflictError):
    """Between the price shown and the confirmation something was used up, began or ended."""

    code = "PRICE_CHANGED"
    zh = "价格已变化（现在实付 ¥{paid}），请重新试算并让会员确认。"
    en = "The price has changed (now ¥{paid} to pay); ask for the price again and let the member agree."


@dataclass(frozen=True, slots=True)
class Keyed:
    """What a till keyed: the lines, the idempotency key, the body as sent, and the price that was shown (fen), if one was."""

    lines: Sequence[Line]
    key: str
    request: Mapping[str, Any]
    expected_paid_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """A case and its quote, made from the offer book in force."""

    case: Case
    quote: Quote
    live: LiveBook


@dataclass(frozen=True, slots=True)
class SaleAnswer:
    """What a redemption answers, first and every time again. Amounts are fen; `check` is the short code the member compares.

    The rebates are due after the purchase, from the merchant to the member and to the union; they change nothing of what is paid.
    """

    id: UUID
    public_id: str
    at: datetime
    list_fen: int
    concession_fen: int
    subsidy_fen: int
    paid_fen: int
    rebate_member_fen: int
    rebate_union_fen: int
    quote: Mapping[str, Any]

    @property
    def check(self) -> str:
        """The short code on the till's done page and the member's receipt."""
        return check_code(self.public_id)


def check_code(public_id: str) -> str:
    """Six characters of a sale's public id, for people to compare."""
    return public_id[:6].upper()


def price(
    tx: Session,
    *,
    subject: UUID,
    facts: Mapping[str, object],
    shop: str | None,
    lines: Sequence[Line],
    live: LiveBook,
    at: datetime,
    spent: Mapping[str, int] = NOTHING_SPENT,
) -> Priced:
    """The best price of these lines for this person now, at this shop or (None) online; nothing changes.

    One statement reads balances and consents; `spent` is what earlier orders of the same basket will take.
    """
    offers = live.book.candidates(lines, shop=shop)
    standing = get_standing(tx, live=live, offers=offers, subject=subject, at=at, spent=spent)
    case = Case(
        now=at,
        channel=ONLINE if shop is None else CHANNEL,
        shop=shop,
        member=facts,
        basket=tuple(lines),
        candidates=standing.candidates,
        accepted=standing.accepted,
        purses=standing.purses,
    )
    return Priced(case=case, quote=quote(case), live=live)


def redeem(tx: Session, *, shopper: Shopper, till: Till, keyed: Keyed, live: LiveBook, at: datetime) -> SaleAnswer:
    """Turn what was keyed into a sale. The caller has locked the shopper and holds no answer for this key.

    Raises PriceChangedError when the price is not the one that was shown, and BalanceShortError when another sale emptied a
    balance since it was read: the caller rolls back and tries again with what is left.
    """
    priced = price(
        tx, subject=shopper.subject, facts=shopper.facts, shop=till.shop, lines=keyed.lines, live=live, at=at
    )
    if keyed.expected_paid_fen not in (None, priced.quote.payable):
        raise price_changed(priced.quote)
    sale, sale_id = _sale_row(shopper, till, keyed, priced, at), new_id()
    postings = post_sale(
        merchant=till.merchant,
        subject=shopper.subject,
        sponsor_parts=sponsor_parts(priced.quote),
        rebates=Rebates(member=priced.quote.rebate, union=priced.quote.rebate_union),
    )
    body = _entry(shopper, till, priced, sale, postings)
    draws = make_draws(priced.quote, live=live, subject=shopper.subject, at=at)
    # From here on nothing but a balance emptied in the meantime can fail.
    entry_id = append_purchase(
        tx, kind="sale", public_id=sale["public_id"], merchant=till.merchant, day=sale["day"], body=body, at=at
    )
    tx.connection().execute(_INSERT_SALE, {**sale, "id": sale_id, "entry_id": entry_id})
    post(tx, event=Event("sale", sale_id, sale["day"], at), postings=postings, draws=draws)
    return _answer(sale_id, sale)


def get_answer(tx: Session, *, sale_id: UUID) -> SaleAnswer:
    """The answer that a stored sale gave, whatever has happened to it since."""
    row = tx.execute(_ANSWER.where(Sale.id == sale_id)).one()._asdict()
    return _answer(sale_id, row)


def price_changed(priced: Quote) -> PriceChangedError:
    """The refusal that names the price of now."""
    return PriceChangedError(paid=f"{priced.payable // 100}.{priced.payable % 100:02}")


def list_documents(*, subject: UUID, card_id: UUID, basket: bytes, facts: bytes) -> dict[str, bytes]:
    """The private documents that the public entry of a sale commits to."""
    return {"subject": json.dumps([str(subject), str(card_id)]).encode(), "basket": basket, "facts": facts}


def sponsor_parts(priced: Quote) -> dict[str, int]:
    """How much each purse owes the merchant for this quote."""
    parts: dict[str, int] = {}
    for applied in priced.applied:
        if applied.sponsor_pays and applied.purse is not None:
            parts[applied.purse] = parts.get(applied.purse, 0) + applied.sponsor_pays
    return parts


def _answer(sale_id: UUID, row: Mapping[str, Any]) -> SaleAnswer:
    amounts = {name: row[name] for name in _AMOUNTS}
    return SaleAnswer(id=sale_id, public_id=row["public_id"], at=row["at"], quote=read_quote(row["facts"]), **amounts)


def _sale_row(shopper: Shopper, till: Till, keyed: Keyed, priced: Priced, at: datetime) -> dict[str, Any]:
    made = priced.quote
    return {
        "public_id": new_public_id(),
        "channel": CHANNEL,
        "shop_id": till.shop_id,
        "merchant": till.merchant,
        "staff_id": till.staff_id,
        "visit_id": shopper.visit_id,
        "subject": shopper.subject,
        "card_id": shopper.card_id,
        "key": keyed.key,
        "request": dict(keyed.request),
        "at": at,
        "day": business_day(at),
        "list_fen": made.list_total,
        "concession_fen": made.concession,
        "subsidy_fen": made.sponsor_pays,
        "paid_fen": made.payable,
        "rebate_member_fen": made.rebate,
        "rebate_union_fen": made.rebate_union,
        "basket": basket_document(priced.case),
        "facts": facts_document(priced.case, made, book=priced.live.book.number, unnamed=priced.live.unnamed),
    }


def _entry(shopper: Shopper, till: Till, priced: Priced, sale: Mapping[str, Any], postings: Sequence[Posting]) -> bytes:
    made = priced.quote
    return sale_entry(
        public_id=sale["public_id"],
        day=sale["day"],
        channel=CHANNEL,
        merchant=till.merchant,
        tender=TENDER,
        amounts=Amounts(
            list=made.list_total,
            concession=made.concession,
            subsidy=made.sponsor_pays,
            paid=made.payable,
            rebate_member=made.rebate,
            rebate_union=made.rebate_union,
        ),
        offers=[(applied.offer, applied.version, applied.amount - applied.sponsor_pays) for applied in made.applied],
        transfers=[PublicTransfer(posting.debit, posting.credit, posting.amount_fen) for posting in postings],
        commitments=commit_documents(
            list_documents(
                subject=shopper.subject, card_id=shopper.card_id, basket=sale["basket"], facts=sale["facts"]
            ),
            commit_key=shopper.commit_key,
            public_id=sale["public_id"],
        ),
    )
