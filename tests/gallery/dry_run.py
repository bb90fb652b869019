"""Samples of the dry run."""

from dataclasses import replace
from datetime import date, timedelta

from api.pages import views as v
from tests.gallery.frame import NOW, Sample, amounts

RUN = "0198f1c0-d5e7-7a4b-8c1e-9d2f3a6b7c8d"
FORM = v.DryRuns(
    choices=(
        v.DryRunChoice(value="NOODLE10/4", title="面食九折 · NOODLE10 v4"),
        v.DryRunChoice(value="LUNCH2/1", title="工作日午餐补贴 · LUNCH2 v1"),
    ),
    months=(date(2026, 11, 1), date(2026, 10, 1), date(2026, 9, 1)),
    chosen="LUNCH2/1",
    document="",
    month_on=date(2026, 10, 1),
    budget="",
    runs=tuple(
        v.DryRunRow(
            run_id=RUN,
            offer_id=offer,
            version=version,
            month_on=date(2026, 10, 1),
            state=state,
            asked_by="陈淑芬",
            asked_at=NOW - timedelta(hours=hours),
        )
        for hours, (offer, version, state) in enumerate(
            (
                ("LUNCH2", 1, "running"),
                ("NOODLE10", 4, "waiting"),
                ("LUNCH2", None, "done"),
                ("FRESH100", 1, "cancelled"),
                ("FRESH100", 1, "interrupted"),
                ("FRESH100", None, "failed"),
            )
        )
    ),
    error=None,
)
WEEKS = (
    (date(2026, 9, 28), 3_120, 1_402, 11, 2_850_400, 420_100, 187_600, -3_100, 190_000),
    (date(2026, 10, 5), 4_980, 2_211, 30, 4_512_300, 690_800, 301_200, 4_400, 288_500),
    (date(2026, 10, 12), 5_012, 2_240, 64, 4_498_700, 702_500, 310_900, 2_900, 251_300),
    (date(2026, 10, 19), 5_104, 1_980, 207, 4_603_100, 711_200, 322_700, -1_200, 140_800),
    (date(2026, 10, 26), 4_700, 90, 402, 4_120_500, 655_000, 298_100, -900, -12_400),
)
DONE = v.DryRunPage(
    run_id=RUN,
    offer_id="LUNCH2",
    version=1,
    gives="补 2 元",
    month_on=date(2026, 10, 1),
    budget_fen=1_000_000,
    asked_by="陈淑芬",
    asked_at=NOW - timedelta(minutes=3),
    state="done",
    done_count=22_916,
    whole_count=22_916,
    seconds=11,
    withheld=False,
    found=v.DryRunFound(
        sales_count=22_916,
        cheaper_count=7_923,
        dearer_count=714,
        used_count=8_020,
        used_fen=1_604_000,
        used_union_fen=1_604_000,
        before=amounts(20_585_000, 3_179_600, 1_420_500, 12_300, 4_000),
        after=amounts(20_585_000, 3_181_700, 2_278_700, 12_300, 4_000),
        weeks=tuple(
            v.DryRunWeek(
                week_on=week_on,
                sales_count=sales,
                cheaper_count=cheaper,
                dearer_count=dearer,
                before=amounts(list_fen, concession, subsidy),
                after=amounts(list_fen, concession + more_concession, subsidy + more_subsidy),
            )
            for week_on, sales, cheaper, dearer, list_fen, concession, subsidy, more_concession, more_subsidy in WEEKS
        ),
        cheapest=v.DryRunBasket(
            merchant="老周餐饮",
            before_fen=1_640,
            after_fen=1_340,
            lines=(
                v.DryRunLine(item="beef-noodles", qty=1, unit_price_fen=1_600, before_fen=1_440, after_fen=1_140),
                v.DryRunLine(item="other", qty=1, unit_price_fen=200, before_fen=200, after_fen=200),
            ),
            offers_before=("NOODLE10 v3",),
            offers_after=("LUNCH2 v1", "NOODLE10 v3"),
        ),
        dearest=v.DryRunBasket(
            merchant="惠民超市",
            before_fen=4_500,
            after_fen=5_000,
            lines=(v.DryRunLine(item="rice-5kg", qty=1, unit_price_fen=5_000, before_fen=4_500, after_fen=5_000),),
            offers_before=("LUNCH1 v2",),
            offers_after=(),
        ),
        reasons=(("没到金额门槛", 5_210), ("预算不够", 902), ("不在规定的时间", 1)),
        bounded_count=2,
    ),
)
NOT_DONE = replace(DONE, found=None, seconds=None)
PATH = f"/desk/dry-runs/{RUN}"

DRY_RUNS: tuple[Sample, ...] = (
    Sample("dry-runs", "desk/dry_runs.html", FORM, "officer", "/desk/dry-runs"),
    Sample(
        "dry-runs-none",
        "desk/dry_runs.html",
        v.DryRuns(choices=(), months=(), chosen="", document="", month_on=None, budget="", runs=(), error=None),
        "officer",
        "/desk/dry-runs",
    ),
    Sample(
        "dry-runs-refused",
        "desk/dry_runs.html",
        replace(FORM, document='{"id": "X"}', budget="很多", error="“预算”只填数字，如 15.40。请改正后再试。"),
        "officer",
        "/desk/dry-runs",
        422,
    ),
    Sample("dry-run", "desk/dry_run.html", DONE, "officer", PATH),
    Sample("dry-run-going", "desk/dry_run.html", replace(NOT_DONE, state="running", done_count=9_400), "officer", PATH),
    Sample("dry-run-waiting", "desk/dry_run.html", replace(NOT_DONE, state="waiting", done_count=0), "officer", PATH),
    Sample("dry-run-few", "desk/dry_run.html", replace(DONE, found=None, withheld=True), "officer", PATH),
    *(
        Sample(f"dry-run-{state}", "desk/dry_run.html", replace(NOT_DONE, state=state, version=None), "officer", PATH)
        for state in ("cancelled", "interrupted", "failed")
    ),
)
