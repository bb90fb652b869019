"""The frame samples are shown in, and amounts that add up."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from api.pages import views as v
from api.pages.chrome import PageChrome, Role
from api.pages.i18n import Language

NOW = datetime(2026, 11, 20, 4, 5, 30, tzinfo=UTC)  # 12:05:30 in Shanghai


TODAY = date(2026, 11, 20)


@dataclass(frozen=True)
class Sample:
    """A page to look at: whose it is, where it lives, what it shows."""

    name: str
    template: str
    view: object
    role: Role | None
    path: str
    status: int = 200


def chrome(
    sample: Sample, *, language: Language = "zh-CN", theme: Any = "light", notice: str | None = None
) -> PageChrome:
    """The frame a sample is shown in."""
    names = {"member": "王建国", "assistant": "刘小燕", "owner": "周德福", "officer": "陈淑芬", "auditor": "孙立群"}
    return PageChrome(
        language=language,
        theme=theme,
        path=sample.path,
        csrf_token="csrf-of-the-gallery",
        name=names[sample.role] if sample.role else None,
        role=sample.role,
        demo=True,
        installation="临江钢铁厂工会",
        now=NOW,
        version="0.1.0",
        notice=notice,
        basket_count=3 if sample.role == "member" else None,
    )


def amounts(
    list_fen: int, concession_fen: int, subsidy_fen: int, to_member_fen: int = 0, to_union_fen: int = 0
) -> v.Amounts:
    """Amounts that add up, with the rebates to the member and to the union."""
    return v.Amounts(
        list_fen=list_fen,
        concession_fen=concession_fen,
        subsidy_fen=subsidy_fen,
        paid_fen=list_fen - concession_fen - subsidy_fen,
        rebate_member_fen=to_member_fen,
        rebate_union_fen=to_union_fen,
    )


MONTHS = tuple(
    v.MonthAmounts(
        month_on=date(2026, month, 1),
        amounts=amounts(list_fen, concession, subsidy, *rebates),
        sales_count=count,
    )
    for month, list_fen, concession, subsidy, count, rebates in (
        (6, 15_230_410, 1_310_220, 402_130, 3_311, (0, 0)),
        (7, 16_822_000, 1_502_310, 455_200, 3_657, (0, 0)),
        (8, 15_904_730, 1_399_000, 431_860, 3_457, (0, 31_220)),
        (9, 19_450_220, 1_877_450, 590_040, 4_228, (20_410, 58_470)),
        (10, 18_311_640, 1_720_030, 533_310, 3_980, (44_930, 61_080)),
        (11, 12_470_180, 1_144_720, 366_090, 2_711, (30_260, 41_550)),
    )
)
