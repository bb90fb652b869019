"""How often and how much of an offer may be used, and the bounded balances that keep count. Pure.

Limits stand beside the terms of a version: the engine only sees what is left of them at the moment of the quote.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from market.kit.clock import business_period
from market.kit.errors import InvalidError

PERIODS = ("day", "week", "month", "ever")
MOST = 10**15  # a balance holds it with room to spare, and nobody gives away ten thousand billion yuan


@dataclass(frozen=True, slots=True)
class Limits:
    """`uses` and `amount_fen` bound one person per `period`; `total_fen` bounds the offer for all persons and all time."""

    uses: int | None = None
    amount_fen: int | None = None
    period: str = "ever"
    total_fen: int | None = None

    @staticmethod
    def from_json(value: Mapping[str, object]) -> "Limits":
        """Read limits as stored or proposed. Raises InvalidError naming the field."""
        unknown = set(value) - {field.name for field in fields(Limits)}
        if unknown:
            raise InvalidError(field=f"limits.{min(unknown)}", problem="unknown")
        for name in ("uses", "amount_fen", "total_fen"):
            number = value.get(name)
            if number is not None and (type(number) is not int or not 1 <= number <= MOST):
                raise InvalidError(field=f"limits.{name}", problem=f"1 – {MOST}")
        if value.get("period", "ever") not in PERIODS:
            raise InvalidError(field="limits.period", problem=" | ".join(PERIODS))
        return Limits(**value)  # type: ignore[arg-type] # every field was checked above

    def to_json(self) -> dict[str, int | str]:
        """The fields that limit anything."""
        limits = {
            name: getattr(self, name) for name in ("uses", "amount_fen", "total_fen") if getattr(self, name) is not None
        }
        return {**limits, "period": self.period} if self.uses or self.amount_fen else limits

    def uses_balance(self, offer: str, subject: UUID, at: datetime) -> str:
        """The balance that counts one person's uses in the period of `at`."""
        return f"uses:{offer}:{business_period(at, self.period)}:{subject}"

    def amount_balance(self, offer: str, subject: UUID, at: datetime) -> str:
        """The balance that counts what one person drew from the offer in the period of `at`."""
        return f"amount:{offer}:{business_period(at, self.period)}:{subject}"


def total_balance(offer: str) -> str:
    """The balance that counts what all persons drew from the offer."""
    return f"total:{offer}"
