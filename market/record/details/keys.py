"""An auditor's own key pair (X25519, RFC 7748): what is sealed to the public key only the holder of the secret one reads.

As texts: `huigong-auditor+<id>+<base64>` and `huigong-auditor-secret+<base64>`; the id is the first 8 hex digits of SHA-256 over the
32 bytes of the public key, so that one that was copied in part is refused and two people can compare it aloud.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

PREFIX: Final = "huigong-auditor"
SECRET_PREFIX: Final = "huigong-auditor-secret"  # noqa: S105  how a secret begins, not one
KEY_SIZE: Final = 32


class AuditorKeyError(ValueError):
    """This text is no key of an auditor; the sentence says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class AuditorKey:
    """A public key, as the 32 bytes of RFC 7748."""

    public: bytes

    @property
    def id(self) -> str:
        """The 8 hex digits that two people compare."""
        return hashlib.sha256(self.public).hexdigest()[:8]

    @property
    def text(self) -> str:
        """The key as it is handed on."""
        return f"{PREFIX}+{self.id}+{base64.b64encode(self.public).decode()}"


@dataclass(frozen=True, slots=True)
class AuditorSecret:
    """A secret key, which never leaves the auditor's machine."""

    secret: bytes

    @property
    def key(self) -> AuditorKey:
        """The public key that belongs to it."""
        return AuditorKey(X25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw())

    @property
    def text(self) -> str:
        """The secret as it stands in its file."""
        return f"{SECRET_PREFIX}+{base64.b64encode(self.secret).decode()}"


def parse_auditor_key(text: str) -> AuditorKey:
    """The key that a text spells. Raises AuditorKeyError, also for a key to which anything sealed could be opened by anybody."""
    prefix, _, rest = text.strip().partition("+")
    id_, _, encoded = rest.partition("+")
    if prefix == SECRET_PREFIX:
        raise AuditorKeyError("this is the secret key, which nobody else must have")
    if prefix != PREFIX:
        raise AuditorKeyError(f"it begins with {PREFIX}+")
    key = AuditorKey(_decode(encoded))
    if key.id != id_:
        raise AuditorKeyError("it was not copied as it is: its id is another one")
    try:
        # A point of small order shares the same secret with everybody (RFC 7748, 6.1).
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(key.public))
    except ValueError:
        raise AuditorKeyError("whatever is sealed to it anybody could open") from None
    return key


def parse_auditor_secret(text: str) -> AuditorSecret:
    """The secret key that a text spells. Raises AuditorKeyError."""
    prefix, _, encoded = text.strip().partition("+")
    if prefix != SECRET_PREFIX:
        raise AuditorKeyError(f"it begins with {SECRET_PREFIX}+")
    return AuditorSecret(_decode(encoded))


def _decode(encoded: str) -> bytes:
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise AuditorKeyError("its last part is no base64") from None
    if len(data) != KEY_SIZE or base64.b64encode(data).decode() != encoded:
        raise AuditorKeyError(f"its last part is not that of {KEY_SIZE} bytes")
    return data
