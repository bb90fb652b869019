"""Proving who someone is. `LoginProvider` is the port; here is the provider for passwords kept as argon2id hashes."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore
from typing import Protocol
from uuid import UUID

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import select, update

from api.identity.models import Account
from market.kit.database import transaction
from market.kit.errors import DomainError, InvalidError

SHORTEST = 8
SHORTEST_OF_OFFICERS = 15  # OWASP ASVS 5.0 V6: a password that stands alone before other people's data
LONGEST = 200  # enough for any phrase; hashing megabytes would be an attack

_hasher = PasswordHash((Argon2Hasher(),))
_running = BoundedSemaphore(2)  # a hash takes 64 MiB and a core
_in_line = BoundedSemaphore(10)  # the others would hold threads that the tills need


class PasswordRefusedError(InvalidError):
    """The password is too short, too long, or the login itself."""

    code = "PASSWORD_REFUSED"
    zh = "密码要有 {shortest} 到 {longest} 个字符，且不能包含登录名，请换一个。"
    en = "A password has {shortest} to {longest} characters and does not contain the login; choose another."


class BusyError(DomainError):
    """More people sign in at this moment than the machine can check."""

    status = 503
    code = "BUSY"
    zh = "现在登录的人很多，请等几秒再试。"
    en = "Many people are signing in just now; try again in a few seconds."


class LoginProvider(Protocol):
    """Proves which account someone holds: by password here, by an enterprise account elsewhere."""

    def identify(self, *, login: str, secret: str) -> UUID | None:
        """The account that `login` and `secret` prove, or None; both answers take the same time."""


class PasswordProvider:
    """Passwords of our own accounts. An unknown login costs the same hash as a wrong password."""

    def __init__(self) -> None:
        """Make the hash for unknown logins now, so that the first of them does not take longer."""
        _nobodys_hash()

    def identify(self, *, login: str, secret: str) -> UUID | None:
        """The account, or None for an unknown login, a wrong password, or an account that is disabled or has no password.

        The database is let go while hashing. Raises BusyError when too many wait.
        """
        with transaction() as tx:
            found = tx.execute(
                select(Account.id, Account.password_hash).where(Account.login == login, Account.disabled_at.is_(None))
            ).one_or_none()
        stored = found.password_hash if found and len(secret) <= LONGEST else None
        with _turn():
            fits, renewed = _hasher.verify_and_update(secret[:LONGEST], stored or _nobodys_hash())
        if not (fits and found and stored):
            return None
        if renewed:
            with transaction() as tx:
                tx.execute(update(Account).where(Account.id == found.id).values(password_hash=renewed))
        return UUID(str(found.id))


def hash_password(password: str, *, login: str, shortest: int = SHORTEST) -> str:
    """The argon2id hash to store. Raises PasswordRefusedError."""
    if not shortest <= len(password) <= LONGEST or login.casefold() in password.casefold():
        raise PasswordRefusedError(field="password", problem="length", shortest=shortest, longest=LONGEST)
    with _turn():
        return _hasher.hash(password)


@cache
def _nobodys_hash() -> str:
    """A hash that no password opens, to spend the time on."""
    return _hasher.hash("no account has this password")


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for one of two places; give up at once when the line is long."""
    if not _in_line.acquire(blocking=False):
        raise BusyError
    try:
        with _running:
            yield
    finally:
        _in_line.release()
