"""`huigong run` as people meet it: up with one command, down with Ctrl-C, everything kept."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from market.kit.postgres import get_cluster, is_running, stop_cluster

HUIGONG = [sys.executable, "-c", "from api.cli import main; main()"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def machine() -> Iterator[dict[str, str]]:
    """The environment of a fresh machine: a port and a data folder of its own."""
    home = Path(tempfile.mkdtemp(prefix="huigong-run-"))
    with socket.socket() as probe, socket.socket() as other:
        probe.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        port, sandbox = probe.getsockname()[1], other.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUIGONG_")}
    own = {"HUIGONG_PORT": str(port), "HUIGONG_SANDBOX_PORT": str(sandbox), "HUIGONG_WORKERS": "2"}
    yield kept | own | {"HUIGONG_DATA_DIR": str(home)}
    stop_cluster(get_cluster(home))
    shutil.rmtree(home)


def call(machine: dict[str, str], *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*HUIGONG, *arguments],
        env=machine,
        cwd=ROOT,
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def start(machine: dict[str, str]) -> subprocess.Popen[str]:
    """Start the whole and wait until it answers; a process group of its own, as a terminal gives it."""
    running = subprocess.Popen(
        [*HUIGONG, "run"], env=machine, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    until = time.monotonic() + 120
    while running.poll() is None and time.monotonic() < until:
        try:
            if httpx.get(address(machine) + "/readyz").status_code == 200:
                return running
        except httpx.TransportError:
            time.sleep(0.1)
    os.killpg(running.pid, signal.SIGKILL)  # all of it: a process left over would keep its end of the pipe open
    raise AssertionError(running.communicate()[1])


def sandbox(machine: dict[str, str]) -> str:
    return f"http://127.0.0.1:{machine['HUIGONG_SANDBOX_PORT']}"


def wait_for(url: str, status: int) -> None:
    """Companions start beside the web and may be a moment later."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if httpx.get(url).status_code == status:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"{url} did not answer {status}")


def address(machine: dict[str, str]) -> str:
    return f"http://127.0.0.1:{machine['HUIGONG_PORT']}"


def stop(running: subprocess.Popen[str], number: signal.Signals) -> str:
    """Ctrl-C reaches every process of the terminal at once; other signals reach the one they are sent to."""
    if number is signal.SIGINT:
        os.killpg(running.pid, number)
    else:
        running.send_signal(number)
    written: Any = running.communicate(timeout=40)[1]
    assert running.returncode == 0, written
    return str(written)


@pytest.mark.long
def test_everything_starts_stops_and_is_kept(machine: dict[str, str]) -> None:
    made = call(machine, "demo", "--size", "tiny")
    assert made.returncode == 0, made.stderr
    cluster = get_cluster(Path(machine["HUIGONG_DATA_DIR"]))
    assert not is_running(cluster)
    running = start(machine)
    page = httpx.get(address(machine) + "/sign-in").text
    assert len(re.findall('action="/demo-sign-in"', page)) >= 1
    wait_for(sandbox(machine) + "/pay/cs_test_none", 404)
    second = call(machine, "run")
    assert (second.returncode, "HUIGONG_PORT" in second.stderr) == (1, True)
    written = stop(running, signal.SIGINT)  # the test below stops it by SIGTERM
    assert address(machine) in written
    assert "demo people" not in written
    assert not is_running(cluster)
    for gone in (address(machine) + "/healthz", sandbox(machine) + "/pay/cs_test_none"):
        with pytest.raises(httpx.TransportError):
            httpx.get(gone)


@pytest.mark.long
def test_a_real_installation_is_made_and_gets_its_first_officer(machine: dict[str, str], tmp_path: Path) -> None:
    refused = call(machine, "init", "--kind", "real")
    assert (refused.returncode, "HUIGONG_MASTER_KEY" in refused.stderr) == (1, True)
    machine |= {"HUIGONG_MASTER_KEY": "a key of one's own, long enough"}
    assert call(machine, "init", "--kind", "real").returncode == 0
    other = call(machine, "init", "--kind", "demo")
    assert (other.returncode, "made as real" in other.stderr) == (1, True)
    units = tmp_path / "units.csv"
    units.write_text("code,name,parent_code\nxg,星钢,\n", encoding="utf-8")
    assert call(machine, "import", "units", str(units)).returncode == 0
    secret = "correct horse battery staple"
    add = ["user", "add", "han", "--name", "韩卫东", "--role", "officer", "--at"]
    assert "unit code" in call(machine, *add, "nowhere", given=f"{secret}\n{secret}\n").stderr
    made = call(machine, *add, "xg", given=f"{secret}\n{secret}\n")
    assert made.returncode == 0, made.stderr
    assert secret not in made.stdout + made.stderr
    running = start(machine)
    try:
        with pytest.raises(httpx.TransportError):
            httpx.get(sandbox(machine) + "/pay/cs_test_none")
        answer = httpx.post(address(machine) + "/api/sign-in", json={"login": "han", "password": secret})
        assert answer.json()["roles"] == ["officer"]
        assert "/demo-sign-in" not in httpx.get(address(machine) + "/").text
    finally:
        stop(running, signal.SIGTERM)
    assert call(machine, "user", "disable", "han").returncode == 0
    assert call(machine, "user", "disable", "nobody").returncode == 1


def test_a_command_imports_only_what_it_needs() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-X",
            "importtime",
            "-c",
            "import sys; sys.argv = ['huigong', 'price', '--help']; from api.cli import main; main()",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--check" in told.stdout
    loaded = {line.rpartition("|")[2].strip() for line in told.stderr.splitlines()}
    assert not loaded & {"fastapi", "sqlalchemy", "uvicorn", "jinja2"}
