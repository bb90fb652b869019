"""Samples of the public record."""

from datetime import date, timedelta
from hashlib import sha256

from api.pages import views as v
from api.pages.views.record import PublicationSaid
from tests.gallery.desk import ENTRY_JSON
from tests.gallery.frame import MONTHS, NOW, TODAY, Sample, amounts
from tests.gallery.public import MERCHANTS, TOTAL

MONTH = date(2026, 11, 1)
DAYS = tuple(item.month_on for item in MONTHS)
NONE = amounts(0, 0, 0)

PUBLISHED = v.Checkpointed(
    entries_count=231_404,
    signed_at=NOW - timedelta(seconds=40),
    within_seconds=3660,
    witnesses_count=2,
    cosigned_count=0,
)
WAITING = v.Checkpointed(entries_count=0, signed_at=None, within_seconds=65, witnesses_count=0, cosigned_count=0)
CLOSED = v.Checkpointed(entries_count=0, signed_at=None, within_seconds=None, witnesses_count=0, cosigned_count=0)

CATEGORIES = ("market", "food", "pharmacy", "books", "bakery", "fitness", "cinema")
NAMES = ("超市生鲜", "餐饮", "药房", "图书文具", "面包糕点", "运动健身", "电影演出")

BUSINESSES = tuple(
    v.PublicMerchant(
        code=row.code,
        name=row.name,
        category=category,
        since_on=date(2026, 3, 1) + timedelta(days=17 * n),
        is_suspended=n == 5,
        is_batched=category == "pharmacy",
        offers_count=(3, 2, 1, 1, 2, 0, 1)[n],
        amounts=row.amounts,
        sales_count=row.sales_count,
    )
    for n, (row, category) in enumerate(zip(MERCHANTS, CATEGORIES, strict=True))
)

