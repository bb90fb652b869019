"""All figures in one table: `make bench`, or `python -m bench --quick` for a short look."""

import argparse
import subprocess
import sys
from collections.abc import Sequence

from rich.console import Console

from bench import flash, record
from bench.grocer import Mode
from bench.history import FULL, QUICK
from bench.journey import run
from bench.redemptions import describe, measure
from bench.tables import print_figures

JOURNEY_WEEK = 2
MODES: tuple[Mode, ...] = ("rung", "offered")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure everything and print it; status 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round instead of medians of five")
    parser.add_argument("--profile", action="store_true", help="only: where the time of a redemption goes")
    chosen = parser.parse_args(arguments)
    console = Console(width=140)
    plan = QUICK if chosen.quick else FULL
    if chosen.profile:
        from bench.breakdown import break_down  # noqa: PLC0415  a profiler has no business in a measurement

        break_down(plan, console=console)
        return
    console.rule("pricing engine, in memory")
    priced = subprocess.run([sys.executable, "-m", "bench.pricing", *(["60"] if chosen.quick else [])], check=False)
    console.rule("redemptions over HTTP")
    console.print(f"history: demo works {plan.size}; {plan.rounds} interleaved rounds of {plan.sales_per_round} sales")
    rows = list(describe(measure(plan, console=console)))
    for mode in MODES:
        console.rule(f"Complete Journey, week {JOURNEY_WEEK}, as {mode}")
        outcome = run([JOURNEY_WEEK], mode, console=console)
        rows.append((f"journey as {mode}, in process", f"{outcome.baskets / outcome.seconds:,.0f} baskets/s", "", True))
    console.rule("flash sale")
    sale = flash.QUICK if chosen.quick else flash.FULL
    rows += flash.describe_flash(flash.measure_flash(sale, console=console), sale)
    console.rule("the public record")
    rows += record.measure_log(record.QUICK, ("bulk", "audit"), console=console)
    is_reached = print_figures(rows, console=console, title="Figures")
    sys.exit(0 if priced.returncode == 0 and is_reached else 1)


if __name__ == "__main__":
    main()
