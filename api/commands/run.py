"""`huigong run` brings everything up on one machine; `serve`, `migrate` and `init` are its parts for an installation of one's own."""

import errno
import signal
import socket
import sys
from importlib.util import find_spec
from typing import Annotated, Literal

import typer
import uvicorn
from rich.console import Console

from api.commands.database import open_database, serve_database
from api.companions import companions
from api.identity import check_settings, find_kind, init_installation, list_demo_people
from api.identity.installation import Kind, UnsafeSettingsError
from api.logs import configure_logs
from api.public_log import open_demo_log
from market.kit.clock import now
from market.kit.database import connect, disconnect, transaction
from market.kit.migrations import upgrade
from market.kit.settings import get_settings
from market.payments.provider import has_sandbox

console = Console(stderr=True)


def run() -> None:
    """Start everything: database, migrations, demo works if the database is new, web. Ctrl-C stops it all; the data stay."""
    _stop_on_signals()
    _refuse_taken_port()
    try:
        with serve_database() as url:
            with console.status("Bringing the database up to date"):
                upgrade(url)
            is_demo = _prepare(url)
            if has_sandbox(get_settings(), is_demo=is_demo):
                _refuse_taken("127.0.0.1", get_settings().sandbox_port, "HUIGONG_SANDBOX_PORT")
            _welcome(url)
            with companions(_list_companions(is_demo=is_demo)):
                _serve()
    except SystemExit:
        console.print("Stopped. The data stay; the next start takes seconds.")
        raise


def serve() -> None:
    """Serve the web on a database that exists already (HUIGONG_DATABASE_URL)."""
    settings = get_settings()
    if settings.database_url is None:
        raise UnsafeSettingsError("`huigong serve` needs HUIGONG_DATABASE_URL; `huigong run` brings its own database.")
    _stop_on_signals()
    _refuse_taken_port()
    check_installation(settings.database_url)
    _serve()


def migrate() -> None:
    """Bring the database to the schema of this release; does nothing when it is there."""
    with serve_database() as url:
        upgrade(url)
    console.print("The database stands at the newest migration.")


def init(
    kind: Annotated[Literal["demo", "real"], typer.Option(help="What this database is for, for ever.")],
) -> None:
    """Make a new database a demo or a real installation. A real one refuses default secrets and plain http."""
    with open_database() as url:
        check_settings(get_settings(), kind=kind, database_url=url)
        upgrade(url)
        with transaction() as tx:
            init_installation(tx, kind=kind, at=now())
    console.print(f"This is now a {kind} installation.")


def _list_companions(*, is_demo: bool) -> list[str]:
    """What else runs: the worker, and where nobody else plays the payment provider, the sandbox."""
    places = ["api.commands.worker:worker", "api.commands.sequencer:sequencer"]
    if has_sandbox(get_settings(), is_demo=is_demo):
        places.append("api.commands.sandbox:sandbox")
    return places


def _prepare(url: str) -> bool:
    """A new database becomes a demo; a demo without people gets its works. Whether it is one."""
    connect(url)
    try:
        with transaction() as tx:
            kind: Kind | None = find_kind(tx)
            if kind is None:
                kind = "demo"
                init_installation(tx, kind=kind, at=now())
            is_empty = kind == "demo" and not list_demo_people(tx)
        check_settings(get_settings(), kind=kind, database_url=url)
        if is_empty and find_spec("api.commands.demo"):
            from api.commands.demo import build

            build(console=console)
        if kind == "demo":
            open_demo_log(get_settings(), at=now())
    finally:
        disconnect()
    return kind == "demo"


def check_installation(url: str) -> None:
    """Raises UnsafeSettingsError if the settings do not fit the kind of this database."""
    connect(url)
    try:
        with transaction() as tx:
            check_settings(get_settings(), kind=find_kind(tx), database_url=url)
    finally:
        disconnect()


def _welcome(url: str) -> None:
    settings = get_settings()
    address = settings.public_url or f"http://{settings.host}:{settings.port}"
    connect(url)
    with transaction() as tx:
        people = list_demo_people(tx)
    disconnect()
    console.print(f"\n[bold]Huigong 惠工[/bold]  →  [bold]{address}[/bold]")
    if people:
        console.print("Demo sign-ins, one button each on that page:")
        for role, name in people.items():
            console.print(f"  {role:<10} {name}")
    console.print("Ctrl-C stops everything.\n")


def _serve() -> None:
    """Web processes until a signal; more than one are watched over and replaced when they die."""
    settings = get_settings()
    configure_logs(settings.log_format)
    uvicorn.run(
        "api.app:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=10,
    )


def _stop_on_signals() -> None:
    """SIGTERM and a closed terminal leave through the same `finally` as Ctrl-C. While it serves, uvicorn takes them first.

    The first signal is enough: a second one must not interrupt the stopping of the database.
    """
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def leave(*_: object) -> None:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        sys.exit(0)

    for number in signals:
        signal.signal(number, leave)


def _refuse_taken_port() -> None:
    """Say so before anything else is started. Raises UnsafeSettingsError."""
    settings = get_settings()
    _refuse_taken(settings.host, settings.port, "HUIGONG_PORT")


def _refuse_taken(host: str, port: int, setting: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL}:
                raise
            raise UnsafeSettingsError(
                f"{host}:{port} cannot be listened on ({error.strerror}). "
                f"Stop what uses it, or choose another with {setting}."
            ) from None
