"""The second memory of the log: the checkpoint signed last, in a file beside the database, so that a restored database cannot fork it."""

from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from market.kit.files import whole_file

NAME: Final = "checkpoint"
SHOWN: Final = "shown-by-"


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

    def list_shown(self) -> list[tuple[str, bytes]]:
        """Checkpoints of this log that others showed and the database did not continue, each with who showed it."""
        paths = sorted(self.folder.glob(f"{SHOWN}*.note"))
        return [(unquote(path.stem.removeprefix(SHOWN)), path.read_bytes()) for path in paths]

    def keep_shown(self, note: bytes, *, by: str) -> None:
        """Remember what somebody showed, by his address: the newest from each."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole_file(self.folder / f"{SHOWN}{quote(by, safe='')}.note") as file:
            file.write(note)
