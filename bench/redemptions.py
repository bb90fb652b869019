"""Redemptions per second over HTTP against pgbench on the same server: `python -m bench.redemptions [--quick] [--profile]`.

Two databases with the same history (a demo works) differ in the number of live offers only; each is served by `huigong serve` with
two processes. Codes are issued, visits opened, prices asked and sales made as a till does it; fsync is on. Rounds of pgbench, of few
offers and of many take turns, and medians are compared.
"""

import argparse
import json
import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from uuid import uuid4

from rich.console import Console
from rich.progress import Progress

from bench.history import FULL, QUICK, Plan, Till, build_databases, issue_codes
from bench.lean_client import Drive, drive, write_request
from bench.served import measure_pgbench, open_folder, run_pgbench, serve
from market.kit.database import connect, disconnect
from market.kit.postgres import start_cluster, stop_cluster

PGBENCH_SCALE = 16
WARM_UP = 64


@dataclass(slots=True)
class Rates:
    """What was measured on one database, a number for each round."""

    visits: list[float] = field(default_factory=list)
    quotes: list[float] = field(default_factory=list)
    sales: list[float] = field(default_factory=list)
    p95_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Result:
    """Medians: per second, and milliseconds."""

    pgbench: float
    few: Rates
    many: Rates

    @property
    def ratio(self) -> float:
        """Redemptions at many live offers against pgbench's transactions."""
        return median(self.many.sales) / self.pgbench

    @property
    def flatness(self) -> float:
        """The rate at 1,000 live offers against the rate at 10."""
        return median(self.many.sales) / median(self.few.sales)


def measure(plan: Plan, *, console: Console) -> Result:
    """Build, serve, measure; everything is stopped and removed afterwards."""
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="huigong-bench-"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        cluster = start_cluster(open_folder(home))
        stack.callback(stop_cluster, cluster)
        tills = build_databases(cluster, plan, console=console)
        run_pgbench(cluster, "-i", "-s", str(PGBENCH_SCALE), "-q")
        ports = {name: stack.enter_context(serve(cluster.url(name), home / f"{name}.log")) for name in ("few", "many")}
        rates = {name: Rates() for name in ports}
        for name, port in ports.items():
            connect(cluster.url(name))
            run_round(port, tills, WARM_UP)
        pgbench = []
        with Progress(console=console, transient=True) as bar:
            for _ in bar.track(range(plan.rounds), description="rounds"):
                pgbench.append(measure_pgbench(cluster, plan.pgbench_seconds))
                for name, port in ports.items():
                    connect(cluster.url(name))
                    keep(rates[name], run_round(port, tills, plan.sales_per_round))
        disconnect()
    return Result(median(pgbench), rates["few"], rates["many"])


# --- rounds -----------------------------------------------------------------------------------------------------------


def run_round(port: int, tills: Sequence[Till], sales: int) -> tuple[Drive, Drive, Drive]:
    """Codes through the cards' own room, then over HTTP as many visits, quotes and sales, each kind measured by itself."""
    visits, priced, requests = quote_round(port, tills, sales)
    return visits, priced, drive(port, requests, expect={201})


def quote_round(port: int, tills: Sequence[Till], sales: int) -> tuple[Drive, Drive, list[list[bytes]]]:
    """Visits and quotes, and the requests that make the sales of them, by till."""
    codes = issue_codes(sales)
    rng = random.Random(sales)
    each = [list(range(client, sales, len(tills))) for client in range(len(tills))]
    visits = drive(
        port,
        [
            [write_request("/api/till/visits", json.dumps({"code": codes[n]}).encode(), token=till.token) for n in mine]
            for till, mine in zip(tills, each, strict=True)
        ],
        expect={201},
    )
    quotes, purchases = [], []
    for till, opened in zip(tills, visits.answers, strict=True):
        visit_ids = [json.loads(answer.body)["visit"] for answer in opened]
        baskets = [
            {"joining_fen": rng.randrange(12_00, 90_00), "other_fen": rng.choice((0, 0, 0, 10_00))} for _ in opened
        ]
        quotes.append(
            [
                write_request(
                    f"/api/till/visits/{visit}/quote", json.dumps({"basket": basket}).encode(), token=till.token
                )
                for visit, basket in zip(visit_ids, baskets, strict=True)
            ]
        )
        purchases.append(list(zip(visit_ids, baskets, strict=True)))
    priced = drive(port, quotes, expect={200})
    requests = [
        [
            write_request(
                "/api/till/sales",
                json.dumps(
                    {"visit": visit, "basket": basket, "expected_paid_fen": json.loads(answer.body)["paid_fen"]}
                ).encode(),
                token=till.token,
                key=f"bench-{uuid4()}",
            )
            for (visit, basket), answer in zip(mine, answers, strict=True)
        ]
        for till, mine, answers in zip(tills, purchases, priced.answers, strict=True)
    ]
    return visits, priced, requests


def keep(rates: Rates, drives: tuple[Drive, Drive, Drive]) -> None:
    """Note a round."""
    visits, quotes, sales = drives
    rates.visits.append(visits.rate)
    rates.quotes.append(quotes.rate)
    rates.sales.append(sales.rate)
    rates.p95_ms.append(sales.percentile_ms(95))


def describe(result: Result) -> Iterator[tuple[str, str, str, bool]]:
    """Rows of the table: what, measured, goal, reached."""
    sales = median(result.many.sales)
    p95 = median(result.many.p95_ms)
    yield "pgbench -s 16 tpcb-like, 16 clients", f"{result.pgbench:,.0f} /s", "", True
    yield "redemptions over HTTP, 1,000 live offers", f"{sales:,.0f} /s", "", True
    yield "  of pgbench", f"{result.ratio:.3f}", "≥ 0.05 (aim 0.25)", result.ratio >= 0.05
    yield "  of the rate at 10 live offers", f"{result.flatness:.2f}", "≥ 0.9", result.flatness >= 0.9
    yield "  p95", f"{p95:.0f} ms", "≤ 150 ms", p95 <= 150
    yield "quotes over HTTP", f"{median(result.many.quotes):,.0f} /s", "", True
    yield "visits over HTTP", f"{median(result.many.visits):,.0f} /s", "", True


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.redemptions", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round on a tiny history")
    parser.add_argument("--profile", action="store_true", help="where the time of a redemption goes, in process")
    chosen = parser.parse_args(arguments)
    console = Console(width=140)
    if chosen.profile:
        from bench.breakdown import break_down  # noqa: PLC0415  the other half of this command

        break_down(QUICK if chosen.quick else FULL, console=console)
        return
    for what, measured, goal, is_reached in describe(measure(QUICK if chosen.quick else FULL, console=console)):
        console.print(f"{what:<42} {measured:>12}   {goal}{'' if is_reached else '   MISSED'}", highlight=False)


if __name__ == "__main__":
    main()
