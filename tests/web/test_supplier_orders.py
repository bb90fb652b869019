"""A supplier's orders and stock through the pages: who sees what, what goes back to whom, and what is refused."""

import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from api.shopping import HandoverKeyed
from market.kit.database import transaction
from market.sales.orders.stock import get_stock_level, list_stock_moves
from tests.web.conftest import Works
from tests.web.market import add_member, fields_of, flat, follow, send
from tests.web.supplier import Store
from tests.world import count, findings

Enter = Callable[[str], TestClient]


@pytest.fixture
def desk(store: Store, enter: Enter) -> TestClient:
    """The owner's desk."""
    return enter("owner")


def level(store: Store, name: str) -> tuple[int, int, int]:
    with transaction() as tx:
        found = get_stock_level(tx, item_id=store.items[name])
    return found.free, found.reserved, found.sold


def test_orders_stand_on_shelves_and_page_by_key(desk: TestClient, store: Store, works: Works) -> None:
    member = add_member(works)
    paid = [store.order({"rice": 1}, member_id=member).number for _ in range(32)]
    waiting = store.order({"cooker": 1})
    first = desk.get("/merchant/orders").text
    assert re.search(r'待备货<span class="chip-count">32</span>', first)
    assert re.search(r'待付款<span class="chip-count">1</span>', first)
    older = re.search(r'href="(/merchant/orders\?shelf=todo&amp;before=[^"]+)"', first)
    assert older
    shown = re.findall(r'href="/merchant/orders/([0-9A-Z]+)"', first + desk.get(older[1].replace("&amp;", "&")).text)
    assert shown == paid[::-1]
    assert waiting.number in desk.get("/merchant/orders?shelf=placed").text
    assert desk.get("/merchant/orders?before=nonsense").status_code == 404
    found = desk.get("/merchant/orders", params={"typed": waiting.number.lower()})
    assert found.headers["location"] == f"/merchant/orders/{waiting.number}"


def test_owner_and_assistant_see_a_price_as_far_as_each_may(store: Store, client: TestClient, enter: Enter) -> None:
    order = store.order({"cooker": 1, "rice": 1})  # 200.00 − 20.00, and rice that the union pays
    page = flat(enter("owner").get(f"/merchant/orders/{order.number}").text)
    assert "电饭煲九折" in page
    assert "工会补给我们" in page
    assert "大米慰问" not in page  # what a sponsor pays has no name here
    assert "王小明" not in page
    client.cookies.clear()
    page = flat(enter("assistant").get(f"/merchant/orders/{order.number}").text)
    assert "电饭煲九折" not in page
    assert "工会补给我们" not in page
    assert "优惠</dt><dd>−¥89.90</dd>" in page


def test_an_assistant_hands_out_but_does_not_cancel_nor_count(store: Store, enter: Enter) -> None:
    order, item = store.order({"rice": 1}), store.items["rice"]
    phone = enter("assistant")
    assert "交不了货" not in phone.get(f"/merchant/orders/{order.number}").text
    for path in ("/merchant/stock", f"/merchant/stock/{item}", "/merchant/orders.csv"):
        assert phone.get(path).status_code == 403, path
    assert phone.post(f"/merchant/orders/{order.number}/cancel", data={}).status_code == 403


def test_what_cannot_be_delivered_is_cancelled_with_a_word(desk: TestClient, store: Store) -> None:
    order = store.order({"rice": 2})
    path = f"/merchant/orders/{order.number}"
    page = desk.get(path)
    wordless = send(desk, page, f"{path}/cancel", reason="  ")
    assert (wordless.status_code, "请写一句取消的原因" in wordless.text) == (422, True)
    after = follow(desk, send(desk, page, f"{path}/cancel", reason="厂家断货"))
    assert "厂家断货" in after.text
    assert store.look(order).order.state == "returned"
    assert level(store, "rice") == (50, 0, 0)
    assert send(desk, page, f"{path}/cancel", reason="厂家断货").status_code == 303  # again changes nothing
    assert count("reversal") == 1
    assert findings() == []


def test_a_delivery_is_noted_piece_by_piece(desk: TestClient, store: Store) -> None:
    order = store.order({"rice": 2}, how=HandoverKeyed("delivery", None, "宿舍 3 栋 502"))
    path = f"/merchant/orders/{order.number}"
    page = desk.get(path)
    assert "宿舍 3 栋 502" in page.text
    assert "凭取货码发放" not in page.text
    follow(desk, send(desk, page, f"{path}/deliver", **{"units.1": "1"}))
    assert store.look(order).order.state == "paid"
    follow(desk, send(desk, desk.get(path), f"{path}/deliver"))
    assert store.look(order).order.state == "delivered"


