"""What the auditor waits for on a long log: making it searchable, pages at random depth, running balances, exports and their memory.

python -m bench.audit_desk [--size 50000] [--waiting 20000]
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from statistics import median, quantiles
from typing import Final

from rich.console import Console
from sqlalchemy import text

from api.entry_filter import AuditAsked
from bench.logs import index_log, open_database, publish_log, vacuum, write_log
from bench.record_pages import measure_export
from bench.tables import Row, print_figures
from market.kit.database import transaction
from market.kit.settings import Settings
from market.oversight.entry_search import Cursor, search_entries
from market.oversight.movements import list_movements

FULL: Final = 50_000
WAITING: Final = 20_000
ROUNDS: Final = 30
PAGE_GOAL_MS: Final = 100
FORMS: Final = ("jsonl", "csv", "accounting", "parquet", "xlsx")
SEARCHES: Final = (
    ("all", AuditAsked()),
    ("sales of a merchant", AuditAsked(kind="sale", merchant="m_0001")),
    ("returned in part or wholly", AuditAsked(state="refunded")),
    ("an offer's version", AuditAsked(offer="NOODLE10", version=1)),
    ("a day, amount between", AuditAsked(first=date(2026, 12, 2), last=date(2026, 12, 2), of="subsidy", least="2.90")),
    ("a rare amount", AuditAsked(of="paid", least="89.99")),
    ("an amount that no entry has", AuditAsked(least="5000")),
)


WAITING_SEARCHES: Final = (
    ("all", AuditAsked(state="waiting")),
    ("a merchant", AuditAsked(merchant="m_0001", state="waiting")),
    ("an amount that no entry has", AuditAsked(least="5000", state="waiting")),
    ("a rare amount", AuditAsked(of="subsidy", least="2.99", state="waiting")),
    ("an offer that no entry has", AuditAsked(offer="NONE", state="waiting")),
)
# The newest purchases once more, as those of batched merchants: as many as are asked for.
WAIT: Final = text(
    """
INSERT INTO entry (id, public_id, type, merchant, day, body, created_at, is_batched)
SELECT uuidv7(), md5(n || public_id), 'sale', 'm_' || lpad((row_number() OVER () % 40)::text, 4, '0'), day, body, created_at, true
FROM entry CROSS JOIN generate_series(0, :count / :size) AS n WHERE type = 'sale' AND NOT is_batched LIMIT :count
"""
)


def measure(size: int, waiting: int, console: Console) -> Iterator[Row]:
    """Rows of the table: what, measured, goal, reached."""
    with open_database() as (url, home):
        settings = Settings(record_folder=home / "keys")
        policy, _ = write_log(size, settings=settings, console=console)
        yield "entries made searchable", f"{size / index_log():,.0f} /s", "", True
        publish_log(policy, settings=settings, home=home)
        vacuum()
        yield from _pages(size)
        with transaction() as tx:
            tx.execute(WAIT, {"count": waiting, "size": size // 2})
        vacuum()
        yield from _pages_of_waiting()
        for form in FORMS:
            yield measure_export(form, url, home / form)


def _pages(size: int) -> Iterator[Row]:
    places = random.Random(7)

    def search(asked: AuditAsked) -> Callable[[], object]:
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


def _pages_of_waiting() -> Iterator[Row]:
    """One page after the other, from the newest on."""
    for name, asked in WAITING_SEARCHES:
        before: Cursor | None = None

        def turn(asked: AuditAsked = asked) -> None:
            nonlocal before
            with transaction() as tx:
                before = search_entries(tx, wanted=asked.wanted, before=before, limit=50).older

        yield _timed(f"… the next page of what waits: {name}", turn)


def _timed(name: str, once: Callable[[], object]) -> Row:
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        once()
        took.append((time.perf_counter() - begun) * 1_000)
    p95 = quantiles(took, n=20)[-1]
    return name, f"{median(took):,.1f} ms, p95 {p95:,.1f} ms", f"≤ {PAGE_GOAL_MS} ms", p95 <= PAGE_GOAL_MS


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.audit_desk", description=__doc__)
    parser.add_argument("--size", type=int, default=FULL, help="entries, up to a million")
    parser.add_argument("--waiting", type=int, default=WAITING, help="purchases that wait for a batch, up to 300,000")
    chosen = parser.parse_args()
    console = Console(width=150)
    rows = list(measure(chosen.size, chosen.waiting, console))
    sys.exit(0 if print_figures(rows, console=console, title="The auditor's desk") else 1)


if __name__ == "__main__":
    main()
