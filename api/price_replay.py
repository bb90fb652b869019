"""`huigong verify --prices`: the days with sales are dealt to two processes, each with a connection and a snapshot of its own.

The commitment keys of persons lie with the cards, the prices with the market: here they meet.
"""

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from multiprocessing import get_context
from uuid import UUID

from sqlalchemy import Connection, select

from cards.keys import unwrap_person_key
from cards.models import PersonKey
from market.kit.database import connect, get_engine
from market.oversight.finding import Finding
from market.oversight.replay import check_prices, check_versions
from market.oversight.stored import Versions, count_days

PROCESSES = 2
WORTH_A_PROCESS = 3_000  # sales; below, starting a second process takes longer than it saves


@dataclass(slots=True)
class Replayed:
    """How many sales were priced again, and a finding for each sale or offer version that is not as it was written."""

    sales: int = 0
    findings: list[Finding] = field(default_factory=list)


def replay_prices(*, progress: Callable[[int, int], None], processes: int | None = None) -> Replayed:
    """Price every stored sale again. `progress` is called with (sales done, of how many); so many `processes`, else what is faster."""
    with _snapshot() as connection:
        days = count_days(connection)
        outcome = Replayed(findings=list(check_versions(connection)))
    whole = sum(days.values())
    number = processes or (PROCESSES if whole >= WORTH_A_PROCESS else 1)
    for sales, findings in map(_check_day, days) if number == 1 else _spread(days, number):
        outcome.sales += sales
        outcome.findings += findings
        progress(outcome.sales, whole)
    outcome.findings.sort(key=lambda finding: finding.subject)
    return outcome


def _spread(days: Mapping[date, int], processes: int) -> Iterator[tuple[int, list[Finding]]]:
    """The longest days first, so that all processes end at about the same time."""
    url = get_engine().url.render_as_string(hide_password=False)
    with get_context("spawn").Pool(processes, initializer=_begin, initargs=(url,)) as pool:
        yield from pool.imap_unordered(_check_day, sorted(days, key=lambda day: -days[day]))


def _begin(url: str) -> None:
    """In a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to act on
    connect(url, pool_size=1)


def _check_day(day: date) -> tuple[int, list[Finding]]:
    """The number of sales of a day, and what was found."""
    with _snapshot() as connection:
        keys_of = partial(read_keys, connection)
        found = list(check_prices(connection, day=day, versions=Versions(connection), keys_of=keys_of))
    return len(found), [finding for finding in found if finding]


def _snapshot() -> Connection:
    """A connection that only reads, and reads one state of the database."""
    connection = get_engine().connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    return connection


def read_keys(connection: Connection, subjects: Sequence[UUID]) -> dict[UUID, bytes]:
    """The commitment keys of these persons; somebody whose key was erased is left out."""
    rows = connection.execute(select(PersonKey.subject, PersonKey.wrapped).where(PersonKey.subject.in_(subjects)))
    return {subject: unwrap_person_key(wrapped, subject=subject) for subject, wrapped in rows}
