"""Samples of online purchase: the basket, orders in every state, paying, the door of a flash sale."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from api.pages import views as v
from tests.gallery.frame import NOW, Sample, amounts

UNTIL = NOW + timedelta(minutes=13, seconds=20)
COOKER = v.Thing(
    face="m_1",
    name="红双喜 4 升 IH 电饭煲",
    variant="珍珠白",
    category="appliance",
    picture=None,
    href="/shop/m_0031/cooker4",
)
OIL = v.Thing(
    face="m_2", name="物理压榨花生油 5L", variant="", category="market", picture=None, href="/shop/m_0007/oil5"
)
RICE = v.Thing(
    face="m_3",
    name="五常稻花香大米 10 kg",
    variant="真空装",
    category="market",
    picture=None,
    href="/shop/m_0007/rice10",
)
TOWEL = v.Thing(face="m_4", name="纯棉毛巾三条装", variant="灰", category="home", picture=None, href=None)


def _quote(paid: v.Amounts, *steps: v.QuoteStep, lines: Any = (), hints: Any = ()) -> v.QuoteShown:
    return v.QuoteShown(
        amounts=paid,
        steps=steps,
        rebates=(),
        not_used=(v.NotUsed(title="周末补贴", sentence="周末补贴只在周六、周日有，今天是周五。周六再来。"),),
        hints=hints,
        lines=lines,
        proof="已比较全部组合，这是最低价。",
        is_proven=True,
    )


def _step(title: str, how: str, concession: int, subsidy: int) -> v.QuoteStep:
    return v.QuoteStep(
        title=title, sentence=f"{title}：{how}。", how=how, limit="", concession_fen=concession, subsidy_fen=subsidy
    )


COOKER_QUOTE = _quote(
    amounts(32_900, 3_290, 3_000),
    _step("家电九折", "329.00 的 10% = 32.90", 3_290, 0),
    _step("内购补贴", "满 200 元补 30 元", 0, 3_000),
)
FOOD_QUOTE = _quote(
    amounts(26_560, 2_000, 0),
    _step("粮油满减", "满 200 元减 20 元", 2_000, 0),
    lines=(
        v.LineShown(
            name="物理压榨花生油 5L",
            list_fen=8_990,
            parts=(v.LinePart(title="粮油满减", payer="merchant", fen=677),),
            paid_fen=8_313,
        ),
        v.LineShown(
            name="五常稻花香大米 10 kg 真空装",
            list_fen=17_570,
            parts=(v.LinePart(title="粮油满减", payer="merchant", fen=1_323),),
            paid_fen=16_247,
        ),
    ),
    hints=(v.HintShown(title="粮油满减", sentence="再买 34.40 元，减到 30 元"),),
)

POINTS = (
    v.PointChoice(code="p1", name="一号门自提点", address="炼钢路 1 号，班车站旁", chosen=True),
    v.PointChoice(code="p2", name="二炼钢食堂", address="二炼钢厂区，食堂东侧", chosen=False),
    v.PointChoice(code="p3", name="厂前广场", address="工人文化宫一层", chosen=False),
)

BASKET = v.ShopBasket(
    blocks=(
        v.BasketBlock(
            merchant="m_0031",
            merchant_name="红双喜电器",
            lines=(
                v.BasketLineShown(
                    item_id="i1",
                    thing=COOKER,
                    price_fen=32_900,
                    qty=1,
                    list_fen=32_900,
                    paid_fen=26_610,
                    free=None,
                    limit=1,
                ),
            ),
            points=POINTS,
            can_deliver=False,
            delivery_chosen=False,
            deliver_to="",
            quote=COOKER_QUOTE,
        ),
        v.BasketBlock(
            merchant="m_0007",
            merchant_name="惠民超市",
            lines=(
                v.BasketLineShown(
                    item_id="i2",
                    thing=OIL,
                    price_fen=8_990,
                    qty=1,
                    list_fen=8_990,
                    paid_fen=8_313,
                    free=None,
                    limit=None,
                ),
                v.BasketLineShown(
                    item_id="i3",
                    thing=RICE,
                    price_fen=8_785,
                    qty=2,
                    list_fen=17_570,
                    paid_fen=16_247,
                    free=1,
                    limit=None,
                ),
            ),
            points=POINTS[:2],
            can_deliver=True,
            delivery_chosen=True,
            deliver_to="钢花新村 12 栋 3 单元 502",
            quote=FOOD_QUOTE,
        ),
    ),
    gone=(
        v.BasketGone(
            item_id="i4", thing=TOWEL, sentence="“纯棉毛巾三条装”已经下架。请从购物篮里删掉它，或换一个规格。"
        ),
    ),
    taken_out=None,
    error=None,
    key="0198",
    list_fen=59_460,
    total_fen=51_170,
)
EMPTY_BASKET = v.ShopBasket(blocks=(), gone=(), taken_out=None, error=None, key="0198", list_fen=0, total_fen=None)


def _lines(*things: tuple[v.Thing, int], handed: int = 0, returned: int = 0) -> tuple[v.OrderLineShown, ...]:
    return tuple(v.OrderLineShown(thing=thing, qty=qty, handed=handed, returned=returned) for thing, qty in things)


def _order(number: str, state: Any, merchant: str, lines: Any, paid: int, saved: int, **more: Any) -> v.OrderCard:
    card = v.OrderCard(
        number=number,
        basket_id="0198c6f2",
        merchant_name=merchant,
        state=state,
        at=NOW - timedelta(minutes=1, seconds=40),
        lines=lines,
        paid_fen=paid,
        saved_fen=saved,
        handover="pickup",
        place="一号门自提点",
        is_late=False,
        pay_until_at=UNTIL if state == "placed" else None,
        receipt_id=None if state in {"placed", "cancelled"} else "4f1c8e0a9b2d4c6f8a1b3c5d7e9f0a2b",
    )
    return replace(card, **more)


PLACED = _order("K7Q2MX9P", "placed", "红双喜电器", _lines((COOKER, 1)), 26_610, 6_290)
FOOD = _order(
    "T4NW8RCA",
    "placed",
    "惠民超市",
    _lines((OIL, 1), (RICE, 2)),
    24_560,
    2_000,
    handover="delivery",
    place="钢花新村 12 栋 3 单元 502",
)
OLD = timedelta(days=3)
READY = replace(PLACED, state="ready", pay_until_at=None, receipt_id="4f1c8e0a", at=NOW - OLD)
PARTLY = replace(
    FOOD,
    state="partly_returned",
    pay_until_at=None,
    receipt_id="5a1c8e0a",
    at=NOW - OLD,
    lines=(
        v.OrderLineShown(thing=OIL, qty=1, handed=1, returned=0),
        v.OrderLineShown(thing=RICE, qty=2, handed=1, returned=1),
    ),
)

ORDERS = v.Orders(
    orders=(
        PLACED,
        READY,
        replace(PARTLY, number="M3XK55TD", is_asked=True),
        _order("H2PQ77RB", "paid", "惠民超市", _lines((RICE, 1)), 8_785, 0, at=NOW - OLD),
        _order("B8CD44WE", "collected", "绒花家纺", _lines((TOWEL, 2)), 4_000, 1_980, at=NOW - 9 * OLD),
        _order("Z6YT22KL", "closed", "红双喜电器", _lines((COOKER, 1)), 29_900, 0, at=NOW - 12 * OLD),
        _order("W9VN33QJ", "cancelled", "惠民超市", _lines((OIL, 3)), 26_970, 0, at=NOW - 14 * OLD),
        _order("R5FG66HN", "placed", "惠民超市", _lines((OIL, 1)), 8_990, 0, is_late=True, pay_until_at=None),
        _order("Q4ST88MC", "delivered", "惠民超市", _lines((OIL, 1)), 8_990, 0, at=NOW - 15 * OLD),
        _order("N2RD99XA", "returned", "绒花家纺", _lines((TOWEL, 1), returned=1), 2_990, 0, at=NOW - 16 * OLD),
    ),
    older="cursor",
)


def _change(minutes: int, reason: str, to: Any, by: Any, name: str = "") -> v.ChangeShown:
    return v.ChangeShown(at=NOW - timedelta(minutes=minutes), reason=reason, to_state=to, by=by, name=name)


PLACED_PAGE = v.OrderPage(
    order=PLACED,
    quote=COOKER_QUOTE,
    address="炼钢路 1 号，班车站旁",
    slip=None,
    slip_qr=None,
    changes=(_change(2, "placed", "placed", "member"),),
    refunds=(),
    asked=(),
    can_ask=False,
    can_cancel=True,
    key="0198",
    waits_for_provider=False,
    error=None,
)
READY_PAGE = replace(
    PLACED_PAGE,
    order=READY,
    slip="482913",
    slip_qr="K7Q2MX9P 482913",
    changes=(
        _change(4322, "placed", "placed", "member"),
        _change(4320, "paid", "paid", "provider"),
        _change(60, "ready", "ready", "staff", "周小红"),
    ),
)
RETURNED_PAGE = replace(
    PLACED_PAGE,
    order=PARTLY,
    quote=FOOD_QUOTE,
    address="",
    changes=(
        _change(4322, "placed", "placed", "member"),
        _change(4320, "paid", "paid", "provider"),
        replace(_change(2900, "handed", "collected", "staff", "周小红"), pieces=3, proxy="刘师傅"),
        _change(40, "袋子破了", "partly_returned", "officer"),
    ),
    refunds=(
        v.RefundRow(at=NOW - timedelta(minutes=40), to_member_fen=8_124, subsidy_back_fen=500, rebate_back_fen=120),
    ),
    can_cancel=False,
)
CANCELLED_PAGE = replace(
    PLACED_PAGE,
    order=replace(PLACED, state="cancelled", pay_until_at=None),
    changes=(_change(30, "placed", "placed", "member"), _change(15, "expired", "cancelled", "job")),
    can_cancel=False,
)

ASKED = v.AskedBack(
    request_id="0199-ask",
    at=NOW - timedelta(hours=2),
    state="open",
    lines=(v.AskedLine(name="五常稻花香大米 10 kg", variant="真空装", qty=1),),
    why="坏了，或有瑕疵",
    words="袋子底下开了口，撒了一些",
    back_fen=8_124,
    ended_at=None,
    ended_by="",
    answer="",
)
DECLINED = replace(
    ASKED,
    at=NOW - timedelta(days=1),
    state="declined",
    why="不合适，不想要",
    words="",
    back_fen=None,
    ended_at=NOW - timedelta(hours=20),
    ended_by="周小红",
    answer="米袋已经拆封，不影响食用，不能退。",
)
ASKED_PAGE = replace(
    RETURNED_PAGE,
    order=replace(PARTLY, state="collected", lines=_lines((OIL, 1), (RICE, 2), handed=1)),
    changes=RETURNED_PAGE.changes[:-1],
    refunds=(),
    asked=(ASKED, DECLINED),
)
ASKED_BEFORE_PAGE = replace(
    ASKED_PAGE,
    asked=(
        replace(ASKED, state="withdrawn", back_fen=None, ended_at=NOW - timedelta(hours=1)),
        replace(ASKED, at=NOW - timedelta(days=2), state="accepted", back_fen=None, ended_at=NOW, ended_by="周小红"),
    ),
    can_ask=True,
)
ASK = v.ReturnAsk(
    number="M3XK55TD",
    merchant_name="惠民超市",
    lines=(
        v.AskLine(line="1", thing=OIL, units=0, most=1),
        v.AskLine(line="2", thing=RICE, units=1, most=2),
    ),
    causes=tuple(
        v.CauseChoice(cause=cause, label=label, chosen=cause == "faulty")
        for cause, label in (
            ("faulty", "坏了，或有瑕疵"),
            ("wrong", "发错了，或少了"),
            ("unsuited", "不合适，不想要"),
            ("other", "其他"),
        )
    ),
    words="",
    back_fen=8_124,
    subsidy_back_fen=500,
    key="0198",
    error=None,
)

PAYING = v.Paying(
    number="K7Q2MX9P",
    merchant_name="红双喜电器",
    paid_fen=26_610,
    again="/orders/K7Q2MX9P/return?look=1",
    again_seconds=300,
    pay_until_at=UNTIL,
)

WAIT = v.FlashWait(
    thing=replace(COOKER, variant=""),
    merchant_name="红双喜电器",
    price_fen=19_900,
    limit_per_member=1,
    sale_from=NOW + timedelta(days=3650),
    sale_to=NOW + timedelta(days=3651),
    enter="/shop/m_0031/cooker4/enter",
    other_language="/shop/m_0031/cooker4/wait?lang=en",
    is_open=False,
)
ENTRY = v.FlashEntry(
    product_href="/shop/m_0031/cooker4",
    action="/shop/m_0031/cooker4/enter",
    thing=replace(COOKER, variant=""),
    merchant="m_0031",
    merchant_name="红双喜电器",
    variants=(
        v.FlashVariant(item_id="i1", variant="珍珠白", price_fen=19_900, free=812),
        v.FlashVariant(item_id="i9", variant="石墨黑", price_fen=19_900, free=0),
    ),
    points=POINTS,
    can_deliver=False,
    deliver_to="",
    most=2,
    token="token",
    key="0198",
    sale_to=NOW + timedelta(hours=8),
    is_sold_out=False,
    error=None,
)


def _page(name: str, template: str, view: object, path: str, status: int = 200) -> Sample:
    return Sample(name, template, view, "member", path, status)


SHOPPING: tuple[Sample, ...] = (
    _page("basket", "shop/basket.html", BASKET, "/shop/basket"),
    _page(
        "basket-refused",
        "shop/basket.html",
        replace(
            BASKET,
            blocks=(replace(BASKET.blocks[0], quote=None), replace(BASKET.blocks[1], points=(), can_deliver=False)),
            taken_out=v.TakenOut(name="纯棉毛巾三条装 灰", undo="i4:1"),
            error="价格变了：现在应付 ¥266.10。请核对后再下单。",
            total_fen=None,
        ),
        "/shop/basket",
        409,
    ),
    _page("basket-empty", "shop/basket.html", EMPTY_BASKET, "/shop/basket"),
    _page("my-orders", "orders/list.html", ORDERS, "/orders"),
    _page("my-orders-none", "orders/list.html", v.Orders(orders=(), older=None), "/orders"),
    _page(
        "orders-to-pay",
        "orders/basket.html",
        v.OrderedBasket(orders=(PLACED, FOOD), quotes=(COOKER_QUOTE, FOOD_QUOTE), due_fen=51_170, pay_until_at=UNTIL),
        "/orders/b/0198c6f2",
    ),
    _page(
        "orders-paid",
        "orders/basket.html",
        v.OrderedBasket(
            orders=(
                replace(PLACED, state="paid", pay_until_at=None, receipt_id="4f1c8e0a"),
                replace(FOOD, state="cancelled", pay_until_at=None),
            ),
            quotes=(COOKER_QUOTE, FOOD_QUOTE),
            due_fen=0,
            pay_until_at=None,
        ),
        "/orders/b/0198c6f2",
    ),
    _page("my-order-placed", "orders/order.html", PLACED_PAGE, "/orders/K7Q2MX9P"),
    _page(
        "order-waits",
        "orders/order.html",
        replace(PLACED_PAGE, waits_for_provider=True),
        "/orders/K7Q2MX9P/pay",
        503,
    ),
    _page("order-ready", "orders/order.html", READY_PAGE, "/orders/K7Q2MX9P"),
    _page("order-returned", "orders/order.html", RETURNED_PAGE, "/orders/M3XK55TD"),
    _page(
        "order-refused",
        "orders/order.html",
        replace(CANCELLED_PAGE, error="付款时间已过，订单已释放。请重新下单。"),
        "/orders/K7Q2MX9P/pay",
        409,
    ),
    _page("order-asked", "orders/order.html", ASKED_PAGE, "/orders/M3XK55TD"),
    _page("order-asked-before", "orders/order.html", ASKED_BEFORE_PAGE, "/orders/M3XK55TD"),
    _page("ask-return", "orders/ask.html", ASK, "/orders/M3XK55TD/request"),
    _page(
        "ask-return-refused",
        "orders/ask.html",
        replace(
            ASK,
            lines=(ASK.lines[0],),
            back_fen=0,
            subsidy_back_fen=0,
            error="请选退货原因；选“其他”要写一句说明（不超过 100 个字）。",
        ),
        "/orders/M3XK55TD/request",
        409,
    ),
    _page("paying", "orders/paying.html", PAYING, "/orders/K7Q2MX9P/return"),
    _page("flash-wait", "shop/wait.html", WAIT, "/shop/m_0031/cooker4/wait"),
    _page("flash-enter", "shop/enter.html", ENTRY, "/shop/m_0031/cooker4/enter"),
    _page(
        "flash-sold-out",
        "shop/enter.html",
        replace(ENTRY, variants=(replace(ENTRY.variants[0], free=0),), is_sold_out=True),
        "/shop/m_0031/cooker4/enter",
    ),
)
