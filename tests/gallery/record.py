"""Samples of the public record."""

from datetime import date, timedelta
from hashlib import sha256

from api.pages import views as v
from api.pages.views.record import PublicationSaid
from tests.gallery.desk import ENTRY_JSON
from tests.gallery.frame import MONTHS, TODAY, Sample, amounts
from tests.gallery.public import MERCHANTS, PUBLISHED, TOTAL

MONTH = date(2026, 11, 1)
DAYS = tuple(item.month_on for item in MONTHS)
NONE = amounts(0, 0, 0)
NO_ROWS = v.Pages(number=1, count=1, rows_count=0)

WAITING = v.Checkpointed(
    entries_count=0, counted_count=0, signed_at=None, within_seconds=65, witnesses_count=0, cosigned_count=0
)
CLOSED = v.Checkpointed(
    entries_count=0, counted_count=0, signed_at=None, within_seconds=None, witnesses_count=0, cosigned_count=0
)

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

TOLD = tuple(
    v.MerchantTold(
        entry_id=sha256(f"told {n}".encode()).hexdigest()[:32],
        day_on=day,
        action=action,
        category=category,
        publication=publication,
        from_on=from_on,
        reason=reason,
    )
    for n, (day, action, category, publication, from_on, reason) in enumerate(
        (
            (date(2026, 11, 3), "变更", None, "成批公布", date(2026, 12, 1), "销售不够多"),
            (date(2026, 9, 20), "恢复合作", None, None, None, None),
            (date(2026, 9, 11), "暂停合作", None, None, None, None),
            (date(2026, 7, 2), "变更", "food", None, None, None),
            (date(2026, 3, 18), "加入", "bakery", "逐笔公布", date(2026, 3, 18), None),
        )
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
        "text": None,
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
        "record-merchants",
        "record/merchants.html",
        v.RecordMerchants(
            month_on=MONTH,
            months=DAYS,
            category=None,
            categories=tuple(
                v.CategoryChoice(category=code, merchants_count=12 - n) for n, code in enumerate(CATEGORIES)
            ),
            query="",
            merchants=BUSINESSES,
            pages=v.Pages(number=3, count=100, rows_count=9_968),
            total=TOTAL.amounts,
            sales_count=TOTAL.sales_count,
            most_fen=max(row.amounts.concession_fen for row in BUSINESSES),
            sort="concession",
            down=True,
            counted=PUBLISHED,
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
            query="",
            merchants=(),
            pages=NO_ROWS,
            total=NONE,
            sales_count=0,
            most_fen=0,
            sort="concession",
            down=True,
            counted=WAITING,
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
            query="",
            merchants=(),
            pages=NO_ROWS,
            total=NONE,
            sales_count=0,
            most_fen=0,
            sort="merchant",
            down=False,
            counted=WAITING,
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
            names=(
                v.NameSaid(name="老周餐饮", from_on=date(2026, 9, 1), entry_id="5" * 32),
                v.NameSaid(name=None, from_on=date(2026, 3, 18), entry_id="6" * 32),
            ),
            told=TOLD,
            counted=PUBLISHED,
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
            names=(),
            told=(),
            counted=PUBLISHED,
        ),
        None,
        "/record/merchants/m_0301",
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
)
