"""The files of a public record from where they are served or copied to: a function `path -> bytes | None` for the audit. Reads only.

Everything comes from one place: a redirect is refused, an answer has a largest size and a longest time.
"""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import urllib3

from market.record.log.bundles import MAX_ENTRY
from market.record.log.notes import MAX_BYTES
from market.record.log.tiles import WIDTH, ReadFile, Tile, parse_path
from market.record.log.tree import HASH_SIZE

CONNECT_SECONDS: Final = 10
SILENT_SECONDS: Final = 30
FILE_SECONDS: Final = 120
AHEAD: Final = 4
_CHUNK: Final = 1 << 16
_BUSY: Final = (429, 500, 502, 503, 504)


class UnreadableError(Exception):
    """A file of the record could not be read; the sentence says what to do next."""


@contextmanager
def open_record(where: str) -> Iterator[ReadFile]:
    """The files of the record at an address (http or https) or in a folder. Raises UnreadableError, also while they are read."""
    if urlsplit(where).scheme in {"http", "https"}:
        with urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=SILENT_SECONDS),
            retries=urllib3.Retry(3, redirect=False, status_forcelist=_BUSY, backoff_factor=0.5),
            headers={"User-Agent": "huigong-audit", "Accept-Encoding": "identity"},
            maxsize=1 + AHEAD,
        ) as pool:
            ahead = _ReadAhead(_read_served(pool, where.rstrip("/")))
            try:
                yield ahead.read
            finally:
                ahead.stop()
    elif Path(where).is_dir():
        yield _read_copied(Path(where))
    else:
        raise UnreadableError(
            f"{where} is neither an address that begins with http:// or https:// nor a folder; "
            "give the record's address, such as https://card.example.org/record."
        )


def largest_size(path: str) -> int:
    """How many bytes a file of this path has at most."""
    if path.startswith("tile/entries/"):
        return WIDTH * (2 + MAX_ENTRY)
    if path.startswith("tile/"):
        return WIDTH * HASH_SIZE
    return MAX_BYTES if path == "checkpoint" else MAX_ENTRY


class _ReadAhead:
    """Fetches the next full tiles and bundles while the audit is busy with one, so that it does not wait for each way there and back."""

    def __init__(self, read: ReadFile) -> None:
        self._read = read
        self._threads = ThreadPoolExecutor(AHEAD)
        self._coming: dict[str, Future[bytes | None]] = {}

    def read(self, path: str) -> bytes | None:
        """The file of this path, which may have come already."""
        coming = self._coming.pop(path, None)
        if path.startswith(("tile/0/", "tile/entries/")):
            tile = parse_path(path)
            nearest = range(tile.index + 1, tile.index + 1 + AHEAD) if tile.width == WIDTH else ()
            for following in (Tile(tile.level, index).path for index in nearest):
                if (
                    following not in self._coming
                ):  # beyond the last full one there is nothing: None comes, and nobody asks
                    self._coming[following] = self._threads.submit(self._read, following)
        return self._read(path) if coming is None else coming.result()

    def stop(self) -> None:
        """Fetch no more."""
        self._threads.shutdown(cancel_futures=True)


def _read_copied(folder: Path) -> ReadFile:
    def read(path: str) -> bytes | None:
        try:
            with (folder / path).open("rb") as file:
                return _check_size(file.read(largest_size(path) + 1), folder / path, path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise UnreadableError(f"{folder / path} could not be read: {error.strerror}. Make it readable.") from None

    return read


def _read_served(pool: urllib3.PoolManager, base: str) -> ReadFile:
    def read(path: str) -> bytes | None:
        url = f"{base}/{path}"
        try:
            answer = pool.request("GET", url, redirect=False, preload_content=False, decode_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise UnreadableError(
                f"{url} could not be read: {_reason(error)}. Check the address, or try again."
            ) from None
        try:
            if answer.status == 200:
                return _check_size(_read_answer(answer, url, largest_size(path) + 1), url, path)
        except urllib3.exceptions.HTTPError as error:
            raise UnreadableError(f"{url} broke off: {_reason(error)}. Try again.") from None
        finally:
            answer.release_conn()
        if answer.status in {404, 410}:
            return None
        if 300 <= answer.status < 400:
            target = " ".join(answer.headers.get("Location", "another place").split())[:200]
            raise UnreadableError(f"{url} leads on to {target}, which is not followed. Give the final address.")
        raise UnreadableError(f"{url} answers with status {answer.status}. Check the address, or try again later.")

    return read


def _read_answer(answer: urllib3.BaseHTTPResponse, url: str, most: int) -> bytes:
    """Up to `most` bytes, within the time a file may take."""
    until, data = time.monotonic() + FILE_SECONDS, bytearray()
    while len(data) < most:
        chunk = answer.read1(min(_CHUNK, most - len(data)), decode_content=False)
        if not chunk:
            return bytes(data)
        data += chunk
        if time.monotonic() > until:
            raise UnreadableError(f"{url} takes more than {FILE_SECONDS} seconds. Try again later.")
    answer.close()  # there is more, which nobody wants to read
    return bytes(data)


def _check_size(data: bytes, where: object, path: str) -> bytes:
    if len(data) > largest_size(path):
        raise UnreadableError(
            f"{where} has more than the {largest_size(path):,} bytes that such a file may have. "
            "Check that this is the address of a public record."
        )
    return data


def _reason(error: Exception) -> str:
    """What went wrong, without the layers around it."""
    while isinstance(inner := getattr(error, "reason", None) or (error.args or (None,))[-1], Exception):
        error = inner
    return " ".join(str(error).split(": ")[-1].split())[:200]
