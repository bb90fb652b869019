"""Order, pay and cancel in child processes that are killed at any moment. Run by test_order_kill.py:
`python killed_orders.py URL COUNT SEED AT ITEM` with a JSON list of member ids on standard input; prints how many were cut short.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from api import shopping
from api.shopping import BasketKeyed, HandoverKeyed
from market.kit.database import connect, disconnect, transaction
from market.kit.errors import DomainError
from market.payments.inbox import receive_event, work_event
from market.payments.operations import get_payment
from market.sales.orders.money import LISTENER
from tests.provider import SIGNATURE, Provider, write_event


def buy(provider: Provider, *, member: UUID, item: UUID, key: str, at: datetime, and_cancel: bool) -> None:
    """Place, pay, be told of the payment, and perhaps give it all back. Harmless as often as one likes."""
    keyed = BasketKeyed({item: 1}, {"m_0002": HandoverKeyed("pickup", "gate1")})
    [placed] = shopping.place_basket(member_id=member, keyed=keyed, key=key, at=at)
    number = placed.order.number
    try:
        begun = shopping.start_payment(provider, member_id=member, number=number, return_url="http://127.0.0.1/", at=at)
    except DomainError as refused:
        if refused.code != "ORDER_STATE":  # an earlier life came further
            raise
    else:
        with transaction() as tx:
            payment = get_payment(tx, begun.payment_id)
        raw = pay_again(provider, payment.id, account=payment.account, amount_fen=payment.amount_fen)
        receive_event(provider, raw=raw, signature=SIGNATURE, at=at)
        work_event(provider, event_id=json.loads(raw)["id"], listener=LISTENER, at=at)
    if and_cancel:
        shopping.cancel_order(provider, member_id=member, number=number, key="no", at=at)


def pay_again(provider: Provider, payment_id: UUID, *, account: str, amount_fen: int) -> bytes:
    """The event of a payment at the provider, who remembers what an earlier life of this process did there."""
    facts = provider.remember(payment_id, account=account, amount_fen=amount_fen)
    return write_event("checkout", facts)


def main(url: str, seed: int, act: Callable[[int], None], jobs: int) -> int:
    chance, killed, whole = random.Random(seed), 0, 0.0
    connect(url, pool_size=2)
    act(0)  # what is compiled once is there in every child
    disconnect()
    for number in range(jobs):
        begun = time.monotonic()
        child = os.fork()
        if not child:
            connect(url, pool_size=2)
            act(number)
            os._exit(0)
        if number % 20:
            time.sleep(chance.uniform(0.3, 1.1) * whole)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        if not number % 20:  # one in twenty runs to its end and says how long that takes just now
            whole = time.monotonic() - begun
    return killed


if __name__ == "__main__":
    members = [UUID(member) for member in json.load(sys.stdin)]
    at, item = datetime.fromisoformat(sys.argv[3]), UUID(sys.argv[4])

    def act(number: int) -> None:
        member = members[number % len(members)]
        buy(Provider(), member=member, item=item, key=f"kill:{number:06}", at=at, and_cancel=number % 3 == 0)

    sys.stdout.write(str(main(sys.argv[1], int(sys.argv[2]), act, int(sys.argv[5]))))
