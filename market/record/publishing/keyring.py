"""The secret keys of the record, each in a file of its own that only its owner may read."""

import os
import secrets
from pathlib import Path
from typing import Final

from market.record.log.errors import MalformedError
from market.record.log.keys import KEY_SIZE, Kind, SignerKey, VerifierKey, parse_skey

MODE: Final = 0o600


class KeyFileError(Exception):
    """A key's file is missing, damaged or open to others; the sentence says what to do next."""


def new_key(name: str, kind: Kind = Kind.NOTE) -> SignerKey:
    """A new secret key under a name."""
    return SignerKey(name, kind, secrets.token_bytes(KEY_SIZE))


def write_key(path: Path, key: SignerKey) -> None:
    """Keep a secret key; a file that exists is never overwritten (KeyFileError)."""
    write_secret(path, key.text)


def write_secret(path: Path, text: str) -> None:
    """Keep the one line of a secret where only its owner may read it; a file that exists is never overwritten (KeyFileError)."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    except FileExistsError:
        raise KeyFileError(f"{path} exists; a key is never overwritten. Move it away first.") from None
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_key(path: Path) -> SignerKey:
    """The key of a file. Raises KeyFileError where it is missing, others may read it, or it holds no key."""
    made_by = "It is made by `huigong key new`; a lost one is replaced by `huigong key rotate`."
    try:
        return parse_skey(read_secret(path, made_by=made_by))
    except MalformedError as error:
        raise KeyFileError(f"{path} holds no key ({error}). {made_by}") from None


def key_path(folder: Path, use: str, key: VerifierKey) -> Path:
    """The file of a secret key: `log-1a2b3c4d.skey`."""
    return folder / f"{use}-{key.id.hex()}.skey"


def list_kept_keys(folder: Path, use: str) -> list[VerifierKey]:
    """The verifier keys of the secret keys for this use that lie in a folder. Raises KeyFileError as `read_key` does."""
    return [read_key(path).verifier for path in sorted(folder.glob(f"{use}-*.skey"))]


def read_secret(path: Path, *, made_by: str) -> str:
    """The one line of a secret's file. Raises KeyFileError where it is missing (`made_by` says what to do then) or others may read it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise KeyFileError(f"{path} cannot be read ({reason}). {made_by}") from None
    if mode & 0o077:
        raise KeyFileError(f"{path} may be read by others: run chmod 600 on it.")
    return text.removesuffix("\n")
