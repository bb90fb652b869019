"""List prices by date: what an item cost from when on. A price is only ever added; the present one stands on the item too."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import DateTime, func, insert, select, type_coerce
from sqlalchemy.orm import Session

from merchants.models import Item, ItemPrice

MAX_PRICE_FEN = 100_000_000
_NEXT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class PriceSince:
    """A list price in fen and from when on it held."""

    sku: str
    from_at: datetime
    price_fen: int


def note_price(tx: Session, *, merchant_id: UUID, sku: str, price_fen: int, at: datetime | None = None) -> None:
    """Add to an item's history the price that it has from `at` on (now, if not said), or right after the last if that is later."""
    item_id = tx.scalars(select(Item.id).where(Item.merchant_id == merchant_id, Item.sku == sku)).one()
    last, present = tx.execute(_LAST.where(ItemPrice.item_id == item_id)).one()
    from_at = at or present
    if last is not None:
        from_at = max(from_at, last + _NEXT)
    tx.execute(insert(ItemPrice).values(item_id=item_id, from_at=from_at, price_fen=price_fen))


def list_prices(tx: Session, *, item_ids: Collection[UUID]) -> list[PriceSince]:
    """The prices that these items have had, the newest first."""
    rows = select(Item.sku, ItemPrice.from_at, ItemPrice.price_fen).join(Item, Item.id == ItemPrice.item_id)
    rows = rows.where(ItemPrice.item_id.in_(item_ids)).order_by(ItemPrice.from_at.desc(), Item.sku)
    return [PriceSince(*row) for row in tx.execute(rows)]


_LAST = select(type_coerce(func.max(ItemPrice.from_at), DateTime(timezone=True)), func.now())
