"""The demo's payments: the real sandbox in this process, in which time is what the demo says, driven through the real SDK.

Nothing is made up: the gateway opens checkouts over loopback, somebody pays on them, and the events come signed as ever. Only their
way is short: they are handed to the inbox here instead of being posted to a server that does not run yet.
"""

import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import uvicorn
from sqlalchemy import Engine, text

from api.pages.sandbox import render_pay_page
from market.kit.database import get_engine, make_engine, transaction
from market.payments.inbox import receive_event, work_event
from market.payments.operations import get_payment, send_refund
from market.payments.sandbox.app import Sandbox, create_sandbox
from market.payments.sandbox.books import settle_refund
from market.payments.sandbox.clock import Sender, sign
from market.payments.sandbox.pay_page import pay, show
from market.payments.sandbox.store import list_due, prepare
from market.payments.stripe_gateway import StripeGateway, make_gateway
from market.sales.orders.money import LISTENER, list_refunds

HOST = "127.0.0.1"
NOWHERE = f"http://{HOST}:9/"  # nothing is posted
SETTLED_AFTER = timedelta(hours=1)


@dataclass(slots=True)
class DemoProvider:
    """The gateway, and what people do at the provider."""

    gateway: StripeGateway
    engine: Engine
    secret: str
    at: datetime

    def pay(self, payment_id: UUID, *, method: str, at: datetime) -> None:
        """Somebody pays a checkout by WeChat Pay, Alipay or card, and the event is worked off."""
        self.at = at
        with transaction() as tx:
            checkout_id = get_payment(tx, payment_id).checkout_id
        with self.engine.begin() as books:
            page = show(books, str(checkout_id), at=at)
            if page is None:
                return
            pay(books, str(checkout_id), {"csrf_token": page.form_token, "method": method, "card": page.card}, at=at)
        self._hear(at)

    def send_back(self, order_id: UUID, *, at: datetime) -> None:
        """What is asked back of an order is sent and arrives."""
        self.at = at
        with transaction() as tx:
            asked = [refund.id for refund in list_refunds(tx, order_id=order_id) if refund.state == "asked"]
        for refund_id in asked:
            send_refund(self.gateway, refund_id=refund_id, listener=LISTENER, at=at)
        with self.engine.begin() as books:
            for account, found in list_due(books, at=at + SETTLED_AFTER):
                if found["object"] == "refund":
                    settle_refund(books, account, found, at=at + SETTLED_AFTER)
        self._hear(at + SETTLED_AFTER)

    def _hear(self, at: datetime) -> None:
        """Take every event that is due, as its signed bytes, and work it off."""
        with self.engine.begin() as books:
            due = books.execute(
                text(
                    "UPDATE sandbox.event SET due = NULL, sent_at = :at WHERE due IS NOT NULL RETURNING id, body, number"
                ),
                {"at": at},
            ).all()
        for event in sorted(due, key=lambda row: row.number):
            raw = event.body.encode()
            receive_event(self.gateway, raw=raw, signature=sign(raw, self.secret, seconds=int(time.time())), at=at)
            work_event(self.gateway, event_id=event.id, listener=LISTENER, at=at)


@contextmanager
def playing_provider(at: datetime) -> Iterator[DemoProvider]:
    """A sandbox on a free port of loopback, for as long as the block runs."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    url = get_engine().url.render_as_string(hide_password=False)
    key, secret, base = "sk_test_demo", f"whsec_{secrets.token_hex(8)}", f"http://{HOST}:{port}"
    engine = make_engine(url, pool_size=4)
    prepare(engine)
    played = DemoProvider(make_gateway(key=key, base=base, secret=secret), engine, secret, at)
    # Without its lifespan the sandbox has no clock of its own that would post events: they are fetched from its books.
    sender = Sender(webhook=NOWHERE, secret=secret, clock=lambda: played.at)
    sandbox = Sandbox(engine=engine, base=base, key=key, sender=sender, render=render_pay_page)
    config = uvicorn.Config(
        create_sandbox(sandbox), host=HOST, port=port, lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="demo sandbox", daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield played
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        engine.dispose()
