"""The log's key is the sequencer's alone: web and worker run under a user who cannot read its folder, and the sequencer needs no other."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from api.identity import init_installation
from api.public_log import key_path, list_outside, open_log, renew_key
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.postgres import Cluster
from market.kit.settings import Settings
from market.record.log.keys import parse_vkey
from market.record.promises import open_promise
from tests.db.record.conftest import Log

ROOT = Path(__file__).parents[3]
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def apart(database: Engine) -> Iterator[Log]:
    """A log whose key lies in a folder of its own, in a place that every user may enter."""
    home = Path(tempfile.mkdtemp(prefix="huigong-apart-"))
    home.chmod(0o755)
    settings = Settings(record_folder=home / "record", log_key_folder=home / "sequencer")
    with transaction() as tx:
        init_installation(tx, kind="demo", at=now())
    yield Log(settings, open_log(settings, origin="test.example/log", window_seconds=1, at=now()))
    for folder in home.iterdir():
        folder.chmod(0o700)
    shutil.rmtree(home)


@pytest.fixture
def run(apart: Log, cluster: Cluster, database_url: str) -> Run:
    """A part in a process of its own: of the user who runs the database where the tests run as root, whom no folder is closed to."""

    def run(*words: str) -> dict[str, Any]:
        own = {"HUIGONG_DATABASE_URL": database_url, "HUIGONG_LOG_FORMAT": "json", "PYTHONPATH": str(ROOT)}
        own |= {name: str(getattr(apart.settings, name.removeprefix("HUIGONG_").lower())) for name in FOLDERS}
        done = subprocess.run(
            [sys.executable, "-B", str(Path(__file__).with_name("apart.py")), cluster.user or "-", *words],
            env={**os.environ, **own},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return run


FOLDERS = ("HUIGONG_RECORD_FOLDER", "HUIGONG_LOG_KEY_FOLDER")


def give(folder: Path, cluster: Cluster) -> None:
    """A folder and what is in it to the user of the processes."""
    if cluster.user:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, cluster.user)


def test_each_key_lies_in_the_folder_of_who_uses_it(apart: Log) -> None:
    renewed = renew_key(apart.settings, which="promise", at=now())
    renewed = replace(renew_key(apart.settings, which="log", at=now()), promise=renewed.promise)
    home = Path(apart.settings.record_folder).parent
    kept = {path.relative_to(home) for path in home.rglob("*.skey")}
    name = "test.example_log"
    assert kept == {
        *(key_path(Path("record", name), "promise", policy.promise) for policy in (apart.policy, renewed)),
        *(key_path(Path("sequencer", name), "log", policy.log) for policy in (apart.policy, renewed)),
    }
    assert [line.partition(": ") for line in list_outside(apart.settings)] == [
        (str(apart.settings.record_folder), ": ", "the promise key, the erasure list"),
        (str(apart.settings.log_key_folder), ": ", "the log's key, what was signed last"),
    ]


def test_web_and_worker_never_open_the_sequencer_s_folder_and_could_not(apart: Log, run: Run, cluster: Cluster) -> None:
    public_id = apart.write(at=now())
    apart.run()
    give(apart.settings.record_folder, cluster)
    apart.settings.log_key_folder.chmod(0)
    served = run("serve", public_id)
    assert served["statuses"] == [200] * 4
    open_promise(served["promise"].encode(), key=apart.policy.promise, origin=apart.policy.origin)
    assert served["opened"] == []
    assert "Permission denied" in served["stolen"]


def test_the_sequencer_needs_no_folder_but_its_own(apart: Log, run: Run, cluster: Cluster) -> None:
    apart.run()
    give(apart.settings.log_key_folder, cluster)
    apart.settings.record_folder.chmod(0)
    done = run("sequence")
    assert done["log"] != apart.policy.log.text
    assert done["signed"] > 0
    opened = {Path(path).name for path in done["opened"]}
    assert {key_path(Path(), "log", parse_vkey(done["log"])).name, "checkpoint"} <= opened
