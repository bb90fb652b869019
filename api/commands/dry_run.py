"""`huigong dry-run`: what an offer would have cost on the sales of a month, in the terminal; the desk keeps its own runs."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from api.commands.database import open_database
from market.kit.clock import business_day, now
from market.kit.database import get_engine, transaction
from market.kit.errors import InvalidError
from market.kit.money import yuan
from market.offers.queries import get_version, list_versions
from market.oversight.dry_run import FEWEST_PERSONS, PAYERS, Draft
from market.oversight.dry_runs import NoSalesError, choose_month, simulate
from market.oversight.queries import month_days, total_by_month
from market.oversight.stored import count_days


class DraftUnclearError(InvalidError):
    """Neither an offer nor a file, or a file that holds no terms."""

    code = "DRAFT_UNCLEAR"
    zh = "请给出优惠编号，或用 --file 给出条件原文（JSON）。"
    en = "Name an offer, or give its terms as JSON with --file."


def dry_run(
    offer: Annotated[str | None, typer.Argument(help="The id of a stored offer.")] = None,
    *,
    version: Annotated[int | None, typer.Option(help="Which version of it; the newest if left out.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="Terms that are not stored, as a published document has them.")
    ] = None,
    month: Annotated[str | None, typer.Option(help="YYYY-MM; the newest whole month with sales if left out.")] = None,
    budget_fen: Annotated[int | None, typer.Option(min=0, help="What the draft's budgets hold, in fen.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Try an offer on the sales of a month: who would have borne how much more, and how many purchases change."""
    console = Console()
    with open_database():
        draft = Draft.from_json(_read(offer, version, file), budget_fen=budget_fen)
        days = _days(month)
        result = _simulate(draft, days)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False, indent=1))
    elif result["withheld"]:
        console.print(f"Fewer than {FEWEST_PERSONS} members would be touched: the figures would tell what they bought.")
    else:
        _print(console, draft, days[0], result)


def _read(offer: str | None, version: int | None, file: Path | None) -> Mapping[str, Any]:
    if file is not None:
        try:
            document = json.loads(file.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError):
            raise DraftUnclearError from None
        if not isinstance(document, dict):
            raise DraftUnclearError
        return document
    if offer is None:
        raise DraftUnclearError
    with transaction() as tx:
        newest = next((row.version for row in list_versions(tx, offer=offer)), 0)
        row = get_version(tx, offer=offer, version=version or newest)
        return {"terms": row.terms, "limits": row.limits}


def _days(month: str | None) -> tuple[date, date]:
    """The month that was named, else the newest one that is over, else the newest."""
    if month is None:
        with transaction() as tx:
            month = choose_month([row.label for row in total_by_month(tx)], today=business_day(now()))
        if month is None:
            raise NoSalesError
    try:
        return month_days(month)
    except ValueError:
        raise typer.BadParameter("a month is written YYYY-MM", param_hint="--month") from None


def _simulate(draft: Draft, days: tuple[date, date]) -> dict[str, Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        get_engine().connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) as reader,
        Progress(
            *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True
        ) as bar,
    ):
        whole = sum(count_days(reader, first=days[0], beyond=days[1]).values())
        if not whole:
            raise NoSalesError
        task = bar.add_task("dry run", total=whole)

        def show(done: int) -> bool:
            bar.update(task, completed=done)
            return True

        return simulate(reader, draft=draft, days=days, progress=show) or {}


def _print(console: Console, draft: Draft, first: date, result: Mapping[str, Any]) -> None:
    console.print(
        f"{draft.offer.id} as if in force all {first:%Y-%m}: {result['sales']:,} purchases, {result['cheaper']:,} cheaper, "
        f"{result['dearer']:,} dearer; used in {result['draft']['sales']:,}, gives {yuan(result['draft']['amount'])}",
        highlight=False,
    )
    table = Table("", "then", "would be", "change (fen)")
    for who in PAYERS:
        was, would = result["before"][who], result["after"][who]
        table.add_row(who.replace("_", " "), yuan(was), yuan(would), f"{would - was:+,}")
    console.print(table)
    weeks = Table(
        "week of", "purchases", "cheaper", "dearer", "concession", "subsidy", "paid", title="change by week (fen)"
    )
    for week in result["weeks"]:
        changes = [f"{week['after'][who] - week['before'][who]:+,}" for who in ("concession", "subsidy", "paid")]
        weeks.add_row(week["week"], *(f"{week[name]:,}" for name in ("sales", "cheaper", "dearer")), *changes)
    console.print(weeks)
    for name, found in result["largest"].items():
        console.print(f"{name} by the most: {yuan(found['before'])} → {yuan(found['after'])}", highlight=False)
