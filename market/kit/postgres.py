"""The embedded database: a real PostgreSQL from a wheel, its data in a folder of ours, reached by a unix socket.

Only the wheel's programs are used (``initdb``, ``pg_ctl``, ``pgbench`` and so on). Nothing here listens on the network,
and no folder of anybody else's gets other permissions. Linux only: running servers are found in ``/proc``.
"""

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from market.kit.postgres_folders import (
    MAJOR,
    PORT,
    ClusterError,
    default_home,
    find_programs,
    get_system_user,
    locked,
    make_socket_folder,
    own_folder,
)

ROLE = "huigong"  # the database's own superuser; what guards it is the socket folder, mode 0700
READY_SECONDS = 240  # recovery after a kill replays up to max_wal_size
END_SECONDS = 20  # how long the last processes of a killed server may take to end

# Sizes for two cores, written into postgresql.conf once, so that an operator may change them there.
SIZES = {
    "shared_buffers": "512MB",
    "max_connections": "120",
    "max_wal_size": "4GB",  # after each checkpoint every page is written whole once: with 2GB entries got their places a fifth slower
    "effective_cache_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",  # DETAIL lines quote values of rows, which may be personal data
}


@dataclass(frozen=True)
class Cluster:
    """One embedded server: its folders, and the system user it runs as (None: the caller)."""

    data: Path
    sockets: Path
    binaries: Path  # PostgreSQL's programs, for the caller too: `cluster.binaries / "pg_dump"`
    user: str | None

    def url(self, database: str) -> str:
        """The SQLAlchemy address of a database of this server."""
        query = {"host": str(self.sockets), "port": str(PORT)}
        return URL.create("postgresql+psycopg", username=ROLE, database=database, query=query).render_as_string()


def get_cluster(data_dir: Path | None = None) -> Cluster:
    """The server kept in `data_dir` (default: this checkout's own), running or not, new or not; makes its folders.

    Raises ClusterError when the folder or the system does not allow it.
    """
    home = (data_dir or default_home()).resolve()
    user = get_system_user() if os.geteuid() == 0 else None
    binaries = find_programs(user=user)
    own_folder(home, user=user)
    return Cluster(data=home / "data", sockets=make_socket_folder(home, user=user), binaries=binaries, user=user)


def start_cluster(data_dir: Path | None = None, *, durable: bool = True) -> Cluster:
    """Start the server kept in `data_dir`, making its data if it is new; a running one is left as it is.

    A server that was killed is started again and recovers by itself. ``durable=False`` turns fsync off: for tests only.
    Raises ClusterError when the folder, the data's version or the system does not allow it.
    """
    cluster = get_cluster(data_dir)
    with locked(cluster.data.parent / "lock"):
        if not cluster.data.exists():
            _initialise(cluster, durable=durable)
        _check_version(cluster)
        _make_ready(cluster, durable=durable)
    return cluster


def stop_cluster(cluster: Cluster) -> None:
    """Stop the server and wait until it has stopped; open sessions are rolled back. Harmless if it does not run."""
    with locked(cluster.data.parent / "lock"):
        if is_running(cluster):
            _run(cluster, "pg_ctl", "stop", "-D", str(cluster.data), "-m", "fast", "-w", "-t", "60")


def is_running(cluster: Cluster) -> bool:
    """Whether a server of exactly this data is alive; a left-over pid file, or a pid reused since, is not."""
    try:
        pid = int((cluster.data / "postmaster.pid").read_text().splitlines()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, IndexError, ValueError):
        return False
    return command[0].endswith(b"/postgres") and os.fsencode(cluster.data) in command


def create_database(cluster: Cluster, name: str, *, template: str | None = None) -> None:
    """Create a database unless it exists, as a copy of `template` if one is named; nobody may be connected to that."""
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        statement = sql.SQL("{} TEMPLATE {} STRATEGY FILE_COPY").format(statement, sql.Identifier(template))
    address = make_conninfo(host=str(cluster.sockets), port=PORT, user=ROLE, dbname="postgres")
    with psycopg.connect(address, autocommit=True) as connection:
        try:
            connection.execute(statement)
        except psycopg.errors.DuplicateDatabase:
            return


# --- starting ---------------------------------------------------------------------------------------------------------


