"""Samples of the pages that hand out, and of the pick lists."""

from dataclasses import replace
from datetime import timedelta

from api.pages.views import supplier as s
from tests.gallery.frame import NOW, Sample
from tests.gallery.supplier import COOKER, LINES, OIL, RICE, ROWS

HOME = "/merchant/handout"
HANDOUT = s.HandoutOrder(
    number="K7Q2MX9P", at=NOW - timedelta(hours=30), state="ready", point="一号门自提点", lines=LINES, key="page:3"
)
CARD = s.HandoutCard(
    visit_id="0199-visit",
    surname="欧阳",
    opened_at=NOW - timedelta(seconds=20),
    expires_at=NOW + timedelta(seconds=280),
    orders=(HANDOUT, replace(HANDOUT, number="H4TWE6RA", state="paid", lines=LINES[1:])),
    error=None,
)
SLIP = s.HandoutSlip(
    order=replace(HANDOUT, lines=LINES[1:]), surname="王", is_proxy=False, proxy_name="", digits="", error=None
)
PICKS = s.Picks(
    merchant="兴钢家电",
    points=(
        s.PickPoint(
            code="gate1",
            name="一号门自提点",
            rows=(
                s.PickRow(goods=replace(COOKER, qty=24), sku="SPE-4L", orders_count=24),
                s.PickRow(goods=replace(RICE, qty=7), sku="RICE-10", orders_count=5),
            ),
            numbers=("K7Q2MX9P", "H4TWE6RA", "C9WEPX33"),
        ),
        s.PickPoint(
            code="-",
            name=None,
            rows=(s.PickRow(goods=replace(OIL, qty=2), sku="OIL-5", orders_count=2),),
            numbers=("M2QX7RTA",),
        ),
    ),
    error=None,
)


HAND_OUT: tuple[Sample, ...] = (
    Sample(
        "handout",
        "merchant/handout.html",
        s.HandoutHome(merchant="兴钢家电", ready_count=31, todo_count=12, asked_count=2),
        "assistant",
        HOME,
    ),
    Sample("handout-scan", "merchant/handout_scan.html", s.HandoutScan(error=None), "assistant", f"{HOME}/scan"),
    Sample(
        "handout-code", "merchant/handout_code.html", s.HandoutCode(code="", error=None), "assistant", f"{HOME}/code"
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
        s.HandoutSlips(typed="PX3", rows=(ROWS[2], ROWS[0])),
        "assistant",
        f"{HOME}/slip",
    ),
    Sample(
        "handout-slips-none",
        "merchant/handout_slips.html",
        s.HandoutSlips(typed="ZZZ", rows=()),
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
        s.HandoutDone(
            number="K7Q2MX9P",
            given=(replace(RICE, qty=1), COOKER),
            at=NOW,
            proxy_name="李四",
            undo=s.UndoShown(handout_id="0199-handout", until_at=NOW + timedelta(minutes=9)),
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
        s.HandoutDone(
            number="K7Q2MX9P",
            given=(COOKER,),
            at=NOW,
            proxy_name=None,
            undo=None,
            waiting_count=0,
            visit_id="0199-visit",
            more_count=2,
        ),
        "assistant",
        f"{HOME}/orders/K7Q2MX9P/done",
    ),
    Sample("picks", "merchant/picks.html", PICKS, "owner", f"{HOME}/picks"),
    Sample("picks-none", "merchant/picks.html", replace(PICKS, points=()), "owner", f"{HOME}/picks"),
)
