"""Samples of the public pages."""

from datetime import date

from api.pages import views as v
from tests.gallery.frame import Sample, amounts

DOORS = tuple(
    v.DemoDoor(role=role, name=name)
    for role, name in (
        ("member", "王建国"),
        ("assistant", "刘小燕"),
        ("owner", "周德福"),
        ("officer", "陈淑芬"),
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


PUBLIC: tuple[Sample, ...] = (
    Sample(
        "home",
        "home.html",
        v.Home(month_on=date(2026, 11, 1), totals=TOTAL.amounts, sales_count=2711, shops_count=34, demo_doors=DOORS),
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
