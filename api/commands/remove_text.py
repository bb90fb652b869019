"""`huigong remove-text ENTRY`: take away the text beside a public entry; the hash in the entry stays for ever."""

import getpass
from typing import Annotated

import typer

from api.commands.database import open_database
from api.commands.lines import printable
from api.removed_texts import remove_for_good
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.settings import get_settings
from market.record.texts import find_texts


def remove_text(
    entry: Annotated[str, typer.Argument(help="The public id of the entry, as its page and the log have it.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is removed for good.")] = False,
) -> None:
    """Remove the text beside an entry, and its salt, for good: a name that may not be shown any more. The entry's page then says so."""
    with open_database():
        with transaction() as tx:
            kept = find_texts(tx, public_ids=[entry]).get(entry)
        if kept is not None and kept.document is not None and not yes:
            typer.echo(printable(kept.document))
            typer.confirm("Remove this text and its salt? It cannot be brought back.", abort=True)
        remove_for_good(get_settings(), public_id=entry, removed_by=f"{getpass.getuser()} (command line)", at=now())
    typer.echo(f"The text beside {entry} is removed; its hash stays in the entry.")
