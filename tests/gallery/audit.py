"""Samples of the auditor's pages."""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from api.entry_filter import AuditAsked
from api.pages import views as v
from api.pages.views.audit import (
    AuditEntries,
    AuditEntry,
    AuditHome,
    AuditPrice,
    AuditRow,
    Finding,
    NightShown,
    RecomputedStep,
    Verdict,
)
from market.oversight.nightly import NightState
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
    return AuditAsked().address() | given


def _entries(**given: Any) -> AuditEntries:
    plain: dict[str, object] = {
        "kinds": ("budget", "offer", "post", "refund", "sale", "void"),
        "typed": given.get("asked", {}).get("merchant", ""),
        "merchants": CHOICES,
        "choices": (),
        "asked": _asked(),
        "problem": None,
        "before": None,
        "older": None,
        "looked_count": None,
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


def _verdict(**given: object) -> Verdict:
    plain: dict[str, object] = {
        "at": NOW,
        "checks_count": 31,
        "rows_count": 231_404,
        "entries_count": 231_404,
        "seconds": 47,
        "findings": (),
        "more_count": 0,
    }
    return Verdict(**(plain | given))  # type: ignore[arg-type]


def _nights(*findings: int, states: Mapping[int, NightState] = MappingProxyType({})) -> tuple[NightShown, ...]:
    """The last fourteen nights: of the last ones how much was found, of others by their number what became of them."""
    counts = [0] * (14 - len(findings)) + list(findings)
    return tuple(
        NightShown(
            on=TODAY - timedelta(days=13 - number),
            state=states.get(number, "findings" if count else "clean"),
            findings_count=count,
        )
        for number, count in enumerate(counts)
    )


AUDIT: tuple[Sample, ...] = (
    Sample(
        "audit",
        "audit/home.html",
        AuditHome(months=MONTHS, verdict=_verdict(), nights=_nights(0, 0, 0), published=PUBLISHED),
        "auditor",
        "/audit",
    ),
    Sample(
        "audit-findings",
        "audit/home.html",
        AuditHome(
            months=MONTHS,
            verdict=_verdict(
                findings=(
                    Finding(
                        check="预算的余额与流水对不上",
                        sentence="transfers leave 99900 fen, its balance holds 99800",
                        subject="budget:lunch",
                        path="/record/accounts/budget:lunch",
                    ),
                    Finding(
                        check="标价不等于让利加补贴加实付",
                        sentence="list is not concession + subsidy + paid",
                        subject=f"sale {ID}",
                        path=f"/audit/entries/{ID}",
                    ),
                    Finding(
                        check="指纹对不上：有记录或指纹被动过",
                        sentence="It is not the hash of what lies below.",
                        subject="tile/0/003, hash 17",
                    ),
                ),
                more_count=12,
            ),
            nights=_nights(0, 2, 15, states={3: "missed", 5: "cut"}),
            published=PUBLISHED,
        ),
        "auditor",
        "/audit",
    ),
    Sample(
        "audit-by-hand",
        "audit/home.html",
        AuditHome(
            months=MONTHS,
            verdict=_verdict(entries_count=None, seconds=None),
            nights=_nights(0, states={13: "running", **dict.fromkeys(range(11), "before")}),
            published=PUBLISHED,
        ),
        "auditor",
        "/audit",
    ),
    Sample(
        "audit-new",
        "audit/home.html",
        AuditHome(months=(), verdict=None, nights=(), published=CLOSED),
        "auditor",
        "/audit",
    ),
    Sample(
        "audit-entries",
        "audit/entries.html",
        _entries(entries=ROWS, before="231404", older="231398"),
        "auditor",
        "/audit/entries?before=231404",
    ),
    Sample(
        "audit-entries-waiting",
        "audit/entries.html",
        _entries(asked=_asked(least="5000"), older="231404-0199c1a0-0000-7000-8000-000000000000", looked_count=5_000),
        "auditor",
        "/audit/entries?least=5000",
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
        "audit-entries-choice",
        "audit/entries.html",
        _entries(typed="面馆", choices=CHOICES[:3], merchants=CHOICES[:3]),
        "auditor",
        "/audit/entries?merchant=%E9%9D%A2%E9%A6%86",
    ),
    Sample(
        "audit-entries-problem",
        "audit/entries.html",
        _entries(
            asked=_asked(least="12.345", of="paid"),
            problem="“金额从”最多两位小数，如 15.40。请改正后再试。",
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
