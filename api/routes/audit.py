"""The auditor's home: what `huigong verify` found, totals by month, and how far the record is published."""

from typing import Final

from fastapi import Request, Response

from api.access import Doors
from api.door import language_of
from api.pages.kit import render
from api.pages.public_record import show_published
from api.pages.totals import show_month
from api.pages.views.audit import AuditHome, Finding, VerifyRun
from api.publishing import find_stopped, show_stopped
from market.kit.database import transaction
from market.oversight import models
from market.oversight.queries import find_verify_run, total_by_month

doors = Doors(include_in_schema=False)

MONTHS_SHOWN: Final = 24


@doors.get("/audit")
def audit(request: Request) -> Response:
    """What was found, and totals by month."""
    with transaction() as tx:
        months = total_by_month(tx, last=MONTHS_SHOWN)
        run = find_verify_run(tx)
        published = show_published(tx)
        stopped = find_stopped(tx)
    view = AuditHome(
        months=tuple(show_month(row) for row in months),
        verify=_verdict(run),
        published=published,
        stopped=show_stopped(stopped, language_of(request)),
    )
    return render(request, "audit/home.html", view)


def _verdict(run: models.VerifyRun | None) -> VerifyRun | None:
    """What `huigong verify` last found."""
    if run is None:
        return None
    findings = tuple(
        Finding(check=row["rule"], subject=row["subject"], sentence=row["problem"]) for row in run.findings
    )
    return VerifyRun(at=run.at, checks_count=run.rules, rows_count=run.rows_seen, findings=findings)
