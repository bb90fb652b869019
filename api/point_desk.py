"""The officer's hand on pick-up points where more than the point itself counts: what still waits at one when it closes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

import merchants
from market.kit.errors import ConflictError
from market.sales.orders.counter import NOTHING_THERE, count_at_points


class PointBusyError(ConflictError):
    """More waits at the point than the officer was told when he closed it."""

    code = "POINT_BUSY"
    zh = "这个自提点现在有 {orders} 单要取，比你看到的多。请看清后再关闭。"
    en = "{orders} orders are to be fetched at this point now, more than the page said. Look again, then close it."


def close_point(tx: Session, *, code: str, told: int, by: UUID, at: datetime) -> None:
    """Close a pick-up point. What was ordered there is still handed out there: `told` is how many orders the officer knows of.

    Raises PointUnknownError, PointBusyError.
    """
    merchants.close_point(tx, code=code, by=by, at=at)
    there = count_at_points(tx).get(code, NOTHING_THERE).orders
    if there > told:
        raise PointBusyError(orders=there)
