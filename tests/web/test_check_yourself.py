"""What /record/check-it-yourself tells people to type is typed here, in a folder like that of the program, against a real server."""

import html
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import uvicorn
from sqlalchemy import text

from api.app import create_app
from api.receipts import get_receipt
from market.kit.database import get_engine
from tests.web.ledger import Ledger

ROOT = Path(__file__).parents[2]
OWN = 'exec {python} -c "from api.cli import main; main()" "$@"'


@pytest.fixture
def address(sold: Ledger) -> Iterator[str]:
    """The application as people reach it."""
    server = uvicorn.Server(uvicorn.Config(create_app(), port=0, log_level="error", lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def folder(sold: Ledger, tmp_path: Path) -> Path:
    """The program's folder, with a receipt that its member has downloaded."""
    made = tmp_path / "huigong"
    (made / ".venv/bin").mkdir(parents=True)
    for name in ("Makefile", "docs", "requirements", "pyproject.toml"):
        (made / name).symlink_to(ROOT / name)
    command = made / ".venv/bin/huigong"
    command.write_text("#!/bin/sh\n" + OWN.format(python=sys.executable))
    command.chmod(0o755)
    sold.publish()
    with get_engine().connect() as connection:
        sale, subject = connection.execute(text("SELECT public_id, subject FROM sale ORDER BY id LIMIT 1")).one()
    receipt = get_receipt(sold.settings, subject=subject, public_id=sale).encode()
    (made / f"huigong-receipt-{sale[:8]}.json").write_bytes(receipt)
    return made


def commands_on(page: str) -> list[str]:
    found = re.findall(r'<pre class="command"[^>]*>(?:<code>)?([^<]+)(?:</code>)?</pre>', page)
    return [html.unescape(each) for each in found]


def type_(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_command_on_the_page_works_when_pasted(address: str, folder: Path, sold: Ledger) -> None:
    commands = commands_on(requests.get(f"{address}/record/check-it-yourself", timeout=60).text)
    assert [command.split()[0] for command in commands] == [
        "make", *[".venv/bin/huigong"] * 4, "curl", "curl"
    ]  # fmt: skip
    installed = type_(commands[0].replace("make", "make -n"), folder)  # what it would do: the tests install nothing
    assert installed.returncode == 0, installed.stderr
    assert "pip install" in installed.stdout
    for command in commands[1:]:
        done = type_(command, folder)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    checkpoint = requests.get(f"{address}/record/checkpoint", timeout=60).content
    assert (folder / "seen.checkpoint").read_bytes() == (folder / "kept.checkpoint").read_bytes() == checkpoint
    assert sold.policy.log.text in (folder / "kept.policy").read_text()
    [other] = commands_on(requests.get(f"{address}/record/check", timeout=60).text)
    assert "It holds" in type_(other, folder).stdout


def test_the_commands_see_what_was_rewritten_and_a_receipt_that_was_changed(
    address: str, folder: Path, sold: Ledger
) -> None:
    _, receipt, _, audit, again, *_ = commands_on(requests.get(f"{address}/record/check-it-yourself", timeout=60).text)
    assert type_(audit, folder).returncode == 0
    [file] = folder.glob("huigong-receipt-*.json")
    file.write_bytes(file.read_bytes().replace(b'\\"paid\\":', b'\\"paid\\":1', 1))
    assert type_(receipt, folder).returncode == 1
    with get_engine().begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text("UPDATE entry SET body = set_byte(body, 59, get_byte(body, 59) # 1) WHERE leaf_index = 4")
        )
    done = type_(again, folder)
    assert done.returncode == 1
    assert "hashes: entry 4" in done.stdout
