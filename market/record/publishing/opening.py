"""Opening the log, and what it says of itself: its policy, by which keys and when everything else is published, and its chart of accounts."""

import json
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.kit.ids import new_public_id
from market.record.chart import VERSION, chart_fields
from market.record.key_changes import list_key_changes
from market.record.log.errors import MalformedError
from market.record.models import Entry, of_type
from market.record.operations import append_entry, publish_event
from market.record.policy import Policy
from market.record.publishing.models import LogState
from market.record.publishing.served import find_policy


def lock_log(tx: Session) -> None:
    """Until the transaction ends nobody else places, signs, or changes what the log says of itself."""
    tx.execute(insert(LogState).values(id=1, size=0).on_conflict_do_nothing())
    tx.execute(select(LogState.id).with_for_update())


def set_policy(tx: Session, policy: Policy, *, at: datetime) -> None:
    """Publish a policy, and before it each key that it changes; the first one opens the log."""
    lock_log(tx)
    for change in list_key_changes(find_policy(tx), policy):
        publish_event(tx, kind="key", fields=change.fields(), at=at)
    public_id, day = new_public_id(), business_day(at)
    body = policy.entry(public_id=public_id, day=day)
    append_entry(tx, kind="policy", public_id=public_id, merchant=None, day=day, body=body, at=at)


def publish_chart(tx: Session, *, at: datetime) -> bool:
    """Publish the chart of accounts of this release where the log has none or an older one; whether it did.

    Raises MalformedError where the one that is there cannot be read.
    """
    if _published_version(tx) >= VERSION:
        return False
    lock_log(tx)
    if _published_version(tx) >= VERSION:
        return False
    publish_event(tx, kind="account", fields=chart_fields(), at=at)
    return True


def _published_version(tx: Session) -> int:
    """The version of the chart published last, 0 where there is none."""
    body = tx.scalar(select(Entry.body).where(of_type("account")).order_by(Entry.id.desc()).limit(1))
    if body is None:
        return 0
    try:
        version = json.loads(body)["version"]
    except (ValueError, LookupError, TypeError):
        version = None
    if type(version) is not int:
        raise MalformedError("chart of accounts", "version", "no version stands here")
    return version
