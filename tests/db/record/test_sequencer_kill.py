"""The sequencer is killed at any moment, also between tile and checkpoint: no gap, never two roots for one size."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from market.kit.database import transaction
from market.record.log.checkpoints import open_checkpoint
from market.record.log.tiles import list_tiles
from market.record.publishing.served import read_published
from tests.db.record.conftest import Log
from tests.db.record.test_sequencer import leaves_of, merkle

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kills", [pytest.param(20, id="some"), pytest.param(200, id="many", marks=pytest.mark.prove)])
def test_killed_at_any_moment(log: Log, database: Engine, kills: int) -> None:
    for _ in range(60 * kills):
        log.write()
    folder = log.shelf.folder.parent
    done = subprocess.run(
        [
            *(sys.executable, str(Path(__file__).with_name("killed.py"))),
            *(database.url.render_as_string(hide_password=False), str(folder), "20261201", str(kills)),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["killed"] == kills
    assert len(told["seen"]) >= kills, "each child signed twice at least before it was killed"
    assert len(log.places()) < 60 * kills + 1, "the kills came too late to show anything"
    log.run()
    leaves = leaves_of(log.bodies())
    assert sorted(log.places().values()) == list(range(60 * kills + 1))
    for note in told["seen"]:
        signed = open_checkpoint(note.encode(), key=log.policy.log, origin=log.policy.origin).checkpoint
        assert signed.root == merkle(leaves[: signed.size]), f"another root for {signed.size} entries"
    assert log.published.checkpoint.root == merkle(leaves)
    with transaction() as tx:
        for tile in list_tiles(0, len(leaves)):
            data = read_published(tx, tile)
            assert data is not None
            if tile.level == 0:
                assert data == b"".join(leaves[tile.index * 256 :][: tile.width])
