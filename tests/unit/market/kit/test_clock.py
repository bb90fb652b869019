"""Days, weeks and months are those of the business zone."""

from datetime import UTC, date, datetime

import pytest

from market.kit.clock import business_day, business_period

LATE = datetime(2026, 11, 30, 16, 30, tzinfo=UTC)  # half past midnight of 1 December in Shanghai


def test_a_day_begins_at_midnight_in_the_business_zone() -> None:
    assert business_day(LATE) == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("period", "label"), [("day", "2026-12-01"), ("week", "2026-11-30w"), ("month", "2026-12"), ("ever", "ever")]
)
def test_the_label_of_a_period(period: str, label: str) -> None:
    assert business_period(LATE, period) == label


def test_an_unknown_period_is_an_error() -> None:
    with pytest.raises(ValueError, match="fortnight"):
        business_period(LATE, "fortnight")
