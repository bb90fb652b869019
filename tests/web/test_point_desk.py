"""The officer's pick-up points: kept by officers only, closed with what still waits there told, true for members and merchants."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

import merchants
from api import handing_out, point_desk
from api.identity import list_names
from market.kit.clock import now
from market.kit.database import transaction
from market.sales.orders.counter import OrdersThere, count_at_points
from merchants import ProductsThere
from merchants.models import PointChange
from tests.web.conftest import Works
from tests.web.market import FIRST, fields_of, flat, follow, send
from tests.web.supplier import Store

Enter = Callable[[str], TestClient]


@pytest.fixture
def desk(store: Store, enter: Enter) -> TestClient:
    """The officer's desk."""
    return enter("officer")


def point(code: str) -> merchants.Point:
    with transaction() as tx:
        return next(each for each in merchants.list_points(tx, with_closed=True) if each.code == code)


def steps(code: str) -> list[merchants.PointStep]:
    with transaction() as tx:
        return merchants.list_point_steps(tx)[point(code).point_id]


def name(step: merchants.PointStep) -> str:
    with transaction() as tx:
        return list_names(tx, persons=[step.by])[step.by]


def test_an_officer_opens_a_point_and_merchants_can_choose_it(desk: TestClient) -> None:
    page = desk.get("/desk/purchases/points")
    said = {"code": "gate-3", "name": " 三号门 ", "address": "炼铁路 3 号", "hours": "11:00–13:30"}
    after = follow(desk, send(desk, page, "/desk/purchases/points", **said))
    assert "自提点已开" in after.text
    assert "炼铁路 3 号 · 11:00–13:30" in flat(after.text)
    made = point("gate-3")
    assert (made.name, made.address, made.hours, made.state) == ("三号门", "炼铁路 3 号", "11:00–13:30", "open")
    [step] = steps("gate-3")
    assert (step.act, name(step), step.name) == ("added", "officer 某", "三号门")
    assert "officer 某" in after.text


