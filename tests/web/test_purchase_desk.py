"""The officer's pages of internal purchase: figures that add up, a product stopped with a reason, the provider's events."""

import json
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

import merchants
from api import handing_out
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.ids import new_id
from market.payments.inbox import receive_event, work_event
from market.payments.operations import refund_payment
from market.payments.queries import list_waiting_refunds
from market.sales.orders.money import LISTENER, list_payments
from market.sales.orders.take_back import TakenBack
from merchants.stops import ProductStoppedError
from tests.provider import SIGNATURE, write_event
from tests.web.conftest import Works, csrf_in
from tests.web.market import flat, follow, send
from tests.web.supplier import Store

Enter = Callable[[str], TestClient]


@pytest.fixture
def desk(store: Store, enter: Enter) -> TestClient:
    """The officer's desk."""
    return enter("officer")


def test_the_month_adds_up_without_what_went_back(desk: TestClient, store: Store) -> None:
    store.pay(store.order({"cooker": 2, "rice": 1}))
    order = store.order({"rice": 3})
    taken = TakenBack({"1": 1}, "shelf", is_restocked=True, reason="多买了")
    handing_out.return_lines(staff_id=store.owner, number=order.number, taken=taken, key="back-0001", at=now())
    store.order({"cooker": 1})  # not paid: no sale
    page = flat(desk.get("/desk/purchases").text)
    for figure in ("¥609<small>.70", "¥40<small>.00", "¥209<small>.70", "¥360<small>.00"):
        assert figure in page
    assert "老王面馆" in page
    assert "王小明" not in page
    month = business_day(now()).isoformat()[:7]
    rows = desk.get(f"/desk/purchases.csv?month={month}").text.splitlines()[1:]
    assert f"{month},m_0001,老王面馆,五常大米,4,1,2,20970,0,20970,0" in rows
    assert f"{month},m_0001,老王面馆,电饭煲,2,0,1,40000,4000,0,36000" in rows
    assert "老王面馆" in desk.get("/desk/purchases?merchant=m_0001").text
    assert desk.get("/desk/purchases?merchant=m_9999").status_code == 404
    assert desk.get("/desk/purchases?month=2026-13").status_code == 404


def test_a_stopped_product_stays_off_sale_until_the_stop_is_lifted(
    desk: TestClient, store: Store, works: Works
) -> None:
    with transaction() as tx:
        product = merchants.get_own_product(tx, merchant_id=works.merchant_id, code="rice").product_id
    path = f"/desk/purchases/products/{product}"
    page = desk.get("/desk/purchases/products")
    wordless = send(desk, page, f"{path}/stop", reason=" ")
    assert (wordless.status_code, "请写明停售理由" in wordless.text) == (422, True)
    stopped = follow(desk, send(desk, page, f"{path}/stop", reason="标价与合同不符"))
    assert "标价与合同不符" in stopped.text
    assert "officer 某" in stopped.text
    assert send(desk, page, f"{path}/stop", reason="再停一次").status_code == 409
    with transaction() as tx, pytest.raises(ProductStoppedError, match="标价与合同不符"):
        merchants.list_product(tx, merchant_id=works.merchant_id, code="rice")
    follow(desk, send(desk, stopped, f"{path}/lift"))
    with transaction() as tx:
        merchants.list_product(tx, merchant_id=works.merchant_id, code="rice")
    assert send(desk, stopped, f"{path}/lift").status_code == 404


def test_events_that_disagree_come_first_and_nobody_is_named(desk: TestClient, store: Store) -> None:
    order = store.order({"cooker": 1})
    raw = store.pay(order)
    paid = next(iter(store.provider.checkouts.values()))
    forged = write_event("checkout", paid, amount_fen=1)
    receive_event(store.provider, raw=forged, signature=SIGNATURE, at=now())
    assert work_event(store.provider, event_id=json.loads(forged)["id"], listener=LISTENER, at=now()) == "mismatch"
    page = desk.get("/desk/payments").text
    assert "对不上的，先看这些" in page
    assert "付款渠道正常" in page
    assert "王" not in flat(page).replace("老王面馆", "")
    only = flat(desk.get("/desk/payments?outcome=applied").text)
    assert json.loads(raw)["id"] in only
    assert json.loads(forged)["id"] not in only
    event = desk.get(f"/desk/payments/events/{json.loads(forged)['id']}").text
    assert "amount" in event
    assert f"职工内购 {order.number}" in event
    assert desk.get("/desk/payments/events/evt_nothing").status_code == 404
    assert desk.get("/desk/payments?before=nonsense").status_code == 404


def test_a_silent_provider_is_said_at_the_top(desk: TestClient, store: Store, works: Works) -> None:
    store.provider.is_down = True
    order = store.order({"cooker": 1})
    store.begin(order, minutes_ago=5)
    page = flat(desk.get("/desk/payments").text)
    assert "付款渠道没有回应" in page
    assert "渠道未收到" in page


def test_a_failed_refund_is_sent_once_more_by_one_button(desk: TestClient, store: Store) -> None:
    order = store.order({"cooker": 1})
    store.pay(order)
    with transaction() as tx:
        payment_id, provider = list_payments(tx, order_id=order.id)[0].id, store.provider
    intent = next(iter(provider.checkouts.values())).intent_id
    provider.refund(intent, account="acct_1", amount_fen=order.paid_fen, reference=new_id(), key="by hand")
    failed = refund_payment(
        provider, payment_id=payment_id, amount_fen=order.paid_fen, key="back", listener=LISTENER, at=now()
    )
    assert failed.state == "failed"
    page, path = desk.get("/desk/payments"), f"/desk/payments/refunds/{failed.id}/repeat"
    assert "没退成" in page.text
    assert "已重新发出退款" in follow(desk, send(desk, page, path)).text
    after = desk.get("/desk/payments").text
    assert ("没退成" in after, "等发出" in after) == (False, True)
    assert send(desk, page, path).status_code == 303
    with transaction() as tx:
        again = [each.refund.id for each in list_waiting_refunds(tx)]
    assert len(again) == 1
    for other, status in ((again[0], 409), (new_id(), 404)):
        answer = desk.post(f"/desk/payments/refunds/{other}/repeat", data={"csrf_token": csrf_in(page.text)})
        assert answer.status_code == status
