"""Time zones by the names of the IANA database that is carried with the program; what the machine has is not asked. Pure.

A price must come out the same on every machine. Names that mean something else on each (`localtime`, `posixrules`), that mean no place
(`Factory`) or that lead past the names (`posix/…`, `right/…`) are none.
"""

from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

_NO_PLACE: Final = frozenset({"Factory"})


@cache
def list_zones() -> frozenset[str]:
    """Every name of a zone."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()) - _NO_PLACE


@cache
def get_zone(name: str) -> ZoneInfo:
    """The zone of one of these names, by the carried rules. Raises LookupError for any other."""
    if name not in list_zones():
        raise LookupError(name)
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)
