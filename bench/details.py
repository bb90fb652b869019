"""A details export at size: `python -m bench.details [--sales N] [--batched]` sells, publishes, seals what was asked for, and audits it.

With `--batched` everything was sold yesterday, and stands in the log in batches of at most 1,024.
PostgreSQL is one of the bench's own, with fsync on. Printed are the seconds of the job that makes the file and of `huigong audit --details`
in a process of its own, with the most memory that process had.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import track

from api.details import build_details
from api.public_log import open_log, run_round
from bench.record import COMMAND
from bench.served import open_folder
from bench.tables import Row, print_figures
from market.kit.clock import business_day, now
from market.kit.database import connect, disconnect, transaction
from market.kit.ids import new_id
from market.kit.migrations import upgrade
from market.kit.postgres import create_database, start_cluster, stop_cluster
from market.kit.settings import Settings
from market.oversight.details import Asked, approve_details, ask_details, begin_download, read_parts
from market.record.details.keys import AuditorSecret
from market.record.publication import change_publication
from market.record.publishing.served import published_size, record_reader
from tests.record_log import copy_record
from tests.world import build_world

SALES = 1_000
SECRET = AuditorSecret(bytes(range(32)))


def measure(sales: int, home: Path, *, batched: bool, console: Console) -> list[Row]:
    """Sell, publish, open and audit; what it took."""
    settings = Settings(record_folder=home / "keys")
    world = build_world()
    ago = timedelta(days=1 if batched else 0)
    open_log(settings, origin="bench.example/log", window_seconds=1, at=now() - 2 * ago)
    if batched:
        with transaction() as tx:
            at, from_on = now() - 2 * ago, business_day(now() - ago)
            change_publication(tx, merchant="m_0001", publication="batched", reason="few", from_on=from_on, at=at)
    for _ in track(range(sales), "sell", console=console):
        world.sell(1600, 200, at=now() - ago)
    time.sleep(1)
    run_round(settings, at=now())
    day = business_day(now() - ago)
    with transaction() as tx:
        asked = Asked(None, day, day, "sample", "bench", SECRET.key.text)
        request = ask_details(tx, asked=asked, by=new_id(), at=now())
        approve_details(tx, request_id=request.id, by=new_id(), at=now())
    begun = time.monotonic()
    build_details(request_id=request.id, at=now())
    built = time.monotonic() - begun
    with transaction() as tx:
        made = begin_download(tx, request_id=request.id, by=request.asked_by, at=now())
    file, key = home / "details.sealed", home / "auditor.key"
    file.write_bytes(b"".join(read_parts(request_id=request.id)))
    key.touch(mode=0o600)
    key.write_text(SECRET.text)
    run_round(settings, at=now())
    with transaction() as tx:
        record = copy_record(record_reader(tx), home / "record", published_size(tx))
    begun = time.monotonic()
    words = [sys.executable, "-c", COMMAND, "audit", str(record), "--details", str(file), "--key", str(key)]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    audited = time.monotonic() - begun
    is_whole = f"{sales:,} of {sales:,} sales opened, 0 erased, {sales:,} priced again" in "\n".join(said)
    return [
        (f"details of {made.sales_count:,} sales, made", f"{built:.1f} s, {made.bytes_count or 0:,} bytes", "", True),
        ("audited, every price made again", f"{audited:.1f} s, {int(said[-1]) // 1024} MB", "all", is_whole),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.details", description=__doc__)
    parser.add_argument("--sales", type=int, default=SALES)
    parser.add_argument("--batched", action="store_true")
    chosen = parser.parse_args()
    console = Console(width=140)
    with tempfile.TemporaryDirectory(prefix="huigong-bench-") as folder:
        cluster = start_cluster(open_folder(Path(folder)))
        try:
            create_database(cluster, "details")
            upgrade(cluster.url("details"))
            connect(cluster.url("details"))
            rows = measure(chosen.sales, Path(folder), batched=chosen.batched, console=console)
        finally:
            disconnect()
            stop_cluster(cluster)
    sys.exit(0 if print_figures(rows, console=console, title="Details") else 1)


if __name__ == "__main__":
    main()
