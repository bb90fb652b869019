"""How often and how much an offer may be used."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from market.kit.errors import InvalidError
from market.offers.limits import Limits

AT = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)
SUBJECT = UUID(int=7)


def test_limits_are_stored_as_what_they_limit() -> None:
    assert Limits.from_json({}).to_json() == {}
    assert Limits.from_json({"uses": 1, "period": "day"}).to_json() == {"uses": 1, "period": "day"}
    assert Limits.from_json({"total_fen": 500}).to_json() == {"total_fen": 500}


def test_a_use_is_counted_by_person_and_period() -> None:
    limits = Limits.from_json({"uses": 1, "period": "day"})
    assert limits.uses_balance("A", SUBJECT, AT) == f"uses:A:2026-12-01:{SUBJECT}"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"uses": 0}, "limits.uses"),
        ({"uses": True}, "limits.uses"),
        ({"uses": 10**15 + 1}, "limits.uses"),
        ({"amount_fen": "5"}, "limits.amount_fen"),
        ({"uses": 1, "period": "year"}, "limits.period"),
        ({"per_day": 1}, "limits.per_day"),
    ],
)
def test_a_limit_that_is_none_names_the_field(value: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        Limits.from_json(value)
    assert refused.value.facts["field"] == field
