"""The officer's pages of internal purchase: what was sold, what is on sale, what the payment provider said. Never who bought."""

from dataclasses import dataclass
from datetime import date, datetime

from api.pages.views.shared import Amounts, DayAmounts
from merchants.models import PointAct


@dataclass(frozen=True, kw_only=True)
class SellerRow:
    """One merchant's orders of the month."""

    code: str
    name: str
    amounts: Amounts
    orders_count: int


@dataclass(frozen=True, kw_only=True)
class BoughtRow:
    """One product's orders of the month; `pieces` were ordered, `returned` of them went back."""

    name: str
    merchant: str
    pieces: int
    returned: int
    amounts: Amounts


@dataclass(frozen=True, kw_only=True)
class DeskPurchases:
    """`desk/purchases.html` at /desk/purchases?month=&merchant=; export at /desk/purchases.csv."""

    month_on: date
    months: tuple[date, ...]
    merchant_code: str | None
    merchant_name: str | None
    amounts: Amounts
    orders_count: int
    days: tuple[DayAmounts, ...]
    sellers: tuple[SellerRow, ...]
    products: tuple[BoughtRow, ...]
    stopped_count: int


@dataclass(frozen=True, kw_only=True)
class OnSaleRow:
    """A product that is on sale, or stopped by the union: why, by whom, when."""

    product_id: str
    code: str
    name: str
    category: str
    picture: str | None
    merchant: str
    price_fen: int | None
    is_flash: bool
    reason: str | None
    who: str | None
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class DeskProducts:
    """`desk/products.html` at /desk/purchases/products?merchant=&after=.

    POST /desk/purchases/products/{product_id}/stop with `reason`; POST /desk/purchases/products/{product_id}/lift.
    """

    stopped: tuple[OnSaleRow, ...]
    listed: tuple[OnSaleRow, ...]
    older: str | None
    reason: str
    error: str | None


@dataclass(frozen=True, kw_only=True)
class PointStepRow:
    """What an officer did to a point; `name` is what it was called after that."""

    act: PointAct
    who: str
    at: datetime
    name: str


@dataclass(frozen=True, kw_only=True)
class PointRow:
    """A pick-up point with what is still to be fetched there (`unpaid_count` of the orders may yet be paid), and what is sold there.

    `only_here_count` products have no other way to the member. `steps` are the latest first.
    """

    code: str
    name: str
    address: str
    hours: str
    orders_count: int
    unpaid_count: int
    pieces_count: int
    merchants_count: int
    products_count: int
    only_here_count: int
    steps: tuple[PointStepRow, ...]


@dataclass(frozen=True, kw_only=True)
class PointTyped:
    """What was typed of a point and refused; `row` is the code of the point it was about, None for a new one."""

    row: str | None
    code: str
    name: str
    address: str
    hours: str


@dataclass(frozen=True, kw_only=True)
class DeskPoints:
    """`desk/points.html` at /desk/purchases/points.

    POST there with `code`, `name`, `address`, `hours`; POST …/{code} with the last three; POST …/{code}/close with `orders`, how many the
    page said wait there; POST …/{code}/open.
    """

    open: tuple[PointRow, ...]
    closed: tuple[PointRow, ...]
    typed: PointTyped | None
    error: str | None


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """Something the provider told us, and what came of it (`waiting`: not worked yet)."""

    event_id: str
    kind: str
    merchant: str | None
    received_at: datetime
    outcome: str
    problem: str | None
    works: int


@dataclass(frozen=True, kw_only=True)
class WaitingPaymentRow:
    """A payment that is open at the provider, or that the provider has not taken yet (`is_silent`)."""

    title: str
    merchant: str
    amount_fen: int
    expires_at: datetime
    is_silent: bool


@dataclass(frozen=True, kw_only=True)
class WaitingRefundRow:
    """Money on its way back, or (`failed`) one that the provider could not send."""

    refund_id: str
    title: str
    merchant: str
    amount_fen: int
    asked_at: datetime
    state: str


@dataclass(frozen=True, kw_only=True)
class OutcomeLink:
    """A way to filter events: how many came to this."""

    outcome: str
    events_count: int


@dataclass(frozen=True, kw_only=True)
class DeskPayments:
    """`desk/payments.html` at /desk/payments?outcome=&before=. `silent_at`: since when the provider does not answer (None: it does)."""

    silent_at: datetime | None
    payments: tuple[WaitingPaymentRow, ...]
    refunds: tuple[WaitingRefundRow, ...]
    outcomes: tuple[OutcomeLink, ...]
    outcome: str | None
    mismatches: tuple[EventRow, ...]
    events: tuple[EventRow, ...]
    older: str | None


@dataclass(frozen=True, kw_only=True)
class DeskEvent:
    """`desk/event.html` at /desk/payments/events/{event_id}: POST …/replay works it once more; the same end comes of it."""

    event: EventRow
    title: str | None
    body: str
    error: str | None
