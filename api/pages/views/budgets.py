"""The desk page of budgets: what each was granted and has left, what waits for a second person, what was decided."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from api.pages.views.desk import BudgetRow


@dataclass(frozen=True, kw_only=True)
class ProposalRow:
    """A proposal that waits; `is_new` opens its budget first. `own` ones this officer may withdraw, others approve or refuse.

    `reason` is what was typed for a refusal that did not go through, None otherwise.
    """

    proposal_id: str
    code: str
    name: str
    is_new: bool
    amount_fen: int
    proposed_by: str
    proposed_at: datetime
    own: bool
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class DecidedRow:
    """A proposal that was approved, refused (`reason` says why) or withdrawn."""

    code: str
    name: str
    is_new: bool
    amount_fen: int
    state: str
    proposed_by: str
    decided_by: str
    decided_at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class BudgetTyped:
    """What was typed into a form that was refused: that of money (`form` is `grant`) or of a new budget (`new`)."""

    form: Literal["grant", "new"]
    budget: str
    title: str
    amount: str


@dataclass(frozen=True, kw_only=True)
class DeskBudgets:
    """`desk/budgets.html` at /desk/budgets. POST /desk/budgets/grants (`proposal`, `budget`, `amount`) and /desk/budgets (`title` too) propose.

    POST /desk/budgets/{proposal}/approve, /refuse (`reason`), /withdraw. `proposal` is the id of what is proposed next: a form sent twice is
    one proposal. `unit` is the union level that bears what this officer proposes.
    """

    unit: str
    proposal: str
    budgets: tuple[BudgetRow, ...]
    waiting: tuple[ProposalRow, ...]
    decided: tuple[DecidedRow, ...]
    typed: BudgetTyped | None
    error: str | None


BUDGET_TEMPLATES: dict[str, type] = {"desk/budgets.html": DeskBudgets}
