"""A merchant whose members pay by the real SDK at a sandbox over loopback, and hear of it by signed webhooks over loopback."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import httpx2 as httpx
import pytest
import uvicorn
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from api.pages.sandbox import render_pay_page
from market.kit.clock import now
from market.kit.database import make_engine, transaction
from market.kit.errors import DomainError
from market.kit.ids import new_id
from market.payments.facts import Listener
from market.payments.inbox import receive_event, work_event
from market.payments.models import Payment, PaymentRefund
from market.payments.operations import begin_payment, get_payment, get_refund
from market.payments.sandbox.app import Sandbox, create_sandbox
from market.payments.sandbox.clock import Sender
from market.payments.sandbox.store import Knobs, set_knobs
from market.payments.stripe_gateway import StripeGateway, make_gateway

KEY = "sk_test_of_the_tests"
SECRET = "whsec_of_the_tests"
ACCOUNT = "acct_m_0001"
GOOD, UNIONPAY, DECLINED, EMPTY = "4242424242424242", "6200 0000 0000 0005", "4000000000000002", "4000000000009995"


@dataclass
class Clock:
    """The sandbox's clock, which a test may put forward."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return now() + self.ahead


@dataclass(kw_only=True)
class Shop:
    """What a test works with. `told` is what the room above heard, in order."""

    gateway: StripeGateway
    base: str
    engine: Engine
    clock: Clock
    told: list[tuple[str, UUID]] = field(default_factory=list)
    on_paid: Callable[[Session, Payment, datetime], None] | None = None

    @property
    def listener(self) -> Listener:
        def heard(word: str) -> Callable[[Session, Payment | PaymentRefund, datetime], None]:
            def hear(tx: Session, moved: Any, at: datetime) -> None:
                self.told.append((word, moved.id))
                if word == "paid" and self.on_paid is not None:
                    self.on_paid(tx, moved, at)

            return hear

        return Listener(
            lock=lambda tx, purpose: tx.execute(
                text("SELECT pg_advisory_xact_lock(hashtext(:purpose))"), {"purpose": str(purpose)}
            ),
            on_paid=heard("paid"),
            on_closed=heard("closed"),
            on_refunded=heard("refunded"),
            on_refund_failed=heard("refund failed"),
        )

    def begin(self, amount_fen: int = 23_900, purpose_id: UUID | None = None, minutes: int = 15) -> UUID:
        at = now()
        checkout = begin_payment(
            self.gateway,
            purpose_id=purpose_id or new_id(),
            merchant="m_0001",
            account=ACCOUNT,
            title="临江家电 内购订单",
            amount_fen=amount_fen,
            expires_at=at + timedelta(minutes=minutes),
            return_url="http://127.0.0.1:1/orders",
            listener=self.listener,
            at=at,
        )
        return checkout.payment_id

    def payment(self, payment_id: UUID) -> Payment:
        with transaction() as tx:
            return get_payment(tx, payment_id)

    def refund(self, refund_id: UUID) -> PaymentRefund:
        with transaction() as tx:
            return get_refund(tx, refund_id)

    def visit(self, payment_id: UUID, method: str = "wechat_pay", card: str = GOOD) -> httpx.Response:
        """Open the pay page and pay, as a browser would."""
        url = self.payment(payment_id).checkout_url
        assert url is not None
        token = re.search('name="csrf_token" value="([^"]+)"', httpx.get(url).text)
        assert token is not None
        return httpx.post(url, data={"method": method, "card": card, "csrf_token": token[1]})

    def paid(self, amount_fen: int = 23_900, method: str = "card") -> UUID:
        """A payment that went all the way."""
        payment_id = self.begin(amount_fen)
        assert self.visit(payment_id, method).status_code == 303
        self.settle()
        assert self.payment(payment_id).state == "paid"
        return payment_id

    def turn(self, **knobs: int) -> None:
        with self.engine.begin() as tx:
            set_knobs(tx, Knobs(**{"settle_refund_ms": 0, **knobs}))

    def settle(self) -> None:
        """Wait until the sandbox has nothing more to tell, and work off what it told."""
        until = time.monotonic() + 15
        while time.monotonic() < until:
            with self.engine.connect() as tx:
                due = tx.scalar(
                    text(
                        "SELECT (SELECT count(*) FROM sandbox.event WHERE due IS NOT NULL)"
                        " + (SELECT count(*) FROM sandbox.object WHERE due <= :at)"
                    ),
                    {"at": self.clock()},
                )
            if not due:
                return self.work()
            time.sleep(0.02)
        pytest.fail("the sandbox did not come to rest")

    def work(self) -> None:
        with transaction() as tx:
            asked = text("SELECT event_id FROM payment_event WHERE worked_at IS NULL ORDER BY received_at")
            waiting = list(tx.execute(asked).scalars())
        for event_id in waiting:
            work_event(self.gateway, event_id=event_id, listener=self.listener, at=now())

    def outcomes(self, type_: str) -> list[str]:
        with transaction() as tx:
            asked = text("SELECT outcome FROM payment_event WHERE type = :type ORDER BY received_at")
            return list(tx.execute(asked, {"type": type_}).scalars())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[StripeGateway]]]:
    """A receiver on loopback that keeps what is signed; the gateway it verifies with comes later."""
    gateways: list[StripeGateway] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            try:
                receive_event(gateways[0], raw=raw, signature=self.headers["stripe-signature"], at=now())
                self.send_response(200)
            except DomainError as refusal:
                self.send_response(refusal.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/webhooks/stripe", gateways
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def shop(database: Engine, database_url: str, webhook: tuple[str, list[StripeGateway]]) -> Iterator[Shop]:
    """A sandbox that runs, and a gateway to it."""
    port, clock = free_port(), Clock()
    base = f"http://127.0.0.1:{port}"
    gateway = make_gateway(key=KEY, base=base, secret=SECRET)
    webhook[1].append(gateway)
    engine = make_engine(database_url, pool_size=6)
    app = create_sandbox(
        Sandbox(
            engine=engine,
            base=base,
            key=KEY,
            sender=Sender(webhook=webhook[0], secret=SECRET, clock=clock),
            render=render_pay_page,
        )
    )
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    made = Shop(gateway=gateway, base=base, engine=engine, clock=clock)
    made.turn()
    yield made
    server.should_exit = True
    thread.join()
