"""Handing out through the pages: by card, by slip, to a proxy, in parts; to nobody else, and once however often the button is hit."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

import merchants
from api import handing_out
from api.handing_out import WRONG_SLIPS
from market.kit.clock import now
from market.kit.database import transaction
from market.sales.orders.models import Order
from market.sales.orders.queries import list_handouts
from tests.web.conftest import Works, csrf_in
from tests.web.market import add_member, fields_of, flat, follow, issue, send
from tests.web.supplier import Store
from tests.world import count, findings

Enter = Callable[[str], TestClient]
HOME = "/merchant/handout"


@pytest.fixture
def phone(store: Store, enter: Enter) -> TestClient:
    """The assistant's phone."""
    return enter("assistant")


def show_card(phone: TestClient, works: Works, member_id: object = None) -> Any:
    """The page after the card's code was typed."""
    answer = send(phone, phone.get(f"{HOME}/code"), f"{HOME}/cards", code=issue(works, member_id).code)  # type: ignore[arg-type]
    return follow(phone, answer)


def card_form(page: Any, order: Order) -> str:
    """The address of the form that gives this order."""
    found = re.search(rf'action="({HOME}/cards/[0-9a-f-]+/{order.number})"', page.text)
    assert found, page.text[:3000]
    return found[1]


def handed(store: Store, order: Order) -> dict[str, int]:
    return {line.line: line.handed for line in store.look(order).lines}


def test_a_card_shows_what_its_holder_may_fetch_and_gives_it(phone: TestClient, store: Store, works: Works) -> None:
    order = store.order({"rice": 3})
    page = show_card(phone, works)
    shown = flat(page.text)
    assert "王<span" in shown
    assert "王小明" not in shown
    assert "五常大米" in shown
    assert "× 3" in shown
    done = follow(phone, send(phone, page, card_form(page, order)))
    assert "已发放" in done.text
    assert handed(store, order) == {"1": 3}
    assert store.look(order).order.state == "collected"
    assert findings() == []


def test_pieces_of_a_line_can_wait_for_another_time(phone: TestClient, store: Store, works: Works) -> None:
    order = store.order({"rice": 3})
    page = show_card(phone, works)
    done = follow(phone, send(phone, page, card_form(page, order), **{"units.1": "1"}))
    assert "这一单还有 2 件没发" in done.text
    assert "这位会员还有 1 单" in done.text
    assert (handed(store, order), store.look(order).order.state) == ({"1": 1}, "paid")
    again = show_card(phone, works)
    assert "共 3，已发 1" in again.text
    follow(phone, send(phone, again, card_form(again, order)))
    assert (handed(store, order), store.look(order).order.state) == ({"1": 3}, "collected")


def test_the_button_hit_twice_gives_once(phone: TestClient, store: Store, works: Works) -> None:
    order = store.order({"rice": 3})
    page = show_card(phone, works)
    action = card_form(page, order)
    fields = {**fields_of(page.text, action), "units.1": "1"}
    assert [phone.post(action, data=fields).status_code for _ in range(3)] == [303, 303, 303]
    assert (handed(store, order), count("handout")) == ({"1": 1}, 1)


@pytest.mark.parametrize(
    ("units", "status", "sentence"), [("4", 422, "最多还能发 3 件"), ("0", 422, "最多还能发"), ("x", 422, "件数只填")]
)
def test_what_cannot_be_given_is_said_on_the_page(
    phone: TestClient, store: Store, works: Works, units: str, status: int, sentence: str
) -> None:
    order = store.order({"rice": 3})
    page = show_card(phone, works)
    answer = send(phone, page, card_form(page, order), **{"units.1": units})
    assert (answer.status_code, sentence in answer.text) == (status, True)
    assert handed(store, order) == {"1": 0}


def test_another_member_s_card_shows_and_gives_nothing(phone: TestClient, store: Store, works: Works) -> None:
    order, other = store.order({"rice": 1}), add_member(works)
    own = show_card(phone, works)
    page = show_card(phone, works, other)
    assert "这位会员现在没有可取的" in page.text
    visit = str(page.url).rsplit("/", 1)[1]
    fields = fields_of(own.text, card_form(own, order))
    answer = phone.post(f"{HOME}/cards/{visit}/{order.number}", data=fields)
    assert (answer.status_code, "出示的卡不是下单的会员" in answer.text) == (409, True)
    assert handed(store, order) == {"1": 0}


