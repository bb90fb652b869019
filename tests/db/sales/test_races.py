"""Many tills at once, with real threads on a real PostgreSQL: never over, as many as fit, no deadlock, nothing half done."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

import cards
from api import till
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.kit.ids import new_id
from market.ledger.operations import BalanceShortError, post
from market.ledger.postings import Draw, Event
from tests.world import NOODLES, NOON, World, count, findings, left

THREADS = 64


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


def test_one_visit_and_one_key_make_one_sale(world: World) -> None:
    visit = world.visit()
    answers = at_once(lambda _: world.sell(1600, 200, key="the-one-key", visit=visit))
    assert len({answer.public_id for answer in answers}) == 1
    assert count("sale") == 1
    assert count("refusal") == 0
    assert findings() == []


def test_one_visit_and_many_keys_make_one_sale(world: World) -> None:
    visit = world.visit()
    answers = Counter(
        answer if isinstance(answer, str) else "sold"
        for answer in at_once(lambda n: world.sell(1600, key=f"key-{n:05}", visit=visit))
    )
    assert answers == {"sold": 1, "VISIT_USED": THREADS - 1}
    assert count("refusal") == THREADS - 1


def test_one_card_in_64_visits_uses_a_daily_offer_once(world: World) -> None:
    world.offer({**NOODLES, "id": "HALF", "rate_bp": 5000}, {"uses": 1, "period": "day"})
    visits = [world.visit() for _ in range(THREADS)]
    answers = at_once(lambda n: world.sell(1600, visit=visits[n]))
    assert Counter(answer.concession_fen for answer in answers) == {800: 1, 160: THREADS - 1}
    assert findings() == []


@pytest.mark.parametrize("slots", [1, 4])
def test_a_budget_for_40_gives_40_of_64(world: World, slots: int) -> None:
    world.budget("tight", 4_000, slots=slots)
    world.offer(
        {
            "id": "TIGHT",
            "stage": "subsidy",
            "kind": "amount_off",
            "match": {"any": True},
            "amount": 100,
            "sponsor": "xg",
            "sponsor_share_bp": 10000,
            "budgets": ["budget:tight"],
        }
    )
    people = [world.add_member(number) for number in range(100, 100 + THREADS)]
    visits = [world.visit(person) for person in people]
    answers = at_once(lambda n: world.sell(1600, visit=visits[n]))
    assert Counter(answer.subsidy_fen for answer in answers) == {200: 40, 100: THREADS - 40}
    assert left("budget:tight") == 0
    assert findings() == []


@pytest.mark.parametrize("budgets", [pytest.param(3, id="few"), pytest.param(100, id="many", marks=pytest.mark.prove)])
def test_the_last_fen_of_a_slotted_balance_can_be_drawn(world: World, budgets: int) -> None:
    """100 fen in 16 slots: 64 draws of 3 fen, of which 33 fit, though no slot holds more than 7."""
    for number in range(budgets):
        world.budget(f"slots{number}", 100, slots=16)

        def draw(_: int, budget: str = f"budget:slots{number}") -> str:
            with transaction() as tx:
                event = Event("sale", new_id(), NOON.date(), NOON)
                post(tx, event=event, postings=[], draws=[Draw(budget, 3)])
            return "drawn"

        assert Counter(at_once(draw)) == {"drawn": 33, BalanceShortError.code: THREADS - 33}
        assert left(f"budget:slots{number}") == 1


def test_draws_on_the_same_balances_in_any_order_do_not_deadlock(world: World) -> None:
    for code in ("a", "b", "c"):
        world.budget(code, 10_000, slots=2)

    def draw(number: int) -> str:
        codes = ["a", "b", "c"] if number % 2 else ["c", "b", "a"]
        for _ in range(5):
            with transaction() as tx:
                event = Event("sale", new_id(), NOON.date(), NOON)
                post(tx, event=event, postings=[], draws=[Draw(f"budget:{code}", 1) for code in codes])
        return "drawn"

    assert Counter(at_once(draw)) == {"drawn": THREADS}
    assert [left(f"budget:{code}") for code in ("a", "b", "c")] == [10_000 - 5 * THREADS] * 3


def test_a_freeze_against_sales_lets_no_sale_start_after_it(world: World) -> None:
    visits = [world.visit() for _ in range(THREADS)]
    frozen_after: list[int] = []

    def act(number: int) -> object:
        if number == THREADS // 2:
            with transaction() as tx:
                cards.freeze_card(tx, card_id=world.members[0].card_id, at=NOON)
            frozen_after.append(count("sale"))
            return "froze"
        return world.sell(1600, visit=visits[number])

    answers = Counter(answer if isinstance(answer, str) else "sold" for answer in at_once(act))
    assert answers["froze"] == 1
    assert answers["sold"] + answers["CARD_FROZEN"] == THREADS - 1
    assert count("sale") == answers["sold"] <= frozen_after[0] + 0
    assert findings() == []


def test_two_voids_and_a_refund_at_once_give_back_once(world: World) -> None:
    sale = world.sell(1600, 200)
    visit = world.visit()

    def act(number: int) -> object:
        if number % 2:
            return till.void_at_till(staff_id=world.staff, sale=sale.public_id, key=f"void-{number:04}", at=NOON).kind
        return till.refund_at_till(
            staff_id=world.staff,
            sale=sale.public_id,
            units={"amount": 1},
            visit_id=visit,
            key=f"back-{number:04}",
            at=NOON,
        ).kind

    answers = Counter(at_once(act))
    assert answers["void"] + answers["refund"] == 1
    assert left("budget:lunch") == 100_000
    assert findings() == []


def test_one_key_is_one_effect_even_for_a_sale_and_a_void_at_the_same_moment(world: World) -> None:
    for number in range(8):
        sold, visit, key = world.sell(1600), world.visit(), f"shared-key-{number}"

        def act(turn: int, *, sold: str = sold.public_id, visit: UUID = visit, key: str = key) -> object:
            if turn % 2:
                return till.void_at_till(staff_id=world.staff, sale=sold, key=key, at=NOON).kind
            return world.sell(1700, visit=visit, key=key)

        answers = Counter(answer if isinstance(answer, str) else "sold" for answer in at_once(act))
        assert set(answers) in ({"sold", "KEY_REUSED"}, {"void", "KEY_REUSED"}), answers
    assert findings() == []
