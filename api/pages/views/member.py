"""The member's pages: everything here is his own and may explain itself to him."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from api.pages.views.shared import OfferHere, QuoteShown, RefundRow, SaleState, ShopOffers
from api.pages.views.till import TillItem


@dataclass(frozen=True, kw_only=True)
class CardCode:
    """The live code: 8 digits, the text inside the QR, and when it dies."""

    digits: str
    qr_text: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class MonthFen:
    """An amount for one month, for a picture."""

    month_on: date
    fen: int


@dataclass(frozen=True, kw_only=True)
class ReceiptRow:
    """A purchase in the member's list."""

    receipt_id: str
    at: datetime
    shop: str
    category: str
    paid_fen: int
    saved_fen: int
    state: SaleState


@dataclass(frozen=True, kw_only=True)
class MemberCard:
    """`member/card.html` at /card; block `code` at GET /card/code; POST /card/freeze.

    `code` is None unless the card is active. `shops` are shops with an offer usable here and now, at most 6.
    `saved_by_month` in time order, at most 12, ending with the current month.
    """

    state: Literal["active", "frozen", "lost", "expired"]
    number_masked: str
    name: str
    unit: str
    valid_until_on: date
    code: CardCode | None
    saved_year_fen: int
    saved_by_month: tuple[MonthFen, ...]
    shops: tuple[ShopOffers, ...]
    receipts: tuple[ReceiptRow, ...]


@dataclass(frozen=True, kw_only=True)
class MemberOffers:
    """`member/offers.html` at /offers?q=&category=&after=; block `list` for htmx. `categories` are codes that have a shop.

    `asks` are the offers that ask before they are used: those at these shops, and all he agreed to. `more` is what to give as `after`
    for the next page, None at the end.
    """

    query: str
    category: str | None
    categories: tuple[str, ...]
    asks: tuple[OfferHere, ...]
    shops: tuple[ShopOffers, ...]
    more: str | None


@dataclass(frozen=True, kw_only=True)
class MemberShop:
    """`member/shop.html` at /shops/{shop_id}; block `quote` for htmx.

    The form is GET with `discountable` and `other` (yuan as typed) or, when the shop has `items`, `qty.<sku>` and `other`.
    `asks` are the offers of the quote that wait for his consent or have it.
    """

    shop_id: str
    shop: str
    merchant: str
    category: str
    address: str | None
    offers: tuple[OfferHere, ...]
    items: tuple[TillItem, ...]
    discountable: str
    other: str
    error: str | None
    quote: QuoteShown | None
    asks: tuple[OfferHere, ...]


@dataclass(frozen=True, kw_only=True)
class ReceiptMonth:
    """The receipts shown for one month; the sums are those of the whole month, not of the rows shown."""

    month_on: date
    sales_count: int
    paid_fen: int
    saved_fen: int
    rows: tuple[ReceiptRow, ...]


@dataclass(frozen=True, kw_only=True)
class Receipts:
    """`member/receipts.html` at /receipts?before=CURSOR; `older` is the next cursor or None."""

    months: tuple[ReceiptMonth, ...]
    older: str | None


@dataclass(frozen=True, kw_only=True)
class ReceiptLine:
    """One line of the purchase; `returned` of its `qty` units came back."""

    name: str
    qty: int
    returned: int
    unit_price_fen: int
    list_fen: int


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """`member/receipt.html` at /receipts/{receipt_id}; the file at /receipts/{receipt_id}/file?facts=&subject=. `entry_hash` is hex.

    `quote` is the price of the purchase itself, before `refunds`. `record_number` is its number in the public record, None while it is
    not published; one that `is_batched` is published with others: then that is the batch's number, with `batch_count` purchases.
    `promise_by` is until when that is promised under signature, None where no promise can be given; `is_overdue` says that this time is
    over. `check_url` leads whoever has it to the check of this entry.
    """

    receipt_id: str
    at: datetime
    shop: str
    merchant: str
    check_code: str
    state: SaleState
    lines: tuple[ReceiptLine, ...]
    quote: QuoteShown
    refunds: tuple[RefundRow, ...]
    entry_hash: str
    record_number: int | None
    is_batched: bool
    batch_count: int | None
    promise_by: datetime | None
    is_overdue: bool
    check_url: str


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    """One sign-in of this person; POST /me/sessions/revoke with `session_id` ends it."""

    session_id: str
    device: str
    started_at: datetime
    seen_at: datetime
    current: bool


@dataclass(frozen=True, kw_only=True)
class Me:
    """`member/me.html` at /me, for every role. `unit` is the unit, merchant or shop the person belongs to.

    A member (`is_member`) is led to who looked at his record.
    """

    name: str
    login: str
    unit: str
    is_member: bool
    sessions: tuple[SessionRow, ...]
