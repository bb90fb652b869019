"""Return requests: who may ask for what and when, how a request ends, and that only an accepted one moves money, once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from api import handing_out, shopping
from api.order_jobs import sweep_orders
from market.kit.database import get_engine, transaction
from market.sales.giving_back import RefundUnitsError
from market.sales.orders import requests
from market.sales.orders.hand_out import CLOSED_AFTER
from market.sales.orders.models import Order, ReturnRequest
from market.sales.orders.requests import (
    AnswerError,
    Asked,
    CauseError,
    NothingToAskError,
    RequestEndedError,
    RequestOpenError,
    RequestUnknownError,
    count_open_requests,
    list_asked_orders,
    list_requests,
)
from market.sales.orders.states import OrderUnknownError
from market.sales.orders.take_back import RequestFirstError, TakenBack
from market.sales.repeats import KeyReusedError
from tests.mall import Mall
from tests.world import NOON, count, findings, left

LATER = NOON + timedelta(hours=3)
POT = Asked({"1": 1}, "faulty", "锅底不平")


@pytest.fixture
def fetched(mall: Mall) -> Order:
    """Two pots, paid and in the member's hands."""
    [placed] = mall.place({"pot": 2})
    mall.pay(placed.order)
    handing_out.hand_out_by_slip(
        staff_id=mall.owner, number=placed.order.number, digits=placed.order.slip, units=None, key="all", at=NOON
    )
    return placed.order


def ask(mall: Mall, order: Order, asked: Asked = POT, *, key: str = "ask-1", at: datetime = LATER) -> ReturnRequest:
    return shopping.ask_return(member_id=mall.member_of(order), number=order.number, asked=asked, key=key, at=at)


def withdraw(mall: Mall, order: Order) -> ReturnRequest:
    return shopping.withdraw_return(member_id=mall.member_of(order), number=order.number, at=LATER)


def accept(mall: Mall, order: Order, request_id: UUID, *, is_restocked: bool = True) -> int:
    """What went back to the member, fen."""
    answer = handing_out.accept_return(
        staff_id=mall.owner,
        number=order.number,
        request_id=request_id,
        is_restocked=is_restocked,
        reason="锅底不平",
        at=LATER,
    )
    return answer.paid_fen


def decline(mall: Mall, order: Order, answer: str = "已经用过了") -> None:
    handing_out.decline_return(staff_id=mall.owner, number=order.number, answer=answer, at=LATER)


def requests_of(order: Order) -> list[ReturnRequest]:
    with transaction() as tx:
        return list_requests(tx, order_ids=[order.id])[order.id]


def test_asking_moves_nothing_and_the_merchant_sees_it(mall: Mall, fetched: Order) -> None:
    before = mall.level("pot"), count("transfer"), count("reversal"), count("payment_refund"), count("order_change")
    made = ask(mall, fetched)
    assert (made.state, made.units, made.cause, made.words, made.at) == ("open", {"1": 1}, "faulty", "锅底不平", LATER)
    with transaction() as tx:
        assert count_open_requests(tx, merchant="m_0002") == 1
        assert [each.order.number for each in list_asked_orders(tx, merchant="m_0002")] == [fetched.number]
        assert count_open_requests(tx, merchant="m_0001") == 0
        assert list_asked_orders(tx, merchant="m_0001") == []
    after = mall.level("pot"), count("transfer"), count("reversal"), count("payment_refund"), count("order_change")
    assert before == after
    assert findings() == []


def test_accepting_is_the_return_with_its_refund_and_happens_once(mall: Mall, fetched: Order) -> None:
    made, whole = ask(mall, fetched), fetched.paid_fen
    back = accept(mall, fetched, made.id)
    assert back == accept(mall, fetched, made.id), "a second tap answers the same"
    assert back == accept(mall, fetched, made.id, is_restocked=False), "whatever is chosen then"
    [ended] = requests_of(fetched)
    assert (ended.state, ended.ended_at, ended.ended_by, ended.answer) == ("accepted", LATER, mall.owner, "")
    assert ended.reversal_id is not None
    detail = mall.look(fetched)
    assert (detail.order.state, detail.lines[0].handed, detail.lines[0].returned) == ("partly_returned", 1, 1)
    assert mall.level("pot") == (49, 0, 1)
    mall.send_refunds(fetched)
    assert mall.back_fen(fetched) == back == detail.back_paid_fen
    assert 0 < back < whole
    with pytest.raises(RequestEndedError):
        withdraw(mall, fetched)
    with pytest.raises(RequestEndedError):
        decline(mall, fetched)
    assert findings() == []


