"""Reading the fields of an offer in the form of the pricing document: all that its kind needs, nothing that has no meaning for it. Pure."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from market.kit.money import WHOLE_BP
from market.pricing.kinds import PARAMETERS, Kind, Stage
from market.pricing.match import Match, Part
from market.pricing.reading import (
    fail,
    read_bool,
    read_choice,
    read_clock,
    read_instant,
    read_int,
    read_list,
    read_object,
    read_text,
    read_texts,
    shown,
)
from market.pricing.zones import list_zones

Fact = str | int | bool

CHANNELS: Final = ("shop", "online")
ALONE: Final = ("none", "stage", "all")
REBATE_TO: Final = ("member", "union")

_PARAMETER_FIELDS: Final = ("rate_bp", "amount", "tiers", "repeat", "price", "buy", "get", "get_rate_bp", "components")
OFFER_FIELDS: Final = frozenset(
    {
        *("id", "version", "stage", "kind", "match", "channels", "audience", "window", "weekdays", "hours", "zone"),
        *("min_spend", "min_qty", "max_discount", "max_units", "budgets", "allowance", "on_shortage", "consent"),
        *("group", "alone", "line_stackable", "priority", "sponsor", "sponsor_share_bp", "rebate_to"),
        *_PARAMETER_FIELDS,
    }
)


# Fields of one stage that mean nothing at another.
_FOREIGN: Final = {
    "line": ("rebate_to",),
    "order": ("rebate_to", "max_units", "line_stackable"),
    "subsidy": ("rebate_to", "max_units", "line_stackable"),
    "rebate": ("max_units", "line_stackable"),
}


def read_offer_fields(found: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The arguments of `Offer(...)` out of an object whose field names are known to be allowed."""
    stage = read_choice(found["stage"], f"{path}.stage", tuple(Stage))
    kind = _read_kind(found["kind"], f"{path}.kind", stage)
    fields: dict[str, Any] = {"id": read_text(found["id"], f"{path}.id"), "stage": Stage(stage), "kind": Kind(kind)}
    fields |= _read_parameters(found, path, stage, kind)
    for name, value in found.items():
        if name in _READERS:
            fields[name] = _READERS[name](value, f"{path}.{name}")
    for name in _FOREIGN[stage]:
        if name in found:
            fail(f"{path}.{name}", f"has no meaning at stage {stage}")
    if fields.get("allowance") in fields.get("budgets", ()):
        fail(f"{path}.allowance", "is also one of the budgets")
    return fields


def _read_kind(value: object, path: str, stage: str) -> str:
    return read_choice(value, path, [kind for at, kind in PARAMETERS if at == stage])


def _read_parameters(found: Mapping[str, Any], path: str, stage: str, kind: str) -> dict[str, Any]:
    """The parameters of the kind: all it needs, none of another."""
    needed = PARAMETERS[stage, kind]
    for name in _PARAMETER_FIELDS:
        if name in found and name not in needed and not (name == "repeat" and "tiers" in needed):
            fail(f"{path}.{name}", f"is no parameter of {kind} at stage {stage}")
    for name in needed:
        if name not in found:
            fail(f"{path}.{name}", "is missing")
    fields: dict[str, Any] = {}
    for name in needed:
        if name in _PARAMETER_READERS:
            fields[name] = _PARAMETER_READERS[name](found[name], f"{path}.{name}")
    if "tiers" in needed:
        fields["repeat"] = read_bool(found.get("repeat", False), f"{path}.repeat")
        fields["tiers"] = _read_tiers(found["tiers"], f"{path}.tiers", least=1 if fields["repeat"] else 0)
    return fields


def _read_components(value: object, path: str) -> tuple[Part, ...]:
    parts = []
    for position, row in enumerate(read_list(value, path, least=1)):
        at = f"{path}[{position}]"
        found = read_object(row, at, ("match", "qty"), ("match", "qty"))
        parts.append(Part(Match.from_json(found["match"], f"{at}.match"), read_int(found["qty"], f"{at}.qty", least=1)))
    return tuple(parts)


