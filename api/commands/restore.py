"""`huigong restore`: a backup back into an empty database, erasures applied again, and the proof that it is whole."""

from pathlib import Path
from typing import Annotated

import typer

from api.backups.restore import restore as bring_back
from api.backups.sealing import read_identities
from api.commands.backup import steps
from api.commands.database import serve_database
from api.public_log import list_outside
from market.kit.clock import now
from market.kit.database import disconnect
from market.kit.settings import get_settings

MOST_SHOWN = 20


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    *,
    keys: Annotated[Path, typer.Option(help="The newest file of the keys of persons.")],
    identity: Annotated[Path, typer.Option(help="The file with the secret key that opens both.")],
) -> None:
    """Restore a backup into an empty database, erase again whoever was erased, and prove it. Exit code 1 when the proof fails."""
    identities = read_identities(identity)
    with serve_database() as url, steps() as step:
        try:
            done = bring_back(get_settings(), url=url, file=file, keys=keys, identities=identities, step=step, at=now())
        finally:
            disconnect()
    typer.echo(f"Backup of {done.at}: {done.rows:,} rows came back.")
    for line in list_outside(get_settings()):
        typer.echo(f"Read beside it, as you brought it back: {line}")
    typer.echo(f"{done.erased_again:,} persons of the erasure list were erased again.")
    if done.texts_removed_again:
        typer.echo(f"{done.texts_removed_again:,} texts beside entries were removed again.")
    typer.echo(f"{done.rules} rules checked. {done.published:,} entries published, root {done.root or '(none yet)'}")
    for problem in done.problems[:MOST_SHOWN]:
        typer.echo(problem)
    if len(done.problems) > MOST_SHOWN:
        typer.echo(f"… and {len(done.problems) - MOST_SHOWN:,} more")
    if done.problems:
        typer.echo(
            f"NOT restored: {len(done.problems)} things are not as they must be. Do not open this database to anybody yet."
        )
        raise typer.Exit(1)
    typer.echo("Restored, and proved. `huigong verify --prices` prices every sale again as well.")
