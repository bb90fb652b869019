"""The basket and the door of a flash sale: what is refused is said, and changes nothing."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.flash import SLOT_SECONDS, fits_token, make_token
from api.pages.flash import forget_waiting_pages
from market.kit.clock import now
from market.kit.ids import new_id
from tests.web.conftest import csrf_in
from tests.web.market import fields_of, flat
from tests.web.plaza import Plaza
from tests.world import count, left

CHOSEN = {"handover.m_0002": "pickup:gate1", "handover.m_0003": "pickup:gate1"}


@pytest.fixture
def member(plaza: Plaza, enter: Callable[[str], TestClient]) -> TestClient:
    return enter("member")


@pytest.fixture
def put(member: TestClient, plaza: Plaza) -> Callable[..., Any]:
    def put_in(code: str, qty: str = "1", then: str = "basket") -> Any:
        token = csrf_in(member.get("/shop/basket").text)
        data = {"csrf_token": token, "item": str(plaza.items[code]), "qty": qty, "then": then}
        return member.post("/shop/basket/lines", data=data)

    return put_in


def send(client: TestClient, action: str, **more: str) -> Any:
    """The form of the basket page with this action, with other fields."""
    page = client.get("/shop/basket")
    return client.post(action, data={**fields_of(page.text, action), **more})


def test_pieces_are_counted_up_down_out_and_back(member: TestClient, plaza: Plaza, put: Callable[..., Any]) -> None:
    oil = str(plaza.items["oil"])
    assert put("oil").headers["location"] == "/shop/basket"
    assert put("oil", then="stay").headers["location"] == "/shop/m_0003/oil"
    assert f'name="qty.{oil}" value="2"' in flat(member.get("/shop/basket").text)
    assert f'name="qty.{oil}" value="3"' in flat(send(member, "/shop/basket", more=oil).text)
    assert f'name="qty.{oil}" value="2"' in flat(send(member, "/shop/basket", less=oil).text)
    assert f'name="qty.{oil}" value="7"' in flat(send(member, "/shop/basket", **{f"qty.{oil}": "7"}).text)
    taken_out = send(member, "/shop/basket", drop=oil)
    assert "已移出：花生油" in taken_out.text
    undo = re.search(r'name="undo" value="([^"]+)"', flat(taken_out.text))
    assert undo is not None
    back = member.post("/shop/basket", data={"csrf_token": csrf_in(taken_out.text), "undo": undo[1]})
    assert f'name="qty.{oil}" value="7"' in flat(back.text)
    assert re.search(r'class="tool-count"[^>]*>7<', member.get("/card").text), "its sign is on every page"


def test_the_basket_is_the_persons_not_the_phones(
    member: TestClient, plaza: Plaza, put: Callable[..., Any], new_token: Callable[[str], str]
) -> None:
    put("oil")
    seen = member.get("/api/basket", headers={"authorization": f"Bearer {new_token('member')}"}).json()
    assert [line["name"] for order in seen["orders"] for line in order["lines"]] == ["花生油"]


@pytest.mark.parametrize("qty", ["-1", "0", "1e3", "99999", "二", ""])
def test_nobody_orders_a_number_that_is_none(put: Callable[..., Any], qty: str) -> None:
    assert put("oil", qty).status_code == 422
    assert count("basket_line") == 0


def test_negative_pieces_and_made_up_prices_order_nothing(
    member: TestClient, plaza: Plaza, put: Callable[..., Any]
) -> None:
    put("oil", "2")
    wanted = f"wanted.{plaza.items['oil']}"
    assert send(member, "/shop/basket/place", **CHOSEN, **{wanted: "-2"}).status_code == 422
    cheap = send(member, "/shop/basket/place", **CHOSEN, **{"expected.m_0003": "1"})
    assert cheap.status_code == 409
    assert "¥179.80" in cheap.text
    assert send(member, "/shop/basket/place", **CHOSEN, **{"expected.m_0003": "-17980"}).status_code == 409
    assert send(member, "/shop/basket/place", **{"handover.m_0003": "pickup:nowhere"}).status_code == 409
    assert send(member, "/shop/basket/place", **CHOSEN, key="not-a-key").status_code == 404
    assert count("member_order") == 0
    assert send(member, "/shop/basket/place", **CHOSEN).status_code == 303


def test_a_form_without_this_sessions_token_orders_nothing(
    member: TestClient, plaza: Plaza, put: Callable[..., Any]
) -> None:
    put("oil")
    forged = send(member, "/shop/basket/place", **CHOSEN, csrf_token="x" * 88)
    assert forged.status_code == 403
    elsewhere = member.post("/shop/basket/place", data=CHOSEN, headers={"origin": "https://evil.example"})
    assert elsewhere.status_code == 403
    assert count("member_order") == 0


def test_a_double_tap_is_one_order(member: TestClient, plaza: Plaza, put: Callable[..., Any]) -> None:
    put("oil")
    fields = fields_of(member.get("/shop/basket").text, "/shop/basket/place") | CHOSEN
    first, second = (member.post("/shop/basket/place", data=fields) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert count("member_order") == 1


def test_what_is_gone_is_named_and_does_not_stand_in_the_way(
    member: TestClient, plaza: Plaza, put: Callable[..., Any]
) -> None:
    plaza.sell("绝版杯子", "m_0002", code="cup", price_fen=2_000, pieces=0)
    put("cup")
    put("oil")
    page = flat(member.get("/shop/basket").text)
    assert "现在买不了" in page
    assert "绝版杯子 库存不足" in page
    assert send(member, "/shop/basket/place", **CHOSEN).status_code == 303
    assert "绝版杯子" in member.get("/shop/basket").text, "it stays until it is taken out"


def test_a_limit_and_a_frozen_card_are_told_before_the_button(
    member: TestClient, plaza: Plaza, put: Callable[..., Any]
) -> None:
    put("cooker")
    page = send(member, "/shop/basket", more=str(plaza.items["cooker"]))
    assert "限购 1 件" in page.text
    send(member, "/shop/basket", less=str(plaza.items["cooker"]))
    member.post("/card/freeze", data={"csrf_token": csrf_in(member.get("/card").text)})
    page = member.get("/shop/basket")
    assert "已冻结" in page.text
    assert re.search(r"<button[^>]*form=\"place-form\"[^>]*disabled", page.text)


# --- the flash sale ---------------------------------------------------------------------------------------------------


@pytest.fixture
def flash(plaza: Plaza) -> Plaza:
    forget_waiting_pages()
    plaza.sell(
        "抢购电饭煲",
        "m_0002",
        code="hot",
        price_fen=19_900,
        pieces=2,
        limit_per_member=1,
        is_flash=True,
        sale_from=now() - timedelta(minutes=1),
        sale_to=now() + timedelta(hours=2),
    )
    return plaza


def enter_fields(client: TestClient) -> dict[str, str]:
    page = client.get("/shop/m_0002/hot/enter")
    assert page.status_code == 200, page.text
    fields = fields_of(page.text, "/shop/m_0002/hot/enter")
    return fields | {"handover.m_0002": "pickup:gate1", "qty": "1"}


def test_the_waiting_page_is_the_same_for_everybody_and_asks_no_database(
    flash: Plaza, member: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = member.get("/shop/m_0002/hot/wait")
    assert first.status_code == 200
    assert first.headers["cache-control"].startswith("public, max-age=")
    assert "set-cookie" not in first.headers
    assert "csrf_token" not in first.text

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a query")

    monkeypatch.setattr("api.pages.flash.transaction", fail)
    monkeypatch.setattr("api.access.admit", fail)
    member.cookies.set("hg", "somebody else's")
    again = member.get("/shop/m_0002/hot/wait")
    assert (again.status_code, again.content) == (200, first.content)
    assert "English" in first.text


def test_nothing_comes_in_before_the_hour(plaza: Plaza, member: TestClient) -> None:
    forget_waiting_pages()
    begins = now() + timedelta(minutes=30)
    plaza.sell("明天的锅", "m_0002", code="later", price_fen=9_900, is_flash=True, limit_per_member=1, sale_from=begins)
    early = member.get("/shop/m_0002/later/enter")
    assert (early.status_code, early.headers["location"]) == (303, "/shop/m_0002/later/wait")
    page = member.get("/shop/m_0002/later/wait").text
    assert f'data-begins="{begins.isoformat()}"' in page.replace("&#43;", "+")
    assert member.get("/shop/m_0002/oil/wait").status_code == 404
    assert member.get("/shop/m_0002/pot/enter").status_code == 404, "not a flash sale"


def test_the_entry_orders_with_one_button_and_once(flash: Plaza, member: TestClient) -> None:
    fields = enter_fields(member)
    first, second = (member.post("/shop/m_0002/hot/enter", data=fields) for _ in range(2))
    assert first.status_code == 303, first.text
    assert first.headers["location"] == second.headers["location"]
    assert count("member_order") == 1
    more = member.post("/shop/m_0002/hot/enter", data=enter_fields(member))
    assert more.status_code == 409
    assert "限购 1 件" in more.text


def test_without_its_token_a_flash_sale_is_ordered_by_nobody(
    flash: Plaza, member: TestClient, new_token: Callable[[str], str]
) -> None:
    fields = enter_fields(member)
    hot = flash.items["hot"]
    for token in ("", "x" * 22, fields["token"][::-1]):
        answer = member.post("/shop/m_0002/hot/enter", data=fields | {"token": token})
        assert answer.status_code == 409
        assert "要从抢购入口进来" in answer.text
    in_basket = {"csrf_token": fields["csrf_token"], "item": str(hot), "qty": "1"}
    assert member.post("/shop/basket/lines", data=in_basket).status_code == 409
    past_the_page = {"csrf_token": fields["csrf_token"], "key": str(new_id()), f"wanted.{hot}": "1"} | CHOSEN
    assert member.post("/shop/basket/place", data=past_the_page).status_code == 409
    body = {"items": {str(hot): 1}, "handovers": {"m_0002": {"handover": "pickup", "point": "gate1"}}}
    headers = {"authorization": f"Bearer {new_token('member')}", "idempotency-key": "flash-0001"}
    assert member.post("/api/orders", json=body, headers=headers).json()["code"] == "ENTRY_TOKEN"
    assert count("member_order") == 0
    entry = member.post("/api/shop/products/m_0002/hot/entry", headers=headers).json()
    placed = member.post("/api/orders", json=body | {"tokens": {entry["product"]: entry["token"]}}, headers=headers)
    assert placed.status_code == 201
    # Whoever got no answer asks again, in the end with a token that is too old: the order is there.
    again = member.post("/api/orders", json=body | {"tokens": {entry["product"]: "x" * 22}}, headers=headers)
    assert [each["number"] for each in again.json()] == [each["number"] for each in placed.json()]


def test_a_token_is_one_persons_one_products_and_not_for_long(plaza: Plaza) -> None:
    at, subject, product = now(), new_id(), new_id()
    token = make_token(subject=subject, product_id=product, at=at)
    assert fits_token(token, subject=subject, product_id=product, at=at)
    assert fits_token(token, subject=subject, product_id=product, at=at + timedelta(seconds=SLOT_SECONDS))
    assert not fits_token(token, subject=subject, product_id=product, at=at + timedelta(seconds=2 * SLOT_SECONDS))
    assert not fits_token(token, subject=new_id(), product_id=product, at=at)
    assert not fits_token(token, subject=subject, product_id=new_id(), at=at)


def test_sold_out_is_told_calmly_and_what_is_let_go_is_sold_again(flash: Plaza, member: TestClient) -> None:
    flash.sell(
        "最后一个", "m_0002", code="last", price_fen=100, pieces=1, is_flash=True, limit_per_member=1, sale_from=now()
    )
    page = member.get("/shop/m_0002/last/enter")
    fields = fields_of(page.text, "/shop/m_0002/last/enter") | {"handover.m_0002": "pickup:gate1"}
    placed = member.post("/shop/m_0002/last/enter", data=fields)
    assert placed.status_code == 303, placed.text
    empty = member.get("/shop/m_0002/last/enter").text
    assert "这会儿都有人要了" in empty
    assert 'name="token"' not in empty
    number = re.search(r"/orders/([0-9A-Z]{8})/pay", member.get(placed.headers["location"]).text)
    assert number is not None
    order = member.get(f"/orders/{number[1]}")
    member.post(f"/orders/{number[1]}/cancel", data=fields_of(order.text, f"/orders/{number[1]}/cancel"))
    assert left(f"stock:{flash.items['last']}:free") == 1
    assert 'name="token"' in member.get("/shop/m_0002/last/enter").text


# --- for programs -----------------------------------------------------------------------------------------------------


def test_a_program_orders_by_the_same_doors(member: TestClient, plaza: Plaza, new_token: Callable[[str], str]) -> None:
    bearer = {"authorization": f"Bearer {new_token('member')}"}
    items = {str(plaza.items["cooker"]): 1, str(plaza.items["oil"]): 2}
    seen = member.put("/api/basket", json={"items": items}, headers=bearer).json()
    assert [(order["merchant"], order["paid_fen"]) for order in seen["orders"]] == [
        ("m_0002", 26_610),
        ("m_0003", 17_980),
    ]
    how = {"handover": "pickup", "point": "gate1"}
    body = {
        "items": items,
        "handovers": {"m_0002": how, "m_0003": {"handover": "delivery", "deliver_to": "钢花新村 12 栋"}},
        "expected_paid_fen": {"m_0002": 26_610, "m_0003": 17_980},
    }
    key = bearer | {"idempotency-key": "order-0001"}
    placed = member.post("/api/orders", json=body, headers=key)
    assert placed.status_code == 201, placed.text
    assert member.post("/api/orders", json=body, headers=key).json() == placed.json()
    assert (
        member.post("/api/orders", json=body | {"expected_paid_fen": None}, headers=key).json()["code"] == "KEY_REUSED"
    )
    first, second = placed.json()
    assert second["deliver_to"] == "钢花新村 12 栋"
    assert member.get("/api/basket", headers=bearer).json()["orders"] == []
    cancelled = member.post(f"/api/orders/{first['number']}/cancel", headers=bearer | {"idempotency-key": "cancel-01"})
    assert cancelled.json()["state"] == "cancelled"
    listed = member.get("/api/orders", headers=bearer, params={"limit": 1}).json()
    assert len(listed["orders"]) == 1
    older = member.get("/api/orders", headers=bearer, params={"before": listed["before"]}).json()
    assert len(older["orders"]) == 1
    for wrong in (
        body | {"items": {next(iter(items)): -1}},
        body | {"price": 1},
        body | {"handovers": {"m_0002": {"handover": "drone"}}},
    ):
        refused = member.post("/api/orders", json=wrong, headers=bearer | {"idempotency-key": "order-0002"})
        assert refused.status_code == 422
    document = member.get("/api/openapi.json").json()
    assert {"/api/basket", "/api/orders", "/api/orders/{number}/payment"} <= document["paths"].keys()
