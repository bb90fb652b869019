"""Void and refund: what was booked goes back to every payer by the shares stored with the sale. No price is made again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.kit.errors import ConflictError, InvalidError, NotFoundError, invariant
from market.kit.ids import new_id, new_public_id
from market.ledger.operations import post
from market.ledger.postings import Draw, Event, Rebates, post_return
from market.offers.limits import Limits, total_balance
from market.offers.models import OfferVersion
from market.pricing.refund import line_shares, refund_step
from market.record.entries import Amounts, PublicTransfer, return_entry
from market.record.operations import append_entry
from market.sales.documents import read_basket, read_quote
from market.sales.models import Reversal, Sale
from market.sales.parties import Till

Kind = Literal["void", "refund"]

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


class RefundUnitsError(InvalidError):
    """More units than are left of a line, an unknown line, or nothing."""

    code = "REFUND_UNITS"
    zh = "{line} 最多还能退 {left} 件，请修改件数。"
    en = "Of {line} at most {left} can still be returned; change the number."


@dataclass(frozen=True, slots=True)
class ReturnAnswer:
    """What went back (fen): `paid_fen` to the member, `subsidy_fen` to the purses, `concession_fen` is no longer given.

    The rebates are no longer due from the merchant: to the member and to the union.
    """

    id: UUID
    public_id: str
    kind: Kind
    sale_public_id: str
    at: datetime
    list_fen: int
    concession_fen: int
    subsidy_fen: int
    paid_fen: int
    rebate_member_fen: int
    rebate_union_fen: int
    lines: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to go back: the sale's public id, units by line, the person who shows his card and the visit in which he does."""

    sale: str
    units: Mapping[str, int]
    subject: UUID
    visit_id: UUID


