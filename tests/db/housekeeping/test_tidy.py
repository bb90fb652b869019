"""What has served its time is deleted, and nothing else."""

from datetime import timedelta

from sqlalchemy import text

from api.housekeeping import tidy
from market.kit.clock import now
from market.kit.database import transaction
from tests.world import World, count, findings


def test_old_codes_and_visits_go_but_a_visit_that_sold_stays(world: World) -> None:
    long_ago, just_now = now() - timedelta(hours=4), now()
    world.offer(
        {"id": "EVER", "stage": "line", "kind": "percent_off", "match": {"merchants": ["m_0001"]}, "rate_bp": 500}
    )
    sold = world.visit(at=long_ago)
    world.sell(1600, visit=sold, at=long_ago)
    world.visit(at=long_ago + timedelta(minutes=2))
    world.visit(at=just_now)
    assert (count("visit"), count("card_code")) == (3, 3)
    tidy(at=now())
    assert count("visit") == 2
    assert count("card_code") == 1
    with transaction() as tx:
        assert tx.scalar(text("SELECT count(*) FROM visit WHERE id = :id"), {"id": sold}) == 1
    assert findings() == []
