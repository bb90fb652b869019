"""Every sale of a works, at tills and on line, has a receipt that holds: its price comes out again from the published terms alone."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, text

from api.public_log import open_log, run_round
from api.receipts import get_receipt
from market.kit.settings import Settings
from market.record.receipts import Keys, parse_receipt, verify_receipt

AT = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)  # after the last sale of the works


def test_every_receipt_of_the_works_holds(books: Connection, tmp_path: Path) -> None:
    settings = Settings(record_folder=tmp_path)
    policy = open_log(settings, origin="test.example/log", window_seconds=5, at=AT)
    run_round(settings, at=AT + timedelta(minutes=1))
    sales = books.execute(text("SELECT public_id, subject, channel FROM sale")).all()
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
