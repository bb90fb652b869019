"""A log over a database of the test's own, with its keys and its shelf in a folder of the test's own."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from api.public_log import log_folder, open_log, run_round
from market.kit.canonical import canonical_json
from market.kit.database import get_engine, transaction
from market.kit.ids import new_public_id
from market.kit.settings import Settings
from market.record.log.checkpoints import SignedCheckpoint, open_checkpoint
from market.record.operations import append_entry
from market.record.policy import Policy
from market.record.publishing.served import find_checkpoint
from market.record.publishing.shelf import Shelf
from tests.db.record.chemist import shop

__all__ = ["shop"]

AT = datetime(2026, 12, 1, 4, 5, 1, tzinfo=UTC)
WINDOW_SECONDS = 5
OPENED = 4  # entries of a log that was just opened: its two keys, its policy, its chart of accounts
LATER = AT + timedelta(minutes=1)


@dataclass
class Log:
    """What the tests do with the log."""

    settings: Settings
    policy: Policy

    def write(self, kind: str = "sale", *, at: datetime = AT, of: str = "") -> str:
        with transaction() as tx:
            public_id = new_public_id()
            body = canonical_json({"v": 1, "type": kind, "id": public_id, "of": of})
            append_entry(tx, kind=kind, public_id=public_id, merchant="m_0001", day=at.date(), body=body, at=at)
        return public_id

    def run(self, at: datetime = LATER) -> SignedCheckpoint | None:
        return run_round(self.settings, at=at)

    @property
    def shelf(self) -> Shelf:
        return Shelf(log_folder(self.settings, self.policy.origin))

    @property
    def published(self) -> SignedCheckpoint:
        with transaction() as tx:
            note = find_checkpoint(tx)
        assert note is not None
        return open_checkpoint(note, key=self.policy.log, origin=self.policy.origin)

    def places(self) -> dict[str, int]:
        """The place of each entry by its public id."""
        with get_engine().connect() as connection:
            rows = connection.execute(text("SELECT public_id, leaf_index FROM entry WHERE leaf_index IS NOT NULL"))
            return {row.public_id: row.leaf_index for row in rows}

    def bodies(self) -> list[bytes]:
        """All entries that have a place, in order."""
        with get_engine().connect() as connection:
            rows = connection.execute(text("SELECT body FROM entry WHERE leaf_index IS NOT NULL ORDER BY leaf_index"))
            return [bytes(row.body) for row in rows]


@pytest.fixture
def log(database: Engine, tmp_path: Path) -> Log:
    """An open log with what opening it says."""
    settings = Settings(record_folder=tmp_path)
    return Log(settings, open_log(settings, origin="test.example/log", window_seconds=WINDOW_SECONDS, at=AT))
