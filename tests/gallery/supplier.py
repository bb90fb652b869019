"""Samples of the supplier's pages and of the union's desk for internal purchase."""

from dataclasses import replace
from datetime import date, timedelta

from api.pages import views as v
from tests.gallery.frame import NOW, Sample, amounts


def goods(name: str, qty: int, *, variant: str = "", category: str = "home") -> v.Goods:
    return v.Goods(name=name, variant=variant, category=category, picture=None, qty=qty)


COOKER = goods("苏泊尔电饭煲 4 升", 1, category="home")
RICE = goods("五常大米", 2, variant="10 公斤", category="market")
OIL = goods("压榨花生油", 1, variant="5 升", category="market")
PHONE = goods("老人手机", 1, variant="红", category="phone")


def row(number: str, state: str, things: tuple[v.Goods, ...], paid_fen: int, hours: int, **more: object) -> v.OrderRow:
    point = "delivery" not in more
    more.pop("delivery", None)
    made = v.OrderRow(
        number=number,
        at=NOW - timedelta(hours=hours + 2),
        since_at=NOW - timedelta(hours=hours),
        state=state,
        point="一号门自提点" if point else None,
        goods=things,
        paid_fen=paid_fen,
        back_paid_fen=0,
        is_unclaimed=False,
    )
    return replace(made, **more)  # type: ignore[arg-type]


ROWS = (
    row("K7Q2MX9P", "paid", (COOKER,), 19_900, 1),
    row("H4TWE6RA", "paid", (RICE, OIL, COOKER, PHONE), 42_580, 3),
    row("C9WEPX33", "ready", (OIL,), 8_990, 400, is_unclaimed=True),
    row("M2QX7RTA", "partly_returned", (RICE,), 11_200, 30, back_paid_fen=5_600),
    row("A8LKPX34", "cancelled", (PHONE,), 29_900, 50),
    row("R3DDZ8QK", "delivered", (goods("电压力锅 5 升", 1),), 35_900, 20, delivery=True),
)
SHELVES = tuple(
    v.ShelfLink(shelf=shelf, orders_count=number)
    for shelf, number in (
        ("todo", 12),
        ("ready", 31),
        ("done", 1_204),
        ("back", 9),
        ("placed", 3),
        ("cancelled", 44),
        ("all", 1_303),
    )
)
LINES = (
    v.GoodsLine(
        line="1",
        goods=replace(RICE, qty=3),
        sku="RICE-10",
        handed=1,
        returned=0,
        waiting=2,
        list_fen=20_970,
        paid_fen=16_800,
        units=2,
        most=2,
    ),
    v.GoodsLine(
        line="2",
        goods=COOKER,
        sku="SPE-4L",
        handed=0,
        returned=0,
        waiting=1,
        list_fen=32_900,
        paid_fen=19_900,
        units=1,
        most=1,
    ),
)
STORY = tuple(
    v.StoryRow(at=NOW - timedelta(hours=hours), sentence=sentence, who=who)
    for hours, sentence, who in ((30, "下单", "会员"), (30, "付款完成", "付款渠道"), (4, "备好，可以取货", "周德福"))
)
ORDER = v.MerchantOrder(
    number="K7Q2MX9P",
    state="ready",
    at=NOW - timedelta(hours=30),
    surname="欧阳",
    point="一号门自提点",
    deliver_to=None,
    expires_at=None,
    is_unclaimed=False,
    lines=LINES,
    amounts=amounts(53_870, 12_170, 5_000),
    back_paid_fen=5_600,
    steps=(v.PriceStep(title="内购专享价", concession_fen=10_000),),
    other_concession_fen=2_170,
    story=STORY,
    backs=(v.BackRow(at=NOW - timedelta(hours=1), pieces=1, to_member_fen=5_600, subsidy_back_fen=400),),
    is_owner=True,
    can_ready=False,
    can_hand_out=True,
    can_deliver=False,
    can_cancel=True,
    can_return=True,
    key="page:1",
    error=None,
)
RETURN = v.OrderReturn(
    number="K7Q2MX9P",
    state="collected",
    lines=LINES,
    whence="member",
    can_member=True,
    can_shelf=True,
    is_owner=True,
    is_restocked=False,
    reason="内胆有划痕",
    preview=v.BackShown(
        pieces=1,
        to_member_fen=19_900,
        subsidy_back_fen=2_000,
        concession_back_fen=11_000,
        rebate_back_fen=120,
        key="page:2",
    ),
    error=None,
)
HANDOUT = v.HandoutOrder(
    number="K7Q2MX9P", at=NOW - timedelta(hours=30), state="ready", point="一号门自提点", lines=LINES, key="page:3"
)
CARD = v.HandoutCard(
    visit_id="0199-visit",
    surname="欧阳",
    opened_at=NOW - timedelta(seconds=20),
    expires_at=NOW + timedelta(seconds=280),
    orders=(HANDOUT, replace(HANDOUT, number="H4TWE6RA", state="paid", lines=LINES[1:])),
    error=None,
)
SLIP = v.HandoutSlip(order=replace(HANDOUT, lines=LINES[1:]), surname="王", is_proxy=False, proxy_name="", error=None)
PICKS = v.Picks(
    merchant="兴钢家电",
    points=(
        v.PickPoint(
            code="gate1",
            name="一号门自提点",
            rows=(
                v.PickRow(goods=replace(COOKER, qty=24), sku="SPE-4L", orders_count=24),
                v.PickRow(goods=replace(RICE, qty=7), sku="RICE-10", orders_count=5),
            ),
            numbers=("K7Q2MX9P", "H4TWE6RA", "C9WEPX33"),
        ),
        v.PickPoint(
            code="-",
            name=None,
            rows=(v.PickRow(goods=replace(OIL, qty=2), sku="OIL-5", orders_count=2),),
            numbers=("M2QX7RTA",),
        ),
    ),
    error=None,
)


