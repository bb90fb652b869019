"""Sign-in sessions: a random id in the browser, its hash here. They end by revocation, by idleness or by age."""

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from api.identity.models import SignInSession
from market.kit.database import get_engine, transaction
from market.kit.errors import NotFoundError

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# Idle and absolute age by role; who holds several roles gets the shortest of each.
LIMITS: Mapping[str, tuple[timedelta, timedelta]] = {
    "member": (8 * HOUR, 30 * DAY),
    "assistant": (12 * HOUR, 30 * DAY),
    "owner": (8 * HOUR, 30 * DAY),
    "officer": (HOUR / 2, 12 * HOUR),
    "auditor": (HOUR / 2, 12 * HOUR),
}
SLIDES_AFTER = timedelta(minutes=1)  # a session in use is written at most once a minute

# One statement for the hottest question of all; in text, because it is asked before every page.
_WHO = text(
    """
    SELECT s.account_id, s.csrf, s.seen_at, s.expires_at, a.person, a.login, a.name,
           r.role, coalesce(r.member_id, r.staff_id, r.unit_id) AS scope_id
      FROM sign_in_session s
      JOIN account a ON a.id = s.account_id
      LEFT JOIN account_role r ON r.account_id = a.id
     WHERE s.id_hash = :id_hash AND s.revoked_at IS NULL AND s.idle_until > :at AND s.expires_at > :at
       AND a.disabled_at IS NULL
    """
)


class SessionUnknownError(NotFoundError):
    """No such sign-in of this account."""

    code = "SESSION_UNKNOWN"
    zh = "这次登录已经结束或不存在，请刷新页面。"
    en = "This sign-in has ended or does not exist; reload the page."


@dataclass(frozen=True, slots=True)
class NewSession:
    """A fresh sign-in. `token` is shown to its holder once and not kept here."""

    token: str
    expires_at: datetime
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who acts. `roles` says where each role holds: the member's, staff's or unit's id, None for everywhere.

    `person` is one for all accounts of a human being. `csrf` is the session's secret for forms; `session_hash` names the session.
    """

    account_id: UUID
    person: UUID
    login: str
    name: str
    roles: Mapping[str, UUID | None]
    session_hash: bytes
    csrf: bytes
    by_cookie: bool


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One living sign-in, for the list on the person's own page. `session_id` is its hash in hexadecimal."""

    session_id: str
    agent: str
    started_at: datetime
    seen_at: datetime


def limits(roles: Collection[str]) -> tuple[timedelta, timedelta]:
    """How long a session of these roles may idle and live; without a role it is treated like an officer's."""
    chosen = [LIMITS[role] for role in roles] or [LIMITS["officer"]]
    return min(idle for idle, _ in chosen), min(age for _, age in chosen)


def hash_token(token: str) -> bytes:
    """What is stored of a session id; SHA-256 suffices for 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


def open_session(tx: Session, *, account_id: UUID, roles: Collection[str], agent: str, at: datetime) -> NewSession:
    """Begin a session under a new random id."""
    token = secrets.token_urlsafe(32)
    idle, age = limits(roles)
    tx.execute(
        insert(SignInSession).values(
            id_hash=hash_token(token),
            account_id=account_id,
            csrf=secrets.token_bytes(32),
            agent="".join(sign for sign in agent if sign.isprintable())[:200],
            created_at=at,
            seen_at=at,
            idle_until=at + idle,
            expires_at=at + age,
        )
    )
    return NewSession(token, at + age, tuple(sorted(roles)))


def find_principal(*, token: str, at: datetime, by_cookie: bool) -> Principal | None:
    """Whose living session this token is, or None. One statement outside any transaction, and a write at most once a minute."""
    id_hash = hash_token(token)
    with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        rows = connection.execute(_WHO, {"id_hash": id_hash, "at": at}).all()
    if not rows:
        return None
    first = rows[0]
    roles = {row.role: row.scope_id for row in rows if row.role is not None}
    if at - first.seen_at >= SLIDES_AFTER:
        _slide(id_hash, roles=roles, at=at)
    return Principal(
        account_id=first.account_id,
        person=first.person,
        login=first.login,
        name=first.name,
        roles=roles,
        session_hash=id_hash,
        csrf=bytes(first.csrf),
        by_cookie=by_cookie,
    )


def end_session(tx: Session, *, token: str, at: datetime) -> None:
    """End the session of this token, if it still lives: for signing out and for a sign-in that replaces another."""
    this = (SignInSession.id_hash == hash_token(token), SignInSession.revoked_at.is_(None))
    tx.execute(update(SignInSession).where(*this).values(revoked_at=at))


def revoke_session(tx: Session, *, account_id: UUID, id_hash: bytes, at: datetime) -> None:
    """End one session of this account. Raises SessionUnknownError for one that is another's or has ended."""
    living = (
        SignInSession.account_id == account_id,
        SignInSession.id_hash == id_hash,
        SignInSession.revoked_at.is_(None),
    )
    if not tx.execute(
        update(SignInSession).where(*living).values(revoked_at=at).returning(SignInSession.account_id)
    ).all():
        raise SessionUnknownError


def revoke_all_sessions(tx: Session, *, account_id: UUID, at: datetime, keep: bytes | None = None) -> None:
    """End every session of this account, except the one to `keep`."""
    mine = update(SignInSession).where(SignInSession.account_id == account_id, SignInSession.revoked_at.is_(None))
    if keep is not None:
        mine = mine.where(SignInSession.id_hash != keep)
    tx.execute(mine.values(revoked_at=at))


def list_sessions(tx: Session, *, account_id: UUID, at: datetime) -> list[OpenSession]:
    """The living sessions of an account, the most recently used first."""
    rows = tx.execute(
        select(SignInSession.id_hash, SignInSession.agent, SignInSession.created_at, SignInSession.seen_at)
        .where(
            SignInSession.account_id == account_id,
            SignInSession.revoked_at.is_(None),
            SignInSession.idle_until > at,
            SignInSession.expires_at > at,
        )
        .order_by(SignInSession.seen_at.desc())
    )
    return [OpenSession(bytes(row.id_hash).hex(), row.agent, row.created_at, row.seen_at) for row in rows]


def prune_sessions(tx: Session, *, at: datetime) -> int:
    """Delete sessions that ended a month ago or earlier; returns how many."""
    ended = func.least(SignInSession.expires_at, SignInSession.idle_until, SignInSession.revoked_at)
    return len(
        tx.execute(delete(SignInSession).where(ended <= at - 30 * DAY).returning(SignInSession.account_id)).all()
    )


def _slide(id_hash: bytes, *, roles: Mapping[str, UUID | None], at: datetime) -> None:
    """Move the idle limit on. Guarded, so that a session revoked meanwhile stays so and two requests write once."""
    idle, _ = limits(roles)
    due = (
        SignInSession.id_hash == id_hash,
        SignInSession.revoked_at.is_(None),
        SignInSession.seen_at <= at - SLIDES_AFTER,
    )
    with transaction() as tx:
        tx.execute(update(SignInSession).where(*due).values(seen_at=at, idle_until=at + idle))
