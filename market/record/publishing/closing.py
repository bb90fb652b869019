"""The daily close: what every public account held at the end of a day, from the transfers of the ledger and not from the entries.

So whoever adds up the transfers in the entries compares two things. Money that an order has reserved still counts as its purse's: in public
it moves when the order is paid.

An account that purchases touched which are in no batch of this day or earlier is left out: its balance would tell their amounts. It is
said at the next close that tells nothing, at the latest when the month is over.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import any_, bindparam, cast, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, Boolean, Text

from market.kit.canonical import canonical_json
from market.kit.clock import business_day
from market.ledger.models import Transfer
from market.record.operations import publish_event
from market.record.policy import Policy
from market.record.publication import GRACE
from market.record.publishing.models import ClosedBalance, LogState
from market.record.publishing.unmade import attempt

MOST_BYTES: Final = 60_000  # of balances in one entry: it has 65,535 at most, with what else it says

PUBLIC_ACCOUNT: Final = """CASE WHEN starts_with(account, 'allowance:') THEN 'allowances'
  WHEN starts_with(account, 'rebates:member:') THEN 'rebates:members' ELSE account END"""
"""`public_account` as an expression of SQL: accounts of single persons are summed where they lie, there may be millions."""

_MOVED: Final = text(
    f"""
WITH moved AS (
  SELECT debit, credit, amount_fen FROM transfer
  WHERE day = :day AND event NOT IN ('order', 'release') AND debit NOT LIKE 'reserved:%'
  UNION ALL
  SELECT o.debit, t.credit, o.amount_fen FROM transfer t JOIN transfer o ON o.credit = t.debit AND o.event = 'order'
  WHERE t.day = :day AND t.event = 'sale' AND t.debit LIKE 'reserved:%')
SELECT {PUBLIC_ACCOUNT} AS public, sum(fen)::bigint AS fen FROM (
  SELECT credit AS account, amount_fen AS fen FROM moved UNION ALL SELECT debit, -amount_fen FROM moved) AS sides
GROUP BY public
"""  # noqa: S608  our own words
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

_KEEP: Final = text(
    """
INSERT INTO closed_balance (account, day, fen, is_held)
SELECT account, :day, fen, is_held FROM unnest(:accounts, :fens, :held) AS one (account, fen, is_held)
ON CONFLICT (account) DO UPDATE SET day = excluded.day, fen = excluded.fen, is_held = excluded.is_held
"""
).bindparams(
    bindparam("accounts", type_=ARRAY(Text)),
    bindparam("fens", type_=ARRAY(BigInteger)),
    bindparam("held", type_=ARRAY(Boolean)),
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
    moved = {row.public: row.fen for row in tx.execute(_MOVED, {"day": day})}
    is_open = (ClosedBalance.account == any_(cast(list(moved), ARRAY(Text)))) | ClosedBalance.is_held
    before = select(ClosedBalance.account, ClosedBalance.fen).where(is_open)
    balances = {row.account: row.fen for row in tx.execute(before)}
    for account, fen in moved.items():
        balances[account] = balances.get(account, 0) + fen
    if not balances:
        return False
    unsaid = set(tx.execute(_UNSAID, {"day": day}).scalars())
    held = [account in unsaid for account in balances]
    tx.execute(_KEEP, {"day": day, "accounts": list(balances), "fens": list(balances.values()), "held": held})
    pairs = sorted((account, fen) for account, fen in balances.items() if account not in unsaid)
    for part in split_balances(pairs):
        publish_event(tx, kind="close", fields={"period": "day", "ccy": "CNY", "balances": part}, at=at, day=day)
    return bool(pairs)


def split_balances(pairs: Iterable[tuple[str, int]]) -> Iterator[dict[str, int]]:
    """Balances in their order, as many in each part as an entry has room for."""
    part: dict[str, int] = {}
    size = 0
    for account, fen in pairs:
        bytes_count = len(canonical_json({account: fen})) - 1  # a comma instead of two braces
        if part and size + bytes_count > MOST_BYTES:
            yield part
            part, size = {}, 0
        part[account] = fen
        size += bytes_count
    if part:
        yield part