@pytest.mark.parametrize(
    ("said", "status", "sentence"),
    [
        ({"code": "gate 3", "name": "三号门"}, 422, "请填写代码"),
        ({"code": "gate-3", "name": " "}, 422, "请填写代码"),
        ({"code": "gate-3", "name": "三" * 41}, 422, "请填写代码"),
        ({"code": "gate-3", "name": "三号门", "hours": "x" * 61}, 422, "请填写代码"),
        ({"code": "gate-3", "name": "三号\u202e门"}, 422, "请填写代码"),
        ({"code": "gate1", "name": "三号门"}, 409, "代码已被使用"),
        ({"code": "gate-3", "name": " 一号门"}, 409, "已有开放的自提点叫“一号门”（代码 gate1）"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_what_was_typed(
    desk: TestClient, said: dict[str, str], status: int, sentence: str
) -> None:
    answer = send(desk, desk.get("/desk/purchases/points"), "/desk/purchases/points", address="炼铁路 3 号", **said)
    assert (answer.status_code, sentence in answer.text) == (status, True)
    assert fields_of(answer.text, "/desk/purchases/points")["address"] == "炼铁路 3 号"
    with transaction() as tx:
        assert [each.code for each in merchants.list_points(tx, with_closed=True)] == ["gate1", "gate2"]


def test_a_name_is_free_while_its_point_is_closed(desk: TestClient) -> None:
    points = "/desk/purchases/points"
    page = desk.get(points)
    assert send(desk, page, f"{points}/gate2", name="一号门").status_code == 409
    assert send(desk, page, f"{points}/gate1/close").status_code == 303
    page = desk.get(points)
    assert send(desk, page, f"{points}/gate2", name="一号门").status_code == 303
    refused = send(desk, desk.get(points), f"{points}/gate1/open")
    assert (refused.status_code, "代码 gate2" in refused.text) == (409, True)
    assert (point("gate1").state, point("gate2").name) == ("closed", "一号门")


def test_of_officers_who_use_one_name_at_once_one_wins(desk: TestClient) -> None:
    def add(number: int) -> bool:
        try:
            with transaction() as tx:
                merchants.add_point(
                    tx, code=f"new-{number}", name="Gate C" if number % 2 else "gate c", address="", by=FIRST, at=now()
                )
        except merchants.PointNameTakenError:
            return False
        return True

    with ThreadPoolExecutor(8) as officers:
        assert sum(officers.map(add, range(8))) == 1


def test_a_point_called_otherwise_is_so_for_the_member_at_once(desk: TestClient, store: Store, enter: Enter) -> None:
    order = store.order({"rice": 1})
    page = desk.get("/desk/purchases/points")
    path = "/desk/purchases/points/gate1"
    wrong = send(desk, page, path, name="")
    assert wrong.status_code == 422
    assert fields_of(wrong.text, path)["name"] == ""
    said = {"name": "一号门大厅", "address": "厂区东", "hours": "8:00–18:00"}
    assert "已保存" in follow(desk, send(desk, page, path, **said)).text
    follow(desk, send(desk, page, path, **said))
    assert desk.post("/desk/purchases/points/nowhere", data=fields_of(page.text, path) | said).status_code == 404
    assert [(each.act, each.name) for each in steps("gate1")] == [("changed", "一号门大厅"), ("added", "一号门")]
    desk.cookies.clear()
    shown = flat(enter("member").get(f"/orders/{order.number}").text)
    assert "一号门大厅" in shown
    assert "厂区东 · 8:00–18:00" in shown


def test_closing_tells_what_waits_there_and_what_waits_is_still_handed_out(
    desk: TestClient, store: Store, enter: Enter
) -> None:
    order = store.order({"rice": 2})
    unpaid = store.order({"cooker": 1})
    fetched = store.order({"rice": 1})
    for number in (order.number, fetched.number):
        handing_out.mark_ready(staff_id=store.owner, numbers=[number], at=now())
    handing_out.hand_out_by_slip(
        staff_id=store.owner, number=fetched.number, digits=fetched.slip, units=None, key="k1", at=now()
    )
    with transaction() as tx:
        assert count_at_points(tx) == {"gate1": OrdersThere(orders=2, unpaid=1, pieces=3, merchants=1)}
    page = desk.get("/desk/purchases/points")
    assert "还有 2 单、3 件要在这里取（1 家商户）" in page.text
    assert "其中 1 单还没付款" in page.text
    path = "/desk/purchases/points/gate1/close"
    late = store.order({"rice": 1})
    refused = send(desk, page, path)
    assert (refused.status_code, "这个自提点现在有 3 单要取" in refused.text) == (409, True)
    assert point("gate1").state == "open"
    assert "新订单不再送到这里" in follow(desk, send(desk, refused, path)).text
    assert point("gate1").state == "closed"
    assert (steps("gate1")[0].act, name(steps("gate1")[0])) == ("closed", "officer 某")
    for role, path in (("member", f"/orders/{order.number}"), ("owner", f"/merchant/orders/{late.number}")):
        desk.cookies.clear()
        assert "一号门" in enter(role).get(path).text
    handed = handing_out.hand_out_by_slip(
        staff_id=store.owner, number=order.number, digits=order.slip, units=None, key="k2", at=now()
    )
    assert handed.order.state == "collected"
    store.pay(unpaid)
    assert store.look(unpaid).order.state == "paid"
    desk.cookies.clear()
    again = enter("officer").get("/desk/purchases/points")
    assert follow(desk, send(desk, again, "/desk/purchases/points/gate1/open")).status_code == 200
    assert [each.act for each in steps("gate1")] == ["reopened", "closed", "added"]


def test_products_that_can_be_fetched_nowhere_else_are_counted(desk: TestClient, store: Store) -> None:
    store.sell("stove", price_fen=1_000, pieces=1, handover="pickup")
    with transaction() as tx:
        assert merchants.count_at_points(tx) == {"gate1": ProductsThere(3, 0), "gate2": ProductsThere(3, 0)}
        point_desk.close_point(tx, code="gate2", told=0, by=FIRST, at=now())
    with transaction() as tx:
        assert merchants.count_at_points(tx) == {"gate1": ProductsThere(3, 1), "gate2": ProductsThere(3, 0)}
    assert "1 件在售商品只能在这里取" in desk.get("/desk/purchases/points").text


def test_closing_twice_is_one_step(desk: TestClient) -> None:
    page = desk.get("/desk/purchases/points")
    for _ in range(2):
        assert send(desk, page, "/desk/purchases/points/gate2/close").status_code == 303
    assert [each.act for each in steps("gate2")] == ["closed", "added"]
    assert (
        desk.post(
            "/desk/purchases/points/nowhere/close", data=fields_of(page.text, "/desk/purchases/points/gate2")
        ).status_code
        == 404
    )


def test_an_empty_house_is_told_how_to_begin(works: Works, enter: Enter) -> None:
    desk = enter("officer")
    assert "还没有自提点" in desk.get("/desk/purchases/points").text
    assert "No pick-up point yet" in desk.get("/desk/purchases/points", headers={"Accept-Language": "en"}).text


@pytest.mark.parametrize("role", ["member", "assistant", "owner", "auditor"])
def test_nobody_but_officers_keeps_points(store: Store, enter: Enter, role: str) -> None:
    assert enter(role).get("/desk/purchases/points").status_code == 403


def test_what_was_done_to_a_point_stays(store: Store) -> None:
    for act in (update(PointChange).values(name="x"), delete(PointChange)):
        with pytest.raises(DBAPIError), transaction() as tx:
            tx.execute(act)
