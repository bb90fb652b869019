"""Samples of the union's desk for internal purchase: sales, products, payments."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from api.pages import views as v
from merchants.models import PointAct
from tests.gallery.frame import NOW, Sample, amounts

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
            expires_at=NOW + timedelta(minutes=11),
            is_silent=False,
        ),
    ),
    refunds=tuple(
        v.WaitingRefundRow(
            refund_id=f"r{minutes}",
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


def point(code: str, name: str, address: str, hours: str, **more: object) -> v.PointRow:
    quiet = dict.fromkeys(
        ("orders_count", "unpaid_count", "pieces_count", "merchants_count", "products_count", "only_here_count"), 0
    )
    said: dict[str, Any] = {**quiet, "steps": (point_step("added", 40),), **more}
    return v.PointRow(code=code, name=name, address=address, hours=hours, **said)


def point_step(act: PointAct, days: int, who: str = "陈淑芬", name: str = "西门自提点") -> v.PointStepRow:
    return v.PointStepRow(act=act, who=who, at=NOW - timedelta(days=days), name=name)


POINTS = v.DeskPoints(
    open=(
        point(
            "canteen-1",
            "一食堂自提点",
            "厂区一食堂北门",
            "11:00–13:30",
            orders_count=38,
            unpaid_count=2,
            pieces_count=61,
            merchants_count=5,
            products_count=212,
            only_here_count=4,
            steps=(point_step("changed", 2, "苏文娟", "一食堂自提点"), point_step("added", 40, name="食堂门口")),
        ),
        point(
            "east",
            "东门自提点",
            "霞岗市钢城区厂前街 1 号，东门传达室旁",
            "7:00–20:00",
            orders_count=1,
            pieces_count=1,
            merchants_count=1,
            products_count=188,
        ),
        point("village", "工人新村自提点", "", "", products_count=0),
    ),
    closed=(
        point(
            "west",
            "西门自提点",
            "冶金大道 88 号",
            "7:00–20:00",
            orders_count=3,
            pieces_count=4,
            merchants_count=2,
            products_count=90,
            steps=(point_step("closed", 1), point_step("added", 40)),
        ),
    ),
    typed=None,
    error=None,
)
PURCHASE_DESK: tuple[Sample, ...] = (
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
    Sample("points", "desk/points.html", POINTS, "officer", "/desk/purchases/points"),
    Sample("points-none", "desk/points.html", replace(POINTS, open=(), closed=()), "officer", "/desk/purchases/points"),
    Sample(
        "points-refused",
        "desk/points.html",
        replace(
            POINTS,
            closed=(),
            typed=v.PointTyped(row=None, code="gate 1", name="一号门", address="", hours=""),
            error="请填写代码（字母、数字、_、-，最多 32 个）和名称（最多 40 个字）；地址最多 120 个字，开放时间最多 60 个字。",
        ),
        "officer",
        "/desk/purchases/points",
        422,
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
