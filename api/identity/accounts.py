"""Accounts and their roles: made, named, ended. Who may do that is the door's question, who may hold what is answered here."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

import cards
from api.identity.installation import find_kind
from api.identity.models import Account, AccountRole, SignInSession
from api.identity.passwords import SHORTEST, SHORTEST_OF_OFFICERS, hash_password
from api.identity.sessions import revoke_all_sessions
from market.kit.errors import ConflictError, InvalidError, NotFoundError
from market.kit.ids import new_id
from market.record.operations import publish_event

Role = Literal["member", "assistant", "owner", "officer", "auditor"]

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
DEMO_PREFIX = "demo-"
SCOPES = {"member": "member_id", "assistant": "staff_id", "owner": "staff_id", "officer": "unit_id", "auditor": None}
# Who supervises does not do what is supervised; whoever sells does not decide over subsidies (architecture.md, Identity and trust).
CONFLICTS = frozenset(
    frozenset(pair)
    for pair in (("auditor", "officer"), ("auditor", "owner"), ("auditor", "assistant"), ("officer", "owner"))
)
GUARDED_ROLES = frozenset({"officer", "auditor"})


class LoginRefusedError(InvalidError):
    """The login has a form that is not accepted."""

    code = "LOGIN_REFUSED"
    zh = "登录名须为 2 到 64 个小写字母、数字或 . _ @ -，请换一个。"
    en = "A login has 2 to 64 lower-case letters, digits or . _ @ -; choose another."


class LoginTakenError(ConflictError):
    """Another account has this login."""

    code = "LOGIN_TAKEN"
    zh = "登录名 {login} 已被占用，请换一个。"
    en = "The login {login} is taken; choose another."


class AccountUnknownError(NotFoundError):
    """There is no account of this name."""

    code = "ACCOUNT_UNKNOWN"
    zh = "没有登录名为 {login} 的账号，请核对后重试。"
    en = "There is no account {login}; check the login and try again."


class AccountClosedError(ConflictError):
    """The account was closed; nobody signs in with it any more."""

    code = "ACCOUNT_CLOSED"
    zh = "账号 {login} 已经停用，不能再授予角色；请为这个人新建一个账号。"
    en = "The account {login} is closed and is given no role any more; make a new one for this person."


class RoleConflictError(ConflictError):
    """One person may not hold both roles, on whatever accounts."""

    code = "ROLE_CONFLICT"
    zh = "同一个人不能既是 {held} 又是 {wanted}；请另选一人，或先撤掉原来的角色。"
    en = "One person cannot be both {held} and {wanted}; choose another person or take the first role away."


def normalise_login(login: str) -> str | None:
    """The login as it is stored, or None for something that no account can be called."""
    folded = unicodedata.normalize("NFKC", login).strip().casefold()
    return folded if LOGIN.fullmatch(folded) else None


def create_account(tx: Session, *, login: str, name: str, at: datetime, person: UUID | None = None) -> UUID:
    """Make an account without roles and password and return its id. `person` joins it to another of the same human being.

    Until `set_password` only a demo door or another provider opens it. Raises LoginRefusedError, LoginTakenError.
    """
    stored = normalise_login(login)
    if stored is None or (stored.startswith(DEMO_PREFIX) and find_kind(tx) == "real"):
        raise LoginRefusedError(field="login", problem="form")
    account_id = new_id()
    made = tx.execute(
        insert(Account)
        .values(id=account_id, login=stored, name=name, person=person or new_id(), created_at=at)
        .on_conflict_do_nothing(index_elements=[Account.login])
        .returning(Account.id)
    ).scalar()
    if made is None:
        raise LoginTakenError(login=stored)
    return account_id


def get_account_id(tx: Session, *, login: str) -> UUID:
    """The account of this login. Raises AccountUnknownError."""
    found = tx.execute(select(Account.id).where(Account.login == (normalise_login(login) or ""))).scalar()
    if found is None:
        raise AccountUnknownError(login=login)
    return found


def list_names(tx: Session, *, persons: Iterable[UUID]) -> dict[UUID, str]:
    """The name of each person, for pages that say who proposed and who approved."""
    rows = tx.execute(select(Account.person, Account.name).where(Account.person.in_(set(persons))))
    return {row.person: row.name for row in rows}


def is_one_member(tx: Session, *, persons: tuple[UUID, UUID]) -> bool:
    """Whether two persons of accounts are the same member of the register, who then is no second person."""
    shared = (
        select(AccountRole.member_id)
        .join(Account, Account.id == AccountRole.account_id)
        .where(Account.person.in_(persons), AccountRole.member_id.is_not(None))
        .group_by(AccountRole.member_id)
        .having(func.count(Account.person.distinct()) > 1)
    )
    return persons[0] == persons[1] or tx.execute(shared).first() is not None


@dataclass(frozen=True, slots=True)
class StaffSignIn:
    """The account behind a staff row, and when it was last used (None: never)."""

    login: str
    seen_at: datetime | None


def find_staff_sign_ins(tx: Session, *, staff_ids: Iterable[UUID]) -> dict[UUID, StaffSignIn]:
    """The open accounts of these staff rows; who has none is absent."""
    rows = tx.execute(
        select(AccountRole.staff_id, Account.login, func.max(SignInSession.seen_at))
        .join(Account, Account.id == AccountRole.account_id)
        .outerjoin(SignInSession, SignInSession.account_id == Account.id)
        .where(AccountRole.staff_id.in_(set(staff_ids)), Account.disabled_at.is_(None))
        .group_by(AccountRole.staff_id, Account.login)
    )
    return {staff_id: StaffSignIn(login, seen_at) for staff_id, login, seen_at in rows if staff_id is not None}


def grant_role(tx: Session, *, account_id: UUID, role: Role, at: datetime, scope_id: UUID | None = None) -> None:
    """Give an account a role where it holds: a member, a staff row (assistant, owner), a unit (officer), None (auditor).

    A role held already moves to the new place. Appointments of officers and auditors are public entries, by post and not by name: a
    move is the end of one and the beginning of another, and what was held already is not said again.

    Raises AccountClosedError, and RoleConflictError when any account of the same person holds a role
    that excludes this one; those accounts are locked meanwhile.
    """
    person = select(Account.person).where(Account.id == account_id).scalar_subquery()
    mine = select(Account.id, Account.login, Account.disabled_at).where(Account.person == person)
    accounts = tx.execute(mine.order_by(Account.id).with_for_update()).all()
    for account in accounts:
        if account.id == account_id and account.disabled_at is not None:
            raise AccountClosedError(login=account.login)
    ids = [account.id for account in accounts]
    roles = select(AccountRole.account_id, AccountRole.role, AccountRole.unit_id)
    held = tx.execute(roles.where(AccountRole.account_id.in_(ids))).all()
    for other in held:
        if frozenset((role, other.role)) in CONFLICTS:
            raise RoleConflictError(held=other.role, wanted=role)
    place = dict.fromkeys(("member_id", "staff_id", "unit_id"))
    if column := SCOPES[role]:
        place[column] = cast("None", scope_id)
    tx.execute(
        insert(AccountRole)
        .values(account_id=account_id, role=role, **place)
        .on_conflict_do_update(index_elements=[AccountRole.account_id, AccountRole.role], set_=place)
    )
    if role in GUARDED_ROLES:
        before = [other.unit_id for other in held if (other.account_id, other.role) == (account_id, role)]
        if before != [scope_id]:
            for unit_id in before:
                _publish_post(tx, action="ended", role=role, unit_id=unit_id, at=at)
            _publish_post(tx, action="appointed", role=role, unit_id=scope_id, at=at)


def set_password(tx: Session, *, login: str, password: str, at: datetime) -> None:
    """Change a password and end every sign-in made with the old one. Officers and auditors need 15 characters.

    Raises AccountUnknownError, PasswordRefusedError.
    """
    account_id = get_account_id(tx, login=login)
    roles = set(tx.execute(select(AccountRole.role).where(AccountRole.account_id == account_id)).scalars())
    shortest = SHORTEST_OF_OFFICERS if roles & GUARDED_ROLES else SHORTEST
    hashed = hash_password(password, login=normalise_login(login) or "", shortest=shortest)
    tx.execute(update(Account).where(Account.id == account_id).values(password_hash=hashed))
    revoke_all_sessions(tx, account_id=account_id, at=at)


def disable_account(tx: Session, *, login: str, at: datetime) -> None:
    """Close an account: nobody signs in with it, and who is signed in is signed out. Raises AccountUnknownError."""
    account_id = get_account_id(tx, login=login)
    is_open = (Account.id == account_id, Account.disabled_at.is_(None))
    end_posts(
        tx,
        account_ids=tx.scalars(update(Account).where(*is_open).values(disabled_at=at).returning(Account.id)).all(),
        at=at,
    )
    revoke_all_sessions(tx, account_id=account_id, at=at)


def end_posts(tx: Session, *, account_ids: Sequence[UUID], at: datetime) -> None:
    """Append the public entries that what these accounts hold as officers and auditors ends; they are closed in this transaction."""
    held = select(AccountRole.role, AccountRole.unit_id).where(
        AccountRole.account_id.in_(account_ids), AccountRole.role.in_(GUARDED_ROLES)
    )
    for role, unit_id in tx.execute(held).all():
        _publish_post(tx, action="ended", role=role, unit_id=unit_id, at=at)


def _publish_post(tx: Session, *, action: str, role: str, unit_id: UUID | None, at: datetime) -> None:
    """Append the public entry of an appointment or its end: the post and its unit, whose name stands beside it, and nobody's name."""
    unit = None if unit_id is None else cards.get_unit(tx, unit_id=unit_id)
    fields = {"action": action, "post": role, **({} if unit is None else {"unit": unit.code})}
    publish_event(tx, kind="post", fields=fields, text=None if unit is None else {"unit": unit.name}, at=at)
