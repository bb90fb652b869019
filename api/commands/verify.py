"""`huigong verify`: every invariant over the whole database, as a list of findings; the newest run stands on the auditor's desk.

`--prices` prices every stored sale again as well.
"""

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from api.commands.database import open_database
from api.price_replay import Replayed, replay_prices
from market.kit.clock import now
from market.kit.database import long_snapshot
from market.oversight.audits import AUDITS, count_rows, store_run
from market.oversight.finding import Finding, run_audit


def run_audits(console: Console, *, with_prices: bool = False) -> tuple[list[Finding], Replayed | None]:
    """Run every audit in one snapshot of the database, with progress; keep and answer all findings.

    With prices every sale is priced again before the run is stored; what that found is among the findings.
    """
    findings: list[Finding] = []
    begun = now()
    replayed = _replay(console) if with_prices else None
    with (
        long_snapshot() as connection,
        Progress(console=console, transient=True) as progress,
    ):
        task = progress.add_task("verify", total=len(AUDITS))
        for audit in AUDITS:
            progress.update(task, description=audit.__name__.removeprefix("check_").replace("_", " "))
            findings.extend(run_audit(audit, connection))
            progress.advance(task)
        findings += replayed.findings if replayed else []
        rules = len(AUDITS) + bool(replayed)
        store_run(connection, at=begun, rules=rules, rows=count_rows(connection), findings=findings)
        connection.commit()
    return findings, replayed


def verify_database(*, prices: bool) -> None:
    """Check every invariant over the whole database; with `prices` every price too. Exit code 1 when anything is found."""
    console = Console(stderr=True)
    with open_database():
        findings, replayed = run_audits(console, with_prices=prices)
    for finding in findings:
        typer.echo(f"{finding.rule}: {finding.subject}: {finding.problem}")
    if replayed:
        same = replayed.sales - sum(finding.subject.startswith("sale ") for finding in replayed.findings)
        typer.echo(f"{replayed.sales:,} sales priced again, {same:,} to the same bytes")
    typer.echo(f"{len(AUDITS)} rules checked, {len(findings)} findings")
    if findings:
        raise typer.Exit(1)


def _replay(console: Console) -> Replayed:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("prices", total=None)
        return replay_prices(progress=lambda done, whole: bar.update(task, completed=done, total=whole))
