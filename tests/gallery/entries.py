"""Samples of the list of published entries."""

from dataclasses import replace

from api.entry_filter import PublicAsked
from api.pages import views as v
from tests.gallery.frame import TODAY, Sample
from tests.gallery.public import MERCHANTS
from tests.gallery.record import DAYS, ENTRIES, MONTH, PUBLISHED, WAITING

ALL = v.RecordEntries(
    typed="",
    choices=(),
    kinds=("account", "budget", "close", "key", "offer", "refund", "sale", "void"),
    merchants=tuple(v.MerchantName(code=row.code, name=row.name) for row in MERCHANTS),
    months=DAYS,
    kind=None,
    merchant_code=None,
    month_on=None,
    day_on=None,
    asked=PublicAsked().address(),
    problem=None,
    before=231_404,
    older=231_394,
    entries=ENTRIES,
    published=PUBLISHED,
)

RECORD_ENTRIES: tuple[Sample, ...] = (
    Sample(
        "record-entries",
        "record/entries.html",
        ALL,
        None,
        "/record/entries",
    ),
    Sample(
        "record-entries-none",
        "record/entries.html",
        v.RecordEntries(
            typed="面馆",
            choices=tuple(
                v.MerchantName(code=f"m_{n:04}", name=f"{name}面馆") for n, name in enumerate(("老周", "兴民", "东门"))
            ),
            kinds=("sale",),
            merchants=(v.MerchantName(code="m_0001", name="老周餐饮"),),
            months=DAYS,
            kind="sale",
            merchant_code=None,
            month_on=MONTH,
            day_on=TODAY,
            asked=PublicAsked(kind="sale", day=TODAY).address(),
            problem=None,
            before=None,
            older=None,
            entries=(),
            published=PUBLISHED,
        ),
        None,
        "/record/entries?type=sale",
    ),
    Sample(
        "record-entries-new",
        "record/entries.html",
        v.RecordEntries(
            typed="",
            choices=(),
            kinds=(),
            merchants=(),
            months=(),
            kind=None,
            merchant_code=None,
            month_on=None,
            day_on=None,
            asked=PublicAsked().address(),
            problem=None,
            before=None,
            older=None,
            entries=(),
            published=WAITING,
        ),
        None,
        "/record/entries",
    ),
    Sample(
        "record-entries-inside",
        "record/entries.html",
        replace(
            ALL,
            asked=PublicAsked(offer="NOODLE10", version=3, of="paid", least="20", most="二百").address(),
            problem="金额到“二百”不是数字。请写元，例如 4 或 8.50。",
            before=None,
            older=None,
            entries=(),
        ),
        None,
        "/record/entries?offer=NOODLE10&version=3",
    ),
)
