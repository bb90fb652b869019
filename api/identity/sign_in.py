"""Signing in: throttled, the same answer for an unknown login and a wrong password, always under a new session id."""

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.identity import throttle
from api.identity.accounts import DEMO_PREFIX, normalise_login
from api.identity.installation import NotADemoError, find_kind
from api.identity.models import Account, AccountRole
from api.identity.passwords import LoginProvider
from api.identity.sessions import NewSession, end_session, open_session
from market.kit.database import transaction
from market.kit.errors import DomainError, NotFoundError

WINDOW_SECONDS = 15 * 60
WRONG_PER_LOGIN = 5
WRONG_PER_ADDRESS = 30  # a works shares one address: only wrong tries count against it
DEMO_DOORS = ("member", "assistant", "owner", "officer", "auditor", "officer-2")


class SignInRefusedError(DomainError):
    """Unknown login or wrong password, and nothing says which."""

    status = 401
    code = "SIGN_IN_REFUSED"
    zh = "登录名或密码不对，请核对后再试；忘记密码请联系工会小组。"
    en = "The login or the password is not right; check both and try again, or ask your union group for a new password."


class DemoPersonMissingError(NotFoundError):
    """The demo works has not been built yet."""

    code = "DEMO_PERSON_MISSING"
    zh = "演示人员还没有建好，请先运行 huigong demo。"
    en = "The demo people are not there yet; run huigong demo first."


def sign_in(
    provider: LoginProvider,
    *,
    login: str,
    secret: str,
    address: str,
    agent: str,
    at: datetime,
    replaces: str | None = None,
) -> NewSession:
    """Prove who someone is and begin a session; `replaces` is the token of an earlier one, which ends.

    A try counts against the login before it is checked, so that of many at once five are checked; a right one clears the
    count. Raises TooManyTriesError (also for the right password while locked), SignInRefusedError, BusyError.
    """
    known = normalise_login(login)
    by_login = "sign-in:login:" + _digest(known or login)
    by_address = "sign-in:address:" + _digest(address)
    with transaction() as tx:
        throttle.check(tx, key=by_address, limit=WRONG_PER_ADDRESS, window_seconds=WINDOW_SECONDS, at=at)
        throttle.hit(tx, key=by_login, limit=WRONG_PER_LOGIN, window_seconds=WINDOW_SECONDS, at=at)
    account_id = provider.identify(login=known or "", secret=secret)
    if account_id is None:
        with transaction() as tx:
            throttle.hit(tx, key=by_address, limit=WRONG_PER_ADDRESS, window_seconds=WINDOW_SECONDS, at=at)
        raise SignInRefusedError
    with transaction() as tx:
        throttle.forget(tx, key=by_login)
        return _begin(tx, account_id=account_id, agent=agent, at=at, replaces=replaces)


def demo_sign_in(*, role: str, agent: str, at: datetime, replaces: str | None = None) -> NewSession:
    """Begin a session as the demo person of this role. Raises NotADemoError in a real database, DemoPersonMissingError."""
    with transaction() as tx:
        if find_kind(tx) != "demo":
            raise NotADemoError
        account_id = tx.execute(
            select(Account.id).where(Account.login == DEMO_PREFIX + role, Account.disabled_at.is_(None))
        ).scalar()
        if account_id is None:
            raise DemoPersonMissingError
        return _begin(tx, account_id=account_id, agent=agent, at=at, replaces=replaces)


def list_demo_people(tx: Session) -> dict[str, str]:
    """The names behind the demo doors by role, in the order of the doors; empty in a real database."""
    if find_kind(tx) != "demo":
        return {}
    logins = [DEMO_PREFIX + role for role in DEMO_DOORS]
    rows = tx.execute(
        select(Account.login, Account.name).where(Account.login.in_(logins), Account.disabled_at.is_(None))
    )
    names = {row.login.removeprefix(DEMO_PREFIX): row.name for row in rows}
    return {role: names[role] for role in DEMO_DOORS if role in names}


def _begin(tx: Session, *, account_id: UUID, agent: str, at: datetime, replaces: str | None) -> NewSession:
    """A new id at every sign-in: one that was planted before is worth nothing after."""
    if replaces:
        end_session(tx, token=replaces, at=at)
    roles = tx.execute(select(AccountRole.role).where(AccountRole.account_id == account_id)).scalars().all()
    return open_session(tx, account_id=account_id, roles=roles, agent=agent, at=at)


def _digest(part: str) -> str:
    """People type passwords into the login field; a counter's key must not keep them."""
    return hashlib.sha256(part.encode(errors="replace")).hexdigest()[:32]
