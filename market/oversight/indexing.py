"""What placed entries say, cut out of their bytes into tables that can be searched: amounts, offers, account movements.

Done by the sequencer after a round, off the way of any sale, in the order of the log. Nothing here is believed: the entry is what holds,
and what it says in an unexpected form is left out rather than guessed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import bindparam, func, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, Boolean, Text

from market.oversight.models import AccountMovement, EntryIndex, EntryOffer, PublicAccount
from market.record.auditing.finding import RETURNS
from market.record.entries import AMOUNTS
from market.record.models import Entry
from market.record.publishing.models import LogState

AT_ONCE: Final = 5_000
MOST: Final = 1 << 53  # canonical JSON knows no larger integer
LONGEST: Final = 200  # characters of a code; an index takes no row of any length

_STANDING = text(
    "SELECT one, last.balance_fen FROM unnest(:accounts) AS one CROSS JOIN LATERAL (SELECT balance_fen FROM account_movement"
    " WHERE account = one ORDER BY leaf_index DESC, number DESC LIMIT 1) AS last"
).bindparams(bindparam("accounts", type_=ARRAY(Text)))
_RETURNED = text(
    """
UPDATE entry_index AS sale SET
  back_fen = sale.back_fen + back.fen,
  back_leaf = coalesce(sale.back_leaf, back.leaf),
  whole_leaf = coalesce(sale.whole_leaf, CASE WHEN back.void OR sale.back_fen + back.fen >= sale.list_fen THEN back.leaf END),
  void_leaf = coalesce(sale.void_leaf, CASE WHEN back.void THEN back.leaf END)
FROM unnest(:of, :fen, :leaf, :void) AS back (public_id, fen, leaf, void)
JOIN entry ON entry.public_id = back.public_id AND entry.type = 'sale'
WHERE sale.leaf_index = entry.leaf_index AND entry.leaf_index < back.leaf
"""
).bindparams(
    bindparam("of", type_=ARRAY(Text)),
    bindparam("fen", type_=ARRAY(BigInteger)),
    bindparam("leaf", type_=ARRAY(BigInteger)),
    bindparam("void", type_=ARRAY(Boolean)),
)


Move: TypeAlias = tuple[str, int, int, str, int, int]
"""A row of `AccountMovement`: account, place, number, the other account, fen, balance after it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What an entry says: amounts by name (fen), offer versions, transfers (debit, credit, fen), its post, the sale it returns."""

    amounts: Mapping[str, int | None]
    offers: Mapping[str, int]
    transfers: Sequence[tuple[str, str, int]]
    post: str | None
    of: str | None


def read_facts(body: bytes) -> Facts:
    """What the bytes of an entry say. What is not in the form that docs/record.md gives is left out; nothing is raised."""
    try:
        said: Any = json.loads(body)
    except ValueError:
        said = {}
    return find_facts(said if isinstance(said, dict) else {})


def find_facts(said: Mapping[str, Any]) -> Facts:
    """The same of an entry whose bytes were read."""
    terms = said.get("terms")
    if isinstance(terms, dict):
        named: object = [[terms.get("id"), terms.get("version"), 0]]
    elif "offer" in said:  # that a version ended
        named = [[said["offer"], said.get("version"), 0]]
    else:
        named = said.get("offers")
    return Facts(
        amounts={name: integer_of(said.get(name)) for name in AMOUNTS},
        offers={
            offer: version
            for offer, version, _ in reversed(rows_of(named))
            if code_of(offer) and integer_of(version) is not None
        },
        transfers=[
            (debit, credit, fen)
            for debit, credit, fen in rows_of(said.get("transfers"))
            if code_of(debit) and code_of(credit) and (integer_of(fen) or 0) > 0
        ],
        post=code_of(said.get("post")),
        of=code_of(said.get("of")),
    )


def index_entries(tx: Session, *, most: int = AT_ONCE) -> int:
    """Cut out what the next `most` placed entries say; how many it were. Whoever does it holds the lock of the log."""
    tx.execute(select(LogState.id).with_for_update())
    begin = indexed_size(tx)
    columns = (Entry.leaf_index, Entry.type, Entry.merchant, Entry.day, Entry.body)
    rows = tx.execute(select(*columns).where(Entry.leaf_index >= begin).order_by(Entry.leaf_index).limit(most)).all()
    if not rows:
        return 0
    read = [(cast("int", row.leaf_index), row.type, read_facts(row.body)) for row in rows]
    _copy(
        tx,
        EntryIndex.__tablename__,
        ("leaf_index", "type", "merchant", "day", "post", *(f"{name}_fen" for name in AMOUNTS)),
        (
            (row.leaf_index, row.type, row.merchant, row.day, facts.post, *facts.amounts.values())
            for row, (_, _, facts) in zip(rows, read, strict=True)
        ),
    )
    _copy(
        tx,
        EntryOffer.__tablename__,
        ("offer", "version", "leaf_index"),
        ((offer, version, leaf) for leaf, _, facts in read for offer, version in facts.offers.items()),
    )
    moves = _move(tx, [(leaf, facts) for leaf, _, facts in read])
    _copy(tx, AccountMovement.__tablename__, ("account", "leaf_index", "number", "other", "fen", "balance_fen"), moves)
    _note_accounts(tx, moves)
    for back in _returns(read):
        tx.execute(_RETURNED, back)
    return len(rows)


def indexed_size(tx: Session) -> int:
    """How many entries from the log's beginning can be searched."""
    last: int | None = tx.scalar(select(func.max(EntryIndex.leaf_index)))
    return 0 if last is None else last + 1


