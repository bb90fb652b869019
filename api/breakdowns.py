"""Breakdowns need two rooms: the register knows who is of which unit, the books know who bought. Joined here, once a month."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from cards.attributes import MemberTraits, UnitPlace, find_traits, list_unit_names, list_unit_places
from market.kit.database import transaction
from market.oversight.breakdowns import Attribute, list_due_months, publish_breakdowns, read_bought
from market.oversight.partitions import Atom
from market.oversight.queries import month_days

UNKNOWN: Final = "unknown"
STATES: Final = ("active", "left", UNKNOWN, "retired")
AGE_LIMITS: Final = (30, 40, 50, 60, 70)
ATTRIBUTES: Final = ("unit", "retired", "age")
BANDS: Final = (UNKNOWN, "under-30", "30-39", "40-49", "50-59", "60-69", "over-69")
K_UNITS: Final = 10
K: Final = 5


def publish_due_breakdowns(*, at: datetime) -> list[str]:
    """Make the tables of every month that is due, each in a transaction of its own; the months (YYYY-MM)."""
    with transaction() as tx:
        months = list_due_months(tx, at=at)
    for month in months:
        with transaction() as tx:
            publish_month(tx, month=month, at=at)
    return months


def publish_month(tx: Session, *, month: str, at: datetime) -> None:
    """Make the tables of a month (YYYY-MM)."""
    bought = read_bought(tx, month=month)
    traits = find_traits(tx, subjects=bought, on=month_days(month)[1] - timedelta(days=1))
    attributes = make_attributes(bought, traits, places=list_unit_places(tx), names=list_unit_names(tx))
    publish_breakdowns(tx, month=month, bought=bought, attributes=attributes, at=at)


def make_attributes(
    buyers: Collection[UUID],
    traits: Mapping[UUID, MemberTraits],
    *,
    places: Sequence[UnitPlace],
    names: Mapping[str, str],
) -> tuple[Attribute, ...]:
    """By unit first, with sums; then who is retired and how old people are, in heads and purchases alone. Pure."""
    units = _home(buyers, {who: each.unit for who, each in traits.items()})
    states = _home(buyers, {who: each.state for who, each in traits.items()})
    bands = _home(buyers, {who: _band(each) for who, each in traits.items()})
    gone = [Atom(UNKNOWN)] if UNKNOWN in units.values() else []
    workshops = [Atom(place.code, place.path, place.name) for place in places]
    return (
        Attribute("unit", "tree", K_UNITS, [*workshops, *gone], units, names=names, with_money=True),
        Attribute("retired", "line", K, _line(STATES, states, always={"active", "retired"}), states),
        Attribute("age", "line", K, _line(BANDS, bands, always=set(BANDS) - {UNKNOWN}), bands),
    )


def _line(codes: Sequence[str], home: Mapping[UUID, str], *, always: Collection[str]) -> list[Atom]:
    """In their order; of those that are rare only the ones that somebody is of."""
    seen = set(home.values())
    return [Atom(code) for code in codes if code in always or code in seen]


def _home(bought: Iterable[UUID], known: Mapping[UUID, str]) -> dict[UUID, str]:
    """Who is gone from the register still bought: left out he could be found by subtraction, so he stands with the unknown."""
    return {subject: known.get(subject, UNKNOWN) for subject in bought}


def _band(traits: MemberTraits) -> str:
    return BANDS[1 + sum(traits.age >= limit for limit in AGE_LIMITS)]
