"""One engine per process and `transaction()`: one request, one transaction, committed before the answer goes out."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, MetaData, create_engine
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from market.kit.errors import invariant


class Base(DeclarativeBase):
    """Base of all tables; constraint names follow one convention, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


_sessions: sessionmaker[Session] | None = None
_engine: Engine | None = None


def connect(url: str, *, pool_size: int = 12) -> Engine:
    """Use this PostgreSQL from now on in this process; an earlier engine is disposed of.

    A waiter for a connection gives up after 30 seconds, a statement after 60, a lock after 15: an error rather than a hang.
    """
    global _sessions, _engine  # noqa: PLW0603  one engine per process is the design
    disconnect()
    _engine = make_engine(url, pool_size=pool_size)
    _sessions = sessionmaker(_engine, expire_on_commit=False)
    return _engine


def make_engine(url: str, *, pool_size: int) -> Engine:
    """An engine of one's own, with the same time-outs; whoever makes it disposes of it."""
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=30,
        pool_pre_ping=False,
        pool_reset_on_return="rollback",
        hide_parameters=True,  # names and phones do not belong in a log of errors
        connect_args={
            "options": "-c statement_timeout=60s -c lock_timeout=15s -c timezone=UTC",
            "prepare_threshold": 2,
        },
    )


def disconnect() -> None:
    """Close all connections of this process."""
    global _sessions, _engine  # noqa: PLW0603
    if _engine is not None:
        _engine.dispose()
    _sessions = _engine = None


def get_engine() -> Engine:
    """The engine of this process."""
    invariant(_engine is not None, "connect() comes before the first query")
    return _engine  # type: ignore[return-value]


@contextmanager
def transaction() -> Iterator[Session]:
    """A session whose work is committed on leaving and rolled back when an exception passes."""
    invariant(_sessions is not None, "connect() comes before the first transaction")
    with _sessions() as tx, tx.begin():  # type: ignore[misc]
        yield tx


@contextmanager
def snapshot() -> Iterator[Session]:
    """A session that only reads, and sees the database as it was at its first question, however many it asks."""
    with transaction() as tx:
        tx.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
        yield tx


@contextmanager
def long_snapshot() -> Iterator[Connection]:
    """A connection that sees the database as it was at its first question, for what may take longer than a statement is given."""
    with get_engine().connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        yield connection