def stock(n: int, thing: v.Goods, sku: str, free: int, reserved: int, waiting: int, sold: int) -> v.StockRow:
    return v.StockRow(
        item_id=f"0199-{n}",
        sku=sku,
        goods=replace(thing, qty=free + reserved + waiting),
        free=free,
        reserved=reserved,
        waiting=waiting,
        sold=sold,
        on_hand=free + reserved + waiting,
        is_low=free < 5,
        is_sold=n != 5,
    )


STOCK = (
    stock(1, PHONE, "OLD-RED", 0, 0, 4, 60),
    stock(2, COOKER, "SPE-4L", 3, 2, 24, 197),
    stock(3, OIL, "OIL-5", 41, 1, 2, 350),
    stock(4, RICE, "RICE-10", 180, 6, 7, 1_204),
    stock(5, goods("电压力锅 5 升", 1), "PRS-5", 12, 0, 0, 9),
)
ITEM = v.StockItem(
    row=STOCK[1],
    moves=tuple(
        v.StockMoveRow(at=NOW - timedelta(days=days), kind=kind, pieces=pieces, reason=reason, who="周德福")
        for days, kind, pieces, reason in (
            (1, "counted", -1, "月底盘点，少一件"),
            (6, "written_off", -2, "运输碰坏"),
            (20, "received", 200, ""),
        )
    ),
    key="page:4",
    typed="",
    reason="",
    doing="",
    error=None,
)
DAYS = tuple(
    v.DayAmounts(
        on=date(2026, 11, day),
        amounts=amounts(90_000 + day * 7_100 % 60_000, 21_000 + day * 900 % 9_000, 8_000 + day * 300 % 4_000),
        sales_count=4 + day % 5,
    )
    for day in range(1, 21)
)
PURCHASES = v.DeskPurchases(
    month_on=date(2026, 11, 1),
    months=(date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)),
    merchant_code=None,
    merchant_name=None,
    amounts=amounts(2_311_000, 510_000, 190_000),
    orders_count=118,
    days=DAYS,
    sellers=(
        v.SellerRow(
            code="m_0002", name="兴钢家电", amounts=amounts(1_511_000, 410_000, 90_000, 1_200, 800), orders_count=71
        ),
        v.SellerRow(code="m_0003", name="北大荒粮油", amounts=amounts(800_000, 100_000, 100_000), orders_count=47),
    ),
    products=(
        v.BoughtRow(
            name="苏泊尔电饭煲 4 升",
            merchant="兴钢家电",
            pieces=64,
            returned=2,
            amounts=amounts(1_211_000, 380_000, 70_000),
        ),
        v.BoughtRow(
            name="五常大米 10 公斤",
            merchant="北大荒粮油",
            pieces=41,
            returned=0,
            amounts=amounts(410_000, 60_000, 60_000),
        ),
    ),
    stopped_count=1,
)


def on_sale(n: int, name: str, *, reason: str | None = None) -> v.OnSaleRow:
    return v.OnSaleRow(
        product_id=f"0199-{n}",
        code=f"P{n}",
        name=name,
        category=("home", "market", "phone")[n % 3],
        picture=None,
        merchant="兴钢家电",
        price_fen=32_900,
        is_flash=n == 2,
        reason=reason,
        who="陈淑芬" if reason else None,
        at=NOW - timedelta(hours=3) if reason else None,
    )


