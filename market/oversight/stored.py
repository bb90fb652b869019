"""Sales as they were stored, made cases of the engine again: the basket, the facts and the terms of the offer versions they name.

For whoever prices them once more: the price replay and the dry run. Reads only, some hundreds of sales at a time.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, cast

from sqlalchemy import Connection, Row, exists, func, select, tuple_

from market.offers.limits import Limits
from market.offers.models import OfferVersion
from market.pricing import ABSENT, RULES, Candidate, Case, Line, Offer, Reason
from market.record.models import Entry
from market.sales.documents import read_rules
from market.sales.models import Reversal, Sale
from market.sales.orders.models import Order

BATCH: Final = 200
MOST_HELD: Final = 20_000  # versions kept in memory at a time
VersionKey = tuple[str, int]

_STANDING: Final = ("uses_remaining", "member_amount_remaining", "budget_remaining")


@dataclass(frozen=True, slots=True)
class Version:
    """The terms of an offer version as the engine reads them, and its limits."""

    offer: Offer
    limits: Limits


@dataclass(slots=True)
class Versions:
    """The offer versions that stored sales name, read when they are first met; a full shelf is cleared."""

    connection: Connection
    held: dict[VersionKey, Version] = field(default_factory=dict)

    def need(self, keys: Iterable[VersionKey]) -> None:
        """Read those that are not held. One that does not exist is missed by whoever asks for it."""
        wanted = set(keys)
        missing = wanted - self.held.keys()
        if not missing:
            return
        if len(self.held) + len(missing) > MOST_HELD:
            self.held.clear()
            missing = wanted
        columns = (OfferVersion.offer, OfferVersion.version)
        query = select(*columns, OfferVersion.terms, OfferVersion.limits).where(tuple_(*columns).in_(sorted(missing)))
        for row in self.connection.execute(query):
            offer = Offer.from_json(row.terms, path="terms")
            self.held[row.offer, row.version] = Version(offer, Limits.from_json(row.limits))


class RulesUnknownError(ValueError):
    """A sale was priced by rules that this program does not have: what it would make of it says nothing."""


@dataclass(frozen=True, slots=True)
class StoredSale:
    """A sale's row (`row`: columns of the sale and the `body` of its public entry) with its facts and basket read."""

    row: Row[Any]
    facts: Mapping[str, Any]
    basket: list[Mapping[str, Any]]

    def versions(self) -> list[VersionKey]:
        """The offer versions that were candidates, as far as they can exist."""
        keys = [(row["id"], row["version"]) for row in self.facts["offers"]]
        return [(id_, version) for id_, version in keys if _is_key(id_, version)]

    def make_case(self, versions: Versions) -> Case:
        """The case that the engine priced.

        Raises RulesUnknownError, and LookupError, TypeError, ValueError for documents that are not as they were written.
        """
        facts = self.facts
        rules = read_rules(facts)
        if type(rules) is not int or rules != RULES:
            raise RulesUnknownError(f"facts.v: priced by rules {json.dumps(rules)}, only {RULES} are known here")
        if "member" not in facts and not all("gate" in row for row in facts["offers"]):
            raise ValueError("facts: neither what the offers asked of the shopper stands there, nor what came of it")
        return Case(
            now=datetime.fromisoformat(facts["now"]),
            channel=facts["channel"],
            shop=facts["shop"],
            member=facts.get("member", {}),  # dropped when the buyer was erased: the offers then hold what came of it
            basket=tuple(_line(row) for row in self.basket),
            candidates=tuple(_candidate(row, versions) for row in facts["offers"]),
            accepted=frozenset(facts["accepted"]),
            declined=frozenset(facts["declined"]),
            purses=facts["purses"],
        )


def count_days(connection: Connection, *, first: date | None = None, beyond: date | None = None) -> dict[date, int]:
    """How many sales each business day has, from `first` until `beyond`, oldest day first."""
    query = select(Sale.day, func.count().label("sales")).group_by(Sale.day).order_by(Sale.day)
    if first is not None:
        query = query.where(Sale.day >= first)
    if beyond is not None:
        query = query.where(Sale.day < beyond)
    return {row.day: row.sales for row in connection.execute(query)}


# `priced_at` is when the price was made: of an order when it was placed, which may be before it was sold.
_SALES: Final = (
    select(
        *(Sale.public_id, Sale.subject, Sale.card_id, Sale.merchant, Sale.at, Sale.day),
        *(Sale.list_fen, Sale.concession_fen, Sale.subsidy_fen, Sale.paid_fen),
        *(Sale.rebate_member_fen, Sale.rebate_union_fen, Sale.basket, Sale.facts, Entry.body),
        func.coalesce(Order.at, Sale.at).label("priced_at"),
    )
    .join(Entry, Entry.id == Sale.entry_id)
    .outerjoin(Order, Order.id == Sale.order_id)
)


def read_sales(connection: Connection, *, day: date, with_void: bool) -> Iterator[list[Row[Any]]]:
    """The sales of a day with the bodies of their public entries, in the order in which they were made, a batch at a time."""
    query = _SALES.where(Sale.day == day).order_by(Sale.at, Sale.id)
    if not with_void:
        query = query.where(~exists().where(Reversal.sale_id == Sale.id, Reversal.kind == "void"))
    with connection.execute(query, execution_options={"yield_per": BATCH}) as rows:
        yield from map(list, rows.partitions())


def find_sale(connection: Connection, *, public_id: str) -> Row[Any] | None:
    """One sale by its public id, with the body of its public entry."""
    row = connection.execute(_SALES.where(Sale.public_id == public_id)).one_or_none()
    return cast("Row[Any] | None", row)


def open_sale(row: Row[Any]) -> StoredSale:
    """Read the two documents of a row. Raises ValueError for bytes that are no JSON."""
    return StoredSale(row, json.loads(row.facts), json.loads(row.basket))


def _is_key(id_: object, version: object) -> bool:
    """Whether the database can be asked for it."""
    return isinstance(id_, str) and "\0" not in id_ and type(version) is int and 0 < version < 1 << 31


def _line(row: Mapping[str, Any]) -> Line:
    return Line(
        line=row["line"],
        sku=row["sku"],
        merchant=row["merchant"],
        categories=tuple(row["categories"]),
        unit_price=row["unit_price"],
        qty=row["qty"],
        discountable=row.get("discountable", True),
    )


def _candidate(row: Mapping[str, Any], versions: Versions) -> Candidate:
    version = versions.held[row["id"], row["version"]]
    gate = ABSENT if "gate" not in row else None if row["gate"] is None else Reason(row["gate"])
    return Candidate(version.offer, gate=gate, **{name: row[name] for name in _STANDING if name in row})
