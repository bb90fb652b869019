"""What happens at the sandbox by itself: checkouts expire, wallets' refunds end, events go out and are sent again.

One thread a sandbox; several sandboxes on one database share the work, because due rows are locked and skipped.
"""

import hmac
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from threading import Event as Signal
from threading import Thread
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Connection, Engine, Row, text
from sqlalchemy.exc import SQLAlchemyError

from market.payments.sandbox import books
from market.payments.sandbox.store import get_knobs, list_due

TICK_SECONDS = 0.1
TRIES = 40
LONGEST_WAIT_SECONDS = 600
TIMEOUT_SECONDS = 10

log = structlog.get_logger("huigong.sandbox")


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Where events go, and what signs them."""

    webhook: str
    secret: str
    clock: Callable[[], datetime]


@contextmanager
def ticking(engine: Engine, sender: Sender) -> Iterator[None]:
    """Keep the clock going until the block is left."""
    over = Signal()

    def tick_on() -> None:
        while not over.wait(TICK_SECONDS):
            try:
                tick(engine, sender)
            except SQLAlchemyError:
                log.warning("the sandbox's database does not answer; tried again")
                over.wait(1)

    keeper = Thread(target=tick_on, name="sandbox clock", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join(timeout=2 * TIMEOUT_SECONDS)


def tick(engine: Engine, sender: Sender) -> int:
    """Do what is due now; how many events were sent or tried."""
    at = sender.clock()
    with engine.begin() as tx:
        for account, found in list_due(tx, at=at):
            if found["object"] == "refund":
                books.settle_refund(tx, account, found, at=at)
            elif found["status"] == "open":
                books.close_session(tx, account, found, at=at)
    tried = 0
    while sent := _send_next(engine, sender, at=at):
        tried += sent
    return tried


def sign(body: bytes, secret: str, *, seconds: int) -> str:
    """The header `Stripe-Signature`: HMAC-SHA256 over the time and the body."""
    mac = hmac.new(secret.encode(), f"{seconds}.".encode() + body, sha256).hexdigest()
    return f"t={seconds},v1={mac}"


def _send_next(engine: Engine, sender: Sender, *, at: datetime) -> int:
    """Send one event that is due; 0 when there is none. Its row is put off first, so that the answer is waited for unlocked."""
    with engine.begin() as tx:
        event = _claim(tx, at=at)
    if event is None:
        return 0
    taken = [_deliver(event.body.encode(), sender) for _ in range(event.copies)]
    if all(taken):
        with engine.begin() as tx:
            tx.execute(
                text("UPDATE sandbox.event SET due = NULL, sent_at = :at WHERE id = :id"), {"at": at, "id": event.id}
            )
    return 1


def _claim(tx: Connection, *, at: datetime) -> "Row[tuple[str, str, int]] | None":
    found = tx.execute(
        text(
            "SELECT id, body, copies, tries FROM sandbox.event WHERE due <= :at"
            " ORDER BY CASE WHEN :newest THEN -number ELSE number END LIMIT 1 FOR UPDATE SKIP LOCKED"
        ),
        {"at": at, "newest": bool(get_knobs(tx).reorder)},
    ).one_or_none()
    if found is not None:
        wait = timedelta(seconds=min(1 << found.tries, LONGEST_WAIT_SECONDS))
        due = at + wait if found.tries < TRIES else None
        tx.execute(
            text("UPDATE sandbox.event SET tries = tries + 1, due = :due WHERE id = :id"), {"due": due, "id": found.id}
        )
    return found


def _deliver(body: bytes, sender: Sender) -> bool:
    """Post one event, signed now; whether it was taken."""
    url = urlsplit(sender.webhook)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=TIMEOUT_SECONDS)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": sign(body, sender.secret, seconds=int(time.time())),
    }
    try:
        connection.request("POST", url.path, body=body, headers=headers)
        return 200 <= connection.getresponse().status < 300
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
