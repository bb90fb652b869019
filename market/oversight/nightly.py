"""The audits of a night: all rules over the books and the whole audit of the log, as `huigong verify` and `huigong audit` run them.

A run that was begun and not ended is one whose worker died: the next one says so and begins anew. No transaction lasts longer than one
rule of the books or one file of the log.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from market.kit.clock import business_day, get_zone
from market.kit.database import long_snapshot, transaction
from market.kit.ids import new_id
from market.oversight.audits import AUDITS, count_rows
from market.oversight.finding import Audit, Finding, run_audit
from market.oversight.models import NightlyRun
from market.record.auditing.audit import audit_log
from market.record.log.tiles import ReadFile
from market.record.publishing.served import find_checkpoint, find_published_policy, record_reader

FIRST_HOUR: Final = 3  # of the business zone
BEYOND_HOUR: Final = 6
MOST_ATTEMPTS: Final = 3
MOST_KEPT: Final = 200
NIGHTS_SHOWN: Final = 14

NightState: TypeAlias = Literal["clean", "findings", "running", "cut", "missed", "before"]


class NightStoppedError(Exception):
    """Whoever wanted the run is gone."""


@dataclass(frozen=True, slots=True)
class Night:
    """What became of a night: `cut` where every run of it was broken off, `before` where no run was ever begun before it."""

    on: date
    state: NightState
    findings: int


def begin_night(tx: Session, *, at: datetime) -> UUID | None:
    """Begin the run of this night; None where none is due. Only one job at a time may call it.

    A run of before that has no end was broken off with its worker. Begun again, also by day, it is three times at most.
    """
    broken = update(NightlyRun).where(NightlyRun.state == "running")
    tx.execute(broken.values(state="interrupted", ended_at=at))
    night, hour = business_day(at), at.astimezone(get_zone()).hour
    states = tx.scalars(select(NightlyRun.state).where(NightlyRun.night == night)).all()
    is_quiet = FIRST_HOUR <= hour < BEYOND_HOUR
    if "done" in states or len(states) >= MOST_ATTEMPTS or not (states or is_quiet):
        return None
    run = NightlyRun(id=new_id(), night=night, state="running", begun_at=at)
    tx.add(run)
    return run.id


def work_on_night(
    id_: UUID,
    *,
    clock: Callable[[], datetime],
    goes_on: Callable[[], bool] = lambda: True,
    audits: Sequence[Audit] = AUDITS,
) -> bool:
    """Check everything and keep what was found; whether it was kept: not where the run was taken for dead meanwhile.

    Raises NightStoppedError between two steps as soon as it does not go on; the run then stays as it is.
    """

    def step(*_: int) -> None:
        if not goes_on():
            raise NightStoppedError

    found: list[dict[str, Any]] = []
    for audit in audits:
        step()
        found += map(asdict, _run_alone(audit))
    with long_snapshot() as connection:
        rows = count_rows(connection)
    read = read_apart()
    checkpoint, more, size = read("checkpoint"), 0, 0
    if checkpoint is not None:
        audited = audit_log(read, progress=step)
        found += [asdict(Finding(each.rule, each.place, each.problem)) for each in audited.findings]
        more, size = audited.more, audited.replayed
    return _end(
        id_,
        ended_at=clock(),
        rules=len(audits),
        rows_seen=rows,
        size=size,
        checkpoint=checkpoint,
        findings=found[:MOST_KEPT],
        more=more + len(found[MOST_KEPT:]),
    )


def interrupt_night(tx: Session, id_: UUID, *, at: datetime) -> None:
    """A run that came to no end; nothing where it did."""
    of_it = update(NightlyRun).where(NightlyRun.id == id_, NightlyRun.state == "running")
    tx.execute(of_it.values(state="interrupted", ended_at=at))


def read_apart() -> ReadFile:
    """The files of the record, each read in a transaction of its own. Checkpoint and policy are those of this moment and belong together."""
    with transaction() as tx:
        head = {"checkpoint": find_checkpoint(tx), "policy": find_published_policy(tx)}

    def read(path: str) -> bytes | None:
        if path in head:
            return head[path]
        with transaction() as tx:
            return record_reader(tx)(path)

    return read


def find_newest_night(tx: Session) -> NightlyRun | None:
    """The run that was ended last."""
    return tx.scalar(select(NightlyRun).where(NightlyRun.state == "done").order_by(NightlyRun.night.desc()).limit(1))


def count_nightly_findings(tx: Session) -> int:
    """How much the run that was ended last found."""
    newest = find_newest_night(tx)
    return 0 if newest is None else newest.findings_count


def list_nights(tx: Session, *, at: datetime, last: int = NIGHTS_SHOWN) -> list[Night]:
    """The last nights, the oldest first; tonight only once its hours are over or its run is begun. Empty before any run."""
    first_ever = tx.scalar(select(func.min(NightlyRun.night)))
    if first_ever is None:
        return []
    today = business_day(at)
    runs: dict[date, list[NightlyRun]] = {}
    for run in tx.scalars(select(NightlyRun).where(NightlyRun.night > today - timedelta(days=last + 1))):
        runs.setdefault(run.night, []).append(run)
    is_over = today in runs or at.astimezone(get_zone()).hour >= BEYOND_HOUR
    newest = today if is_over else today - timedelta(days=1)
    nights = [newest - timedelta(days=back) for back in reversed(range(last))]
    return [_sum_up(night, runs.get(night, []), first_ever) for night in nights]


def _sum_up(night: date, runs: Iterable[NightlyRun], first_ever: date) -> Night:
    by_state = {run.state: run for run in runs}
    if (done := by_state.get("done")) is not None:
        return Night(night, "findings" if done.findings_count else "clean", done.findings_count)
    if "running" in by_state:
        return Night(night, "running", 0)
    if by_state:
        return Night(night, "cut", 0)
    return Night(night, "before" if night < first_ever else "missed", 0)


def _run_alone(audit: Audit) -> list[Finding]:
    """What a rule finds in a snapshot of its own, held no longer than it takes."""
    with long_snapshot() as connection:
        return run_audit(audit, connection)


def _end(id_: UUID, **figures: object) -> bool:
    with transaction() as tx:
        of_it = update(NightlyRun).where(NightlyRun.id == id_, NightlyRun.state == "running")
        return tx.execute(of_it.values(state="done", **figures).returning(NightlyRun.id)).first() is not None
