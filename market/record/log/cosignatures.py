"""Cosignatures: a witness says that at a time it had seen the log grow to a checkpoint without changing (C2SP tlog-cosignature, v1)."""

from collections.abc import Iterable
from dataclasses import dataclass

from market.kit.errors import invariant
from market.record.log.checkpoints import SignedCheckpoint
from market.record.log.errors import NotProvedError
from market.record.log.keys import Kind, SignerKey, VerifierKey
from market.record.log.notes import Signature
from market.record.log.texts import MAX_SIZE

_TIME_SIZE = 8


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness's statement that held; `at_seconds` is POSIX time as the witness gave it."""

    key: VerifierKey
    at_seconds: int


def cosign(signed: SignedCheckpoint, key: SignerKey, *, at_seconds: int) -> Signature:
    """The signature line of a witness that has verified the checkpoint and its consistency; both are the caller's duty."""
    invariant(key.kind == Kind.COSIGNATURE, "Only a witness's key cosigns")
    invariant(0 <= at_seconds <= MAX_SIZE, "The time of a cosignature fits in 63 bits")
    data = at_seconds.to_bytes(_TIME_SIZE) + key.sign(_get_message(signed, at_seconds))
    return Signature(key.name, key.verifier.id, data)


def verify_cosignatures(signed: SignedCheckpoint, witnesses: Iterable[VerifierKey]) -> tuple[Cosignature, ...]:
    """What the known witnesses say of this checkpoint, the latest of each; none of them need have.

    A signature that claims to be by one of them and is not refuses the checkpoint (C2SP signed-note, Signatures).
    """
    found = []
    for key in witnesses:
        invariant(key.kind == Kind.COSIGNATURE, "A witness has a key for cosignatures")
        times = [_verify(signed, line, key) for line in signed.note.signatures if line.is_by(key)]
        if times:
            found.append(Cosignature(key, max(times)))
    return tuple(found)


def _verify(signed: SignedCheckpoint, line: Signature, key: VerifierKey) -> int:
    at_seconds = int.from_bytes(line.data[:_TIME_SIZE])
    if at_seconds > MAX_SIZE or not key.holds(line.data[_TIME_SIZE:], _get_message(signed, at_seconds)):
        raise NotProvedError(f"The cosignature of {key.name} does not hold for this checkpoint")
    return at_seconds


def _get_message(signed: SignedCheckpoint, at_seconds: int) -> bytes:
    return f"cosignature/v1\ntime {at_seconds}\n{signed.note.text}".encode()
