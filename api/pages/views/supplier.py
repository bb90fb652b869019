"""The supplier's pages for ordered goods: orders, hand-out, stock. Of a member they show the surname, and no reason that tells who he is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from api.pages.views.shared import Amounts, AskedBack

Shelf = Literal["placed", "todo", "ready", "asked", "done", "back", "cancelled", "all"]


@dataclass(frozen=True, kw_only=True)
class Goods:
    """Pieces of one thing: what it is called, its picture (an id; None: a placeholder in the tint of its category), how many."""

    name: str
    variant: str
    category: str
    picture: str | None
    qty: int


@dataclass(frozen=True, kw_only=True)
class GoodsLine:
    """A line of an order and what became of its pieces. `units` is what stands in its field now, `most` what may stand there."""

    line: str
    goods: Goods
    sku: str
    handed: int
    returned: int
    waiting: int
    list_fen: int
    paid_fen: int
    units: int
    most: int


@dataclass(frozen=True, kw_only=True)
class ShelfLink:
    """A way to filter orders: how many stand there."""

    shelf: Shelf
    orders_count: int


@dataclass(frozen=True, kw_only=True)
class OrderRow:
    """An order in a list. `point` is None for a delivery; `since_at` is since when it is in its state, or since when a return is asked for."""

    number: str
    at: datetime
    since_at: datetime
    state: str
    point: str | None
    goods: tuple[Goods, ...]
    paid_fen: int
    back_paid_fen: int
    is_unclaimed: bool
    is_asked: bool = False


@dataclass(frozen=True, kw_only=True)
class MerchantOrders:
    """`merchant/orders.html` at /merchant/orders?shelf=&point=&typed=&before=. `may_export` for owners: /merchant/orders.csv."""

    merchant: str
    shelves: tuple[ShelfLink, ...]
    shelf: Shelf
    typed: str
    rows: tuple[OrderRow, ...]
    older: str | None
    may_export: bool


@dataclass(frozen=True, kw_only=True)
class PriceStep:
    """One offer of the merchant's own, open to everybody, and what it took (fen)."""

    title: str
    concession_fen: int


@dataclass(frozen=True, kw_only=True)
class StoryRow:
    """Something that became of an order: in words, who, when."""

    at: datetime
    sentence: str
    who: str


@dataclass(frozen=True, kw_only=True)
class BackRow:
    """One return: what went back to the member and to the union (fen)."""

    at: datetime
    pieces: int
    to_member_fen: int
    subsidy_back_fen: int


@dataclass(frozen=True, kw_only=True)
class UndoShown:
    """The hand-out that can be taken back, and until when: POST /merchant/handout/orders/{number}/undo with `handout`."""

    handout_id: str
    until_at: datetime


@dataclass(frozen=True, kw_only=True)
class MerchantOrder:
    """`merchant/order.html` at /merchant/orders/{number}.

    POST …/ready; …/cancel (owners) with `reason`, `key`; …/deliver with `units.<line>`, `key`; …/request/decline with `answer`. `asked` are
    return requests, the newest first; an open one is accepted at …/return. `steps` and the split of the discount only for
    owners (`is_owner`); an assistant is shown list, discount and paid.
    """

    number: str
    state: str
    at: datetime
    surname: str
    point: str | None
    deliver_to: str | None
    expires_at: datetime | None
    is_unclaimed: bool
    lines: tuple[GoodsLine, ...]
    amounts: Amounts
    back_paid_fen: int
    steps: tuple[PriceStep, ...]
    other_concession_fen: int
    story: tuple[StoryRow, ...]
    backs: tuple[BackRow, ...]
    asked: tuple[AskedBack, ...]
    answer: str
    is_owner: bool
    can_ready: bool
    can_hand_out: bool
    can_deliver: bool
    can_cancel: bool
    can_return: bool
    undo: UndoShown | None
    key: str
    error: str | None


@dataclass(frozen=True, kw_only=True)
class BackShown:
    """What a return would give back to whom (fen), and the key of the button that does it."""

    pieces: int
    to_member_fen: int
    subsidy_back_fen: int
    concession_back_fen: int
    rebate_back_fen: int
    key: str


@dataclass(frozen=True, kw_only=True)
class OrderReturn:
    """`merchant/return.html` at /merchant/orders/{number}/return?whence=.

    POST …/return/preview (block `back`) with `units.<line>`, `whence` (member, shelf), `goods` (restock, write_off), `reason`; POST …/return
    the same with `key` and `expected_to_member_fen`. While a request of the member waits (`asked`), its pieces are taken back and no others:
    POST …/request/accept with `request`, `goods`, `expected_to_member_fen`.
    """

    number: str
    state: str
    lines: tuple[GoodsLine, ...]
    whence: Literal["member", "shelf"]
    can_member: bool
    can_shelf: bool
    is_owner: bool
    is_restocked: bool
    reason: str
    asked: AskedBack | None
    preview: BackShown | None
    error: str | None


