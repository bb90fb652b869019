"""Dry runs that somebody asked for: asked, worked on by a process of their own, cancelled, kept.

Whoever works on one holds a lock of the database for as long as his connection lives. A run that calls itself running while nobody holds
its lock was interrupted: the process ended, or the machine did. It can be asked for again.
"""

import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, NotFoundError
from market.kit.ids import new_id
from market.offers.models import OfferVersion
from market.oversight.dry_run import Draft, Simulation
from market.oversight.models import DryRun
from market.oversight.stored import Versions, count_days, open_sale, read_sales

STARTS_WITHIN: Final = timedelta(seconds=30)  # by then the process that works on it holds its lock
TURN_LOCK: Final = 0x68676472  # "hgdr", any number that nobody else locks
LOOK_SECONDS: Final = 0.3
MOST_TRYABLE: Final = 200
MOST_ASKED: Final = 8  # by one person in a minute
UNFINISHED: Final = ("waiting", "running")


class DryRunBusyError(ConflictError):
    """The same person has a dry run that is not finished."""

    code = "DRY_RUN_BUSY"
    zh = "你上一次试算还没有算完，请等它算完，或先取消它。"
    en = "Your last dry run is not finished; wait for it, or cancel it first."


class DryRunsTooOftenError(ConflictError):
    """The same person asked for many within a minute: each is a process that has to start."""

    code = "DRY_RUNS_TOO_OFTEN"
    zh = "一分钟里已试算了 {most} 次，请过一分钟再试。"
    en = "That was {most} dry runs within a minute; wait a minute and try again."


class NoSalesError(ConflictError):
    """There is nothing to try the draft on."""

    code = "NO_SALES"
    zh = "这个月没有可以试算的消费，请换一个月份。"
    en = "That month has no sales to try it on; choose another month."


def ask_dry_run(
    tx: Session,
    *,
    draft: Draft,
    version: int | None,
    days: tuple[date, date],
    asked_by: UUID,
    at: datetime,
) -> UUID:
    """Keep that a draft is to be tried on the sales of `days` (half-open), and answer the run's id. Somebody must then work on it.

    Raises DryRunBusyError, DryRunsTooOftenError, and NoSalesError when there are none in these days.
    """
    # Of two requests at once the second sees the first.
    tx.execute(select(func.pg_advisory_xact_lock(_lock_of(asked_by))))
    for run in tx.scalars(select(DryRun).where(DryRun.asked_by == asked_by, DryRun.state.in_(UNFINISHED))).all():
        if not _is_interrupted(tx, run, at=at):
            raise DryRunBusyError
    recent = select(func.count()).where(DryRun.asked_by == asked_by, DryRun.asked_at > at - timedelta(minutes=1))
    if (tx.scalar(recent) or 0) >= MOST_ASKED:
        raise DryRunsTooOftenError(most=MOST_ASKED)
    first, beyond = days
    whole = sum(count_days(tx.connection(), first=first, beyond=beyond).values())
    if not whole:
        raise NoSalesError
    id_ = new_id()
    tx.execute(
        insert(DryRun).values(
            id=id_,
            offer=draft.offer.id,
            version=version,
            document=draft.to_json(),
            budget_fen=draft.budget_fen,
            first_on=first,
            beyond_on=beyond,
            state="waiting",
            done_count=0,
            whole_count=whole,
            asked_by=asked_by,
            asked_at=at,
        )
    )
    return id_


def cancel_dry_run(tx: Session, *, id_: UUID, at: datetime) -> None:
    """Let a run that is not finished end without a result; whoever works on it sees it within a second. Others stay as they are."""
    tx.execute(
        update(DryRun).where(DryRun.id == id_, DryRun.state.in_(UNFINISHED)).values(state="cancelled", ended_at=at)
    )


def get_dry_run(tx: Session, *, id_: UUID, at: datetime) -> DryRun:
    """One run, its state as it is now. Raises NotFoundError."""
    run = tx.get(DryRun, id_)
    if run is None:
        raise NotFoundError
    _is_interrupted(tx, run, at=at)
    return run


def list_dry_runs(tx: Session, *, limit: int, at: datetime) -> Sequence[DryRun]:
    """The newest runs first."""
    runs = tx.scalars(select(DryRun).order_by(DryRun.asked_at.desc()).limit(limit)).all()
    for run in runs:
        _is_interrupted(tx, run, at=at)
    return runs


