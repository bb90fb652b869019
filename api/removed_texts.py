"""Removing the text beside an entry so that it stays removed: its entry's public id goes into a file outside the database first.

A backup that is older than the removal is restored with the text in it: the restore reads this list and removes it again.
"""

from datetime import datetime
from pathlib import Path
from typing import Final

from api.id_list import add_ids, read_ids
from api.public_log import record_home
from market.kit.database import transaction
from market.kit.errors import ConflictError
from market.kit.settings import Settings
from market.record.texts import find_texts, list_removed, remove_text

NAME: Final = "removed-texts"
_ID_LENGTH: Final = 32


class RemovedListError(ConflictError):
    """Without the list a restored backup would bring back what was removed: so nothing is removed without it."""

    code = "REMOVED_LIST"
    zh = "移除名单 {path} 用不了（{problem}）。没有它，恢复备份会把文字带回来，所以这次没有移除。请运维检查这个文件夹。"
    en = (
        "The list of removed texts {path} cannot be used ({problem}). Without it a restored backup would bring the text back, so nothing "
        "was removed. Look after that folder."
    )


def list_path(settings: Settings) -> Path:
    """Where the list lies."""
    return record_home(settings) / NAME


def remove_for_good(settings: Settings, *, public_id: str, removed_by: str, at: datetime) -> None:
    """Remove the text beside an entry. Raises what `remove_text` raises, and RemovedListError."""
    with transaction() as tx:
        remove_text(tx, public_id=public_id, removed_by=removed_by, at=at)
        try:
            add_ids(list_path(settings), [public_id], length=_ID_LENGTH)
        except (OSError, ValueError) as error:
            raise RemovedListError(path=str(list_path(settings)), problem=str(error)) from None


def remove_again(settings: Settings, *, at: datetime) -> int:
    """After a restore: what stands on the list is removed again. How many texts were. Raises RemovedListError."""
    listed = _read(settings)
    with transaction() as tx:
        back = [one for one in find_texts(tx, public_ids=listed).values() if one.removed_at is None]
        for one in back:
            remove_text(tx, public_id=one.public_id, removed_by="restore", at=at)
    return len(back)


def count_unlisted(settings: Settings) -> int:
    """How many removed texts the list does not know: it was lost. Raises RemovedListError."""
    with transaction() as tx:
        return len(set(list_removed(tx)) - set(_read(settings)))


def _read(settings: Settings) -> list[str]:
    try:
        return read_ids(list_path(settings), length=_ID_LENGTH)
    except (OSError, ValueError) as error:
        raise RemovedListError(path=str(list_path(settings)), problem=str(error)) from None
