"""`huigong demo`: fills a new database with the demo works, with progress."""

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from api.commands.database import serve_database
from api.demo.build import SEED, DemoSummary, build_demo
from api.demo.sizes import SIZES, SizeName
from api.demo.stage import is_finished
from market.kit.database import connect, disconnect, transaction
from market.kit.migrations import upgrade

SALES_PER_SECOND = 300  # on two cores; `--size works` says what to expect before it begins


def demo(
    size: Annotated[
        SizeName, typer.Option(help="plant: a tenth of the model organisation; works: all of it.")
    ] = "plant",
    seed: Annotated[int, typer.Option(help="The same seed builds the same works.")] = SEED,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day with sales; today if left out.")
    ] = None,
) -> None:
    """Build the demo works in a new database, or finish a build that was cut short."""
    console = Console(stderr=True)
    with serve_database() as url:
        upgrade(url)
        connect(url)
        try:
            build(console=console, size=size, seed=seed, until=until)
        finally:
            disconnect()


def build(
    *, console: Console, size: SizeName = "plant", seed: int = SEED, until: datetime | None = None
) -> DemoSummary:
    """Build in the connected database and tell people how it goes."""
    with transaction() as tx:
        is_done = is_finished(tx)
    if not is_done:
        seconds = 2 + SIZES[size].sales // SALES_PER_SECOND
        expected = f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
        console.print(f"Building the demo works, size {size}: {SIZES[size].sales:,} sales, about {expected}.")
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        tasks = {}

        def show(step: str, done: int, whole: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=whole)
            bars.update(tasks[step], completed=done)

        summary = build_demo(size=size, seed=seed, until=until.date() if until else None, progress=show)
    console.print(
        f"{summary.members:,} members, {summary.merchants} merchants, {summary.shops} shops, {summary.products} products, "
        f"{summary.sales:,} sales, {summary.orders} orders, {summary.voids} voids, {summary.refunds} refunds"
        + (" are there already." if is_done else f": {summary.seconds:.0f} s.")
    )
    return summary
