"""The front page of the public record, and how to check all of it without trusting us. No sign-in."""

from collections.abc import Iterable
from datetime import UTC
from typing import Any, Final

from fastapi import Request, Response
from sqlalchemy.orm import Session

import merchants
from api.access import Doors
from api.door import own_origin
from api.exports import csv_response, public_json
from api.pages.kit import render
from api.pages.public_record import choose_month, show_published
from api.pages.totals import show_month
from api.pages.views import OwnCheck, RecordCheck, RecordHome, WitnessShown
from api.pages.views.record import Succeeded
from market.kit.database import snapshot, transaction
from market.oversight.models import NightlyRun
from market.oversight.nightly import find_newest_night
from market.oversight.public_totals import list_public_months, sum_public_month
from market.record.log.checkpoints import parse_checkpoint
from market.record.log.notes import parse_note
from market.record.policy import Policy, Succession
from market.record.publishing.served import find_checkpoint, find_policy, list_cosigners

doors = Doors(prefix="/record", tags=["public record"])

WITNESSES: Final = ("witness", "own", "since", "checkpoints")


@doors.get("", include_in_schema=False)
def record_home(request: Request) -> Response:
    """The newest month in one sentence and a picture, how far the record is published, and the ways to everything else."""
    with snapshot() as tx:
        month = choose_month("", list_public_months(tx))
        view = RecordHome(
            month=show_month(sum_public_month(tx, month=month)),
            merchants_count=sum(merchants.count_by_category(tx).values()),
            published=show_published(tx),
        )
    return render(request, "record/home.html", view)


@doors.get("/witnesses.csv")
def record_witnesses_csv() -> Response:
    """Who cosigns checkpoints, or is asked to, as CSV: whether it is the operator's own, since when, and how many; instants are UTC."""
    rows = (tuple(row.values()) for row in _write(_witnesses()))
    return csv_response("huigong-witnesses.csv", WITNESSES, rows, public=True)


@doors.get("/witnesses.json")
def record_witnesses_json() -> Response:
    """Who cosigns checkpoints, or is asked to, as JSON: whether it is the operator's own, since when, and how many; instants are UTC."""
    return public_json(_write(_witnesses()))


@doors.get("/check-it-yourself", include_in_schema=False)
def record_check(request: Request) -> Response:
    """The log's name and key, the newest checkpoint, who watches, and the commands that check everything."""
    with snapshot() as tx:
        policy = find_policy(tx)
        checkpoint = find_checkpoint(tx)
        witnesses = _list_witnesses(tx, policy)
        published = show_published(tx, policy)
        night = find_newest_night(tx)
    view = RecordCheck(
        address=own_origin(request),
        origin=policy.origin if policy else None,
        vkey=policy.log.text if policy else None,
        checkpoint=checkpoint.decode() if checkpoint else None,
        window_seconds=policy.window_seconds if policy else None,
        promise=policy.promise.text if policy else None,
        witnesses=witnesses,
        own_check=None if night is None else _own_check(night),
        published=published,
        succeeds=None if policy is None or policy.succeeds is None else _show_succeeded(policy.succeeds),
    )
    return render(request, "record/check.html", view)


def _witnesses() -> tuple[WitnessShown, ...]:
    with transaction() as tx:
        return _list_witnesses(tx, find_policy(tx))


def _list_witnesses(tx: Session, policy: Policy | None) -> tuple[WitnessShown, ...]:
    """Those that the policy names, and whoever else ever cosigned."""
    cosigners = {each.name: each for each in list_cosigners(tx)}
    own = set() if policy is None else {key.name for key in policy.own_witnesses}
    asked = [] if policy is None else [key.name for key in (*policy.witnesses, *policy.own_witnesses)]
    return tuple(
        WitnessShown(
            name=name,
            is_own=name in own,
            since_at=cosigners[name].first_at if name in cosigners else None,
            checkpoints_count=cosigners[name].checkpoints if name in cosigners else 0,
        )
        for name in dict.fromkeys([*asked, *cosigners])
    )


def _write(witnesses: Iterable[WitnessShown]) -> list[dict[str, Any]]:
    rows = (
        (each.name, each.is_own, each.since_at and each.since_at.astimezone(UTC).isoformat(), each.checkpoints_count)
        for each in witnesses
    )
    return [dict(zip(WITNESSES, row, strict=True)) for row in rows]


def _show_succeeded(succeeds: Succession) -> Succeeded:
    last = parse_checkpoint(parse_note(succeeds.checkpoint.encode()).text)
    return Succeeded(
        origin=last.origin,
        vkey=succeeds.log.text,
        checkpoint=succeeds.checkpoint,
        signed_count=last.size,
        continued_count=succeeds.continued,
    )


def _own_check(night: NightlyRun) -> OwnCheck:
    return OwnCheck(
        at=night.ended_at or night.begun_at,
        entries_count=night.size or 0,
        findings_count=night.findings_count,
    )
