"""Ed25519 keys of signed notes and their text forms, vkey and skey (C2SP signed-note; skey as golang.org/x/mod/sumdb/note has it)."""

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from market.record.log.errors import MalformedError
from market.record.log.texts import check_name, decode_base64, encode_base64

KEY_SIZE = 32
_SECRET = "PRIVATE+KEY+"  # noqa: S105 - the words a secret key's text begins with


class Kind(IntEnum):
    """What a key signs: the type byte of C2SP signed-note."""

    NOTE = 1
    """The text of a note, with Ed25519."""
    COSIGNATURE = 4
    """The text of a checkpoint with the time of the cosignature, with Ed25519 (C2SP tlog-cosignature)."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under a name. Text form (vkey): `name+key id in hex+base64 of type byte and key`."""

    name: str
    kind: Kind
    public: bytes

    def __post_init__(self) -> None:
        """Refuse a name or a key that no note could carry."""
        check_name(self.name, "vkey", "name")
        if len(self.public) != KEY_SIZE:
            raise MalformedError("vkey", "key", f"an Ed25519 key has {KEY_SIZE} bytes, this has {len(self.public)}")

    @property
    def id(self) -> bytes:
        """The four bytes that name this key in a signature: of SHA-256 over name, newline, type byte and key."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """The vkey."""
        return f"{self.name}+{self.id.hex()}+{encode_base64(bytes([self.kind]) + self.public)}"

    def holds(self, signature: bytes, message: bytes) -> bool:
        """Whether this is the key's Ed25519 signature of the message (RFC 8032)."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SignerKey:
    """A secret key under a name. Text form (skey): `PRIVATE+KEY+name+key id in hex+base64 of type byte and seed`. Never shown in a repr."""

    name: str
    kind: Kind
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a name or a seed that makes no key."""
        check_name(self.name, "skey", "name")
        if len(self.seed) != KEY_SIZE:
            raise MalformedError("skey", "key", f"an Ed25519 seed has {KEY_SIZE} bytes, this has {len(self.seed)}")

    @property
    def verifier(self) -> VerifierKey:
        """The public key that belongs to it."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return VerifierKey(self.name, self.kind, public)

    @property
    def text(self) -> str:
        """The skey: a secret."""
        return f"{_SECRET}{self.name}+{self.verifier.id.hex()}+{encode_base64(bytes([self.kind]) + self.seed)}"

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature of the message: 64 bytes, the same every time (RFC 8032)."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(message)


def parse_vkey(text: str) -> VerifierKey:
    """The key of a vkey; refused where its id is not that of its name and key."""
    name, key_id, kind, key = _parse("vkey", text)
    verifier = VerifierKey(name, kind, key)
    if verifier.id.hex() != key_id:
        raise MalformedError("vkey", "key id", "this is not the id of this name and key")
    return verifier


def parse_skey(text: str) -> SignerKey:
    """The key of an skey; the error never repeats the text."""
    if not text.startswith(_SECRET):
        raise MalformedError("skey", "start", f"a secret key begins with {_SECRET}")
    name, key_id, kind, seed = _parse("skey", text.removeprefix(_SECRET))
    signer = SignerKey(name, kind, seed)
    if signer.verifier.id.hex() != key_id:
        raise MalformedError("skey", "key id", "this is not the id of this name and key")
    return signer


def _parse(part: str, text: str) -> tuple[str, str, Kind, bytes]:
    pieces = text.split("+", maxsplit=2)  # base64 has plus signs too
    if len(pieces) != 3:
        raise MalformedError(part, "", "a key consists of name, key id and key with plus signs between them")
    name, key_id, encoded = pieces
    data = decode_base64(encoded, part, "key")
    if not data or data[0] not in {*Kind}:
        raise MalformedError(part, "key", "only keys of type 1 (notes) and 4 (cosignatures), both Ed25519, are known")
    return name, key_id, Kind(data[0]), data[1:]
