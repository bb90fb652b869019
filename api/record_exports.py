"""An export of the record as one ZIP: the data, the checkpoint it was made from, what was asked, and the SHA-256 of all of them.

Written while it is sent, so it has no size limit, needs no place on disk and can simply be asked for again. The sums come last, in the
form that `sha256sum -c` reads; a download that broke off has none and is no ZIP.
"""

import base64
import dataclasses
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO, Any, Final, cast

from api.export_files import FORMS, Form
from market.kit.database import transaction
from market.kit.errors import ConflictError
from market.kit.files import whole_file
from market.oversight.entry_search import Found, Wanted, list_indexed
from market.oversight.published import covering_checkpoint
from market.record.log.checkpoints import parse_checkpoint
from market.record.log.notes import parse_note

ROWS_PER_READ: Final = 1_000
SUMS: Final = "SHA256SUMS"


class NothingPublishedError(ConflictError):
    """No checkpoint has been signed that an export could name."""

    code = "NOTHING_PUBLISHED"
    zh = "还没有签过检查点，导出要写明依据哪一个。账本开启、第一个窗口关闭之后再来。"
    en = (
        "No checkpoint has been signed yet, and an export names the one it was made from. "
        "Come back after the log is open and its first window has closed."
    )


@dataclass(slots=True)
class Export:
    """What is exported: the entries that this checkpoint covers and the filter lets through. `entries` counts them as they go out."""

    form: Form
    wanted: Wanted
    note: bytes
    entries: int = 0
    sums: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many entries the checkpoint covers."""
        return parse_checkpoint(parse_note(self.note).text).size

    @property
    def name(self) -> str:
        """What the file is called, by its form and the size of the log."""
        return f"huigong-{self.form}-{self.size}.zip"

    def describe(self) -> dict[str, Any]:
        """What it was made from and what was asked."""
        checkpoint = parse_checkpoint(parse_note(self.note).text)
        asked = {
            "type" if name == "kind" else name: value.isoformat() if isinstance(value, date) else value
            for name, value in dataclasses.asdict(self.wanted).items()
            if value is not None and name != "of"
        }
        if "least_fen" in asked or "most_fen" in asked:
            asked["amount"] = self.wanted.of
        return {
            "format": "huigong-export/1",
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": base64.b64encode(checkpoint.root).decode(),
            "filter": asked,
        }


def begin_export(form: Form, wanted: Wanted) -> Export:
    """An export from the newest checkpoint. Raises NothingPublishedError while there is none."""
    with transaction() as tx:
        note = covering_checkpoint(tx)
    if note is None:
        raise NothingPublishedError
    return Export(form, wanted, note)


def pack_export(export: Export) -> Iterator[bytes]:
    """The bytes of the ZIP, as they come."""
    form, out = FORMS[export.form], _Outbox()
    said = export.describe()
    about = {name: value if isinstance(value, str) else json.dumps(value) for name, value in said.items()}
    with zipfile.ZipFile(cast("IO[bytes]", out), "w", zipfile.ZIP_DEFLATED) as archive:
        _store(archive, export, "checkpoint", export.note)
        yield out.take()
        info = zipfile.ZipInfo(form.name)
        info.compress_type = zipfile.ZIP_STORED if form.is_packed else zipfile.ZIP_DEFLATED
        with archive.open(info, "w", force_zip64=True) as member:
            file = _Summed(member)
            for _ in form.write(cast("IO[bytes]", file), _read(export), about):
                yield out.take()
            export.sums[form.name] = file.sum.hexdigest()
        document = json.dumps(said | {"entries": export.entries}, ensure_ascii=False, indent=1) + "\n"
        _store(archive, export, "export.json", document.encode())
        lines = "".join(f"{digest}  {name}\n" for name, digest in export.sums.items())
        archive.writestr(zipfile.ZipInfo(SUMS), lines.encode())
    yield out.take()


def write_export(export: Export, to: Path, *, progress: Callable[[int], None]) -> None:
    """Write the ZIP to a file, which is there as a whole or not at all; `progress` is called with the number of entries so far."""
    with whole_file(to) as file:
        for part in pack_export(export):
            file.write(part)
            progress(export.entries)


def _read(export: Export) -> Iterator[Sequence[Found]]:
    """The entries in the order of the log, so many at a time, each read in a short transaction of its own.

    Entries below the checkpoint's size never change, and states are those of that size: the reads fit each other as one snapshot would.
    """
    since, size, export.entries = 0, export.size, 0
    while True:
        with transaction() as tx:
            rows = list_indexed(tx, wanted=export.wanted, size=size, since=since, limit=ROWS_PER_READ)
        export.entries += len(rows)
        yield rows
        if len(rows) < ROWS_PER_READ:
            return
        since = cast("int", rows[-1].leaf_index) + 1


def _store(archive: zipfile.ZipFile, export: Export, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name), data)
    export.sums[name] = hashlib.sha256(data).hexdigest()


class _Outbox:
    """A file that can only be written; what was written is taken out and sent."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        """What was written since the last time."""
        whole = b"".join(self._parts)
        self._parts.clear()
        return whole


class _Summed:
    """A file that can only be written, with the SHA-256 of what was."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self.sum, self._file, self._length = hashlib.sha256(), file, 0

    def write(self, data: bytes) -> int:
        self.sum.update(data)
        self._file.write(data)
        self._length += len(data)
        return len(data)

    def tell(self) -> int:
        """How much was written."""
        return self._length

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """It is closed with the archive."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False
