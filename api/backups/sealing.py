"""Sealed files in the age format (age-encryption.org/v1, X25519): any age program opens them with the same key, also without Huigong.

Inside lies one line of JSON, the head, and then the content. age authenticates each 64 KiB by its place and the last one as the last, so a
file that was changed, cut or put together otherwise does not open.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import pyrage

from market.kit.errors import ConflictError, InvalidError
from market.kit.files import sync_folder
from market.record.publishing.keyring import KeyFileError

CHUNK: Final = 1 << 16
MOST_HEAD: Final = 1 << 20
Progress = Callable[[int], None]
"""Told how many bytes have passed so far."""


class RecipientWrongError(InvalidError):
    """What was named is no key to seal for."""

    code = "BACKUP_RECIPIENT"
    zh = "这不是备份公钥（age1…）。用 huigong key backup 文件名 生成一对。"
    en = "This is no public key for backups (age1…). `huigong key backup FILE` makes a pair."


class BackupUnreadableError(ConflictError):
    """The file does not open with this key, or is not as it was written."""

    code = "BACKUP_UNREADABLE"
    zh = "{file} 打不开（{problem}）：密钥不对，或文件被改动、截断。什么都没有恢复。请核对密钥，或换一份备份。"
    en = (
        "{file} does not open ({problem}): it is another key's, or it was changed or cut. Nothing was restored. Check the key, or take "
        "another backup."
    )


class BackupUnwritableError(ConflictError):
    """The place cannot be written to."""

    code = "BACKUP_UNWRITABLE"
    zh = "{file} 写不进去（{problem}）。请换一个有空间、可写的文件夹。"
    en = "{file} cannot be written ({problem}). Choose a folder that exists, with room and leave to write."


class Reader(Protocol):
    """What is sealed is read from it."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, none at the end."""
        ...


def new_identity(path: Path) -> str:
    """Make a key pair: the secret in a new file that only its owner may read, the public key as the answer. Raises KeyFileError."""
    identity = pyrage.x25519.Identity.generate()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(f"{path} exists; a key is never overwritten. Move it away first.") from None
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written ({error.strerror}).") from None
    public = str(identity.to_public())
    with os.fdopen(handle, "w") as file:
        file.write(f"# public key: {public}\n{identity}\n")
        file.flush()
        os.fsync(file.fileno())
    return public


def read_identities(path: Path) -> list[Any]:
    """The secret keys of a file, one a line as age writes them. Raises KeyFileError."""
    try:
        mode, text = path.stat().st_mode, path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path} cannot be read ({error}). It is the file that `huigong key backup` made.") from None
    if mode & 0o077:
        raise KeyFileError(f"{path} may be read by others: run chmod 600 on it.")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        found = [pyrage.x25519.Identity.from_str(line) for line in lines]
    except pyrage.IdentityError:
        found = []
    if not found:
        raise KeyFileError(f"{path} holds no secret key for backups (AGE-SECRET-KEY-…).")
    return found


def read_recipients(texts: Sequence[str]) -> list[Any]:
    """Public keys to seal for. Raises RecipientWrongError."""
    try:
        return [pyrage.x25519.Recipient.from_str(text.strip()) for text in texts]
    except pyrage.RecipientError:
        raise RecipientWrongError(field="recipient", problem="form") from None


@contextmanager
def sealed_file(
    path: Path, recipients: Sequence[Any]
) -> Iterator[Callable[[Mapping[str, Any], Reader, Progress], None]]:
    """Write a sealed file: what is yielded takes head, content and progress. It has its name once the block ends well, whole and on disk.

    An interrupted one stays as `NAME.part`, or not at all. Raises BackupUnwritableError.
    """
    begun = path.with_name(f"{path.name}.part")
    try:
        handle = os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise BackupUnwritableError(file=str(begun), problem=str(error.strerror)) from None
    try:
        with os.fdopen(handle, "wb") as file:

            def seal(head: Mapping[str, Any], content: Reader, progress: Progress) -> None:
                pyrage.encrypt_io(_Headed(head, content, progress), file, recipients)

            yield seal
            file.flush()
            os.fsync(file.fileno())
        begun.replace(path)
    except (OSError, pyrage.EncryptError) as error:
        begun.unlink(missing_ok=True)
        raise BackupUnwritableError(file=str(begun), problem=str(error)) from None
    except BaseException:
        begun.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def check_file(path: Path, identities: Sequence[Any], progress: Progress) -> dict[str, Any]:
    """Open a file to its very end, keep nothing of it, and answer its head. Raises BackupUnreadableError."""
    return open_file(path, identities, None, progress)


def open_file(path: Path, identities: Sequence[Any], content: BinaryIO | None, progress: Progress) -> dict[str, Any]:
    """Write the content of a sealed file to `content` and answer its head. What was written counts only once this returns.

    Raises BackupUnreadableError; OSError where `content` takes no more.
    """
    split = _Split(content, progress)
    try:
        with path.open("rb") as file:
            pyrage.decrypt_io(file, split, list(identities))
        head: dict[str, Any] = json.loads(split.head)
    except (pyrage.DecryptError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            raise  # of whoever takes the content; age's own have no number, those of opening the file name it
        raise BackupUnreadableError(file=str(path), problem=" ".join(str(error).split())[:120]) from None
    return head


class _Headed:
    """The head's line, then the content; counts what passes."""

    def __init__(self, head: Mapping[str, Any], content: Reader, progress: Progress) -> None:
        self._begin = json.dumps(head, sort_keys=True).encode() + b"\n"
        self._content, self._progress, self._passed = content, progress, 0

    def read(self, size: int = -1, /) -> bytes:
        part, self._begin = self._begin[: size if size >= 0 else None], self._begin[size:] if size >= 0 else b""
        if not part:
            part = self._content.read(size)
        self._passed += len(part)
        self._progress(self._passed)
        return part


class _Split:
    """Takes the head's line apart from the content that follows, which it passes on."""

    def __init__(self, content: BinaryIO | None, progress: Progress) -> None:
        self.head, self._is_whole = b"", False
        self._content, self._progress, self._passed = content, progress, 0

    def write(self, data: bytes, /) -> int:
        size = len(data)
        if not self._is_whole:
            line, end, data = bytes(data).partition(b"\n")
            self.head, self._is_whole = self.head + line, bool(end)
            if len(self.head) > MOST_HEAD:
                raise ValueError("this is no backup of Huigong")
        if data and self._content is not None:
            self._content.write(data)
        self._passed += size
        self._progress(self._passed)
        return size

    def flush(self) -> None:
        if self._content is not None:
            self._content.flush()
