"""The quote: what each line pays, every step with its base, formula, numbers, limit, shares and payers, and every reason why not. Pure.

All amounts are integer fen. The same case gives the same quote, and `Quote.to_json()` the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from market.pricing.case import Reason


class QuoteLine(NamedTuple):
    """A line cut two ways: by stage (line and order discount, subsidy) and by payer (concession of the merchant, sponsor).

    `rebate` and `rebate_union` fall due after the purchase, to the member and to the union; they are no part of what is paid now.
    """

    line: str
    merchant: str
    qty: int
    list: int
    line_discount: int
    order_discount: int
    subsidy: int
    pay: int
    concession: int
    sponsor_pays: int
    rebate: int = 0
    rebate_union: int = 0

    def to_json(self) -> dict[str, Any]:
        """The row in the form of the pricing document."""
        return self._asdict()


class Share(NamedTuple):
    """What one offer takes off one line, and who bears it."""

    line: str
    amount: int
    sponsor: int
    merchant: int


class AppliedOffer(NamedTuple):
    """One step of the explanation. `formula` is a code over `numbers`; `gross` what it gave before `limited_by` cut it to `amount`.

    `purse` is where the sponsor's posting comes from; `purses` are all that the sponsor's part is drawn from. `rebate_to` says whose a
    rebate is ("member" or "union"), None at other stages.
    """

    offer: str
    version: int
    stage: str
    base: int
    formula: str
    numbers: tuple[tuple[str, int], ...]
    gross: int
    limited_by: str | None
    amount: int
    sponsor_pays: int
    sponsor: str | None
    purse: str | None
    purses: tuple[str, ...]
    shares: tuple[Share, ...]
    rebate_to: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The step in the form of the pricing document; what does not apply is left out."""
        return {
            "offer": self.offer,
            "version": self.version,
            "stage": self.stage,
            "amount": self.amount,
            "sponsor_pays": self.sponsor_pays,
            "base": self.base,
            "formula": self.formula,
            "numbers": dict(self.numbers),
            "gross": self.gross,
            **({"limited_by": self.limited_by} if self.limited_by else {}),
            **({"sponsor": self.sponsor} if self.sponsor else {}),
            **({"rebate_to": self.rebate_to} if self.rebate_to else {}),
            **({"purse": self.purse, "purses": list(self.purses)} if self.purse else {}),
            "shares": [{"line": share.line, "amount": share.amount} for share in self.shares],
        }


class NotApplied(NamedTuple):
    """A candidate that did not apply and why. `short_by` is fen of eligible spend, `short_by_units` eligible units that are missing.

    A bundle or a buy-x-get-y without effect also says how many units are missing from its first whole group.
    """

    offer: str
    version: int
    reason: Reason
    short_by: int | None = None
    short_by_units: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The row in the form of the pricing document."""
        row: dict[str, Any] = {"offer": self.offer, "version": self.version, "reason": self.reason.value}
        if self.short_by is not None:
            row["short_by"] = self.short_by
        if self.short_by_units is not None:
            row["short_by_units"] = self.short_by_units
        return row


class Hint(NamedTuple):
    """Spend `short_by` fen more on what takes part, and the offer (or its next tier) takes `off` fen."""

    offer: str
    version: int
    short_by: int
    off: int

    def to_json(self) -> dict[str, Any]:
        """The row in the form of the pricing document."""
        return self._asdict()


@dataclass(frozen=True, slots=True)
class Quote:
    """The best price of a case. `concession` is borne by merchants, `sponsor_pays` by sponsors; list = concession + sponsor_pays + payable.

    `hints` are the nearest two "spend so much more". `draws` are fen taken from each purse. `proof` is "optimal", or "bounded" when the
    node limit was hit: then no plan pays less than `payable − gap`.
    """

    list_total: int
    payable: int
    rebate: int
    rebate_union: int
    concession: int
    sponsor_pays: int
    lines: tuple[QuoteLine, ...]
    applied: tuple[AppliedOffer, ...]
    not_applied: tuple[NotApplied, ...]
    settlement: Mapping[str, int]
    draws: Mapping[str, int]
    hints: tuple[Hint, ...]
    proof: str
    gap: int

    @property
    def sponsor_by_line(self) -> list[dict[str, Any]]:
        """Who bears each discount's share of each line."""
        return [
            {"offer": applied.offer, "line": share.line, "sponsor": share.sponsor, "merchant": share.merchant}
            for applied in self.applied
            if applied.rebate_to is None
            for share in applied.shares
        ]

    def to_json(self) -> dict[str, Any]:
        """The quote in the form of the pricing document: plain dicts, lists, integers and strings in a fixed order."""
        return {
            "list_total": self.list_total,
            "payable": self.payable,
            "rebate": self.rebate,
            "rebate_union": self.rebate_union,
            "concession": self.concession,
            "sponsor_pays": self.sponsor_pays,
            "lines": [line.to_json() for line in self.lines],
            "applied": [applied.to_json() for applied in self.applied],
            "not_applied": [row.to_json() for row in self.not_applied],
            "sponsor_by_line": self.sponsor_by_line,
            "settlement": [{"payee": payee, "receives": fen} for payee, fen in self.settlement.items()],
            "draws": [{"purse": purse, "fen": fen} for purse, fen in self.draws.items()],
            "hints": [hint.to_json() for hint in self.hints],
            "proof": self.proof,
            "gap": self.gap,
        }
