"""Money for budgets as desks ask for it: one person proposes, another decides, and what is approved is in the public record.

A proposal with a title asks for a new budget as well, which is opened when it is approved.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, InvalidError, NotFoundError
from market.ledger.models import Budget, BudgetProposal, ProposalState
from market.ledger.operations import TwoPersonsError
from market.record.budgets import grant_budget, is_open, open_budget
from market.record.codes import is_code

SLOTS: Final = 8  # tills that draw on a budget at once
MOST_FEN: Final = 10**12
TITLE_LENGTH: Final = 40
REASON_LENGTH: Final = 200
_CODE: Final = re.compile("[a-z][a-z0-9_]{1,31}", re.ASCII)


class BudgetCodeError(InvalidError):
    """A budget is named in the public record by a code."""

    code = "BUDGET_CODE"
    zh = "代码用 2 到 32 个小写字母、数字或下划线，以字母开头，如 lunch。请改正后再提交。"
    en = "A code is 2 to 32 small letters, digits or underscores and begins with a letter, such as lunch. Correct it and try again."


class BudgetTakenError(ConflictError):
    """There is such a budget, or one waits to be approved."""

    code = "BUDGET_TAKEN"
    zh = "代码 {budget} 已有预算，或正在等批准。请换一个代码，或给原来的预算拨款。"
    en = "There is a budget {budget} already, or one waits to be approved. Choose another code, or grant money to the one there is."


class BudgetTitleError(InvalidError):
    """People know a budget by its name."""

    code = "BUDGET_TITLE"
    zh = "请写预算的名称，最多 {most} 个字。"
    en = "Name the budget, in at most {most} characters."


class BudgetAmountError(InvalidError):
    """Nothing, or more than an amount may be."""

    code = "BUDGET_AMOUNT"
    zh = "拨款要大于 0，最多 {most} 元。请改正后再提交。"
    en = "A grant is more than nothing and at most {most} yuan. Correct it and try again."


class BudgetSponsorError(InvalidError):
    """The union level that bears a budget is named in the record by its code, and this one cannot be."""

    code = "BUDGET_SPONSOR"
    zh = "您单位的代码有字母、数字和 _ . : / + - 以外的字，公开台账里不能写。请管理员先改单位代码。"
    en = "The code of your unit holds other signs than letters, digits and _ . : / + -, which the record cannot hold. Have it changed first."


class BudgetUnknownError(NotFoundError):
    """There is no such budget."""

    code = "BUDGET_UNKNOWN"
    zh = "没有这个预算。请从列表里选一个，或新建一个。"
    en = "There is no such budget. Choose one from the list, or propose a new one."


class ProposalSentError(ConflictError):
    """The same form came a second time and says something else."""

    code = "PROPOSAL_SENT"
    zh = "这张表已经提交过一次，内容不同。请刷新页面，看看等批准的，再重新填。"
    en = "This form was sent once already and said something else. Reload the page, look at what waits, and fill it in anew."


class ProposalUnknownError(NotFoundError):
    """Nothing waits under this id, for this caller."""

    code = "PROPOSAL_UNKNOWN"
    zh = "没有这份在等的申请，可能已批准、退回或撤回。请刷新页面。"
    en = "There is no such proposal waiting; it may have been approved, refused or withdrawn. Reload the page."


class RefusalReasonError(InvalidError):
    """Whoever proposed it is told why."""

    code = "REFUSAL_REASON"
    zh = "请写明退回的理由（最多 {most} 个字），提出人会看到。"
    en = "Say why it is refused, in at most {most} characters; whoever proposed it reads it."


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal: `title` of a budget to be opened, None for one there is; `known_as` is the title of either. Amount in fen."""

    id: UUID
    budget: str
    title: str | None
    known_as: str
    amount_fen: int
    state: ProposalState
    proposed_by: UUID
    proposed_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    reason: str


def propose_budget(
    tx: Session, *, proposal: UUID, code: str, title: str, sponsor: str, amount_fen: int, by: UUID, at: datetime
) -> None:
    """Ask for a new budget borne by `sponsor` (code of a union level) and its first money. The same `proposal` again changes nothing.

    Raises BudgetCodeError, BudgetTitleError, BudgetSponsorError, BudgetAmountError, BudgetTakenError, ProposalSentError.
    """
    known_as = " ".join(title.split())
    if not _CODE.fullmatch(code):
        raise BudgetCodeError(field="code", problem="signs")
    if not 0 < len(known_as) <= TITLE_LENGTH or not known_as.isprintable():
        raise BudgetTitleError(field="title", problem="length", most=TITLE_LENGTH)
    if not is_code(sponsor):
        raise BudgetSponsorError(field="sponsor", problem="signs")
    if is_open(tx, code) and tx.get(BudgetProposal, proposal) is None:
        raise BudgetTakenError(budget=code)
    _propose(tx, proposal=proposal, budget=code, title=known_as, sponsor=sponsor, amount_fen=amount_fen, by=by, at=at)


