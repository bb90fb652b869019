"""The price replay: every stored sale is priced again from its stored inputs, and must come out as the same bytes.

The inputs and the quote are also what the public entry commits to, so that a change that leaves the price alone is seen as well.
A price that was not proved the best may come out otherwise in a later engine, but only as far as it said itself.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, select

from market.kit.canonical import canonical_json
from market.offers.models import OfferVersion
from market.oversight.finding import Finding
from market.oversight.stored import RulesUnknownError, StoredSale, Versions, open_sale, read_sales
from market.pricing import ABSENT, Candidate, Case, gate_outcome, quote
from market.record.entries import commit, get_salt

RULE: Final = "prices"
RULES_RULE: Final = "prices.rules"  # priced by rules that are not known here
GAP_RULE: Final = "prices.gap"  # a price that was not proved, and lies where its gap says that none does
KeysOf = Callable[[Sequence[UUID]], Mapping[UUID, bytes]]
"""The commitment keys of these subjects; somebody whose key was erased is left out."""

_AMOUNTS: Final = {
    "list_fen": "list_total",
    "concession_fen": "concession",
    "subsidy_fen": "sponsor_pays",
    "paid_fen": "payable",
    "rebate_member_fen": "rebate",
    "rebate_union_fen": "rebate_union",
}


def check_prices(connection: Connection, *, day: date, versions: Versions, keys_of: KeysOf) -> Iterator[Finding | None]:
    """Price the sales of a day again: for each None, or what is not as it was written."""
    for rows in read_sales(connection, day=day, with_void=True):
        keys = keys_of(list({row.subject for row in rows}))
        _need_versions(rows, versions)
        for row in rows:
            found = find_difference(row, versions, keys.get(row.subject))
            yield Finding(found[0], f"sale {row.public_id}", found[1]) if found else None


def check_versions(connection: Connection) -> Iterator[Finding]:
    """The terms and limits of every offer version are those that it was stored with: they fit its hash."""
    columns = (OfferVersion.offer, OfferVersion.version, OfferVersion.terms, OfferVersion.limits)
    query = select(*columns, OfferVersion.terms_hash).execution_options(yield_per=1_000)
    for offer, version, terms, limits, stored in connection.execute(query):
        if hashlib.sha256(canonical_json({"terms": terms, "limits": limits})).digest() != stored:
            yield Finding(RULE, f"offer {offer} version {version}", "its terms or limits are not those of its hash")


def find_difference(row: Row[Any], versions: Versions, key: bytes | None) -> tuple[str, str] | None:
    """The first thing in a sale's documents that is not as it was written, as its rule and one line; None when all is.

    `key` is the buyer's commitment key; without it what leaves the price alone is not seen.
    """
    try:
        sale = open_sale(row)
        case = sale.make_case(versions)
        priced = quote(case).to_json()
        stored = sale.facts["quote"]
        if _differ(stored, priced) and (found := _judge(stored, priced)):
            return found
        booked = {column: stored[name] for column, name in _AMOUNTS.items()}
        gate = _find_wrong_gate(sale, case)
    except RulesUnknownError as error:
        return RULES_RULE, str(error)
    except Exception as error:  # noqa: BLE001  a forged document may break anything, and the run goes on to the next sale
        return RULE, f"cannot be priced: {type(error).__name__}: {error}"
    for column, fen in booked.items():
        if getattr(row, column) != fen:
            return RULE, f"{column}: booked {getattr(row, column)}, priced {fen}"
    if case.now != row.priced_at:
        return RULE, f"facts.now: stored {sale.facts['now']}, priced at {row.priced_at.isoformat()}"
    wrong = gate or (_find_uncommitted(row, key) if key else None)
    return (RULE, wrong) if wrong else None


def _judge(stored: Mapping[str, Any], priced: Mapping[str, Any]) -> tuple[str, str] | None:
    """What a quote that comes out otherwise has against it: of a proved one that, of any other only what contradicts itself or its gap."""
    if stored["proof"] != "bounded" or not _is_whole(stored, priced):
        return RULE, first_difference(stored, priced, "quote")
    now, most = priced["payable"], stored["payable"]
    if stored["gap"] < 0 or not most - stored["gap"] <= now <= most:
        return GAP_RULE, f"quote.payable: stored {most} with a gap of {stored['gap']}, priced {now}"
    return None


def _is_whole(stored: Mapping[str, Any], priced: Mapping[str, Any]) -> bool:
    """Whether a quote of another plan has the fields of one, for the same lines, and its amounts add up."""
    numbers = [stored[name] for name in ("gap", "list_total", *_AMOUNTS.values())]
    same = all(
        [line[name] for line in stored["lines"]] == [line[name] for line in priced["lines"]]
        for name in ("line", "merchant", "qty", "list")
    )
    return (
        stored.keys() == priced.keys()
        and all(type(number) is int for number in numbers)
        and same
        and stored["list_total"] == stored["concession"] + stored["sponsor_pays"] + stored["payable"]
        and all(
            stored[whole] == sum(line[part] for line in stored["lines"])
            for whole, part in (("payable", "pay"), ("concession", "concession"), ("sponsor_pays", "sponsor_pays"))
        )
    )


def first_difference(stored: object, priced: object, path: str) -> str:
    """Where two different JSON values first differ, fields in order of their names."""
    if isinstance(stored, Mapping) and isinstance(priced, Mapping):
        for name in sorted(stored.keys() | priced.keys()):
            if name not in stored or name not in priced:
                return f"{path}.{name}: {'priced' if name in priced else 'stored'} only"
            if _differ(stored[name], priced[name]):
                return first_difference(stored[name], priced[name], f"{path}.{name}")
    if isinstance(stored, list) and isinstance(priced, list):
        for position, (one, other) in enumerate(zip(stored, priced, strict=False)):
            if _differ(one, other):
                return first_difference(one, other, f"{path}[{position}]")
        return f"{path}: stored {len(stored)} rows, priced {len(priced)}"
    return f"{path}: stored {json.dumps(stored)}, priced {json.dumps(priced)}"


def _differ(stored: object, priced: object) -> bool:
    """Whether they are written differently: to Python true, 1 and 1.0 are equal."""
    return json.dumps(stored, sort_keys=True) != json.dumps(priced, sort_keys=True)


def _find_wrong_gate(sale: StoredSale, case: Case) -> str | None:
    """A stored gate that is not what the shopper's facts and the whole terms lead to; of somebody erased nobody can say."""
    if "member" not in sale.facts:
        return None
    for position, candidate in enumerate(case.candidates):
        if candidate.gate is ABSENT:
            continue
        gate = gate_outcome(Candidate(candidate.offer), case)
        if gate != candidate.gate:
            return f"facts.offers[{position}].gate: stored {candidate.gate}, the terms lead to {gate}"
    return None


def _find_uncommitted(row: Row[Any], key: bytes) -> str | None:
    """A document whose bytes are not those that the public entry commits to."""
    said = json.loads(row.body)
    documents = {
        "basket": row.basket,
        "facts": row.facts,
        "subject": json.dumps([str(row.subject), str(row.card_id)]).encode(),
    }
    for name, document in documents.items():
        if said.get(name) != commit(get_salt(key, name, row.public_id), document):
            return f"{name}: not the bytes that its public entry commits to"
    return None


def _need_versions(rows: Sequence[Row[Any]], versions: Versions) -> None:
    """Read the offer versions of a batch at once. A row that cannot be read names itself when it is priced."""
    wanted = []
    for row in rows:
        with suppress(Exception):
            wanted += open_sale(row).versions()
    versions.need(wanted)
