"""Samples of the public record's sums: by month, merchant, category and offer, and of rebates."""

from dataclasses import replace

from api.pages import views as v
from tests.gallery.frame import MONTHS, Sample
from tests.gallery.public import MERCHANTS, PUBLISHED, TOTAL
from tests.gallery.record import CATEGORIES, CLOSED, DAYS, MONTH, NAMES, NO_ROWS, NONE, WAITING

COUNTING = replace(PUBLISHED, counted_count=60_000)
TENDERS = v.Tenders(
    declared_fen=TOTAL.amounts.paid_fen * 3 // 4,
    provider_fen=TOTAL.amounts.paid_fen // 5,
    untold_fen=TOTAL.amounts.paid_fen - TOTAL.amounts.paid_fen * 3 // 4 - TOTAL.amounts.paid_fen // 5,
)

OFFERS_GIVEN = tuple(
    v.OfferGiven(
        offer_id=offer,
        version=version,
        title=title,
        merchant=merchant,
        is_rebate=is_rebate,
        sales_count=count,
        batches_count=batches,
        borne_fen=fen,
    )
    for offer, version, title, merchant, is_rebate, count, batches, fen in (
        ("FRESH100", 1, "满 100 减 20", "惠民超市", False, 191, 0, 382_000),
        ("NOODLE10", 3, "面食九折", "老周餐饮", False, 1204, 0, 231_000),
        ("BOOK75", 1, "图书七五折", "晨光图书", False, 198, 2, 230_090),
        ("HEALTH5", 2, "药品返百分之五", "康宁医药", True, 0, 14, 48_500),
    )
)


RECORD_SUMS: tuple[Sample, ...] = (
    Sample(
        "record",
        "record.html",
        v.RecordMonths(
            month_on=MONTH,
            months=MONTHS,
            total=TOTAL,
            by="merchant",
            query="",
            rows=MERCHANTS,
            pages=v.Pages(number=2, count=100, rows_count=9_913),
            found=TOTAL,
            sort="list",
            down=True,
            tenders=TENDERS,
            published=PUBLISHED,
        ),
        None,
        "/record/months",
    ),
    Sample(
        "record-categories",
        "record.html",
        v.RecordMonths(
            month_on=MONTH,
            months=MONTHS,
            total=TOTAL,
            by="category",
            query="",
            pages=v.Pages(number=1, count=1, rows_count=7),
            found=TOTAL,
            rows=tuple(
                v.AmountsRow(
                    name=name,
                    code=category,
                    href=f"/record/merchants?category={category}&month=2026-11",
                    amounts=row.amounts,
                    sales_count=row.sales_count,
                )
                for row, category, name in zip(MERCHANTS, CATEGORIES, NAMES, strict=True)
            ),
            sort="list",
            down=True,
            tenders=TENDERS,
            published=COUNTING,
        ),
        None,
        "/record/months?by=category",
    ),
    Sample(
        "record-empty",
        "record.html",
        v.RecordMonths(
            month_on=MONTH,
            months=(),
            total=v.MonthAmounts(month_on=MONTH, amounts=NONE, sales_count=0),
            by="merchant",
            query="老六",
            rows=(),
            pages=NO_ROWS,
            found=v.MonthAmounts(month_on=MONTH, amounts=NONE, sales_count=0),
            sort="merchant",
            down=False,
            tenders=v.Tenders(declared_fen=0, provider_fen=0, untold_fen=0),
            published=WAITING,
        ),
        None,
        "/record/months",
    ),
    Sample(
        "record-offer-sums",
        "record/offer_sums.html",
        v.RecordOfferSums(
            month_on=MONTH,
            months=DAYS,
            given=OFFERS_GIVEN,
            pages=v.Pages(number=2, count=2, rows_count=100 + len(OFFERS_GIVEN)),
            named_fen=sum(row.borne_fen for row in OFFERS_GIVEN) + 8_888_00,
            most_fen=max(row.borne_fen for row in OFFERS_GIVEN) * 2,
            sales_count=2711,
            given_fen=sum(row.borne_fen for row in OFFERS_GIVEN) + 8_888_00 + 3_120,
            back_fen=31_240,
            other_fen=3_120,
            published=PUBLISHED,
        ),
        None,
        "/record/months/offers",
    ),
    Sample(
        "record-offer-sums-empty",
        "record/offer_sums.html",
        v.RecordOfferSums(
            month_on=MONTH,
            months=(),
            given=(),
            pages=v.Pages(number=1, count=1, rows_count=0),
            named_fen=0,
            most_fen=0,
            sales_count=0,
            given_fen=0,
            back_fen=0,
            other_fen=0,
            published=CLOSED,
        ),
        None,
        "/record/months/offers",
    ),
    Sample(
        "record-rebates",
        "record/rebates.html",
        v.RecordRebates(
            month_on=MONTH,
            months=MONTHS,
            total=TOTAL.amounts,
            query="",
            rows=tuple(row for row in MERCHANTS if row.amounts.rebate_fen),
            pages=v.Pages(number=1, count=13, rows_count=1_288),
            found=TOTAL.amounts,
            most_fen=max(row.amounts.rebate_fen for row in MERCHANTS),
            published=PUBLISHED,
        ),
        None,
        "/record/rebates",
    ),
    Sample(
        "record-rebates-empty",
        "record/rebates.html",
        v.RecordRebates(
            month_on=MONTH,
            months=MONTHS[:2],
            total=NONE,
            query="",
            rows=(),
            pages=NO_ROWS,
            found=NONE,
            most_fen=0,
            published=WAITING,
        ),
        None,
        "/record/rebates",
    ),
)
