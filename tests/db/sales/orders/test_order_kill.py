"""The process is killed at any moment of ordering, paying and cancelling: whoever goes on where it stopped ends in one right state."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from market.kit.database import transaction
from market.sales.orders.models import Order
from tests.db.sales.orders.killed_orders import buy
from tests.mall import Mall
from tests.provider import Provider
from tests.world import NOON, count, findings, left

ROOT = Path(__file__).parents[4]


def run_killed(mall: Mall, database: Engine, kills: int) -> int:
    """Kill so many purchases; how many were cut short."""
    done = subprocess.run(
        [
            *(sys.executable, str(Path(__file__).with_name("killed_orders.py"))),
            *(database.url.render_as_string(hide_password=False), "20261201", NOON.isoformat()),
            *(str(mall.items["pot"]), str(kills)),
        ],
        input=json.dumps([str(member.member_id) for member in mall.world.members]),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    connections = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    with database.connect() as connection:
        # A server process may still be ending what a killed client had begun.
        while connection.execute(connections).scalar_one() > 1:
            connection.rollback()
            time.sleep(0.01)
    return int(done.stdout)


@pytest.mark.parametrize("kills", [pytest.param(30, id="some"), pytest.param(2000, id="many", marks=pytest.mark.prove)])
def test_killed_at_any_moment(mall: Mall, database: Engine, kills: int) -> None:
    mall.receive("pot", kills, key="lorry")
    for number in range(2, 12):
        mall.world.add_member(number)
    killed = run_killed(mall, database, kills)
    assert killed >= kills // 4, "the kills came too late to show anything"
    with database.connect() as connection:
        states = {state for (state,) in connection.execute(text("SELECT DISTINCT state FROM member_order"))}
    assert count("member_order") < kills
    assert len(states) >= 2, f"some must be in one state and some in another, not all {states}"
    assert findings() == []
    provider = Provider()
    members = mall.world.members
    for number in range(kills):
        buy(
            provider,
            member=members[number % len(members)].member_id,
            item=mall.items["pot"],
            key=f"kill:{number:06}",
            at=NOON,
            and_cancel=number % 3 == 0,
        )
    returned = -(-kills // 3)
    assert (count("member_order"), count("sale"), count("reversal")) == (kills, kills, returned)
    assert mall.level("pot") == (50 + returned, 0, kills - returned)
    with transaction() as tx:
        orders = tx.query(Order).all()
    # What a return gave back the next order takes: of many the last ones may find the budget spent, or not.
    kept = [order.subsidy_fen for order in orders if order.state == "paid"]
    assert set(kept) <= ({0, 100} if kills > 1000 else {100})
    assert left("budget:lunch") == 100_000 - sum(kept)
    assert {order.state for order in orders} == {"paid", "returned"}
    assert all((order.state == "returned") == (int(order.key[5:]) % 3 == 0) for order in orders)
    assert count("payment_refund") == returned
    assert findings() == []
