"""`huigong audit`: anybody checks the public record from what is served, without a database and without trusting who runs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from api.commands.lines import printable
from api.record_files import UnreadableError, open_record
from market.record.auditing.audit import Audited, KeptCheckpointError, NoRecordError, audit_log
from market.record.auditing.texts import TextsCheck
from market.record.details.checks import DetailsCheck
from market.record.details.keys import AuditorKeyError, parse_auditor_secret
from market.record.details.lines import DetailsMalformedError, split_lines
from market.record.details.sealing import NotSealedError, SealBrokenError, unseal
from market.record.log.errors import MalformedError
from market.record.log.keys import Kind, VerifierKey, parse_vkey
from market.record.publishing.keyring import KeyFileError, read_secret

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
    details: Annotated[
        Path | None, typer.Option(help="A details export: open its baskets and facts and price every sale again.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Your secret key, as `huigong key auditor` wrote it.")] = None,
    texts: Annotated[
        bool, typer.Option("--texts", help="Read the text beside each entry that holds the hash of one.")
    ] = False,
) -> None:
    """Check a public record: signature, every hash, and every rule over every entry; with --details what was opened as well.

    Ends with 0 when nothing is found, with 1 and a line for each finding, with 2 when the record could not be read.
    """
    log_key = None if vkey is None else _read_vkey(vkey)
    kept = None if since is None else _read_kept(since)
    try:
        with _open_details(details, key) as opened, open_record(where) as read, _progress() as bar:
            beside = TextsCheck(read) if texts else None
            task = bar.add_task("audit", total=None)
            audited = audit_log(
                read,
                vkey=log_key,
                since=kept,
                companions=[one for one in (opened, beside) if one is not None],
                progress=lambda done, whole: bar.update(task, completed=done, total=whole),
            )
    except NoRecordError as error:
        _refuse(f"{error} at {where}: give the record's own address, such as https://card.example.org/record.")
    except KeptCheckpointError as error:
        _refuse(f"{since} holds no checkpoint ({error}): give a file that --keep wrote.")
    except UnreadableError as error:
        _refuse(str(error))
    _tell(audited, opened, beside)
    if keep is not None and not _UNPROVED & {finding.rule for finding in audited.findings}:
        _write(audited, keep)
    if audited.findings:
        raise typer.Exit(FOUND)


@contextmanager
def _open_details(file: Path | None, key: Path | None) -> Iterator[DetailsCheck | None]:
    """The export on its way along the log, or None where none was given."""
    if file is None or key is None:
        if file is not key:
            _refuse("--details and --key go together: the export, and the secret key that opens it.")
        yield None
        return
    try:
        secret = parse_auditor_secret(read_secret(key, made_by="It is made by `huigong key auditor`."))
    except KeyFileError as error:
        _refuse(str(error))
    except AuditorKeyError as error:
        _refuse(f"{key} holds no auditor's secret key: {error}.")
    try:
        sealed = file.open("rb")
    except OSError as error:
        _refuse(f"{file} could not be read: {error.strerror}.")
    with sealed:
        try:
            opened = DetailsCheck(split_lines(unseal(secret, sealed)))
        except NotSealedError as error:
            _refuse(f"{file} does not open: {error}.")
        except (SealBrokenError, DetailsMalformedError) as error:
            _refuse(f"{file} was changed, or is no details export: {error}.")
        yield opened


def _tell(audited: Audited, details: DetailsCheck | None, beside: TextsCheck | None) -> None:
    for finding in audited.findings:
        typer.echo(printable(f"{finding.rule}: {finding.place}: {finding.problem}"))
    if audited.more:
        typer.echo(f"… and {audited.more:,} more")
    if audited.signed is not None and audited.key is not None:
        checkpoint = audited.signed.checkpoint
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(audited.counts.items()))
        typer.echo(f"{checkpoint.origin}: {checkpoint.size:,} entries signed by {audited.key.text}")
        if audited.succeeds is not None:
            said = f"it succeeds {audited.succeeds.log.name}, which lost entries: the first {audited.succeeds.continued:,} go on here"
            typer.echo(printable(said))
        typer.echo(f"{audited.replayed:,} replayed: {kinds}")
        typer.echo(f"{len(audited.cosignatures)} of {audited.witnesses} outside witnesses cosigned it")
    if beside is not None:
        typer.echo(
            f"{beside.opened:,} texts beside entries are those that were hashed, {beside.absent:,} are not served"
        )
    if details is not None:
        typer.echo(
            f"{details.opened:,} of {details.head.sales_count:,} sales opened, {details.head.erased_count:,} erased, "
            f"{details.priced:,} priced again, {details.unknown:,} made by rules that are not known here"
        )
        if not details.head.has_batches:
            typer.echo(f"{details.head.format}: of sales in batches, which are left out in this form, nothing is said")
        for batch in details.batches:
            sums = ", which come to its sums and offers" if batch.adds_up else ""
            named = printable(f"batch {batch.leaf_index} ({batch.public_id})")
            typer.echo(f"{named}: {batch.opened:,} of {batch.count:,} sales opened{sums}")
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
