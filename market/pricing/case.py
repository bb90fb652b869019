"""What a quote is made from: the basket's lines, the candidates (offers with their standing), and the case that holds everything. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, Final

from market.pricing.offer import Offer

RULES: Final = 1
"""The rules that price a case, by number. A change after which some case comes out otherwise, not only sooner, takes the next one."""


class Reason(StrEnum):
    """Why a candidate did not apply, in order of precedence: if several hold, the first is given."""

    NOT_STARTED = "NOT_STARTED"
    EXPIRED = "EXPIRED"
    OUTSIDE_HOURS = "OUTSIDE_HOURS"
    WRONG_CHANNEL = "WRONG_CHANNEL"
    WRONG_SHOP = "WRONG_SHOP"
    AUDIENCE = "AUDIENCE"
    CARD_INVALID = "CARD_INVALID"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    DECLINED = "DECLINED"
    QUOTA_EXHAUSTED = "QUOTA_EXHAUSTED"
    BUDGET_EXHAUSTED = "BUDGET_EXHAUSTED"
    NO_MATCHING_ITEM = "NO_MATCHING_ITEM"
    ITEM_EXCLUDED = "ITEM_EXCLUDED"
    MIN_SPEND_NOT_MET = "MIN_SPEND_NOT_MET"
    MIN_QTY_NOT_MET = "MIN_QTY_NOT_MET"
    NO_EFFECT = "NO_EFFECT"
    EXCLUSIVE_CONFLICT = "EXCLUSIVE_CONFLICT"
    BEATEN_BY_BETTER = "BEATEN_BY_BETTER"


RANK: Final = {reason: rank for rank, reason in enumerate(Reason)}
GATE_REASONS: Final = tuple(Reason)[: RANK[Reason.CARD_INVALID] + 1]


class Absent(Enum):
    """The type of ABSENT: no stored gate outcome, so the gates themselves are asked."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
Gate = Reason | Absent | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a basket: `qty` equal units at `unit_price` fen. `discountable=False` hides it from every offer."""

    line: str
    sku: str
    merchant: str
    categories: tuple[str, ...]
    unit_price: int
    qty: int
    discountable: bool = True

    @property
    def list_price(self) -> int:
        """Unit price × units, in fen."""
        return self.unit_price * self.qty

    def to_json(self) -> dict[str, Any]:
        """The line in the form of the pricing document, defaults left out."""
        written: dict[str, Any] = {"line": self.line, "sku": self.sku, "merchant": self.merchant}
        written |= {"categories": list(self.categories), "unit_price": self.unit_price, "qty": self.qty}
        return written if self.discountable else {**written, "discountable": False}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offer with its standing at the moment of the quote: uses left, and fen left of its own amount for this member and in all.

    `gate` is a stored outcome that replaces all gates: a reason, or None when all were passed; ABSENT asks the gates.
    """

    offer: Offer
    uses_remaining: int | None = None
    member_amount_remaining: int | None = None
    budget_remaining: int | None = None
    gate: Gate = ABSENT

    def standing_json(self) -> dict[str, Any]:
        """The standing in the form of the pricing document: only what is known."""
        names = ("uses_remaining", "member_amount_remaining", "budget_remaining")
        written = {name: value for name in names if (value := getattr(self, name)) is not None}
        if self.gate is not ABSENT:
            written["gate"] = None if self.gate is None else self.gate.value
        return written

    def to_json(self) -> dict[str, Any]:
        """Offer and standing in one object, as the pricing document lists it."""
        return {**self.offer.to_json(), **self.standing_json()}


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a price depends on. `purses` are fen left by id; every purse that a candidate names must be there."""

    now: datetime
    channel: str
    basket: tuple[Line, ...]
    candidates: tuple[Candidate, ...]
    shop: str | None = None
    member: Mapping[str, object] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()
    declined: frozenset[str] = frozenset()
    purses: Mapping[str, int] = field(default_factory=dict)
