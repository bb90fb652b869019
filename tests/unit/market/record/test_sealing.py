"""A sealed file opens with one key, whole and in order, or not at all; auditors' keys are read exactly."""

import hashlib
import io
import os

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from market.record.details.keys import (
    AuditorKey,
    AuditorKeyError,
    AuditorSecret,
    parse_auditor_key,
    parse_auditor_secret,
)
from market.record.details.sealing import CHUNK, HEAD, TAG, NotSealedError, SealBrokenError, seal, unseal

SECRET = AuditorSecret(bytes(range(32)))
SEALED_CHUNK = CHUNK + TAG
LONG = os.urandom(2 * CHUNK + 100)


def sealed(plain: bytes, secret: AuditorSecret = SECRET) -> bytes:
    return b"".join(seal(secret.key, [plain]))


def opened(data: bytes, secret: AuditorSecret = SECRET) -> bytes:
    return b"".join(unseal(secret, io.BytesIO(data)))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1])
def test_what_was_sealed_opens(size: int) -> None:
    plain = os.urandom(size)
    assert opened(sealed(plain)) == plain


@given(st.lists(st.binary(max_size=CHUNK + 9), max_size=4))
def test_how_it_was_handed_over_in_pieces_does_not_matter(parts: list[bytes]) -> None:
    assert opened(b"".join(seal(SECRET.key, parts))) == b"".join(parts)


def test_another_reader_of_the_format_opens_it() -> None:
    """The format as docs/record.md has it, with nothing of ours."""
    data = sealed(LONG)
    head, rest = data[:81], data[81:]
    assert head[:17] == b"huigong-sealed/1\n"
    own = X25519PublicKey.from_public_bytes(head[49:81])
    shared = X25519PrivateKey.from_private_bytes(SECRET.secret).exchange(own)
    key = HKDF(algorithm=SHA256(), length=32, salt=head, info=b"huigong/v1/details").derive(shared)
    chunks = [rest[at : at + 65552] for at in range(0, len(rest), 65552)]
    plain = b""
    for number, chunk in enumerate(chunks):
        nonce = number.to_bytes(11, "big") + (b"\x01" if number == len(chunks) - 1 else b"\x00")
        plain += ChaCha20Poly1305(key).decrypt(nonce, chunk, head)
    assert plain == LONG


def test_two_files_of_the_same_are_different() -> None:
    assert sealed(LONG)[HEAD:] != sealed(LONG)[HEAD:]


def chunks_of(data: bytes) -> list[bytes]:
    return [data[at : at + SEALED_CHUNK] for at in range(HEAD, len(data), SEALED_CHUNK)]


@pytest.mark.parametrize(
    "change",
    [
        lambda head, a, b, c: head + b + a + c,
        lambda head, a, b, c: head + a + b,
        lambda head, a, b, c: head + a + c,
        lambda head, a, b, c: head + a + a + b + c,
        lambda head, a, b, c: head + a + b + c + c,
        lambda head, a, b, c: head + a + b + c + b"\0",
        lambda head, a, b, c: head + a + b + c[:-1],
        lambda head, a, b, c: head,
    ],
    ids=["swapped", "cut at a chunk", "left out", "repeated", "end repeated", "longer", "shorter", "empty"],
)
def test_a_chunk_that_does_not_belong_there_is_found(change: object) -> None:
    data = sealed(LONG)
    with pytest.raises(SealBrokenError):
        opened(change(data[:HEAD], *chunks_of(data)))  # type: ignore[operator]


@given(st.integers(0, HEAD + 3 * TAG + 2 * CHUNK + 99), st.integers(0, 7))
def test_one_flipped_bit_anywhere_is_found(at: int, bit: int) -> None:
    data = bytearray(sealed(LONG))
    data[at] ^= 1 << bit
    # Curve25519 ignores the highest bit of a key, so it is the derivation that must not.
    with pytest.raises((SealBrokenError, NotSealedError)):
        opened(bytes(data))


def test_a_file_for_another_key_says_so() -> None:
    other = AuditorSecret(b"\x07" * 32)
    with pytest.raises(NotSealedError, match=f"another key, {SECRET.key.id}"):
        opened(sealed(LONG), other)


def test_keys_are_texts_that_are_read_back() -> None:
    assert parse_auditor_key(SECRET.key.text) == SECRET.key
    assert parse_auditor_secret(SECRET.text + "\n") == SECRET
    assert SECRET.key.id == hashlib.sha256(SECRET.key.public).hexdigest()[:8]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (SECRET.text, "secret key"),
        (SECRET.key.text[:-2], "base64|32 bytes"),
        (SECRET.key.text.replace(SECRET.key.id, "00000000"), "not copied"),
        ("", "begins with"),
        ("huigong-auditor+" + AuditorKey(bytes(32)).id + "+" + "A" * 43 + "=", "anybody could open"),
        (AuditorKey((1).to_bytes(32, "little")).text, "anybody could open"),
    ],
    ids=["secret", "cut", "other id", "nothing", "zero", "one"],
)
def test_what_is_no_public_key_is_refused(text: str, problem: str) -> None:
    with pytest.raises(AuditorKeyError, match=problem):
        parse_auditor_key(text)
