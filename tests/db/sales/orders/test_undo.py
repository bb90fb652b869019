"""A hand-out taken back: within ten minutes, by the same merchant's staff, once, and never past what the member did meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import DBAPIError

from api import handing_out, shopping
from api.shopping import HandoverKeyed
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.sales.orders.models import Handout, Order, OrderLine, UndoneHandout
from market.sales.orders.queries import list_changes, list_handouts
from market.sales.orders.requests import Asked, NothingToAskError
from market.sales.orders.states import OrderUnknownError
from market.sales.orders.take_back import RequestFirstError, TakenBack
from market.sales.orders.undo import (
    UNDO_WINDOW,
    HandoutReturnedError,
    HandoutUnknownError,
    UndoTooLateError,
    find_undoable,
    list_undone,
)
from tests.mall import Mall
from tests.world import NOON, count, findings

SOON = NOON + timedelta(minutes=3)
POT = Asked({"1": 1}, "faulty", "锅底不平")


@pytest.fixture
def paid(mall: Mall) -> Order:
    """Two pots, paid and not given out."""
    [placed] = mall.place({"pot": 2})
    mall.pay(placed.order)
    return placed.order


def give(mall: Mall, order: Order, units: dict[str, int] | None = None, *, key: str = "all") -> Handout:
    handing_out.hand_out_by_slip(
        staff_id=mall.owner, number=order.number, digits=order.slip, units=units, key=key, at=NOON
    )
    with transaction() as tx:
        return list_handouts(tx, order_id=order.id)[-1]


def undo(mall: Mall, order: Order, handout: Handout, *, at: datetime = SOON, staff: UUID | None = None) -> str:
    detail = handing_out.undo_handout(staff_id=staff or mall.owner, number=order.number, handout_id=handout.id, at=at)
    return detail.order.state


@pytest.mark.parametrize("state", ["paid", "ready"])
def test_an_order_is_as_it_was_before_and_can_be_given_out_again(mall: Mall, paid: Order, state: str) -> None:
    if state == "ready":
        handing_out.mark_ready(staff_id=mall.owner, numbers=[paid.number], at=NOON)
    before, moved = mall.level("pot"), count("transfer")
    handout = give(mall, paid)
    assert undo(mall, paid, handout) == state
    detail = mall.look(paid)
    assert (detail.lines[0].handed, detail.lines[0].waiting) == (0, 2)
    assert (mall.level("pot"), count("transfer"), count("reversal")) == (before, moved, 0)
    with transaction() as tx:
        undone = list_undone(tx, order_id=paid.id)[handout.id]
        last = list_changes(tx, order_id=paid.id)[-1]
    assert (undone.at, undone.staff_id) == (SOON, mall.owner)
    assert (last.from_state, last.to_state, last.reason, last.by_id) == (
        "collected",
        state,
        "handout_undone",
        mall.owner,
    )
    assert findings() == []
    give(mall, paid, key="again")
    assert mall.look(paid).order.state == "collected"
    assert findings() == []


def test_a_part_is_taken_back_and_the_rest_stays_with_the_member(mall: Mall, paid: Order) -> None:
    give(mall, paid, {"1": 1}, key="first")
    second = give(mall, paid, {"1": 1}, key="second")
    assert mall.look(paid).order.state == "collected"
    assert undo(mall, paid, second) == "paid"
    assert (mall.look(paid).lines[0].handed, mall.look(paid).lines[0].waiting) == (1, 1)
    with transaction() as tx:
        first = find_undoable(tx, order_id=paid.id, at=SOON)
    assert first is not None
    assert undo(mall, paid, first) == "paid"
    assert mall.look(paid).lines[0].handed == 0
    assert findings() == []


def test_what_was_brought_can_be_taken_back_too(mall: Mall) -> None:
    mall.sell("kettle", price_fen=5_000, pieces=3, handover="both")
    [placed] = mall.place({"kettle": 1}, how=HandoverKeyed("delivery", deliver_to="二街 3 号"))
    mall.pay(placed.order)
    handing_out.deliver(staff_id=mall.owner, number=placed.order.number, units=None, key="van", at=NOON)
    with transaction() as tx:
        [handout] = list_handouts(tx, order_id=placed.order.id)
    assert undo(mall, placed.order, handout) == "paid"
    assert mall.look(placed.order).order.deliver_to == "二街 3 号"
    assert findings() == []


def test_again_changes_nothing_and_late_is_refused(mall: Mall, paid: Order) -> None:
    handout = give(mall, paid)
    with pytest.raises(UndoTooLateError):
        undo(mall, paid, handout, at=NOON + UNDO_WINDOW + timedelta(microseconds=1))
    assert undo(mall, paid, handout, at=NOON + UNDO_WINDOW) == "paid"
    assert undo(mall, paid, handout, at=NOON + timedelta(days=1)) == "paid"
    assert count("undone_handout") == 1
    with transaction() as tx:
        assert find_undoable(tx, order_id=paid.id, at=SOON) is None


def test_only_the_same_merchant_s_staff_may(mall: Mall, paid: Order) -> None:
    handout = give(mall, paid)
    with pytest.raises(OrderUnknownError):
        undo(mall, paid, handout, staff=mall.world.staff)
    [other] = mall.place({"bowl": 1})
    with pytest.raises(HandoutUnknownError):
        undo(mall, other.order, handout)
    with pytest.raises(HandoutUnknownError):
        handing_out.undo_handout(staff_id=mall.owner, number=paid.number, handout_id=uuid4(), at=SOON)
    assert mall.look(paid).order.state == "collected"


def test_what_the_member_did_meanwhile_stands(mall: Mall, paid: Order) -> None:
    handout = give(mall, paid)
    member = mall.member_of(paid)
    shopping.ask_return(member_id=member, number=paid.number, asked=POT, key="ask-1", at=SOON)
    with pytest.raises(RequestFirstError):
        undo(mall, paid, handout)
    shopping.withdraw_return(member_id=member, number=paid.number, at=SOON)
    taken = TakenBack({"1": 1}, "member", is_restocked=True, reason="returned")
    handing_out.return_lines(staff_id=mall.owner, number=paid.number, taken=taken, key="back", at=SOON)
    with pytest.raises(HandoutReturnedError):
        undo(mall, paid, handout)
    assert findings() == []


def test_nothing_can_be_asked_back_of_what_was_taken_back(mall: Mall, paid: Order) -> None:
    undo(mall, paid, give(mall, paid))
    with pytest.raises(NothingToAskError):
        shopping.ask_return(member_id=mall.member_of(paid), number=paid.number, asked=POT, key="ask-1", at=SOON)


def test_many_undos_at_once_are_one(mall: Mall, paid: Order) -> None:
    handout, together = give(mall, paid), Barrier(6)

    def press(_: int) -> str:
        together.wait(10)
        return undo(mall, paid, handout)

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(press, range(6))) == {"paid"}
    assert (count("undone_handout"), mall.look(paid).lines[0].handed) == (1, 0)
    assert findings() == []


def test_an_undo_and_a_request_at_once_are_never_both(mall: Mall) -> None:
    for number in range(4):
        [placed] = mall.place({"pot": 1}, key=f"order-{number}")
        mall.pay(placed.order)
        order, together = placed.order, Barrier(2)
        handout, member = give(mall, order), mall.member_of(order)

        def ask(order: Order = order, member: UUID = member, together: Barrier = together) -> str:
            together.wait(10)
            try:
                return shopping.ask_return(member_id=member, number=order.number, asked=POT, key="ask-1", at=SOON).state
            except DomainError as refusal:
                return refusal.code

        def press(order: Order = order, handout: Handout = handout, together: Barrier = together) -> str:
            together.wait(10)
            try:
                return undo(mall, order, handout)
            except DomainError as refusal:
                return refusal.code

        with ThreadPoolExecutor(2) as pool:
            asked, pressed = pool.submit(ask), pool.submit(press)
            outcome = (asked.result(20), pressed.result(20))
        assert outcome in {("open", "RETURN_REQUEST_FIRST"), ("RETURN_NOT_POSSIBLE", "paid")}
        assert findings() == []


def test_past_the_code_the_database_keeps_what_was_given(mall: Mall, paid: Order) -> None:
    handout = give(mall, paid)
    forbidden = (
        update(OrderLine).where(OrderLine.order_id == paid.id).values(handed=0),
        update(Order).where(Order.id == paid.id).values(state="paid"),
        insert(UndoneHandout).values(
            handout_id=handout.id, at=NOON + UNDO_WINDOW + timedelta(seconds=1), staff_id=mall.owner
        ),
    )
    for statement in forbidden:
        with pytest.raises(DBAPIError), transaction() as tx:
            tx.execute(statement)
    undo(mall, paid, handout)
    for statement in (delete(UndoneHandout), update(UndoneHandout).values(at=NOON)):
        with pytest.raises(DBAPIError), transaction() as tx:
            tx.execute(statement)
    give(mall, paid, key="again")
    with pytest.raises(DBAPIError), transaction() as tx:
        tx.execute(update(OrderLine).where(OrderLine.order_id == paid.id).values(handed=1))
