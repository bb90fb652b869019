"""The sequencer is killed at any moment, also between tile and checkpoint: no gap, never two roots for one size, each purchase in one batch."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from market.kit.database import transaction
from market.record.log.checkpoints import open_checkpoint
from market.record.log.tiles import list_tiles
from market.record.publishing.served import read_published
from tests.db.record.conftest import AT, OPENED, Log
from tests.db.record.test_sequencer import leaves_of, merkle

WAITING = text(
    "INSERT INTO entry (id, public_id, type, merchant, day, body, created_at, is_batched)"
    " SELECT gen_random_uuid(), md5(n::text), 'sale', 'm_' || n / 5, '2026-12-01',"
    " convert_to(jsonb_build_object('list', 9, 'concession', 0, 'subsidy', 0, 'paid', 9, 'rebate_member', 0, 'rebate_union', 0,"
    " 'offers', '[]'::jsonb, 'transfers', '[]'::jsonb, 'id', n)::text, 'UTF8'), :at, true FROM generate_series(0, :count - 1) AS n"
)
BATCHES = text(
    "SELECT b.body, array_agg(e.body ORDER BY e.batch_index) AS members FROM entry b JOIN entry e ON e.batch_id = b.id"
    " WHERE b.type = 'batch' GROUP BY b.id"
)
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kills", [pytest.param(20, id="some"), pytest.param(200, id="many", marks=pytest.mark.prove)])
def test_killed_at_any_moment(log: Log, database: Engine, kills: int) -> None:
    for _ in range(60 * kills):
        log.write()
    with database.begin() as connection:  # and purchases for batches of five
        connection.execute(WAITING, {"count": 10 * kills, "at": AT})
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
    assert len(log.places()) < 60 * kills + OPENED, "the kills came too late to show anything"
    log.run()
    leaves = leaves_of(log.bodies())
    assert sorted(log.places().values()) == list(range(62 * kills + OPENED))
    with database.connect() as connection:
        batches = connection.execute(BATCHES).all()
    assert len(batches) == 2 * kills
    for batch in batches:
        assert json.loads(batch.body)["root"] == base64.b64encode(merkle(leaves_of(batch.members))).decode()
    assert sum(len(batch.members) for batch in batches) == 10 * kills
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
