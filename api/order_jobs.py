"""What happens to orders by the clock: those not paid in time are released, those nobody fetches are refunded, old ones are closed."""

from datetime import datetime, timedelta
from typing import Final

from api.shopping import pay_nothing
from market.kit.database import transaction
from market.payments.gateway import PaymentGateway, ProviderDownError
from market.payments.operations import cancel_payment
from market.sales.orders.hand_out import close_orders, list_forsaken, mark_unclaimed
from market.sales.orders.models import Order
from market.sales.orders.money import LISTENER, find_waiting_payment
from market.sales.orders.pay import release_order
from market.sales.orders.queries import get_orders, list_due
from market.sales.orders.states import JOB, lock_order
from market.sales.orders.take_back import TakenBack, list_waiting_units, take_back

GRACE: Final = timedelta(
    minutes=10
)  # while the provider does not answer, so long may an order have been paid without our knowing


def expire_orders(gateway: PaymentGateway | None, *, at: datetime) -> int:
    """Release the orders whose time to pay is over; how many were looked at. Harmless at any moment and as often as one likes.

    A checkout is closed at the provider (if there is one) first: if it was paid meanwhile, the order is paid and not released.
    """
    with transaction() as tx:
        due = list_due(tx, at=at)
    for order in due:
        _expire(gateway, order, at=at)
    return len(due)


def sweep_orders(*, at: datetime) -> dict[str, int]:
    """Once a day: note what nobody fetched, refund what nobody fetched for long, close what is done. How many of each.

    `asked` are those that are not closed yet because their return request waits for its answer.
    """
    with transaction() as tx:
        unclaimed = mark_unclaimed(tx, at=at)
        forsaken = list_forsaken(tx, at=at)
    for order_id in forsaken:
        with transaction() as tx:
            lock_order(tx, order_id=order_id)
            [detail] = get_orders(tx, order_ids=[order_id])
            if units := list_waiting_units(detail.lines):
                taken = TakenBack(units, "shelf", is_restocked=True, reason="unclaimed")
                take_back(tx, order_id=order_id, taken=taken, key="unclaimed", by=JOB, at=at)
    with transaction() as tx:
        ended = close_orders(tx, at=at)
    return {"unclaimed": len(unclaimed), "refunded": len(forsaken), "closed": ended.closed, "asked": ended.asked}


def _expire(gateway: PaymentGateway | None, order: Order, *, at: datetime) -> None:
    if not order.paid_fen:  # the process ended between placing and selling it
        pay_nothing(order_id=order.id, subject=order.subject, at=at)
        return
    with transaction() as tx:
        payment_id = find_waiting_payment(tx, order_id=order.id)
    if payment_id is not None and gateway is not None:
        try:
            cancel_payment(gateway, payment_id=payment_id, listener=LISTENER, at=at)
        except ProviderDownError:
            if at < order.expires_at + GRACE:
                return
    with transaction() as tx:
        release_order(tx, order_id=order.id, by=JOB, reason="expired", at=at)
