"""A member asks to give something back through the pages: preview, answer of the merchant, refund; and who is refused."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import UUID

import httpx2 as httpx
import pytest

from api import handing_out
from market.kit.clock import now
from market.sales.orders.models import Order
from tests.web.market import fields_of, flat
from tests.web.plaza import Street, token_in
from tests.web.test_shopping import order_of
from tests.world import count, findings, left

POT_BACK = {"units.2": "1", "cause": "faulty", "words": "锅底不平"}


@pytest.fixture
def fetched(street: Street) -> Order:
    """A cooker and a pot of one merchant, paid and fetched."""
    street.put_in("cooker")
    street.put_in("pot")
    [number] = street.numbers(street.get(street.place().headers["location"]))
    street.pay(number)
    street.settle()
    order = order_of(number)
    handing_out.hand_out_by_slip(
        staff_id=street.plaza.owners["m_0002"], number=number, digits=order.slip, units=None, key="all", at=now()
    )
    return order


@pytest.fixture
def browser_of(street: Street) -> Iterator[Callable[[str], httpx.Client]]:
    """A browser of somebody else, closed at the end."""
    with ExitStack() as opened:
        yield lambda whom: opened.enter_context(street.another(whom))


@pytest.fixture
def desk(browser_of: Callable[[str], httpx.Client]) -> httpx.Client:
    """The merchant's owner."""
    return browser_of("m_0002")


def send(browser: httpx.Client, page: httpx.Response, action: str, **more: str) -> httpx.Response:
    return browser.post(action, data={**fields_of(page.text, action), **more})


def ask(street: Street, order: Order, **more: str) -> httpx.Response:
    path = f"/orders/{order.number}/request"
    page = street.get(path)
    data = {**fields_of(page.text, path), **POT_BACK, **more}
    return street.browser.post(path, data=data)


