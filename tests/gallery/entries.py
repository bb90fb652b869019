"""Samples of the list of published entries."""

from api.pages import views as v
from tests.gallery.frame import TODAY, Sample
from tests.gallery.public import MERCHANTS
from tests.gallery.record import DAYS, ENTRIES, MONTH, PUBLISHED, WAITING

RECORD_ENTRIES: tuple[Sample, ...] = (
    Sample(
        "record-entries",
        "record/entries.html",
        v.RecordEntries(
            typed="",
            choices=(),
            kinds=("account", "budget", "close", "key", "offer", "refund", "sale", "void"),
            merchants=tuple(v.MerchantName(code=row.code, name=row.name) for row in MERCHANTS),
            months=DAYS,
            kind=None,
            merchant_code=None,
            month_on=None,
            day_on=None,
            before=231_404,
            older=231_394,
            entries=ENTRIES,
            published=PUBLISHED,
        ),
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
            before=None,
            older=None,
            entries=(),
            published=WAITING,
        ),
        None,
        "/record/entries",
    ),
)
