"""What goes back of a sale, cut by payer, and the one function that books it: at a till and online alike. No price is made again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.kit.errors import InvalidError, invariant
from market.kit.ids import new_id, new_public_id
from market.ledger.operations import post
from market.ledger.postings import Draw, Event, Rebates, post_return
from market.pricing.refund import line_shares, refund_step
from market.record.entries import Amounts, PublicTransfer, return_entry
from market.record.publication import append_purchase
from market.sales.documents import read_basket, read_quote
from market.sales.models import Reversal, Sale

Kind = Literal["void", "refund"]


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
class Where:
    """Where a return is made: the shop, the assistant and the buyer's visit; online none of them."""

    shop_id: UUID | None = None
    staff_id: UUID | None = None
    visit_id: UUID | None = None


@dataclass(slots=True)
class Back:
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


def check_units(tx: Session, row: Sale, wanted: Mapping[str, int]) -> dict[str, int]:
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


def share_back(row: Sale, units: Mapping[str, int], *, done: Mapping[str, int]) -> Back:
    """The shares of these units on top of those that went back before."""
    quote, back = read_quote(row.facts), Back()
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


def book_return(
    tx: Session,
    *,
    where: Where,
    row: Sale,
    back: Back,
    draws: Sequence[Draw],
    kind: Kind,
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
    entry_id = append_purchase(
        tx, kind=kind, public_id=public_id, merchant=row.merchant, day=day, body=body, at=at, of=row.entry_id
    )
    tx.execute(
        insert(Reversal).values(
            id=id_,
            public_id=public_id,
            sale_id=row.id,
            kind=kind,
            visit_id=where.visit_id,
            shop_id=where.shop_id,
            merchant=row.merchant,
            staff_id=where.staff_id,
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
