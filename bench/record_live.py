"""The sequencer beside sales over HTTP: from a sale to the signed checkpoint that covers it, and what the sequencer takes from the sales.

A demo works (`tiny`) is served by `huigong serve` with two processes, its tills' merchants are published row by row, and windows last
as long as in a demo. Sales are made as `bench.redemptions` makes them; `huigong sequencer` is a process of its own.
"""

import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console
from rich.progress import track
from sqlalchemy import text

from api.public_log import DEMO_WINDOW_SECONDS, open_log
from bench.history import Plan, Till, build_databases
from bench.lean_client import drive
from bench.redemptions import WARM_UP, quote_round, run_round
from bench.served import open_folder, sequence, serve
from bench.tables import Row
from market.kit.clock import business_day, now
from market.kit.database import connect, disconnect, get_engine, transaction
from market.kit.postgres import start_cluster, stop_cluster
from market.kit.settings import Settings
from market.record.publication import change_publication

PER_SECOND: Final = 100
DELAYED: Final = 1_200
DELAY_GOAL_SECONDS: Final = DEMO_WINDOW_SECONDS + 2
ROUNDS: Final = 5
SALES: Final = 500
SHARE_GOAL: Final = 0.95
LOOK_SECONDS: Final = 0.05
PATIENCE_SECONDS: Final = 120

_WAITING: Final = text("SELECT count(*) FROM entry WHERE leaf_index IS NULL AND NOT is_batched")
_SIZE: Final = text("SELECT size FROM log_checkpoint ORDER BY size DESC LIMIT 1")
_SOLD: Final = text(
    "SELECT leaf_index, created_at FROM entry WHERE type = 'sale' AND created_at >= :since AND leaf_index IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Shop:
    """Where sales are made: the server's port, the tills, and what the sequencer needs."""

    port: int
    tills: Sequence[Till]
    url: str
    home: Path

    def sequence(self) -> ExitStack:
        """The sequencer, once it has published what waited."""
        stack = ExitStack()
        stack.enter_context(sequence(self.url, self.home / "sequencer.log", record_folder=self.home / "keys"))
        _wait_until_published()
        return stack


def measure_delay(*, console: Console) -> Iterator[Row]:
    """Rows of the delay from what the sale's entry says as its instant until a checkpoint that covers it is there to be fetched."""
    with _open_shop(DELAYED, console=console) as shop, shop.sequence():
        _, _, requests = quote_round(shop.port, shop.tills, DELAYED)
        with _watch() as seen:
            begun = now()
            made = drive(shop.port, requests, expect={201}, per_second=PER_SECOND)
            _wait_until_published()
            time.sleep(LOOK_SECONDS * 4)
        with transaction() as tx:
            sold = tx.execute(_SOLD, {"since": begun}).all()
    sizes = [size for size, _ in seen]
    delays = sorted((seen[bisect_right(sizes, place)][1] - at).total_seconds() for place, at in sold)
    p99 = quantiles(delays, n=100)[-1]
    said = f"{median(delays):.1f} s, {p99:.1f} s, {delays[-1]:.1f} s"
    what = f"{len(delays):,} sales at {made.rate:.0f} /s, covered after: median, p99, longest"
    yield what, said, f"≤ {DELAY_GOAL_SECONDS} s", len(delays) == DELAYED and delays[-1] <= DELAY_GOAL_SECONDS


def measure_sales(*, console: Console) -> Iterator[Row]:
    """Rows of sales per second with the sequencer and without, rounds of both in turn."""
    rates: dict[bool, list[float]] = {False: [], True: []}
    with _open_shop(SALES, console=console) as shop:
        for number in track(range(ROUNDS), "rounds", console=console):
            for is_sequenced in (False, True) if number % 2 else (True, False):
                with shop.sequence() if is_sequenced else ExitStack():
                    rates[is_sequenced].append(run_round(shop.port, shop.tills, SALES)[2].rate)
    alone, beside = median(rates[False]), median(rates[True])
    each = median(one / other for one, other in zip(rates[True], rates[False], strict=True))
    yield "sales over HTTP without the sequencer, with it", f"{alone:,.0f} /s, {beside:,.0f} /s", "", True
    share = beside / alone
    yield "… with of without; median of pairs", f"{share:.2f}; {each:.2f}", f"≥ {SHARE_GOAL}", share >= SHARE_GOAL


@contextmanager
def _open_shop(sales: int, *, console: Console) -> Iterator[Shop]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory(prefix="huigong-record-")))
        cluster = start_cluster(open_folder(home))
        stack.callback(stop_cluster, cluster)
        tills = build_databases(cluster, Plan("tiny", 0, sales, 0), console=console)
        url = cluster.url("few")
        connect(url)
        stack.callback(disconnect)
        at = now()
        open_log(
            Settings(record_folder=home / "keys"),
            origin="bench.example/live",
            window_seconds=DEMO_WINDOW_SECONDS,
            at=at,
        )
        with transaction() as tx:  # it is said a day before, at the latest
            for merchant in sorted({till.merchant for till in tills}):
                change_publication(
                    tx,
                    merchant=merchant,
                    publication="row",
                    reason="stated",
                    from_on=business_day(at),
                    at=at - timedelta(days=2),
                )
        port = stack.enter_context(serve(url, home / "serve.log", record_folder=home / "keys"))
        run_round(port, tills, WARM_UP)
        yield Shop(port, tills, url, home)


def _wait_until_published() -> None:
    """Until nothing waits for a place, and what has one is signed for."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with get_engine().connect() as connection:
            waiting, size = connection.execute(_WAITING).scalar_one(), connection.execute(_SIZE).scalar()
            placed = connection.execute(text("SELECT size FROM log_state")).scalar_one()
        if not waiting and size == placed:
            return
        time.sleep(LOOK_SECONDS * 4)
    raise RuntimeError("the sequencer has not published what waits")


@contextmanager
def _watch() -> Iterator[list[tuple[int, datetime]]]:
    """The sizes of the checkpoints as they come to be seen, each with its instant; looked for all the while."""
    seen: list[tuple[int, datetime]] = []
    stop = threading.Event()

    def look() -> None:
        with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not stop.wait(LOOK_SECONDS):
                size = connection.execute(_SIZE).scalar() or 0
                if not seen or size > seen[-1][0]:
                    seen.append((size, datetime.now(UTC)))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
