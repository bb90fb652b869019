"""The public record at size: `python -m bench.record [--size ENTRIES] [--only SECTION …]`.

`bulk` writes a log of its own in bulk and gives the entries their places in the rounds of the sequencer; on that log `audit` proves and
audits as anybody would, `sums` asks for public sums and `pages` for public and auditor's pages over HTTP, `exports` takes it away.
`delay` and `sales` run a till's sales over HTTP beside `huigong sequencer` in a process of its own. PostgreSQL is one of the bench's own,
with fsync on.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from rich.console import Console

from bench.logs import count_log, index_log, open_database, publish_log, vacuum, write_log
from bench.record_live import measure_delay, measure_sales
from bench.record_pages import measure_exports, measure_pages, measure_sums
from bench.tables import Row, print_figures
from market.kit.database import transaction
from market.kit.settings import Settings
from market.record.publishing.served import prove_entry, published_size, record_reader
from tests.record_log import copy_record

FULL: Final = 100_000
QUICK: Final = 10_000
PROOFS: Final = 300
BULK_GOAL: Final = 20_000  # entries a second
PROOF_GOAL_MS: Final = 5
AUDIT_GOAL_SECONDS: Final = 60  # of a million entries
START_SECONDS: Final = 2  # of the command itself
ON_A_LOG: Final = ("bulk", "audit", "sums", "pages", "exports")
BESIDE_SALES: Final = ("delay", "sales")

# `huigong audit`, and at its end the most memory it had: that of a child is counted from before its exec where the parent asks.
COMMAND: Final = """
import atexit
from pathlib import Path
from api.cli import main
status = Path("/proc/self/status")
atexit.register(lambda: print(next(line.split()[1] for line in status.open() if line.startswith("VmHWM"))))
main()
"""


def measure_log(size: int, sections: Collection[str], *, console: Console) -> Iterator[Row]:
    """Rows of those sections that one log of `size` entries serves: what, measured, goal, reached."""
    with open_database() as (url, home):
        settings = Settings(record_folder=home / "keys")
        policy, rates = write_log(size, settings=settings, console=console)
        placed = median(rates)
        yield (
            f"record of {size:,} entries, placed: median round and slowest",
            f"{placed:,.0f} /s, {min(rates):,.0f} /s",
            f"≥ {BULK_GOAL:,} /s",
            placed >= BULK_GOAL,
        )
        yield "… signed", f"{publish_log(policy, settings=settings, home=home) * 1_000:,.1f} ms", "", True
        if "audit" in sections:
            yield from _audit(home)
        yield "… counted in public sums", f"{size / count_log():,.0f} /s", "", True
        if "sums" in sections:
            yield from measure_sums(url, home)
        if {"pages", "exports"} & set(sections):
            yield "… made searchable", f"{size / index_log():,.0f} /s", "", True
            vacuum()
        if "pages" in sections:
            yield from measure_pages(size, url, home)
        if "exports" in sections:
            yield from measure_exports(url, home)


def _audit(home: Path) -> Iterator[Row]:
    """Proofs out of the tables, and what `huigong audit` takes for a copy of what is served."""
    with transaction() as tx:
        size = published_size(tx)
    proofs = [_prove(index) for index in random.Random(7).choices(range(size), k=PROOFS)]
    p95 = quantiles(proofs, n=20)[-1]
    took = f"{median(proofs):.1f} ms, {p95:.1f} ms"
    yield "… inclusion proof, median and p95", took, f"median ≤ {PROOF_GOAL_MS} ms", median(proofs) <= PROOF_GOAL_MS
    with transaction() as tx:
        copy = copy_record(record_reader(tx), home / "copy", size)
    begun = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", COMMAND, "audit", copy], stdout=subprocess.PIPE, text=True) as process:
        *_, said, peak = process.stdout.read().splitlines() if process.stdout else ["nothing", "0"]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds, cpu = time.perf_counter() - begun, usage.ru_utime + usage.ru_stime
    goal = START_SECONDS + AUDIT_GOAL_SECONDS * size / 1_000_000
    took = f"{cpu:,.1f} s ({seconds:,.1f} s on the clock)"
    yield "… audited, seconds of one core", took, f"≤ {goal:,.1f} s", cpu <= goal
    yield "… peak memory of the audit", f"{int(peak) / 1024:,.0f} MiB", "", True
    yield "… said by the audit", said, "0 findings", said == "0 findings"


def _prove(index: int) -> float:
    """Milliseconds of one inclusion proof, statements and hashing together."""
    begun = time.perf_counter()
    with transaction() as tx:
        prove_entry(tx, leaf_index=index)
    return (time.perf_counter() - begun) * 1_000


def _tell(rows: Iterator[Row], console: Console) -> Iterator[Row]:
    """Each as soon as it is measured: a million entries take most of an hour."""
    for row in rows:
        console.print(f"{row[0]}: {row[1]}", highlight=False)
        yield row


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.record", description=__doc__)
    parser.add_argument("--size", type=int, default=FULL, help="entries, up to a million")
    parser.add_argument("--only", nargs="+", choices=(*ON_A_LOG, *BESIDE_SALES), help="these sections alone")
    chosen = parser.parse_args()
    sections = chosen.only or (*ON_A_LOG, *BESIDE_SALES)
    console = Console(width=150)
    rows: list[Row] = []
    if set(ON_A_LOG) & set(sections):
        rows += _tell(measure_log(chosen.size, sections, console=console), console)
    if "delay" in sections:
        rows += _tell(measure_delay(console=console), console)
    if "sales" in sections:
        rows += _tell(measure_sales(console=console), console)
    sys.exit(0 if print_figures(rows, console=console, title="The public record") else 1)


if __name__ == "__main__":
    main()
