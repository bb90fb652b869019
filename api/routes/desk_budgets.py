"""The officer's budgets: a new one or more money is proposed by one officer and approved or refused by another."""

from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import Form, Request, Response
from sqlalchemy.orm import Session

import cards
from api.access import Doors, Who
from api.door import language_of, see_other
from api.identity import list_names
from api.pages.kit import render
from api.pages.views.budgets import BudgetTyped, DecidedRow, DeskBudgets, ProposalRow
from api.pages.views.desk import BudgetRow
from api.routes.desk_erasures import unit_of
from api.routes.desk_offers import NOBODY
from api.typed import Field, read_yuan
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError, unreachable
from market.kit.ids import new_id
from market.ledger.queries import list_budgets
from market.record.budget_proposals import (
    MOST_FEN,
    Proposal,
    approve_proposal,
    list_proposals,
    propose_budget,
    propose_grant,
    refuse_proposal,
    withdraw_proposal,
)

doors = Doors(include_in_schema=False)

AMOUNT = Field("金额", "Amount", MOST_FEN)
WAITING_SHOWN = 200
DECIDED_SHOWN = 20

Typed: TypeAlias = Annotated[str, Form(max_length=200)]


@doors.get("/desk/budgets")
def budgets(request: Request, who: Who) -> Response:
    """Every budget with what is left of it, what waits, and what was decided last."""
    return _show(request, who)


@doors.post("/desk/budgets")
def propose(  # noqa: PLR0917  the fields of a form
    request: Request,
    who: Who,
    proposal: Annotated[UUID, Form()],
    title: Typed = "",
    budget: Typed = "",
    amount: Typed = "",
) -> Response:
    """Propose a new budget, borne by the officer's own level, with its first money."""
    try:
        fen = read_yuan(amount, field=AMOUNT)
        with transaction() as tx:
            sponsor, _ = cards.get_unit_names(tx, unit_id=unit_of(who))
            propose_budget(
                tx,
                proposal=proposal,
                code=budget.strip(),
                title=title,
                sponsor=sponsor,
                amount_fen=fen,
                by=who.person,
                at=now(),
            )
    except DomainError as refusal:
        typed = BudgetTyped(form="new", budget=budget, title=title, amount=amount)
        return _show(request, who, typed=typed, error=refusal)
    return see_other(request, "/desk/budgets", notice="budget_proposed")


@doors.post("/desk/budgets/grants")
def propose_more(
    request: Request, who: Who, proposal: Annotated[UUID, Form()], budget: Typed = "", amount: Typed = ""
) -> Response:
    """Propose more money for a budget there is."""
    try:
        fen = read_yuan(amount, field=AMOUNT)
        with transaction() as tx:
            propose_grant(tx, proposal=proposal, budget=budget, amount_fen=fen, by=who.person, at=now())
    except DomainError as refusal:
        typed = BudgetTyped(form="grant", budget=budget, title="", amount=amount)
        return _show(request, who, typed=typed, error=refusal)
    return see_other(request, "/desk/budgets", notice="budget_proposed")


@doors.post("/desk/budgets/{proposal}/approve")
def approve(request: Request, who: Who, proposal: UUID) -> Response:
    """Put the money in: from now on it can be spent, and everybody can read of it."""
    try:
        with transaction() as tx:
            approve_proposal(tx, proposal=proposal, by=who.person, at=now())
    except DomainError as refusal:
        return _show(request, who, error=refusal)
    return see_other(request, "/desk/budgets", notice="budget_granted")


@doors.post("/desk/budgets/{proposal}/refuse")
def refuse(request: Request, who: Who, proposal: UUID, reason: Annotated[str, Form(max_length=1000)] = "") -> Response:
    """Say no, and why."""
    try:
        with transaction() as tx:
            refuse_proposal(tx, proposal=proposal, by=who.person, reason=reason, at=now())
    except DomainError as refusal:
        return _show(request, who, error=refusal, refusing=proposal, reason=reason)
    return see_other(request, "/desk/budgets", notice="budget_refused")


@doors.post("/desk/budgets/{proposal}/withdraw")
def withdraw(request: Request, who: Who, proposal: UUID) -> Response:
    """Take back one's own proposal."""
    try:
        with transaction() as tx:
            withdraw_proposal(tx, proposal=proposal, by=who.person, at=now())
    except DomainError as refusal:
        return _show(request, who, error=refusal)
    return see_other(request, "/desk/budgets", notice="budget_withdrawn")


def show_budgets(tx: Session) -> tuple[BudgetRow, ...]:
    """Every budget as pages show it."""
    return tuple(
        BudgetRow(code=row.code, name=row.title, granted_fen=row.granted_fen, left_fen=row.left_fen)
        for row in list_budgets(tx)
    )


def _show(
    request: Request,
    who: Who,
    *,
    typed: BudgetTyped | None = None,
    error: DomainError | None = None,
    refusing: UUID | None = None,
    reason: str = "",
) -> Response:
    with transaction() as tx:
        _, unit = cards.get_unit_names(tx, unit_id=unit_of(who))
        rows = show_budgets(tx)
        waiting = list_proposals(tx, waiting=True, limit=WAITING_SHOWN)
        decided = list_proposals(tx, waiting=False, limit=DECIDED_SHOWN)
        persons = {each.proposed_by for each in waiting} | {
            person for each in decided for person in (each.proposed_by, each.decided_by) if person
        }
        names = list_names(tx, persons=list(persons))
    view = DeskBudgets(
        unit=unit,
        proposal=str(new_id()),
        budgets=rows,
        waiting=tuple(_waiting(each, names, who, reason if each.id == refusing else None) for each in waiting),
        decided=tuple(_decided(each, names) for each in decided),
        typed=typed,
        error=error.sentence(language_of(request)) if error else None,
    )
    return render(request, "desk/budgets.html", view, status=error.status if error else 200)


def _waiting(each: Proposal, names: dict[UUID, str], who: Who, reason: str | None) -> ProposalRow:
    return ProposalRow(
        proposal_id=str(each.id),
        code=each.budget,
        name=each.known_as,
        is_new=each.title is not None,
        amount_fen=each.amount_fen,
        proposed_by=names.get(each.proposed_by, NOBODY),
        proposed_at=each.proposed_at,
        own=each.proposed_by == who.person,
        reason=reason,
    )


def _decided(each: Proposal, names: dict[UUID, str]) -> DecidedRow:
    if each.decided_by is None or each.decided_at is None:
        unreachable("what was decided says by whom and when")
    return DecidedRow(
        code=each.budget,
        name=each.known_as,
        is_new=each.title is not None,
        amount_fen=each.amount_fen,
        state=each.state,
        proposed_by=names.get(each.proposed_by, NOBODY),
        decided_by=names.get(each.decided_by, NOBODY),
        decided_at=each.decided_at,
        reason=each.reason,
    )
