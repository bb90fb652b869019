"""The zones of offers are those that are carried: the same names and the same rules on every machine."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path

import pytest

from market.pricing.zones import get_zone, list_zones
from tests.unit.market.pricing.cases import case, line, percent, price

NOON = datetime(2026, 12, 1, 12, 5, tzinfo=timezone(timedelta(hours=8)))


def test_names_of_iana_are_zones_also_those_it_keeps_for_old_times_sake():
    assert {"Asia/Shanghai", "Asia/Urumqi", "UTC", "America/Argentina/Buenos_Aires", "PRC", "Etc/GMT+8"} <= list_zones()


def test_every_name_can_be_used():
    assert [name for name in list_zones() if NOON.astimezone(get_zone(name)) != NOON] == []


@pytest.mark.parametrize(
    "name", ["localtime", "posixrules", "Factory", "posix/UTC", "right/UTC", "../zones", "", "utc"]
)
def test_nothing_else_is_one(name):
    with pytest.raises(LookupError):
        get_zone(name)


def test_a_machine_with_other_rules_prices_alike(tmp_path: Path) -> None:
    """Its own Asia/Shanghai is five hours off and it has a zone of its own; neither is asked."""
    (tmp_path / "Asia").mkdir()
    other = files("tzdata").joinpath("zoneinfo", "Europe", "Moscow").read_bytes()
    for name in ("Asia/Shanghai", "localtime"):
        (tmp_path / name).write_bytes(other)
    program = (
        "from datetime import datetime, UTC\n"
        "from zoneinfo import ZoneInfo\n"
        "from market.pricing.zones import get_zone, list_zones\n"
        "at = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)\n"
        "print(at.astimezone(ZoneInfo('Asia/Shanghai')).hour, at.astimezone(get_zone('Asia/Shanghai')).hour,"
        " 'localtime' in list_zones())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONTZPATH": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[4])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["7", "12", "False"]


def test_hours_follow_the_carried_rules():
    made = case(
        [line("a", 1000)],
        [percent("A", 1000, hours=[["23:00", "24:00"]], zone="America/New_York")],
        now=datetime(2026, 12, 1, 4, 5, tzinfo=UTC).isoformat(),
    )
    assert price(made).payable == 900
