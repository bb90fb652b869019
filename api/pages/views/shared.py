"""Values that several pages show. Plain values only: fen as ints, aware datetimes, strings; never a row of the database."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

SaleState: TypeAlias = Literal["done", "void", "part_refunded", "refunded"]
OfferState: TypeAlias = Literal["draft", "submitted", "approved", "rejected", "withdrawn", "live", "ended"]
RequestState: TypeAlias = Literal["open", "accepted", "declined", "withdrawn"]
DemoRole: TypeAlias = Literal["member", "assistant", "owner", "officer", "officer-2", "auditor"]


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """The four amounts that are never mixed, the rebate cut by whose it is; all in fen, after voids and refunds."""

    list_fen: int
    concession_fen: int
    subsidy_fen: int
    paid_fen: int
    rebate_member_fen: int = 0
    rebate_union_fen: int = 0

    @property
    def rebate_fen(self) -> int:
        """What the merchant owes afterwards, whomever."""
        return self.rebate_member_fen + self.rebate_union_fen

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
class Pages:
    """Which page of a list is shown (`number`, from 1) of how many (1 at least), and how many rows all of them have."""

    number: int
    count: int
    rows_count: int


@dataclass(frozen=True, kw_only=True)
class OfferAsk:
    """What an offer asks before it is used; POST /offers/{offer_id}/consent with `agree` answers. `agreed_at` is None until he agrees."""

    offer_id: str
    agreed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class OfferHere:
    """An offer as a member meets it. `gives` is the short phrase (9 折), `gates` its conditions in words.

    `payer` says whose money it is: the merchant's (concession), the union's (subsidy) or both; a rebate is the merchant's afterwards.
    `usable_now` leaves consent aside: what an offer asks of this member, if it does, stands in `ask`.
    """

    title: str
    gives: str
    gates: tuple[str, ...]
    payer: Literal["merchant", "union", "both", "rebate"]
    usable_now: bool
    ask: OfferAsk | None = None

    @property
    def is_applied(self) -> bool:
        """Whether a till would use it now: he need not be asked, or has agreed."""
        return self.usable_now and (self.ask is None or self.ask.agreed_at is not None)


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
    """One applied offer. `sentence` is the whole explanation; `how` its formula and `limit` what cut it (empty: nothing), both alone."""

    title: str
    sentence: str
    how: str
    limit: str
    concession_fen: int
    subsidy_fen: int


@dataclass(frozen=True, kw_only=True)
class RebateStep:
    """One applied rebate: due after the purchase, from the merchant to the member or to the union's fund account."""

    title: str
    sentence: str
    how: str
    limit: str
    to: Literal["member", "union"]
    rebate_fen: int


@dataclass(frozen=True, kw_only=True)
class NotUsed:
    """An offer that was looked at and did not apply: the reason and the next step in one sentence."""

    title: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class HintShown:
    """Spend so much more and this offer takes so much off, in one phrase."""

    title: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class LinePart:
    """What one offer takes off one line, or gives back on it, and whose money it is."""

    title: str
    payer: Literal["merchant", "union", "rebate"]
    fen: int


@dataclass(frozen=True, kw_only=True)
class LineShown:
    """One line of a basket: its list price, each offer's share of it, and what is paid for it."""

    name: str
    list_fen: int
    parts: tuple[LinePart, ...]
    paid_fen: int


@dataclass(frozen=True, kw_only=True)
class QuoteShown:
    """A price explained, before the purchase or as stored with it; only for the member's own eyes, or an example for an officer's.

    `proof` says whether it is the best there is, and if that is not proved how much lower the best may be. `lines` only where there is
    more than one line and something was taken off; `hints` only before the purchase.
    """

    amounts: Amounts
    steps: tuple[QuoteStep, ...]
    rebates: tuple[RebateStep, ...]
    not_used: tuple[NotUsed, ...]
    hints: tuple[HintShown, ...]
    lines: tuple[LineShown, ...]
    proof: str
    is_proven: bool


@dataclass(frozen=True, kw_only=True)
class SaleRow:
    """A sale in a list. `shown_id` is its public id; `void_until_at` is None once it cannot be voided.

    `rebate_member_fen` is what the merchant owes the member afterwards, less what refunds took back.
    """

    shown_id: str
    at: datetime
    check_code: str
    list_fen: int
    saved_fen: int
    paid_fen: int
    rebate_member_fen: int
    state: SaleState
    void_until_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class RefundRow:
    """One refund of a sale, in fen: what went back to the member, what to the union's purses, and the rebates no longer due."""

    at: datetime
    to_member_fen: int
    subsidy_back_fen: int
    rebate_back_fen: int


@dataclass(frozen=True, kw_only=True)
class AskedLine:
    """Pieces of one thing that a member asks to give back."""

    name: str
    variant: str
    qty: int


@dataclass(frozen=True, kw_only=True)
class AskedBack:
    """A member's request for a return and how it stands: why in words of ours, `words` of his, `answer` of the merchant who declined.

    `back_fen` is what he would get back, of an open one. `ended_by` is empty for one that he withdrew.
    """

    request_id: str
    at: datetime
    state: RequestState
    lines: tuple[AskedLine, ...]
    why: str
    words: str
    back_fen: int | None
    ended_at: datetime | None
    ended_by: str
    answer: str


@dataclass(frozen=True)
class Stopped:
    """The public record stands still, since when (None: nothing was published yet); to those who may know, what happened and the next step."""

    since: datetime | None
    sentences: tuple[str, ...] = ()
