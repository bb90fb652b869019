"""Budgets of the union: opened by a level that bears them, filled by two persons, and each such act a public entry."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.kit.errors import invariant
from market.kit.ids import new_id
from market.ledger.models import Budget, Grant
from market.ledger.operations import TwoPersonsError, fill_balance, open_balance, post
from market.ledger.postings import Event, budget_account, post_grant
from market.record.codes import is_code
from market.record.entries import PublicTransfer, sum_transfers
from market.record.operations import publish_event


def open_budget(tx: Session, *, code: str, title: str, sponsor: str, slots: int, at: datetime) -> None:
    """Open a budget of 0 fen borne by `sponsor` (a union level). A hot one wants more `slots`: that many tills draw at once."""
    invariant(1 <= slots <= 64, "a budget has 1 to 64 slots")
    invariant(is_code(code) and is_code(sponsor), "a budget and who bears it are named in the record by codes")
    tx.execute(insert(Budget).values(code=code, title=title, sponsor=sponsor, slots=slots, created_at=at))
    open_balance(tx, balance=budget_account(code), unit="fen", slots=slots)
    opened = {"action": "opened", "budget": code, "sponsor": sponsor}
    publish_event(tx, kind="budget", fields=opened, text={"title": title}, at=at)


def is_open(tx: Session, code: str) -> bool:
    """Whether there is a budget of this code."""
    return tx.scalar(select(Budget.code).where(Budget.code == code)) is not None


def grant_budget(
    tx: Session, *, budget: str, amount_fen: int, key: str, proposed_by: UUID, approved_by: UUID, at: datetime
) -> bool:
    """Put `amount_fen` into a budget, evenly over its slots. The same `key` a second time changes nothing and answers False."""
    if proposed_by == approved_by:
        raise TwoPersonsError
    invariant(is_open(tx, budget), f"budget {budget} is open before it is granted")
    grant = new_id()
    made = tx.scalar(
        upsert(Grant)
        .values(
            id=grant,
            key=key,
            budget=budget,
            amount_fen=amount_fen,
            proposed_by=proposed_by,
            approved_by=approved_by,
            at=at,
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(Grant.id)
    )
    if made is None:
        return False
    event = Event("grant", grant, business_day(at), at)
    postings = post_grant(budget, amount_fen)
    moved = [PublicTransfer(posting.debit, posting.credit, posting.amount_fen) for posting in postings]
    fields = {"action": "granted", "budget": budget, "ccy": "CNY", "transfers": sum_transfers(moved)}
    publish_event(tx, kind="budget", fields=fields, at=at)
    post(tx, event=event, postings=postings, draws=())
    fill_balance(tx, balance=budget_account(budget), amount=amount_fen)
    return True
