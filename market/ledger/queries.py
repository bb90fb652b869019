"""Reads of the ledger, for desks."""

from dataclasses import dataclass

from sqlalchemy import Text, cast, func, literal, select
from sqlalchemy.orm import Session

from market.ledger.models import Balance, Budget, Grant


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """A budget, what was granted to it and what is left, in fen; `sponsor` is the union level that bears it."""

    code: str
    title: str
    sponsor: str
    granted_fen: int
    left_fen: int


def list_budgets(tx: Session) -> list[BudgetStanding]:
    """Every budget by its code."""
    granted = select(func.coalesce(func.sum(Grant.amount_fen), 0)).where(Grant.budget == Budget.code).scalar_subquery()
    purse = literal("budget:") + Budget.code
    left = (
        select(func.coalesce(func.sum(Balance.left_over), 0)).where(Balance.id == cast(purse, Text)).scalar_subquery()
    )
    rows = tx.execute(select(Budget.code, Budget.title, Budget.sponsor, granted, left).order_by(Budget.code))
    return [BudgetStanding(code, title, sponsor, int(given), int(rest)) for code, title, sponsor, given, rest in rows]
