"""`huigong audit`: anybody checks the public record from what is served, without a database and without trusting who runs it."""

from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from api.commands.lines import printable
from api.record_files import UnreadableError, open_record
from market.record.auditing.audit import Audited, KeptCheckpointError, NoRecordError, audit_log
from market.record.log.errors import MalformedError
from market.record.log.keys import Kind, VerifierKey, parse_vkey

FOUND: Final = 1
UNREADABLE: Final = 2
# What stands against keeping a checkpoint as the one to be continued: of the rest the log itself is the proof.
_UNPROVED: Final = frozenset({"signature", "hashes", "consistency"})


def audit(
    where: Annotated[str, typer.Argument(metavar="URL|FOLDER", help="Where checkpoint, policy and tile/ are served.")],
    *,
    since: Annotated[
        Path | None, typer.Option(help="The checkpoint an earlier audit kept: the log must continue it.")
    ] = None,
    keep: Annotated[Path | None, typer.Option(help="Write the verified checkpoint here, for the next --since.")] = None,
    vkey: Annotated[
        str | None, typer.Option(help="The log's verifier key as you know it; otherwise the policy's own.")
    ] = None,
) -> None:
    """Check a public record: signature, every hash, and every rule over every entry.

    Ends with 0 when nothing is found, with 1 and a line for each finding, with 2 when the record could not be read.
    """
    key = None if vkey is None else _read_vkey(vkey)
    kept = None if since is None else _read_kept(since)
    try:
        with open_record(where) as read, _progress() as bar:
            task = bar.add_task("audit", total=None)
            audited = audit_log(
                read, vkey=key, since=kept, progress=lambda done, whole: bar.update(task, completed=done, total=whole)
            )
    except NoRecordError as error:
        _refuse(f"{error} at {where}: give the record's own address, such as https://card.example.org/record.")
    except KeptCheckpointError as error:
        _refuse(f"{since} holds no checkpoint ({error}): give a file that --keep wrote.")
    except UnreadableError as error:
        _refuse(str(error))
    _tell(audited)
    if keep is not None and not _UNPROVED & {finding.rule for finding in audited.findings}:
        _write(audited, keep)
    if audited.findings:
        raise typer.Exit(FOUND)


def _tell(audited: Audited) -> None:
    for finding in audited.findings:
        typer.echo(printable(f"{finding.rule}: {finding.place}: {finding.problem}"))
    if audited.more:
        typer.echo(f"… and {audited.more:,} more")
    if audited.signed is not None and audited.key is not None:
        checkpoint = audited.signed.checkpoint
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(audited.counts.items()))
        typer.echo(f"{checkpoint.origin}: {checkpoint.size:,} entries signed by {audited.key.text}")
        typer.echo(f"{audited.replayed:,} replayed: {kinds}")
        typer.echo(f"{len(audited.cosignatures)} of {audited.witnesses} outside witnesses cosigned it")
    typer.echo(f"{len(audited.findings) + audited.more:,} findings")


def _write(audited: Audited, keep: Path) -> None:
    if audited.signed is None:
        return
    begun = keep.with_name(f"{keep.name}.begun")
    try:
        begun.write_bytes(audited.signed.note.encode())
        begun.replace(keep)
    except OSError as error:
        _refuse(f"{keep} could not be written: {error.strerror}. Give a file in a folder that you may write to.")


def _read_vkey(text: str) -> VerifierKey:
    try:
        key = parse_vkey(text)
    except MalformedError as error:
        _refuse(f"--vkey is no verifier key ({error}): copy it whole, name+id+key.")
    if key.kind != Kind.NOTE:
        _refuse("--vkey is a witness's key: give that of the log.")
    return key


def _read_kept(since: Path) -> bytes:
    try:
        return since.read_bytes()
    except OSError as error:
        _refuse(
            f"{since} could not be read: {error.strerror}. The first time leave --since out and give --keep {since}."
        )


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, *times, console=console, transient=True, disable=not console.is_terminal)


def _refuse(sentence: str) -> NoReturn:
    typer.echo(printable(f"huigong audit: {sentence}"), err=True)
    raise typer.Exit(UNREADABLE)