def _initialise(cluster: Cluster, *, durable: bool) -> None:
    """Run initdb beside the data and rename at the end, so that an interrupted one is never taken for a database."""
    draft = cluster.data.with_name("data.new")
    shutil.rmtree(draft, ignore_errors=True)
    arguments = ["-D", str(draft), "-U", ROLE, "-A", "trust", "-E", "UTF8", "--no-instructions"]
    arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    arguments += [part for name, value in SIZES.items() for part in ("--set", f"{name}={value}")]
    _run(cluster, "initdb", *arguments, *([] if durable else ["--no-sync"]))
    draft.rename(cluster.data)


def _check_version(cluster: Cluster) -> None:
    found = (cluster.data / "PG_VERSION").read_text().strip()
    if found != str(MAJOR):
        raise ClusterError(
            f"{cluster.data} holds data of PostgreSQL {found}, and this release carries PostgreSQL {MAJOR}. Restore"
            " a backup of the older release into a new folder, or set HUIGONG_DATABASE_URL to a server of that version."
        )


def _make_ready(cluster: Cluster, *, durable: bool) -> None:
    """Start the server unless it accepts sessions; one found amid its own start, recovery or end is waited for."""
    deadline = time.monotonic() + READY_SECONDS
    command = [str(cluster.binaries / "pg_isready"), "-q", "-h", str(cluster.sockets), "-p", str(PORT)]
    while subprocess.run(command, check=False).returncode != 0:
        if not is_running(cluster):
            _start(cluster, durable=durable)
        elif time.monotonic() > deadline:
            raise ClusterError(
                f"The server of {cluster.data} accepts no sessions. Its reason stands in {_log(cluster)}."
            )
        time.sleep(0.05)


def _log(cluster: Cluster) -> Path:
    return cluster.data.parent / "server.log"


def _start(cluster: Cluster, *, durable: bool) -> None:
    # What the code relies on goes on the command line, where no edit of postgresql.conf can undo it.
    settings = {"unix_socket_directories": str(cluster.sockets), "unix_socket_permissions": "0700"}
    settings |= {"listen_addresses": "", "port": str(PORT)}
    settings |= dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit"), "on" if durable else "off")
    options = " ".join(shlex.quote(f"--{name}={value}") for name, value in settings.items())
    log = _log(cluster)
    _clear_remains(cluster)
    arguments = ["-D", str(cluster.data), "-w", "-t", str(READY_SECONDS), "-l", str(log), "-o", options]
    try:
        _run(cluster, "pg_ctl", "start", *arguments)
    except ClusterError as error:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else "(none)"
        raise ClusterError(f"{error}\nThe end of {log}:\n{end}") from None


def _clear_remains(cluster: Cluster) -> None:
    """Remove what a killed server left, once the last of its processes has ended.

    Otherwise PostgreSQL refuses to start when the pid in such a file meanwhile belongs to another process, as happens
    when a container is started again. PostgreSQL's own guard against writing beside a killed server's sessions needs
    the pid file, hence the wait for them first.
    """
    deadline = time.monotonic() + END_SECONDS
    while left := _list_processes(cluster):
        if time.monotonic() > deadline:
            raise ClusterError(
                f"Processes of a killed server still use {cluster.data}: {', '.join(left)}. End them and start again."
            )
        time.sleep(0.05)
    for path in (cluster.data / "postmaster.pid", *cluster.sockets.glob(".s.PGSQL.*")):
        path.unlink(missing_ok=True)


def _list_processes(cluster: Cluster) -> list[str]:
    """The pids of all processes that work in the data folder, as PostgreSQL's do."""
    return [process.name for process in Path("/proc").glob("[0-9]*") if _is_in(process, cluster.data)]


def _is_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder
    except OSError:  # it has just ended, or it is another user's and so not our server's
        return False


def _run(cluster: Cluster, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs as the server's user; its words become the error."""
    with tempfile.TemporaryFile() as output:  # not a pipe: the server inherits it and would keep it open
        done = subprocess.run(
            [str(cluster.binaries / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
            cwd=cluster.data.parent,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            user=cluster.user,
            group=cluster.user,
            extra_groups=[] if cluster.user else None,
            umask=0o077,
        )
        output.seek(0)
        words = output.read().decode(errors="replace").strip()
    if done.returncode != 0:
        raise ClusterError(f"{program} failed on {cluster.data}: {words or f'exit status {done.returncode}'}")
