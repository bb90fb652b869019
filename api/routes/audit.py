"""The auditor's home: what the last audit found, what became of the last nights, totals by month, and how far the record is published."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Request, Response

from api.access import Doors
from api.door import language_of
from api.pages.i18n import Language, translate
from api.pages.kit import render
from api.pages.public_record import show_published
from api.pages.rules import RULES
from api.pages.totals import show_month
from api.pages.views.audit import AuditHome, Finding, NightShown, Verdict
from api.publishing import find_stopped, show_stopped
from market.kit.clock import now
from market.kit.database import transaction
from market.oversight.models import NightlyRun, VerifyRun
from market.oversight.nightly import find_newest_night, list_nights
from market.oversight.queries import find_verify_run, total_by_month

doors = Doors(include_in_schema=False)

MONTHS_SHOWN: Final = 24
FINDINGS_SHOWN: Final = 20
_PUBLIC_ID: Final = re.compile(r"\b[0-9a-f]{32}\b")
_ACCOUNT: Final = re.compile(r"(?:(?:budget|payable|receivable):[A-Za-z0-9_.-]+|union:fund|rebates:union)")


@doors.get("/audit")
def audit(request: Request) -> Response:
    """What was found, night by night, and totals by month."""
    with transaction() as tx:
        months = total_by_month(tx, last=MONTHS_SHOWN)
        by_hand, by_night = find_verify_run(tx), find_newest_night(tx)
        nights = list_nights(tx, at=now())
        published = show_published(tx)
        stopped = find_stopped(tx)
    language = language_of(request)
    view = AuditHome(
        months=tuple(show_month(row) for row in months),
        verdict=_verdict(by_hand, by_night, language),
        nights=tuple(NightShown(on=night.on, state=night.state, findings_count=night.findings) for night in nights),
        published=published,
        stopped=show_stopped(stopped, language),
    )
    return render(request, "audit/home.html", view)


def _verdict(by_hand: VerifyRun | None, by_night: NightlyRun | None, language: Language) -> Verdict | None:
    """The later of the two."""
    if by_night is not None and by_night.ended_at and (by_hand is None or by_hand.at < by_night.begun_at):
        return Verdict(
            at=by_night.ended_at,
            checks_count=by_night.rules or 0,
            rows_count=by_night.rows_seen or 0,
            entries_count=by_night.size,
            seconds=round((by_night.ended_at - by_night.begun_at).total_seconds()),
            findings=_show(by_night.findings, language),
            more_count=len(by_night.findings[FINDINGS_SHOWN:]) + by_night.more,
        )
    if by_hand is None:
        return None
    return Verdict(
        at=by_hand.at,
        checks_count=by_hand.rules,
        rows_count=by_hand.rows_seen,
        entries_count=None,
        seconds=None,
        findings=_show(by_hand.findings, language),
        more_count=len(by_hand.findings[FINDINGS_SHOWN:]),
    )


def _show(found: Sequence[Mapping[str, Any]], language: Language) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            check=_say(row["rule"], language),
            sentence=row["problem"],
            subject=row["subject"],
            path=_path(row["subject"]),
        )
        for row in found[:FINDINGS_SHOWN]
    )


def _say(rule: str, language: Language) -> str:
    """What does not hold, in words; a rule that an older release stored is shown by its name."""
    words = RULES.get(rule)
    return rule if words is None else translate(language, words)


def _path(subject: str) -> str | None:
    """The page of what a finding is about: of an entry by its public id, of a public account by its code."""
    if (named := _PUBLIC_ID.search(subject)) is not None:
        return f"/audit/entries/{named[0]}"
    if (account := _ACCOUNT.fullmatch(subject)) is not None:
        return f"/record/accounts/{account[0]}"
    return None
