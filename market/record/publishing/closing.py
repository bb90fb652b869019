"""The daily close: what every public account held at the end of a day, from the transfers of the ledger and not from the entries.

So whoever adds up the transfers in the entries compares two things. Money that an order has reserved still counts as its purse's: in public
it moves when the order is paid.

An account that purchases touched which are in no batch of this day or earlier is left out: its balance would tell their amounts. It is
said at the next close that tells nothing, at the latest when the month is over.
"""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.ledger.models import Transfer
from market.record.entries import public_account
from market.record.operations import publish_event
from market.record.policy import Policy
from market.record.publishing.models import ClosedBalance, LogState
from market.record.publishing.unmade import attempt

GRACE: Final = timedelta(minutes=10)  # no transaction lasts as long
ACCOUNTS_AN_ENTRY: Final = 1_000  # so that it stays below 65,535 bytes

_MOVED: Final = text(
    """
WITH moved AS (
  SELECT debit, credit, amount_fen FROM transfer
  WHERE day = :day AND event NOT IN ('order', 'release') AND debit NOT LIKE 'reserved:%'
  UNION ALL
  SELECT o.debit, t.credit, o.amount_fen FROM transfer t JOIN transfer o ON o.credit = t.debit AND o.event = 'order'
  WHERE t.day = :day AND t.event = 'sale' AND t.debit LIKE 'reserved:%')
SELECT account, sum(fen)::bigint AS fen FROM (
  SELECT credit AS account, amount_fen AS fen FROM moved UNION ALL SELECT debit, -amount_fen FROM moved) AS sides
GROUP BY account
"""
)

_UNSAID: Final = text(
    """
WITH unsaid AS (
  SELECT body FROM entry WHERE is_batched AND batch_id IS NULL AND day <= :day
  UNION ALL
  SELECT e.body FROM entry b JOIN entry e ON e.batch_id = b.id WHERE b.type = 'batch' AND b.day > :day AND e.day <= :day)
SELECT DISTINCT side FROM unsaid
  CROSS JOIN LATERAL jsonb_array_elements(convert_from(body, 'UTF8')::jsonb -> 'transfers') AS move
  CROSS JOIN LATERAL (VALUES (move ->> 0), (move ->> 1)) AS sides (side)
"""
)


def close_days(tx: Session, *, policy: Policy, at: datetime) -> list[date]:
    """Publish the balances of the days that are over and not closed yet; a day with nothing to say has no entry. Answers those that have.

    A day that cannot be closed leaves those before it closed, and is tried again (`unmade`); those after it count on from it, and wait.
    """
    tx.execute(select(LogState.id).with_for_update())  # one at a time
    last = tx.scalar(select(func.max(ClosedBalance.day)))
    first = tx.scalar(select(func.min(Transfer.day)))
    if first is None:
        return []
    window = timedelta(seconds=policy.window_seconds)
    day, beyond = (last + timedelta(days=1) if last else first), business_day(at - GRACE - window)
    closed = []
    while day < beyond:
        with attempt(tx, kind="close", subject=day.isoformat(), at=at) as tried:
            if _close(tx, day, at=at):
                closed.append(day)
        if not tried.is_made:
            break
        day += timedelta(days=1)
    return closed


def _close(tx: Session, day: date, *, at: datetime) -> bool:
    moved: dict[str, int] = {}
    for account, fen in tx.execute(_MOVED, {"day": day}):
        public = public_account(account)
        moved[public] = moved.get(public, 0) + fen
    is_open = ClosedBalance.account.in_(moved) | ClosedBalance.is_held
    before = select(ClosedBalance.account, ClosedBalance.fen).where(is_open)
    balances = Counter({row.account: row.fen for row in tx.execute(before)})
    balances.update(moved)
    if not balances:
        return False
    unsaid = set(tx.execute(_UNSAID, {"day": day}).scalars())
    rows = [
        {"account": account, "day": day, "fen": fen, "is_held": account in unsaid} for account, fen in balances.items()
    ]
    upsert = insert(ClosedBalance)
    changed = {name: upsert.excluded[name] for name in ("day", "fen", "is_held")}
    tx.execute(upsert.on_conflict_do_update(index_elements=["account"], set_=changed), rows)
    pairs = sorted((account, fen) for account, fen in balances.items() if account not in unsaid)
    for begin in range(0, len(pairs), ACCOUNTS_AN_ENTRY):
        part = dict(pairs[begin : begin + ACCOUNTS_AN_ENTRY])
        publish_event(tx, kind="close", fields={"period": "day", "ccy": "CNY", "balances": part}, at=at, day=day)
    return bool(pairs)