def event(n: int, outcome: str, *, problem: str | None = None) -> v.EventRow:
    return v.EventRow(
        event_id=f"evt_{n:04d}9c1be7a2f4d6",
        kind="checkout.session.completed" if n % 3 else "refund.updated",
        merchant=None if outcome == "foreign" else "兴钢家电",
        received_at=NOW - timedelta(minutes=7 * n),
        outcome=outcome,
        problem=problem,
        works=1 + n % 2,
    )


EVENTS = (
    event(1, "applied"),
    event(2, "unchanged"),
    event(3, "mismatch", problem="amount"),
    event(4, "waiting"),
    event(5, "ignored"),
    event(6, "foreign"),
)
PAYMENTS = v.DeskPayments(
    silent_at=None,
    payments=(
        v.WaitingPaymentRow(
            title="职工内购 K7Q2MX9P",
            merchant="兴钢家电",
            amount_fen=19_900,
            created_at=NOW - timedelta(minutes=4),
            expires_at=NOW + timedelta(minutes=11),
            is_silent=False,
        ),
    ),
    refunds=tuple(
        v.WaitingRefundRow(
            title="职工内购 M2QX7RTA",
            merchant="北大荒粮油",
            amount_fen=5_600,
            asked_at=NOW - timedelta(minutes=minutes),
            state=state,
        )
        for minutes, state in ((2, "asked"), (9, "pending"), (600, "failed"))
    ),
    outcomes=tuple(
        v.OutcomeLink(outcome=outcome, events_count=number)
        for outcome, number in (("applied", 412), ("unchanged", 31), ("mismatch", 1), ("foreign", 2), ("ignored", 88))
    ),
    outcome=None,
    mismatches=(EVENTS[2],),
    events=EVENTS,
    older="abc",
)
ORDERS = v.MerchantOrders(
    merchant="兴钢家电", shelves=SHELVES, shelf="todo", typed="", rows=ROWS, older="abc", may_export=True
)
HOME = "/merchant/handout"