def test_the_slip_finds_an_order_by_three_characters(phone: TestClient, store: Store) -> None:
    order = store.order({"rice": 1})
    answer = phone.get(f"{HOME}/slip", params={"typed": order.number[2:5].lower()})
    assert answer.headers["location"] == f"{HOME}/orders/{order.number}"
    assert "没有等着取的这个订单" in phone.get(f"{HOME}/slip", params={"typed": "0000"}).text


def test_a_proxy_is_named_beside_the_buyer(phone: TestClient, store: Store) -> None:
    order = store.order({"rice": 2})
    path = f"{HOME}/orders/{order.number}"
    page = phone.get(path)
    unnamed = send(phone, page, path, digits=order.slip, came="proxy", proxy_name=" ")
    assert (unnamed.status_code, "请填写代领人姓名" in unnamed.text) == (422, True)
    done = follow(phone, send(phone, page, path, digits=order.slip, came="proxy", proxy_name="李四"))
    assert "由 李四 代领" in done.text
    with transaction() as tx:
        [given] = list_handouts(tx, order_id=order.id)
    assert (given.collected_by, given.member_name, given.proxy_name) == ("proxy", "王小明", "李四")
    story = phone.get(f"/merchant/orders/{order.number}").text
    assert "代领人取走" in story
    assert "李店员" in story


def test_the_buyer_himself_with_his_slip_needs_no_proxy(phone: TestClient, store: Store) -> None:
    order = store.order({"rice": 2})
    path = f"{HOME}/orders/{order.number}"
    spaced = f"{order.slip[:3]} {order.slip[3:]}"
    follow(phone, send(phone, phone.get(path), path, digits=spaced, came="member", proxy_name="李四"))
    with transaction() as tx:
        [given] = list_handouts(tx, order_id=order.id)
    assert (given.collected_by, given.proof) == ("member", "slip")


def test_the_picture_of_a_slip_is_read_like_a_card(phone: TestClient, store: Store) -> None:
    order = store.order({"rice": 2})
    read = send(phone, phone.get(f"{HOME}/code"), f"{HOME}/cards", code=f"{order.number} {order.slip}", by="scan")
    assert read.status_code == 200
    assert f'value="{order.slip}"' in read.text
    done = follow(phone, send(phone, read, f"{HOME}/orders/{order.number}", came="member"))
    assert "已发放" in done.text


def test_guessing_a_slip_comes_to_an_end(phone: TestClient, store: Store) -> None:
    order = store.order({"rice": 1})
    path = f"{HOME}/orders/{order.number}"
    wrong = "000000" if order.slip != "000000" else "111111"
    for _ in range(WRONG_SLIPS):
        answer = send(phone, phone.get(path), path, digits=wrong, came="member")
        assert (answer.status_code, "取货码不对" in answer.text) == (409, True)
        assert order.slip not in answer.text
    locked = send(phone, phone.get(path), path, digits=order.slip, came="member")
    assert locked.status_code == 429
    assert handed(store, order) == {"1": 0}


def test_the_slip_stands_on_no_page_of_the_supplier(phone: TestClient, store: Store) -> None:
    order = store.order({"rice": 1})
    for path in (f"{HOME}/orders/{order.number}", f"/merchant/orders/{order.number}", "/merchant/orders"):
        assert order.slip not in phone.get(path).text


