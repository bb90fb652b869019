"""Keys of this room, all derived from the master key, which stays outside the database. None is ever stored or logged.

Sealed values are `key id (1 byte) ‖ nonce (12 bytes) ‖ AES-256-GCM ciphertext and tag`, bound to the row they belong
to, so that a value copied to another row does not open.
"""

import hashlib
import hmac
import os
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from market.kit.errors import invariant, unreachable
from market.kit.settings import get_settings

KEY_ID = 1  # names the master key a value was sealed with; a rotation adds the next one
NONCE_BYTES = 12
PERSON_KEY_BYTES = 32

NATIONAL_ID = b"huigong/v1/national-id/seal"
FINGERPRINT = b"huigong/v1/national-id/fingerprint"
PERSON_KEY = b"huigong/v1/person-key/wrap"
CARD = b"huigong/v1/card"


def seal_national_id(national_id: str, *, member_id: UUID) -> bytes:
    """Encrypt a national id for the row of this member."""
    return _seal(national_id.encode("ascii"), label=NATIONAL_ID, row=member_id)


def open_national_id(sealed: bytes, *, member_id: UUID) -> str:
    """The national id sealed for this member; a value of another row or another master key is an InvariantError."""
    return _open(sealed, label=NATIONAL_ID, row=member_id).decode("ascii")


def fingerprint_national_id(national_id: str) -> bytes:
    """32 bytes that are equal for equal ids and, without the master key, say nothing about them."""
    return hmac.digest(_derive(FINGERPRINT), national_id.encode("ascii"), "sha256")


def new_person_key() -> bytes:
    """A fresh commitment key: random, derived from nothing, so that deleting it is final."""
    return os.urandom(PERSON_KEY_BYTES)


def wrap_person_key(key: bytes, *, subject: UUID) -> bytes:
    """Encrypt a person's commitment key for the vault."""
    return _seal(key, label=PERSON_KEY, row=subject)


def unwrap_person_key(wrapped: bytes, *, subject: UUID) -> bytes:
    """The commitment key of this person; a value of another person or another master key is an InvariantError."""
    return _open(wrapped, label=PERSON_KEY, row=subject)


def derive_card_key(*, card_id: UUID, generation: int, device: str, week: str) -> bytes:
    """The key under which one device shows one card in one ISO week (`2026-W48`)."""
    return _derive(
        b"\0".join((CARD, card_id.bytes.hex().encode(), str(generation).encode(), device.encode(), week.encode()))
    )


def _derive(info: bytes) -> bytes:
    return _hkdf(get_settings().master_key.get_secret_value(), info)


@lru_cache(maxsize=4096)
def _hkdf(master: str, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=hashlib.sha256(b"huigong").digest(), info=info).derive(
        master.encode()
    )


def _seal(plain: bytes, *, label: bytes, row: UUID) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return bytes([KEY_ID]) + nonce + AESGCM(_derive(label)).encrypt(nonce, plain, _bound_to(label, row))


def _open(sealed: bytes, *, label: bytes, row: UUID) -> bytes:
    invariant(sealed[:1] == bytes([KEY_ID]), "the value was sealed with a master key this installation does not have")
    nonce, cipher = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return AESGCM(_derive(label)).decrypt(nonce, cipher, _bound_to(label, row))
    except InvalidTag:
        unreachable(
            "a sealed value does not open: the master key is not the one it was sealed with, or the row was altered"
        )


def _bound_to(label: bytes, row: UUID) -> bytes:
    return bytes([KEY_ID]) + label + row.bytes
