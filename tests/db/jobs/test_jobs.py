"""Jobs: there exactly if the transaction was committed, done at least once, given on when their worker dies."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import resources
from pathlib import Path

from sqlalchemy import Engine, text

from api.identity import init_installation
from api.jobs import run_worker
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.jobs import enqueue
from market.payments.models import PaymentEvent

ROOT = Path(__file__).parents[3]
HUIGONG = [sys.executable, "-c", "from api.cli import main; main()"]


def waiting() -> list[tuple[str, str]]:
    with transaction() as tx:
        asked = text(
            "SELECT task_name, status::text FROM jobs.procrastinate_jobs WHERE task_name LIKE 'payments.w%' ORDER BY id"
        )
        return [(name, status) for name, status in tx.execute(asked)]


def keep_event(event_id: str) -> None:
    """One that the job can work: of a kind that moves nothing."""
    body = f'{{"id":"{event_id}","type":"x","livemode":false,"data":{{"object":{{}}}}}}'.encode()
    with transaction() as tx:
        tx.add(PaymentEvent(event_id=event_id, type="x", livemode=False, payload=body, received_at=now()))


def works(event_id: str) -> int:
    with transaction() as tx:
        found = tx.get(PaymentEvent, event_id)
        assert found is not None
        return found.works


def test_a_job_is_there_exactly_if_its_transaction_was_committed(database: Engine) -> None:
    with transaction() as tx:
        enqueue(tx, "payments.work_event", {"event_id": "a"})
        tx.rollback()
    assert waiting() == []
    with transaction() as tx:
        assert enqueue(tx, "payments.work_event", {"event_id": "a"})
    assert waiting() == [("payments.work_event", "todo")]


def test_one_job_waits_for_a_queueing_lock(database: Engine) -> None:
    with transaction() as tx:
        assert enqueue(tx, "payments.work_event", {}, queueing_lock="one")
        assert not enqueue(tx, "payments.work_event", {}, queueing_lock="one")
        assert enqueue(tx, "payments.work_event", {}, queueing_lock="other")
    assert len(waiting()) == 2


def work(database_url: str) -> None:
    """All that is due. In a thread of its own: once a browser test ran in this process, Playwright keeps the main thread's event loop."""
    with ThreadPoolExecutor(max_workers=1) as worker:
        worker.submit(run_worker, database_url, wait=False).result()


def test_the_worker_does_what_is_due_and_leaves_what_is_not(database: Engine, database_url: str) -> None:
    with transaction() as tx:
        init_installation(tx, kind="demo", at=now())
        enqueue(tx, "payments.work_event", {"event_id": "evt_1"})
        enqueue(tx, "payments.work_event", {"event_id": "evt_2"}, at=now() + timedelta(hours=1))
    keep_event("evt_1")
    keep_event("evt_2")
    work(database_url)
    assert (works("evt_1"), works("evt_2")) == (1, 0)
    assert waiting() == [("payments.work_event", "todo")]


def test_the_nightly_audits_are_a_job_that_the_worker_can_do(database: Engine, database_url: str) -> None:
    with transaction() as tx:
        init_installation(tx, kind="demo", at=now())
        enqueue(tx, "audits.nightly", {"timestamp": 0})
    work(database_url)  # by day there is nothing to do
    with transaction() as tx:
        left = tx.execute(text("SELECT status FROM jobs.procrastinate_jobs WHERE task_name = 'audits.nightly'")).all()
    assert left == [], "what was done well is deleted"


def test_a_job_that_fails_is_put_off_and_not_lost(database: Engine, database_url: str) -> None:
    with transaction() as tx:
        init_installation(tx, kind="demo", at=now())
        enqueue(tx, "payments.work_event", {"event_id": "evt_none"})
    work(database_url)
    with transaction() as tx:
        asked = text(
            "SELECT status::text, attempts, scheduled_at FROM jobs.procrastinate_jobs WHERE task_name LIKE 'payments.w%'"
        )
        (status, attempts, again) = tx.execute(asked).one()
    assert (status, attempts) == ("todo", 1)
    assert again > now() - timedelta(seconds=30)


def test_the_tables_are_those_of_the_library(database: Engine) -> None:
    """A newer procrastinate with another schema wants a migration that brings the old one there."""
    ours = (ROOT / "alembic" / "procrastinate-3.10.0.sql").read_text()
    assert ours == (resources.files("procrastinate.sql") / "schema.sql").read_text()


def start_worker(database_url: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "HUIGONG_DATABASE_URL": database_url, "HUIGONG_LOG_FORMAT": "json"}
    return subprocess.Popen([*HUIGONG, "worker"], env=environment, cwd=ROOT, stderr=subprocess.PIPE)


def wait_for(event_id: str, seconds: int) -> None:
    until = time.monotonic() + seconds
    while not works(event_id):
        assert time.monotonic() < until, waiting()
        time.sleep(0.05)


def test_a_job_of_a_worker_that_was_killed_is_done_by_another(database: Engine, database_url: str) -> None:
    with transaction() as tx:
        init_installation(tx, kind="demo", at=now())
    keep_event("evt_1")
    keep_event("evt_2")
    with transaction() as holder:
        holder.execute(text("SELECT 1 FROM payment_event WHERE event_id = 'evt_1' FOR UPDATE"))
        first = start_worker(database_url)
        with transaction() as tx:
            enqueue(tx, "payments.work_event", {"event_id": "evt_1"})
        until = time.monotonic() + 20
        while waiting() != [("payments.work_event", "doing")]:
            assert time.monotonic() < until
            time.sleep(0.05)
        first.kill()
        first.communicate()
    second = start_worker(database_url)
    try:
        wait_for("evt_1", 60)
        with transaction() as tx:  # and a job that comes while it waits is begun at once
            enqueue(tx, "payments.work_event", {"event_id": "evt_2"})
        wait_for("evt_2", 4)
    finally:
        second.send_signal(signal.SIGTERM)
        written = second.communicate(timeout=40)[1]
    assert second.returncode == 0, written
