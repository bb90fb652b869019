"""The officer's desk, dry runs (试算): what a draft would have cost on the sales of a month. No person, shop or hour in any of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Request, Response
from sqlalchemy.orm import Session

from api.access import Doors, Fields, Who
from api.door import language_of, see_other
from api.dry_run_process import start_dry_run
from api.identity import Principal, list_names
from api.pages.dry_runs import show_found
from api.pages.kit import render
from api.pages.offers import title_of
from api.pages.terms import say_gives
from api.pages.totals import month_on
from api.pages.views import DryRunChoice, DryRunPage, DryRunRow, DryRuns
from api.routes.desk_offers import NOBODY, merchant_names
from api.typed import MOST_AT_DESK, Field, read_yuan
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.errors import ConflictError, InvalidError, NotFoundError
from market.offers.queries import get_version
from market.oversight.dry_run import Draft
from market.oversight.dry_runs import (
    ask_dry_run,
    cancel_dry_run,
    choose_month,
    get_dry_run,
    list_dry_runs,
    list_tryable,
)
from market.oversight.models import DryRun
from market.oversight.queries import month_days, total_by_month
from market.pricing import Offer

doors = Doors(prefix="/desk/dry-runs", include_in_schema=False)

RUNS_SHOWN = 20
MONTHS_SHOWN = 12
MOST_DOCUMENT = 20_000  # characters
BUDGET = Field("预算", "Budget", MOST_AT_DESK)
RunId = Annotated[UUID, Path()]


class DocumentUnreadableError(InvalidError):
    """What was typed as terms is no JSON object."""

    code = "DOCUMENT_UNREADABLE"
    zh = "条件原文不是 JSON 对象。请照“公布的原文”的样子填写，或从列表中选一个优惠。"
    en = "The terms are no JSON object. Write them like a published document, or choose an offer from the list."


class MonthUnknownError(InvalidError):
    """No month was chosen, or one that does not exist."""

    code = "MONTH_UNKNOWN"
    zh = "请选一个有消费的月份。"
    en = "Choose a month with sales."


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was sent."""

    of: str = ""
    document: str = ""
    month: str = ""
    budget: str = ""


@doors.get("")
def dry_runs(request: Request, of: Annotated[str, Query(max_length=100)] = "") -> Response:
    """Choose an offer and a month; the runs there were."""
    return _show_form(request, Typed(of=of), refusal=None)


@doors.post("")
def ask(request: Request, who: Who, fields: Fields) -> Response:
    """Ask for a dry run; a process of its own works on it."""
    typed = Typed(
        *(str(fields.get(name, ""))[:MOST_DOCUMENT].strip() for name in ("of", "document", "month", "budget"))
    )
    try:
        with transaction() as tx:
            id_ = _ask(tx, typed, who)
    except (InvalidError, ConflictError, NotFoundError) as refusal:
        return _show_form(request, typed, refusal=refusal)
    start_dry_run(id_)
    return see_other(request, f"/desk/dry-runs/{id_}")


@doors.get("/{run}")
def dry_run(request: Request, run: RunId) -> Response:
    """One run: how far it is, then what came of it."""
    at, language = now(), language_of(request)
    with transaction() as tx:
        found = get_dry_run(tx, id_=run, at=at)
        names = list_names(tx, persons=[found.asked_by])
        merchants = merchant_names(tx)
    view = DryRunPage(
        run_id=str(found.id),
        offer_id=found.offer,
        version=found.version,
        gives=say_gives(Offer.from_json(found.document["terms"]), language),
        month_on=found.first_on,
        budget_fen=found.budget_fen,
        asked_by=names.get(found.asked_by, NOBODY),
        asked_at=found.asked_at,
        state=found.state,  # type: ignore[arg-type] # the table's own constraint knows no other
        done_count=found.done_count,
        whole_count=found.whole_count,
        seconds=_seconds(found),
        withheld=bool(found.result and found.result["withheld"]),
        found=show_found(found.result, merchants=merchants, language=language) if found.result else None,
    )
    return render(request, "desk/dry_run.html", view, block="outcome")


@doors.post("/{run}/cancel")
def cancel(request: Request, run: RunId) -> Response:
    """Let it end without a result."""
    with transaction() as tx:
        cancel_dry_run(tx, id_=run, at=now())
    return see_other(request, f"/desk/dry-runs/{run}")


def _ask(tx: Session, typed: Typed, who: Principal) -> UUID:
    """Raises InvalidError for what was typed, NotFoundError, and the refusals of `ask_dry_run`."""
    version, document = _read_document(tx, typed)
    budget_fen = read_yuan(typed.budget, field=BUDGET) if typed.budget else None
    draft = Draft.from_json(document, budget_fen=budget_fen)
    try:
        days = month_days(typed.month)
    except ValueError:
        raise MonthUnknownError from None
    return ask_dry_run(tx, draft=draft, version=version, days=days, asked_by=who.person, at=now())


def _read_document(tx: Session, typed: Typed) -> tuple[int | None, Mapping[str, Any]]:
    """The version's number and the document to try; None for one that was typed."""
    if not typed.document:
        offer, _, version = typed.of.partition("/")
        if not version.isascii() or not version.isdecimal() or len(version) > 7:
            raise NotFoundError
        row = get_version(tx, offer=offer, version=int(version))
        return row.version, {"terms": row.terms, "limits": row.limits}
    try:
        document = json.loads(typed.document)
        json.dumps(document, ensure_ascii=False).encode()  # it can name half of a character, which nothing can hold
    except (ValueError, RecursionError):
        raise DocumentUnreadableError from None
    if not isinstance(document, dict):
        raise DocumentUnreadableError
    return None, document


def _show_form(
    request: Request, typed: Typed, *, refusal: InvalidError | ConflictError | NotFoundError | None
) -> Response:
    at, language = now(), language_of(request)
    with transaction() as tx:
        runs = list_dry_runs(tx, limit=RUNS_SHOWN, at=at)
        names = list_names(tx, persons=[run.asked_by for run in runs])
        months = [row.label for row in total_by_month(tx, last=MONTHS_SHOWN)]
        choices = [
            DryRunChoice(
                value=f"{version.offer}/{version.version}",
                title=f"{title_of(version, language)} · {version.offer} v{version.version}",
            )
            for version in list_tryable(tx)
        ]
    chosen = typed.month if typed.month in months else choose_month(months, today=business_day(at))
    view = DryRuns(
        choices=tuple(choices),
        months=tuple(month_on(month) for month in reversed(months)),
        chosen=typed.of,
        document=typed.document,
        month_on=None if chosen is None else month_on(chosen),
        budget=typed.budget,
        runs=tuple(_row(run, names) for run in runs),
        error=refusal.sentence(language) if refusal else None,
    )
    return render(request, "desk/dry_runs.html", view, status=refusal.status if refusal else 200)


def _row(run: DryRun, names: Mapping[UUID, str]) -> DryRunRow:
    return DryRunRow(
        run_id=str(run.id),
        offer_id=run.offer,
        version=run.version,
        month_on=run.first_on,
        state=run.state,  # type: ignore[arg-type] # the table's own constraint knows no other
        asked_by=names.get(run.asked_by, NOBODY),
        asked_at=run.asked_at,
    )


def _seconds(run: DryRun) -> int | None:
    """How long it took, in whole seconds and at least one."""
    if run.started_at is None or run.ended_at is None:
        return None
    return max(1, (run.ended_at - run.started_at) // timedelta(seconds=1))
