"""A dry run that was asked for is worked on by one process at a time, can be cancelled, and is called interrupted when nobody is at it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from market.kit.clock import now
from market.kit.database import get_engine, transaction
from market.kit.errors import NotFoundError
from market.kit.ids import new_id
from market.oversight.dry_run import Draft
from market.oversight.dry_runs import (
    MOST_ASKED,
    STARTS_WITHIN,
    DryRunBusyError,
    DryRunsTooOftenError,
    NoSalesError,
    ask_dry_run,
    cancel_dry_run,
    choose_month,
    fail_dry_run,
    get_dry_run,
    list_dry_runs,
    work_on,
)
from market.oversight.models import DryRun
from tests.world import FIRST, NOON, SECOND, World

DAYS = (date(2026, 12, 1), date(2027, 1, 1))
SAVE = {
    "id": "SAVE2",
    "stage": "order",
    "kind": "spend_save",
    "match": {"merchants": ["m_0001"]},
    "tiers": [{"min": 2000, "off": 200}],
}


@pytest.fixture
def sold(world: World) -> World:
    """Six members, a sale of each."""
    for number in range(2, 7):
        world.add_member(number)
    for member in world.members:
        world.sell(3000, member=member)
    return world


def ask(*, by: UUID = FIRST, at: datetime = NOON, days: tuple[date, date] = DAYS) -> UUID:
    with transaction() as tx:
        draft = Draft.from_json(SAVE, budget_fen=500)
        return ask_dry_run(tx, draft=draft, version=None, days=days, asked_by=by, at=at)


def look(id_: UUID, *, at: datetime = NOON) -> DryRun:
    with transaction() as tx:
        return get_dry_run(tx, id_=id_, at=at)


@contextmanager
def two_connections() -> Iterator[tuple[Connection, Connection]]:
    engine = get_engine()
    with (
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as keeper,
        engine.connect().execution_options(isolation_level="REPEATABLE READ") as reader,
    ):
        try:
            yield keeper, reader
        finally:
            keeper.invalidate()  # its locks end with it, as those of a process do


def work(id_: UUID, **more: object) -> None:
    with two_connections() as (keeper, reader):
        work_on(keeper, reader, id_=id_, clock=now, **more)


def test_a_run_is_kept_with_its_result(sold: World) -> None:
    id_ = ask()
    waiting = look(id_)
    assert (waiting.state, waiting.done_count, waiting.whole_count, waiting.result) == ("waiting", 0, 6, None)
    work(id_)
    done = look(id_)
    assert (done.state, done.done_count, done.budget_fen, done.offer, done.version) == ("done", 6, 500, "SAVE2", None)
    assert (done.result["cheaper"], done.result["after"]["concession"]) == (6, 6 * 500)
    assert done.started_at <= done.ended_at
    with transaction() as tx:
        assert [run.id for run in list_dry_runs(tx, limit=5, at=NOON)] == [id_]


def test_a_cancelled_run_is_not_begun(sold: World) -> None:
    id_ = ask()
    with transaction() as tx:
        cancel_dry_run(tx, id_=id_, at=NOON)
    work(id_)
    assert (look(id_).state, look(id_).result) == ("cancelled", None)


def test_a_run_that_is_cancelled_under_way_ends_without_a_result(sold: World) -> None:
    for days in (1, 2):
        sold.sell(3000, at=NOON + timedelta(days=days))
    id_, seen = ask(), []

    def cancel_under_way() -> bool:
        run = look(id_)
        seen.append((run.state, run.done_count))
        if run.done_count == 6:
            with transaction() as tx:
                cancel_dry_run(tx, id_=id_, at=NOON)
        return True

    work(id_, goes_on=cancel_under_way, look_seconds=0)
    assert seen == [("running", 0), ("running", 6)]
    assert (look(id_).state, look(id_).result) == ("cancelled", None)


def test_a_run_whose_process_is_gone_is_interrupted_and_can_be_asked_for_again(sold: World) -> None:
    id_ = ask()
    assert look(id_, at=NOON + STARTS_WITHIN - timedelta(seconds=1)).state == "waiting"
    work(id_, goes_on=lambda: False, look_seconds=0)  # the web is gone before the first batch is through
    assert look(id_).state == "interrupted"
    again = ask()
    work(again)
    assert look(again).state == "done"


def test_a_run_that_nobody_began_is_interrupted_after_a_while(sold: World) -> None:
    id_ = ask()
    later = NOON + STARTS_WITHIN
    with transaction() as tx:
        assert [run.state for run in list_dry_runs(tx, limit=5, at=later)] == ["interrupted"]
    work(id_)
    assert look(id_).state == "interrupted"


def test_one_run_at_a_time_is_worked_on(sold: World) -> None:
    first, second = ask(), ask(by=SECOND)
    begun, go = threading.Event(), threading.Event()

    def hold() -> bool:
        begun.set()
        return go.wait(10)

    one = threading.Thread(target=work, args=(first,), kwargs={"goes_on": hold, "look_seconds": 0})
    one.start()
    assert begun.wait(10)
    other = threading.Thread(target=work, args=(second,))
    other.start()
    other.join(0.5)
    much_later = NOON + timedelta(days=1)
    assert (look(first, at=much_later).state, look(second, at=much_later).state) == ("running", "waiting")
    go.set()
    one.join(10)
    other.join(10)
    assert (look(first).state, look(second).state) == ("done", "done")


def test_a_person_has_one_unfinished_run(sold: World) -> None:
    ask()
    with pytest.raises(DryRunBusyError):
        ask()
    assert look(ask(by=SECOND)).state == "waiting"
    assert look(ask(at=NOON + STARTS_WITHIN)).state == "waiting", "the first was interrupted"


def test_of_many_requests_at_once_one_is_taken(sold: World) -> None:
    start, outcomes = threading.Barrier(8), []

    def attempt() -> None:
        start.wait()
        try:
            outcomes.append(str(ask()))
        except DryRunBusyError as busy:
            outcomes.append(busy.code)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("DRY_RUN_BUSY") == 7


def test_who_asks_and_cancels_again_and_again_waits_a_minute(sold: World) -> None:
    for _ in range(MOST_ASKED):
        with transaction() as tx:
            cancel_dry_run(tx, id_=ask(), at=NOON)
    with pytest.raises(DryRunsTooOftenError):
        ask()
    assert ask(by=SECOND)
    assert ask(at=NOON + timedelta(minutes=1))


def test_a_month_without_sales_is_refused(sold: World) -> None:
    with pytest.raises(NoSalesError):
        ask(days=(date(2026, 11, 1), date(2026, 12, 1)))


def test_a_run_that_broke_down_says_so(sold: World) -> None:
    id_ = ask()
    with two_connections() as (keeper, _):
        keeper.execute(text("UPDATE dry_run SET state = 'running'"))
        fail_dry_run(keeper, id_=id_, at=NOON)
    assert look(id_).state == "failed"


def test_an_unknown_run_is_not_found(world: World) -> None:
    with pytest.raises(NotFoundError):
        look(new_id())


@pytest.mark.parametrize(
    ("months", "today", "chosen"),
    [
        (["2026-09", "2026-10", "2026-11"], date(2026, 11, 22), "2026-10"),
        (["2026-09", "2026-10"], date(2026, 12, 1), "2026-10"),
        (["2026-11"], date(2026, 11, 30), "2026-11"),
        ([], date(2026, 11, 30), None),
    ],
)
def test_the_last_whole_month_is_chosen(months: list[str], today: date, chosen: str | None) -> None:
    assert choose_month(months, today=today) == chosen
