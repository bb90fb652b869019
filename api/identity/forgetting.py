"""The sign-ins of a member who is erased: all accounts of that human being go, with their sessions and roles."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from api.identity.accounts import end_posts
from api.identity.models import Account, AccountRole, SignInSession
from market.kit.errors import ConflictError


class PostHeldError(ConflictError):
    """Somebody who still acts for the union or a merchant is not deleted."""

    code = "POST_HELD"
    zh = "这位会员还有干部、经审、商户或店员的账号。先停用那个账号（huigong user disable），再删除。"
    en = (
        "This member still has an account as officer, auditor, merchant or shop assistant. Close that one first (huigong user disable), "
        "then delete."
    )


def list_persons(tx: Session, *, member_id: UUID) -> list[UUID]:
    """The persons behind the accounts of a member; an account or two, and one human being."""
    mine = select(AccountRole.account_id).where(AccountRole.member_id == member_id)
    return list(tx.scalars(select(Account.person).where(Account.id.in_(mine)).distinct()))


def has_post(tx: Session, *, member_id: UUID) -> bool:
    """Whether this human being can still sign in for something else than as a member."""
    persons = list_persons(tx, member_id=member_id)
    held = (
        select(AccountRole.role)
        .join(Account, Account.id == AccountRole.account_id)
        .where(Account.person.in_(persons), Account.disabled_at.is_(None), AccountRole.role != "member")
    )
    return tx.scalar(held.limit(1)) is not None


def forget_accounts(tx: Session, *, member_id: UUID, at: datetime) -> None:
    """Delete every account of a member, and whoever is signed in with one is signed out. What they did keeps their opaque id.

    A restored backup may know one as an officer's or auditor's whose end it has lost: that is said again.
    """
    persons = list_persons(tx, member_id=member_id)
    mine = select(Account.id, Account.disabled_at).where(Account.person.in_(persons)).with_for_update()
    found = tx.execute(mine).all()
    end_posts(tx, account_ids=[account.id for account in found if account.disabled_at is None], at=at)
    accounts = [account.id for account in found]
    tx.execute(delete(SignInSession).where(SignInSession.account_id.in_(accounts)))
    tx.execute(delete(AccountRole).where(AccountRole.account_id.in_(accounts)))
    tx.execute(delete(Account).where(Account.id.in_(accounts)))
