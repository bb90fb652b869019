"""The erasure list: the opaque ids of all who were erased, in a file beside the keys of the public record and outside the database.

It only grows. A backup that is older than an erasure is restored with the person in it: the restore reads this list and erases him again.
It holds nothing but ids that mean nothing without that backup.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from api.id_list import add_ids, read_ids
from api.public_log import record_home
from market.kit.errors import ConflictError
from market.kit.settings import Settings

NAME: Final = "erased"
_ID_LENGTH: Final = 36


class ErasedListError(ConflictError):
    """Without the list a restored backup would bring back who was erased: so nobody is erased without it."""

    code = "ERASED_LIST"
    zh = "写不进删除名单 {path}（{problem}）。没有它，恢复备份会把人带回来，所以这次没有删除。请运维检查这个文件夹。"
    en = (
        "The erasure list {path} cannot be used ({problem}). Without it a restored backup would bring the person back, so nobody was "
        "deleted. Ask the operator to look after that folder."
    )


def list_path(settings: Settings) -> Path:
    """Where the list lies."""
    return record_home(settings) / NAME


def read_erased(settings: Settings) -> list[UUID]:
    """All ids of the list, once each; none where nobody was ever erased. Raises ErasedListError where it cannot be read."""
    path = list_path(settings)
    try:
        return [UUID(line) for line in read_ids(path, length=_ID_LENGTH)]
    except (OSError, ValueError) as error:
        raise ErasedListError(path=str(path), problem=str(error)) from None


def keep_erased(settings: Settings, subjects: Sequence[UUID]) -> int:
    """Add those of these ids that are missing, and be sure they are on disk. How many were missing. Raises ErasedListError."""
    path = list_path(settings)
    read_erased(settings)  # what is there is a list of such ids
    try:
        return add_ids(path, [str(subject) for subject in subjects], length=_ID_LENGTH)
    except (OSError, ValueError) as error:
        raise ErasedListError(path=str(path), problem=getattr(error, "strerror", None) or str(error)) from None
