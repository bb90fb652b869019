"""Samples of the auditor's pages."""

from datetime import timedelta
from hashlib import sha256

from api.audit_filter import Asked
from api.pages import views as v
from api.pages.views.audit import (
    AuditEntries,
    AuditEntry,
    AuditHome,
    AuditPrice,
    AuditRow,
    Finding,
    RecomputedStep,
    VerifyRun,
)
from tests.gallery.desk import ENTRY_JSON
from tests.gallery.frame import MONTHS, NOW, TODAY, Sample, amounts
from tests.gallery.public import MERCHANTS
from tests.gallery.record import CLOSED, PUBLISHED

CHOICES = tuple(v.MerchantName(code=row.code, name=row.name) for row in MERCHANTS)
ID = "8f1c0d5e7a4b4c1e9d2f3a6b7c8d9e0f"

ROWS = tuple(
    AuditRow(
        leaf_index=place,
        entry_id=sha256(f"audit {n}".encode()).hexdigest()[:32],
        day_on=TODAY - timedelta(days=n // 4),
        kind=kind,
        merchant=merchant,
        merchant_code=code,
        amounts=amounts(list_fen, concession, subsidy, list_fen // 50, list_fen // 100),
        offers=offers,
        is_published=place is not None,
        state=state,
    )
    for n, (place, kind, merchant, code, list_fen, concession, subsidy, offers, state) in enumerate(
        (
            (None, "sale", "老周餐饮", "m_0001", 1800, 160, 100, ("NOODLE10 v3",), None),
            (None, "refund", "惠民超市", "m_0000", 2300, 400, 60, (), None),
            (231_403, "sale", "惠民超市", "m_0000", 10930, 2000, 300, ("FRESH100 v1", "EGG2 v2"), "part_refunded"),
            (231_402, "sale", "康宁医药", "m_0002", 6660, 450, 1000, (), "void"),
            (231_401, "offer", "老周餐饮", "m_0001", 0, 0, 0, ("NOODLE10 v4",), None),
            (231_400, "budget", None, None, 0, 0, 0, (), None),
            (231_399, "sale", "晨光图书", "m_0003", 6000, 1500, 0, ("BOOK75 v1",), "done"),
            (231_398, "sale", "晨光图书", "m_0003", 1_206_000, 150_000, 0, ("BOOK75 v1",), "refunded"),
        )
    )
)


def _asked(**given: str) -> dict[str, str]:
    return Asked().address() | given


def _entries(**given: object) -> AuditEntries:
    plain: dict[str, object] = {
        "kinds": ("budget", "offer", "post", "refund", "sale", "void"),
        "merchants": CHOICES,
        "asked": _asked(),
        "problem": None,
        "before": None,
        "older": None,
        "entries": (),
        "published": PUBLISHED,
    }
    return AuditEntries(**(plain | given))  # type: ignore[arg-type]


STEPS = tuple(
    RecomputedStep(name=name, offer=offer, entry_fen=fen, priced_fen=fen)
    for name, offer, fen in (
        ("list", None, 1800),
        ("concession", None, 160),
        ("subsidy", None, 100),
        ("paid", None, 1540),
        ("rebate_member", None, 0),
        ("rebate_union", None, 15),
        ("offer", "BACK1 v1", 15),
        ("offer", "NOODLE10 v3", 160),
    )
)


def _price(verdict: str, **given: object) -> AuditPrice:
    plain: dict[str, object] = {
        "entry_id": ID,
        "day_on": TODAY,
        "merchant": "老周餐饮",
        "verdict": verdict,
        "where": None,
        "steps": STEPS,
        "lines_count": 2,
        "is_opened": True,
    }
    return AuditPrice(**(plain | given))  # type: ignore[arg-type]


AUDIT: tuple[Sample, ...] = (
    Sample(
        "audit",
        "audit/home.html",
        AuditHome(
            months=MONTHS,
            verify=VerifyRun(at=NOW, checks_count=11, rows_count=231_404, findings=()),
            published=PUBLISHED,
        ),
        "auditor",
        "/audit",
    ),
    Sample(
        "audit-findings",
        "audit/home.html",
        AuditHome(
            months=MONTHS,
            verify=VerifyRun(
                at=NOW,
                checks_count=11,
                rows_count=231_404,
                findings=(
                    Finding(check="balances", sentence="预算 b_12 的余额与流水相差 ¥1.00。", subject="b_12"),
                    Finding(check="sales", sentence="一笔核销的标价不等于三项之和。", subject="8f1c"),
                ),
            ),
            published=PUBLISHED,
        ),
        "auditor",
        "/audit",
    ),
    Sample("audit-new", "audit/home.html", AuditHome(months=(), verify=None, published=CLOSED), "auditor", "/audit"),
    Sample(
        "audit-entries",
        "audit/entries.html",
        _entries(entries=ROWS, before="231404", older="231398"),
        "auditor",
        "/audit/entries?before=231404",
    ),
    Sample(
        "audit-entries-asked",
        "audit/entries.html",
        _entries(
            entries=ROWS[2:4],
            asked=_asked(type="sale", merchant="m_0000", first="2026-11-01", of="list", least="50", offer="EGG2"),
        ),
        "auditor",
        "/audit/entries?type=sale",
    ),
    Sample(
        "audit-entries-problem",
        "audit/entries.html",
        _entries(
            asked=_asked(least="12.345", of="paid"),
            problem="“金额从”最多两位小数，如 15.40。请改正后再算。",
        ),
        "auditor",
        "/audit/entries?least=12.345",
        status=422,
    ),
    Sample(
        "audit-entries-new", "audit/entries.html", _entries(published=CLOSED, kinds=()), "auditor", "/audit/entries"
    ),
    Sample(
        "entry",
        "audit/entry.html",
        AuditEntry(
            entry_id=ID,
            kind="sale",
            day_on=TODAY,
            merchant="老周餐饮",
            leaf_index=231_402,
            is_published=True,
            of=None,
            transfers=(v.TransferShown(debit="budget:b_12", credit="payable:m_0042", amount_fen=100),),
            entry_json=ENTRY_JSON,
            sha256="c" * 64,
            entry_hash="d" * 64,
            bytes_count=len(ENTRY_JSON),
        ),
        "auditor",
        "/audit/entries/8f1c",
    ),
    Sample(
        "entry-waiting",
        "audit/entry.html",
        AuditEntry(
            entry_id=ID,
            kind="refund",
            day_on=TODAY,
            merchant="老周餐饮",
            leaf_index=None,
            is_published=False,
            of="a" * 32,
            transfers=(),
            entry_json=ENTRY_JSON,
            sha256="c" * 64,
            entry_hash="d" * 64,
            bytes_count=len(ENTRY_JSON),
        ),
        "auditor",
        "/audit/entries/8f1c",
    ),
    Sample("audit-price", "audit/price.html", _price("same"), "auditor", f"/audit/entries/{ID}/price"),
    Sample(
        "audit-price-differs",
        "audit/price.html",
        _price(
            "differs",
            where="quote.concession",
            steps=(
                STEPS[0],
                RecomputedStep(name="concession", offer=None, entry_fen=160, priced_fen=180),
                *STEPS[2:-1],
                RecomputedStep(name="offer", offer="NOODLE10 v3", entry_fen=None, priced_fen=180),
            ),
        ),
        "auditor",
        f"/audit/entries/{ID}/price",
    ),
    Sample(
        "audit-price-unreadable",
        "audit/price.html",
        _price("unreadable", steps=(), lines_count=0, is_opened=False),
        "auditor",
        f"/audit/entries/{ID}/price",
    ),
)
