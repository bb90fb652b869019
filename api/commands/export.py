"""`huigong export`: entries of the public record as a file, with the checkpoint it was made from and the SHA-256 of everything."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from api.commands.database import open_database
from api.record_exports import begin_export, write_export
from market.oversight.entry_search import Wanted


class Format(StrEnum):
    """What a file may be."""

    jsonl = "jsonl"
    csv = "csv"
    accounting = "accounting"
    parquet = "parquet"
    xlsx = "xlsx"


def export(
    to: Annotated[Path, typer.Option("--to", help="The ZIP to write; a file that exists is replaced at the end.")],
    *,
    form: Annotated[
        Format,
        typer.Option("--format", help="jsonl: the exact entries; accounting: CSV of postings; csv: all columns."),
    ] = Format.jsonl,
    kind: Annotated[str | None, typer.Option("--type", help="Only entries of this type, such as sale.")] = None,
    merchant: Annotated[str | None, typer.Option(help="Only this merchant, by its code.")] = None,
    offer: Annotated[str | None, typer.Option(help="Only entries that name this offer.")] = None,
    first: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day on.")] = None,
    last: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Until this day.")] = None,
) -> None:
    """Write entries that the newest checkpoint covers as a ZIP: the data, that checkpoint, the filter, SHA256SUMS."""
    wanted = Wanted(
        kind=kind,
        merchant=merchant,
        offer=offer,
        first=first.date() if first else None,
        last=last.date() if last else None,
    )
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,} entries"))
    with open_database(), Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("export", total=None)
        made = begin_export(form.value, wanted)
        write_export(made, to, progress=lambda entries: bar.update(task, completed=entries))
    for name, digest in made.sums.items():
        typer.echo(f"{digest}  {name}")
    typer.echo(f"{made.entries:,} entries of a log of {made.size:,}, in {to}")
