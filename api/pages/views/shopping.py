"""The pages of online purchase for the member: what lies in his basket, what he ordered and how it stands, the door of a flash sale."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from api.pages.views.shared import AskedBack, QuoteShown, RefundRow

OrderState: TypeAlias = Literal[
    "placed", "paid", "ready", "collected", "delivered", "closed", "cancelled", "partly_returned", "returned"
]


@dataclass(frozen=True, kw_only=True)
class Thing:
    """A thing as it is recognised: its picture's id, or the drawing that `face` names; its name, and its page (None: gone)."""

    face: str
    name: str
    variant: str
    category: str
    picture: str | None
    href: str | None


@dataclass(frozen=True, kw_only=True)
class BasketLineShown:
    """A thing in the basket. `paid_fen` is its part of what is paid (None while there is no price), `free` how many can be had if fewer."""

    item_id: str
    thing: Thing
    price_fen: int
    qty: int
    list_fen: int
    paid_fen: int | None
    free: int | None
    limit: int | None


@dataclass(frozen=True, kw_only=True)
class BasketGone:
    """A thing in the basket that cannot be ordered now, and why."""

    item_id: str
    thing: Thing
    sentence: str


@dataclass(frozen=True, kw_only=True)
class PointChoice:
    """A pick-up point that all things of a merchant can be fetched at; `address` says where and when."""

    code: str
    name: str
    address: str
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class BasketBlock:
    """What is wanted of one merchant: one order to be. Neither points nor delivery: its things are not handed over in any common way."""

    merchant: str
    merchant_name: str
    lines: tuple[BasketLineShown, ...]
    points: tuple[PointChoice, ...]
    can_deliver: bool
    delivery_chosen: bool
    deliver_to: str
    quote: QuoteShown | None


@dataclass(frozen=True, kw_only=True)
class TakenOut:
    """What was just taken out, and the value of the button that puts it back."""

    name: str
    undo: str


@dataclass(frozen=True, kw_only=True)
class ShopBasket:
    """`shop/basket.html` at GET and POST /shop/basket; block `basket` for htmx; POST /shop/basket/place orders it.

    The first form has `qty.<item>` and the buttons `more`, `less`, `drop`, `undo`; the second `wanted.<item>`, `handover.<merchant>`
    (`delivery` or `pickup:<point>`), `deliver_to.<merchant>`, `expected.<merchant>`, `key`. `total_fen` is None while there is no price.
    """

    blocks: tuple[BasketBlock, ...]
    gone: tuple[BasketGone, ...]
    taken_out: TakenOut | None
    error: str | None
    key: str
    list_fen: int
    total_fen: int | None


@dataclass(frozen=True, kw_only=True)
class OrderLineShown:
    """A line of an order, and what became of its pieces."""

    thing: Thing
    qty: int
    handed: int
    returned: int


@dataclass(frozen=True, kw_only=True)
class OrderCard:
    """An order in a list. `pay_until_at` is None once nothing is to be paid; `is_late` says that the time to pay is over.

    `is_asked`: a return request waits for its answer.
    """

    number: str
    basket_id: str
    merchant_name: str
    state: OrderState
    at: datetime
    lines: tuple[OrderLineShown, ...]
    paid_fen: int
    saved_fen: int
    handover: Literal["pickup", "delivery"]
    place: str
    is_late: bool
    pay_until_at: datetime | None
    receipt_id: str | None
    is_asked: bool = False

    @property
    def pieces(self) -> int:
        """How many pieces were ordered."""
        return sum(line.qty for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class Orders:
    """`orders/list.html` at /orders?before=CURSOR; `older` is the next cursor or None."""

    orders: tuple[OrderCard, ...]
    older: str | None


@dataclass(frozen=True, kw_only=True)
class OrderedBasket:
    """`orders/basket.html` at /orders/b/{basket}: its orders, each with its own state and price; `due_fen` is what is still to be paid."""

    orders: tuple[OrderCard, ...]
    quotes: tuple[QuoteShown, ...]
    due_fen: int
    pay_until_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ChangeShown:
    """A step of an order: what happened (the reason's code), when, and who did it: a name for staff, else the kind alone.

    Of a hand-out (`handed`): how many `pieces`, and who came instead of the member (`proxy`).
    """

    at: datetime
    reason: str
    to_state: OrderState
    by: Literal["member", "staff", "officer", "job", "provider"]
    name: str
    pieces: int = 0
    proxy: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderPage:
    """`orders/order.html` at /orders/{number}; POST …/pay, …/cancel, …/again, …/request/withdraw.

    `slip` (six digits) and `slip_qr` are None unless there is something to fetch. `waits_for_provider` says that the last try to pay
    found no payment service. `can_cancel`: nothing was handed out yet. `asked` are return requests, the newest first; `can_ask` leads to
    …/request.
    """

    order: OrderCard
    quote: QuoteShown
    address: str
    slip: str | None
    slip_qr: str | None
    changes: tuple[ChangeShown, ...]
    refunds: tuple[RefundRow, ...]
    asked: tuple[AskedBack, ...]
    can_ask: bool
    can_cancel: bool
    key: str
    waits_for_provider: bool
    error: str | None


@dataclass(frozen=True, kw_only=True)
class AskLine:
    """A thing that can be given back: how many of it the member has (`most`), and how many stand in its field."""

    line: str
    thing: Thing
    units: int
    most: int


@dataclass(frozen=True, kw_only=True)
class CauseChoice:
    """Why something comes back, to choose from."""

    cause: str
    label: str
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class ReturnAsk:
    """`orders/ask.html` at /orders/{number}/request; POST there with `units.<line>`, `cause`, `words`, `key`.

    POST …/request/preview (block `back`) tells what these pieces would bring: `back_fen` to the member, `subsidy_back_fen` to its budget.
    """

    number: str
    merchant_name: str
    lines: tuple[AskLine, ...]
    causes: tuple[CauseChoice, ...]
    words: str
    back_fen: int
    subsidy_back_fen: int
    key: str
    error: str | None


@dataclass(frozen=True, kw_only=True)
class Paying:
    """`orders/paying.html` at /orders/{number}/return: back from the provider and not told yet; the page looks again by itself."""

    number: str
    merchant_name: str
    paid_fen: int
    again: str
    again_seconds: int
    pay_until_at: datetime


@dataclass(frozen=True, kw_only=True)
class FlashWait:
    """`shop/wait.html` at /shop/{merchant}/{code}/wait: the same bytes for everybody, made without asking who looks."""

    thing: Thing
    merchant_name: str
    price_fen: int
    limit_per_member: int | None
    sale_from: datetime
    sale_to: datetime | None
    enter: str
    other_language: str
    is_open: bool


@dataclass(frozen=True, kw_only=True)
class FlashVariant:
    """A variant that can be ordered in a flash sale; `free` pieces are left now."""

    item_id: str
    variant: str
    price_fen: int
    free: int


@dataclass(frozen=True, kw_only=True)
class FlashEntry:
    """`shop/enter.html` at /shop/{merchant}/{code}/enter: one variant, one point, one button; POST there with `token` orders it.

    Sold out: `variants` without any free; pieces of orders that nobody pays are sold again, until `sale_to`.
    """

    product_href: str
    action: str
    thing: Thing
    merchant: str
    merchant_name: str
    variants: tuple[FlashVariant, ...]
    points: tuple[PointChoice, ...]
    can_deliver: bool
    deliver_to: str
    most: int
    token: str
    key: str
    sale_to: datetime | None
    is_sold_out: bool
    error: str | None
