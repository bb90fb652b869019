"""Samples of details exports and of looks at members."""

from datetime import date, timedelta

from api.pages import views as v
from api.pages.views import details as d
from market.oversight.models import DETAILS_REASONS
from tests.gallery.frame import NOW, TODAY, Sample

LOOK_REASONS = ("asked", "card", "complaint", "register", "other")
MERCHANTS = (v.MerchantName(code="m_0042", name="老周餐饮"), v.MerchantName(code="m_0107", name="惠民超市"))
KEY = "huigong-auditor+66687aad+hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
WORDS = "补贴订单两周里翻了六倍，七成的小票在 50.00 到 50.99 元之间，要看清单是不是真的。"


def row(
    state: d.DetailsState, *, number: int = 1, own: bool = False, merchant: str | None = "惠民超市"
) -> d.DetailsRow:
    return d.DetailsRow(
        request_id=f"0193f000-0000-7000-8000-00000000000{number}",
        asked_by="孙立群" if own else "顾明辉",
        asked_at=NOW - timedelta(hours=5 * number),
        merchant=merchant,
        first_on=TODAY - timedelta(days=14),
        last_on=TODAY - timedelta(days=number),
        sales_count=1204 // number,
        batched_count=number % 3 * 30,
        reason=DETAILS_REASONS[number % 5],
        state=state,
        is_own=own,
    )


EMPTY = d.DetailsTyped(merchant="", first_day="", last_day="", reason="", words="", key="")
STATES: tuple[d.DetailsState, ...] = ("waiting", "approved", "ready", "refused", "withdrawn", "expired")


def home(
    name: str, role: str, *, rows: tuple[d.DetailsRow, ...], typed: d.DetailsTyped = EMPTY, error: str | None = None
) -> Sample:
    return Sample(
        name,
        "audit/details.html",
        d.DetailsHome(
            can_ask=role == "auditor",
            merchants=MERCHANTS,
            reasons=DETAILS_REASONS,
            most_sales=5_000,
            kept_days=7,
            typed=typed,
            rows=rows,
            error=error,
        ),
        role,  # type: ignore[arg-type]
        "/audit/details",
        422 if error else 200,
    )


def page(name: str, role: str, request: d.DetailsRow, **more: object) -> Sample:
    fields: dict[str, object] = {
        "words": WORDS,
        "key_id": "66687aad",
        "decided_by": None,
        "decided_at": None,
        "answer": "",
        "entry_id": None,
        "ready_at": None,
        "expires_at": None,
        "bytes_count": None,
        "sha256": None,
        "erased_count": None,
        "downloads": (),
        "can_decide": False,
        "typed_answer": "",
        "error": None,
    }
    view = d.DetailsPage(request=request, **(fields | more))  # type: ignore[arg-type]
    return Sample(name, "audit/details_request.html", view, role, f"/audit/details/{request.request_id}")  # type: ignore[arg-type]


DECIDED = {"decided_by": "陈淑芬", "decided_at": NOW - timedelta(hours=2)}
APPROVED = DECIDED | {"entry_id": "8f1c0d5e7a4b4c1e9d2f3a6b7c8d9e0f"}
FILE = APPROVED | {
    "ready_at": NOW - timedelta(hours=2, minutes=-1),
    "expires_at": NOW + timedelta(days=7),
    "bytes_count": 4_194_304,
    "sha256": "c" * 64,
    "erased_count": 3,
    "downloads": (d.DownloadRow(who="孙立群", at=NOW - timedelta(minutes=40)),),
}
FOUND = d.MemberFound(
    name="王建国",
    staff_number="10086",
    units=("临江钢铁厂", "炼钢厂", "转炉车间"),
    state="active",
    joined_on=date(2011, 7, 1),
    card_number="3302 •••• •••• 5678",
    card_state="active",
    valid_until=date(2029, 12, 31),
)


def members(name: str, found: d.MemberFound | None = None, error: str | None = None) -> Sample:
    view = d.DeskMembers(
        unit="临江钢铁厂",
        reasons=LOOK_REASONS,
        typed_number="10086" if found or error else "",
        typed_reason="card" if found or error else "",
        found=found,
        error=error,
    )
    return Sample(name, "desk/members.html", view, "officer", "/desk/members", 404 if error else 200)


def look(post: str, reason: str, hours: int, times: int = 1) -> d.LookRow:
    unit = None if post == "auditor" else "炼钢厂"
    at = NOW - timedelta(hours=hours)
    return d.LookRow(
        post=post, unit=unit, kind="record", reason=reason, first_at=at - timedelta(minutes=4), last_at=at, times=times
    )


DETAILS: tuple[Sample, ...] = (
    home(
        "details",
        "auditor",
        rows=tuple(
            row(state, number=n, own=n == 3, merchant=None if n == 2 else "惠民超市")
            for n, state in enumerate(STATES, 1)
        ),
    ),
    home("details-new", "auditor", rows=()),
    home(
        "details-wrong",
        "auditor",
        rows=(),
        typed=d.DetailsTyped(
            merchant="m_0107",
            first_day="2026-11-01",
            last_day="2026-11-14",
            reason="finding",
            words=WORDS,
            key=KEY[:40],
        ),
        error="这不是经审的公钥。请运行 huigong key auditor，把它打印的那一行（以 huigong-auditor+ 开头）完整复制过来。",
    ),
    home("details-officer", "officer", rows=(row("waiting"),)),
    home("details-officer-none", "officer", rows=()),
    page("details-waiting", "auditor", row("waiting", own=True)),
    page("details-decide", "officer", row("waiting"), can_decide=True),
    page(
        "details-refused",
        "auditor",
        row("refused", own=True),
        **DECIDED,
        answer="先看公开记录里的疑点，再说要开哪几天的。",
    ),
    page("details-withdrawn", "auditor", row("withdrawn", own=True), decided_at=NOW),
    page("details-making", "auditor", row("approved", own=True), **APPROVED),
    page("details-ready", "auditor", row("ready", own=True), **FILE),
    page("details-other", "officer", row("ready"), **FILE),
    page("details-expired", "auditor", row("expired", own=True), **(FILE | {"expires_at": NOW - timedelta(days=1)})),
    members("members"),
    members("members-found", FOUND),
    members("members-none", error="您管的单位里没有这个工号的会员。请核对工号；别的单位的会员由他们的工会查看。"),
    Sample(
        "looks",
        "member/looks.html",
        d.MemberLooks(
            rows=(look("officer", "card", 2), look("officer", "asked", 30, times=3), look("auditor", "complaint", 400)),
            is_cut=True,
        ),
        "member",
        "/me/looks",
    ),
    Sample("looks-none", "member/looks.html", d.MemberLooks(rows=(), is_cut=False), "member", "/me/looks"),
)
