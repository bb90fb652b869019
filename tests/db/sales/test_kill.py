"""The process is killed at any moment of a redemption: the sale is wholly in or wholly out, and its key repeats to one sale."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from api import till
from market.kit.database import transaction
from market.record.budgets import grant_budget
from tests.world import FIRST, NOON, SECOND, World, count, findings, left


def run_killed(world: World, database: Engine, kills: int) -> tuple[int, int]:
    """Kill `kills` redemptions; how many were cut short, and how many sales stood then."""
    jobs = [(str(world.staff), str(world.visit())) for _ in range(kills)]
    script = Path(__file__).with_name("killed.py")
    url = database.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, str(script), url, "20261201", NOON.isoformat()],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    standing = count("sale")
    with database.connect() as connection:
        # A server process may still be ending what a killed client had begun.
        while (
            connection.execute(
                text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            ).scalar_one()
            > 1
        ):
            connection.rollback()
    for number, (staff, visit) in enumerate(jobs):
        sale = till.redeem_at_till(
            staff_id=world.staff, visit_id=visit, keyed=till.AmountsKeyed(1600, 200), key=f"kill:{number:06}", at=NOON
        )
        assert (sale.list_fen, sale.paid_fen) == (1800, 1540), staff
    return int(done.stdout), standing


@pytest.mark.long
@pytest.mark.parametrize("kills", [pytest.param(48, id="some"), pytest.param(3000, id="many", marks=pytest.mark.prove)])
def test_killed_at_any_moment(world: World, database: Engine, kills: int) -> None:
    with transaction() as tx:
        grant_budget(
            tx, budget="lunch", amount_fen=900_000, key="lunch:2", proposed_by=FIRST, approved_by=SECOND, at=NOON
        )
    killed, standing = run_killed(world, database, kills)
    assert killed >= kills // 4, "the kills came too late to show anything"
    assert 0 < standing < kills, f"{standing} of {kills} stood before the repeat: some must be in and some out"
    assert (count("sale"), count("entry WHERE type = 'sale'")) == (kills, kills)
    assert left("budget:lunch") == 1_000_000 - 100 * kills
    assert findings() == []
