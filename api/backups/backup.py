"""Backing up: one state of the database in one sealed file, then the keys of persons in another, which replaces the one before."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from api.backups.dump import dump_database, read_keys, take_snapshot
from api.backups.sealing import Progress, sealed_file
from api.erasing import sync_list
from cards.erasing import count_erased
from market.kit.database import get_engine
from market.kit.settings import Settings
from market.record.publishing.served import find_policy, published_size

FORMAT: Final = "huigong-backup/1"
Step = Callable[[str], Progress]
"""Called with the name of a step; answers who is told how many bytes of it have passed."""


def back_up(
    settings: Settings, *, url: str, to: Path, keys_to: Path, recipients: Sequence[Any], step: Step, at: datetime
) -> dict[str, Any]:
    """Write both files, sealed for these recipients, and answer the head of the first. Each has its name only when it is whole.

    The keys are read after the rest: a person who joined in between has a key too many, nobody one too few.
    Raises BackupUnwritableError, DumpFailedError, ErasedListError.
    """
    sync_list(settings)
    with take_snapshot(get_engine()) as snapshot:
        with Session(snapshot.connection) as tx:
            policy, size, erased = find_policy(tx), published_size(tx), count_erased(tx)
        head = {
            "format": FORMAT,
            "part": "database",
            "at": at.isoformat(),
            "migration": snapshot.migration,
            "origin": None if policy is None else policy.origin,
            "published": size,
            "erased": erased,
            "counts": dict(snapshot.counts),
        }
        with sealed_file(to, recipients) as seal, dump_database(url, snapshot) as content:
            seal(head, content, step("database"))
    keys_head = {"format": FORMAT, "part": "keys", "at": at.isoformat()}
    with sealed_file(keys_to, recipients) as seal:
        seal(keys_head, read_keys(get_engine()), step("keys"))
    return head
