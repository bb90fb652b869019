"""`huigong backup`: the database in one sealed file, the keys of persons in another; and the key pair that such files are sealed for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TransferSpeedColumn

from api.backups.backup import Step, back_up
from api.backups.sealing import new_identity, read_recipients
from api.commands.database import open_database
from api.public_log import list_outside
from market.kit.clock import now
from market.kit.settings import get_settings

console = Console(stderr=True)


def backup(
    to: Annotated[
        Path, typer.Option(help="Where the backup goes; a file of this name is replaced once the new one is whole.")
    ],
    keys_to: Annotated[
        Path, typer.Option(help="Where the keys of persons go. Keep the newest only: it goes with every older backup.")
    ],
    recipient: Annotated[list[str], typer.Option(help="A public key (age1…) that opens it; several may be named.")],
) -> None:
    """Back up the database, sealed. The secret keys of the record and the erasure list lie outside of it, and are not in it."""
    recipients = read_recipients(recipient)
    with open_database() as url, steps() as step:
        head = back_up(get_settings(), url=url, to=to, keys_to=keys_to, recipients=recipients, step=step, at=now())
    rows = sum(head["counts"].values())
    typer.echo(f"{to}: {to.stat().st_size:,} bytes, {rows:,} rows, {head['published']:,} entries published")
    typer.echo(f"{keys_to}: {keys_to.stat().st_size:,} bytes; delete older ones")
    for line in list_outside(get_settings()):
        typer.echo(f"not in it, to be copied by you: {line}")


def make_key(
    file: Annotated[Path, typer.Argument(help="Where the secret key goes: away from this machine, afterwards.")],
) -> None:
    """Make a key pair for backups: the secret key in FILE, the public key printed, for `huigong backup --recipient`."""
    typer.echo(new_identity(file))


@contextmanager
def steps() -> Iterator[Step]:
    """A line for each step with the bytes that have passed, while somebody looks."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:

        def step(name: str) -> Callable[[int], None]:
            task = progress.add_task(name, total=None)
            return lambda passed: progress.update(task, completed=passed)

        yield step
