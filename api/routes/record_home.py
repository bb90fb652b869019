"""The front page of the public record, and how to check all of it without trusting us. No sign-in."""

from fastapi import Request, Response

import merchants
from api.access import Doors
from api.door import own_origin
from api.pages.kit import render
from api.pages.public_record import choose_month, show_published
from api.pages.totals import add_up, month_on
from api.pages.views import MonthAmounts, OwnCheck, RecordCheck, RecordHome, WitnessShown
from market.kit.database import transaction
from market.oversight.models import NightlyRun
from market.oversight.nightly import find_newest_night
from market.oversight.queries import list_months, total_by_merchant
from market.record.publishing.served import find_checkpoint, find_policy, list_cosigners

doors = Doors(prefix="/record", include_in_schema=False)


@doors.get("")
def record_home(request: Request) -> Response:
    """The newest month in one sentence and a picture, how far the record is published, and the ways to everything else."""
    with transaction() as tx:
        month = choose_month("", list_months(tx))
        amounts, sales_count = add_up(total_by_merchant(tx, month=month, public=True))
        view = RecordHome(
            month=MonthAmounts(month_on=month_on(month), amounts=amounts, sales_count=sales_count),
            merchants_count=len(merchants.list_merchants(tx)),
            published=show_published(tx),
        )
    return render(request, "record/home.html", view)


@doors.get("/check-it-yourself")
def record_check(request: Request) -> Response:
    """The log's name and key, the newest checkpoint, who watches, and the commands that check everything."""
    with transaction() as tx:
        policy = find_policy(tx)
        checkpoint = find_checkpoint(tx)
        cosigners = {each.name: each for each in list_cosigners(tx)}
        published = show_published(tx, policy)
        night = find_newest_night(tx)
    own = set() if policy is None else {key.name for key in policy.own_witnesses}
    asked = [] if policy is None else [key.name for key in (*policy.witnesses, *policy.own_witnesses)]
    view = RecordCheck(
        address=own_origin(request),
        origin=policy.origin if policy else None,
        vkey=policy.log.text if policy else None,
        checkpoint=checkpoint.decode() if checkpoint else None,
        window_seconds=policy.window_seconds if policy else None,
        witnesses=tuple(
            WitnessShown(
                name=name,
                is_own=name in own,
                since_at=cosigners[name].first_at if name in cosigners else None,
                checkpoints_count=cosigners[name].checkpoints if name in cosigners else 0,
            )
            for name in dict.fromkeys([*asked, *cosigners])
        ),
        own_check=None if night is None else _own_check(night),
        published=published,
    )
    return render(request, "record/check.html", view)


def _own_check(night: NightlyRun) -> OwnCheck:
    return OwnCheck(
        at=night.ended_at or night.begun_at,
        entries_count=night.size or 0,
        findings_count=len(night.findings) + night.more,
    )
