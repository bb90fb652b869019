"""`huigong user …`: accounts made on the host. Passwords are asked for, never given as arguments, which others can see."""

from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.commands.database import open_database
from api.identity import create_account, disable_account, grant_role, set_password
from api.identity.accounts import Role
from cards.models import Member, Unit
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import InvalidError
from merchants import add_staff
from merchants.models import Merchant, Shop

console = Console(stderr=True)


class PlaceMissingError(InvalidError):
    """The role holds at a place, and that place was not given or does not exist."""

    code = "PLACE_MISSING"
    zh = "{role} 需要有效的 --at：{place}。"
    en = "{role} needs --at with an existing {place}."


PLACES = {
    "member": "staff number of a member",
    "assistant": "shop code",
    "owner": "merchant code",
    "officer": "unit code",
}


def add(
    login: Annotated[str, typer.Argument(help="What the person types to sign in.")],
    name: Annotated[str, typer.Option(help="The person's name.")],
    role: Annotated[Role, typer.Option(help="member, assistant, owner, officer or auditor.")],
    at: Annotated[str, typer.Option(help="Where the role holds: staff number, shop, merchant or unit code.")] = "",
) -> None:
    """Make an account with a role, and ask for its password."""
    secret = _ask()
    with open_database(), transaction() as tx:
        account_id = create_account(tx, login=login, name=name, at=now())
        grant_role(tx, account_id=account_id, role=role, at=now(), scope_id=_place(tx, role, at, name=name))
        set_password(tx, login=login, password=secret, at=now())
    console.print(f"{login} may sign in now.")


def password(login: Annotated[str, typer.Argument(help="Whose password to change.")]) -> None:
    """Ask for a new password; every sign-in made with the old one ends."""
    secret = _ask()
    with open_database(), transaction() as tx:
        set_password(tx, login=login, password=secret, at=now())
    console.print(f"The password of {login} is changed; every earlier sign-in has ended.")


def disable(login: Annotated[str, typer.Argument(help="Which account to close.")]) -> None:
    """Close an account and end its sign-ins."""
    with open_database(), transaction() as tx:
        disable_account(tx, login=login, at=now())
    console.print(f"{login} may not sign in any more.")


def _ask() -> str:
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _place(tx: Session, role: Role, code: str, *, name: str) -> UUID | None:
    """The row where a role holds; an assistant or owner is entered as staff of the shop or merchant."""
    if role == "auditor":
        return None
    found: UUID | None = None
    if role == "member":
        found = tx.scalar(select(Member.id).where(Member.staff_number == code))
    elif role == "officer":
        found = tx.scalar(select(Unit.id).where(Unit.code == code))
    elif role == "owner":
        merchant_id = tx.scalar(select(Merchant.id).where(Merchant.code == code))
        found = merchant_id and add_staff(tx, merchant_id=merchant_id, name=name)
    elif shop := tx.execute(select(Shop.id, Shop.merchant_id).where(Shop.code == code)).one_or_none():
        found = add_staff(tx, merchant_id=shop.merchant_id, name=name, shop_id=shop.id)
    if found is None:
        raise PlaceMissingError(role=role, place=PLACES[role], field="at", problem="unknown")
    return found
