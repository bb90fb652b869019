"""The public record at size: `python -m bench.record [--size ENTRIES]` sequences a log of its own and audits it as anybody would.

PostgreSQL is one of the bench's own, with fsync on. Entries are written in bulk, given their places in the rounds of the sequencer, and
signed; inclusion proofs are made from the tables; then `huigong audit` reads a copy of what is served, in a process of its own.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from statistics import median, quantiles

from rich.console import Console
from rich.progress import Progress

from api.public_log import open_log, read_log_key
from bench.served import open_folder
from bench.tables import Row, print_figures
from market.kit.clock import now
from market.kit.database import connect, disconnect, transaction
from market.kit.migrations import upgrade
from market.kit.postgres import create_database, start_cluster, stop_cluster
from market.kit.settings import Settings
from market.record.bulk import NewEntry, append_entries
from market.record.policy import Policy
from market.record.publishing.sequencer import place_entries, sign_log
from market.record.publishing.served import prove_entry, record_reader
from market.record.publishing.shelf import Shelf
from tests.record_log import copy_record, many_entries

FULL = 100_000
QUICK = 10_000
BATCH = 5_000
PROOFS = 300
AUDIT_GOAL_SECONDS = 60  # of a million entries
START_SECONDS = 2  # of the command itself


# `huigong audit`, and at its end the most memory it had: that of a child is counted from before its exec where the parent asks.
COMMAND = """
import atexit
from pathlib import Path
from api.cli import main
status = Path("/proc/self/status")
atexit.register(lambda: print(next(line.split()[1] for line in status.open() if line.startswith("VmHWM"))))
main()
"""


@dataclass(frozen=True, slots=True)
class Audit:
    """What `huigong audit` took, and its last line."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    said: str


@dataclass(frozen=True, slots=True)
class Record:
    """What was measured on a log of `size` entries."""

    size: int
    place_seconds: float
    sign_ms: float
    proofs_ms: list[float]
    audit: Audit

    @property
    def goal_seconds(self) -> float:
        """How many seconds of one core the audit may take."""
        return START_SECONDS + AUDIT_GOAL_SECONDS * self.size / 1_000_000


def measure_record(size: int, *, console: Console) -> Record:
    """Write, place, sign, prove and audit."""
    with tempfile.TemporaryDirectory(prefix="huigong-record-") as home:
        cluster = start_cluster(open_folder(Path(home)))
        try:
            create_database(cluster, "record")
            upgrade(cluster.url("record"))
            connect(cluster.url("record"))
            return _measure(size, Path(home), console)
        finally:
            disconnect()
            stop_cluster(cluster)


def describe_record(record: Record) -> Iterator[Row]:
    """Rows of the table: what, measured, goal, reached."""
    yield f"record of {record.size:,} entries, placed", f"{record.size / record.place_seconds:,.0f} /s", "", True
    yield "… signed", f"{record.sign_ms:,.1f} ms", "", True
    p95 = quantiles(record.proofs_ms, n=20)[-1]
    yield "… inclusion proof, median and p95", f"{median(record.proofs_ms):.1f} ms, {p95:.1f} ms", "", True
    audit = record.audit
    took = f"{audit.cpu_seconds:,.1f} s ({audit.seconds:,.1f} s on the clock)"
    yield (
        "… audited, seconds of one core",
        took,
        f"≤ {record.goal_seconds:,.1f} s",
        audit.cpu_seconds <= record.goal_seconds,
    )
    yield "… peak memory of the audit", f"{audit.peak_mib:,.0f} MiB", "", True
    yield "… said by the audit", audit.said, "0 findings", audit.said == "0 findings"


def _measure(size: int, home: Path, console: Console) -> Record:
    settings = Settings(record_folder=home / "keys")
    policy, placed = write_log(size, settings=settings, console=console)
    begun = time.perf_counter()
    with transaction() as tx:
        shelf = Shelf(home / "shelf")
        sign_log(tx, policy=policy, key=read_log_key(settings, policy), shelf=shelf, at=now())
    signed = time.perf_counter() - begun
    proofs = [_prove(index) for index in random.Random(7).choices(range(size), k=PROOFS)]
    with transaction() as tx:
        copy = copy_record(record_reader(tx), home / "copy", size)
    return Record(size, placed, signed * 1_000, proofs, _audit(copy))


def write_log(size: int, *, settings: Settings, console: Console) -> tuple[Policy, float]:
    """A log of so many entries, placed and not signed: its policy, and the seconds that placing took."""
    at = now() - timedelta(minutes=1)
    policy = open_log(settings, origin="bench.example/record", window_seconds=5, at=at)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("writing entries", total=size - 1)
        bodies = islice(many_entries(size), 1, None)  # the log has a policy of its own
        while batch := [_new_entry(body) for body in islice(bodies, BATCH)]:
            with transaction() as tx:
                append_entries(tx, entries=batch, at=at)
            bar.advance(task, len(batch))
    return policy, _place(policy)


def _new_entry(body: bytes) -> NewEntry:
    said = json.loads(body)
    return NewEntry(said["type"], said["id"], said.get("merchant"), date.fromisoformat(said["day"]), body)


def _place(policy: Policy) -> float:
    """Seconds until every entry has its place, in as many transactions as the sequencer takes."""
    begun = time.perf_counter()
    while True:
        with transaction() as tx:
            if not place_entries(tx, policy=policy, at=now()).count:
                return time.perf_counter() - begun


def _prove(index: int) -> float:
    """Milliseconds of one inclusion proof, statements and hashing together."""
    begun = time.perf_counter()
    with transaction() as tx:
        prove_entry(tx, leaf_index=index)
    return (time.perf_counter() - begun) * 1_000


def _audit(where: Path) -> Audit:
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, "audit", where], stdout=subprocess.PIPE, text=True
    ) as process:
        *_, said, peak = process.stdout.read().splitlines() if process.stdout else ["nothing", "0"]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun
    return Audit(seconds, usage.ru_utime + usage.ru_stime, int(peak) / 1024, said)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.record", description=__doc__)
    parser.add_argument("--size", type=int, default=FULL, help="entries, up to a million")
    console = Console(width=140)
    rows = list(describe_record(measure_record(parser.parse_args().size, console=console)))
    sys.exit(0 if print_figures(rows, console=console, title="The public record") else 1)


if __name__ == "__main__":
    main()
