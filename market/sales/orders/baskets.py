"""The basket of a member: what he has put aside and not ordered. Kept here, so that it is the same on every phone of his.

It promises nothing: whether a thing is offered, at which price and how many are free is asked each time it is looked at.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, InvalidError
from market.sales.orders.models import BasketLine

MOST_THINGS: Final = 60
MOST_PIECES: Final = 9_999


class BasketFullError(ConflictError):
    """More different things than an order may have."""

    code = "BASKET_FULL"
    zh = "购物篮最多放 {most} 种商品。请先下单，或删掉几样再加。"
    en = "A basket takes {most} different things at most. Order first, or take something out."


class PiecesWantedError(InvalidError):
    """A number of pieces that nobody can order."""

    code = "PIECES_WANTED"
    zh = "数量要在 1 到 {most} 之间。请改正后再试。"
    en = "Order 1 to {most} pieces of a thing. Correct the number and try again."


def list_basket(tx: Session, *, subject: UUID) -> dict[UUID, int]:
    """Pieces by item, in the order in which they were put in."""
    lines = select(BasketLine.item_id, BasketLine.qty).where(BasketLine.subject == subject)
    return {row.item_id: row.qty for row in tx.execute(lines.order_by(BasketLine.added_at, BasketLine.item_id))}


def count_basket(tx: Session, *, subject: UUID) -> int:
    """How many pieces lie in the basket."""
    return int(tx.scalar(select(func.coalesce(func.sum(BasketLine.qty), 0)).where(BasketLine.subject == subject)) or 0)


def put_in_basket(tx: Session, *, subject: UUID, item_id: UUID, qty: int, at: datetime) -> None:
    """Add pieces of a thing to those that lie there. Raises PiecesWantedError, BasketFullError."""
    _check(qty)
    row = {"subject": subject, "item_id": item_id, "qty": qty, "added_at": at}
    more = func.least(BasketLine.qty + qty, MOST_PIECES)
    tx.execute(insert(BasketLine).values(row).on_conflict_do_update(index_elements=KEY, set_={"qty": more}))
    if len(list_basket(tx, subject=subject)) > MOST_THINGS:
        raise BasketFullError(most=MOST_THINGS)


def set_basket(tx: Session, *, subject: UUID, pieces: Mapping[UUID, int]) -> None:
    """Change how many are wanted of what lies there; 0 takes it out, what is not there stays away. Raises PiecesWantedError."""
    for item_id, qty in pieces.items():
        if not qty:
            take_from_basket(tx, subject=subject, item_ids=[item_id])
            continue
        _check(qty)
        line = tx.get(BasketLine, (subject, item_id), populate_existing=True)
        if line is not None:
            line.qty = qty
    tx.flush()


def take_from_basket(tx: Session, *, subject: UUID, item_ids: Collection[UUID]) -> None:
    """Take things out; what is not there is no matter."""
    tx.execute(delete(BasketLine).where(BasketLine.subject == subject, BasketLine.item_id.in_(item_ids)))


KEY: Final = (BasketLine.subject, BasketLine.item_id)


def _check(qty: int) -> None:
    if type(qty) is not int or not 1 <= qty <= MOST_PIECES:
        raise PiecesWantedError(most=MOST_PIECES)
