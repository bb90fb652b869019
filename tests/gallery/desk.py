"""Samples of the desk pages."""

from datetime import date, timedelta

from api.pages import views as v
from tests.gallery.frame import MONTHS, NOW, Sample, amounts
from tests.gallery.member import SHOPS

WAITING = tuple(
    v.WaitingOffer(
        offer_id=code,
        version=version,
        title=title,
        merchant=merchant,
        gives=gives,
        proposed_by=by,
        proposed_at=NOW - timedelta(hours=hours),
        own=own,
        signed_count=signed,
        needed_count=needed,
    )
    for code, version, title, merchant, gives, by, hours, own, signed, needed in (
        ("NOODLE10", 4, "面食九折", "老周餐饮", "9 折", "周德福", 5, False, 1, 1),
        ("LUNCH1", 2, "工作日午餐补贴", None, "补 1 元", "陈淑芬", 26, True, 0, 0),
        ("FRESH100", 1, "满 100 减 20", "惠民超市", "满 100 减 20", "吴敏", 30, False, 0, 1),
    )
)


ENTRY_JSON = (
    '{"ccy":"CNY","channel":"shop","concession":160,"day":"2026-11-20","id":"8f1c0d5e7a4b4c1e9d2f3a6b7c8d9e0f",'
    '"list":1800,"merchant":"m_0042","offers":[["NOODLE10",3,160]],"paid":1540,"rebate_member":0,"rebate_union":0,'
    '"subsidy":100,"tender":"declared","transfers":[["budget:b_12","payable:m_0042",100]],"type":"sale","v":1}'
)


DESK: tuple[Sample, ...] = (
    Sample(
        "merchant",
        "merchant/home.html",
        v.MerchantHome(
            merchant="老周餐饮",
            waiting_count=2,
            month_on=date(2026, 11, 1),
            months=tuple(item.month_on for item in MONTHS),
            amounts=amounts(2_310_040, 231_000, 130_200, 12_260, 4_620),
            sales_count=1204,
            days=tuple(
                v.DayAmounts(
                    on=date(2026, 11, n),
                    amounts=amounts(
                        90_000 + n * 37_411 % 80_000,
                        9_000 + n * 371 % 6_000,
                        5_000 + n * 977 % 4_000,
                        n * 61 % 900,
                        n * 37 % 400,
                    ),
                    sales_count=40 + n * 7 % 25,
                )
                for n in range(1, 21)
            ),
            shops=(
                v.ShopRow(shop_id="s_0042", shop=SHOPS[0].shop, state="open", today_count=37, today_paid_fen=61_230),
                v.ShopRow(
                    shop_id="s_0043", shop="老周面馆（生活区店）", state="closed", today_count=0, today_paid_fen=0
                ),
                v.ShopRow(shop_id="s_0044", shop="老周快餐", state="suspended", today_count=0, today_paid_fen=0),
            ),
            staff=(
                v.StaffRow(name="刘小燕", login="lxy", shop=SHOPS[0].shop, active=True, seen_at=NOW),
                v.StaffRow(name="赵强", login="zq", shop=None, active=False, seen_at=None),
            ),
            offers=(
                v.OfferRow(
                    offer_id="NOODLE10",
                    version=3,
                    title="面食九折",
                    gives="9 折",
                    state="live",
                    from_on=date(2026, 6, 1),
                    to_on=None,
                ),
                v.OfferRow(
                    offer_id="NOODLE10",
                    version=4,
                    title="面食九折",
                    gives="9 折",
                    state="submitted",
                    from_on=date(2026, 12, 1),
                    to_on=date(2027, 5, 31),
                ),
            ),
        ),
        "owner",
        "/merchant",
    ),
    Sample(
        "desk",
        "desk/home.html",
        v.DeskHome(
            unit="临江钢铁厂",
            nightly_count=2,
            details_count=1,
            members_count=3012,
            cards_count=2944,
            erasures_count=2,
            proposals_count=3,
            units=tuple(
                v.UnitRow(name=name, members_count=members, cards_count=cards)
                for name, members, cards in (
                    ("炼钢厂", 612, 601),
                    ("炼铁厂", 540, 533),
                    ("轧钢一厂", 480, 470),
                    ("轧钢二厂", 402, 395),
                    ("动力厂", 310, 302),
                    ("运输部", 255, 250),
                    ("机修厂", 213, 207),
                    ("机关", 120, 116),
                    ("离退休", 80, 70),
                )
            ),
            budgets=(
                v.BudgetRow(code="b_12", name="工作日午餐补贴", granted_fen=5_000_000, left_fen=3_211_400),
                v.BudgetRow(code="b_15", name="药品补贴", granted_fen=1_000_000, left_fen=61_200),
            ),
            waiting=WAITING,
            imports=(
                v.ImportRow(
                    file="members-2026-11.csv",
                    at=NOW - timedelta(days=2),
                    by="陈淑芬",
                    added_count=96,
                    changed_count=131,
                    unchanged_count=2771,
                    errors_count=14,
                    errors=(
                        v.RowError(row=118, column="national_id", sentence="校验位不对，应为 X。"),
                        v.RowError(row=902, column="unit", sentence="没有这个车间：转炉二车间。"),
                    ),
                ),
                v.ImportRow(
                    file="members-2026-10.csv",
                    at=NOW - timedelta(days=32),
                    by="吴敏",
                    added_count=2902,
                    changed_count=0,
                    unchanged_count=0,
                    errors_count=0,
                    errors=(),
                ),
            ),
        ),
        "officer",
        "/desk",
    ),
    Sample(
        "desk-none",
        "desk/home.html",
        v.DeskHome(
            unit="转炉车间",
            nightly_count=0,
            details_count=0,
            members_count=0,
            cards_count=0,
            erasures_count=0,
            proposals_count=0,
            units=(),
            budgets=(),
            waiting=(),
            imports=(),
        ),
        "officer",
        "/desk",
    ),
)
