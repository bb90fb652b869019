"""The second memory of the log: the checkpoint signed last, in a file beside the database, so that a restored database cannot fork it."""

from pathlib import Path
from typing import Final

from market.kit.files import whole_file

NAME: Final = "checkpoint"


class Shelf:
    """A folder of the sequencer's own. Its file is replaced as a whole or not at all, and is on disk when `keep` returns."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when something is first kept."""
        self.folder = folder

    def read(self) -> bytes | None:
        """The checkpoint signed last, or None if none was."""
        try:
            return (self.folder / NAME).read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, note: bytes) -> None:
        """Remember this checkpoint as the last one."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole_file(self.folder / NAME) as file:
            file.write(note)
