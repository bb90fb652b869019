"""Files that are there as a whole or not at all, and on disk when they are said to be."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that has its name, and is on disk, once the block has ended well; otherwise what stood there stays. Raises OSError."""
    begun = path.with_name(f"{path.name}.begun")
    try:
        with begun.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        begun.replace(path)
    finally:
        begun.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Be sure that the names in a folder are on disk: a file that was renamed or made is found after a crash."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
