"""The auditor's search over all entries: those that still wait to be published, then the published ones, the highest place first.

A purchase that is published in a batch is found as that batch, and by itself only as long as it waits for one.

What has a place is found in the tables that `indexing` made, by key at any depth; what waits is read from its bytes. Months of purchases may
wait for their batch, so a page looks at so many of them and no more, and goes on from there.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Date

from market.oversight.indexing import indexed_size, read_facts
from market.record.policy import OTHERS, RANK_OF_TYPE, RANKS, WINDOWED
from market.record.publishing.served import published_size

SaleState: TypeAlias = Literal["done", "part_refunded", "refunded", "void"]
State: TypeAlias = Literal["published", "waiting", "done", "part_refunded", "refunded", "void"]
AmountName: TypeAlias = Literal["list", "concession", "subsidy", "paid", "rebate_member", "rebate_union"]
Cursor: TypeAlias = int | tuple[int, UUID]
"""Where a page goes on: below this place; or, among what waited when so many could be searched, before this row.

So what is published while somebody turns the pages stays where he is going to meet it, and nothing comes twice.
"""

WAITING_AT_ONCE: Final = 200
LOOKED_A_PAGE: Final = 5_000  # of what waits

_STATE = """
CASE WHEN i.type <> 'sale' THEN NULL WHEN i.void_leaf < :size THEN 'void' WHEN i.whole_leaf < :size THEN 'refunded'
     WHEN i.back_leaf < :size THEN 'part_refunded' ELSE 'done' END
"""
_STATE_IS: Final = {
    "published": "i.leaf_index < :size",
    "waiting": "i.leaf_index >= :size",
    "done": "i.type = 'sale' AND (i.back_leaf IS NULL OR i.back_leaf >= :size) AND i.leaf_index < :size",
    "part_refunded": "i.back_leaf < :size AND (i.whole_leaf IS NULL OR i.whole_leaf >= :size)",
    "refunded": "i.back_leaf IS NOT NULL AND i.whole_leaf < :size AND (i.void_leaf IS NULL OR i.void_leaf >= :size)",
    "void": "i.back_leaf IS NOT NULL AND i.void_leaf < :size",
}
_BOUNDS = text(
    """
