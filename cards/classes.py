"""How many members a class has: those whom an offer's audience fits."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.orm import Session

from cards.models import Member, Unit
from cards.people import FACT_LEVELS


def count_class(tx: Session, audience: Mapping[str, Sequence[object]], most: int) -> int:
    """Members whom this audience fits now, counted up to `most`; who left is not one. A fact that the register does not know fits nobody."""
    wanted = select(Member.id).join(Unit, Unit.id == Member.unit_id).where(Member.state != "left")
    for name, allowed in audience.items():
        wanted = wanted.where(_is_among(name, [value for value in allowed if isinstance(value, str)]))
    return tx.scalar(select(func.count()).select_from(wanted.limit(most).subquery())) or 0


def _is_among(name: str, allowed: Sequence[str]) -> ColumnElement[bool]:
    """Whether a member's fact, or one of several, is one of these; the facts are those of `people.list_facts`."""
    if name in FACT_LEVELS:
        return Unit.path[FACT_LEVELS.index(name) + 1].in_(allowed)
    if name == "tags":
        tags: ColumnElement[bool] = Member.tags.overlap(allowed)
        return tags
    columns = {"grade": Member.grade, "state": Member.state}
    return columns[name].in_(allowed) if name in columns else false()
