"""Samples of the desk page of budgets."""

from dataclasses import replace
from datetime import timedelta

from api.pages.views.budgets import BudgetTyped, DecidedRow, DeskBudgets, ProposalRow
from api.pages.views.desk import BudgetRow
from tests.gallery.frame import NOW, Sample

WAITING = tuple(
    ProposalRow(
        proposal_id=f"00000000-0000-7000-8000-00000000000{number}",
        code=code,
        name=name,
        is_new=is_new,
        amount_fen=fen,
        proposed_by=by,
        proposed_at=NOW - timedelta(hours=hours),
        own=own,
        reason=None,
    )
    for number, code, name, is_new, fen, by, hours, own in (
        (1, "lunch", "职工餐补", False, 5_000_000, "陈淑芬", 26, False),
        (2, "spring_2027", "春节慰问，给坚守岗位和退休的会员一份年货", True, 30_000_000, "周卫国", 3, True),
    )
)
DECIDED = tuple(
    DecidedRow(
        code=code,
        name=name,
        is_new=is_new,
        amount_fen=fen,
        state=state,
        proposed_by="周卫国",
        decided_by=by,
        decided_at=NOW - timedelta(days=days),
        reason=reason,
    )
    for code, name, is_new, fen, state, by, days, reason in (
        ("spring_2027", "春节慰问", True, 80_000_000, "refused", "陈淑芬", 2, "请附上人数，降到 30 万元以内再提"),
        ("culture", "文化体育", False, 1_000_000, "withdrawn", "周卫国", 9, ""),
        ("lunch", "职工餐补", False, 8_000_000, "approved", "陈淑芬", 40, ""),
        ("lunch", "职工餐补", True, 8_000_000, "approved", "陈淑芬", 180, ""),
    )
)
BUDGETS = DeskBudgets(
    unit="临江钢铁厂",
    proposal="00000000-0000-7000-8000-000000000009",
    budgets=(
        BudgetRow(code="lunch", name="职工餐补", granted_fen=16_000_000, left_fen=4_412_300),
        BudgetRow(code="culture", name="文化体育", granted_fen=2_000_000, left_fen=121_050),
        BudgetRow(code="care", name="退休会员关爱", granted_fen=3_000_000, left_fen=3_000_000),
    ),
    waiting=WAITING,
    decided=DECIDED,
    typed=None,
    error=None,
)

BUDGET_PAGES: tuple[Sample, ...] = (
    Sample("desk-budgets", "desk/budgets.html", BUDGETS, "officer", "/desk/budgets"),
    Sample(
        "desk-budgets-none",
        "desk/budgets.html",
        replace(BUDGETS, budgets=(), waiting=(), decided=()),
        "officer",
        "/desk/budgets",
    ),
    Sample(
        "desk-budgets-taken",
        "desk/budgets.html",
        replace(
            BUDGETS,
            typed=BudgetTyped(form="new", budget="lunch", title="工作餐", amount="12,000"),
            error="代码 lunch 已有预算，或正在等批准。请换一个代码，或给原来的预算拨款。",
        ),
        "officer",
        "/desk/budgets",
        409,
    ),
    Sample(
        "desk-budgets-refusing",
        "desk/budgets.html",
        replace(
            BUDGETS,
            waiting=(replace(WAITING[0], reason=""), WAITING[1]),
            error="请写明退回的理由（最多 200 个字），提出人会看到。",
        ),
        "officer",
        "/desk/budgets",
        422,
    ),
)
