"""The till's pages. They show list, discount and paid, and never a reason nor more of a member than the surname."""

from dataclasses import dataclass
from datetime import date, datetime

from api.pages.views.shared import SaleRow


@dataclass(frozen=True, kw_only=True)
class TillHome:
    """`till/home.html` at /till."""

    shop: str
    merchant: str
    category: str
    today_count: int
    today_paid_fen: int


@dataclass(frozen=True, kw_only=True)
class TillScan:
    """`till/scan.html` at /till/scan.

    What the camera reads goes to POST /till/visits as `code`, a photo to POST /till/scan as multipart `photo`.
    """

    shop: str
    error: str | None


@dataclass(frozen=True, kw_only=True)
class TillCode:
    """`till/code.html` at /till/code: POST /till/visits with `code` (8 digits; spaces are the server's to drop)."""

    shop: str
    code: str
    error: str | None


@dataclass(frozen=True, kw_only=True)
class TillItem:
    """An item of the shop's catalogue on the till; form field `qty.<sku>`. `qty` is what was keyed so far."""

    sku: str
    name: str
    price_fen: int
    category: str
    qty: int


@dataclass(frozen=True, kw_only=True)
class TillQuote:
    """What the till says before the confirmation. `key` is the idempotency key of the confirm button.

    `unusual` asks for a tick: the amount is far above what this shop usually rings.
    """

    list_fen: int
    saved_fen: int
    paid_fen: int
    key: str
    unusual: bool


@dataclass(frozen=True, kw_only=True)
class TillVisit:
    """`till/visit.html` at /till/visits/{visit_id}.

    The form posts to /till/visits/{visit_id}/quote (block `quote`) with `discountable` and `other` (yuan as typed) or,
    when the shop has `items`, `qty.<sku>` for each and `other`; GET takes the same fields as a query, to change them. The confirm form posts to
    /till/visits/{visit_id}/redeem the same fields and `key`, `expected_paid_fen`, and `confirm_unusual` = 1 when ticked.
    """

    visit_id: str
    shop: str
    surname: str
    opened_at: datetime
    expires_at: datetime
    items: tuple[TillItem, ...]
    discountable: str
    other: str
    error: str | None
    quote: TillQuote | None


@dataclass(frozen=True, kw_only=True)
class TillDone:
    """`till/done.html` at /till/sales/{shown_id}/done. Void: POST /till/sales/{shown_id}/void with `key`.

    `promise` is the signed note that the sale will be in the public record by `promise_by`; both None where none can be given.
    """

    sale: SaleRow
    void_key: str
    promise: str | None
    promise_by: datetime | None


@dataclass(frozen=True, kw_only=True)
class HourCount:
    """Sales in one hour of the day, 0 to 23, for the picture of the rush."""

    hour: int
    sales_count: int


@dataclass(frozen=True, kw_only=True)
class TillToday:
    """`till/today.html` at /till/today?before=CURSOR, newest first; sums are of the whole day. `hours` may be sparse.

    `rebate_fen` is what the merchant owes afterwards for these sales, whomever.

    Void buttons: POST /till/sales/{shown_id}/void with `key` = `void:<shown_id>`.
    """

    shop: str
    on: date
    sales_count: int
    list_fen: int
    saved_fen: int
    paid_fen: int
    rebate_fen: int
    hours: tuple[HourCount, ...]
    rows: tuple[SaleRow, ...]
    older: str | None


@dataclass(frozen=True, kw_only=True)
class TillLine:
    """A sold line. `returned` units came back before; `units` is what was keyed to give back now."""

    line: str
    name: str
    qty: int
    returned: int
    list_fen: int
    paid_fen: int
    units: int


@dataclass(frozen=True, kw_only=True)
class RefundShown:
    """What giving back the keyed units would do; `list_back_fen` is the list value that comes back."""

    to_member_fen: int
    list_back_fen: int
    key: str


@dataclass(frozen=True, kw_only=True)
class TillSale:
    """`till/sale.html` at /till/sales/{shown_id}.

    POST /till/sales/{shown_id}/refund/preview (block `refund`) with `units.<line>` for each line; POST
    /till/sales/{shown_id}/refund with the same, `key`, `expected_to_member_fen` and, when `member_code_needed`, `code`.
    """

    sale: SaleRow
    lines: tuple[TillLine, ...]
    refunded_fen: int
    member_code_needed: bool
    void_key: str
    preview: RefundShown | None
    error: str | None


@dataclass(frozen=True, kw_only=True)
class TillRefused:
    """`till/refused.html`, block `refusal`: one sentence that holds, one next step. Never why the member."""

    code: str
    sentence: str
    next_step: str
    next_href: str
