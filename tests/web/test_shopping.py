"""Online purchase from basket to refund: real pages, real payments at the sandbox, figures that agree to the fen everywhere."""

import json
import re
import time
from typing import Any

from sqlalchemy import text

from api import handing_out
from market.kit.clock import now
from market.kit.database import get_engine, transaction
from market.oversight.queries import find_entry
from market.sales.orders.models import Order
from market.sales.orders.queries import get_orders
from market.sales.orders.take_back import TakenBack
from tests.web.market import flat
from tests.web.plaza import Street
from tests.world import findings, left

COOKER_PAID, OIL_PAID = (
    32_900 - 3_290 - 3_000,
    2 * 8_990,
)  # 10 % of the merchant, 30 yuan of the union above 200; nothing


def order_of(number: str) -> Order:
    with transaction() as tx:
        found = tx.query(Order).filter_by(number=number).one()
        [detail] = get_orders(tx, order_ids=[found.id])
    return detail.order


def entry_of(order: Order) -> dict[str, Any]:
    with transaction() as tx:
        entry = find_entry(tx, public_id=order.public_id)
    assert entry is not None
    return json.loads(entry.body)


def two_orders(street: Street) -> list[str]:
    """One cooker and two bottles of oil, placed."""
    street.put_in("cooker")
    street.put_in("oil", 2)
    placed = street.place()
    assert placed.status_code == 303, placed.text
    return street.numbers(street.get(placed.headers["location"]))


def transfers() -> dict[tuple[str, str], int]:
    """What moved between accounts, but for the grant of the budget."""
    with get_engine().connect() as connection:
        rows = connection.execute(
            text("SELECT debit, credit, sum(amount_fen) FROM transfer WHERE debit <> 'union:fund' GROUP BY 1, 2")
        )
        return {(debit, credit): int(fen) for debit, credit, fen in rows}


def test_a_basket_of_two_merchants_is_paid_twice_and_every_book_agrees(street: Street) -> None:
    street.put_in("cooker")
    street.put_in("oil", 2)
    basket = flat(street.get("/shop/basket").text)
    assert "红双喜电器" in basket
    assert "¥266<small>.10</small>" in basket
    assert "家电九折" in basket
    assert f'name="expected.m_0002" value="{COOKER_PAID}"' in basket
    placed = street.place()
    together = placed.headers["location"]
    first, second = street.numbers(street.get(together))
    assert (street.get("/shop/basket")).text.count("购物篮是空的") == 1
    assert left("budget:online") == 100_000 - 3_000, "drawn when placed"

    came_back = street.pay(first, "wechat_pay")
    assert came_back.status_code in {200, 303}
    street.settle()
    assert street.get(f"/orders/{first}/return").headers["location"] == together, "the other one waits"
    street.pay(second, "alipay")
    street.settle()
    assert street.get(f"/orders/{second}/return").headers["location"] == f"/orders/{second}"

    orders = [order_of(first), order_of(second)]
    assert [order.state for order in orders] == ["paid", "paid"]
    assert [order.paid_fen for order in orders] == [COOKER_PAID, OIL_PAID]
    books = {intent["amount_received"]: intent for intent in street.told("payment_intent")}
    assert set(books) == {COOKER_PAID, OIL_PAID}
    for order in orders:
        body = entry_of(order)
        assert body["paid"] == order.paid_fen == books[order.paid_fen]["amount_received"]
        assert body["list"] == order.list_fen == body["concession"] + body["subsidy"] + body["paid"]
        assert sum(fen for *_, fen in body["transfers"]) == order.subsidy_fen
        receipt = street.get(f"/receipts/{order.public_id}")
        assert receipt.status_code == 200
        assert "将写入公开台账" in receipt.text
    assert "备货中" in street.get(f"/orders/{first}").text
    assert transfers() == {
        ("budget:online", f"reserved:{first}"): 3_000,
        (f"reserved:{first}", "payable:m_0002"): 3_000,
    }
    assert findings() == []


