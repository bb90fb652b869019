"""How the benchmarks print what they measured."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

Row = tuple[str, str, str, bool]
"""What, measured, goal (empty where there is none), reached."""


def print_figures(rows: Sequence[Row], *, console: Console, title: str | None = None) -> bool:
    """One table; whether every goal is reached."""
    table = Table("figure", "measured", "goal", "reached", title=title)
    for what, measured, goal, is_reached in rows:
        table.add_row(what, measured, goal, ("yes" if is_reached else "[red]no") if goal else "")
    console.print(table)
    return all(is_reached for *_, is_reached in rows)
