"""The audits of a night: begun in quiet hours, done once, begun anew when their worker died; what they find is kept for good."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from rich.console import Console
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from api.commands.verify import run_audits
from api.nightly import audit_night
from api.public_log import open_log, run_round
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.settings import Settings
from market.oversight.audits import AUDITS
from market.oversight.finding import Finding
from market.oversight.models import NightlyRun
from market.oversight.nightly import (
    NightStoppedError,
    begin_night,
    count_nightly_findings,
    find_newest_night,
    list_nights,
    work_on_night,
)
from market.record.publishing.served import find_checkpoint
from tests.world import NOON, World

ROOT = Path(__file__).parents[3]
NIGHT = datetime(2026, 12, 1, 20, 0, tzinfo=UTC)  # four in the morning of the second in Shanghai
HOUR = timedelta(hours=1)


def begin(at: datetime) -> UUID | None:
    with transaction() as tx:
        return begin_night(tx, at=at)


def work(at: datetime = NIGHT) -> NightlyRun:
    id_ = begin(at)
    assert id_ is not None
    assert work_on_night(id_, clock=lambda: at + timedelta(seconds=7))
    with transaction() as tx:
        run = find_newest_night(tx)
        assert run is not None
        assert run.id == id_
        return run


@pytest.fixture
def published(world: World, tmp_path: Path) -> World:
    """Two sales in a log that is signed."""
    settings = Settings(record_folder=tmp_path)
    open_log(settings, origin="test.example/log", window_seconds=60, at=NOON)
    world.sell(1600, 200)
    world.sell(800, at=NOON)
    run_round(settings, at=NOON + HOUR)
    return world


def forge(database: Engine, *statements: str) -> None:
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))


def test_a_clean_night_says_how_much_was_checked_up_to_which_checkpoint(published: World, database: Engine) -> None:
    run = work()
    with transaction() as tx:
        checkpoint = find_checkpoint(tx)
        [*_, size] = tx.execute(text("SELECT size FROM log_checkpoint ORDER BY size")).scalars()
    assert (run.night, run.state, run.rules, run.size) == (date(2026, 12, 2), "done", len(AUDITS), size)
    assert (run.findings, run.more, run.checkpoint) == ([], 0, checkpoint)
    assert run.rows_seen is not None
    assert run.rows_seen > 10
    assert run.ended_at == NIGHT + timedelta(seconds=7)


def test_a_forged_row_and_a_forged_entry_are_found(published: World, database: Engine) -> None:
    forge(
        database,
        "UPDATE balance SET left_over = left_over + 5 WHERE id = 'budget:lunch'",
        "UPDATE entry SET body = convert_to(replace(convert_from(body, 'UTF8'), '\"paid\":', '\"Paid\":'), 'UTF8')"
        " WHERE type = 'sale' AND merchant = 'm_0001'",
    )
    found = {(each["rule"], each["subject"].partition(" ")[0]) for each in work().findings}
    assert ("budgets", "budget:lunch") in found, "in the books"
    assert ("log", "entry") in found, "in the books about the log"
    assert ("hashes", "entry") in found, "in the log, as anybody would"
    with transaction() as tx:
        assert count_nightly_findings(tx) >= 3
        [night] = [each for each in list_nights(tx, at=NIGHT) if each.state == "findings"]
        assert (night.on, night.findings) == (date(2026, 12, 2), count_nightly_findings(tx))
    findings, _ = run_audits(Console(file=io.StringIO()))
    assert {finding.rule for finding in findings} <= {rule for rule, _ in found}, (
        "what `huigong verify` says stands there"
    )


def test_only_the_first_findings_are_kept_and_the_rest_is_counted(database: Engine) -> None:
    def find_many(connection: Connection) -> Iterator[Finding]:
        yield from (Finding("many", str(n), "wrong") for n in range(1_000))

    id_ = begin(NIGHT)
    assert id_ is not None
    work_on_night(id_, clock=lambda: NIGHT, audits=[find_many])
    with transaction() as tx:
        run = find_newest_night(tx)
        assert run is not None
        assert (len(run.findings), run.more, count_nightly_findings(tx)) == (200, 800, 1_000)
        assert (run.size, run.checkpoint) == (0, None), "nothing is published, so nothing of the log was checked"


def test_a_night_begins_in_its_hours_and_is_done_once(database: Engine) -> None:
    assert begin(NIGHT - 2 * HOUR) is None, "two in the morning"
    assert begin(NIGHT + 2 * HOUR) is None, "six in the morning"
    work()
    assert begin(NIGHT + HOUR) is None
    work(NIGHT + 24 * HOUR)


def test_a_run_whose_worker_died_is_said_and_begun_again_three_times_at_most(database: Engine) -> None:
    first = begin(NIGHT)
    assert first is not None
    second = begin(NIGHT + 9 * HOUR)
    assert second not in {None, first}, "also by day: it was begun"
    assert not work_on_night(first, clock=now, audits=[]), "who was taken for dead keeps nothing"
    with transaction() as tx:
        states = tx.execute(text("SELECT state FROM nightly_run ORDER BY begun_at")).scalars().all()
        assert states == ["interrupted", "running"]
        assert list_nights(tx, at=NIGHT + 9 * HOUR)[-1].state == "running"
    assert begin(NIGHT + 9 * HOUR) is not None
    assert begin(NIGHT + 9 * HOUR) is None, "what breaks three workers needs a person"
    with transaction() as tx:
        assert list_nights(tx, at=NIGHT)[-1].state == "cut"
        assert find_newest_night(tx) is None


def test_the_strip_tells_nights_that_were_missed_from_those_before_any(database: Engine) -> None:
    with transaction() as tx:
        assert list_nights(tx, at=NIGHT) == []
    work()
    work(NIGHT + 48 * HOUR)
    with transaction() as tx:
        told = list_nights(tx, at=NIGHT + 71 * HOUR)
        assert [night.state for night in told] == ["before"] * 11 + ["clean", "missed", "clean"]
        assert told[-1].on == date(2026, 12, 4), "tonight is not said to be missed before its hours are over"
        assert [night.state for night in list_nights(tx, at=NIGHT + 74 * HOUR)][-2:] == ["clean", "missed"]


def test_it_ends_between_two_steps_when_nobody_wants_it_any_more(published: World) -> None:
    id_ = begin(NIGHT)
    assert id_ is not None
    steps = iter([True] * (len(AUDITS) + 1))
    with pytest.raises(NightStoppedError):
        work_on_night(id_, clock=now, goes_on=lambda: next(steps, False))
    with transaction() as tx:
        assert tx.get_one(NightlyRun, id_).state == "running"


@pytest.mark.parametrize("statement", ["UPDATE nightly_run SET findings = '[]'", "DELETE FROM nightly_run"])
def test_what_a_night_found_is_never_changed(database: Engine, statement: str) -> None:
    work()
    with pytest.raises(DBAPIError, match="nightly_run"), database.begin() as connection:
        connection.execute(text(statement))


def count_backends(database: Engine, which: str) -> int:
    with database.connect() as connection:
        counted = text(f"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {which}")
        return int(connection.execute(counted).scalar_one())


KILLED = """
import sys
from datetime import datetime
from market.kit.database import connect
from api.nightly import audit_night
if __name__ == "__main__":
    connect(sys.argv[1])
    audit_night(at=datetime.fromisoformat(sys.argv[2]))
"""


def test_killed_in_the_middle_it_ends_with_its_worker_and_is_done_by_the_next(
    published: World, database: Engine, database_url: str, tmp_path: Path
) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HUIGONG_LOG_FORMAT": "json"}
    with database.begin() as holder:
        holder.execute(text("LOCK TABLE visit"))
        worker = subprocess.Popen([sys.executable, str(script), database_url, NIGHT.isoformat()], env=environment)
        until = time.monotonic() + 120
        while not count_backends(database, "wait_event_type = 'Lock'"):
            assert worker.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    database.dispose()
    while count_backends(database, "true") > 1:
        assert time.monotonic() < until, "the process of the dead worker goes on"
        time.sleep(0.05)
    with transaction() as tx:
        assert find_newest_night(tx) is None
    audit_night(at=NIGHT + HOUR)
    with transaction() as tx:
        states = tx.execute(text("SELECT state FROM nightly_run ORDER BY begun_at")).scalars().all()
    assert states == ["interrupted", "done"]
