"""Stock: pieces of an item that are free, reserved by orders not yet paid, or sold. Three balances of the ledger in slots.

Free + reserved + sold is what was received, less what was written off, as counts have corrected it. Orders move pieces between the
three; every other movement is a row of its own.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from market.kit.clock import business_day
from market.kit.errors import ConflictError, InvalidError
from market.kit.ids import new_id
from market.ledger.models import Balance
from market.ledger.operations import BalanceShortError, fill_balance, get_balances, open_balance, post
from market.ledger.postings import Draw, Event
from market.sales.orders.models import Order, OrderLine, StockMove

Part = Literal["free", "reserved", "sold"]
PARTS: Final[tuple[Part, ...]] = ("free", "reserved", "sold")
SLOTS: Final = (
    32  # more than a server has connections: whoever reserves the same thing at the same moment finds one that is free
)
UNIT: Final = "piece"
MOST_PIECES: Final = 1_000_000


class PiecesError(InvalidError):
    """A number of pieces that cannot be."""

    code = "PIECES_INVALID"
    zh = "件数应为 {least} 到 {most} 的整数。"
    en = "The number of pieces is a whole number from {least} to {most}."


class StockShortError(ConflictError):
    """Fewer pieces are free than are to go; the others are promised to members."""

    code = "STOCK_SHORT"
    zh = "可售库存只有 {left} 件，其余已被订单占用。请先处理订单，再减少库存。"
    en = "Only {left} pieces are free, the others are promised to orders. Deal with those orders before reducing the stock."


@dataclass(frozen=True, slots=True)
class StockLevel:
    """Pieces of one item. `waiting` are the sold ones not yet handed out; what lies on the shelf is free + reserved + waiting."""

    item_id: UUID
    free: int
    reserved: int
    sold: int
    waiting: int

    @property
    def on_hand(self) -> int:
        """Pieces that a count finds on the shelf."""
        return self.free + self.reserved + self.waiting


def stock_balance(item_id: UUID, part: Part) -> str:
    """The balance that holds a part of an item's stock."""
    return f"stock:{item_id}:{part}"


