"""`huigong witness` watches logs for others: it cosigns what continues what it has seen, and nothing else. No database."""

from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from api.witness import Witness, create_witness
from market.record.log.errors import MalformedError
from market.record.log.keys import Kind, VerifierKey, parse_vkey
from market.record.publishing.keyring import new_key, read_key, write_key

console = Console(stderr=True)


def witness(
    log: Annotated[list[str], typer.Option(help="The verifier key of a log to watch; may be given several times.")],
    folder: Annotated[
        Path, typer.Option(help="Where its key lies, and what it has seen. Never restore it from a backup.")
    ],
    name: Annotated[str, typer.Option(help="Its name, such as witness.example.org; used when its key is made.")] = "",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8009,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Watch logs: cosign their checkpoints as long as each continues the last. Its own key is made at the first start."""
    logs = [_read(text) for text in log]
    path = folder / "witness.skey"
    if not path.exists():
        if not name:
            raise typer.BadParameter("a new witness needs a name", param_hint="--name")
        write_key(path, new_key(name, Kind.COSIGNATURE))
    key = read_key(path)
    typer.echo(key.verifier.text)
    console.print(
        f"Cosigns at http://{host}:{port}/add-checkpoint. The line above is its verifier key, for the log's policy."
    )
    app = create_witness(Witness(key=key, logs=logs, folder=folder))
    uvicorn.run(app, host=host, port=port, access_log=False, log_level="warning", server_header=False)


def _read(text: str) -> VerifierKey:
    try:
        return parse_vkey(text)
    except MalformedError as error:
        raise typer.BadParameter(str(error), param_hint="--log") from None
