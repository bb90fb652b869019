"""Samples of the pages on which a member is deleted."""

from dataclasses import replace
from datetime import timedelta

from api.pages.views.erasure import DeskErasures, ErasureRow, MemberErasure
from tests.gallery.frame import NOW, Sample

ASK = MemberErasure(
    hindrance=None,
    asked_at=None,
    by_officer=False,
    declined=None,
    rebates_fen=1_260,
    basket_count=3,
    purchases_count=214,
    error=None,
)
NEW = replace(ASK, rebates_fen=0, basket_count=0, purchases_count=0)
OPEN = "还有没办完的订单 K7M2Q9：先取货或取消，再删除。"


def row(number: int, name: str, unit: str, **said: object) -> ErasureRow:
    made = ErasureRow(
        erasure_id=f"0192{number:04d}-0000-7000-8000-000000000000",
        name=name,
        staff_number=f"1020{number}",
        unit=unit,
        asked_by=None,
        asked_at=NOW - timedelta(hours=7 * number),
        own=False,
        hindrance=None,
        rebates_fen=0,
        purchases_count=37 * number,
        declining=False,
        reason="",
    )
    return replace(made, **said)  # type: ignore[arg-type]


WAITING = (
    row(3, "司马青禾", "甲班", rebates_fen=1_260),
    row(2, "李秀英", "轧钢车间乙班", asked_by="吴敏", hindrance=OPEN),
    row(1, "赵卫国", "电修班", asked_by="陈淑芬", own=True),
)
DESK = DeskErasures(rows=WAITING, erased_count=12, typed="", error=None)

ERASURES = (
    Sample("erasure", "member/erasure.html", ASK, "member", "/me/erasure"),
    Sample("erasure-new", "member/erasure.html", NEW, "member", "/me/erasure"),
    Sample("erasure-hindered", "member/erasure.html", replace(ASK, hindrance=OPEN), "member", "/me/erasure"),
    Sample(
        "erasure-waits",
        "member/erasure.html",
        replace(ASK, asked_at=NOW - timedelta(hours=5)),
        "member",
        "/me/erasure",
    ),
    Sample(
        "erasure-waits-hindered",
        "member/erasure.html",
        replace(ASK, asked_at=NOW - timedelta(hours=5), by_officer=True, hindrance=OPEN),
        "member",
        "/me/erasure",
    ),
    Sample(
        "erasure-declined",
        "member/erasure.html",
        replace(ASK, declined="电话里问过本人，是别人用您的手机提的。"),
        "member",
        "/me/erasure",
    ),
    Sample(
        "erasure-refused",
        "member/erasure.html",
        replace(ASK, error="没有这份在等的删除申请，可能已撤回或已办完。请刷新页面。"),
        "member",
        "/me/erasure",
        404,
    ),
    Sample("desk-erasures", "desk/erasures.html", DESK, "officer", "/desk/erasures"),
    Sample(
        "desk-erasures-none",
        "desk/erasures.html",
        replace(DESK, rows=(), erased_count=0),
        "officer",
        "/desk/erasures",
    ),
    Sample(
        "desk-erasures-unknown",
        "desk/erasures.html",
        replace(DESK, rows=(), typed="99999", error="没有找到这位会员。请核对后重试。"),
        "officer",
        "/desk/erasures",
        404,
    ),
    Sample(
        "desk-erasures-declining",
        "desk/erasures.html",
        replace(
            DESK,
            rows=(replace(WAITING[0], declining=True),),
            error="请写明不办理的理由（最多 200 个字），会员会看到。",
        ),
        "officer",
        "/desk/erasures",
        422,
    ),
)