def has_free(item_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Of a query that knows items: whether a piece of this one is free."""
    balance = func.concat("stock:", item_id, ":free")
    return exists().where(Balance.id == balance, Balance.left_over > 0).correlate(item_id.class_)


def draw_stock(item_id: UUID, pieces: int, *, part: Part, to: Part | None) -> list[Draw]:
    """Move pieces of an item from one part to another, or (None) out of the stock."""
    taken = [Draw(stock_balance(item_id, part), pieces, UNIT)]
    return taken if to is None else [*taken, Draw(stock_balance(item_id, to), -pieces, UNIT)]


def receive_stock(
    tx: Session, *, item_id: UUID, pieces: int, by: UUID, key: str, at: datetime, reason: str = ""
) -> StockLevel:
    """Pieces came in. The same `key` a second time changes nothing. Raises PiecesError."""
    _check_pieces(pieces, least=1)
    for part in PARTS:
        open_balance(tx, balance=stock_balance(item_id, part), unit=UNIT, slots=SLOTS)
    if _is_new(tx, item_id, key):
        _keep(tx, item_id=item_id, kind="received", pieces=pieces, reason=reason, by=by, key=key, at=at)
        fill_balance(tx, balance=stock_balance(item_id, "free"), amount=pieces)
    return get_stock_level(tx, item_id=item_id)


def take_stock(
    tx: Session, *, item_id: UUID, counted: int, reason: str, by: UUID, key: str, at: datetime
) -> StockLevel:
    """So many pieces were counted on the shelf: the free ones are corrected by the difference, with a reason.

    The same `key` a second time changes nothing. Raises PiecesError, and StockShortError when promised pieces are missing.
    """
    _check_pieces(counted, least=0)
    for part in PARTS:
        open_balance(tx, balance=stock_balance(item_id, part), unit=UNIT, slots=SLOTS)
    level = get_stock_level(tx, item_id=item_id)
    if not _is_new(tx, item_id, key):
        return level
    difference = counted - level.on_hand
    _keep(tx, item_id=item_id, kind="counted", pieces=difference, reason=reason, by=by, key=key, at=at)
    if difference > 0:
        fill_balance(tx, balance=stock_balance(item_id, "free"), amount=difference)
    else:
        _draw_free(tx, level, -difference, at=at)
    return get_stock_level(tx, item_id=item_id)


def write_off_stock(
    tx: Session, *, item_id: UUID, pieces: int, reason: str, by: UUID, key: str, at: datetime
) -> StockLevel:
    """Free pieces are broken, lost or given away. The same `key` a second time changes nothing. Raises PiecesError, StockShortError."""
    _check_pieces(pieces, least=1)
    level = get_stock_level(tx, item_id=item_id)
    if _is_new(tx, item_id, key):
        _keep(tx, item_id=item_id, kind="written_off", pieces=-pieces, reason=reason, by=by, key=key, at=at)
        _draw_free(tx, level, pieces, at=at)
    return get_stock_level(tx, item_id=item_id)


def get_stock_level(tx: Session, *, item_id: UUID) -> StockLevel:
    """The stock of one item; zeros for one that never had any."""
    return get_stock_levels(tx, item_ids=[item_id])[item_id]


def get_stock_levels(tx: Session, *, item_ids: Collection[UUID]) -> Mapping[UUID, StockLevel]:
    """The stock of each of these items; zeros for one that never had any."""
    left = get_balances(tx, [stock_balance(item_id, part) for item_id in item_ids for part in PARTS])
    waiting = {
        item_id: int(pieces)
        for item_id, pieces in tx.execute(
            select(OrderLine.item_id, func.sum(OrderLine.qty - OrderLine.handed - OrderLine.returned))
            .join(Order, Order.id == OrderLine.order_id)
            .where(OrderLine.item_id.in_(item_ids), Order.state.in_(("paid", "ready")))
            .group_by(OrderLine.item_id)
        )
    }

    def pieces(item_id: UUID, part: Part) -> int:
        return left.get(stock_balance(item_id, part), 0)

    return {
        item_id: StockLevel(
            item_id=item_id,
            free=pieces(item_id, "free"),
            reserved=pieces(item_id, "reserved"),
            sold=pieces(item_id, "sold"),
            waiting=waiting.get(item_id, 0),
        )
        for item_id in item_ids
    }


def find_free(tx: Session, *, item_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """How many pieces of each item can be ordered now; an item that never had any is absent. One statement by key."""
    ids = {stock_balance(item_id, "free"): item_id for item_id in item_ids}
    return {ids[balance]: left for balance, left in get_balances(tx, list(ids)).items()}


def list_stock_moves(tx: Session, *, item_id: UUID, limit: int = 50) -> list[StockMove]:
    """The latest movements of an item other than by orders, newest first."""
    moves = select(StockMove).where(StockMove.item_id == item_id).order_by(StockMove.at.desc(), StockMove.id.desc())
    return list(tx.scalars(moves.limit(limit)))


def _draw_free(tx: Session, level: StockLevel, pieces: int, *, at: datetime) -> None:
    try:
        event = Event("stock", level.item_id, business_day(at), at)
        post(tx, event=event, postings=(), draws=draw_stock(level.item_id, pieces, part="free", to=None))
    except BalanceShortError:
        raise StockShortError(left=level.free) from None


def _is_new(tx: Session, item_id: UUID, key: str) -> bool:
    return tx.scalar(select(StockMove.id).where(StockMove.item_id == item_id, StockMove.key == key)) is None


def _keep(tx: Session, *, item_id: UUID, kind: str, pieces: int, reason: str, by: UUID, key: str, at: datetime) -> None:
    tx.execute(
        insert(StockMove).values(
            id=new_id(), item_id=item_id, kind=kind, pieces=pieces, reason=reason, by_id=by, key=key, at=at
        )
    )


def _check_pieces(pieces: int, *, least: int) -> None:
    if type(pieces) is not int or not least <= pieces <= MOST_PIECES:
        raise PiecesError(least=least, most=MOST_PIECES)
