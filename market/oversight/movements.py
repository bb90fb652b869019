"""Public accounts, their movements in the order of the log and what each held after every one of them: published entries only."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, any_, bindparam, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from market.oversight.models import PublicAccount
from market.record.publishing.served import published_size

Place = tuple[int, int]
"""The place of an entry in the log, and which side of a transfer in it."""


@dataclass(frozen=True, slots=True)
class AccountsWanted:
    """Which accounts of a log of `size` entries: of a kind or all, whose code holds `query` whatever its case, or that are `named` so."""

    size: int
    kind: str = ""
    query: str = ""
    named: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """What a public account holds: credits less debits of the published entries, in fen; `last_on` is the day of its last movement."""

    account: str
    fen: int
    last_on: date


@dataclass(frozen=True, slots=True)
class Movement:
    """What an account was credited by an entry (debited: negative) against another one, and what it held then, in fen."""

    leaf_index: int
    number: int
    public_id: str
    kind: str
    day: date
    other: str
    fen: int
    balance_fen: int


@dataclass(frozen=True, slots=True)
class MovementPage:
    """Movements, the last first; `older` is where the next page goes on. Balances before and after all of them, in fen."""

    movements: Sequence[Movement]
    older: Place | None
    opening_fen: int
    closing_fen: int


_HELD = text(
    """
SELECT named.account, last.balance_fen, i.day FROM unnest(:accounts) AS named(account) CROSS JOIN LATERAL (
  SELECT leaf_index, balance_fen FROM account_movement AS m WHERE m.account = named.account AND m.leaf_index < :size
  ORDER BY leaf_index DESC, number DESC LIMIT 1) AS last JOIN entry_index AS i ON i.leaf_index = last.leaf_index ORDER BY account
"""
).bindparams(bindparam("accounts", type_=ARRAY(Text)))
_ONE_HELD = text(
    "SELECT account, balance_fen, day FROM account_movement JOIN entry_index USING (leaf_index) WHERE account = :account"
    " AND leaf_index < :size ORDER BY leaf_index DESC, number DESC LIMIT 1"
)
_MOVEMENTS: Final = """
SELECT m.leaf_index, m.number, e.public_id, e.type, e.day, m.other, m.fen, m.balance_fen FROM (
  SELECT * FROM account_movement WHERE account = :account AND leaf_index < :size AND (leaf_index, number) {sign} (:leaf, :number)
  ORDER BY leaf_index {way}, number {way} LIMIT :most
) AS m JOIN entry AS e ON e.leaf_index = m.leaf_index ORDER BY m.leaf_index {way}, m.number {way}
"""
_DOWN = text(_MOVEMENTS.format(sign="<", way="DESC"))
_UP = text(_MOVEMENTS.format(sign=">", way="ASC"))


def list_account_kinds(tx: Session, *, size: int) -> list[str]:
    """The kinds of the accounts that the first `size` entries of the log moved."""
    return list(tx.scalars(select(PublicAccount.kind).where(PublicAccount.first_leaf < size).distinct()))


def count_accounts(tx: Session, wanted: AccountsWanted) -> int:
    """How many accounts are wanted."""
    return tx.scalar(select(func.count()).select_from(PublicAccount).where(*_conditions(wanted))) or 0


def list_accounts(
    tx: Session, wanted: AccountsWanted, *, kinds: Sequence[str] = (), offset: int = 0, limit: int | None = None
) -> list[str]:
    """The codes of the accounts wanted, those of `kinds` first and in their order, of a kind by code."""
    place = func.array_position(literal(list(kinds), ARRAY(Text)), PublicAccount.kind)
    rows = (
        select(PublicAccount.account)
        .where(*_conditions(wanted))
        .order_by(place.nulls_last(), PublicAccount.kind, PublicAccount.account)
    )
    return list(tx.scalars(rows.offset(offset).limit(limit)))


def list_held(tx: Session, *, accounts: Sequence[str], size: int) -> list[Held]:
    """What these accounts hold after the first `size` entries of the log, by code; those that never moved are left out."""
    return [Held(*row) for row in tx.execute(_HELD, {"accounts": list(accounts), "size": size})]


def find_account(tx: Session, *, account: str) -> Held | None:
    """What one public account holds; None where no published entry ever moved it."""
    row = tx.execute(_ONE_HELD, {"account": account, "size": published_size(tx)}).one_or_none()
    return None if row is None else Held(*row)


def list_movements(tx: Session, *, account: str, before: Place | None = None, limit: int) -> MovementPage:
    """A page of one account's movements, the last first. Any page costs the same: the balance stands with each movement."""
    size = published_size(tx)
    leaf, number = before or (size, 0)
    rows = [Movement(*row) for row in tx.execute(_DOWN, _values(account, size, leaf, number, limit + 1))]
    page = rows[:limit]
    return MovementPage(
        movements=page,
        older=(page[-1].leaf_index, page[-1].number) if len(rows) > limit else None,
        opening_fen=page[-1].balance_fen - page[-1].fen if page else 0,
        closing_fen=page[0].balance_fen if page else 0,
    )


def read_movements(tx: Session, *, account: str, size: int, after: Place | None, limit: int) -> list[Movement]:
    """The next movements of one account in a log of `size` entries, in their order: for files."""
    leaf, number = after or (-1, 0)
    return [Movement(*row) for row in tx.execute(_UP, _values(account, size, leaf, number, limit))]


def _conditions(wanted: AccountsWanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [PublicAccount.first_leaf < wanted.size]
    if wanted.kind:
        conditions.append(PublicAccount.kind == wanted.kind)
    if query := wanted.query.strip():
        is_named = PublicAccount.account == any_(literal(list(wanted.named), ARRAY(Text)))
        conditions.append(or_(PublicAccount.account.icontains(query, autoescape=True), is_named))
    return conditions


def _values(account: str, size: int, leaf: int, number: int, most: int) -> dict[str, Any]:
    return {"account": account, "size": size, "leaf": leaf, "number": number, "most": most}
