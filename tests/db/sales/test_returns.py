"""Voids and refunds: every payer gets back what he gave, to the fen and once."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

import merchants
from api import till
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.kit.money import cumulative_share
from market.sales.models import Sale
from tests.world import NOODLES, NOON, World, count, findings, left


def back_of(sale: str) -> tuple[int, int, int, int]:
    with transaction() as tx:
        row = tx.scalars(select(Sale).where(Sale.public_id == sale)).one()
    return row.back_list_fen, row.back_concession_fen, row.back_subsidy_fen, row.back_paid_fen


def test_a_void_gives_everything_back(world: World) -> None:
    world.offer({**NOODLES, "id": "HALF", "rate_bp": 5000}, {"uses": 1, "period": "day", "total_fen": 5_000})
    sale = world.sell(1600, 200)
    done = till.void_at_till(
        staff_id=world.staff, sale=sale.public_id, key="void-0001", at=NOON + timedelta(minutes=10)
    )
    assert (done.list_fen, done.concession_fen, done.subsidy_fen, done.paid_fen) == (1800, 800, 100, 900)
    assert back_of(sale.public_id) == (1800, 800, 100, 900)
    assert (left("budget:lunch"), left("total:HALF")) == (100_000, 5_000)
    assert world.sell(1600).concession_fen == 800  # the use of the day came back with it
    assert findings() == []


def test_a_void_after_ten_minutes_is_too_late(world: World) -> None:
    sale = world.sell(1600)
    with pytest.raises(DomainError) as refused:
        till.void_at_till(
            staff_id=world.staff, sale=sale.public_id, key="void-0001", at=NOON + timedelta(minutes=10, seconds=1)
        )
    assert refused.value.code == "VOID_TOO_LATE"
    assert back_of(sale.public_id) == (0, 0, 0, 0)


def test_a_void_twice_answers_by_key(world: World) -> None:
    sale = world.sell(1600)
    first = till.void_at_till(staff_id=world.staff, sale=sale.public_id, key="void-0001", at=NOON)
    assert till.void_at_till(staff_id=world.staff, sale=sale.public_id, key="void-0001", at=NOON) == first
    with pytest.raises(DomainError) as refused:
        till.void_at_till(staff_id=world.staff, sale=sale.public_id, key="void-0002", at=NOON)
    assert refused.value.code == "SALE_VOIDED"
    assert count("reversal") == 1


def test_another_shop_cannot_void(world: World) -> None:
    sale = world.sell(1600)
    with transaction() as tx:
        shop = merchants.add_shop(tx, merchant_id=world.merchant, code="s_0009", name="九店", address="九街")
        staff = merchants.add_staff(tx, merchant_id=world.merchant, name="小周", shop_id=shop)
    with pytest.raises(DomainError) as refused:
        till.void_at_till(staff_id=staff, sale=sale.public_id, key="void-0001", at=NOON)
    assert refused.value.code == "SALE_UNKNOWN"


def test_a_refund_needs_the_buyer(world: World) -> None:
    sale, other = world.sell(1600), world.add_member(2)
    with pytest.raises(DomainError) as refused:
        till.refund_at_till(
            staff_id=world.staff,
            sale=sale.public_id,
            units={"amount": 1},
            visit_id=world.visit(other),
            key="back-0001",
            at=NOON,
        )
    assert refused.value.code == "REFUND_OTHER_MEMBER"


@pytest.fixture
def register(world: World) -> World:
    """The noodle shop with a register, so that a line has several units."""
    with transaction() as tx:
        shop = merchants.add_shop(
            tx, merchant_id=world.merchant, code="s_0005", name="五店", address="五街", till="register"
        )
        world.staff = merchants.add_staff(tx, merchant_id=world.merchant, name="小钱", shop_id=shop)
    return world


def sell_units(world: World, prices: list[tuple[int, int]]) -> str:
    lines = [
        till.basket.RegisterLine(sku=f"p{number}", category="noodles", price_fen=price, qty=qty)
        for number, (price, qty) in enumerate(prices)
    ]
    return till.redeem_at_till(
        staff_id=world.staff, visit_id=world.visit(), keyed=till.RegisterKeyed(lines), key="sell-units", at=NOON
    ).public_id


def test_unit_by_unit_every_payer_gets_his_part_by_the_cumulative_floor(register: World) -> None:
    sale = sell_units(register, [(1000, 3)])  # 10 % off 300, subsidy 100, paid 2600
    steps = []
    for step in range(3):
        done = till.refund_at_till(
            staff_id=register.staff,
            sale=sale,
            units={"1": 1},
            visit_id=register.visit(),
            key=f"back-{step:04}",
            at=NOON,
        )
        steps.append((done.paid_fen, done.subsidy_fen, done.concession_fen))
    assert steps == [(866, 33, 100), (867, 33, 100), (867, 34, 100)]
    assert left("budget:lunch") == 100_000
    with pytest.raises(DomainError) as refused:
        till.refund_at_till(
            staff_id=register.staff, sale=sale, units={"1": 1}, visit_id=register.visit(), key="back-0009", at=NOON
        )
    assert refused.value.code == "REFUND_UNITS"
    assert findings() == []


@settings(max_examples=200)
@given(st.integers(0, 10**7), st.lists(st.integers(1, 50), min_size=1, max_size=12))
def test_any_path_gives_back_exactly_the_whole(amount: int, steps: list[int]) -> None:
    whole, done, back = sum(steps), 0, 0
    for units in steps:
        back += cumulative_share(amount, done + units, whole) - cumulative_share(amount, done, whole)
        done += units
        assert 0 <= back <= amount
    assert back == amount


@pytest.mark.parametrize("units", [{}, {"1": 0}, {"1": -1}, {"1": 4}, {"9": 1}])
def test_units_that_are_not_there_are_refused_without_effect(register: World, units: dict[str, int]) -> None:
    sale = sell_units(register, [(1000, 3)])
    with pytest.raises(DomainError) as refused:
        till.refund_at_till(
            staff_id=register.staff, sale=sale, units=units, visit_id=register.visit(), key="back-0001", at=NOON
        )
    assert refused.value.code == "REFUND_UNITS"
    assert back_of(sale) == (0, 0, 0, 0)


def test_a_partly_refunded_sale_is_not_voided(register: World) -> None:
    sale = sell_units(register, [(1000, 2)])
    till.refund_at_till(
        staff_id=register.staff, sale=sale, units={"1": 1}, visit_id=register.visit(), key="back-0001", at=NOON
    )
    with pytest.raises(DomainError) as refused:
        till.void_at_till(staff_id=register.staff, sale=sale, key="void-0001", at=NOON)
    assert refused.value.code == "PARTLY_REFUNDED"
    assert findings() == []


def test_one_visit_serves_one_refund_and_no_sale_beside_it(register: World) -> None:
    sale, visit = sell_units(register, [(1000, 3)]), register.visit()
    till.refund_at_till(staff_id=register.staff, sale=sale, units={"1": 1}, visit_id=visit, key="back-0001", at=NOON)
    with pytest.raises(DomainError) as again:
        till.refund_at_till(
            staff_id=register.staff, sale=sale, units={"1": 1}, visit_id=visit, key="back-0002", at=NOON
        )
    assert again.value.code == "VISIT_USED"
    lines = [till.basket.RegisterLine(sku="p", category="noodles", price_fen=100, qty=1)]
    with pytest.raises(DomainError) as sold:
        till.redeem_at_till(
            staff_id=register.staff, visit_id=visit, keyed=till.RegisterKeyed(lines), key="sell-0002", at=NOON
        )
    assert sold.value.code == "VISIT_USED"
    assert findings() == []
