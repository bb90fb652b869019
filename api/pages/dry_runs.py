"""What came of a dry run, as its page shows it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from api.pages.i18n import Language, translate
from api.pages.pictures import N_
from api.pages.views import Amounts, DryRunBasket, DryRunFound, DryRunLine, DryRunWeek

# Why a draft did not apply, short: the sentences of a quote speak to one member about one basket.
REASONS = {
    "NOT_STARTED": N_("还没开始"),
    "EXPIRED": N_("已经结束"),
    "OUTSIDE_HOURS": N_("不在规定的时间"),
    "WRONG_CHANNEL": N_("不在规定的渠道"),
    "WRONG_SHOP": N_("不在规定的门店"),
    "AUDIENCE": N_("不是规定的人群"),
    "NOT_ACCEPTED": N_("会员没有同意"),
    "DECLINED": N_("会员不用"),
    "QUOTA_EXHAUSTED": N_("个人次数或金额用完"),
    "BUDGET_EXHAUSTED": N_("预算不够"),
    "NO_MATCHING_ITEM": N_("没有合适的商品"),
    "ITEM_EXCLUDED": N_("商品不参加"),
    "MIN_SPEND_NOT_MET": N_("没到金额门槛"),
    "MIN_QTY_NOT_MET": N_("没到件数门槛"),
    "NO_EFFECT": N_("减不出钱"),
    "EXCLUSIVE_CONFLICT": N_("和别的优惠互斥"),
    "BEATEN_BY_BETTER": N_("别的组合更省"),
}


def show_found(result: Mapping[str, Any], *, merchants: Mapping[str, str], language: Language) -> DryRunFound | None:
    """The result of a run that is done; None when it is withheld."""
    if result["withheld"]:
        return None
    draft, largest = result["draft"], result["largest"]
    return DryRunFound(
        sales_count=result["sales"],
        cheaper_count=result["cheaper"],
        dearer_count=result["dearer"],
        used_count=draft["sales"],
        used_fen=draft["amount"],
        used_union_fen=draft["sponsor_pays"],
        before=_amounts(result["before"]),
        after=_amounts(result["after"]),
        weeks=tuple(_week(row) for row in result["weeks"]),
        cheapest=_basket(largest.get("cheaper"), merchants),
        dearest=_basket(largest.get("dearer"), merchants),
        reasons=tuple((say_reason(reason, language), count) for reason, count in result["reasons"].items()),
        bounded_count=result["bounded"],
    )


def say_reason(reason: str, language: Language) -> str:
    """A reason in a few words."""
    return translate(language, REASONS[reason]) if reason in REASONS else reason


def _amounts(sums: Mapping[str, int]) -> Amounts:
    return Amounts(
        list_fen=sums["concession"] + sums["subsidy"] + sums["paid"],
        concession_fen=sums["concession"],
        subsidy_fen=sums["subsidy"],
        paid_fen=sums["paid"],
        rebate_member_fen=sums["rebate_member"],
        rebate_union_fen=sums["rebate_union"],
    )


def _week(row: Mapping[str, Any]) -> DryRunWeek:
    return DryRunWeek(
        week_on=date.fromisoformat(row["week"]),
        sales_count=row["sales"],
        cheaper_count=row["cheaper"],
        dearer_count=row["dearer"],
        before=_amounts(row["before"]),
        after=_amounts(row["after"]),
    )


def _basket(found: Mapping[str, Any] | None, merchants: Mapping[str, str]) -> DryRunBasket | None:
    if found is None:
        return None
    return DryRunBasket(
        merchant=merchants.get(found["merchant"], found["merchant"]),
        before_fen=found["before"],
        after_fen=found["after"],
        lines=tuple(
            DryRunLine(
                item=line["sku"],
                qty=line["qty"],
                unit_price_fen=line["unit_price"],
                before_fen=line["before"],
                after_fen=line["after"],
            )
            for line in found["lines"]
        ),
        offers_before=_offers(found["offers"][0]),
        offers_after=_offers(found["offers"][1]),
    )


def _offers(rows: Sequence[tuple[str, int, int]]) -> tuple[str, ...]:
    return tuple(f"{offer} v{version}" for offer, version, _ in rows)
