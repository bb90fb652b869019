"""Writes of the ledger. Transfers and balances change here and in the database function `ledger_post` only."""

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, invariant
from market.ledger.models import Balance
from market.ledger.postings import Draw, Event, Posting

_POST = text("SELECT ledger_post(CAST(:transfers AS jsonb), CAST(:draws AS jsonb))")
_FILL = text("""
    WITH slots AS MATERIALIZED (SELECT slot FROM balance WHERE id = :id ORDER BY slot FOR NO KEY UPDATE),
    filled AS (
      UPDATE balance b SET left_over = left_over + CAST(:amount AS bigint) / n.number
        + CASE WHEN b.slot < CAST(:amount AS bigint) % n.number THEN 1 ELSE 0 END
      FROM (SELECT count(*) AS number FROM slots) AS n WHERE b.id = :id AND n.number > 0 RETURNING b.slot)
    SELECT count(*) FROM filled
""")
BALANCES = (
    select(Balance.id, func.sum(Balance.left_over)).where(Balance.id == func.any(bindparam("ids"))).group_by(Balance.id)
)
"""What is left of each balance in the list `ids`, as `get_balances` reads it."""


class BalanceShortError(ConflictError):
    """A bounded balance does not hold what was to be drawn; nothing may be committed after it."""

    code = "BALANCE_SHORT"
    zh = "{balance} 余额不足，请重新试算。"
    en = "{balance} does not hold enough; ask for the price again."


class TwoPersonsError(ConflictError):
    """The same person proposed and approved."""

    code = "TWO_PERSONS"
    zh = "提出人不能自己批准，请由另一位经办人批准。"
    en = "Whoever proposed it cannot approve it; ask a second person."


def post(tx: Session, *, event: Event, postings: Sequence[Posting], draws: Iterable[Draw]) -> None:
    """Write the transfers of an event and move the bounded balances, in one statement.

    Touch it last: from here on nothing else may fail. Raises BalanceShortError; the caller must then roll back.
    """
    post_together(tx, booked=[(event, postings)], draws=draws)


def post_together(tx: Session, *, booked: Sequence[tuple[Event, Sequence[Posting]]], draws: Iterable[Draw]) -> None:
    """Write the transfers of several events of one transaction and move the balances of all of them, in one statement.

    A second call in the same transaction could deadlock with another's first: balances are locked in the order of their ids.
    Raises BalanceShortError; the caller must then roll back.
    """
    postings = [posting for _, made in booked for posting in made]
    invariant(all(posting.amount_fen > 0 for posting in postings), "a transfer moves more than nothing")
    transfers = [row for event, made in booked for row in event.rows(made)]
    rows = [
        {"id": draw.balance, "amount": draw.amount, "initial": draw.initial, "unit": draw.unit}
        for draw in draws
        if draw.amount
    ]
    if not rows and not postings:
        return
    invariant(len({row["id"] for row in rows}) == len(rows), "one draw for each balance")
    short = tx.connection().scalar(_POST, {"transfers": json.dumps(transfers), "draws": json.dumps(rows)})
    if short is not None:
        raise BalanceShortError(balance=short)


def get_balances(tx: Session, ids: Sequence[str]) -> dict[str, int]:
    """What is left of each balance (all its slots); one that was never touched is absent."""
    if not ids:
        return {}
    return {id_: int(left) for id_, left in tx.connection().execute(BALANCES, {"ids": list(ids)})}


def open_balance(tx: Session, *, balance: str, unit: str, slots: int) -> None:
    """Make a balance of nothing in so many slots; one that is there stays as it is."""
    rows = [{"id": balance, "slot": slot, "unit": unit, "left_over": 0} for slot in range(slots)]
    tx.execute(upsert(Balance).on_conflict_do_nothing(), rows)


def fill_balance(tx: Session, *, balance: str, amount: int) -> None:
    """Add to an open balance, evenly over its slots, which are locked in their order."""
    invariant(amount > 0, "a balance is filled with more than nothing")
    done = tx.execute(_FILL, {"amount": amount, "id": balance})
    invariant(done.scalar_one(), f"balance {balance} is open before it is filled")
