"""What the sandbox keeps, in a schema of its own that it makes itself: a real installation never has it, so no migration does.

An object is the JSON that is answered for it. One call is one transaction; the rows it changes are locked.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from random import Random, SystemRandom
from typing import Any

from sqlalchemy import Connection, Engine, text

from market.payments.sandbox.dialect import API_VERSION, missing, new_name

TABLES = """
CREATE SCHEMA IF NOT EXISTS sandbox;
CREATE TABLE IF NOT EXISTS sandbox.object (
  id text PRIMARY KEY, kind text NOT NULL, account text NOT NULL, body jsonb NOT NULL, due timestamptz
);
CREATE INDEX IF NOT EXISTS ix_object_due ON sandbox.object (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS sandbox.call (
  account text, key text, asked text NOT NULL, answer jsonb, PRIMARY KEY (account, key)
);
CREATE TABLE IF NOT EXISTS sandbox.event (
  id text PRIMARY KEY, account text NOT NULL, type text NOT NULL, body text NOT NULL, number bigserial, due timestamptz,
  copies integer NOT NULL, tries integer NOT NULL DEFAULT 0, sent_at timestamptz, lost boolean NOT NULL DEFAULT false
);
CREATE INDEX IF NOT EXISTS ix_event_due ON sandbox.event (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS sandbox.knobs (id integer PRIMARY KEY CHECK (id = 1), body jsonb NOT NULL);
"""
PREPARE_LOCK = 0x68677362


@dataclass(frozen=True, kw_only=True)
class Knobs:
    """What is done to events on their way, to see that nothing depends on their number, order or arrival."""

    duplicate_percent: int = 0
    lose_percent: int = 0
    delay_ms: int = 0
    reorder: int = 0  # 1: what is due together goes out newest first
    fail_refund_percent: int = 0
    settle_refund_ms: int = 1000  # how long a wallet's refund is pending
    seed: int = 0  # with the same seed the first, second, … event fares the same in every run; 0: as it happens


def prepare(engine: Engine) -> None:
    """Make what is not there yet; two that start together wait for each other."""
    with engine.begin() as tx:
        tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": PREPARE_LOCK})
        for statement in TABLES.split(";"):
            if statement.strip():
                tx.execute(text(statement))


def read_knobs(values: Mapping[str, Any]) -> Knobs:
    """Knobs from names and whole numbers. Raises ValueError for any other."""
    known = {field.name for field in fields(Knobs)}
    if not set(values) <= known or not all(type(value) is int and 0 <= value <= 60_000 for value in values.values()):
        message = f"knobs are whole numbers named {', '.join(sorted(known))}"
        raise ValueError(message)
    return Knobs(**values)


def parse_knobs(words: str) -> Knobs:
    """Knobs as an operator writes them: `duplicate_percent=50 delay_ms=2000`. Raises ValueError."""
    return read_knobs({name: int(value) for name, _, value in (word.partition("=") for word in words.split())})


def get_knobs(tx: Connection) -> Knobs:
    """The knobs as they are set; without any, events simply arrive."""
    found = tx.scalar(text("SELECT body FROM sandbox.knobs"))
    return Knobs(**found) if found else Knobs()


def set_knobs(tx: Connection, knobs: Knobs) -> None:
    """Turn them, for events from now on."""
    tx.execute(
        text("INSERT INTO sandbox.knobs (id, body) VALUES (1, :body) ON CONFLICT (id) DO UPDATE SET body = :body"),
        {"body": json.dumps(asdict(knobs))},
    )


def add_object(tx: Connection, account: str, body: Mapping[str, Any], *, due: datetime | None = None) -> dict[str, Any]:
    """Keep a new object; it is the answer."""
    tx.execute(
        text("INSERT INTO sandbox.object (id, kind, account, body, due) VALUES (:id, :kind, :account, :body, :due)"),
        {"id": body["id"], "kind": body["object"], "account": account, "body": json.dumps(body), "due": due},
    )
    return dict(body)


def get_object(tx: Connection, account: str, kind: str, id_: str) -> dict[str, Any]:
    """An object of this account, locked. Raises RefusalError (404)."""
    found = tx.scalar(
        text(
            "SELECT body FROM sandbox.object WHERE id = :id AND kind = :kind AND account = :account FOR NO KEY UPDATE"
        ),
        {"id": id_, "kind": kind, "account": account},
    )
    if found is None:
        raise missing(kind, id_)
    return dict(found)


def change_object(tx: Connection, body: Mapping[str, Any], *, due: datetime | None = None) -> dict[str, Any]:
    """Keep an object that was locked and changed; `due` is when the clock does something to it."""
    tx.execute(
        text("UPDATE sandbox.object SET body = :body, due = :due WHERE id = :id"),
        {"id": body["id"], "body": json.dumps(body), "due": due},
    )
    return dict(body)


def list_due(tx: Connection, *, at: datetime) -> list[tuple[str, dict[str, Any]]]:
    """The objects whose time has come, locked, each with its account."""
    found = tx.execute(
        text("SELECT account, body FROM sandbox.object WHERE due <= :at ORDER BY due LIMIT 100 FOR UPDATE SKIP LOCKED"),
        {"at": at},
    )
    return [(account, dict(body)) for account, body in found]


def add_event(tx: Connection, account: str, type_: str, about: Mapping[str, Any], *, at: datetime) -> None:
    """Write an event about an object as it is now; the knobs decide when, how often and whether it goes out."""
    knobs, number = get_knobs(tx), tx.scalar(text("SELECT nextval('sandbox.event_number_seq')"))
    chance = Random(f"{knobs.seed} {number}") if knobs.seed else SystemRandom()  # noqa: S311  nobody is to be surprised
    id_ = new_name("evt")
    body = {
        "id": id_,
        "object": "event",
        "api_version": API_VERSION,
        "created": int(at.timestamp()),
        "livemode": False,
        "type": type_,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": about},
    }
    if account:
        body["account"] = account
    lost = chance.randrange(100) < knobs.lose_percent
    delay = timedelta(milliseconds=chance.randrange(knobs.delay_ms + 1))
    tx.execute(
        text(
            "INSERT INTO sandbox.event (id, account, type, body, number, due, copies, lost)"
            " VALUES (:id, :account, :type, :body, :number, :due, :copies, :lost)"
        ),
        {
            "id": id_,
            "account": account,
            "type": type_,
            "body": json.dumps(body, ensure_ascii=False, separators=(",", ":")),
            "number": number,
            "due": None if lost else at + delay,
            "copies": 2 if chance.randrange(100) < knobs.duplicate_percent else 1,
            "lost": lost,
        },
    )
