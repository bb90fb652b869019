"""The public record by who bought: closed months by unit, retirement and age, in groups too large to tell of anybody. No sign-in."""

from typing import Any, Final, cast

from fastapi import Request, Response

from api.access import Doors
from api.breakdowns import ATTRIBUTES, UNKNOWN
from api.door import language_of
from api.exports import csv_response, public_json
from api.pages.i18n import Language, translate
from api.pages.kit import render
from api.pages.pictures import N_
from api.pages.public_record import Month, choose_month
from api.pages.totals import month_on
from api.pages.views import Amounts, RecordBreakdowns
from api.pages.views.record import BreakdownRow, BreakdownTable
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.oversight.breakdowns import due_on, list_table_months, list_tables
from market.oversight.models import Breakdown
from market.oversight.public_totals import list_public_months

doors = Doors(prefix="/record", tags=["public record"])

MONTHS_SHOWN: Final = 12
FIGURES: Final = ("members", "purchases", "list_fen", "concession_fen", "subsidy_fen", "paid_fen")
HEADER: Final = ("month", "attribute", "k", "group", "units", *FIGURES)


WORDS: Final = {
    "active": N_("在职"),
    "left": N_("已离会"),
    "retired": N_("退休"),
    UNKNOWN: N_("登记里已没有的人"),
    "under-30": N_("29 岁及以下"),
    "30-39": N_("30–39 岁"),
    "40-49": N_("40–49 岁"),
    "50-59": N_("50–59 岁"),
    "60-69": N_("60–69 岁"),
    "over-69": N_("70 岁及以上"),
}


@doors.get("/breakdowns", include_in_schema=False)
def record_breakdowns(request: Request, month: Month = "") -> Response:
    """A closed month by unit, by who is retired, and by age."""
    language, today = language_of(request), business_day(now())
    with transaction() as tx:
        months = list_table_months(tx)
        chosen = choose_month(month, months)
        tables = list_tables(tx, month=chosen)
        traded = list_public_months(tx)
    made = {table.attribute: table for table in tables}
    coming = next((label for label in traded if label not in months), today.isoformat()[:7])
    view = RecordBreakdowns(
        month_on=month_on(chosen) if tables or month else None,
        months=tuple(month_on(each) for each in months[-MONTHS_SHOWN:]),
        tables=tuple(_show(made[name], language) for name in ATTRIBUTES if name in made),
        made_on=business_day(tables[0].made_at) if tables else None,
        due_on=due_on(coming),
    )
    return render(request, "record/breakdowns.html", view)


@doors.get("/breakdowns.csv")
def record_breakdowns_csv(month: Month = "") -> Response:
    """Breakdowns as CSV, of one month or of all; amounts in fen, to the nearest ten yuan, and only by unit."""
    label, rows = _rows(month)
    cells = (
        tuple(("+".join(row[name]) if name in {"group", "units"} else row[name]) for name in HEADER) for row in rows
    )
    return csv_response(f"huigong-breakdowns{label}.csv", HEADER, cells, public=True)


@doors.get("/breakdowns.json")
def record_breakdowns_json(month: Month = "") -> Response:
    """Breakdowns as JSON, of one month or of all; amounts in fen, to the nearest ten yuan, and only by unit."""
    return public_json(_rows(month)[1])


def _rows(month: str) -> tuple[str, list[dict[str, Any]]]:
    chosen = choose_month(month, []) if month else None
    with transaction() as tx:
        tables = list_tables(tx, month=chosen)
    rows = [
        {
            "month": table.month,
            "attribute": table.attribute,
            "k": table.k,
            "group": group["codes"],
            "units": [name for name in group["names"] if name],
            **{name: group.get(name) for name in FIGURES},
        }
        for table in tables
        for group in table.groups
    ]
    return f"-{chosen}" if chosen else "", rows


def _show(table: Breakdown, language: Language) -> BreakdownTable:
    rows = [_show_row(group, language) for group in table.groups]
    if table.attribute == "unit":
        rows.sort(key=lambda row: -row.members_count)
    return BreakdownTable(
        attribute=cast("Any", table.attribute),  # the table's own constraint knows no other
        k=table.k,
        rows=tuple(rows),
        merged_count=sum(len(group["codes"]) > 1 for group in table.groups),
    )


def _show_row(group: dict[str, Any], language: Language) -> BreakdownRow:
    parts = tuple(
        translate(language, WORDS[code]) if code in WORDS else name
        for code, name in zip(group["codes"], group["names"], strict=True)
    )
    where = " · ".join(group["where"][1:] or group["where"])  # the union itself is said where nothing is below it
    if where and (group["is_whole"] or len(parts) == 1):
        name, parts = where, ()
    elif where:
        name = translate(language, N_("%(where)s：%(n)s 个单位合并"), where=where, n=len(parts))
    else:
        name, parts = (", " if language == "en" else "、").join(parts), ()
    return BreakdownRow(
        name=name,
        parts=parts,
        members_count=group["members"],
        purchases_count=group["purchases"],
        amounts=Amounts(
            list_fen=group["list_fen"],
            concession_fen=group["concession_fen"],
            subsidy_fen=group["subsidy_fen"],
            paid_fen=group["paid_fen"],
        )
        if "list_fen" in group
        else None,
    )
