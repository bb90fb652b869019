"""Batches at size: `python -m bench.batches [--waiting N] [--members N]`.

So many purchases of 300 batched merchants wait, one in twenty a return, and their day is not over: a round of the sequencer then has
nothing to do, and is timed with and without the first minutes of a day, when it looks for what comes late. Then so many purchases of one
merchant are put into batches, and the paths of single ones to their root are timed, as a receipt file has them. PostgreSQL is one of the
bench's own, with fsync on.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from rich.console import Console
from sqlalchemy import select, text

from api.public_log import open_log, run_round
from bench.logs import open_database, vacuum
from bench.tables import Row, print_figures
from market.kit.clock import get_zone
from market.kit.database import transaction
from market.kit.settings import Settings
from market.record.models import Entry
from market.record.publishing.batched import find_batch, prove_in_batch
from market.record.publishing.batching import make_batches

WAITING: Final = 300_000
MEMBERS: Final = 10_000
ROUNDS: Final = 20
PATHS: Final = 100
NOON: Final = datetime(2026, 12, 2, 12, tzinfo=get_zone())
NOTHING_DUE_MS: Final = 5
A_PATH_MS: Final = 20

# Purchase n of a day; one in twenty gives the one before it back.
_WRITE = text(
    """
INSERT INTO entry (id, public_id, type, merchant, day, body, created_at, is_batched)
SELECT gen_random_uuid(), id, kind, merchant, :day, convert_to(format(
  '{"basket":"%s=","ccy":"CNY","channel":"shop","concession"\\:100,"day":"%s","facts":"%s=","id":"%s","list"\\:1000,"merchant":"%s","of":"%s",'
  '"offers":[["CHEMIST5",1,100]],"paid"\\:800,"rebate_member"\\:0,"rebate_union"\\:0,"subject":"%s=","subsidy"\\:100,"tender":"declared",'
  '"transfers":[["budget\\:lunch","payable:%s",100]],"type":"%s","v"\\:1}',
  left(id || id, 43), :day, left(id || id, 43), id, merchant, of, left(id || id, 43), merchant, kind), 'UTF8'), :at, true
FROM (
  SELECT md5(CAST(:day AS text) || n) AS id, CASE WHEN n % 20 = 19 THEN 'refund' ELSE 'sale' END AS kind,
    'm_' || :prefix || n / 20 % :merchants AS merchant, md5(CAST(:day AS text) || n - 1) AS of
  FROM generate_series(0, :count - 1) AS n
) AS purchase
"""
)


def write_purchases(count: int, *, at: datetime, merchants: int, prefix: str) -> None:
    """Purchases of this day that wait for their batch."""
    values = {"day": at.date(), "at": at, "count": count, "merchants": merchants, "prefix": prefix}
    with transaction() as tx:
        tx.execute(_WRITE, values)


def measure(waiting: int, members: int, *, console: Console) -> list[Row]:
    """What a round takes that has nothing to do, and a path in a batch."""
    with open_database() as (_, home):
        settings = Settings(record_folder=home / "keys")
        policy = open_log(settings, origin="bench.example/record", window_seconds=5, at=NOON - timedelta(days=3))
        console.print(f"writing {waiting:,} purchases")
        write_purchases(waiting, at=NOON, merchants=300, prefix="wait")
        vacuum()
        midnight = NOON.replace(hour=0)

        def look(at: datetime) -> None:
            with transaction() as tx:
                if make_batches(tx, policy=policy, at=at).batches:
                    raise AssertionError(at)

        early = _time(lambda: look(midnight + timedelta(minutes=5)), ROUNDS)
        look(NOON)
        late = _time(lambda: look(NOON), ROUNDS)
        console.print(f"{members:,} purchases of one merchant")
        write_purchases(members, at=NOON - timedelta(days=1), merchants=1, prefix="busy")
        vacuum()
        begun = time.perf_counter()
        run_round(settings, at=NOON + timedelta(days=1) - timedelta(hours=11, minutes=59))
        run_round(settings, at=NOON + timedelta(days=1))
        made = time.perf_counter() - begun
        with transaction() as tx:
            mine = Entry.merchant == "m_busy0", Entry.type == "sale", Entry.batch_id.is_not(None)
            entries = random.Random(7).choices(tx.scalars(select(Entry).where(*mine)).all(), k=PATHS)

        def prove() -> None:
            with transaction() as tx:
                batch = find_batch(tx, entry=entries.pop())
                prove_in_batch(tx, batch)  # type: ignore[arg-type]

        path = _time(prove, PATHS)
    return [
        (
            f"round with nothing due, {waiting:,} waiting",
            f"{late:.1f} ms",
            f"≤ {NOTHING_DUE_MS} ms",
            late <= NOTHING_DUE_MS,
        ),
        ("… in the first minutes of a day", f"{early:.1f} ms", "", True),
        (f"batches of all {waiting + members:,} made, published, searchable", f"{made:.1f} s", "", True),
        (
            f"path in a batch, of {members:,} purchases of a merchant",
            f"{path:.1f} ms",
            f"≤ {A_PATH_MS} ms",
            path <= A_PATH_MS,
        ),
    ]


def _time(work: Callable[[], None], rounds: int) -> float:
    """The quickest of so many times, in milliseconds: what others do on the machine is no part of it."""
    took = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        took.append((time.perf_counter() - begun) * 1_000)
    return min(took)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.batches", description=__doc__)
    parser.add_argument("--waiting", type=int, default=WAITING, help="purchases whose day is not over")
    parser.add_argument("--members", type=int, default=MEMBERS, help="purchases of one merchant and day")
    chosen = parser.parse_args()
    console = Console(width=150)
    rows = measure(chosen.waiting, chosen.members, console=console)
    sys.exit(0 if print_figures(rows, console=console, title="Batches") else 1)


if __name__ == "__main__":
    main()
