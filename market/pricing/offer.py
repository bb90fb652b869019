"""The terms of one offer version: typed, immutable, read from and written to the fields of the pricing document. Pure.

Terms never hold a standing (uses, amounts and purses that are left): that belongs to a Candidate, at the moment of a quote.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from market.kit.money import WHOLE_BP
from market.pricing.kinds import NOT_YET, PARAMETERS, STAGE_RANK, Kind, Stage, runs_late
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

HOME_ZONE: Final = "Asia/Shanghai"
CHANNELS: Final = ("shop", "online")
ALONE: Final = ("none", "stage", "all")

Fact = str | int | bool

_MATCH_FIELDS: Final = ("any", "skus", "categories", "exclude_skus", "merchants", "shops")
_PARAMETER_FIELDS: Final = ("rate_bp", "amount", "tiers", "repeat", "price", "buy", "get", "get_rate_bp", "components")
OFFER_FIELDS: Final = frozenset(
    {
        *("id", "version", "stage", "kind", "match", "channels", "audience", "window", "weekdays", "hours", "zone"),
        *("min_spend", "min_qty", "max_discount", "max_units", "budgets", "allowance", "on_shortage", "consent"),
        *("group", "alone", "line_stackable", "priority", "sponsor", "sponsor_share_bp", "rebate_to"),
        *_PARAMETER_FIELDS,
    }
)


@dataclass(frozen=True, slots=True)
class Match:
    """Which items an offer looks at, and its scope. Empty = no condition of that kind; everything empty = any item anywhere."""

    skus: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    exclude_skus: frozenset[str] = frozenset()
    merchants: frozenset[str] = frozenset()
    shops: frozenset[str] = frozenset()

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read a `match`; it must say something, `{"any": true}` at least."""
        found = read_object(value, path, _MATCH_FIELDS)
        if not found:
            fail(path, 'must name items or a scope, or be {"any": true}')
        if "any" in found:
            if found["any"] is not True:
                fail(f"{path}.any", "must be true; leave it out to name items")
            if "skus" in found or "categories" in found:
                fail(f"{path}.any", "cannot stand beside skus or categories")
        return cls(
            *(
                frozenset(read_texts(found[name], f"{path}.{name}", least=1)) if name in found else frozenset()
                for name in _MATCH_FIELDS[1:]
            )
        )

    def to_json(self) -> dict[str, Any]:
        """The canonical form: lists sorted, empty ones left out, `any` when no item is named."""
        named = {name: sorted(values) for name in _MATCH_FIELDS[1:] if (values := getattr(self, name))}
        return named if self.skus or self.categories else {"any": True, **named}


@dataclass(frozen=True, slots=True)
class Offer:
    """An immutable offer version; field names, units (fen, basis points, units) and defaults are those of the pricing rules.

    `tiers` are (min, off) in rising order, `hours` (from, to) in minutes of the day, `window` two UTC instants or None for open ends.
    """

    id: str
    stage: Stage
    kind: Kind
    version: int = 1
    rate_bp: int = 0
    amount: int = 0
    tiers: tuple[tuple[int, int], ...] = ()
    repeat: bool = False
    match: Match = Match()
    channels: tuple[str, ...] = ()
    audience: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict, hash=False)
    window: tuple[datetime | None, datetime | None] | None = None
    weekdays: tuple[int, ...] = ()
    hours: tuple[tuple[int, int], ...] = ()
    zone: str = HOME_ZONE
    min_spend: int = 0
    min_qty: int = 0
    max_discount: int | None = None
    max_units: int | None = None
    budgets: tuple[str, ...] = ()
    allowance: str | None = None
    on_shortage: str = "none"
    consent: str = "auto"
    group: str | None = None
    alone: str = "none"
    line_stackable: bool = False
    priority: int = 0
    sponsor: str | None = None
    sponsor_share_bp: int = 0
    purses: tuple[str, ...] = field(init=False, compare=False, repr=False)
    place: tuple[int, bool, int, str] = field(init=False, compare=False, repr=False)
    is_gated: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Compile what every quote asks for: all purses (the posting one first), the place in the order of application, gates."""
        put = object.__setattr__
        put(self, "purses", (self.allowance, *self.budgets) if self.allowance else self.budgets)
        put(self, "place", (STAGE_RANK[self.stage], runs_late(self.stage, self.kind), -self.priority, self.id))
        put(self, "is_gated", bool(self.window or self.hours or self.weekdays or self.channels or self.audience))

    @property
    def purse(self) -> str | None:
        """The purse its posting comes from: the allowance, else the first budget."""
        return self.purses[0] if self.purses else None

    @classmethod
    def from_json(cls, obj: object, path: str = "$") -> Self:
        """Read an offer in the form of the pricing document. Raises PricingDocumentError naming the JSON path."""
        found = read_object(obj, path, OFFER_FIELDS, ("id", "stage", "kind"))
        return cls(**read_offer_fields(found, path))

    def to_json(self) -> dict[str, Any]:
        """The canonical form: id, version, stage, kind, the kind's parameters, then every field that is not its default."""
        return {
            "id": self.id,
            "version": self.version,
            "stage": self.stage.value,
            "kind": self.kind.value,
            **{name: self._written(name) for name in PARAMETERS[self.stage.value, self.kind.value]},
            **{
                name: self._written(name)
                for name, default in _WRITTEN_DEFAULTS.items()
                if getattr(self, name) != default
            },
        }

    def _written(self, name: str) -> object:
        """One field in the form of the document."""
        value = getattr(self, name)
        match name:
            case "match":
                return self.match.to_json()
            case "tiers":
                return [{"min": least, "off": off} for least, off in self.tiers]
            case "hours":
                return [[f"{minute // 60:02}:{minute % 60:02}" for minute in pair] for pair in self.hours]
            case "window":
                edges = zip(("from", "to"), self.window or (), strict=False)
                return {edge: written_instant(instant) for edge, instant in edges if instant is not None}
            case "audience":
                return {name: list(values) for name, values in sorted(self.audience.items())}
            case _:
                return list(value) if isinstance(value, tuple) else value