def test_a_webhook_alone_makes_an_order_paid_and_the_return_address_proves_nothing(street: Street) -> None:
    first, _ = two_orders(street)
    waiting = street.get(f"/orders/{first}/return?look=3&paid=yes")
    assert waiting.status_code == 200
    assert "正在等支付服务确认" in waiting.text
    assert f'url=/orders/{first}/return?look=4"' in waiting.text
    assert order_of(first).state == "placed"
    street.pay(first)
    until = time.monotonic() + 10
    while order_of(first).state == "placed" and time.monotonic() < until:
        street.settle()
    assert order_of(first).state == "paid"


def test_a_return_goes_back_to_everybody_who_paid(street: Street) -> None:
    first, _ = two_orders(street)
    street.pay(first)
    street.settle()
    order = order_of(first)
    staff = street.plaza.owners["m_0002"]
    handing_out.mark_ready(staff_id=staff, numbers=[first], at=now())
    ready = street.get(f"/orders/{first}").text
    assert f"<span>{order.slip[:3]}</span> <span>{order.slip[3:]}</span>" in flat(ready).replace(
        "</span><span>", "</span> <span>"
    )
    handing_out.hand_out_by_slip(
        staff_id=staff, number=first, digits=order.slip, units=None, key="given-1", at=now(), proxy_name="刘师傅"
    )
    assert "刘师傅 代取" in street.get(f"/orders/{first}").text
    taken = TakenBack({"1": 1}, "member", is_restocked=True, reason="returned")
    handing_out.return_lines(staff_id=staff, number=first, taken=taken, key="back-1", at=now())
    street.settle()
    page = flat(street.get(f"/orders/{first}").text)
    assert "已退货" in page
    assert f"退给你 ¥{COOKER_PAID // 100}.{COOKER_PAID % 100:02d}" in page
    assert "工会补贴 ¥30.00 回到预算" in page
    assert left("budget:online") == 100_000
    [refund] = street.told("refund")
    assert (refund["amount"], refund["status"]) == (COOKER_PAID, "succeeded")
    assert findings() == []


def test_a_cancelled_order_lets_go_of_everything_and_can_be_had_again(street: Street) -> None:
    first, second = two_orders(street)
    gone = street.send(street.get(f"/orders/{first}"), f"/orders/{first}/cancel")
    assert street.get(gone.headers["location"]).text.count("订单已取消") == 1
    assert left("budget:online") == 100_000
    street.pay(second)
    street.settle()
    street.send(street.get(f"/orders/{second}"), f"/orders/{second}/cancel")
    street.settle()
    assert order_of(second).state == "returned"
    assert [refund["amount"] for refund in street.told("refund")] == [OIL_PAID]
    again = street.send(street.get(f"/orders/{first}"), f"/orders/{first}/again")
    assert again.headers["location"] == "/shop/basket"
    assert "电饭煲" in street.get("/shop/basket").text
    assert findings() == []


def test_an_order_is_its_buyers_alone(street: Street) -> None:
    first, _ = two_orders(street)
    basket_id = order_of(first).basket_id
    with street.another("other") as stranger:
        for path in (f"/orders/{first}", f"/orders/{first}/return", f"/orders/b/{basket_id}"):
            assert stranger.get(path).status_code == 404, path
        token = re.search('name="csrf_token" value="([^"]+)"', stranger.get("/orders").text)
        assert token is not None
        for path in ("pay", "cancel", "again"):
            data = {"csrf_token": token[1], "key": "0198c6f2-0000-7000-8000-000000000000"}
            assert stranger.post(f"/orders/{first}/{path}", data=data).status_code == 404, path
        assert first not in stranger.get("/orders").text
        assert "电饭煲" not in stranger.get("/shop/basket").text
    assert order_of(first).state == "placed"
    with street.another("officer") as officer:
        assert officer.get(f"/orders/{first}").status_code == 403


def test_while_the_provider_is_silent_the_order_waits_and_says_until_when(street: Street) -> None:
    first, _ = two_orders(street)
    with street.engine.begin() as tx:
        tx.execute(text("ALTER SCHEMA sandbox RENAME TO away"))  # the sandbox answers nothing but errors
    page = street.send(street.get(f"/orders/{first}"), f"/orders/{first}/pay")
    assert page.status_code == 503
    assert "支付服务没有应答" in page.text
    with street.engine.begin() as tx:
        tx.execute(text("ALTER SCHEMA away RENAME TO sandbox"))
    street.pay(first)
    street.settle()
    assert order_of(first).state == "paid"
