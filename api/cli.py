"""The command line `huigong`. A command's file is imported when the command is asked for, so that each starts quickly."""

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup
from typer.main import get_command

# Command → the plain function with Typer's annotations that carries it out.
COMMANDS = {
    "run": "api.commands.run:run",
    "serve": "api.commands.run:serve",
    "worker": "api.commands.worker:worker",
    "sequencer": "api.commands.sequencer:sequencer",
    "witness": "api.commands.witness:witness",
    "sandbox": "api.commands.sandbox:sandbox",
    "migrate": "api.commands.run:migrate",
    "init": "api.commands.run:init",
    "demo": "api.commands.demo:demo",
    "price": "api.commands.price:price",
    "audit": "api.commands.audit:audit",
    "poster": "api.commands.poster:poster",
    "export": "api.commands.export:export",
    "remove-text": "api.commands.remove_text:remove_text",
    "dry-run": "api.commands.dry_run:dry_run",
    "backup": "api.commands.backup:backup",
    "restore": "api.commands.restore:restore",
}
VERIFY_COMMANDS = {
    "receipt": "api.commands.verify_receipt:verify_receipt_file",
}
USER_COMMANDS = {
    "add": "api.commands.user:add",
    "password": "api.commands.user:password",
    "disable": "api.commands.user:disable",
}
KEY_COMMANDS = {
    "new": "api.commands.key:new",
    "show": "api.commands.key:show",
    "rotate": "api.commands.key:rotate",
    "witness": "api.commands.key:witness",
    "keep": "api.commands.key:keep",
    "auditor": "api.commands.auditor_key:auditor",
    "backup": "api.commands.backup:make_key",
}
IMPORT_COMMANDS = {
    "units": "api.commands.importing:import_units",
    "members": "api.commands.importing:import_members",
    "merchants": "api.commands.importing:import_merchants",
    "catalogue": "api.commands.importing:import_catalogue",
}


def _lazy_group(places: Mapping[str, str]) -> type[TyperGroup]:
    """A group that imports the file of a command when somebody asks for it."""
    present = {name: place for name, place in places.items() if find_spec(place.partition(":")[0])}

    class LazyGroup(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401  typer keeps the type of its context to itself
            return [*present, *super().list_commands(ctx)]

        def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401  as above
            if cmd_name not in present:
                return super().get_command(ctx, cmd_name)
            module, _, function = present[cmd_name].partition(":")
            single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            single.command(cmd_name)(getattr(import_module(module), function))
            return get_command(single)

    return LazyGroup


app = typer.Typer(
    name="huigong",
    cls=_lazy_group(COMMANDS),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Huigong 惠工: run it, fill it, check it.",
)
verify_app = typer.Typer(cls=_lazy_group(VERIFY_COMMANDS), invoke_without_command=True)
app.add_typer(verify_app, name="verify")
app.add_typer(
    typer.Typer(no_args_is_help=True, help="Accounts: who may sign in."), name="user", cls=_lazy_group(USER_COMMANDS)
)
app.add_typer(
    typer.Typer(no_args_is_help=True, help="Keys of the public record, for backups, and of auditors who open details."),
    name="key",
    cls=_lazy_group(KEY_COMMANDS),
)
app.add_typer(
    typer.Typer(no_args_is_help=True, help="Bring in units, members, merchants and their products from files."),
    name="import",
    cls=_lazy_group(IMPORT_COMMANDS),
)


@app.callback()
def house() -> None:
    """Make `huigong` a group even while it has no command of its own."""


@verify_app.callback()
def verify(
    context: typer.Context,
    *,
    prices: Annotated[
        bool, typer.Option("--prices", help="Price every stored sale again: the same bytes must come out.")
    ] = False,
) -> None:
    """Check every invariant over the whole database, exit code 1 when anything is found; or check a receipt file."""
    if context.invoked_subcommand is None:
        from api.commands.verify import verify_database  # noqa: PLC0415  only this asks for a database

        verify_database(prices=prices)


def main() -> None:
    """Run a command; a refusal is one sentence and status 1, without a traceback."""
    try:
        app()
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        Console(stderr=True).print(sentence, style="red", highlight=False, markup=False)
        sys.exit(1)


def _sentence(error: Exception) -> str | None:
    """What to tell about an anticipated refusal; None for anything else. Imports here: by now the command has paid for them."""
    from api.identity.installation import UnsafeSettingsError  # noqa: PLC0415
    from market.kit.errors import DomainError  # noqa: PLC0415
    from market.kit.postgres_folders import ClusterError  # noqa: PLC0415
    from market.record.publishing.keyring import KeyFileError  # noqa: PLC0415

    if isinstance(error, DomainError):
        return error.sentence("en")
    return str(error) if isinstance(error, ClusterError | UnsafeSettingsError | KeyFileError) else None