def test_what_is_spoilt_is_written_off(mall: Mall, fetched: Order) -> None:
    accept(mall, fetched, ask(mall, fetched).id, is_restocked=False)
    assert mall.level("pot") == (48, 0, 1)
    assert findings() == []


def test_a_declined_request_says_why_and_the_member_may_ask_again(mall: Mall, fetched: Order) -> None:
    made = ask(mall, fetched)
    for words in ("", "   ", "长" * 101):
        with pytest.raises(AnswerError):
            decline(mall, fetched, words)
    decline(mall, fetched, " 已经  用过了 ")
    decline(mall, fetched, "已经 用过了")
    [ended] = requests_of(fetched)
    assert (ended.state, ended.answer, ended.ended_by) == ("declined", "已经 用过了", mall.owner)
    with pytest.raises(RequestEndedError):
        accept(mall, fetched, made.id)
    ask(mall, fetched, key="ask-2")
    assert [each.state for each in requests_of(fetched)] == ["declined", "open"]
    assert (count("reversal"), mall.level("pot")) == (0, (48, 0, 2))


def test_a_withdrawn_request_is_over(mall: Mall, fetched: Order) -> None:
    made = ask(mall, fetched)
    assert withdraw(mall, fetched).state == "withdrawn"
    assert withdraw(mall, fetched).ended_by == fetched.subject
    with pytest.raises(RequestEndedError):
        accept(mall, fetched, made.id)
    with pytest.raises(RequestEndedError):
        decline(mall, fetched)
    assert count("reversal") == 0
    with transaction() as tx:
        assert count_open_requests(tx, merchant="m_0002") == 0


