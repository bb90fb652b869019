"""Sums by month: all of them, or as many as a page shows; months without a sale are known but have no sums."""

from datetime import timedelta

from api import till
from market.kit.database import transaction
from market.oversight.queries import list_months, total_by_month
from tests.world import NOON, World


def test_no_sale_no_month(world: World) -> None:
    with transaction() as tx:
        assert list_months(tx) == total_by_month(tx) == total_by_month(tx, last=12) == []


def test_a_page_adds_up_its_own_months_alone(world: World) -> None:
    world.sell(1600)  # December 2026
    world.sell(3200, at=NOON + timedelta(days=62))  # February 2027
    with transaction() as tx:
        assert list_months(tx) == ["2026-12", "2027-01", "2027-02"]
        every = total_by_month(tx)
        assert [(month.label, month.list_fen) for month in every] == [("2026-12", 1600), ("2027-02", 3200)]
        assert total_by_month(tx, last=12) == total_by_month(tx, last=3) == every
        assert total_by_month(tx, last=2) == total_by_month(tx, last=1) == every[1:]


def test_a_return_counts_in_the_month_it_was_made(world: World) -> None:
    sale = world.sell(1600)
    later = NOON + timedelta(days=31)
    till.refund_at_till(
        staff_id=world.staff,
        sale=sale.public_id,
        units={"amount": 1},
        visit_id=world.visit(at=later),
        key="back-0001",
        at=later,
    )
    with transaction() as tx:
        assert list_months(tx) == ["2026-12", "2027-01"]
        assert [(month.label, month.sales, month.paid_fen) for month in total_by_month(tx)] == [
            ("2026-12", 1, 1340),
            ("2027-01", 0, -1340),
        ]