def test_a_return_says_first_what_goes_back_to_whom(desk: TestClient, store: Store) -> None:
    order = store.order({"cooker": 1, "rice": 2})
    store.pay(order)
    path = f"/merchant/orders/{order.number}/return"
    assert "放回库存" in desk.get(path).text
    seen = send(
        desk,
        desk.get(path),
        f"{path}/preview",
        goods="restock",
        reason="内胆有划痕",
        **{"units.1": "1", "units.2": "0"},
    )
    shown = flat(seen.text)
    assert '退给会员</dt><dd><span class="money">¥180<small>.00</small>' in shown
    assert "让利不再计" in shown
    assert count("reversal") == 0
    back = follow(desk, send(desk, seen, path))
    assert "退会员 ¥180.00" in back.text
    assert level(store, "cooker") == (20, 0, 0)
    fields = fields_of(seen.text, path)
    assert desk.post(path, data=fields).status_code == 303  # the same button again
    assert count("reversal") == 1
    changed = desk.post(path, data=fields | {"key": "page:other", "expected_to_member_fen": "1"})
    assert changed.status_code == 422  # nothing of it is left
    assert findings() == []


def test_damaged_goods_that_come_back_leave_the_stock(desk: TestClient, store: Store) -> None:
    order = store.order({"rice": 2})
    slip = f"/merchant/handout/orders/{order.number}"
    follow(desk, send(desk, desk.get(slip), slip, digits=order.slip, came="member"))
    path = f"/merchant/orders/{order.number}/return"
    page = desk.get(path)
    answer = send(desk, page, f"{path}/preview", goods="write_off", reason="发霉", **{"units.1": "1"})
    assert "退回工会补贴" in answer.text
    follow(desk, send(desk, answer, path))
    assert level(store, "rice") == (48, 0, 1)
    with transaction() as tx:
        last = list_stock_moves(tx, item_id=store.items["rice"])[0]
    assert (last.kind, last.pieces, last.reason) == ("written_off", -1, "发霉")
    assert findings() == []


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"units.1": "0"}, 409, "还没有选要退的商品"),
        ({"units.1": "3"}, 422, "最多还能退 2 件"),
        ({"units.9": "1"}, 422, "最多还能退 0 件"),
        ({"units.1": "1", "reason": ""}, 422, "请写一句退货原因"),
        ({"units.1": "-1"}, 422, "件数只填"),
    ],
)
def test_what_cannot_come_back_is_said_on_the_page(
    desk: TestClient, store: Store, fields: dict[str, str], status: int, sentence: str
) -> None:
    order = store.order({"rice": 2})
    path = f"/merchant/orders/{order.number}/return"
    answer = send(desk, desk.get(path), f"{path}/preview", **({"reason": "坏了"} | fields))
    assert (answer.status_code, sentence in answer.text) == (status, True)
    assert count("reversal") == 0


def test_the_file_has_every_line_and_nobody_s_name(desk: TestClient, store: Store) -> None:
    order = store.order({"cooker": 1, "rice": 1})
    lines = desk.get("/merchant/orders.csv?shelf=all").text.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith(order.number)
    assert lines[1].endswith("20000,2000,0,18000")
    assert lines[2].endswith("6990,0,6990,0")
    assert "王" not in "".join(lines)


def test_stock_is_received_counted_and_written_off(desk: TestClient, store: Store) -> None:
    store.order({"rice": 4})
    store.order({"cooker": 1})
    path = f"/merchant/stock/{store.items['rice']}"
    page = desk.get(path)
    follow(desk, send(desk, page, f"{path}/receive", pieces="１0"))
    follow(desk, send(desk, page, f"{path}/receive", pieces="10"))  # the same form again
    assert level(store, "rice") == (56, 0, 4)
    page = desk.get(path)
    assert "架上现在应有 60 件" in page.text
    empty = send(desk, page, f"{path}/count", counted="", reason="盘点")
    assert (empty.status_code, "请填实际数到的件数" in empty.text) == (422, True)
    wordless = send(desk, page, f"{path}/count", counted="58", reason="")
    assert (wordless.status_code, "请写一句原因" in wordless.text) == (422, True)
    assert 'value="58"' in wordless.text
    follow(desk, send(desk, page, f"{path}/count", counted="58", reason="月底盘点"))
    follow(desk, send(desk, desk.get(path), f"{path}/write-off", pieces="2", reason="受潮"))
    assert level(store, "rice") == (52, 0, 4)
    short = send(desk, desk.get(path), f"{path}/count", counted="3", reason="盘点")
    assert (short.status_code, "可售库存只有 52 件" in short.text) == (409, True)
    story = flat(desk.get(path).text)
    assert "王老板" in story
    assert "月底盘点" in story
    listed = desk.get("/merchant/stock").text
    assert listed.index("电饭煲") < listed.index("五常大米")  # 19 free before 52
    assert "rice,五常大米,,52,0,4,56,4" in desk.get("/merchant/stock.csv").text
    assert findings() == []