SUPPLIER: tuple[Sample, ...] = (
    Sample("orders", "merchant/orders.html", ORDERS, "owner", "/merchant/orders"),
    Sample(
        "orders-none",
        "merchant/orders.html",
        replace(ORDERS, rows=(), older=None, may_export=False),
        "assistant",
        "/merchant/orders",
    ),
    Sample("order", "merchant/order.html", ORDER, "owner", "/merchant/orders/K7Q2MX9P"),
    Sample(
        "order-new",
        "merchant/order.html",
        replace(
            ORDER,
            state="paid",
            point=None,
            deliver_to="炼钢厂宿舍 3 栋 502",
            is_owner=False,
            steps=(),
            other_concession_fen=0,
            backs=(),
            back_paid_fen=0,
            can_ready=True,
            can_hand_out=False,
            can_deliver=True,
            can_cancel=False,
        ),
        "assistant",
        "/merchant/orders/K7Q2MX9P",
    ),
    Sample(
        "order-placed",
        "merchant/order.html",
        replace(
            ORDER,
            state="placed",
            expires_at=NOW + timedelta(minutes=9),
            backs=(),
            back_paid_fen=0,
            can_hand_out=False,
            can_return=False,
            error="订单现在的状态是 placed，不能这样操作。请刷新页面查看最新状态。",
        ),
        "owner",
        "/merchant/orders/K7Q2MX9P",
        409,
    ),
    Sample(
        "order-unclaimed",
        "merchant/order.html",
        replace(ORDER, is_unclaimed=True),
        "owner",
        "/merchant/orders/K7Q2MX9P",
    ),
    Sample("return", "merchant/return.html", RETURN, "owner", "/merchant/orders/K7Q2MX9P/return"),
    Sample(
        "return-error",
        "merchant/return.html",
        replace(RETURN, preview=None, is_owner=False, is_restocked=True, error="还没有选要退的商品。请先填要退几件。"),
        "assistant",
        "/merchant/orders/K7Q2MX9P/return",
        409,
    ),
    Sample(
        "handout",
        "merchant/handout.html",
        v.HandoutHome(merchant="兴钢家电", ready_count=31, todo_count=12),
        "assistant",
        HOME,
    ),
    Sample("handout-scan", "merchant/handout_scan.html", v.HandoutScan(error=None), "assistant", f"{HOME}/scan"),
    Sample(
        "handout-code", "merchant/handout_code.html", v.HandoutCode(code="", error=None), "assistant", f"{HOME}/code"
    ),
    Sample("handout-card", "merchant/handout_card.html", CARD, "assistant", f"{HOME}/cards/0199-visit"),
    Sample(
        "handout-card-none",
        "merchant/handout_card.html",
        replace(CARD, orders=()),
        "assistant",
        f"{HOME}/cards/0199-visit",
    ),
    Sample(
        "handout-slips",
        "merchant/handout_slips.html",
        v.HandoutSlips(typed="PX3", rows=(ROWS[2], ROWS[0])),
        "assistant",
        f"{HOME}/slip",
    ),
    Sample(
        "handout-slips-none",
        "merchant/handout_slips.html",
        v.HandoutSlips(typed="ZZZ", rows=()),
        "assistant",
        f"{HOME}/slip",
    ),
    Sample("handout-slip", "merchant/handout_slip.html", SLIP, "assistant", f"{HOME}/orders/K7Q2MX9P"),
    Sample(
        "handout-slip-proxy",
        "merchant/handout_slip.html",
        replace(
            SLIP,
            is_proxy=True,
            proxy_name="李四",
            error="取货码不对。请会员打开订单页面核对 6 位取货码，或出示会员码。",
        ),
        "assistant",
        f"{HOME}/orders/K7Q2MX9P",
        409,
    ),
    Sample(
        "handout-done",
        "merchant/handout_done.html",
        v.HandoutDone(
            number="K7Q2MX9P",
            given=(replace(RICE, qty=1), COOKER),
            at=NOW,
            proxy_name="李四",
            waiting_count=1,
            visit_id=None,
            more_count=0,
        ),
        "assistant",
        f"{HOME}/orders/K7Q2MX9P/done",
    ),
    Sample(
        "handout-done-more",
        "merchant/handout_done.html",
        v.HandoutDone(
            number="K7Q2MX9P",
            given=(COOKER,),
            at=NOW,
            proxy_name=None,
            waiting_count=0,
            visit_id="0199-visit",
            more_count=2,
        ),
        "assistant",
        f"{HOME}/orders/K7Q2MX9P/done",
    ),
    Sample("picks", "merchant/picks.html", PICKS, "owner", f"{HOME}/picks"),
    Sample("picks-none", "merchant/picks.html", replace(PICKS, points=()), "owner", f"{HOME}/picks"),
    Sample(
        "stock",
        "merchant/stock.html",
        v.MerchantStock(merchant="兴钢家电", typed="", rows=STOCK, low_count=1, out_count=1, most=193),
        "owner",
        "/merchant/stock",
    ),
    Sample("stock-item", "merchant/stock_item.html", ITEM, "owner", "/merchant/stock/0199-2"),
    Sample(
        "stock-item-error",
        "merchant/stock_item.html",
        replace(
            ITEM,
            doing="count",
            typed="9",
            reason="盘点",
            error="可售库存只有 3 件，其余已被订单占用。请先处理订单，再减少库存。",
        ),
        "owner",
        "/merchant/stock/0199-2",
        409,
    ),
    Sample("purchases", "desk/purchases.html", PURCHASES, "officer", "/desk/purchases"),
    Sample(
        "purchases-none",
        "desk/purchases.html",
        replace(
            PURCHASES,
            merchant_code="m_0002",
            merchant_name="兴钢家电",
            days=(),
            sellers=(),
            products=(),
            orders_count=0,
            stopped_count=0,
            amounts=amounts(0, 0, 0),
        ),
        "officer",
        "/desk/purchases",
    ),
    Sample(
        "on-sale",
        "desk/products.html",
        v.DeskProducts(
            stopped=(on_sale(1, "保健枕", reason="宣传有治病功效，没有批文"),),
            listed=(on_sale(2, "苏泊尔电饭煲 4 升"), on_sale(3, "老人手机"), on_sale(4, "压榨花生油 5 升")),
            older="0199-4",
            reason="",
            error=None,
        ),
        "officer",
        "/desk/purchases/products",
    ),
    Sample("payments", "desk/payments.html", PAYMENTS, "officer", "/desk/payments"),
    Sample(
        "payments-silent",
        "desk/payments.html",
        replace(
            PAYMENTS,
            silent_at=NOW - timedelta(minutes=6),
            mismatches=(),
            refunds=(),
            payments=(replace(PAYMENTS.payments[0], is_silent=True),),
        ),
        "officer",
        "/desk/payments",
    ),
    Sample(
        "event",
        "desk/event.html",
        v.DeskEvent(
            event=EVENTS[2],
            title="职工内购 K7Q2MX9P",
            body='{\n  "id": "evt_00039c1be7a2f4d6",\n  "type": "refund.updated",\n  "data": {"object": {"amount": 19901}}\n}',
            error=None,
        ),
        "officer",
        "/desk/payments/events/evt_00039c1be7a2f4d6",
    ),
)