SELECT min(low) AS low, max(high) AS high FROM unnest(:days) AS one_day
CROSS JOIN LATERAL (SELECT leaf_index AS low FROM entry_index WHERE day = one_day ORDER BY leaf_index LIMIT 1) AS lowest
CROSS JOIN LATERAL (SELECT leaf_index AS high FROM entry_index WHERE day = one_day ORDER BY leaf_index DESC LIMIT 1) AS highest
"""
).bindparams(bindparam("days", type_=ARRAY(Date)))
_DAYS = text(
    "SELECT (SELECT day FROM entry_index ORDER BY day LIMIT 1), (SELECT day FROM entry_index ORDER BY day DESC LIMIT 1)"
)

# Whether an entry is soon met going down by place, or must be looked for by its amount, is told by the very values that are asked for: a plan
# made once for any values takes ten times as long for some.
_PLANNED_ANEW = text("SET LOCAL plan_cache_mode = force_custom_plan")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are wanted; what is None may be anything. Days and amounts (fen, of the amount `of`) are inclusive.

    `state` is `waiting` or `published`, or the state of a published sale.
    """

    kind: str | None = None
    merchant: str | None = None
    offer: str | None = None
    version: int | None = None
    first: date | None = None
    last: date | None = None
    of: AmountName = "list"
    least_fen: int | None = None
    most_fen: int | None = None
    state: State | None = None
    post: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An entry with its place, None while it has none; of a published sale its state. `row` is its row's id."""

    row: UUID
    leaf_index: int | None
    public_id: str
    kind: str
    merchant: str | None
    day: date
    body: bytes
    is_published: bool
    state: SaleState | None


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Entries in their order, and where the next page goes on (None at the end).

    `looked` where the page ends before it is full, because so many of those that wait were looked at for it.
    """

    entries: Sequence[Found]
    older: Cursor | None
    looked: int | None = None


def search_entries(
    tx: Session, *, wanted: Wanted, before: Cursor | None = None, limit: int, looked: int = LOOKED_A_PAGE
) -> FoundPage:
    """A page of up to `limit` entries, the newest first: what waits, of which it looks at `looked`, then what has a place."""
    size, indexed = published_size(tx), indexed_size(tx)
    found: list[Found] = []
    row: UUID | None = None
    if isinstance(before, tuple):
        indexed, row = min(before[0], indexed), before[1]
    if not isinstance(before, int) and wanted.state in {None, "waiting"}:
        floor = _find_floor(tx, indexed=indexed, before=row, looked=looked)
        waiting = _read_waiting(tx, wanted, size=size, indexed=indexed, before=row, floor=floor)
        found = list(islice(waiting, limit + 1))
        if floor is not None and len(found) <= limit:
            return FoundPage(found, (indexed, floor), looked)
    if len(found) <= limit and (wanted.state != "waiting" or indexed > size):
        top = min(before, indexed) if isinstance(before, int) else indexed
        found += list_indexed(tx, wanted=wanted, size=size, before=top, limit=limit + 1 - len(found))
    page = found[:limit]
    if len(found) <= limit:
        return FoundPage(page, None)
    last = page[-1]
    is_placed = last.leaf_index is not None and last.leaf_index < indexed
    return FoundPage(page, last.leaf_index if is_placed else (indexed, last.row))


def list_indexed(
    tx: Session,
    *,
    wanted: Wanted,
    size: int,
    limit: int,
    before: int | None = None,
    since: int | None = None,
) -> list[Found]:
    """Up to `limit` searchable entries below place `before`, downwards, or from place `since` on, upwards and below `size`.

    States of sales are those of a log of `size` entries.
    """
    low, high = 0 if since is None else since, size if before is None else before
    values: dict[str, Any] = {"size": size, "most": limit}
    conditions = ["i.leaf_index >= :low", "i.leaf_index < :high"]
    if wanted.first is not None or wanted.last is not None:
        bounds = _bound_by_days(tx, wanted)
        if bounds is None:
            return []
        low, high = max(low, bounds[0]), min(high, bounds[1] + 1)
        # Of one day the rows stand in the order of their places; of several some others are passed over.
        conditions.append("i.day = :first" if wanted.first == wanted.last else "i.day BETWEEN :first AND :last")
        values |= {"first": wanted.first or date.min, "last": wanted.last or date.max}
    for column, value in (("i.type", wanted.kind), ("i.merchant", wanted.merchant), ("i.post", wanted.post)):
        if value is not None:
            name = column.removeprefix("i.")
            conditions.append(f"{column} = :{name}")
            values[name] = value
    for sign, name in ((">=", "least_fen"), ("<=", "most_fen")):
        if getattr(wanted, name) is not None:
            conditions.append(f"i.{wanted.of}_fen {sign} :{name}")
            values[name] = getattr(wanted, name)
    source = "entry_index AS i"
    if wanted.offer is not None:
        source += " JOIN entry_offer AS o ON o.leaf_index = i.leaf_index"
        conditions += ["o.offer = :offer", "o.leaf_index >= :low", "o.leaf_index < :high"]
        values["offer"] = wanted.offer
    if wanted.version is not None:
        conditions.append("o.version = :version")
        values["version"] = wanted.version
    if wanted.state is not None:
        conditions.append(_STATE_IS[wanted.state])
    values |= {"low": low, "high": high}
    order = "i.leaf_index" if since is not None else "i.leaf_index DESC"
    query = f"""
