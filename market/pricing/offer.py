"""The terms of one offer version: typed, immutable, read from and written to the fields of the pricing document. Pure.

Terms never hold a standing (uses, amounts and purses that are left): that belongs to a Candidate, at the moment of a quote.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from market.pricing.kinds import PARAMETERS, STACKABLE, STAGE_RANK, Kind, Stage, runs_late
from market.pricing.match import ANY_ITEM, Match, Part
from market.pricing.offer_fields import OFFER_FIELDS, Fact, read_offer_fields
from market.pricing.reading import read_object

HOME_ZONE: Final = "Asia/Shanghai"


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
    price: int = 0
    buy: int = 0
    get: int = 0
    get_rate_bp: int = 0
    components: tuple[Part, ...] = ()
    match: Match = ANY_ITEM
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
    rebate_to: str = "member"
    sponsor: str | None = None
    sponsor_share_bp: int = 0
    purses: tuple[str, ...] = field(init=False, compare=False, repr=False)
    place: tuple[int, bool, int, str] = field(init=False, compare=False, repr=False)
    is_gated: bool = field(init=False, compare=False, repr=False)
    is_stacked: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Compile what every quote asks for: all purses (the posting one first), the place in the order of application, gates, stacking."""
        put = object.__setattr__
        named = self.budgets if self.allowance is None else (self.allowance, *self.budgets)
        # A rebate is borne by the merchant: it draws from no purse.
        put(self, "purses", () if self.stage is Stage.REBATE else named)
        put(self, "place", (STAGE_RANK[self.stage], runs_late(self), -self.priority, self.id))
        put(self, "is_stacked", self.line_stackable and self.stage is Stage.LINE and self.kind in STACKABLE)
        put(self, "is_gated", bool(self.window or self.hours or self.weekdays or self.channels or self.audience))

    @property
    def is_choice(self) -> bool:
        """Whether it may be left out: all but a rebate to the union, which accrues whenever it can be used."""
        return self.stage is not Stage.REBATE or self.rebate_to == "member"

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

    def _written(self, name: str) -> object:  # noqa: PLR0911  one line for each field that is written in its own way
        """One field in the form of the document."""
        value = getattr(self, name)
        match name:
            case "match":
                return self.match.to_json()
            case "components":
                return [part.to_json() for part in self.components]
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
    "match": ANY_ITEM,
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
    "rebate_to": "member",
    "sponsor": None,
    "sponsor_share_bp": 0,
}


def written_instant(instant: datetime) -> str:
    """An instant as the documents write it: at the home zone's offset, so that people recognise the hour."""
    return instant.astimezone(ZoneInfo(HOME_ZONE)).isoformat()
