"""A log at size for the benches: written in bulk, given its places in the rounds of the sequencer, made searchable, signed."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.public_log import open_log, read_log_key
from bench.served import open_folder
from market.kit.clock import now
from market.kit.database import connect, disconnect, get_engine, transaction
from market.kit.migrations import upgrade
from market.kit.postgres import create_database, start_cluster, stop_cluster
from market.kit.settings import Settings
from market.oversight.counting import count_entries
from market.oversight.indexing import index_entries
from market.record.bulk import NewEntry, append_entries
from market.record.policy import Policy
from market.record.publishing.sequencer import place_entries, sign_log
from market.record.publishing.shelf import Shelf
from tests.record_log import many_entries

BATCH: Final = 5_000


@contextmanager
def open_database() -> Iterator[tuple[str, Path]]:
    """An empty database on a server of the bench's own, connected: its address, and the folder around it. Removed afterwards."""
    with TemporaryDirectory(prefix="huigong-record-") as folder:
        cluster = start_cluster(open_folder(Path(folder)))
        try:
            create_database(cluster, "record")
            upgrade(cluster.url("record"))
            connect(cluster.url("record"))
            yield cluster.url("record"), Path(folder)
        finally:
            disconnect()
            stop_cluster(cluster)


def write_log(
    size: int, *, settings: Settings, console: Console, bodies: Iterable[bytes] | None = None
) -> tuple[Policy, list[float]]:
    """A log of so many entries, or of these, placed and not signed: its policy, and entries per second of each round of placing."""
    at = now() - timedelta(minutes=1)
    policy = open_log(settings, origin="bench.example/record", window_seconds=5, at=at)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("writing entries", total=size - 1)
        rest = iter(bodies) if bodies else islice(many_entries(size), 1, None)  # the log has a policy of its own
        while batch := [_new_entry(body) for body in islice(rest, BATCH)]:
            with transaction() as tx:
                append_entries(tx, entries=batch, at=at)
            bar.advance(task, len(batch))
    return policy, _place(policy)


def _new_entry(body: bytes) -> NewEntry:
    said = json.loads(body)
    return NewEntry(said["type"], said["id"], said.get("merchant"), date.fromisoformat(said["day"]), body)


def _place(policy: Policy) -> list[float]:
    """Entries per second of each round until every entry has its place; the rounds are the sequencer's, of the last the rest is no measure."""
    rounds: list[tuple[int, float]] = []
    while True:
        begun = time.perf_counter()
        with transaction() as tx:
            count = place_entries(tx, policy=policy, at=now()).count
        if not count:
            most = max(count for count, _ in rounds)
            return [count / seconds for count, seconds in rounds if count == most]
        rounds.append((count, time.perf_counter() - begun))


def count_log() -> float:
    """Seconds until every published entry is in the public totals."""
    return _work_off(count_entries)


def index_log() -> float:
    """Seconds until every entry that has a place can be searched."""
    return _work_off(index_entries)


def _work_off(step: Callable[[Session], int]) -> float:
    """Seconds until a step, each time in a transaction of its own, finds nothing more to do."""
    begun = time.perf_counter()
    while True:
        with transaction() as tx:
            if not step(tx):
                return time.perf_counter() - begun


def publish_log(policy: Policy, *, settings: Settings, home: Path) -> float:
    """Seconds that signing takes."""
    key, shelf = read_log_key(settings, policy), Shelf(home / "shelf")
    begun = time.perf_counter()
    with transaction() as tx:
        sign_log(tx, policy=policy, key=key, shelf=shelf, at=now())
    return time.perf_counter() - begun


def vacuum() -> None:
    """What the server does by itself when it is idle."""
    with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(
            text(
                "VACUUM (ANALYZE) entry, entry_index, entry_offer, account_movement, public_account, day_total, month_total, offer_total"
            )
        )