_WRITTEN_DEFAULTS: Final[dict[str, object]] = {
    "repeat": False,
    "match": Match(),
    "channels": (),
    "audience": {},
    "window": None,
    "weekdays": (),
    "hours": (),
    "zone": HOME_ZONE,
    "min_spend": 0,
    "min_qty": 0,
    "max_discount": None,
    "max_units": None,
    "budgets": (),
    "allowance": None,
    "on_shortage": "none",
    "consent": "auto",
    "group": None,
    "alone": "none",
    "line_stackable": False,
    "priority": 0,
    "sponsor": None,
    "sponsor_share_bp": 0,
}


def written_instant(instant: datetime) -> str:
    """An instant as the documents write it: at the home zone's offset, so that people recognise the hour."""
    return instant.astimezone(ZoneInfo(HOME_ZONE)).isoformat()


def read_offer_fields(found: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The arguments of `Offer(...)` out of an object whose field names are known to be allowed."""
    stage = read_choice(found["stage"], f"{path}.stage", tuple(Stage))
    kind = _read_kind(found["kind"], f"{path}.kind", stage)
    fields: dict[str, Any] = {"id": read_text(found["id"], f"{path}.id"), "stage": Stage(stage), "kind": Kind(kind)}
    fields |= _read_parameters(found, path, stage, kind)
    for name, value in found.items():
        if name in _READERS:
            fields[name] = _READERS[name](value, f"{path}.{name}")
    foreign = ("rebate_to",) if stage == "line" else ("rebate_to", "max_units", "line_stackable")
    for name in foreign:
        if name in found:
            fail(f"{path}.{name}", f"has no meaning at stage {stage}")
    if fields.get("allowance") in fields.get("budgets", ()):
        fail(f"{path}.allowance", "is also one of the budgets")
    return fields


def _read_kind(value: object, path: str, stage: str) -> str:
    kinds = [kind for at, kind in (*PARAMETERS, *sorted(NOT_YET)) if at == stage]
    kind = read_choice(value, path, kinds)
    if (stage, kind) in NOT_YET:
        fail(path, f"{kind} at stage {stage} is not supported yet")
    return kind


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
    if "rate_bp" in needed:
        fields["rate_bp"] = read_int(found["rate_bp"], f"{path}.rate_bp", most=WHOLE_BP)
    if "amount" in needed:
        fields["amount"] = read_int(found["amount"], f"{path}.amount")
    if "tiers" in needed:
        fields["repeat"] = read_bool(found.get("repeat", False), f"{path}.repeat")
        fields["tiers"] = _read_tiers(found["tiers"], f"{path}.tiers", least=1 if fields["repeat"] else 0)
    return fields


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
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):  # a name that is none, a folder of names, an unknown name
        fail(path, f"is no time zone: {shown(zone)}")
    return zone


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
    "sponsor": read_text,
    "sponsor_share_bp": lambda value, path: read_int(value, path, most=WHOLE_BP),
}
