"""Samples of the breakdowns by who bought."""

from datetime import date

from api.pages.views import RecordBreakdowns
from api.pages.views.record import BreakdownRow, BreakdownTable
from tests.gallery.frame import Sample, amounts
from tests.gallery.record import DAYS, MONTH


def group(name: str, members: int, purchases: int, *parts: str, money: bool = False) -> BreakdownRow:
    """A published group."""
    sums = amounts(purchases * 4_000, purchases * 500, purchases * 100) if money else None
    return BreakdownRow(name=name, parts=parts, members_count=members, purchases_count=purchases, amounts=sums)


BREAKDOWNS = (
    BreakdownTable(
        attribute="unit",
        k=10,
        rows=(
            group("炼铁厂 · 一车间", 214, 1_020, money=True),
            group("炼钢厂", 187, 900, money=True),
            group("矿业公司：3 个单位合并", 41, 160, "一车间", "设备车间", "离退休管理站", money=True),
        ),
        merged_count=2,
    ),
    BreakdownTable(attribute="retired", k=5, rows=(group("在职", 381, 1_780), group("退休", 61, 300)), merged_count=0),
    BreakdownTable(attribute="age", k=5, rows=(group("29 岁及以下、30–39 岁", 442, 2_080),), merged_count=1),
)

BREAKDOWN_PAGES: tuple[Sample, ...] = (
    Sample(
        "record-breakdowns",
        "record/breakdowns.html",
        RecordBreakdowns(
            month_on=MONTH, months=DAYS, tables=BREAKDOWNS, made_on=date(2026, 12, 3), due_on=date(2027, 1, 3)
        ),
        None,
        "/record/breakdowns",
    ),
    Sample(
        "record-breakdowns-few",
        "record/breakdowns.html",
        RecordBreakdowns(
            month_on=MONTH,
            months=DAYS[-1:],
            tables=(BreakdownTable(attribute="unit", k=10, rows=(), merged_count=0),),
            made_on=date(2026, 12, 3),
            due_on=date(2027, 1, 3),
        ),
        None,
        "/record/breakdowns",
    ),
    Sample(
        "record-breakdowns-new",
        "record/breakdowns.html",
        RecordBreakdowns(month_on=None, months=(), tables=(), made_on=None, due_on=date(2026, 12, 3)),
        None,
        "/record/breakdowns",
    ),
)
