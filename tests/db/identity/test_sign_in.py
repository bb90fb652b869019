"""Signing in: throttled, silent about who exists, and always under a new id."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, select

from api.identity import (
    PasswordProvider,
    create_account,
    demo_sign_in,
    disable_account,
    find_principal,
    init_installation,
    sign_in,
)
from api.identity.installation import NotADemoError
from api.identity.models import Throttle
from api.identity.sign_in import DemoPersonMissingError, SignInRefusedError
from api.identity.throttle import TooManyTriesError
from market.kit.database import transaction

NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def provider() -> PasswordProvider:
    return PasswordProvider()


def come(
    provider: PasswordProvider,
    login: str = "wang",
    secret: str = PASSWORD,
    *,
    address: str = "10.0.0.1",
    at: datetime = NOON,
) -> str:
    """What somebody who tries to sign in is told: `in`, or the code of the refusal."""
    try:
        sign_in(provider, login=login, secret=secret, address=address, agent="t", at=at)
    except (SignInRefusedError, TooManyTriesError) as refusal:
        return refusal.code
    return "in"


def test_the_right_password_opens_a_session(provider: PasswordProvider, account: UUID, password: str) -> None:
    session = sign_in(provider, login=" Wang ", secret=PASSWORD, address="a", agent="t", at=NOON)
    found = find_principal(token=session.token, at=NOON, by_cookie=False)
    assert found is not None
    assert found.account_id == account
    assert session.roles == ("auditor",)


def test_everything_else_gets_one_answer(provider: PasswordProvider, account: UUID, password: str) -> None:
    wrong = ("wrong", "", PASSWORD + "x", PASSWORD.ljust(500))
    nobody = ("nobody", "", "a\x00b", "\ud800")
    told = [come(provider, "wang", secret) for secret in wrong] + [come(provider, login) for login in nobody]
    assert told == ["SIGN_IN_REFUSED"] * 8


def test_a_closed_account_and_one_without_password_get_it_too(
    provider: PasswordProvider, account: UUID, password: str
) -> None:
    with transaction() as tx:
        create_account(tx, login="empty", name="x", at=NOON)
        disable_account(tx, login="wang", at=NOON)
    assert come(provider) == come(provider, "empty", "") == "SIGN_IN_REFUSED"


def test_who_exists_cannot_be_told_from_the_time(provider: PasswordProvider, account: UUID, password: str) -> None:
    def seconds(login: str) -> float:
        began = time.perf_counter()
        provider.identify(login=login, secret="wrong")
        return time.perf_counter() - began

    pairs = [(seconds("wang"), seconds("nobody")) for _ in range(9)]
    known, unknown = (statistics.median(side) for side in zip(*pairs, strict=True))
    assert 0.5 < known / unknown < 2, (known, unknown)
    assert unknown > 0.01  # a hash was really computed


def test_five_wrong_tries_close_the_login_for_a_quarter_of_an_hour(
    provider: PasswordProvider, account: UUID, password: str
) -> None:
    assert [come(provider, secret="wrong") for _ in range(6)] == ["SIGN_IN_REFUSED"] * 5 + ["TOO_MANY_TRIES"]
    assert come(provider) == "TOO_MANY_TRIES"
    assert come(provider, at=NOON + timedelta(minutes=15)) == "in"


def test_a_right_password_clears_the_count(provider: PasswordProvider, account: UUID, password: str) -> None:
    for _ in range(2):
        assert [come(provider, secret="wrong") for _ in range(4)] == ["SIGN_IN_REFUSED"] * 4
        assert come(provider) == "in"


def test_of_many_guesses_at_once_no_more_than_five_are_checked(account: UUID) -> None:
    checked: list[str] = []

    class Watching(PasswordProvider):
        def identify(self, *, login: str, secret: str) -> UUID | None:
            checked.append(secret)
            return None

    watching = Watching()
    with ThreadPoolExecutor(12) as pool:
        told = list(pool.map(lambda n: come(watching, secret=f"guess {n}"), range(40)))
    assert len(checked) == told.count("SIGN_IN_REFUSED") == 5
    assert told.count("TOO_MANY_TRIES") == 35


def test_an_address_is_closed_by_wrong_tries_over_many_logins(account: UUID) -> None:
    class Nobody:
        def identify(self, *, login: str, secret: str) -> UUID | None:
            return account if secret == PASSWORD else None

    told = [come(Nobody(), f"guess{n}", "wrong") for n in range(31)]
    assert told == ["SIGN_IN_REFUSED"] * 30 + ["TOO_MANY_TRIES"]
    assert come(Nobody()) == "TOO_MANY_TRIES"
    assert come(Nobody(), address="10.0.0.2") == "in"


def test_a_works_behind_one_address_signs_in_without_end(account: UUID) -> None:
    class Everybody:
        def identify(self, *, login: str, secret: str) -> UUID | None:
            return account

    assert {come(Everybody(), f"worker{n}") for n in range(100)} == {"in"}


def test_counters_do_not_keep_what_was_typed(provider: PasswordProvider, account: UUID) -> None:
    come(provider, "my secret password", "wrong")
    with transaction() as tx:
        keys = tx.execute(select(Throttle.key)).scalars().all()
    assert keys
    assert not [key for key in keys if "secret" in key or "10.0.0.1" in key]


def test_a_sign_in_ends_the_session_it_replaces(provider: PasswordProvider, account: UUID, password: str) -> None:
    def enter(old: str | None) -> str:
        return sign_in(provider, login="wang", secret=PASSWORD, address="a", agent="t", at=NOON, replaces=old).token

    first = enter(None)
    second = enter(first)
    assert first != second
    assert find_principal(token=first, at=NOON, by_cookie=True) is None
    assert find_principal(token=second, at=NOON, by_cookie=True)


def test_a_demo_door_leads_to_its_person(account: UUID) -> None:
    with transaction() as tx:
        auditor = create_account(tx, login="demo-auditor", name="x", at=NOON)
    token = demo_sign_in(role="auditor", agent="t", at=NOON).token
    found = find_principal(token=token, at=NOON, by_cookie=True)
    assert found is not None
    assert found.account_id == auditor
    with pytest.raises(DemoPersonMissingError):
        demo_sign_in(role="member", agent="t", at=NOON)


def test_a_real_database_has_no_demo_door(database: Engine) -> None:
    with transaction() as tx:
        init_installation(tx, kind="real", at=NOON)
    with pytest.raises(NotADemoError):
        demo_sign_in(role="officer", agent="t", at=NOON)
