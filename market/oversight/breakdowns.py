"""Published breakdowns: a closed month by an attribute of the members who bought. Made once, kept as they were made, never made again.

A return, an erasure or a transfer after that day changes no table, so it cannot be subtracted out of two of them. Who is of which group is
handed down; what is stored holds groups and sums, and no person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.kit.errors import invariant
from market.oversight.models import Breakdown
from market.oversight.partitions import Atom, Bought, Group, Scale, divide, sum_group
from market.oversight.queries import list_months, month_days
from market.sales.models import Reversal, Sale

SETTLING_DAYS: Final = 2  # so many whole days after the month voids, late entries and returns at once still come in


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute and what its groups are made of; `names` of the codes in their paths.

    `with_money`: sums are published too, which one attribute alone may have (decision 0020).
    """

    name: str
    scale: Scale
    k: int
    atoms: Sequence[Atom]
    home: Mapping[UUID, str]
    names: Mapping[str, str] = field(default_factory=dict)
    with_money: bool = False


def list_due_months(tx: Session, *, at: datetime) -> list[str]:
    """The months (YYYY-MM) that are over and settled and have no table yet, oldest first."""
    made = set(tx.scalars(select(Breakdown.month).distinct()))
    return [month for month in list_months(tx) if month not in made and due_on(month) <= business_day(at)]


def due_on(month: str) -> date:
    """The day on which the tables of a month (YYYY-MM) are made."""
    return month_days(month)[1] + timedelta(days=SETTLING_DAYS)


def read_bought(tx: Session, *, month: str) -> dict[UUID, Bought]:
    """What each member bought in a month, by subject, less what has gone back until now; who gave everything back did not buy."""
    first, beyond = month_days(month)
    voided = select(Reversal.sale_id).where(Reversal.sale_id == Sale.id, Reversal.kind == "void").exists()
    rows = tx.execute(
        select(
            Sale.subject,
            func.count(),
            func.sum(Sale.concession_fen - Sale.back_concession_fen),
            func.sum(Sale.subsidy_fen - Sale.back_subsidy_fen),
            func.sum(Sale.paid_fen - Sale.back_paid_fen),
        )
        .where(Sale.day >= first, Sale.day < beyond, ~voided)
        .where((Sale.back_list_fen < Sale.list_fen) | (Sale.list_fen == 0))
        .group_by(Sale.subject)
    )
    return {
        subject: Bought(count, int(given), int(subsidy), int(paid)) for subject, count, given, subsidy, paid in rows
    }


def make_tables(attributes: Sequence[Attribute], bought: Mapping[UUID, Bought]) -> list[list[dict[str, Any]]]:
    """The groups of each attribute as they are published, each table safe beside those before it. Pure."""
    invariant(
        sum(attribute.with_money for attribute in attributes) <= 1, "sums of two attributes link entries to persons"
    )
    tables: list[list[dict[str, Any]]] = []
    beside: list[tuple[int, list[Group[UUID]]]] = []
    for attribute in attributes:
        groups = divide(
            attribute.atoms,
            attribute.home,
            scale=attribute.scale,
            k=attribute.k,
            beside=beside,
            bought=bought if attribute.with_money else None,
        )
        beside.append((attribute.k, groups))
        tables.append(
            [
                _describe(group, attribute) | sum_group(group, bought, with_money=attribute.with_money)
                for group in groups
            ]
        )
    return tables


def publish_breakdowns(
    tx: Session, *, month: str, bought: Mapping[UUID, Bought], attributes: Sequence[Attribute], at: datetime
) -> None:
    """Store the tables of a month, one for each attribute. A month has them once (primary key)."""
    for attribute, groups in zip(attributes, make_tables(attributes, bought), strict=True):
        tx.add(Breakdown(month=month, attribute=attribute.name, made_at=at, k=attribute.k, groups=groups))
    tx.flush()


def list_tables(tx: Session, *, month: str | None = None) -> Sequence[Breakdown]:
    """The tables of a month (YYYY-MM) or of all, oldest first."""
    query = select(Breakdown).order_by(Breakdown.month, Breakdown.attribute)
    return tx.scalars(query if month is None else query.where(Breakdown.month == month)).all()


def list_table_months(tx: Session) -> Sequence[str]:
    """The months (YYYY-MM) that have tables, oldest first."""
    return tx.scalars(select(Breakdown.month).distinct().order_by(Breakdown.month)).all()


def _describe(group: Group[UUID], attribute: Attribute) -> dict[str, Any]:
    """What a group is made of, in the names of the day: codes and names, the units above all of it, and whether it is all of the last."""
    own = [attribute.atoms[place] for place in group.places]
    below = sum(atom.path[: len(group.path)] == group.path for atom in attribute.atoms)
    return {
        "codes": [atom.code for atom in own],
        "names": [atom.name for atom in own],
        "where": [attribute.names[code] for code in group.path],
        "is_whole": bool(group.path) and below == len(own),
    }
