"""The demo's past months are broken down, and nobody of the demo works can be singled out either."""

from datetime import date
from uuid import UUID

from sqlalchemy import Connection

from cards.attributes import MemberTraits, find_traits
from market.kit.database import transaction
from market.oversight.breakdowns import list_tables, read_bought
from tests.attacker import Row, attack

LAST = {"2026-09": date(2026, 9, 30), "2026-10": date(2026, 10, 31)}


def is_of(row: Row, traits: MemberTraits) -> bool:
    match row["attribute"]:
        case "unit":
            return traits.unit in row["group"]
        case "retired":
            return traits.state in row["group"]
        case _:
            bands = {"under-30": (0, 29), "over-69": (70, 150)}
            spans = (bands.get(code) or tuple(map(int, code.split("-"))) for code in row["group"] if code != "unknown")
            return any(low <= traits.age <= high for low, high in spans)


def test_its_closed_months_are_broken_down_and_single_nobody_out(books: Connection) -> None:
    with transaction() as tx:
        tables = list_tables(tx)
        assert {(table.month, table.attribute) for table in tables} == {
            (month, attribute) for month in LAST for attribute in ("unit", "retired", "age")
        }
        buyers = {month: read_bought(tx, month=month) for month in LAST}
        people: dict[str, dict[UUID, MemberTraits]] = {
            month: find_traits(tx, subjects=buyers[month], on=last) for month, last in LAST.items()
        }
    groups = {}
    for month, traits in people.items():
        rows = [
            {"attribute": table.attribute, "k": table.k, "group": group["codes"], **group}
            for table in tables
            if table.month == month
            for group in table.groups
        ]

        def meet(row: Row, other: Row, traits: dict[UUID, MemberTraits] = traits) -> bool:
            return any(is_of(row, each) and is_of(other, each) for each in traits.values())

        assert attack(rows, meet) == []
        for row in rows:
            assert row["members"] == sum(is_of(row, each) for each in traits.values()) >= row["k"]
        groups[month] = sum(row["attribute"] == "unit" for row in rows)
    assert groups["2026-10"] > 1  # the whole month; of September there are ten days
