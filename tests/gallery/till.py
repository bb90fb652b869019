"""Samples of the till's pages."""

from dataclasses import replace
from datetime import timedelta

from api.pages import views as v
from tests.gallery.frame import NOW, TODAY, Sample
from tests.gallery.member import SHOPS

SALES = tuple(
    v.SaleRow(
        shown_id=f"{n:02d}8f1c",
        at=NOW - timedelta(minutes=2 + 9 * n),
        check_code=code,
        list_fen=list_fen,
        saved_fen=saved,
        paid_fen=list_fen - saved,
        rebate_member_fen=rebate,
        state=state,
        void_until_at=NOW + timedelta(minutes=8) if n == 0 else None,
    )
    for n, (code, list_fen, saved, rebate, state) in enumerate(
        (
            ("K74P", 1800, 260, 77, "done"),
            ("M2QX", 3200, 420, 0, "done"),
            ("7RTA", 1600, 160, 0, "void"),
            ("C9WE", 4800, 580, 139, "part_refunded"),
            ("PX33", 2200, 320, 0, "done"),
            ("A8LK", 1500, 250, 0, "refunded"),
        )
    )
)


VISIT = v.TillVisit(
    visit_id="vis_5f2c",
    shop=SHOPS[0].shop,
    surname="王",
    opened_at=NOW - timedelta(seconds=20),
    expires_at=NOW + timedelta(seconds=280),
    items=(),
    discountable="",
    other="",
    error=None,
    quote=None,
)


ITEMS = tuple(
    v.TillItem(sku=f"sku{n}", name=name, price_fen=price, category="food", qty=qty)
    for n, (name, price, qty) in enumerate(
        (("牛肉面", 1600, 1), ("炸酱面", 1400, 0), ("煎鸡蛋", 100, 2), ("凉拌黄瓜", 800, 0), ("酸梅汤", 500, 0))
    )
)


BILL = v.TillQuote(list_fen=1800, saved_fen=260, paid_fen=1540, key="018f-key", unusual=False)


LINES = (
    v.TillLine(line="1", name="牛肉面", qty=2, returned=0, list_fen=3200, paid_fen=2780, units=1),
    v.TillLine(line="2", name="煎鸡蛋", qty=4, returned=4, list_fen=400, paid_fen=400, units=0),
)


PROMISE = (
    "card.example.org/record/promise\nMsGZ6aBPvCuWP7CYq4SFFaHuNTAmHbStRqWLNGpbC9s=\n2026-11-22T05:05:00Z\n\n"
    "— card.example.org/record/promise AbQ0kVGk2yV5cXh0Wb1hQ0p9ZpC3t0aXk0Jw5mS9dVnR8oB1uLq7eTzXf2gYj4hNnKcM6iPsDaEwUrFvGxHyJzKl\n"
)


TILL: tuple[Sample, ...] = (
    Sample(
        "till",
        "till/home.html",
        v.TillHome(shop=SHOPS[0].shop, merchant="老周餐饮", category="food", today_count=37, today_paid_fen=61_230),
        "assistant",
        "/till",
    ),
    Sample("till-scan", "till/scan.html", v.TillScan(shop=SHOPS[0].shop, error=None), "assistant", "/till/scan"),
    Sample(
        "till-scan-error",
        "till/scan.html",
        v.TillScan(shop=SHOPS[0].shop, error="照片里没有找到码。靠近一点再拍。"),
        "assistant",
        "/till/scan",
    ),
    Sample(
        "till-code", "till/code.html", v.TillCode(shop=SHOPS[0].shop, code="", error=None), "assistant", "/till/code"
    ),
    Sample(
        "till-code-error",
        "till/code.html",
        v.TillCode(shop=SHOPS[0].shop, code="48206173", error="这个码已经用过。请顾客点“换一个码”，再报一次。"),
        "assistant",
        "/till/code",
        409,
    ),
    Sample("visit", "till/visit.html", VISIT, "assistant", "/till/visits/vis_5f2c"),
    Sample("visit-items", "till/visit.html", replace(VISIT, items=ITEMS), "assistant", "/till/visits/vis_5f2c"),
    Sample(
        "visit-error",
        "till/visit.html",
        replace(VISIT, discountable="0", error="两个金额都是 0。先输入至少一个。"),
        "assistant",
        "/till/visits/vis_5f2c",
        422,
    ),
    Sample(
        "visit-quote",
        "till/visit.html",
        replace(VISIT, discountable="16.00", other="2.00", quote=BILL),
        "assistant",
        "/till/visits/vis_5f2c",
    ),
    Sample(
        "visit-unusual",
        "till/visit.html",
        replace(
            VISIT, items=ITEMS, quote=replace(BILL, list_fen=180_000, saved_fen=26_000, paid_fen=154_000, unusual=True)
        ),
        "assistant",
        "/till/visits/vis_5f2c",
    ),
    Sample(
        "done",
        "till/done.html",
        v.TillDone(sale=SALES[0], void_key="void:008f1c", promise=PROMISE, promise_by=NOW + timedelta(hours=1)),
        "assistant",
        "/till/sales/008f1c/done",
    ),
    Sample(
        "done-unpromised",
        "till/done.html",
        v.TillDone(sale=SALES[1], void_key="void:018f1c", promise=None, promise_by=None),
        "assistant",
        "/till/sales/018f1c/done",
    ),
    Sample(
        "done-void",
        "till/done.html",
        v.TillDone(sale=SALES[2], void_key="void:028f1c", promise=None, promise_by=None),
        "assistant",
        "/till/sales/028f1c/done",
    ),
    Sample(
        "today",
        "till/today.html",
        v.TillToday(
            shop=SHOPS[0].shop,
            on=TODAY,
            sales_count=37,
            list_fen=74_200,
            saved_fen=12_970,
            paid_fen=61_230,
            rebate_fen=1_840,
            hours=tuple(
                v.HourCount(hour=hour, sales_count=count)
                for hour, count in ((7, 3), (8, 2), (10, 1), (11, 14), (12, 17))
            ),
            rows=SALES,
            older="eyJ",
        ),
        "assistant",
        "/till/today",
    ),
    Sample(
        "today-none",
        "till/today.html",
        v.TillToday(
            shop=SHOPS[0].shop,
            on=TODAY,
            sales_count=0,
            list_fen=0,
            saved_fen=0,
            paid_fen=0,
            rebate_fen=0,
            hours=(),
            rows=(),
            older=None,
        ),
        "assistant",
        "/till/today",
    ),
    Sample(
        "sale",
        "till/sale.html",
        v.TillSale(
            sale=SALES[3],
            lines=LINES,
            refunded_fen=400,
            member_code_needed=True,
            void_key="void:038f1c",
            preview=v.RefundShown(to_member_fen=1390, list_back_fen=1600, key="k"),
            error=None,
        ),
        "assistant",
        "/till/sales/038f1c",
    ),
    Sample(
        "sale-fresh",
        "till/sale.html",
        v.TillSale(
            sale=SALES[0],
            lines=LINES[:1],
            refunded_fen=0,
            member_code_needed=False,
            void_key="void:008f1c",
            preview=None,
            error=None,
        ),
        "assistant",
        "/till/sales/008f1c",
    ),
    Sample(
        "refused",
        "till/refused.html",
        v.TillRefused(
            code="visit_over",
            sentence="这次到店已经超过 5 分钟。",
            next_step="请顾客换一个码，再扫一次。",
            next_href="/till/scan",
        ),
        "assistant",
        "/till/visits/x",
        409,
    ),
)
