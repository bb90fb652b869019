"""Ending an order before anything of it was handed out, whoever wants it: the member or the supplier."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from market.kit.database import transaction
from market.payments.gateway import PaymentGateway, ProviderDownError
from market.payments.operations import cancel_payment
from market.sales.orders.money import LISTENER, find_waiting_payment
from market.sales.orders.pay import release_order
from market.sales.orders.queries import get_orders
from market.sales.orders.states import By, OrderStateError, lock_order
from market.sales.orders.take_back import TakenBack, list_waiting_units, take_back


def cancel(gateway: PaymentGateway, *, order_id: UUID, by: By, reason: str, key: str, at: datetime) -> None:
    """End an order before anything of it was handed out. A checkout is closed at the provider first, so that nobody pays for nothing.

    Should the provider not answer, the order is released all the same: what is paid after all goes back by itself.
    Raises OrderUnknownError, OrderStateError.
    """
    with transaction() as tx:
        payment_id = find_waiting_payment(tx, order_id=order_id)
    if payment_id is not None:
        with suppress(ProviderDownError):
            cancel_payment(gateway, payment_id=payment_id, listener=LISTENER, at=at)
    with transaction() as tx:
        order = lock_order(tx, order_id=order_id)
        if order.state in {"cancelled", "returned"}:
            return
        if release_order(tx, order_id=order_id, by=by, reason=reason, at=at):
            return
        [detail] = get_orders(tx, order_ids=[order_id])
        if order.state not in {"paid", "ready"} or any(line.handed for line in detail.lines):
            raise OrderStateError(state=order.state)
        taken = TakenBack(list_waiting_units(detail.lines), "shelf", is_restocked=True, reason=reason)
        take_back(tx, order_id=order_id, taken=taken, key=key, by=by, at=at)
