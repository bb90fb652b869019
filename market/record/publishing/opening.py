"""Opening the log, and changing its policy: a public entry that says by which keys and when everything else is published."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.kit.ids import new_public_id
from market.record.operations import append_entry
from market.record.policy import Policy
from market.record.publishing.models import LogState


def set_policy(tx: Session, policy: Policy, *, at: datetime) -> None:
    """Publish a policy; the first one opens the log."""
    tx.execute(insert(LogState).values(id=1, size=0).on_conflict_do_nothing())
    public_id, day = new_public_id(), business_day(at)
    body = policy.entry(public_id=public_id, day=day)
    append_entry(tx, kind="policy", public_id=public_id, merchant=None, day=day, body=body, at=at)
