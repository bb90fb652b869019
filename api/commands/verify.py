"""`huigong verify`: every invariant over the whole database, as a list of findings; the newest run stands on the auditor's desk."""

import typer
from rich.console import Console
from rich.progress import Progress

from api.commands.database import open_database
from market.kit.clock import now
from market.kit.database import get_engine
from market.oversight.audits import AUDITS, Finding, count_rows, store_run


def run_audits(console: Console) -> list[Finding]:
    """Run every audit in one snapshot of the database, with progress; keep and answer all findings."""
    findings: list[Finding] = []
    begun = now()
    with (
        get_engine().connect().execution_options(isolation_level="REPEATABLE READ") as connection,
        Progress(console=console, transient=True) as progress,
    ):
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        task = progress.add_task("verify", total=len(AUDITS))
        for audit in AUDITS:
            progress.update(task, description=audit.__name__.removeprefix("check_").replace("_", " "))
            findings.extend(audit(connection))
            progress.advance(task)
        store_run(connection, at=begun, rows=count_rows(connection), findings=findings)
        connection.commit()
    return findings


def verify() -> None:
    """Check every invariant over the whole database. Exit code 1 when anything is found."""
    console = Console(stderr=True)
    with open_database():
        findings = run_audits(console)
    for finding in findings:
        typer.echo(f"{finding.rule}: {finding.subject}: {finding.problem}")
    typer.echo(f"{len(AUDITS)} rules checked, {len(findings)} findings")
    if findings:
        raise typer.Exit(1)
