"""Totals of the published entries, kept while they are published, so that a public sum reads no sale and tells of none before its checkpoint.

Done by the sequencer after it signed, in the order of the log, each entry once; never further than the newest signed checkpoint. Nothing
here is believed: the entries are what holds, and what one says in an unexpected form is left out rather than guessed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, cast

from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from market.kit.database import Base
from market.oversight.indexing import code_of, integer_of, rows_of
from market.oversight.models import DayTotal, MonthTotal, OfferTotal, TotalState
from market.record.auditing.finding import RETURNS
from market.record.entries import AMOUNTS
from market.record.models import Entry
from market.record.publishing.models import LogState
from market.record.publishing.served import published_size

AT_ONCE: Final = 20_000
FIGURES: Final = (
    "sold_count",
    "voided_count",
    *(f"{name}_fen" for name in AMOUNTS),
    "paid_declared_fen",
    "paid_provider_fen",
    "given_fen",
    "other_fen",
)
_GIVEN: Final = ("concession_fen", "rebate_member_fen", "rebate_union_fen")
TENDERS: Final = ("declared", "provider")

Offer = tuple[str, int]
"""An offer and its version."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """What an entry adds to the totals: `figures` by name as they are added, and what merchants bore by offer.

    `of` is the sale that it returns, whose tender is its own too; None of all but a single void or refund.
    """

    leaf_index: int
    day: date
    merchant: str
    figures: dict[str, int]
    offers: Mapping[Offer, int]
    is_batch: bool
    of: str | None


@dataclass(frozen=True, slots=True)
class Sums:
    """Rows to add to the totals, by their keys."""

    days: dict[tuple[date], dict[str, int]] = field(default_factory=dict)
    months: dict[tuple[date, str], dict[str, int]] = field(default_factory=dict)
    offers: dict[tuple[date, str, int], dict[str, int]] = field(default_factory=dict)


def count_entries(tx: Session, *, most: int = AT_ONCE) -> int:
    """Add the next `most` published entries to the totals; how many it were. Whoever does it holds the lock of the log."""
    tx.execute(select(LogState.id).with_for_update())
    begin = counted_size(tx)
    beyond = min(published_size(tx), begin + most)
    if begin >= beyond:
        return 0
    rows = tx.execute(
        select(Entry.leaf_index, Entry.body).where(Entry.leaf_index >= begin, Entry.leaf_index < beyond)
    ).all()
    purchases = [read for leaf, body in rows if (read := read_purchase(cast("int", leaf), body)) is not None]
    tenders = _find_tenders(tx, {purchase.of for purchase in purchases if purchase.of is not None})
    sums = add_up(purchases, tenders)
    _add(tx, DayTotal, ("day",), sums.days)
    _add(tx, MonthTotal, ("month", "merchant"), sums.months)
    _add(tx, OfferTotal, ("month", "offer", "version"), sums.offers)
    state = insert(TotalState).values(id=1, size=beyond)
    tx.execute(state.on_conflict_do_update(index_elements=[TotalState.id], set_={"size": state.excluded.size}))
    return beyond - begin


def counted_size(tx: Session) -> int:
    """How many entries from the log's beginning are in the totals."""
    return tx.scalar(select(TotalState.size)) or 0


def read_purchase(leaf_index: int, body: bytes) -> Purchase | None:
    """What the bytes of a sale, void, refund or batch add; None for all else, and for what names no merchant or no day."""
    try:
        said: Any = json.loads(body)
        kind, day = said["type"], date.fromisoformat(said["day"])
    except (ValueError, LookupError, TypeError):
        return None
    merchant, is_batch = code_of(said.get("merchant")), kind == "batch"
    is_sale = kind == "sale" or (is_batch and said.get("of") == "sale")
    is_return = kind in RETURNS or (is_batch and said.get("of") == "return")
    if merchant is None or not (is_sale or is_return):
        return None
    sign = 1 if is_sale else -1
    figures = dict.fromkeys(FIGURES, 0)
    figures |= {f"{name}_fen": sign * (integer_of(said.get(name)) or 0) for name in AMOUNTS}
    figures["voided_count"] = int(kind == "void")
    if is_sale:
        figures["sold_count"] = (integer_of(said.get("count")) or 0) if is_batch else 1
        figures["given_fen"] = sum(figures[name] for name in _GIVEN)
        figures["other_fen"] = integer_of(said.get("other_offers")) or 0
    if kind == "sale" and said.get("tender") in TENDERS:
        figures[f"paid_{said['tender']}_fen"] = figures["paid_fen"]
    return Purchase(
        leaf_index=leaf_index,
        day=day,
        merchant=merchant,
        figures=figures,
        offers=_read_offers(said) if is_sale else {},
        is_batch=is_batch,
        of=code_of(said.get("of")) if kind in RETURNS else None,
    )


def add_up(purchases: Iterable[Purchase], tenders: Mapping[str, tuple[int, str]]) -> Sums:
    """The rows that these entries add. `tenders` has the place and the tender of each published sale that one of them returns."""
    sums = Sums()
    for purchase in purchases:
        figures = purchase.figures
        sold = tenders.get(purchase.of or "")
        if sold is not None and sold[0] < purchase.leaf_index:
            figures = figures | {f"paid_{sold[1]}_fen": figures["paid_fen"]}
        month = purchase.day.replace(day=1)
        _sum(sums.days, (purchase.day,), figures)
        _sum(sums.months, (month, purchase.merchant), figures)
        for (offer, version), fen in purchase.offers.items():
            used = {"sales_count": int(not purchase.is_batch), "batches_count": int(purchase.is_batch)}
            _sum(sums.offers, (month, offer, version), used | {"borne_fen": fen})
    return sums


def _read_offers(said: Mapping[str, Any]) -> dict[Offer, int]:
    """What a sale, or a batch of them, says that merchants bore, by offer and version."""
    borne: dict[Offer, int] = {}
    for offer, version, fen in rows_of(said.get("offers")):
        if code_of(offer) is not None and integer_of(version) is not None and integer_of(fen) is not None:
            borne[offer, version] = borne.get((offer, version), 0) + fen
    return borne


def _find_tenders(tx: Session, sales: set[str]) -> dict[str, tuple[int, str]]:
    """The place and the tender of those of these sales (public ids) that have a place and name one."""
    rows = tx.execute(
        select(Entry.public_id, Entry.leaf_index, Entry.body).where(
            Entry.public_id.in_(sales), Entry.type == "sale", Entry.leaf_index.is_not(None)
        )
    )
    return {
        sale: (cast("int", leaf), tender) for sale, leaf, body in rows if (tender := _read_tender(body)) is not None
    }


def _read_tender(body: bytes) -> str | None:
    try:
        tender = json.loads(body).get("tender")
    except (ValueError, AttributeError):
        return None
    return tender if tender in TENDERS else None


def _sum(rows: dict[Any, dict[str, int]], key: tuple[Any, ...], figures: Mapping[str, int]) -> None:
    row = rows.setdefault(key, dict.fromkeys(figures, 0))
    for name, value in figures.items():
        row[name] += value


def _add(tx: Session, table: type[Base], key: Sequence[str], rows: Mapping[Any, dict[str, int]]) -> None:
    """Add these rows to those that are there."""
    if not rows:
        return
    columns = cast("Table", table.__table__).columns
    row = insert(table)
    more = {column.name: column + row.excluded[column.name] for column in columns if column.name not in key}
    given = [dict(zip(key, names, strict=True)) | figures for names, figures in sorted(rows.items())]
    tx.connection().execute(row.on_conflict_do_update(index_elements=list(key), set_=more), given)