def test_another_merchant_s_order_is_as_unknown_as_none(store: Store, works: Works, enter: Enter) -> None:
    order = store.order({"rice": 1})
    with transaction() as tx:
        other = merchants.admit_merchant(
            tx, code="m_0002", name="别家", credit_code="91310000132206289R", category="home", at=now()
        )
        stranger = merchants.add_staff(tx, merchant_id=other, name="老钱")
        tx.connection().exec_driver_sql("UPDATE account_role SET staff_id = %s WHERE role = 'owner'", (stranger,))
    desk = enter("owner")
    token = csrf_in(desk.get("/merchant/handout").text)
    number = order.number
    for path in (f"/merchant/orders/{number}", f"{HOME}/orders/{number}", f"/merchant/orders/{number}/return"):
        assert desk.get(path).status_code == 404, path
    body = {"csrf_token": token, "key": "page:stranger", "units.1": "1", "digits": order.slip, "reason": "x"}
    body |= {"expected_to_member_fen": "0", "whence": "shelf"}
    for path in (
        f"/merchant/orders/{number}/ready",
        f"/merchant/orders/{number}/cancel",
        f"/merchant/orders/{number}/deliver",
        f"/merchant/orders/{number}/return",
        f"{HOME}/orders/{number}",
    ):
        assert desk.post(path, data=body).status_code == 404, path
    assert desk.get(f"/merchant/stock/{store.items['rice']}").status_code == 404
    assert number not in desk.get("/merchant/orders.csv").text
    assert (store.look(order).order.state, handed(store, order)) == ("paid", {"1": 0})


def test_pick_lists_and_ready_all_at_once(phone: TestClient, store: Store, works: Works) -> None:
    first, second = store.order({"rice": 2}), store.order({"rice": 3}, member_id=add_member(works))
    page = phone.get(f"{HOME}/picks")
    shown = flat(page.text)
    assert "一号门" in shown
    assert '<strong class="pick-qty">5</strong>' in shown
    late = store.order({"rice": 1})
    numbers = re.findall(r'name="number" value="([^"]+)"', page.text)
    assert sorted(numbers) == sorted([first.number, second.number])
    body = {"csrf_token": csrf_in(page.text), "number": numbers}
    assert phone.post(f"{HOME}/picks/ready", data=body).status_code == 303
    assert [store.look(order).order.state for order in (first, second, late)] == ["ready", "ready", "paid"]
    assert phone.post(f"{HOME}/picks/ready", data=body).status_code == 303  # again changes nothing


def test_a_mistake_is_taken_back_from_the_page_and_the_member_reads_it(
    phone: TestClient, store: Store, works: Works, enter: Enter
) -> None:
    order = store.order({"rice": 3})
    page = show_card(phone, works)
    done = follow(phone, send(phone, page, card_form(page, order)))
    path = f"{HOME}/orders/{order.number}/undo"
    assert "还有 10 分钟" in done.text
    after = follow(phone, send(phone, done, path))
    assert "发放已撤回" in after.text
    assert path not in after.text
    assert handed(store, order) == {"1": 0}
    assert send(phone, done, path).status_code == 303, "a second tap changes nothing"
    assert phone.get(f"{HOME}/orders/{order.number}/done").status_code == 303
    assert count("undone_handout") == 1
    story = re.findall(r'"story-what">([^<]+)<', phone.get(f"/merchant/orders/{order.number}").text)
    assert {"发放 3 件", "撤回发放 3 件"} <= set(story)
    assert story.index("撤回发放 3 件") < story.index("发放 3 件"), "the latest stands first"
    phone.cookies.clear()
    shown = flat(enter("member").get(f"/orders/{order.number}").text)
    assert "商户撤回发放，东西留着等你来取 3 件" in shown
    assert "李店员" in shown
    assert f"{order.slip[:3]}</span><span>{order.slip[3:]}" in shown, "he can fetch it again"
    assert findings() == []


def test_a_hand_out_of_long_ago_is_not_taken_back(phone: TestClient, store: Store, works: Works) -> None:
    order = store.order({"rice": 3})
    handing_out.hand_out_by_slip(
        staff_id=store.owner,
        number=order.number,
        digits=order.slip,
        units=None,
        key="k1",
        at=now() - timedelta(minutes=11),
    )
    with transaction() as tx:
        [handout] = list_handouts(tx, order_id=order.id)
    page = phone.get(f"/merchant/orders/{order.number}")
    path = f"{HOME}/orders/{order.number}/undo"
    assert path not in page.text
    late = phone.post(path, data={"csrf_token": csrf_in(page.text), "handout": str(handout.id)})
    assert (late.status_code, "不能撤回" in late.text) == (409, True)
    assert handed(store, order) == {"1": 3}
