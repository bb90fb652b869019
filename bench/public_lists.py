"""The public lists of a province's market: `python -m bench.public_lists [--merchants 10000]`. Every page over HTTP, with its size.

Each merchant has sold a few times, so there are two accounts for each. One reader; `huigong serve` with two processes.
"""

import argparse
import gzip
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from rich.console import Console
from sqlalchemy import text

from api.identity import init_installation
from bench.lean_client import HOST, drive
from bench.logs import count_log, index_log, open_database, publish_log, vacuum, write_log
from bench.served import serve
from bench.tables import Row, print_figures
from market.kit.clock import now
from market.kit.database import get_engine, transaction
from market.kit.settings import Settings
from tests.record_log import budget, offer, sale

SALES_EACH: Final = 4
PAGES: Final = 40
GOAL_MS: Final = 100
GOAL_KIB: Final = 40  # over gzip
MONTH: Final = "2026-12"
NAMES: Final = ("老王面馆", "兴民超市", "百草大药房", "阿福书店", "东门理发")
ASKED: Final = (
    "/record/merchants?month=2026-12",
    "/record/merchants?month=2026-12&page=57",
    "/record/merchants?month=2026-12&sort=merchant&down=0&page=30",
    "/record/merchants?month=2026-12&q=%E7%99%BE%E8%8D%89",
    "/record/merchants/m_00042",
    "/record/months?month=2026-12",
    "/record/months?month=2026-12&sort=paid&page=99",
    "/record/rebates?month=2026-12",
    "/record/rebates?month=2026-12&page=99",
    "/record/accounts",
    "/record/accounts?kind=receivable&page=99",
    "/record/accounts?q=m_0777",
    "/record/entries",
    "/record/entries?merchant=m_00042",
    "/record/entries?merchant=%E7%99%BE%E8%8D%89",
    "/record/offers?q=m_00042",
)


def main() -> None:
    """Build the market, ask every page, print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.public_lists", description=__doc__)
    parser.add_argument("--merchants", type=int, default=10_000)
    count = parser.parse_args().merchants
    console = Console(width=140)
    with open_database() as (url, home):
        build_market(count, home=home, console=console)
        print_figures(list(measure(url, home)), console=console, title=f"Public lists of {count:,} merchants")


def build_market(count: int, *, home: Path, console: Console) -> None:
    """Merchants with their sales, published, counted and searchable."""
    settings = Settings(record_folder=home / "keys")
    write_merchants(count)
    size = count * SALES_EACH + 2
    policy, _ = write_log(size, settings=settings, console=console, bodies=list_sales(count))
    publish_log(policy, settings=settings, home=home)
    count_log()
    index_log()
    vacuum()


def write_merchants(count: int) -> None:
    """So many merchants, m_00001 and on, and a budget by name."""
    with transaction() as tx:
        init_installation(tx, kind="demo", at=now())
    with get_engine().begin() as connection:
        connection.execute(
            text(
                "INSERT INTO merchant (id, code, name, credit_code, category, state, admitted_at) SELECT gen_random_uuid(), 'm_' ||"
                " lpad(n::text, 5, '0'), (CAST(:names AS text[]))[1 + n % 5] || ' ' || n, 'C' || n, (CAST(:categories AS text[]))[1 + n % 5],"
                " 'admitted', timestamptz '2026-01-01' + n * interval '1 minute' FROM generate_series(1, :count) AS n"
            ),
            {"count": count, "names": list(NAMES), "categories": ["food", "grocery", "pharmacy", "books", "care"]},
        )


def list_sales(count: int) -> Iterator[bytes]:
    """A budget, an offer, and a few sales of every merchant, none twice in a row."""
    yield budget(1, 10**12)
    yield offer(2)
    chance = random.Random(7)
    for number in range(count * SALES_EACH):
        yield sale(
            number + 3,
            concession=chance.randrange(1, 900),
            paid=chance.randrange(100, 9000),
            union=chance.randrange(1, 50),
            day=date(2026, 12, 1 + number * 28 // (count * SALES_EACH)),
            merchant=f"m_{1 + number % count:05}",
        )


def measure(url: str, home: Path) -> Iterator[Row]:
    """Every page as often as is needed for a p95."""
    with serve(url, home / "serve.log") as port:
        for path in ASKED:
            request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
            drive(port, [[request]] * 4, expect={200, 303})  # each process knows the statements
            answers = drive(port, [[request] * PAGES], expect={200, 303}).answers[0]
            took = [answer.seconds * 1_000 for answer in answers]
            p95, size = quantiles(took, n=20)[-1], len(gzip.compress(answers[0].body)) / 1_024
            yield (
                path,
                f"{median(took):,.0f} ms, p95 {p95:,.0f} ms, {size:,.0f} KiB",
                f"≤ {GOAL_MS} ms, ≤ {GOAL_KIB} KiB",
                p95 <= GOAL_MS and size <= GOAL_KIB,
            )


if __name__ == "__main__":
    main()
