"""Values that several pages show. Plain values only: fen as ints, aware datetimes, strings; never a row of the database."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

SaleState: TypeAlias = Literal["done", "void", "part_refunded", "refunded"]
OfferState: TypeAlias = Literal["draft", "submitted", "approved", "rejected", "live", "ended"]
DemoRole: TypeAlias = Literal["member", "assistant", "owner", "officer", "auditor"]


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """The four amounts that are never mixed, and the rebate; all in fen, after voids and refunds."""

    list_fen: int
    concession_fen: int
    subsidy_fen: int
    paid_fen: int
    rebate_fen: int = 0

    @property
    def saved_fen(self) -> int:
        """What the member did not have to pay: concession and subsidy."""
        return self.concession_fen + self.subsidy_fen


@dataclass(frozen=True, kw_only=True)
class MonthAmounts:
    """One calendar month in the business zone; `month_on` is its first day."""

    month_on: date
    amounts: Amounts
    sales_count: int


@dataclass(frozen=True, kw_only=True)
class DayAmounts:
    """One business day."""

    on: date
    amounts: Amounts
    sales_count: int


@dataclass(frozen=True, kw_only=True)
class OfferHere:
    """An offer as a member meets it. `gives` is the short phrase (9 折), `gates` its conditions in words.

    `payer` says whose money it is: the merchant's (concession), the union's (subsidy) or both.
    """

    title: str
    gives: str
    gates: tuple[str, ...]
    payer: Literal["merchant", "union", "both"]
    usable_now: bool


@dataclass(frozen=True, kw_only=True)
class ShopOffers:
    """A shop and what a member gets there. `category` is a code of `api.pages.pictures.CATEGORIES`."""

    shop_id: str
    shop: str
    merchant: str
    category: str
    address: str | None
    offers: tuple[OfferHere, ...]


@dataclass(frozen=True, kw_only=True)
class QuoteStep:
    """One applied offer. `sentence` is the explanation of the engine in the reader's language."""

    title: str
    sentence: str
    concession_fen: int
    subsidy_fen: int


@dataclass(frozen=True, kw_only=True)
class NotUsed:
    """An offer that was looked at and did not apply: the reason and the next step in one sentence."""

    title: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class QuoteShown:
    """A price before the purchase, explained; only for the member's own eyes."""

    amounts: Amounts
    steps: tuple[QuoteStep, ...]
    not_used: tuple[NotUsed, ...]


@dataclass(frozen=True, kw_only=True)
class SaleRow:
    """A sale in a list. `shown_id` is its public id; `void_until_at` is None once it cannot be voided."""

    shown_id: str
    at: datetime
    check_code: str
    list_fen: int
    saved_fen: int
    paid_fen: int
    state: SaleState
    void_until_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class RefundRow:
    """One refund of a sale, in fen: what went back to the member and what to the union's purses."""

    at: datetime
    to_member_fen: int
    subsidy_back_fen: int