def _note_accounts(tx: Session, moves: Sequence[Move]) -> None:
    """List those accounts that these movements, in their order, are the first ones of."""
    first: dict[str, int] = {}
    for account, leaf, *_ in moves:
        first.setdefault(account, leaf)
    there = set(tx.scalars(select(PublicAccount.account).where(PublicAccount.account.in_(first))))
    new = [
        {"account": account, "kind": kind_of(account), "first_leaf": leaf}
        for account, leaf in first.items()
        if account not in there
    ]
    if new:
        tx.execute(insert(PublicAccount), new)


def _move(tx: Session, read: Sequence[tuple[int, Facts]]) -> list[Move]:
    """The movements of these entries, each with what its account held after it."""
    accounts = {account for _, facts in read for transfer in facts.transfers for account in transfer[:2]}
    held = dict.fromkeys(accounts, 0)
    held |= {row.one: row.balance_fen for row in tx.execute(_STANDING, {"accounts": sorted(accounts)})}
    rows: list[Move] = []
    for leaf, facts in read:
        sides = (
            side for debit, credit, fen in facts.transfers for side in ((debit, credit, -fen), (credit, debit, fen))
        )
        for number, (account, other, fen) in enumerate(sides):
            held[account] += fen
            rows.append((account, leaf, number, other, fen, held[account]))
    return rows


def _returns(read: Sequence[tuple[int, str, Facts]]) -> list[dict[str, list[Any]]]:
    """The returns among these entries, in rounds in which no sale stands twice."""
    rounds: list[dict[str, tuple[str, int, int, bool]]] = []
    for leaf, kind, facts in read:
        if kind not in RETURNS or facts.of is None:
            continue
        free = next((each for each in rounds if facts.of not in each), None)
        if free is None:
            rounds.append(free := {})
        free[facts.of] = (facts.of, facts.amounts["list"] or 0, leaf, kind == "void")
    return [
        dict(zip(("of", "fen", "leaf", "void"), map(list, zip(*each.values(), strict=True)), strict=True))
        for each in rounds
    ]


def _copy(tx: Session, table: str, columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    cursor: Any = tx.connection().connection.cursor()
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def kind_of(account: str) -> str:
    """The first part of an account's code."""
    return account.partition(":")[0]


def rows_of(value: object) -> list[list[Any]]:
    """Those rows of a list that have three parts."""
    return [row for row in value if isinstance(row, list) and len(row) == 3] if isinstance(value, list) else []


def code_of(value: object) -> str | None:
    """A code that can be kept and found; None for anything else."""
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable() else None


def integer_of(value: object) -> int | None:
    """An integer that can be kept and added up; None for anything else."""
    return value if type(value) is int and abs(value) < MOST else None
