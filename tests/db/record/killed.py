"""Publish in child processes that are killed at any moment. Run by test_sequencer_kill.py: `python killed.py URL FOLDER SEED KILLS`.

Each child makes a batch, places and signs again and again, a few entries a round; prints, as JSON, how many were killed and every
checkpoint that was on the shelf or published after a kill.
"""

import json
import os
import random
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

from api.public_log import log_folder, read_log_key
from market.kit.database import connect, disconnect, transaction
from market.kit.settings import Settings
from market.record.publishing.batching import make_batches
from market.record.publishing.sequencer import place_entries, sign_log
from market.record.publishing.served import find_newest_checkpoint, find_policy
from market.record.publishing.shelf import Shelf
from tests.db.record.conftest import LATER


def publish(url: str, settings: Settings, told: int) -> None:
    """Rounds of at most seven entries, each told by a byte, until killed."""
    connect(url, pool_size=1)
    with transaction() as tx:
        policy = find_policy(tx)
    assert policy is not None
    key, shelf = read_log_key(settings, policy), Shelf(log_folder(settings, policy.origin))
    while True:
        at = LATER + timedelta(days=1)
        with transaction() as tx:
            make_batches(tx, policy=policy, at=at, most=1)
        with transaction() as tx:
            place_entries(tx, policy=policy, at=at, most=7)
        with transaction() as tx:
            sign_log(tx, policy=policy, key=key, shelf=shelf, at=at)
        os.write(told, b".")


def main(url: str, folder: Path, seed: int, kills: int) -> dict[str, object]:
    chance, killed, seen = random.Random(seed), 0, set()
    settings = Settings(record_folder=folder)
    for _ in range(kills):
        heard, told = os.pipe()
        child = os.fork()
        if not child:
            publish(url, settings, told)
        os.read(heard, 1)
        begun = time.monotonic()
        os.read(heard, 1)
        time.sleep(chance.random() * (time.monotonic() - begun))  # somewhere in the third round
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        os.close(heard)
        os.close(told)
        killed += os.WIFSIGNALED(status)
        connect(url, pool_size=1)
        with transaction() as tx:
            policy, published = find_policy(tx), find_newest_checkpoint(tx)
        disconnect()
        assert policy is not None
        kept = Shelf(log_folder(settings, policy.origin)).read()
        seen |= {note.decode() for note in (published, kept) if note is not None}
    return {"killed": killed, "seen": sorted(seen)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
