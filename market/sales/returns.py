"""Void and refund: what was booked goes back to every payer by the shares stored with the sale. No price is made again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, NotFoundError
from market.ledger.postings import Draw
from market.offers.limits import Limits, total_balance
from market.offers.models import OfferVersion
from market.sales.documents import read_basket, read_quote
from market.sales.giving_back import ReturnAnswer, Where, book_return, check_units, share_back
from market.sales.models import Reversal, Sale
from market.sales.parties import Till

VOID_WINDOW = timedelta(minutes=10)


class SaleUnknownError(NotFoundError):
    """No such sale at this shop."""

    code = "SALE_UNKNOWN"
    zh = "本店没有这笔交易，请在“今天”里查找。"
    en = "This shop has no such sale; look for it under Today."


class SaleVoidedError(ConflictError):
    """The sale was voided before."""

    code = "SALE_VOIDED"
    zh = "这笔交易已经撤销，无需再次操作。"
    en = "This sale is void already; there is nothing more to do."


class VoidTooLateError(ConflictError):
    """More than 10 minutes have passed."""

    code = "VOID_TOO_LATE"
    zh = "已超过 10 分钟，不能撤销，请让会员出示卡码办理退款。"
    en = "More than 10 minutes have passed; ask the member for the card code and make a refund."


class PartlyRefundedError(ConflictError):
    """Part of the sale went back before, so it cannot be voided as a whole."""

    code = "PARTLY_REFUNDED"
    zh = "这笔交易已部分退款，不能整笔撤销，请对余下的商品办理退款。"
    en = "Part of this sale was refunded, so it cannot be voided; refund what is left."


class OtherMemberError(ConflictError):
    """The card shown is not of the person who bought."""

    code = "REFUND_OTHER_MEMBER"
    zh = "出示的卡不是这笔交易的会员，请让购买的会员出示卡码。"
    en = "This card is not of the member who bought; ask the buyer for the card code."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to go back: the sale's public id, units by line, the person who shows his card and the visit in which he does."""

    sale: str
    units: Mapping[str, int]
    subject: UUID
    visit_id: UUID


def void_sale(
    tx: Session, *, till: Till, sale: str, key: str, request: Mapping[str, Any], at: datetime
) -> ReturnAnswer:
    """Undo a whole sale of this shop within 10 minutes: every share goes back, and the uses of limited offers with it.

    Raises SaleUnknownError, SaleVoidedError, PartlyRefundedError, VoidTooLateError, in this order.
    """
    row = _lock_sale(tx, till=till, sale=sale)
    if row.back_list_fen:
        raise PartlyRefundedError
    if at > row.at + VOID_WINDOW:
        raise VoidTooLateError
    basket = read_basket(row.basket)
    back = share_back(row, {line["line"]: line["qty"] for line in basket}, done={})
    draws = [Draw(purse, -fen) for purse, fen in back.parts.items()] + _uses_back(tx, row)
    return book_return(
        tx,
        where=Where(till.shop_id, till.staff_id),
        row=row,
        back=back,
        draws=draws,
        kind="void",
        key=key,
        request=request,
        at=at,
    )


def refund_sale(
    tx: Session, *, till: Till, wanted: Wanted, key: str, request: Mapping[str, Any], at: datetime
) -> ReturnAnswer:
    """Give back units of lines: paid, concession and each sponsor's share by the same cumulative floor (pricing rules, Refunds).

    Raises SaleUnknownError, SaleVoidedError, OtherMemberError, RefundUnitsError, in this order.
    """
    row = _lock_sale(tx, till=till, sale=wanted.sale)
    if row.subject != wanted.subject:
        raise OtherMemberError
    back = share_back(row, wanted.units, done=check_units(tx, row, wanted.units))
    draws = [Draw(purse, -fen) for purse, fen in back.parts.items()]
    return book_return(
        tx,
        where=Where(till.shop_id, till.staff_id, wanted.visit_id),
        row=row,
        back=back,
        draws=draws,
        kind="refund",
        key=key,
        request=request,
        at=at,
    )


def preview_refund(tx: Session, *, shop_id: UUID, sale: str, units: Mapping[str, int]) -> tuple[int, int]:
    """What a refund of these units would give back now: (list value, to the member), in fen. Nothing is locked or written.

    Raises SaleUnknownError and RefundUnitsError.
    """
    row = tx.scalar(select(Sale).where(Sale.public_id == sale, Sale.shop_id == shop_id))
    if row is None:
        raise SaleUnknownError
    back = share_back(row, units, done=check_units(tx, row, units))
    return back.amounts.list, back.paid_fen


def _lock_sale(tx: Session, *, till: Till, sale: str) -> Sale:
    row = tx.scalar(
        select(Sale).where(Sale.public_id == sale, Sale.shop_id == till.shop_id).with_for_update(key_share=True)
    )
    if row is None:
        raise SaleUnknownError
    if tx.scalar(select(Reversal.id).where(Reversal.sale_id == row.id, Reversal.kind == "void")) is not None:
        raise SaleVoidedError
    return row


def _uses_back(tx: Session, row: Sale) -> list[Draw]:
    """What a void gives back of limited offers: the use, and the amounts under limits. One statement for all of them."""
    used = read_quote(row.facts)["applied"]
    version = tuple_(OfferVersion.offer, OfferVersion.version)
    stored = tx.execute(
        select(OfferVersion.offer, OfferVersion.limits).where(
            version.in_([(applied["offer"], applied["version"]) for applied in used])
        )
    )
    limits_of = {offer: Limits.from_json(limits) for offer, limits in stored}
    draws = []
    for applied in used:
        offer, amount = applied["offer"], applied["amount"]
        limits = limits_of[offer]
        if limits.uses:
            draws.append(Draw(limits.uses_balance(offer, row.subject, row.at), -1, "use"))
        if limits.amount_fen:
            draws.append(Draw(limits.amount_balance(offer, row.subject, row.at), -amount))
        if limits.total_fen:
            draws.append(Draw(total_balance(offer), -amount))
    return draws
