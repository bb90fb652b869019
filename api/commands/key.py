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
    remove_witness,
    renew_key,
    succeed_log,
    trust_checkpoint,
)
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.settings import get_settings
from market.record.log.errors import MalformedError
from market.record.log.keys import Kind, parse_vkey
from market.record.policy import Policy

REAL_WINDOW_SECONDS = 3600
console = Console(stderr=True)


def new(
    origin: Annotated[str, typer.Option(help="The log's name for ever, such as card.example.org/record.")],
    window: Annotated[
        int | None,
        typer.Option(
            min=1, help="Seconds of a window: sales in it are published together, shuffled. An hour without it."
        ),
    ] = None,
    *,
    after_loss: Annotated[
        bool,
        typer.Option(
            "--after-loss",
            help="The newest entries are lost for good: go on under this new name from what is left, and say so in public.",
        ),
    ] = False,
) -> None:
    """Make the keys of the public record, and open it with its first policy."""
    if after_loss and window is not None:
        raise typer.BadParameter("the windows stay those of the log before", param_hint="--window")
    with open_database():
        if after_loss:
            policy = succeed_log(get_settings(), origin=origin, at=now())
        else:
            policy = open_log(get_settings(), origin=origin, window_seconds=window or REAL_WINDOW_SECONDS, at=now())
    _show(policy)
    if policy.succeeds is not None:
        console.print(
            f"{policy.origin} goes on from the first {policy.succeeds.continued:,} entries. The last checkpoint of the log before it, which "
            "its public policy names and which stays valid:"
        )
        typer.echo(policy.succeeds.checkpoint, nl=False)
        console.print(
            "Give the new name and key to auditors, witnesses and notice boards: docs/backup.md says what to tell them."
        )


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
    remove: Annotated[
        bool, typer.Option("--remove", help="Take it out of the policy; what it cosigned stays.")
    ] = False,
) -> None:
    """Name a witness in the public policy, or another key of one; or remove it. Where to ask it stands in HUIGONG_RECORD_WITNESSES."""
    try:
        key = parse_vkey(vkey)
    except MalformedError as error:
        raise typer.BadParameter(str(error)) from None
    if own and remove:
        raise typer.BadParameter("a witness is removed whoever runs it: leave --own out", param_hint="--own")
    if key.kind != Kind.COSIGNATURE:
        raise typer.BadParameter(
            f"{key.name} is no witness's key: it does not cosign. `huigong witness` prints one that does."
        )
    with open_database():
        policy = remove_witness(key, at=now()) if remove else add_witness(key, is_own=own, at=now())
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