SELECT e.id, i.leaf_index, e.public_id, e.type, e.merchant, e.day, e.body, i.leaf_index < :size, {_STATE} FROM (
  SELECT i.* FROM {source} WHERE {" AND ".join(conditions)} ORDER BY {order} LIMIT :most
) AS i JOIN entry AS e ON e.leaf_index = i.leaf_index ORDER BY {order}
"""  # noqa: S608  our own words; what a reader sends is bound
    tx.execute(_PLANNED_ANEW)
    return [Found(*row) for row in tx.execute(text(query), values)]


def _bound_by_days(tx: Session, wanted: Wanted) -> tuple[int, int] | None:
    """The lowest and the highest place of any entry of these days: days and places nearly go together."""
    earliest, latest = tx.execute(_DAYS).one()
    if earliest is None:
        return None
    first, last = max(wanted.first or earliest, earliest), min(wanted.last or latest, latest)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    low, high = tx.execute(_BOUNDS, {"days": days}).one()
    return None if low is None else (low, high)


_SETS: Final = (
    *(
        f"entry WHERE leaf_index IS NULL AND NOT is_batched AND ({RANK_OF_TYPE}) = {rank}"  # as their index has them
        for rank in sorted({OTHERS, *RANKS.values()})
    ),
    "entry WHERE is_batched AND batch_id IS NULL",
    # Read by place: in the order of rows, the whole log could be looked through for the few that are not indexed yet.
    "(SELECT * FROM entry WHERE leaf_index >= :indexed OFFSET 0) AS placed WHERE TRUE",
)
_NEWEST: Final = UUID(int=(1 << 128) - 1)
_OLDEST: Final = UUID(int=0)


def _unite(columns: str, where: str) -> str:
    """The newest rows of all sets together."""
    parts = (
        f"(SELECT {columns} FROM {one} AND {where} ORDER BY id DESC LIMIT :most)"  # noqa: S608  our own words
        for one in _SETS
    )
    return "\nUNION ALL ".join(parts)


_FLOOR = text(f"{_unite('id', 'id < :before')} ORDER BY id DESC OFFSET :most - 1 LIMIT 1")


def _find_floor(tx: Session, *, indexed: int, before: UUID | None, looked: int) -> UUID | None:
    """The row down to which a page looks at what waits; None where it may look at all of it."""
    floor: UUID | None = tx.scalar(_FLOOR, {"indexed": indexed, "before": before or _NEWEST, "most": looked + 1})
    return floor


def _read_waiting(
    tx: Session, wanted: Wanted, *, size: int, indexed: int, before: UUID | None, floor: UUID | None
) -> Iterator[Found]:
    """Entries that are not among the first `indexed` ones, above `floor`, the newest first; one that got its place since says so."""
    conditions, values = _say_wanted(wanted)
    where = " AND ".join((*conditions, "id < :before", "id >= :floor"))
    columns = "id AS row, leaf_index, public_id, type AS kind, merchant, day, body"
    query = text(f"{_unite(columns, where)} ORDER BY row DESC LIMIT :most")
    values |= {"indexed": indexed, "most": WAITING_AT_ONCE, "before": before or _NEWEST, "floor": floor or _OLDEST}
    while True:
        rows = tx.execute(query, values).all()
        for row in rows:
            if _fits(row.body, wanted):
                is_published = row.leaf_index is not None and row.leaf_index < size
                yield Found(**row._mapping, is_published=is_published, state=None)  # noqa: SLF001  public, as of namedtuples
        if len(rows) < WAITING_AT_ONCE:
            return
        values["before"] = rows[-1].row


def _say_wanted(wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    """Conditions that everything wanted meets, for entries whose bytes alone say what they say: the rest is sorted out by `_fits`."""
    conditions, values = ["TRUE"], dict[str, Any]()
    for name, condition, value in (
        ("kind", "type = :kind", wanted.kind),
        ("merchant", "merchant = :merchant", wanted.merchant),
        ("first", "day >= :first", wanted.first),
        ("last", "day <= :last", wanted.last),
        ("offer", "position(:offer IN body) > 0", _say(wanted.offer)),
        ("post", "position(:post IN body) > 0", _say(wanted.post)),
        ("least", _said_fen(wanted.of, ">= :least"), wanted.least_fen),
        ("most_fen", _said_fen(wanted.of, "<= :most_fen"), wanted.most_fen),
    ):
        if value is not None:
            conditions.append(condition)
            values[name] = value
    return conditions, values


def _say(code: str | None) -> bytes | None:
    """A code as canonical JSON has it."""
    return None if code is None else json.dumps(code, ensure_ascii=False).encode()


def _said_fen(name: AmountName, than: str) -> str:
    """How the amount in the bytes of a purchase compares; other types, where it could stand further inside, are left in."""
    key = f'"{name}":'
    said = f"encode(substring(body FROM position('{key}'::bytea IN body) + {len(key)} FOR 17), 'escape')"
    return f"(type NOT IN {WINDOWED} OR substring({said} FROM '^-?[0-9]{{1,16}}')::bigint {than})"


def _fits(body: bytes, wanted: Wanted) -> bool:
    """Whether an entry says what is looked for in its bytes."""
    facts = read_facts(body)
    fen = facts.amounts[wanted.of]
    return (
        (wanted.least_fen is None or (fen is not None and fen >= wanted.least_fen))
        and (wanted.most_fen is None or (fen is not None and fen <= wanted.most_fen))
        and (wanted.offer is None or wanted.offer in facts.offers)
        and (wanted.version is None or (wanted.offer is not None and facts.offers.get(wanted.offer) == wanted.version))
        and wanted.post in {None, facts.post}
    )
