"""What the redemption bench runs beside itself: `huigong serve` with two processes, and pgbench on the same server."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from bench.history import CLIENTS
from bench.lean_client import HOST
from market.kit.errors import invariant
from market.kit.postgres import PORT, ROLE, Cluster, create_database


@contextmanager
def serve(url: str, log: Path, *, record_folder: Path | None = None) -> Iterator[int]:
    """`huigong serve` with two processes on a free port of this machine; the promise key lies in `record_folder` where there is a log."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    own = {} if record_folder is None else {"HUIGONG_RECORD_FOLDER": str(record_folder)}
    own |= {"HUIGONG_DATABASE_URL": url, "HUIGONG_PORT": str(port), "HUIGONG_HOST": HOST, "HUIGONG_WORKERS": "2"}
    with log.open("wb") as output:
        command = [sys.executable, "-c", "from api.cli import main; main()", "serve"]
        server = subprocess.Popen(
            command, env={**os.environ, **own, "HUIGONG_LOG_FORMAT": "json"}, stdout=output, stderr=output
        )
        try:
            _wait_until_ready(server, port, log)
            yield port
        finally:
            server.terminate()
            server.wait(30)


@contextmanager
def sequence(url: str, log: Path, *, record_folder: Path) -> Iterator[None]:
    """`huigong sequencer`, as `huigong run` starts it, in a process of its own."""
    own = {"HUIGONG_DATABASE_URL": url, "HUIGONG_RECORD_FOLDER": str(record_folder), "HUIGONG_LOG_FORMAT": "json"}
    command = [sys.executable, "-c", "from api.cli import main; main()", "sequencer"]
    with log.open("ab") as output:
        process = subprocess.Popen(command, env={**os.environ, **own}, stdout=output, stderr=output)
        try:
            yield
            invariant(process.poll() is None, f"the sequencer runs to the end; see {log}")
        finally:
            process.terminate()
            process.wait(30)


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(1_200):
        if server.poll() is not None:
            break
        try:
            with urlopen(f"http://{HOST}:{port}/readyz", timeout=5):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError(f"the server did not come up:\n{log.read_text()[-2000:]}")


def open_folder(home: Path) -> Path:
    """As root the server runs as another user, who must be able to enter the folder above its own."""
    home.chmod(0o755)
    return home / "server"


def run_pgbench(cluster: Cluster, *arguments: str) -> str:
    """Run pgbench on a database of its own on the same server."""
    create_database(cluster, "pgbench")
    where = ["-h", str(cluster.sockets), "-p", str(PORT), "-U", ROLE]
    done = subprocess.run(
        [str(cluster.binaries / "pgbench"), *where, *arguments, "pgbench"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"pgbench failed: {done.stderr}")
    return done.stdout


def measure_pgbench(cluster: Cluster, seconds: int) -> float:
    """Transactions per second of the TPC-B-like script, prepared, with as many clients."""
    said = run_pgbench(
        cluster, "-b", "tpcb-like", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-n", "-T", str(seconds)
    )
    found = re.search(r"tps = ([0-9.]+)", said)
    invariant(found is not None, "pgbench says its tps")
    return float(found[1]) if found else 0.0
