"""One sale priced again for the auditor: what its public entry says beside what comes out now, and nothing of the person or the basket.

What the union bears stays one sum, as in the entry: which of its offers were used could name who they are for.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import Connection

from market.oversight.replay import GAP_RULE, RULES_RULE, KeysOf, find_difference
from market.oversight.stored import StoredSale, Versions, find_sale, open_sale
from market.pricing import quote
from market.record.receipts.prices import AMOUNTS

Verdict: TypeAlias = Literal["same", "within_gap", "differs", "gap", "rules", "unreadable"]
"""The same bytes; another price, as far as the first said of itself that there might be one; another price; one beyond what it said;

priced by rules that are not known here; documents that cannot be priced."""


@dataclass(frozen=True, slots=True)
class Step:
    """One amount in fen: what the public entry says, and what comes out now; None where one of them has none.

    `name` is that of the amount in the entry, or `offer` for what a merchant bears under a version of an offer.
    """

    name: str
    entry_fen: int | None
    priced_fen: int | None
    offer: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What came of pricing a sale again. `where` is the first field of its documents that differs; values are not told.

    `is_opened` tells whether the documents were held against the commitments of the entry: not without the person's key.
    """

    verdict: Verdict
    steps: Sequence[Step]
    where: str | None
    is_opened: bool
    lines_count: int


_UNREADABLE: Final = "cannot be priced"


def recompute_sale(connection: Connection, *, public_id: str, keys_of: KeysOf) -> Recomputed | None:
    """Price a sale again from its stored inputs; None where no sale has this public id."""
    row = find_sale(connection, public_id=public_id)
    if row is None:
        return None
    versions = Versions(connection)
    key = keys_of([row.subject]).get(row.subject)
    sale, priced = None, None
    try:
        sale = open_sale(row)
        versions.need(sale.versions())
        priced = quote(sale.make_case(versions)).to_json()
    except Exception:  # noqa: BLE001  a forged document may break anything: `find_difference` says what it is
        priced = None
    found = find_difference(row, versions, key)
    steps = () if priced is None else tuple(_steps(json.loads(row.body), priced))
    amounts_differ = any(step.entry_fen != step.priced_fen for step in steps)
    verdict = _judge(found, sale, priced, amounts_differ=amounts_differ)
    return Recomputed(
        verdict=verdict,
        steps=steps,
        where=found[1].partition(":")[0] if found and verdict != "unreadable" else None,
        is_opened=key is not None,
        lines_count=0 if sale is None else len(sale.basket),
    )


def _judge(
    found: tuple[str, str] | None, sale: StoredSale | None, priced: Mapping[str, Any] | None, *, amounts_differ: bool
) -> Verdict:
    if found is not None and found[0] == RULES_RULE:
        return "rules"
    if priced is None or sale is None or (found is not None and found[1].startswith(_UNREADABLE)):
        return "unreadable"
    if found is not None:
        return "gap" if found[0] == GAP_RULE else "differs"
    if sale.facts["quote"] != priced:
        return "within_gap"
    return "differs" if amounts_differ else "same"


def _steps(entry: Mapping[str, Any], priced: Mapping[str, Any]) -> list[Step]:
    """Each amount of the entry, and each merchant-borne offer, beside what comes out now, in the order of the entry."""
    borne: dict[tuple[str, int], int] = {}
    for row in priced["applied"]:
        if fen := row["amount"] - row["sponsor_pays"]:
            key = (row["offer"], row["version"])
            borne[key] = borne.get(key, 0) + fen
    said = {(offer, version): fen for offer, version, fen in entry["offers"]}
    offers = [
        Step("offer", said.get(key), borne.get(key), offer=key[0], version=key[1]) for key in sorted(said | borne)
    ]
    return [*(Step(name, entry[name], priced[field]) for name, field in AMOUNTS.items()), *offers]
