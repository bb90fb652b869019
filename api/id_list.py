"""A list of ids in a file outside the database, which only grows: what must be done again after an older backup was restored."""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from market.kit.files import sync_folder


def read_ids(path: Path, *, length: int) -> list[str]:
    """All ids of the list, which have this length, once each; none where there is no list. Raises OSError, ValueError.

    A line that a crash cut short is passed over.
    """
    try:
        lines = path.read_bytes().decode().splitlines()
    except FileNotFoundError:
        return []
    return list(dict.fromkeys(line for line in lines if len(line) == length))


def add_ids(path: Path, ids: Sequence[str], *, length: int) -> int:
    """Add those of these ids that are missing, and be sure they are on disk. How many were missing. Raises OSError, ValueError.

    A line that a crash cut short is closed.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        known = set(read_ids(path, length=length))
        missing = [one for one in dict.fromkeys(ids) if one not in known]
        if missing:
            written = path.read_bytes()
            cut = b"\n" if written and not written.endswith(b"\n") else b""
            file.write(cut + b"".join(f"{one}\n".encode() for one in missing))
            file.flush()
            os.fsync(file.fileno())
    sync_folder(path.parent)
    return len(missing)
