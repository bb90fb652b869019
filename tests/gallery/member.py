"""Samples of the member's pages."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from api.pages import views as v
from tests.gallery.frame import NOW, Sample, amounts


def _here(
    title: str, gives: str, *gates: str, payer: Any = "merchant", usable: bool = True, ask: v.OfferAsk | None = None
) -> v.OfferHere:
    return v.OfferHere(title=title, gives=gives, gates=gates, payer=payer, usable_now=usable, ask=ask)


ASKS = (
    _here("端午慰问额度", "减 30 元", "满 30 元", payer="union", ask=v.OfferAsk(offer_id="DRAGON30", agreed_at=None)),
    _here(
        "会员日九五折",
        "95 折",
        "每月 20 日",
        ask=v.OfferAsk(offer_id="DAY95", agreed_at=NOW - timedelta(days=3)),
    ),
)


SHOPS = (
    v.ShopOffers(
        shop_id="s_0042",
        shop="老周面馆（厂前路店）",
        merchant="老周餐饮",
        category="food",
        address="厂前路 18 号，2 号门对面",
        offers=(
            _here("面食九折", "9 折", "满 10 元", "每天一次"),
            _here("工作日午餐补贴", "补 1 元", "工作日 11:00–14:00", payer="union"),
        ),
    ),
    v.ShopOffers(
        shop_id="s_0107",
        shop="惠民生鲜（东区）",
        merchant="惠民超市",
        category="market",
        address="东区菜场 3 排",
        offers=(
            _here("满减", "满 100 减 20", "不含烟酒"),
            _here("鸡蛋直降", "每件减 2 元", "限 2 件"),
            _here("周末补贴", "补 5%", "周六、周日", payer="union", usable=False),
            _here("会员日", "95 折", "每月 20 日"),
        ),
    ),
    v.ShopOffers(
        shop_id="s_0211",
        shop="麦香坊",
        merchant="麦香坊烘焙",
        category="bakery",
        address="工人文化宫北侧",
        offers=(_here("生日蛋糕", "8 折", "提前一天订"),),
    ),
    v.ShopOffers(
        shop_id="s_0008",
        shop="晨光书店",
        merchant="晨光图书",
        category="books",
        address=None,
        offers=(_here("图书 75 折", "7.5 折", "文创除外", payer="both"),),
    ),
    v.ShopOffers(
        shop_id="s_0150",
        shop="康宁药房",
        merchant="康宁医药",
        category="pharmacy",
        address="厂医院一层",
        offers=(
            _here("常备药", "92 折"),
            _here("工会补贴", "补 10 元", "满 60 元", payer="union"),
            _here("满意返", "返 3%", payer="rebate"),
        ),
    ),
    v.ShopOffers(
        shop_id="s_0077",
        shop="健行体育中心",
        merchant="健行体育",
        category="fitness",
        address="滨江路 66 号",
        offers=(_here("游泳单次", "减 12 元", "13:00–17:00"),),
    ),
)


MORE_SHOPS = tuple(
    replace(SHOPS[i % 6], shop_id=f"s_1{i:03d}", shop=name, category=kind)
    for i, (name, kind) in enumerate(
        (
            ("光影时代影城", "cinema"),
            ("一剪美发", "beauty"),
            ("绿皮火车旅行社", "travel"),
            ("顺达汽修", "car"),
            ("暖家日用", "home"),
            ("通达手机", "phone"),
            ("红星鞋服", "clothes"),
            ("洁净洗衣", "laundry"),
            ("半山茶铺", "tea"),
            ("安心体检", "clinic"),
            ("工友杂货", "other"),
        )
    )
)


RECEIPTS = tuple(
    v.ReceiptRow(
        receipt_id=f"r{n}8f1c2ab",
        at=NOW - timedelta(days=days, hours=n),
        shop=shop,
        category=kind,
        paid_fen=paid,
        saved_fen=saved,
        state=state,
    )
    for n, (days, shop, kind, paid, saved, state) in enumerate(
        (
            (0, "老周面馆（厂前路店）", "food", 1540, 260, "done"),
            (1, "惠民生鲜（东区）", "market", 8630, 2300, "part_refunded"),
            (3, "晨光书店", "books", 4500, 1500, "done"),
            (4, "老周面馆（厂前路店）", "food", 1600, 0, "done"),
            (6, "康宁药房", "pharmacy", 5210, 1450, "void"),
            (9, "麦香坊", "bakery", 12800, 3200, "done"),
            (12, "健行体育中心", "fitness", 2800, 1200, "refunded"),
        )
    )
)


CODE = v.CardCode(
    digits="48206173",
    qr_text="HG1:c_7h2k9q:58720391:Qm9vZ2llV29vZ2ll",
    issued_at=NOW - timedelta(seconds=18),
    expires_at=NOW + timedelta(seconds=42),
)


CARD = v.MemberCard(
    state="active",
    number_masked="6633 •••• •••• 5678",
    name="王建国",
    unit="炼钢厂 · 转炉车间 · 甲班",
    valid_until_on=date(2027, 12, 31),
    code=CODE,
    saved_year_fen=124_050,
    saved_by_month=tuple(
        v.MonthFen(month_on=date(2026, month, 1), fen=fen)
        for month, fen in ((6, 3200), (7, 6120), (8, 4410), (9, 9930), (10, 7200), (11, 8640))
    ),
    shops=SHOPS,
    receipts=RECEIPTS[:3],
)


def _step(title: str, how: str, concession_fen: int, subsidy_fen: int, limit: str = "") -> v.QuoteStep:
    return v.QuoteStep(
        title=title, sentence=how, how=how, limit=limit, concession_fen=concession_fen, subsidy_fen=subsidy_fen
    )


def _rebate(title: str, how: str, to: Any, fen: int) -> v.RebateStep:
    return v.RebateStep(title=title, sentence=how, how=how, limit="", to=to, rebate_fen=fen)


QUOTE = v.QuoteShown(
    amounts=amounts(1800, 160, 100),
    steps=(
        _step("面食九折", "1 件共 ¥16.00，减 10%，即 ¥1.60", 160, 0),
        _step("工作日午餐补贴", "减 ¥1.50", 0, 100, "预算不够全额，按 ¥1.00 算"),
    ),
    rebates=(_rebate("满意返", "实付 ¥15.40 的 5%，即 ¥0.77", "member", 77),),
    not_used=(
        v.NotUsed(title="满 30 减 4", sentence="参加优惠的商品还差 ¥13.60，再买 ¥13.60 就能用。"),
        v.NotUsed(title="夜宵八折", sentence="现在不在优惠时段，请在写明的日期和时间来。"),
    ),
    hints=(v.HintShown(title="满 30 减 4", sentence="再买 ¥13.60，可减 ¥4.00"),),
    lines=(
        v.LineShown(
            name="参加优惠",
            list_fen=1600,
            parts=(
                v.LinePart(title="面食九折", payer="merchant", fen=160),
                v.LinePart(title="工作日午餐补贴", payer="union", fen=100),
                v.LinePart(title="满意返", payer="rebate", fen=67),
            ),
            paid_fen=1340,
        ),
        v.LineShown(name="不参加优惠", list_fen=200, parts=(), paid_fen=200),
    ),
    proof="允许的组合都比过了，这是最低价。",
    is_proven=True,
)


SHOP = v.MemberShop(
    shop_id="s_0042",
    shop=SHOPS[0].shop,
    merchant="老周餐饮",
    category="food",
    address=SHOPS[0].address,
    offers=(
        *SHOPS[0].offers,
        _here("夜宵八折", "8 折", "20:00–23:00", usable=False),
        _here("开业同庆", "满 30 减 4", payer="both"),
        _here("满意返", "返 5%", "买完以后返", payer="rebate"),
        *ASKS,
    ),
    items=(),
    discountable="16.00",
    other="2.00",
    error=None,
    quote=QUOTE,
    asks=ASKS,
)


REBATES = (*QUOTE.rebates, _rebate("定点单位返工会", "实付 ¥15.40 的 1.5%，即 ¥0.23", "union", 23))


RECEIPT = v.Receipt(
    receipt_id="8f1c0d5e7a4b4c1e9d2f3a6b7c8d9e0f",
    at=NOW,
    shop=SHOPS[0].shop,
    merchant="老周餐饮",
    check_code="K7 4P",
    state="done",
    lines=(
        v.ReceiptLine(name="牛肉面", qty=1, returned=0, unit_price_fen=1600, list_fen=1600),
        v.ReceiptLine(name="煎鸡蛋", qty=2, returned=0, unit_price_fen=100, list_fen=200),
    ),
    quote=replace(QUOTE, rebates=(), hints=()),
    refunds=(),
    entry_hash="9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de",
    record_number=None,
    is_batched=False,
    batch_count=None,
    promise_by=NOW + timedelta(hours=1),
    is_overdue=False,
    check_url="https://card.example.org/record/check?entry=8f1c0d5e7a4b4c1e9d2f3a6b7c8d9e0f#9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de",
)


MEMBER: tuple[Sample, ...] = (
    Sample("card", "member/card.html", CARD, "member", "/card"),
    Sample(
        "card-frozen",
        "member/card.html",
        replace(CARD, state="frozen", code=None, shops=(), receipts=()),
        "member",
        "/card",
    ),
    Sample("card-lost", "member/card.html", replace(CARD, state="lost", code=None), "member", "/card"),
    Sample("card-expired", "member/card.html", replace(CARD, state="expired", code=None), "member", "/card"),
    Sample(
        "offers",
        "member/offers.html",
        v.MemberOffers(
            query="",
            category=None,
            categories=("food", "market", "bakery", "books", "pharmacy", "fitness", "cinema", "other"),
            asks=ASKS,
            shops=SHOPS + MORE_SHOPS,
            more="s_0150",
        ),
        "member",
        "/offers",
    ),
    Sample(
        "offers-none",
        "member/offers.html",
        v.MemberOffers(query="火锅", category="food", categories=("food", "market"), asks=(), shops=(), more=None),
        "member",
        "/offers?q=火锅",
    ),
    Sample("shop", "member/shop.html", SHOP, "member", "/shops/s_0042"),
    Sample(
        "shop-bounded",
        "member/shop.html",
        replace(
            SHOP,
            quote=replace(
                QUOTE,
                steps=(),
                rebates=(),
                lines=(),
                amounts=amounts(1800, 0, 0),
                proof="组合太多，没能全部比完；最低价最多再低 ¥0.31。",
                is_proven=False,
            ),
        ),
        "member",
        "/shops/s_0042",
    ),
    Sample(
        "shop-error",
        "member/shop.html",
        replace(SHOP, quote=None, asks=(), discountable="abc", error="金额要写成 15.40 这样。", offers=()),
        "member",
        "/shops/s_0042",
    ),
    Sample(
        "receipts",
        "member/receipts.html",
        v.Receipts(
            months=(
                v.ReceiptMonth(
                    month_on=date(2026, 11, 1), sales_count=9, paid_fen=41_080, saved_fen=8_640, rows=RECEIPTS
                ),
                v.ReceiptMonth(
                    month_on=date(2026, 10, 1), sales_count=14, paid_fen=52_310, saved_fen=7_200, rows=RECEIPTS[:3]
                ),
            ),
            older="eyJ",
        ),
        "member",
        "/receipts",
    ),
    Sample("receipts-none", "member/receipts.html", v.Receipts(months=(), older=None), "member", "/receipts"),
    Sample("receipt", "member/receipt.html", RECEIPT, "member", "/receipts/8f1c"),
    Sample(
        "receipt-overdue",
        "member/receipt.html",
        replace(RECEIPT, promise_by=NOW - timedelta(hours=2), is_overdue=True),
        "member",
        "/receipts/8f1c",
    ),
    Sample(
        "receipt-batch-waiting",
        "member/receipt.html",
        replace(RECEIPT, is_batched=True, promise_by=NOW + timedelta(days=10)),
        "member",
        "/receipts/8f1c",
    ),
    Sample(
        "receipt-in-batch",
        "member/receipt.html",
        replace(RECEIPT, is_batched=True, record_number=48_213, batch_count=17),
        "member",
        "/receipts/8f1c",
    ),
    Sample(
        "receipt-unpromised",
        "member/receipt.html",
        replace(RECEIPT, promise_by=None),
        "member",
        "/receipts/8f1c",
    ),
    Sample(
        "receipt-refunded",
        "member/receipt.html",
        replace(
            RECEIPT,
            state="part_refunded",
            lines=(replace(RECEIPT.lines[0], returned=1), RECEIPT.lines[1]),
            refunds=(v.RefundRow(at=NOW, to_member_fen=1340, subsidy_back_fen=100, rebate_back_fen=87),),
            record_number=48_213,
            quote=replace(QUOTE, rebates=REBATES, hints=(), amounts=amounts(1800, 160, 100, 77, 23)),
        ),
        "member",
        "/receipts/8f1c",
    ),
    Sample(
        "receipt-void",
        "member/receipt.html",
        replace(RECEIPT, state="void", quote=replace(RECEIPT.quote, rebates=REBATES)),
        "member",
        "/receipts/8f1c",
    ),
    Sample(
        "me",
        "member/me.html",
        v.Me(
            name="王建国",
            login="wjg",
            unit="炼钢厂 · 转炉车间 · 甲班",
            is_member=True,
            sessions=(
                v.SessionRow(
                    session_id="a",
                    device="Android · Chrome",
                    started_at=NOW - timedelta(days=3),
                    seen_at=NOW,
                    current=True,
                ),
                v.SessionRow(
                    session_id="b",
                    device="Windows · Edge",
                    started_at=NOW - timedelta(days=9),
                    seen_at=NOW - timedelta(days=2),
                    current=False,
                ),
            ),
        ),
        "member",
        "/me",
    ),
)
