"""What the auditor waits for on a long log: making it searchable, pages at random depth, running balances, exports and their memory.

python -m bench.audit_desk [--size 50000]
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from rich.console import Console
from sqlalchemy import text

from api.audit_filter import Asked
from api.public_log import read_log_key
from bench.record import write_log
from bench.served import open_folder
from bench.tables import Row, print_figures
from market.kit.clock import now
from market.kit.database import connect, disconnect, get_engine, transaction
from market.kit.migrations import upgrade
from market.kit.postgres import create_database, start_cluster, stop_cluster
from market.kit.settings import Settings
from market.oversight.entry_search import search_entries
from market.oversight.indexing import index_entries
from market.oversight.movements import list_movements
from market.record.publishing.sequencer import sign_log
from market.record.publishing.shelf import Shelf

FULL: Final = 50_000
ROUNDS: Final = 30
PAGE_GOAL_MS: Final = 300
RSS_GOAL_MIB: Final = 300
FORMS: Final = ("jsonl", "csv", "accounting", "parquet", "xlsx")
SEARCHES: Final = (
    ("all", Asked()),
    ("sales of a merchant", Asked(kind="sale", merchant="m_0001")),
    ("returned in part or wholly", Asked(state="refunded")),
    ("an offer's version", Asked(offer="NOODLE10", version=1)),
    ("a day, amount between", Asked(first=date(2026, 12, 2), last=date(2026, 12, 2), of="subsidy", least="2.90")),
    ("a rare amount", Asked(of="paid", least="89.99")),
    ("an amount that no entry has", Asked(least="5000")),
)
_CHILD: Final = r"""
import re, sys
from pathlib import Path
from api.record_exports import begin_export, write_export
from market.kit.database import connect
from market.oversight.entry_search import Wanted
connect(sys.argv[1], pool_size=2)
made = begin_export(sys.argv[2], Wanted())
write_export(made, Path(sys.argv[3]), progress=lambda _: None)
peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(int(peak[1]) // 1024, made.entries)
"""


def measure(size: int, console: Console) -> Iterator[Row]:
    """Rows of the table: what, measured, goal, reached."""
    with tempfile.TemporaryDirectory(prefix="huigong-audit-") as home:
        cluster = start_cluster(open_folder(Path(home)))
        try:
            create_database(cluster, "record")
            url = cluster.url("record")
            upgrade(url)
            connect(url)
            settings = Settings(record_folder=Path(home) / "keys")
            policy, _ = write_log(size, settings=settings, console=console)
            yield "entries made searchable", f"{size / _index():,.0f} /s", "", True
            with transaction() as tx:
                key, shelf = read_log_key(settings, policy), Shelf(Path(home) / "shelf")
                sign_log(tx, policy=policy, key=key, shelf=shelf, at=now())
            with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM (ANALYZE) entry, entry_index, entry_offer, account_movement"))
            yield from _pages(size)
            for form in FORMS:
                yield _export(form, url, Path(home) / form)
        finally:
            disconnect()
            stop_cluster(cluster)


def _index() -> float:
    begun = time.perf_counter()
    while True:
        with transaction() as tx:
            if not index_entries(tx):
                return time.perf_counter() - begun


def _pages(size: int) -> Iterator[Row]:
    places = random.Random(7)

    def search(asked: Asked) -> Callable[[], object]:
        def once() -> object:
            with transaction() as tx:
                return search_entries(tx, wanted=asked.wanted, before=places.randrange(1, size), limit=50)

        return once

    def move() -> object:
        with transaction() as tx:
            return list_movements(tx, account="budget:lunch", before=(places.randrange(1, size), 0), limit=50)

    for name, asked in SEARCHES:
        yield _timed(f"… a page at random depth: {name}", search(asked))
    yield _timed("… a page of a budget's movements", move)


def _timed(name: str, once: Callable[[], object]) -> Row:
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        once()
        took.append((time.perf_counter() - begun) * 1_000)
    p95 = quantiles(took, n=20)[-1]
    return name, f"{median(took):,.1f} ms, p95 {p95:,.1f} ms", f"≤ {PAGE_GOAL_MS} ms", p95 <= PAGE_GOAL_MS


def _export(form: str, url: str, to: Path) -> Row:
    begun = time.perf_counter()
    command = [sys.executable, "-c", _CHILD, url, form, str(to)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    peak, entries = map(int, done.stdout.split())
    seconds = time.perf_counter() - begun
    said = f"{entries:,} entries in {seconds:,.1f} s, {to.stat().st_size / 1e6:,.0f} MB, peak memory {peak:,} MiB"
    return f"export {form}", said, f"≤ {RSS_GOAL_MIB} MiB", peak <= RSS_GOAL_MIB


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.audit_desk", description=__doc__)
    parser.add_argument("--size", type=int, default=FULL, help="entries, up to a million")
    console = Console(width=150)
    rows = list(measure(parser.parse_args().size, console))
    sys.exit(0 if print_figures(rows, console=console, title="The auditor's desk") else 1)


if __name__ == "__main__":
    main()