@dataclass(slots=True)
class _Back:
    """What goes back, added up over lines."""

    concession_fen: int = 0
    paid_fen: int = 0
    rebates: dict[str, int] = field(default_factory=lambda: {"member": 0, "union": 0})
    parts: dict[str, int] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def amounts(self) -> Amounts:
        """What went back as the public entry names it; its list value is the sum of what every payer gets back."""
        return Amounts(
            list=self.concession_fen + self.subsidy_fen + self.paid_fen,
            concession=self.concession_fen,
            subsidy=self.subsidy_fen,
            paid=self.paid_fen,
            rebate_member=self.rebates["member"],
            rebate_union=self.rebates["union"],
        )

    @property
    def subsidy_fen(self) -> int:
        """What the purses get back."""
        return sum(self.parts.values())


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
    back = _share_back(row, {line["line"]: line["qty"] for line in basket}, done={})
    draws = [Draw(purse, -fen) for purse, fen in back.parts.items()] + _uses_back(tx, row)
    return _book(
        tx, till=till, row=row, back=back, draws=draws, kind="void", visit_id=None, key=key, request=request, at=at
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
    back = _share_back(row, wanted.units, done=_check_units(tx, row, wanted.units))
    draws = [Draw(purse, -fen) for purse, fen in back.parts.items()]
    return _book(
        tx,
        till=till,
        row=row,
        back=back,
        draws=draws,
        kind="refund",
        visit_id=wanted.visit_id,
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
    back = _share_back(row, units, done=_check_units(tx, row, units))
    return back.amounts.list, back.paid_fen


def get_answer(tx: Session, *, reversal_id: UUID) -> ReturnAnswer:
    """The answer that a stored void or refund gave."""
    row = tx.execute(
        select(Reversal, Sale.public_id).join(Sale, Sale.id == Reversal.sale_id).where(Reversal.id == reversal_id)
    ).one()
    reversal = row.Reversal
    return ReturnAnswer(
        id=reversal.id,
        public_id=reversal.public_id,
        kind="void" if reversal.kind == "void" else "refund",
        sale_public_id=row.public_id,
        at=reversal.at,
        list_fen=reversal.list_fen,
        concession_fen=reversal.concession_fen,
        subsidy_fen=reversal.subsidy_fen,
        paid_fen=reversal.paid_fen,
        rebate_member_fen=reversal.rebate_member_fen,
        rebate_union_fen=reversal.rebate_union_fen,
        lines=reversal.lines,
    )


def _lock_sale(tx: Session, *, till: Till, sale: str) -> Sale:
    row = tx.scalar(
        select(Sale).where(Sale.public_id == sale, Sale.shop_id == till.shop_id).with_for_update(key_share=True)
    )
    if row is None:
        raise SaleUnknownError
    if tx.scalar(select(Reversal.id).where(Reversal.sale_id == row.id, Reversal.kind == "void")) is not None:
        raise SaleVoidedError
    return row


def _check_units(tx: Session, row: Sale, wanted: Mapping[str, int]) -> dict[str, int]:
    """The units of each line that went back before. Raises RefundUnitsError when the wanted ones are more than are left."""
    earlier = tx.scalars(select(Reversal.lines).where(Reversal.sale_id == row.id)).all()
    done: dict[str, int] = {}
    for returned in (line for lines in earlier for line in lines):
        done[returned["line"]] = done.get(returned["line"], 0) + returned["units"]
    left = {line["line"]: line["qty"] - done.get(line["line"], 0) for line in read_basket(row.basket)}
    if not wanted:
        raise RefundUnitsError(line="-", left=0)
    for line, units in wanted.items():
        if not 1 <= units <= left.get(line, 0):
            raise RefundUnitsError(line=line, left=left.get(line, 0))
    return done


def _share_back(row: Sale, units: Mapping[str, int], *, done: Mapping[str, int]) -> _Back:
    """The shares of these units on top of those that went back before."""
    quote, back = read_quote(row.facts), _Back()
    for line, wanted in units.items():
        step = refund_step(line_shares(quote, line), units_before=done.get(line, 0), units=wanted)
        back.paid_fen += step.to_member
        back.concession_fen += step.concession_back
        for share in step.sponsors:
            invariant(share.purse is not None, "a sponsor's share came from a purse")
            purse = str(share.purse)
            back.parts[purse] = back.parts.get(purse, 0) + share.fen
        for rebate in step.rebates:
            back.rebates[rebate.to] += rebate.fen
        back.lines.append({"line": line, **step.to_json()})
    return back


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


def _book(
    tx: Session,
    *,
    till: Till,
    row: Sale,
    back: _Back,
    draws: list[Draw],
    kind: Kind,
    visit_id: UUID | None,
    key: str,
    request: Mapping[str, Any],
    at: datetime,
) -> ReturnAnswer:
    """Write the return, its entry, its transfers and what balances get back; nothing here can be refused any more."""
    id_, public_id, day = new_id(), new_public_id(), business_day(at)
    amounts = back.amounts
    postings = post_return(
        merchant=row.merchant,
        subject=row.subject,
        sponsor_parts=back.parts,
        rebates=Rebates(member=amounts.rebate_member, union=amounts.rebate_union),
    )
    body = return_entry(
        kind=kind,
        public_id=public_id,
        of=row.public_id,
        day=day,
        merchant=row.merchant,
        amounts=amounts,
        transfers=[PublicTransfer(posting.debit, posting.credit, posting.amount_fen) for posting in postings],
    )
    entry_id = append_entry(tx, kind=kind, public_id=public_id, merchant=row.merchant, day=day, body=body, at=at)
    tx.execute(
        insert(Reversal).values(
            id=id_,
            public_id=public_id,
            sale_id=row.id,
            kind=kind,
            visit_id=visit_id,
            shop_id=till.shop_id,
            merchant=row.merchant,
            staff_id=till.staff_id,
            key=key,
            request=dict(request),
            lines=back.lines,
            at=at,
            day=day,
            list_fen=amounts.list,
            concession_fen=amounts.concession,
            subsidy_fen=amounts.subsidy,
            paid_fen=amounts.paid,
            rebate_member_fen=amounts.rebate_member,
            rebate_union_fen=amounts.rebate_union,
            entry_id=entry_id,
        )
    )
    tx.execute(
        update(Sale)
        .where(Sale.id == row.id)
        .values(
            back_list_fen=Sale.back_list_fen + amounts.list,
            back_concession_fen=Sale.back_concession_fen + amounts.concession,
            back_subsidy_fen=Sale.back_subsidy_fen + amounts.subsidy,
            back_paid_fen=Sale.back_paid_fen + amounts.paid,
            back_rebate_member_fen=Sale.back_rebate_member_fen + amounts.rebate_member,
            back_rebate_union_fen=Sale.back_rebate_union_fen + amounts.rebate_union,
        )
    )
    post(tx, event=Event(kind, id_, day, at, reverses_id=row.id), postings=postings, draws=draws)
    return get_answer(tx, reversal_id=id_)
