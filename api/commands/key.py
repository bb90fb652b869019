"""`huigong key`: the keys of the public record. Secret keys are written to files that only their owner may read, and never shown."""

from typing import Annotated

import typer
from rich.console import Console

from api.commands.database import open_database
from api.public_log import (
    add_witness,
    need_policy,
    open_log,
    read_log_key,
    read_promise_key,
    renew_key,
    trust_checkpoint,
)
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.settings import get_settings
from market.record.log.errors import MalformedError
from market.record.log.keys import parse_vkey
from market.record.policy import Policy

REAL_WINDOW_SECONDS = 3600
console = Console(stderr=True)


def new(
    origin: Annotated[str, typer.Option(help="The log's name for ever, such as card.example.org/record.")],
    window: Annotated[
        int, typer.Option(min=1, help="Seconds of a window: sales in it are published together, shuffled.")
    ] = REAL_WINDOW_SECONDS,
) -> None:
    """Make the keys of the public record, and open it with its first policy."""
    with open_database():
        policy = open_log(get_settings(), origin=origin, window_seconds=window, at=now())
    _show(policy)


def show() -> None:
    """Print the verifier keys, and whether the secret keys are where they belong."""
    with open_database(), transaction() as tx:
        policy = need_policy(tx)
    _show(policy)
    for read in (read_log_key, read_promise_key):
        read(get_settings(), policy)
    console.print("Both secret keys are there, and only their owner may read them.")


def rotate(
    which: Annotated[str, typer.Argument(help="log or promise")],
) -> None:
    """Replace a key by a new one: a public entry says so, and everything signed before stays valid."""
    if which not in {"log", "promise"}:
        raise typer.BadParameter("log or promise")
    with open_database():
        policy = renew_key(get_settings(), which="log" if which == "log" else "promise", at=now())
    _show(policy)


def witness(
    vkey: Annotated[str, typer.Argument(help="The witness's verifier key, as `huigong witness` prints it.")],
    *,
    own: Annotated[bool, typer.Option("--own", help="It is run by the same operator: shown, and not counted.")] = False,
) -> None:
    """Name a witness in the public policy. Where to ask it stands in HUIGONG_RECORD_WITNESSES."""
    try:
        key = parse_vkey(vkey)
    except MalformedError as error:
        raise typer.BadParameter(str(error)) from None
    with open_database():
        policy = add_witness(key, is_own=own, at=now())
    for one in (*policy.witnesses, *policy.own_witnesses):
        typer.echo(one.text)


def keep() -> None:
    """Take the newest checkpoint of the database for the last one signed, when the sequencer's own memory of it is lost."""
    with open_database():
        size = trust_checkpoint(get_settings())
    console.print(f"The checkpoint of {size:,} entries is now taken for the last one that was signed.")


def _show(policy: Policy) -> None:
    typer.echo(f"log      {policy.log.text}")
    typer.echo(f"promise  {policy.promise.text}")
