"""Samples of the supplier's pages: orders, returns, stock."""

from dataclasses import replace
from datetime import timedelta

from api.pages import views as v
from api.pages.views import supplier as s
from tests.gallery.frame import NOW, Sample, amounts


def goods(name: str, qty: int, *, variant: str = "", category: str = "home") -> s.Goods:
    return s.Goods(name=name, variant=variant, category=category, picture=None, qty=qty)


COOKER = goods("苏泊尔电饭煲 4 升", 1, category="home")
RICE = goods("五常大米", 2, variant="10 公斤", category="market")
OIL = goods("压榨花生油", 1, variant="5 升", category="market")
PHONE = goods("老人手机", 1, variant="红", category="phone")


def row(number: str, state: str, things: tuple[s.Goods, ...], paid_fen: int, hours: int, **more: object) -> s.OrderRow:
    point = "delivery" not in more
    more.pop("delivery", None)
    made = s.OrderRow(
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
    row("E5HJ22PM", "collected", (RICE, COOKER), 36_700, 2, is_asked=True),
    row("R3DDZ8QK", "delivered", (goods("电压力锅 5 升", 1),), 35_900, 20, delivery=True),
)
SHELVES = tuple(
    s.ShelfLink(shelf=shelf, orders_count=number)
    for shelf, number in (
        ("todo", 12),
        ("ready", 31),
        ("asked", 2),
        ("done", 1_204),
        ("back", 9),
        ("placed", 3),
        ("cancelled", 44),
        ("all", 1_303),
    )
)
LINES = (
    s.GoodsLine(
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
    s.GoodsLine(
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
    s.StoryRow(at=NOW - timedelta(hours=hours), sentence=sentence, who=who)
    for hours, sentence, who in (
        (30, "会员下单", "会员"),
        (30, "付款完成", "付款渠道"),
        (4, "备好，可以取货", "周德福"),
    )
)
ORDER = s.MerchantOrder(
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
    steps=(s.PriceStep(title="内购专享价", concession_fen=10_000),),
    other_concession_fen=2_170,
    story=STORY,
    backs=(s.BackRow(at=NOW - timedelta(hours=1), pieces=1, to_member_fen=5_600, subsidy_back_fen=400),),
    asked=(),
    answer="",
    is_owner=True,
    can_ready=False,
    can_hand_out=True,
    can_deliver=False,
    can_cancel=True,
    can_return=True,
    undo=s.UndoShown(handout_id="0199-handout", until_at=NOW + timedelta(minutes=7)),
    key="page:1",
    error=None,
)
RETURN = s.OrderReturn(
    number="K7Q2MX9P",
    state="collected",
    lines=LINES,
    whence="member",
    can_member=True,
    can_shelf=True,
    is_owner=True,
    is_restocked=False,
    reason="内胆有划痕",
    asked=None,
    preview=s.BackShown(
        pieces=1,
        to_member_fen=19_900,
        subsidy_back_fen=2_000,
        concession_back_fen=11_000,
        rebate_back_fen=120,
        key="page:2",
    ),
    error=None,
)

ASKED = v.AskedBack(
    request_id="0199-ask",
    at=NOW - timedelta(hours=2),
    state="open",
    lines=(v.AskedLine(name="五常大米", variant="10 公斤", qty=1),),
    why="坏了，或有瑕疵",
    words="袋子底下开了口，撒了一些",
    back_fen=5_600,
    ended_at=None,
    ended_by="",
    answer="",
)
ASKED_BEFORE = (
    replace(
        ASKED,
        at=NOW - timedelta(days=1),
        state="declined",
        back_fen=None,
        ended_at=NOW - timedelta(hours=20),
        ended_by="周德福",
        answer="已经拆封，不能退。",
    ),
    replace(ASKED, at=NOW - timedelta(days=2), state="withdrawn", back_fen=None, ended_at=NOW - timedelta(days=2)),
)


def stock(n: int, thing: s.Goods, sku: str, free: int, reserved: int, waiting: int, sold: int) -> s.StockRow:
    return s.StockRow(
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
ITEM = s.StockItem(
    row=STOCK[1],
    moves=tuple(
        s.StockMoveRow(at=NOW - timedelta(days=days), kind=kind, pieces=pieces, reason=reason, who="周德福")
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
ORDERS = s.MerchantOrders(
    merchant="兴钢家电", shelves=SHELVES, shelf="todo", typed="", rows=ROWS, older="abc", may_export=True
)
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
    Sample(
        "order-asked-back",
        "merchant/order.html",
        replace(ORDER, state="collected", asked=(ASKED, *ASKED_BEFORE), can_hand_out=False, can_cancel=False),
        "owner",
        "/merchant/orders/K7Q2MX9P",
    ),
    Sample(
        "order-answered-back",
        "merchant/order.html",
        replace(
            ORDER,
            state="partly_returned",
            asked=(replace(ASKED, state="accepted", back_fen=None, ended_at=NOW, ended_by="周德福"),),
            can_hand_out=False,
            can_cancel=False,
        ),
        "owner",
        "/merchant/orders/K7Q2MX9P",
    ),
    Sample(
        "order-answer-refused",
        "merchant/order.html",
        replace(
            ORDER,
            state="collected",
            asked=(ASKED,),
            answer="长",
            can_hand_out=False,
            can_cancel=False,
            error="请写一句不同意的理由（不超过 100 个字），会员会看到。",
        ),
        "assistant",
        "/merchant/orders/K7Q2MX9P/request/decline",
        422,
    ),
    Sample(
        "orders-asked-none",
        "merchant/orders.html",
        replace(ORDERS, shelf="asked", rows=(), older=None),
        "owner",
        "/merchant/orders",
    ),
    Sample(
        "return-asked",
        "merchant/return.html",
        replace(RETURN, asked=ASKED, can_shelf=False, is_restocked=True),
        "owner",
        "/merchant/orders/K7Q2MX9P/return",
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
        "stock",
        "merchant/stock.html",
        s.MerchantStock(merchant="兴钢家电", typed="", rows=STOCK, low_count=1, out_count=1, most=193),
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
)