def test_one_request_at_a_time_and_the_same_key_asks_once(mall: Mall, fetched: Order) -> None:
    made = ask(mall, fetched)
    assert ask(mall, fetched).id == made.id
    with pytest.raises(KeyReusedError):
        ask(mall, fetched, Asked({"1": 2}, "faulty", "锅底不平"))
    with pytest.raises(RequestOpenError):
        ask(mall, fetched, key="ask-2")
    assert count("return_request") == 1


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        (Asked({}, "faulty"), RefundUnitsError),
        (Asked({"1": 3}, "faulty"), RefundUnitsError),
        (Asked({"1": 0}, "faulty"), RefundUnitsError),
        (Asked({"2": 1}, "faulty"), RefundUnitsError),
        (Asked({"1": 1}, ""), CauseError),
        (Asked({"1": 1}, "revenge"), CauseError),
        (Asked({"1": 1}, "other", "  "), CauseError),
        (Asked({"1": 1}, "faulty", "长" * 101), CauseError),
    ],
)
def test_what_cannot_be_asked(mall: Mall, fetched: Order, asked: Asked, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        ask(mall, fetched, asked)
    assert count("return_request") == 0


def test_only_what_one_has_can_be_asked_back_and_for_a_week(mall: Mall, fetched: Order) -> None:
    [paid] = mall.place({"bowl": 1})
    with pytest.raises(NothingToAskError):
        ask(mall, paid.order)
    ask(mall, fetched, at=NOON + timedelta(days=7) - timedelta(seconds=1))
    withdraw_at = NOON + timedelta(days=7)
    shopping.withdraw_return(member_id=mall.member_of(fetched), number=fetched.number, at=withdraw_at)
    with pytest.raises(NothingToAskError):
        ask(mall, fetched, key="ask-2", at=withdraw_at)


def test_another_s_order_and_another_merchant_s_request_are_unknown(mall: Mall, fetched: Order) -> None:
    other = mall.world.add_member(2)
    with pytest.raises(OrderUnknownError):
        shopping.ask_return(member_id=other.member_id, number=fetched.number, asked=POT, key="x", at=LATER)
    made = ask(mall, fetched)
    with pytest.raises(OrderUnknownError):
        shopping.withdraw_return(member_id=other.member_id, number=fetched.number, at=LATER)
    stranger = mall.world.staff
    with pytest.raises(OrderUnknownError):
        handing_out.decline_return(staff_id=stranger, number=fetched.number, answer="no", at=LATER)
    with pytest.raises(OrderUnknownError):
        handing_out.accept_return(
            staff_id=stranger, number=fetched.number, request_id=made.id, is_restocked=True, reason="x", at=LATER
        )
    [second] = mall.place({"bowl": 1})
    with pytest.raises(RequestUnknownError):
        accept(mall, second.order, made.id)
    with pytest.raises(RequestUnknownError):
        accept(mall, fetched, uuid4())
    with pytest.raises(RequestUnknownError):
        withdraw(mall, second.order)
    assert requests_of(fetched)[0].state == "open"


def test_nothing_is_taken_from_the_member_past_his_open_request(mall: Mall, fetched: Order) -> None:
    made = ask(mall, fetched)
    taken = TakenBack({"1": 2}, "member", is_restocked=True, reason="returned")
    with pytest.raises(RequestFirstError):
        handing_out.return_lines(staff_id=mall.owner, number=fetched.number, taken=taken, key="back", at=LATER)
    accept(mall, fetched, made.id)
    rest = TakenBack({"1": 1}, "member", is_restocked=True, reason="returned")
    handing_out.return_lines(staff_id=mall.owner, number=fetched.number, taken=rest, key="back", at=LATER)
    assert mall.look(fetched).order.state == "returned"
    assert mall.look(fetched).back_paid_fen == fetched.paid_fen
    assert left("budget:lunch") == 100_000
    assert findings() == []


def test_an_order_waits_open_for_the_answer_and_closes_after_it(mall: Mall, fetched: Order) -> None:
    ask(mall, fetched)
    due = NOON + CLOSED_AFTER
    waiting = {"unclaimed": 0, "refunded": 0, "closed": 0, "asked": 1}
    assert sweep_orders(at=due) == waiting
    assert mall.look(fetched).order.state == "collected"
    decline(mall, fetched)
    assert sweep_orders(at=due) == waiting | {"closed": 1, "asked": 0}
    assert mall.look(fetched).order.state == "closed"


def test_a_request_made_while_the_sweep_runs_is_not_closed_over(mall: Mall, fetched: Order) -> None:
    with ThreadPoolExecutor(1) as pool, transaction() as tx:
        requests.ask_return(tx, subject=fetched.subject, order_id=fetched.id, asked=POT, key="ask-1", at=LATER)
        swept = pool.submit(sweep_orders, at=NOON + CLOSED_AFTER)
        assert swept.result(10)["closed"] == 0, "who asks holds the order"
    assert mall.look(fetched).order.state == "collected"
    assert sweep_orders(at=NOON + CLOSED_AFTER)["asked"] == 1


@pytest.mark.parametrize(
    ("forged", "problem"),
    [
        (
            "UPDATE return_request SET state = 'declined', reversal_id = NULL, answer = 'no'",
            "it is declined and yet something went back for it",
        ),
        (
            "UPDATE return_request SET state = 'withdrawn', reversal_id = NULL",
            "it is withdrawn and yet something went back for it",
        ),
        ("UPDATE return_request SET units = '{\"1\": 2}'", "the return it names is not of what was asked"),
        ("UPDATE reversal SET key = 'by hand'", "the return it names is not its own"),
    ],
)
def test_an_accepted_request_that_was_forged_is_named(mall: Mall, fetched: Order, forged: str, problem: str) -> None:
    made = ask(mall, fetched)
    accept(mall, fetched, made.id)
    assert findings() == []
    forge(forged)
    assert f"return requests: request {made.id} of order {fetched.number}: {problem}" in findings()


@pytest.mark.parametrize(
    ("forged", "problem"),
    [
        ("UPDATE return_request SET units = '{\"1\": 3}'", "it is open, and asks back what the member does not have"),
        ("UPDATE return_request SET units = '{\"7\": 1}'", "it is open, and asks back what the member does not have"),
        ("UPDATE member_order SET state = 'returned'", "it is open, and its order cannot be returned"),
    ],
)
def test_an_open_request_that_cannot_be_is_named(mall: Mall, fetched: Order, forged: str, problem: str) -> None:
    made = ask(mall, fetched)
    forge(forged)
    assert f"return requests: request {made.id} of order {fetched.number}: {problem}" in findings()


def test_a_return_whose_request_is_gone_is_named(mall: Mall, fetched: Order) -> None:
    accept(mall, fetched, ask(mall, fetched).id)
    forge("DELETE FROM return_request")
    assert any(
        each.startswith("return requests: reversal ") and each.endswith("it answers a request that does not name it")
        for each in findings()
    )


def forge(statement: str) -> None:
    """Change rows past every trigger."""
    with get_engine().begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(statement))