def choose_month(months: Sequence[str], *, today: date) -> str | None:
    """Of months with sales (YYYY-MM, oldest first) the last whole one, else the newest; None when there is none."""
    whole = [month for month in months if month < f"{today:%Y-%m}"]
    return next(iter([*reversed(whole), *reversed(months)]), None)


def list_tryable(tx: Session) -> Sequence[OfferVersion]:
    """Versions that wait or are approved, newest first: those that somebody may want to try."""
    return tx.scalars(
        select(OfferVersion)
        .where(OfferVersion.state.in_(("submitted", "approved")))
        .order_by(OfferVersion.proposed_at.desc(), OfferVersion.offer)
        .limit(MOST_TRYABLE)
    ).all()


def work_on(
    keeper: Connection,
    reader: Connection,
    *,
    id_: UUID,
    clock: Callable[[], datetime],
    goes_on: Callable[[], bool] = lambda: True,
    look_seconds: float = LOOK_SECONDS,
) -> None:
    """Carry out a run that waits. `keeper` commits by itself and holds the locks, `reader` reads one state of the database.

    One run at a time is worked on in the whole installation: the tills come first. It ends early when it is cancelled, and when
    `goes_on` says no; both are looked at every `look_seconds`.
    """
    keeper.execute(select(func.pg_advisory_lock(_lock_of(id_))))
    while not keeper.scalar(select(func.pg_try_advisory_lock(TURN_LOCK))):
        time.sleep(look_seconds)
        if not goes_on() or keeper.scalar(select(DryRun.state).where(DryRun.id == id_)) != "waiting":
            return
    if not _step(keeper, id_, "waiting", state="running", started_at=clock()):
        return
    run = keeper.execute(
        select(DryRun.document, DryRun.budget_fen, DryRun.first_on, DryRun.beyond_on).where(DryRun.id == id_)
    ).one()
    draft = Draft.from_json(run.document, budget_fen=run.budget_fen)
    shown = time.monotonic()

    def show(done: int) -> bool:
        nonlocal shown
        if time.monotonic() - shown < look_seconds:
            return True
        shown = time.monotonic()
        return goes_on() and _step(keeper, id_, "running", done_count=done)

    result = simulate(reader, draft=draft, days=(run.first_on, run.beyond_on), progress=show)
    if result is not None:
        _step(keeper, id_, "running", state="done", done_count=DryRun.whole_count, result=result, ended_at=clock())


def fail_dry_run(keeper: Connection, *, id_: UUID, at: datetime) -> None:
    """Say that a run broke down; why stands in the log."""
    _step(keeper, id_, "running", state="failed", ended_at=at)


def simulate(
    reader: Connection, *, draft: Draft, days: tuple[date, date], progress: Callable[[int], bool]
) -> dict[str, Any] | None:
    """Try a draft on the sales from the first of `days` until the second, those that were voided left out.

    `progress` gets the number of sales that are through and answers whether to go on; None when it was told not to.
    """
    versions, done = Versions(reader), 0
    simulation = Simulation(draft, versions)
    for day, count in count_days(reader, first=days[0], beyond=days[1]).items():
        through = done
        for rows in read_sales(reader, day=day, with_void=False):
            sales = [open_sale(row) for row in rows]
            versions.need(key for sale in sales for key in sale.versions())
            for sale in sales:
                simulation.add(sale)
            through += len(rows)
            if not progress(through):
                return None
        done += count  # with those that were voided
    return simulation.result()


def _step(keeper: Connection, id_: UUID, was: str, /, **values: object) -> bool:
    """Write to a run that is still in this state; answers whether it was."""
    return keeper.execute(update(DryRun).where(DryRun.id == id_, DryRun.state == was).values(**values)).rowcount == 1


def _is_interrupted(tx: Session, run: DryRun, *, at: datetime) -> bool:
    """Whether nobody works on a run that is not finished; then it is marked so."""
    if run.state not in UNFINISHED or (run.state == "waiting" and at - run.asked_at < STARTS_WITHIN):
        return False
    if not tx.scalar(select(func.pg_try_advisory_xact_lock(_lock_of(run.id)))):
        return False
    tx.refresh(run, with_for_update=True)
    if run.state in UNFINISHED:
        run.state, run.ended_at = "interrupted", at
    return True


def _lock_of(id_: UUID) -> int:
    """The number of a run's lock: its random half."""
    return id_.int & (1 << 63) - 1
