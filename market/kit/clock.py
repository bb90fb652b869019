"""Instants are UTC; days, weeks (from Monday) and months are those of one business time zone, stated in the public policy.

The clock is read at the doors only (`now`) and passed in as `at`.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from market.kit.settings import get_settings


def now() -> datetime:
    """The present instant in UTC."""
    return datetime.now(UTC)


@cache
def get_zone() -> ZoneInfo:
    """The installation's business time zone."""
    return ZoneInfo(get_settings().zone)


def business_day(at: datetime) -> date:
    """The business day on which an instant falls."""
    return at.astimezone(get_zone()).date()


def business_period(at: datetime, period: str) -> str:
    """The label of the quota period (`day`, `week`, `month`, `ever`) in which an instant falls; labels sort by time."""
    day = business_day(at)
    match period:
        case "day":
            return day.isoformat()
        case "week":
            return (day - timedelta(days=day.weekday())).isoformat() + "w"
        case "month":
            return day.isoformat()[:7]
        case "ever":
            return "ever"
    raise ValueError(f"unknown quota period {period!r}")
