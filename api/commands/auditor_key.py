"""`huigong key auditor`: an auditor makes the key pair to which details exports are sealed, on his own machine, without a database."""

import secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from market.record.details.keys import KEY_SIZE, AuditorSecret
from market.record.publishing.keyring import write_secret

console = Console(stderr=True)


def auditor(
    folder: Annotated[Path, typer.Option(help="Where your secret key is kept; nobody else may read it.")],
) -> None:
    """Make an auditor's key: the secret one goes into a file, the public one is printed, to be given when asking for details."""
    made = AuditorSecret(secrets.token_bytes(KEY_SIZE))
    path = folder / f"auditor-{made.key.id}.key"
    write_secret(path, made.text)
    console.print(
        f"The secret key is in {path}. Keep a copy: without it no export opens. The id to compare is {made.key.id}.",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    typer.echo(made.key.text)