@dataclass(frozen=True, kw_only=True)
class HandoutHome:
    """`merchant/handout.html` at /merchant/handout: by camera, digits or slip; what lies ready, is to be laid ready, is asked back."""

    merchant: str
    ready_count: int
    todo_count: int
    asked_count: int


@dataclass(frozen=True, kw_only=True)
class HandoutScan:
    """`merchant/handout_scan.html`: POST /merchant/handout/cards with `code`, `by` = scan; a photo to POST /merchant/handout/scan."""

    error: str | None


@dataclass(frozen=True, kw_only=True)
class HandoutCode:
    """`merchant/handout_code.html`: POST /merchant/handout/cards with `code`."""

    code: str
    error: str | None


@dataclass(frozen=True, kw_only=True)
class HandoutOrder:
    """An order of which something waits, ready to give out."""

    number: str
    at: datetime
    state: str
    point: str | None
    lines: tuple[GoodsLine, ...]
    key: str


@dataclass(frozen=True, kw_only=True)
class HandoutCard:
    """`merchant/handout_card.html` at /merchant/handout/cards/{visit_id}: what the holder of the card may fetch here.

    POST /merchant/handout/cards/{visit_id}/{number} with `units.<line>` and `key`.
    """

    visit_id: str
    surname: str
    opened_at: datetime
    expires_at: datetime
    orders: tuple[HandoutOrder, ...]
    error: str | None


@dataclass(frozen=True, kw_only=True)
class HandoutSlips:
    """`merchant/handout_slips.html` at /merchant/handout/slip?typed=: the orders whose number holds what was typed."""

    typed: str
    rows: tuple[OrderRow, ...]


@dataclass(frozen=True, kw_only=True)
class HandoutSlip:
    """`merchant/handout_slip.html` at /merchant/handout/orders/{number}.

    POST there with `digits`, `came` (member, proxy), `proxy_name`, `units.<line>` and `key`.
    """

    order: HandoutOrder
    surname: str
    is_proxy: bool
    proxy_name: str
    digits: str  # as read from the slip's picture
    error: str | None


@dataclass(frozen=True, kw_only=True)
class HandoutDone:
    """`merchant/handout_done.html` at /merchant/handout/orders/{number}/done?visit=: what was just given out, and what is next."""

    number: str
    given: tuple[Goods, ...]
    at: datetime
    proxy_name: str | None
    undo: UndoShown | None
    waiting_count: int
    visit_id: str | None
    more_count: int


@dataclass(frozen=True, kw_only=True)
class PickRow:
    """So many pieces of one thing, for so many orders."""

    goods: Goods
    sku: str
    orders_count: int


@dataclass(frozen=True, kw_only=True)
class PickPoint:
    """What is to be laid ready at one pick-up point (None: for delivery); `numbers` are its orders."""

    code: str
    name: str | None
    rows: tuple[PickRow, ...]
    numbers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Picks:
    """`merchant/picks.html` at /merchant/handout/picks, made to be printed. POST …/ready with `number` for each order shown."""

    merchant: str
    points: tuple[PickPoint, ...]
    error: str | None


@dataclass(frozen=True, kw_only=True)
class StockRow:
    """The stock of one variant: pieces that are free, reserved by unpaid orders, paid and waiting on the shelf, sold in all."""

    item_id: str
    sku: str
    goods: Goods
    free: int
    reserved: int
    waiting: int
    sold: int
    on_hand: int
    is_low: bool
    is_sold: bool


@dataclass(frozen=True, kw_only=True)
class MerchantStock:
    """`merchant/stock.html` at /merchant/stock?typed=, what runs short first; export at /merchant/stock.csv."""

    merchant: str
    typed: str
    rows: tuple[StockRow, ...]
    low_count: int
    out_count: int
    most: int


@dataclass(frozen=True, kw_only=True)
class StockMoveRow:
    """Pieces that came or went other than by an order."""

    at: datetime
    kind: str
    pieces: int
    reason: str
    who: str


@dataclass(frozen=True, kw_only=True)
class StockItem:
    """`merchant/stock_item.html` at /merchant/stock/{item_id}.

    POST …/receive with `pieces`, `reason`; …/count with `counted`, `reason`; …/write-off with `pieces`, `reason`; each with `key`.
    """

    row: StockRow
    moves: tuple[StockMoveRow, ...]
    key: str
    typed: str
    reason: str
    doing: str
    error: str | None


SUPPLIER_TEMPLATES: Final[dict[str, type]] = {
    "merchant/orders.html": MerchantOrders,
    "merchant/order.html": MerchantOrder,
    "merchant/return.html": OrderReturn,
    "merchant/handout.html": HandoutHome,
    "merchant/handout_scan.html": HandoutScan,
    "merchant/handout_code.html": HandoutCode,
    "merchant/handout_card.html": HandoutCard,
    "merchant/handout_slips.html": HandoutSlips,
    "merchant/handout_slip.html": HandoutSlip,
    "merchant/handout_done.html": HandoutDone,
    "merchant/picks.html": Picks,
    "merchant/stock.html": MerchantStock,
    "merchant/stock_item.html": StockItem,
}