def propose_grant(tx: Session, *, proposal: UUID, budget: str, amount_fen: int, by: UUID, at: datetime) -> None:
    """Ask for more money for a budget there is. The same `proposal` again changes nothing.

    Raises BudgetUnknownError, BudgetAmountError, ProposalSentError.
    """
    if not is_open(tx, budget):
        raise BudgetUnknownError
    _propose(tx, proposal=proposal, budget=budget, title=None, sponsor=None, amount_fen=amount_fen, by=by, at=at)


def approve_proposal(tx: Session, *, proposal: UUID, by: UUID, at: datetime) -> str:
    """Open the budget if it is new, put the money in, publish both: the code of the budget.

    Raises ProposalUnknownError, TwoPersonsError, BudgetTakenError.
    """
    row = _lock(tx, proposal)
    if row.proposed_by == by:
        raise TwoPersonsError
    if row.title is not None and row.sponsor is not None:
        if is_open(tx, row.budget):
            raise BudgetTakenError(budget=row.budget)
        open_budget(tx, code=row.budget, title=row.title, sponsor=row.sponsor, slots=SLOTS, at=at)
    grant_budget(
        tx,
        budget=row.budget,
        amount_fen=row.amount_fen,
        key=f"proposal/{row.id}",
        proposed_by=row.proposed_by,
        approved_by=by,
        at=at,
    )
    _end(tx, row, state="approved", by=by, at=at)
    return row.budget


def refuse_proposal(tx: Session, *, proposal: UUID, by: UUID, reason: str, at: datetime) -> None:
    """Say no, and why. Nobody refuses his own: he withdraws it.

    Raises RefusalReasonError, ProposalUnknownError, TwoPersonsError.
    """
    said = " ".join(reason.split())
    if not 0 < len(said) <= REASON_LENGTH:
        raise RefusalReasonError(field="reason", problem="length", most=REASON_LENGTH)
    row = _lock(tx, proposal)
    if row.proposed_by == by:
        raise TwoPersonsError
    _end(tx, row, state="refused", by=by, reason=said, at=at)


def withdraw_proposal(tx: Session, *, proposal: UUID, by: UUID, at: datetime) -> None:
    """Take back one's own while it waits. Raises ProposalUnknownError, for somebody else's too."""
    row = _lock(tx, proposal)
    if row.proposed_by != by:
        raise ProposalUnknownError
    _end(tx, row, state="withdrawn", by=by, at=at)


def list_proposals(tx: Session, *, waiting: bool, limit: int) -> Sequence[Proposal]:
    """Those that wait, the oldest first, or those that were decided, the last decided first."""
    known_as = func.coalesce(BudgetProposal.title, Budget.title)
    chosen = (
        select(
            BudgetProposal.id,
            BudgetProposal.budget,
            BudgetProposal.title,
            known_as,
            BudgetProposal.amount_fen,
            BudgetProposal.state,
            BudgetProposal.proposed_by,
            BudgetProposal.proposed_at,
            BudgetProposal.decided_by,
            BudgetProposal.decided_at,
            BudgetProposal.reason,
        )
        .outerjoin(Budget, Budget.code == BudgetProposal.budget)
        .where((BudgetProposal.state == "waiting") if waiting else (BudgetProposal.state != "waiting"))
        .order_by(BudgetProposal.proposed_at if waiting else BudgetProposal.decided_at.desc(), BudgetProposal.id)
        .limit(limit)
    )
    return [Proposal(*row) for row in tx.execute(chosen)]


def count_proposals(tx: Session) -> int:
    """How many wait."""
    return tx.scalar(select(func.count()).where(BudgetProposal.state == "waiting")) or 0


def _propose(
    tx: Session,
    *,
    proposal: UUID,
    budget: str,
    title: str | None,
    sponsor: str | None,
    amount_fen: int,
    by: UUID,
    at: datetime,
) -> None:
    if not 0 < amount_fen <= MOST_FEN:
        raise BudgetAmountError(field="amount", problem="range", most=f"{MOST_FEN // 100:,}")
    said = {"budget": budget, "title": title, "sponsor": sponsor, "amount_fen": amount_fen, "proposed_by": by}
    made = upsert(BudgetProposal).values(**said, id=proposal, state="waiting", proposed_at=at)
    if tx.scalar(made.on_conflict_do_nothing().returning(BudgetProposal.id)) is not None:
        return
    row = tx.get(BudgetProposal, proposal)
    if row is None:
        raise BudgetTakenError(budget=budget)
    if any(getattr(row, name) != value for name, value in said.items()):
        raise ProposalSentError


def _lock(tx: Session, proposal: UUID) -> BudgetProposal:
    row = tx.scalar(
        select(BudgetProposal).where(BudgetProposal.id == proposal, BudgetProposal.state == "waiting").with_for_update()
    )
    if row is None:
        raise ProposalUnknownError
    return row


def _end(tx: Session, row: BudgetProposal, *, state: ProposalState, by: UUID, at: datetime, reason: str = "") -> None:
    tx.execute(
        update(BudgetProposal)
        .where(BudgetProposal.id == row.id)
        .values(state=state, decided_by=by, decided_at=at, reason=reason)
    )
