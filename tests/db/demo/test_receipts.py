"""Every sale of a works, at tills and on line, has a receipt that holds: its price comes out again from the published terms alone."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from api.demo.build import DemoSummary
from api.public_log import open_log, run_round
from api.receipts import get_receipt
from market.kit.database import connect, disconnect
from market.kit.postgres import Cluster, create_database
from market.kit.settings import Settings
from market.oversight.audits import AUDITS
from market.record.auditing.replay import check_entries
from market.record.receipts import Keys, parse_receipt, verify_receipt

AT = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)  # after the last sale of the works


@pytest.fixture
def copied(works: tuple[str, DemoSummary], cluster: Cluster) -> Iterator[Connection]:
    """A connection to a copy of the works, whose log the test may open."""
    assert works[1].sales
    create_database(cluster, "works_with_a_log", template="works")
    engine = connect(cluster.url("works_with_a_log"))
    with engine.connect() as connection:
        yield connection
    disconnect()


def test_every_receipt_of_the_works_holds(copied: Connection, tmp_path: Path) -> None:
    settings = Settings(record_folder=tmp_path)
    policy = open_log(settings, origin="test.example/log", window_seconds=5, at=AT)
    run_round(settings, at=AT + timedelta(minutes=1))
    sales = copied.execute(text("SELECT public_id, subject, channel FROM sale")).all()
    outcomes: Counter[str] = Counter()
    open_steps: Counter[str] = Counter()
    for sale in sales:
        receipt = get_receipt(settings, subject=sale.subject, public_id=sale.public_id)
        verdict = verify_receipt(
            parse_receipt(receipt.encode()), keys=Keys((policy.log,), (policy.promise,)), at=AT + timedelta(days=1)
        )
        outcomes[f"{sale.channel} {verdict.outcome}"] += 1
        open_steps.update(f"{step.field}: {step.en}" for step in verdict.steps if step.state != "holds")
    assert {outcome.split()[1] for outcome in outcomes} == {"proved"}
    assert {outcome.split()[0] for outcome in outcomes} == {"shop", "online"}
    assert not open_steps
    merchants = "SELECT count(DISTINCT merchant) FROM entry WHERE type = 'sale' AND {}"
    for how in ("is_batched", "NOT is_batched"):
        assert copied.execute(text(merchants.format(how))).scalar_one() >= 2, "both ways of publishing are to be seen"
    assert copied.execute(text("SELECT count(*) FROM entry WHERE is_batched AND batch_id IS NULL")).scalar_one() == 0
    published = copied.execute(text("SELECT body FROM entry WHERE leaf_index >= 0 ORDER BY leaf_index"))
    assert list(check_entries(published.scalars())) == []
    assert [finding for audit in AUDITS for finding in audit(copied)] == []