def follow(browser: httpx.Client, answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return flat(browser.get(answer.headers["location"]).text)


def test_the_member_asks_the_merchant_takes_it_back_and_the_money_returns(
    street: Street, fetched: Order, desk: httpx.Client
) -> None:
    here, there = f"/orders/{fetched.number}", f"/merchant/orders/{fetched.number}"
    assert f'href="{here}/request"' in street.get(here).text
    form = street.get(f"{here}/request")
    assert "选好件数，看退多少" in form.text
    previewed = street.browser.post(
        f"{here}/request/preview", data={**fields_of(form.text, f"{here}/request"), "units.2": "1"}
    )
    assert "¥82<small>.16</small>" in flat(previewed.text)
    assert "工会补贴 ¥6.94 退回预算" in previewed.text
    assert count("return_request") == 0
    page = follow(street.browser, ask(street, fetched))
    for shown in ("已申请退货，等商户答复", "等商户答复", "坏了，或有瑕疵", "锅底不平", "¥82<small>.16</small>"):
        assert shown in page, shown
    assert f'href="{here}/request"' not in page
    assert "退货申请中" in street.get("/orders").text

    assert "单申请退货，等答复" in desk.get("/merchant/handout").text
    shelf = flat(desk.get("/merchant/orders?shelf=asked").text)
    assert re.search(r'申请退货<span class="chip-count">1</span>', shelf)
    assert fetched.number in shelf
    order_page = desk.get(there)
    assert "收回，退 ¥82.16" in order_page.text
    assert "王小明" not in order_page.text
    answering = desk.get(f"{there}/return?whence=member")
    assert "锅底不平" in answering.text
    changed = send(desk, answering, f"{there}/request/accept", expected_to_member_fen="1")
    assert (changed.status_code, count("reversal")) == (409, 0)
    accepted = send(desk, answering, f"{there}/request/accept", goods="write_off")
    done = follow(desk, accepted)
    assert "已收回，款项原路退回" in done
    assert "部分退货：锅底不平" in done
    again = send(desk, answering, f"{there}/request/accept", goods="restock")
    assert (again.status_code, count("reversal")) == (303, 1)
    assert fetched.number not in desk.get("/merchant/orders?shelf=asked").text

    street.settle()
    page = flat(street.get(here).text)
    for shown in ("已同意", "退给你 ¥82.16", "商户收回并退款 周小红"):
        assert shown in page, shown
    [refund] = street.told("refund")
    assert (refund["amount"], refund["status"]) == (8_216, "succeeded")
    assert left("budget:online") == 100_000 - 3_000 + 694
    assert findings() == []


def test_a_refusal_is_read_by_the_member_who_may_ask_again_and_withdraw(
    street: Street, fetched: Order, desk: httpx.Client
) -> None:
    here, there = f"/orders/{fetched.number}", f"/merchant/orders/{fetched.number}"
    ask(street, fetched)
    page = desk.get(there)
    wordless = send(desk, page, f"{there}/request/decline", answer="  ")
    assert (wordless.status_code, "请写一句不同意的理由" in wordless.text) == (422, True)
    kept = send(desk, page, f"{there}/request/decline", answer="长" * 101)
    assert (kept.status_code, "长" * 101 in kept.text) == (422, True)
    assert "已答复会员" in follow(desk, send(desk, page, f"{there}/request/decline", answer="锅已经用过"))
    read = flat(street.get(here).text)
    for shown in ("没有同意", "商户说：</strong>锅已经用过", "商户答复 周小红"):
        assert shown in read, shown

    second = ask(street, fetched)
    asked = street.browser.get(second.headers["location"])
    late = desk.get(f"{there}/return?whence=member")
    withdrawn = follow(street.browser, send(street.browser, asked, f"{here}/request/withdraw"))
    assert "退货申请已撤回" in withdrawn
    assert "已撤回" in withdrawn
    refused = send(desk, late, f"{there}/request/accept")
    assert (refused.status_code, "已经有了结果" in refused.text) == (409, True)
    assert send(desk, page, f"{there}/request/decline", answer="不行").status_code == 409
    assert count("reversal") == 0
    assert left("budget:online") == 97_000
    assert findings() == []


@pytest.mark.parametrize(
    ("typed", "status", "sentence"),
    [
        ({"units.2": "0"}, 409, "还没有选要退的商品"),
        ({"units.2": "2"}, 422, "炒锅 最多还能退 1 件"),
        ({"units.2": "zwei"}, 422, ""),
        ({"cause": ""}, 422, "请选退货原因"),
        ({"cause": "other", "words": " "}, 422, "请选退货原因"),
        ({"key": "mine"}, 404, ""),
    ],
)
def test_what_is_refused_is_said_where_one_stands(
    street: Street, fetched: Order, typed: dict[str, str], status: int, sentence: str
) -> None:
    answer = ask(street, fetched, **typed)
    assert (answer.status_code, sentence in answer.text) == (status, True)
    assert count("return_request") == 0
    if status != 404 and typed.get("words", "锅底不平").strip():
        assert "锅底不平" in answer.text, "what was typed stays"


def test_one_form_asks_once_and_one_request_waits_at_a_time(street: Street, fetched: Order) -> None:
    path = f"/orders/{fetched.number}/request"
    form = street.get(path)
    data = {**fields_of(form.text, path), **POT_BACK}
    assert [street.browser.post(path, data=data).status_code for _ in range(2)] == [303, 303]
    other = ask(street, fetched)
    assert (other.status_code, "已有一个退货申请" in other.text) == (409, True)
    assert count("return_request") == 1


def test_others_are_told_that_there_is_no_such_order(
    street: Street, fetched: Order, desk: httpx.Client, browser_of: Callable[[str], httpx.Client]
) -> None:
    here, there = f"/orders/{fetched.number}", f"/merchant/orders/{fetched.number}"
    ask(street, fetched)
    member = browser_of("other")
    data = {"csrf_token": token_in(member.get("/orders").text), "key": str(UUID(int=1)), **POT_BACK}
    assert member.get(f"{here}/request").status_code == 404
    for path in ("request", "request/preview", "request/withdraw"):
        assert member.post(f"{here}/{path}", data=data).status_code == 404, path
    merchant = browser_of("m_0003")
    shelf = merchant.get("/merchant/orders?shelf=asked").text
    assert (fetched.number in shelf, merchant.get(there).status_code) == (False, 404)
    request_id = fields_of(desk.get(f"{there}/return?whence=member").text, f"{there}/request/accept")["request"]
    data = {"csrf_token": token_in(shelf), "request": request_id, "expected_to_member_fen": "8216", "answer": "不行"}
    for path in ("request/accept", "request/decline"):
        assert merchant.post(f"{there}/{path}", data=data).status_code == 404, path
    assert "等商户答复" in street.get(here).text
    assert count("reversal") == 0


def test_programs_ask_and_withdraw_too(street: Street, fetched: Order) -> None:
    here = f"/api/orders/{fetched.number}/request"
    body = {"pieces": {"2": 1}, "cause": "other", "words": "盖子不合"}
    with program_of(street, "member") as own, program_of(street, "other") as other:
        made = own.post(here, json=body, headers={"Idempotency-Key": "asked-01"})
        assert made.status_code == 201, made.text
        assert own.post(here, json=body, headers={"Idempotency-Key": "asked-01"}).json() == made.json()
        [shown] = made.json()["requests"]
        assert (shown["state"], shown["pieces"], shown["cause"], shown["words"]) == (
            "open",
            {"2": 1},
            "other",
            "盖子不合",
        )
        again = own.post(here, json=body, headers={"Idempotency-Key": "asked-02"})
        assert (again.status_code, again.json()["code"]) == (409, "RETURN_REQUEST_OPEN")
        strange = own.post(here, json=body | {"cause": "revenge"}, headers={"Idempotency-Key": "asked-03"})
        assert strange.status_code == 422
        assert other.post(here, json=body, headers={"Idempotency-Key": "asked-04"}).status_code == 404
        assert other.post(f"{here}/withdraw").status_code == 404
        [ended] = own.post(f"{here}/withdraw").json()["requests"]
        assert ended["state"] == "withdrawn"
        assert own.get("/api/orders").json()["orders"][0]["requests"] == [ended]


def program_of(street: Street, role: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {street.plaza.token_of(role)}"}
    return httpx.Client(base_url=street.base, headers=headers, timeout=30)
