"""Accounts, their roles, and what the database refuses even past the code."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import IntegrityError

from api.identity import create_account, get_account_id, grant_role, init_installation, list_names, set_password
from api.identity.accounts import AccountUnknownError, LoginRefusedError, LoginTakenError, RoleConflictError
from api.identity.installation import InstallationExistsError
from api.identity.models import Account, AccountRole, Installation
from api.identity.passwords import PasswordRefusedError
from cards import operations as cards
from market.kit.database import transaction
from market.kit.ids import new_id

NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)


def make(login: str, person: UUID | None = None) -> UUID:
    with transaction() as tx:
        return create_account(tx, login=login, name="某", at=NOON, person=person)


def unit() -> UUID:
    with transaction() as tx:
        return cards.add_unit(tx, code="xg", name="星钢")


def test_logins_are_found_however_they_are_typed(database: Engine) -> None:
    account_id = make("Wang.Wei")
    with transaction() as tx:
        assert get_account_id(tx, login=" ＷＡＮＧ.wei ") == account_id
        person = tx.scalars(select(Account.person)).one()
        assert list_names(tx, persons=[person, new_id()]) == {person: "某"}


def test_a_login_of_another_form_is_refused(database: Engine) -> None:
    for login in ("", "a", "王伟", "a b", "-a", "a\x00b", "x" * 65, "a/b", "a'b"):
        with pytest.raises(LoginRefusedError):
            make(login)


def test_a_login_is_given_once(database: Engine) -> None:
    make("wang")
    with pytest.raises(LoginTakenError):
        make("WANG")


def test_a_real_database_has_no_demo_people(database: Engine) -> None:
    with transaction() as tx:
        init_installation(tx, kind="real", at=NOON)
    with pytest.raises(LoginRefusedError):
        make("demo-officer")


def test_a_weak_password_of_an_officer_is_refused(database: Engine) -> None:
    account_id, place = make("wang"), unit()
    with transaction() as tx:
        grant_role(tx, account_id=account_id, role="officer", at=NOON, scope_id=place)
    for password in ("short", "x" * 14, "my name is wang, hello", "y" * 201):
        with pytest.raises(PasswordRefusedError), transaction() as tx:
            set_password(tx, login="wang", password=password, at=NOON)


def test_an_unknown_account_is_named(database: Engine) -> None:
    with pytest.raises(AccountUnknownError), transaction() as tx:
        set_password(tx, login="nobody", password="x" * 20, at=NOON)


def test_one_person_does_not_supervise_himself_on_two_accounts(database: Engine) -> None:
    person = new_id()
    officer, auditor, stranger = make("officer", person), make("auditor", person), make("stranger")
    place = unit()
    with transaction() as tx:
        grant_role(tx, account_id=officer, role="officer", at=NOON, scope_id=place)
        grant_role(tx, account_id=stranger, role="auditor", at=NOON)
    with pytest.raises(RoleConflictError), transaction() as tx:
        grant_role(tx, account_id=auditor, role="auditor", at=NOON)


def test_a_role_moves_to_another_place_rather_than_doubling(database: Engine) -> None:
    account_id, first = make("wang"), unit()
    with transaction() as tx:
        second = cards.add_unit(tx, code="xg2", name="轧钢厂", parent_id=first)
        for place in (first, second):
            grant_role(tx, account_id=account_id, role="officer", at=NOON, scope_id=place)
        rows = tx.execute(AccountRole.__table__.select()).all()
    assert [(row.role, row.unit_id) for row in rows] == [("officer", second)]


def test_the_kind_of_a_database_is_written_once(database: Engine) -> None:
    with transaction() as tx:
        init_installation(tx, kind="demo", at=NOON)
        init_installation(tx, kind="demo", at=NOON)
    with pytest.raises(InstallationExistsError), transaction() as tx:
        init_installation(tx, kind="real", at=NOON)


def test_the_database_refuses_what_the_code_would_never_write(database: Engine) -> None:
    account_id = make("taken")
    account = {"id": new_id(), "login": "taken", "name": "x", "person": new_id(), "created_at": NOON}
    rows: list[tuple[type, dict[str, object], str]] = [
        (Installation, {"id": 2, "kind": "demo", "created_at": NOON}, "ck_installation_one_row"),
        (Installation, {"id": 1, "kind": "test", "created_at": NOON}, "ck_installation_kind_known"),
        (Account, account, "uq_account_login"),
        (AccountRole, {"account_id": account_id, "role": "operator"}, "ck_account_role_role_known"),
        (AccountRole, {"account_id": account_id, "role": "officer"}, "ck_account_role_role_scope"),
        (AccountRole, {"account_id": account_id, "role": "member"}, "ck_account_role_role_scope"),
    ]
    for table, row, constraint in rows:
        with pytest.raises(IntegrityError, match=constraint), transaction() as tx:
            tx.execute(insert(table).values(**row))
