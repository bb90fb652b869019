"""The database as a stream and back, by PostgreSQL's own programs. The keys of persons (schema `vault`) are never in it.

They have a stream of their own: the newest one goes with every older dump, so that no old copy of an erased person's key need be kept.
"""

import io
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, BinaryIO, Final

import psycopg
from sqlalchemy import URL, Connection, Engine, make_url, text

from market.kit.errors import ConflictError, invariant
from market.kit.postgres_folders import find_programs

_TABLES: Final = text("""
SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'vault') ORDER BY 1
""")
_COPY_OUT: Final = "COPY (SELECT subject, wrapped FROM vault.person_key ORDER BY subject) TO STDOUT"
_COPY_IN: Final = "COPY vault.person_key (subject, wrapped) FROM STDIN"


class DumpFailedError(ConflictError):
    """PostgreSQL's own program gave up."""

    code = "DUMP_FAILED"
    zh = "{program} 没有完成：{problem}。请照它说的处理后重来。"
    en = "{program} did not come to its end: {problem}. Do what it says, then try again."


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of the database: what is dumped and what is counted are the same."""

    connection: Connection
    name: str
    migration: str
    counts: Mapping[str, int]


@contextmanager
def take_snapshot(engine: Engine) -> Iterator[Snapshot]:
    """Hold one state of the database until the block ends."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True) as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        name = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        migration = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        yield Snapshot(connection, name, migration, count_tables(connection))


def count_tables(connection: Connection) -> dict[str, int]:
    """How many rows each table has, those of the vault left out."""
    tables = connection.execute(_TABLES).scalars().all()
    return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}  # noqa: S608  from the catalogue, quoted


@contextmanager
def dump_database(url: str, snapshot: Snapshot) -> Iterator[IO[bytes]]:
    """The dump of this state (pg_dump's custom format), without the rows of the vault. Raises DumpFailedError at the end of the block."""
    options = ["--format=custom", "--no-owner", "--no-privileges", "--exclude-table-data=vault.*"]
    with _program("pg_dump", url, *options, f"--snapshot={snapshot.name}", stdout=subprocess.PIPE) as process:
        invariant(process.stdout is not None, "a pipe was asked for")
        yield process.stdout  # type: ignore[misc]  # the invariant


@contextmanager
def load_database(url: str) -> Iterator[IO[bytes]]:
    """What is written inside the block is loaded in one transaction: whole, or nothing of it. Raises DumpFailedError."""
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    with _program("pg_restore", url, *options, stdin=subprocess.PIPE) as process:
        invariant(process.stdin is not None, "a pipe was asked for")
        yield process.stdin  # type: ignore[misc]  # the invariant


def read_keys(engine: Engine) -> BinaryIO:
    """The keys of all persons as they lie in the vault: wrapped by the master key."""
    content = io.BytesIO()
    with engine.connect() as connection, _driver(connection).cursor() as cursor, cursor.copy(_COPY_OUT) as copy:
        for part in copy:
            content.write(part)
    content.seek(0)
    return content


def write_keys(engine: Engine, content: bytes) -> None:
    """Put keys into an empty vault."""
    with engine.begin() as connection, _driver(connection).cursor() as cursor, cursor.copy(_COPY_IN) as copy:
        copy.write(content)


def _driver(connection: Connection) -> "psycopg.Connection[tuple[object, ...]]":
    driver = connection.connection.driver_connection
    invariant(isinstance(driver, psycopg.Connection), "the database is reached by psycopg")
    return driver  # type: ignore[return-value]  # the invariant


@contextmanager
def _program(
    name: str, url: str, *options: str, stdin: int | None = None, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of PostgreSQL's programs on this database; the password goes by the environment, where other users do not see it.

    When the block fails it is killed, so that it never takes a cut stream for a whole one.
    """
    address = make_url(url).set(drivername="postgresql")
    command = [str(find_programs(user=None) / name), *options, "--dbname", _without_password(address)]
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    if address.password:
        environment["PGPASSWORD"] = str(address.password)
    with subprocess.Popen(  # noqa: S603  our own program and options
        command, stdin=stdin or subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, env=environment
    ) as process:
        try:
            yield process
        except BrokenPipeError:
            pass  # it says itself why it left
        except BaseException:
            process.kill()
            _close(process)
            raise
        _close(process)
        problem = process.stderr.read() if process.stderr else b""
        if process.wait() != 0:
            words = " ".join(problem.decode(errors="replace").split())[:300] or f"exit status {process.returncode}"
            raise DumpFailedError(program=name, problem=words)


def _close(process: subprocess.Popen[bytes]) -> None:
    """Tell a program that reads that this was all; one that has left already is not told."""
    pipe, process.stdin = process.stdin, None
    if pipe is not None:
        with suppress(BrokenPipeError):
            pipe.close()


def _without_password(address: URL) -> str:
    return address.set(password=None).render_as_string(hide_password=False)
