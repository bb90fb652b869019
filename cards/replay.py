"""Visits of the past, for replays that make sales of long ago through the till's own door: the demo works and the benchmarks.

A visit written here had no code: no door of people's calls this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cards.code import step_at
from cards.models import Visit
from cards.visits import VISIT_SECONDS, WEB


@dataclass(frozen=True, slots=True)
class PastVisit:
    """A card shown at a shop at `opened_at`. One card opens one visit in a step of 30 seconds."""

    id: UUID
    card_id: UUID
    shop_id: UUID
    staff_id: UUID
    opened_at: datetime


def record_visits(tx: Session | Connection, rows: Sequence[PastVisit]) -> None:
    """Insert visits with the times they had; one whose id is known stays as it is."""
    values = [
        {
            "id": row.id,
            "card_id": row.card_id,
            "shop_id": row.shop_id,
            "staff_id": row.staff_id,
            "device": WEB,
            "step": step_at(row.opened_at),
            "opened_at": row.opened_at,
            "expires_at": row.opened_at + timedelta(seconds=VISIT_SECONDS),
        }
        for row in rows
    ]
    if values:
        tx.execute(insert(Visit).on_conflict_do_nothing(index_elements=[Visit.id]), values)
