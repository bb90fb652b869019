"""Samples of the public pages."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from api.pages import views as v
from api.pages.views.public import CheckedEntry, CheckedReceipt, CheckStep
from tests.gallery.frame import NOW, Sample, amounts

PUBLISHED = v.Checkpointed(
    entries_count=231_404,
    counted_count=231_404,
    signed_at=NOW - timedelta(seconds=40),
    within_seconds=3660,
    witnesses_count=2,
    cosigned_count=0,
)

DOORS = tuple(
    v.DemoDoor(role=role, name=name)
    for role, name in (
        ("member", "王建国"),
        ("assistant", "刘小燕"),
        ("owner", "周德福"),
        ("officer", "陈淑芬"),
        ("officer-2", "周卫国"),
        ("auditor", "孙立群"),
    )
)


MERCHANTS = tuple(
    v.AmountsRow(
        name=name,
        code=f"m_{n:04d}",
        href=f"/record/merchants/m_{n:04d}",
        amounts=amounts(list_fen, concession, subsidy, *rebates),
        sales_count=count,
    )
    for n, (name, list_fen, concession, subsidy, count, rebates) in enumerate(
        (
            ("惠民超市", 4_120_350, 380_110, 90_500, 612, (18_000, 30_500)),
            ("老周餐饮", 2_310_040, 231_000, 130_200, 1_204, (12_260, 0)),
            ("康宁医药", 1_844_200, 150_330, 62_000, 233, (0, 11_050)),
            ("晨光图书", 1_210_000, 230_090, 0, 198, (0, 0)),
            ("麦香坊烘焙", 980_770, 82_000, 40_390, 210, (0, 0)),
            ("健行体育", 760_000, 41_190, 28_000, 92, (0, 0)),
            ("光影时代影城", 1_244_820, 30_000, 15_000, 162, (0, 0)),
        )
    )
)


TOTAL = v.MonthAmounts(
    month_on=date(2026, 11, 1),
    amounts=amounts(
        sum(m.amounts.list_fen for m in MERCHANTS),
        sum(m.amounts.concession_fen for m in MERCHANTS),
        sum(m.amounts.subsidy_fen for m in MERCHANTS),
        sum(m.amounts.rebate_member_fen for m in MERCHANTS),
        sum(m.amounts.rebate_union_fen for m in MERCHANTS),
    ),
    sales_count=sum(m.sales_count for m in MERCHANTS),
)


ENTRY_ID = "8f1c0d5e7a4b4c1e9d2f3a6b7c8d9e0f"
CHECK = v.ReceiptCheck(
    asked="",
    entry=None,
    receipt=None,
    error=None,
    vkeys=(
        "card.example.org/record+1a2b3c4d+AQvYbkQdQ7pU0vS5m6lXk2tGmZrXb8w1fD0nJc9Hq3eL",
        "card.example.org/record/promise+5e6f7a8b+AZ1oT4rKj8WcYxLh2sVq9uNb3mPfEgD7tRiCkAwS5vXn",
    ),
)


def _checked(outcome: Any, sentence: str, *steps: tuple[str, Any, str]) -> v.ReceiptCheck:
    shown = tuple(CheckStep(field=field, state=state, sentence=said) for field, state, said in steps)
    receipt = CheckedReceipt(outcome=outcome, sentence=sentence, steps=shown, public_id=ENTRY_ID)
    return replace(CHECK, receipt=receipt)


STEPS = (
    ("leaf", "holds", "记录原文和它的指纹一致。"),
    ("entry", "holds", "标价 = 让利 + 补贴 + 实付。"),
    ("promise", "holds", "承诺签名有效：最迟 2026-11-22 13:05:00+08:00 写入公开台账。"),
)
PROVED = (
    *STEPS,
    ("proof", "holds", "入账证明有效：公开台账第 48213 条，检查点由台账公钥签名。"),
    ("documents.subject", "open", "没有写持卡人，所以不核对是谁买的。"),
    ("documents.basket", "holds", "购物清单就是当时登记的那一份。"),
    ("documents.facts", "holds", "优惠依据就是当时登记的那一份。"),
    ("documents.facts.quote", "holds", "按公布的优惠条款重新算了一遍，实付还是 ¥15.40。"),
)
WAITING = (*STEPS, ("proof", "open", "还没有入账证明：公布以后再下载小票就有。"))
CHANGED = "“documents.basket”不符：内容或它的盐和记录里的承诺值对不上，被改过。"
CHECKS = {
    "check": CHECK,
    "check-closed": replace(CHECK, vkeys=()),
    "check-proved": _checked("proved", "对得上：这一笔是公开台账的第 48213 条，小票里的每一项都和它一致。", *PROVED),
    "check-promised": _checked(
        "promised",
        "目前对得上：已签名承诺，最迟 2026-11-22 13:05:00+08:00 写入公开台账；到时请下载新的小票再核对一次。",
        *WAITING,
    ),
    "check-overdue": _checked(
        "overdue",
        "承诺已过期：签名承诺最迟 2026-11-22 13:05:00+08:00 写入公开台账，而小票里没有入账证明。"
        "先重新下载小票；还是没有，就把这个文件交给经审，它就是漏记的证据。",
        *WAITING,
    ),
    "check-unsigned": _checked(
        "unsigned",
        "证明不了：各项之间没有出入，但没有可信的签名，谁都可以写出这样一个文件。",
        *STEPS[:2],
        ("promise", "open", "小票里没有签名的承诺。"),
    ),
    "check-differs": _checked("differs", CHANGED, *PROVED[:4], ("documents.basket", "differs", CHANGED), *PROVED[6:7]),
    "check-malformed": replace(
        CHECK, error="这不是一份原样的小票文件：“documents.basket.salt”这一项格式不对。请重新下载，不要改动。"
    ),
    "check-entry": replace(
        CHECK,
        asked=ENTRY_ID,
        entry=CheckedEntry(
            public_id=ENTRY_ID,
            entry_hash="9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de",
            number=48_213,
            kind="sale",
            on=date(2026, 11, 22),
            merchant="老周餐饮",
            amounts=amounts(1800, 160, 100),
            count=None,
            is_inside=False,
        ),
    ),
    "check-in-batch": replace(
        CHECK,
        asked=ENTRY_ID,
        entry=CheckedEntry(
            public_id="1c0d5e7a4b4c1e9d2f3a6b7c8d9e0f8f",
            entry_hash="9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de",
            number=48_213,
            kind="batch",
            on=date(2026, 11, 22),
            merchant="康宁医药",
            amounts=amounts(96_660, 4500, 1000),
            count=17,
            is_inside=True,
        ),
    ),
    "check-entry-unknown": replace(CHECK, asked=ENTRY_ID),
}


PUBLIC: tuple[Sample, ...] = (
    Sample(
        "home",
        "home.html",
        v.Home(
            month_on=date(2026, 11, 1),
            totals=TOTAL.amounts,
            sales_count=2711,
            shops_count=34,
            demo_doors=DOORS,
            published=PUBLISHED,
        ),
        None,
        "/",
    ),
    Sample("sign-in", "sign_in.html", v.SignIn(login="", back="/card", error=None, demo_doors=DOORS), None, "/sign-in"),
    Sample(
        "sign-in-wrong",
        "sign_in.html",
        v.SignIn(login="wjg", back="", error="登录名或密码不对。看清大小写，再试一次。", demo_doors=()),
        None,
        "/sign-in",
    ),
    *(Sample(name, "record_check.html", view, None, "/record/check") for name, view in CHECKS.items()),
    Sample(
        "error",
        "error.html",
        v.Problem(
            status=404,
            code="page_unknown",
            sentence="这里没有这一页。",
            next_step="地址可能抄错了，从会员卡重新走一遍。",
            next_href="/card",
            request_id=None,
        ),
        "member",
        "/nowhere",
        404,
    ),
    Sample(
        "error-500",
        "error.html",
        v.Problem(
            status=500,
            code="fault",
            sentence="系统出了错，刚才那一步没有生效。",
            next_step="等一分钟再试，还不行就把编号报给工会。",
            next_href="/",
            request_id="req-7f3a",
        ),
        None,
        "/card",
        500,
    ),
)
