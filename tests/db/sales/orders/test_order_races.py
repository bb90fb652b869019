"""Many at once, with real threads on a real PostgreSQL: never oversold, one per member, released once, paid once, refunded once."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

from api import handing_out, shopping
from api.order_jobs import expire_orders
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.sales.orders.money import list_payments
from market.sales.orders.place import PAY_WINDOW
from market.sales.orders.requests import Asked
from market.sales.orders.take_back import TakenBack
from tests.mall import Mall
from tests.world import NOON, count, findings, left

THREADS = 64
OVER = NOON + PAY_WINDOW + timedelta(seconds=1)


def at_once(act: Callable[[int], object]) -> list[object]:
    """Run `act(n)` for n in 0…63 in threads that start together; a DomainError is an answer, anything else is not."""
    gate = threading.Barrier(THREADS)

    def run(number: int) -> object:
        gate.wait()
        try:
            return act(number)
        except DomainError as refusal:
            return refusal.code

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_of_64_members_20_get_the_20_cookers(mall: Mall) -> None:
    people = [mall.world.add_member(number) for number in range(100, 100 + THREADS)]
    answers = Counter(
        answer if isinstance(answer, str) else "placed"
        for answer in at_once(lambda n: mall.place({"cooker": 1}, member=people[n]))
    )
    assert answers == {"placed": 20, "SOLD_OUT": THREADS - 20}
    assert mall.level("cooker") == (0, 20, 0)
    assert left("budget:lunch") == 100_000 - 20 * 100
    assert findings() == []


def test_the_button_hit_64_times_orders_once_whatever_the_keys(mall: Mall) -> None:
    answers = at_once(lambda n: mall.place({"cooker": 1}, key=f"hit-{n % 8}"))
    placed = {answer[0].order.id for answer in answers if not isinstance(answer, str)}
    assert len(placed) == 1
    assert {answer for answer in answers if isinstance(answer, str)} == {"MEMBER_LIMIT"}
    assert sum(not isinstance(answer, str) for answer in answers) == THREADS // 8  # every repeat of the key that won
    assert (mall.level("cooker"), count("member_order")) == ((19, 1, 0), 1)
    assert findings() == []


def test_baskets_in_any_order_do_not_deadlock_and_share_a_purse_to_the_fen(mall: Mall) -> None:
    mall.world.budget("tight", 3_050, slots=4)
    terms = {"stage": "subsidy", "kind": "amount_off", "match": {"any": True}, "amount": 100, "on_shortage": "partial"}
    mall.world.offer({"id": "TIGHT", **terms, "sponsor": "xg", "sponsor_share_bp": 10_000, "budgets": ["budget:tight"]})
    people = [mall.world.add_member(number) for number in range(100, 120)]
    baskets = [{"pot": 1, "noodlebox": 1}, {"noodlebox": 1, "pot": 1}]

    def act(number: int) -> object:
        return mall.place(baskets[number % 2], member=people[number % 20])

    answers = Counter(answer if isinstance(answer, str) else "placed" for answer in at_once(act))
    assert answers == {"placed": 50, "SOLD_OUT": THREADS - 50}
    assert (mall.level("pot"), mall.level("noodlebox"), left("budget:tight")) == ((0, 50, 0), (0, 50, 0), 0)
    assert findings() == []


def test_paying_cancelling_and_expiring_at_once_end_in_one_right_state(mall: Mall) -> None:
    who = mall.world.members[0].member_id
    for turn in range(6):
        [order] = mall.place({"cooker": 1})
        paid = mall.provider.pay(mall.begin(order.order)) if turn % 3 else None

        def act(number: int, *, order: object = order.order, paid: bytes | None = paid) -> object:
            match number % 4:
                case 0 if paid:
                    return mall.hear(paid, at=OVER)
                case 1:
                    return expire_orders(mall.provider, at=OVER)
                case 2:
                    shopping.cancel_order(mall.provider, member_id=who, number=order.number, key="no", at=OVER)  # type: ignore[attr-defined]
            return None

        assert {answer for answer in at_once(act) if isinstance(answer, str)} <= {"applied", "unchanged", "ORDER_STATE"}
        mall.send_refunds(order.order, at=OVER)
        done = mall.look(order.order)
        with transaction() as tx:
            payments = list_payments(tx, order_id=order.order.id)
        if paid:
            assert done.order.state in {"cancelled", "returned"}
            assert [(payment.state, payment.refunded_fen) for payment in payments] == [
                ("refunded", order.order.paid_fen)
            ]
        else:
            assert done.order.state == "cancelled"
        assert (mall.level("cooker"), left("budget:lunch")) == ((20, 0, 0), 100_000)
        assert findings() == []


def test_pieces_come_back_and_go_out_as_often_as_there_are_pieces(mall: Mall) -> None:
    [order] = mall.place({"pot": 10})
    mall.pay(order.order)
    number, slip = order.order.number, order.order.slip

    def act(n: int) -> object:
        if n % 2:
            handing_out.hand_out_by_slip(
                staff_id=mall.owner, number=number, digits=slip, units={"1": 1}, key=f"out-{n}", at=NOON
            )
            return "out"
        taken = TakenBack({"1": 1}, "shelf", is_restocked=True, reason="returned")
        handing_out.return_lines(staff_id=mall.owner, number=number, taken=taken, key=f"back-{n}", at=NOON)
        return "back"

    answers = Counter(at_once(act))
    assert answers["out"] + answers["back"] == 10
    done = mall.look(order.order)
    assert (done.lines[0].handed, done.lines[0].returned, done.lines[0].waiting) == (answers["out"], answers["back"], 0)
    mall.send_refunds(order.order)
    assert mall.back_fen(order.order) == done.back_paid_fen == order.order.paid_fen * answers["back"] // 10
    assert mall.level("pot") == (40 + answers["back"], 0, answers["out"])
    assert findings() == []


def test_a_request_is_asked_once_and_accepted_or_withdrawn_once(mall: Mall) -> None:
    [placed] = mall.place({"pot": 2})
    order, member = placed.order, mall.world.members[0].member_id
    mall.pay(order)
    handing_out.hand_out_by_slip(
        staff_id=mall.owner, number=order.number, digits=order.slip, units=None, key="all", at=NOON
    )
    asked = Asked({"1": 1}, "faulty")
    made = at_once(
        lambda n: shopping.ask_return(member_id=member, number=order.number, asked=asked, key=f"ask-{n}", at=NOON).id
    )
    assert (Counter(map(str, made))["RETURN_REQUEST_OPEN"], count("return_request")) == (THREADS - 1, 1)
    [request_id] = [each for each in made if isinstance(each, UUID)]

    def end(n: int) -> object:
        if n % 2:
            return shopping.withdraw_return(member_id=member, number=order.number, at=NOON).state
        return handing_out.accept_return(
            staff_id=mall.owner, number=order.number, request_id=request_id, is_restocked=True, reason="x", at=NOON
        ).id

    ended = Counter(map(str, at_once(end)))
    assert ended["RETURN_REQUEST_ENDED"] == THREADS // 2
    assert len(ended) == 2
    assert count("reversal") == (0 if ended["withdrawn"] else 1)
    assert findings() == []