def _read_tiers(value: object, path: str, *, least: int) -> tuple[tuple[int, int], ...]:
    tiers = []
    for position, tier in enumerate(read_list(value, path, least=1)):
        at = f"{path}[{position}]"
        found = read_object(tier, at, ("min", "off"), ("min", "off"))
        # With `repeat` the base is divided by the minimum, so that one cannot be 0.
        tiers.append((read_int(found["min"], f"{at}.min", least=least), read_int(found["off"], f"{at}.off")))
    if len({lowest for lowest, _ in tiers}) != len(tiers):
        fail(path, "has two tiers with one min")
    return tuple(sorted(tiers))


def _read_channels(value: object, path: str) -> tuple[str, ...]:
    channels = read_texts(value, path, least=1)
    for position, channel in enumerate(channels):
        read_choice(channel, f"{path}[{position}]", CHANNELS)
    return channels


def _read_audience(value: object, path: str) -> dict[str, tuple[Fact, ...]]:
    if not isinstance(value, Mapping):
        fail(path, "must be an object of member fields")
    audience = {}
    for name, allowed in value.items():
        for position, fact in enumerate(read_list(allowed, f"{path}.{name}", least=1)):
            if type(fact) not in (str, int, bool):
                fail(f"{path}.{name}[{position}]", "must be a text, an integer, true or false")
        audience[name] = tuple(allowed)
    return audience


def _read_window(value: object, path: str) -> tuple[datetime | None, datetime | None]:
    found = read_object(value, path, ("from", "to"))
    if not found:
        fail(path, "must have from, to or both")
    begin, end = (read_instant(found[edge], f"{path}.{edge}") if edge in found else None for edge in ("from", "to"))
    if begin and end and begin >= end:
        fail(path, "ends before it begins")
    return (begin and begin.astimezone(UTC), end and end.astimezone(UTC))


def _read_weekdays(value: object, path: str) -> tuple[int, ...]:
    days = read_list(value, path, least=1)
    for position, day in enumerate(days):
        read_int(day, f"{path}[{position}]", least=1, most=7)
    return tuple(sorted(set(days)))


def _read_hours(value: object, path: str) -> tuple[tuple[int, int], ...]:
    pairs = []
    for position, pair in enumerate(read_list(value, path, least=1)):
        at = f"{path}[{position}]"
        edges = read_list(pair, at)
        if len(edges) != 2:
            fail(at, "must be a pair of times of day")
        begin = read_clock(edges[0], f"{at}[0]", may_be_midnight=False)
        end = read_clock(edges[1], f"{at}[1]", may_be_midnight=True)
        if begin == end:
            fail(at, "begins and ends at one time; a whole day is 00:00 to 24:00")
        pairs.append((begin, end))
    return tuple(pairs)


def _read_zone(value: object, path: str) -> str:
    zone = read_text(value, path)
    if zone not in list_zones():
        fail(path, f"is no time zone: {shown(zone)}")
    return zone


def _read_rate(value: object, path: str) -> int:
    return read_int(value, path, most=WHOLE_BP)


def _read_units(value: object, path: str) -> int:
    return read_int(value, path, least=1)


_PARAMETER_READERS: Final[dict[str, Callable[[object, str], object]]] = {
    "rate_bp": _read_rate,
    "get_rate_bp": _read_rate,
    "buy": _read_units,
    "get": _read_units,
    "components": _read_components,
    "amount": read_int,
    "price": read_int,
}
_READERS: Final[dict[str, Callable[[object, str], object]]] = {
    "version": lambda value, path: read_int(value, path, least=1),
    "match": Match.from_json,
    "channels": _read_channels,
    "audience": _read_audience,
    "window": _read_window,
    "weekdays": _read_weekdays,
    "hours": _read_hours,
    "zone": _read_zone,
    "min_spend": read_int,
    "min_qty": read_int,
    "max_discount": read_int,
    "max_units": read_int,
    "budgets": read_texts,
    "allowance": read_text,
    "on_shortage": lambda value, path: read_choice(value, path, ("none", "partial")),
    "consent": lambda value, path: read_choice(value, path, ("auto", "ask")),
    "group": read_text,
    "alone": lambda value, path: read_choice(value, path, ALONE),
    "line_stackable": read_bool,
    "priority": lambda value, path: read_int(value, path, least=-(10**9), most=10**9),
    "rebate_to": lambda value, path: read_choice(value, path, REBATE_TO),
    "sponsor": read_text,
    "sponsor_share_bp": lambda value, path: read_int(value, path, most=WHOLE_BP),
}
