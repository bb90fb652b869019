"""Parts that the pages and files of the public record share: the month asked for, figures by category, how far it is published."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from fastapi import Query
from sqlalchemy.orm import Session

import merchants
from api.errors import PageUnknownError
from api.pages.i18n import Language, translate
from api.pages.pictures import category
from api.pages.totals import add_up, show_amounts
from api.pages.views import Amounts, AmountsRow, Checkpointed
from api.pages.views.shared import Stopped
from market.kit.clock import business_day, now
from market.oversight.queries import Totals, month_days
from market.record.policy import Policy
from market.record.publishing.served import (
    count_newest_cosigners,
    find_policy,
    newest_signed_at,
    published_size,
)
from market.record.publishing.standing import find_standstill
from merchants import MerchantBusiness

AMOUNTS: Final = ("list_fen", "concession_fen", "subsidy_fen", "paid_fen", "rebate_member_fen", "rebate_union_fen")
FIGURES: Final = ("sales", *AMOUNTS)

# A form sends an empty field for "the newest" or "all".
Month = Annotated[str, Query(pattern="^([0-9]{4}-[0-9]{2})?$", description="YYYY-MM")]


def choose_month(month: str, months: Sequence[str]) -> str:
    """The month asked for, else the newest with anything, else this one. A month there never was is an unknown page."""
    if not month:
        return months[-1] if months else business_day(now()).isoformat()[:7]
    try:
        month_days(month)
    except ValueError:
        raise PageUnknownError from None
    return month


def list_businesses(tx: Session) -> dict[str, MerchantBusiness]:
    """All merchants by code."""
    return {business.merchant: business for business in merchants.list_merchants(tx)}


def write_figures(row: Totals | Amounts, *, sales: int | None = None) -> dict[str, int]:
    """The figures of a row as files name them, in fen."""
    count = row.sales if isinstance(row, Totals) else sales or 0
    return {"sales": count, **{name: getattr(row, name) for name in AMOUNTS}}


def sum_by_category(
    rows: Sequence[Totals], businesses: Mapping[str, MerchantBusiness], *, month: str, language: Language = "zh-CN"
) -> list[AmountsRow]:
    """Sums of merchants (`label` their codes) by the category that each has now; `code` is the category's."""
    groups: dict[str, list[Totals]] = {}
    for row in rows:
        business = businesses.get(row.label)
        groups.setdefault(business.category if business else "other", []).append(row)
    shown = []
    for code, group in groups.items():
        amounts, sales_count = add_up(group)
        shown.append(
            AmountsRow(
                name=translate(language, category(code).label),
                code=code,
                href=f"/record/merchants?category={code}&month={month}",
                amounts=amounts,
                sales_count=sales_count,
            )
        )
    return shown


def show_rows(rows: Sequence[Totals], businesses: Mapping[str, MerchantBusiness]) -> list[AmountsRow]:
    """Sums of merchants (`label` their codes), each leading to its page."""
    return [
        AmountsRow(
            name=businesses[row.label].name if row.label in businesses else row.label,
            code=row.label,
            href=f"/record/merchants/{row.label}",
            amounts=show_amounts(row),
            sales_count=row.sales,
        )
        for row in rows
    ]


def show_published(tx: Session, policy: Policy | None = None) -> Checkpointed:
    """How far the record is published now."""
    policy = policy or find_policy(tx)
    outside = () if policy is None else policy.witnesses
    stopped = find_standstill(tx, policy, at=now())
    return Checkpointed(
        entries_count=published_size(tx),
        signed_at=newest_signed_at(tx),
        within_seconds=None if policy is None else policy.window_seconds + policy.delay_seconds,
        witnesses_count=len(outside),
        cosigned_count=count_newest_cosigners(tx, among=outside),
        stopped=None if stopped is None else Stopped(stopped.since),
    )
