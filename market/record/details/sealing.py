"""A stream sealed to one public key, in chunks: X25519 with a key made for this file alone, HKDF-SHA256, ChaCha20-Poly1305.

Each chunk is authenticated with its number and with whether it is the last (the STREAM construction of Hoang, Reyhanitabar, Rogaway
and Vizár, 2015): what is changed, swapped, repeated, left out or cut off does not open. Neither side holds more than a chunk.
"""

from collections.abc import Iterable, Iterator
from typing import IO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from market.record.details.keys import KEY_SIZE, AuditorKey, AuditorSecret

MAGIC: Final = b"huigong-sealed/1\n"
CHUNK: Final = 1 << 16
TAG: Final = 16
HEAD: Final = len(MAGIC) + 2 * KEY_SIZE
_INFO: Final = b"huigong/v1/details"


class NotSealedError(ValueError):
    """These bytes are no sealed file, or one for another key; the sentence says which."""


class SealBrokenError(ValueError):
    """A chunk does not open: it was changed, or it is not the one that belongs here. `chunk` counts from 1."""

    def __init__(self, chunk: int) -> None:
        """Keep which one."""
        self.chunk = chunk
        super().__init__(f"chunk {chunk} does not open")


def seal(key: AuditorKey, parts: Iterable[bytes]) -> Iterator[bytes]:
    """The sealed file of these bytes, piece by piece: first its head, then every chunk."""
    own = X25519PrivateKey.generate()
    head = MAGIC + key.public + own.public_key().public_bytes_raw()
    cipher = _cipher(own.exchange(X25519PublicKey.from_public_bytes(key.public)), head)
    yield head
    number, waiting = 0, bytearray()
    for part in parts:
        waiting += part
        while len(waiting) > CHUNK:
            yield cipher.encrypt(_nonce(number, is_last=False), bytes(waiting[:CHUNK]), head)
            number += 1
            del waiting[:CHUNK]
    yield cipher.encrypt(_nonce(number, is_last=True), bytes(waiting), head)


def unseal(secret: AuditorSecret, file: IO[bytes]) -> Iterator[bytes]:
    """What was sealed, chunk by chunk. Raises NotSealedError before the first, SealBrokenError at the first that does not belong there.

    Until it has ended without an error nothing says that the file is whole.
    """
    head = file.read(HEAD)
    if len(head) != HEAD or not head.startswith(MAGIC):
        raise NotSealedError("it is no sealed file")
    public, own = head[len(MAGIC) : len(MAGIC) + KEY_SIZE], head[len(MAGIC) + KEY_SIZE :]
    if public != secret.key.public:
        raise NotSealedError(f"it is sealed to another key, {AuditorKey(public).id}")
    try:
        shared = X25519PrivateKey.from_private_bytes(secret.secret).exchange(X25519PublicKey.from_public_bytes(own))
    except ValueError:
        raise NotSealedError("its own key is none") from None
    cipher = _cipher(shared, head)
    number, sealed = 0, file.read(CHUNK + TAG)
    while True:
        following = file.read(CHUNK + TAG)
        try:
            yield cipher.decrypt(_nonce(number, is_last=not following), sealed, head)
        except InvalidTag:
            raise SealBrokenError(number + 1) from None
        if not following:
            return
        number, sealed = number + 1, following


def _cipher(shared: bytes, head: bytes) -> ChaCha20Poly1305:
    """Both public keys go into the derivation, so that the file belongs to exactly these two."""
    return ChaCha20Poly1305(HKDF(algorithm=SHA256(), length=32, salt=head, info=_INFO).derive(shared))


def _nonce(number: int, *, is_last: bool) -> bytes:
    """11 bytes of counter and one that marks the end; the key serves this file alone, so no nonce comes twice."""
    return number.to_bytes(11) + bytes([is_last])
