"""The daily close: what every public account held at the end of a day, from the transfers of the ledger and not from the entries.

So whoever adds up the transfers in the entries compares two things. Money that an order has reserved still counts as its purse's: in public
it moves when the order is paid.
"""

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.ledger.models import Transfer
from market.record.entries import public_account
from market.record.models import Entry
from market.record.operations import publish_event
from market.record.policy import Policy
from market.record.publishing.models import ClosedBalance, LogState

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


def close_days(tx: Session, *, policy: Policy, at: datetime) -> list[date]:
    """Publish the balances of the days that are over and not closed yet; a day on which nothing moved has no entry."""
    tx.execute(select(LogState.id).with_for_update())  # one at a time
    last = tx.scalar(select(func.max(Entry.day)).where(Entry.type == "close"))
    first = tx.scalar(select(func.min(Transfer.day)))
    if first is None:
        return []
    window = timedelta(seconds=policy.window_seconds)
    day, beyond = (last + timedelta(days=1) if last else first), business_day(at - GRACE - window)
    closed = []
    while day < beyond:
        if _close(tx, day, at=at):
            closed.append(day)
        day += timedelta(days=1)
    return closed


def _close(tx: Session, day: date, *, at: datetime) -> bool:
    moved: dict[str, int] = {}
    for account, fen in tx.execute(_MOVED, {"day": day}):
        public = public_account(account)
        moved[public] = moved.get(public, 0) + fen
    if not moved:
        return False
    before = select(ClosedBalance.account, ClosedBalance.fen).where(ClosedBalance.account.in_(moved))
    held = {row.account: row.fen for row in tx.execute(before)}
    balances = {account: held.get(account, 0) + fen for account, fen in sorted(moved.items())}
    rows = [{"account": account, "day": day, "fen": fen} for account, fen in balances.items()]
    upsert = insert(ClosedBalance)
    changed = {"day": upsert.excluded.day, "fen": upsert.excluded.fen}
    tx.execute(upsert.on_conflict_do_update(index_elements=["account"], set_=changed), rows)
    pairs = list(balances.items())
    for begin in range(0, len(pairs), ACCOUNTS_AN_ENTRY):
        part = dict(pairs[begin : begin + ACCOUNTS_AN_ENTRY])
        publish_event(tx, kind="close", fields={"period": "day", "ccy": "CNY", "balances": part}, at=at, day=day)
    return True