ENTRIES = tuple(
    v.PublishedRow(
        leaf_index=231_403 - n,
        entry_id=sha256(str(n).encode()).hexdigest()[:32],
        day_on=TODAY - timedelta(days=n // 4),
        kind=kind,
        merchant=merchant,
        merchant_code=code,
        amounts=amounts(list_fen, concession, subsidy, list_fen // 50, list_fen // 100),
        count=17 if kind == "batch" else None,
        offers=offers,
    )
    for n, (kind, merchant, code, list_fen, concession, subsidy, offers) in enumerate(
        (
            ("sale", "老周餐饮", "m_0001", 1800, 160, 100, ("NOODLE10 v3",)),
            ("sale", "惠民超市", "m_0000", 10930, 2000, 300, ("FRESH100 v1", "EGG2 v2")),
            ("refund", "惠民超市", "m_0000", 2300, 400, 60, ()),
            ("batch", "康宁医药", "m_0002", 96_660, 4500, 1000, ("CARE5 v2",)),
            ("void", "惠民超市", "m_0000", 6660, 450, 1000, ()),
            ("offer", None, None, 0, 0, 0, ()),
            ("budget", None, None, 0, 0, 0, ()),
            ("merchant", "麦香坊烘焙", "m_0004", 0, 0, 0, ()),
            ("close", None, None, 0, 0, 0, ()),
            ("account", None, None, 0, 0, 0, ()),
            ("key", None, None, 0, 0, 0, ()),
            ("tender_call", None, None, 0, 0, 0, ()),
            ("sale", "晨光图书", "m_0003", 6000, 1500, 0, ("BOOK75 v1",)),
        )
    )
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

VKEY = "huigong.example/linjiang+8b2d4c1f+AZXk1Zqk4Yx0oCwLq3Jt0YB1m0Vw2o1n7n7b6m0fQk9c"
CHECKPOINT = (
    "huigong.example/linjiang\n231404\nQ3fU1m4cVxj2mTn0aQ6h7pQm8yWcF1tqk0sYl2b9eXo=\n\n"
    "— huigong.example/linjiang iy1MHzVb3T0p5hYx3h2ZK1m9Qq7s8j0o0b1cXo2u4kq5vJ8wQm3cYt6s8c0fQk9cYl2b9eXoQ3fU1m4cVxj2mTn0aQ=\n"
)


def entry(**changed: object) -> v.RecordEntry:
    """A sale's page, with some of it changed."""
    given = {
        "entry_id": "8f1c0d5e7a4b4c1e9d2f3a6b7c8d9e0f",
        "kind": "sale",
        "day_on": TODAY,
        "merchant": "老周餐饮",
        "merchant_code": "m_0042",
        "leaf_index": 231_007,
        "leaf_hash": "d" * 64,
        "bytes_count": len(ENTRY_JSON),
        "amounts": amounts(1800, 160, 100, 30, 0),
        "offers": (
            v.OfferShare(offer_id="NOODLE10", version=3, borne_fen=160),
            v.OfferShare(offer_id="BACK2", version=1, borne_fen=30),
        ),
        "transfers": (
            v.TransferShown(debit="budget:b_12", credit="payable:m_0042", amount_fen=100),
            v.TransferShown(debit="receivable:m_0042", credit="rebates:members", amount_fen=30),
        ),
        "count": None,
        "is_return": False,
        "of": None,
        "returns": ("1c0d5e7a4b4c1e9d2f3a6b7c8d9e0f8f",),
        "chart": (),
        "fields": (
            v.FieldShown(label="渠道", name="channel", values=("到店",)),
            v.FieldShown(label="付款由谁证明", name="tender", values=("店里报的",)),
            v.FieldShown(label="币种", name="ccy", values=("CNY",)),
            v.FieldShown(
                label="持卡人的承诺值",
                name="subject",
                values=("n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",),
                is_code=True,
            ),
        ),
        "entry_json": ENTRY_JSON,
        "published": PUBLISHED,
    }
    return v.RecordEntry(**(given | changed))  # type: ignore[arg-type]


def bare_entry(**changed: object) -> v.RecordEntry:
    """The page of what says no amounts."""
    return entry(
        **{"merchant": None, "merchant_code": None, "amounts": None, "offers": (), "transfers": (), "returns": ()}
        | changed
    )


RECORD: tuple[Sample, ...] = (
    Sample(
        "record-home",
        "record/home.html",
        v.RecordHome(
            month=v.MonthAmounts(month_on=MONTH, amounts=TOTAL.amounts, sales_count=TOTAL.sales_count),
            merchants_count=300,
            published=PUBLISHED,
        ),
        None,
        "/record",
    ),
    Sample(
        "record-home-new",
        "record/home.html",
        v.RecordHome(
            month=v.MonthAmounts(month_on=MONTH, amounts=NONE, sales_count=0), merchants_count=1, published=WAITING
        ),
        None,
        "/record",
    ),
    Sample(
        "record",
        "record.html",
        v.RecordMonths(
            month_on=MONTH, months=MONTHS, total=TOTAL, by="merchant", rows=MERCHANTS, sort="list", down=True
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
            rows=(),
            sort="merchant",
            down=False,
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
            sales_count=2711,
            given_fen=sum(row.borne_fen for row in OFFERS_GIVEN) + 3_120,
            back_fen=31_240,
            other_fen=3_120,
        ),
        None,
        "/record/months/offers",
    ),
    Sample(
        "record-offer-sums-empty",
        "record/offer_sums.html",
        v.RecordOfferSums(month_on=MONTH, months=(), given=(), sales_count=0, given_fen=0, back_fen=0, other_fen=0),
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
            rows=tuple(row for row in MERCHANTS if row.amounts.rebate_fen),
        ),
        None,
        "/record/rebates",
    ),
    Sample(
        "record-rebates-empty",
        "record/rebates.html",
        v.RecordRebates(month_on=MONTH, months=MONTHS[:2], total=NONE, rows=()),
        None,
        "/record/rebates",
    ),
    Sample(
        "record-merchants",
        "record/merchants.html",
        v.RecordMerchants(
            month_on=MONTH,
            months=DAYS,
            category=None,
            categories=tuple(
                v.CategoryChoice(category=code, merchants_count=12 - n) for n, code in enumerate(CATEGORIES)
            ),
            merchants=BUSINESSES,
            total=TOTAL.amounts,
            sort="concession",
            down=True,
        ),
        None,
        "/record/merchants",
    ),
    Sample(
        "record-merchants-none",
        "record/merchants.html",
        v.RecordMerchants(
            month_on=MONTH,
            months=(),
            category="tea",
            categories=(),
            merchants=(),
            total=NONE,
            sort="concession",
            down=True,
        ),
        None,
        "/record/merchants",
    ),
    Sample(
        "record-merchants-new",
        "record/merchants.html",
        v.RecordMerchants(
            month_on=MONTH,
            months=(),
            category=None,
            categories=(),
            merchants=(),
            total=NONE,
            sort="merchant",
            down=False,
        ),
        None,
        "/record/merchants",
    ),
    Sample(
        "record-merchant",
        "record/merchant.html",
        v.RecordMerchant(
            code="m_0001",
            name="老周餐饮",
            category="food",
            since_on=date(2026, 3, 18),
            is_suspended=False,
            published=PublicationSaid(publication="row", from_on=date(2026, 6, 1)),
            coming=PublicationSaid(publication="batched", from_on=date(2026, 12, 1)),
            months=MONTHS,
            versions=tuple(
                v.MerchantVersion(
                    offer_id="NOODLE10",
                    version=version,
                    title="面食九折",
                    gives=gives,
                    state=state,
                    published_on=date(2026, 3, 18) + timedelta(days=60 * (version - 1)),
                    ended_on=ended,
                )
                for version, gives, state, ended in (
                    (3, "9 折", "live", None),
                    (2, "9.2 折", "ended", date(2026, 7, 16)),
                    (1, "9.5 折", "ended", date(2026, 5, 17)),
                )
            ),
            entries=ENTRIES[:4],
            terms_entry=ENTRIES[7].entry_id,
        ),
        None,
        "/record/merchants/m_0001",
    ),
    Sample(
        "record-merchant-new",
        "record/merchant.html",
        v.RecordMerchant(
            code="m_0301",
            name="新开的店",
            category="tea",
            since_on=TODAY,
            is_suspended=True,
            published=PublicationSaid(publication="batched", from_on=TODAY),
            coming=None,
            months=(),
            versions=(),
            entries=(),
            terms_entry=None,
        ),
        None,
        "/record/merchants/m_0301",
    ),
    Sample(
        "record-entries",
        "record/entries.html",
        v.RecordEntries(
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
            kinds=("sale",),
            merchants=(v.MerchantName(code="m_0001", name="老周餐饮"),),
            months=DAYS,
            kind="sale",
            merchant_code="m_0001",
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
    Sample("record-entry", "record/entry.html", entry(), None, "/record/entries/8f1c"),
    Sample(
        "record-entry-refund",
        "record/entry.html",
        entry(
            kind="refund",
            offers=(),
            returns=(),
            of="8f1c0d5e7a4b4c1e9d2f3a6b7c8d9e0f",
            fields=(v.FieldShown(label="币种", name="ccy", values=("CNY",)),),
        ),
        None,
        "/record/entries/9f1c",
    ),
    Sample(
        "record-entry-unknown",
        "record/entry.html",
        bare_entry(
            kind="tender_call",
            fields=(
                v.FieldShown(label="", name="lots", values=("3",)),
                v.FieldShown(label="金额", name="amount", values=(), fen=5_000_000),
                v.FieldShown(label="优惠", name="offer", values=("NOODLE10",), href="/record/offers/NOODLE10"),
                v.FieldShown(label="", name="signed", values=()),
            ),
            entry_json='{"amount":5000000,"lots":3,"type":"tender_call","v":1}',
        ),
        None,
        "/record/entries/aa1c",
    ),
    Sample(
        "record-check",
        "record/check.html",
        v.RecordCheck(
            address="https://huigong.example",
            origin="huigong.example/linjiang",
            vkey=VKEY,
            checkpoint=CHECKPOINT,
            window_seconds=3600,
            witnesses=(
                v.WitnessShown(name="witness.example/city", is_own=False, since_at=None, checkpoints_count=0),
                v.WitnessShown(
                    name="witness.example/law", is_own=True, since_at=NOW - timedelta(days=40), checkpoints_count=960
                ),
            ),
            own_check=v.OwnCheck(at=NOW, entries_count=231_404, findings_count=0),
            published=PUBLISHED,
        ),
        None,
        "/record/check-it-yourself",
    ),
    Sample(
        "record-check-closed",
        "record/check.html",
        v.RecordCheck(
            address="http://127.0.0.1:8000",
            origin=None,
            vkey=None,
            checkpoint=None,
            window_seconds=None,
            witnesses=(),
            own_check=None,
            published=CLOSED,
        ),
        None,
        "/record/check-it-yourself",
    ),
)
