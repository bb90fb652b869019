"""A session ends by revocation, idleness or age, and only a hash of its id is stored."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from api.identity import (
    Principal,
    disable_account,
    end_session,
    find_principal,
    grant_role,
    list_sessions,
    open_session,
    prune_sessions,
    revoke_all_sessions,
    revoke_session,
    set_password,
)
from api.identity.models import Account, SignInSession
from api.identity.sessions import SessionUnknownError, hash_token, limits
from market.kit.database import transaction

NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def begin(account: UUID, *, roles: tuple[str, ...] = ("auditor",), agent: str = "test") -> str:
    with transaction() as tx:
        return open_session(tx, account_id=account, roles=roles, agent=agent, at=NOON).token


def who(token: str, at: datetime = NOON) -> Principal | None:
    return find_principal(token=token, at=at, by_cookie=True)


def test_a_session_names_its_account_and_roles(account: UUID) -> None:
    found = who(begin(account))
    assert found is not None
    assert (found.account_id, found.login, found.name) == (account, "wang", "王经审")
    assert found.roles == {"auditor": None}
    assert len(found.csrf) == 32


def test_who_asks_is_one_statement(account: UUID, database: Engine) -> None:
    token = begin(account)
    statements: list[str] = []
    event.listen(database, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert who(token)
    assert len(statements) == 1


def test_neither_the_id_nor_anything_it_follows_from_is_stored(account: UUID) -> None:
    token = begin(account)
    with transaction() as tx:
        row = tx.execute(select(SignInSession)).scalar_one()
        stored = b"".join(part for part in (row.id_hash, row.csrf, row.agent.encode()))
    assert token.encode() not in stored
    assert row.id_hash == hash_token(token)
    assert who("x" + token[1:]) is None


def test_two_sessions_never_share_an_id(account: UUID) -> None:
    assert len({begin(account) for _ in range(20)}) == 20


@pytest.mark.parametrize(
    ("roles", "idle", "age"),
    [
        (("member",), timedelta(hours=8), timedelta(days=30)),
        (("assistant",), timedelta(hours=12), timedelta(days=30)),
        (("officer",), timedelta(minutes=30), timedelta(hours=12)),
        (("auditor",), timedelta(minutes=30), timedelta(hours=12)),
        (("member", "officer"), timedelta(minutes=30), timedelta(hours=12)),
        ((), timedelta(minutes=30), timedelta(hours=12)),
    ],
)
def test_the_strictest_of_the_roles_decides_how_long(roles: tuple[str, ...], idle: timedelta, age: timedelta) -> None:
    assert limits(roles) == (idle, age)


def test_an_idle_session_ends_and_one_in_use_goes_on(account: UUID) -> None:
    idle, used = begin(account), begin(account)
    assert who(used, NOON + 20 * MINUTE)
    assert who(idle, NOON + 30 * MINUTE) is None
    assert who(used, NOON + 45 * MINUTE)
    assert who(used, NOON + 76 * MINUTE) is None


def test_a_session_in_constant_use_still_ends_with_age(account: UUID) -> None:
    token = begin(account)
    at = NOON
    while at < NOON + timedelta(hours=12):
        assert who(token, at), at
        at += 25 * MINUTE
    assert who(token, NOON + timedelta(hours=12)) is None


def test_use_is_written_once_a_minute_at_most(account: UUID, database: Engine) -> None:
    token = begin(account)
    writes: list[str] = []
    event.listen(
        database, "before_cursor_execute", lambda *given: given[2].startswith("UPDATE") and writes.append(given[2])
    )
    for second in (1, 30, 59, 60, 61, 119, 120):
        assert who(token, NOON + timedelta(seconds=second))
    assert len(writes) == 2


def test_an_ended_session_is_nobody_at_once(account: UUID) -> None:
    ways: list[Callable[[Session, str], None]] = [
        lambda tx, token: end_session(tx, token=token, at=NOON),
        lambda tx, token: revoke_session(tx, account_id=account, id_hash=hash_token(token), at=NOON),
        lambda tx, _token: revoke_all_sessions(tx, account_id=account, at=NOON),
        lambda tx, _token: set_password(tx, login="wang", password="another long phrase", at=NOON),
        lambda tx, _token: disable_account(tx, login="wang", at=NOON),
    ]
    for way in ways:
        token = begin(account)
        assert who(token)
        with transaction() as tx:
            way(tx, token)
        assert who(token) is None
        assert who(token, NOON + MINUTE) is None


def test_one_may_keep_the_session_one_is_in(account: UUID) -> None:
    here, there = begin(account), begin(account)
    with transaction() as tx:
        revoke_all_sessions(tx, account_id=account, at=NOON, keep=hash_token(here))
    assert who(here)
    assert who(there) is None


def test_nobody_ends_the_session_of_another(account: UUID) -> None:
    token = begin(account)
    with transaction() as tx:
        other = tx.execute(select(Account.id).where(Account.id != account)).scalar() or UUID(int=1)
    with pytest.raises(SessionUnknownError), transaction() as tx:
        revoke_session(tx, account_id=other, id_hash=hash_token(token), at=NOON)
    assert who(token)


def test_a_role_taken_up_counts_from_the_next_request(account: UUID) -> None:
    token = begin(account)
    with transaction() as tx:
        tx.execute(Account.__table__.metadata.tables["account_role"].delete())
    found = who(token)
    assert found is not None
    assert found.roles == {}
    with transaction() as tx:
        grant_role(tx, account_id=account, role="auditor", at=NOON)
    found = who(token)
    assert found is not None
    assert found.roles == {"auditor": None}


def test_the_list_shows_living_sessions_only(account: UUID) -> None:
    living, ended = begin(account, agent="phone\x00\n" + "x" * 500), begin(account)
    with transaction() as tx:
        end_session(tx, token=ended, at=NOON)
        (row,) = list_sessions(tx, account_id=account, at=NOON)
    assert row.session_id == hash_token(living).hex()
    assert row.agent == "phone" + "x" * 195


def test_sessions_are_forgotten_a_month_after_they_ended(account: UUID) -> None:
    begin(account)
    with transaction() as tx:
        assert prune_sessions(tx, at=NOON + timedelta(days=30)) == 0
        assert prune_sessions(tx, at=NOON + timedelta(days=31)) == 1
