"""A batch: one public entry for many purchases of a merchant whose single ones would tell whose they were. Pure.

It says sums, and the root (RFC 6962) over the leaf hashes of the single entries, which are never served. What would single a person out
is left out: days, channels, tenders, commitments, which purchase a return was of, and by its name every offer that fewer than `LEAST`
of the purchases used. What would make the entry longer than the log takes is left out too: the offers under which least was borne.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal

from market.kit.canonical import canonical_json
from market.record.entries import AMOUNTS, PublicTransfer, entry_hash, sum_transfers
from market.record.log.bundles import MAX_ENTRY
from market.record.log.texts import encode_base64
from market.record.log.tree import root_of

LEAST: Final = 5
"""How many purchases a batch has at least, unless its month is over."""
MOST: Final = 1_024
"""How many it has at most: so many are hashed for the proof of one of them."""

Of = Literal["sale", "return"]


def batch_entry(*, public_id: str, day: date, merchant: str, of: Of, bodies: Sequence[bytes]) -> bytes:
    """The entry of these single entries, in the order in which their hashes stand below its root; the caller left that to chance.

    `day` is the last day that it covers. A batch of sales names offers, one of returns does not, as single returns do not either.
    It is longer than `MAX_ENTRY` only where its transfers alone are: then these purchases do not go into one batch.
    """
    sums = BatchSums()
    for one in bodies:
        sums.add(json.loads(one))
    root = encode_base64(root_of([entry_hash(body) for body in bodies]))
    head = _head(public_id=public_id, day=day.isoformat(), merchant=merchant, of=of, count=len(bodies), root=root)
    return canonical_json({**head, **sums.list_fields(of, merchant=merchant)})


class BatchSums:
    """What a batch says of its purchases in sums, added up one purchase after the other."""

    def __init__(self) -> None:
        self.count = 0
        self.amounts = dict.fromkeys(AMOUNTS, 0)
        self._moves: dict[tuple[str, str], int] = {}
        self._borne: dict[tuple[str, int], tuple[int, int]] = {}  # by offer and version: how many sales, how many fen

    def add(self, said: Mapping[str, Any]) -> None:
        """Add what a single entry says."""
        self.count += 1
        for name in AMOUNTS:
            self.amounts[name] += said[name]
        for debit, credit, fen in said["transfers"]:
            self._moves[debit, credit] = self._moves.get((debit, credit), 0) + fen
        for offer, version, fen in said.get("offers", ()):
            used, borne = self._borne.get((offer, version), (0, 0))
            self._borne[offer, version] = used + 1, borne + fen

    def list_fields(self, of: Of, *, merchant: str) -> dict[str, object]:
        """The fields of the merchant's batch: amounts, transfers; of sales what he bore by offer and version where at least `LEAST` used it.

        What he bore under all others stands in one sum, and under those that do not fit into an entry: the smallest amounts, among
        equal ones the last by name. So whoever knows the purchases knows which offers are named.
        """
        moves = [PublicTransfer(*pair, fen) for pair, fen in self._moves.items()]
        fields: dict[str, object] = {**self.amounts, "transfers": sum_transfers(moves)}
        if of == "sale":
            whole = sum(fen for _, fen in self._borne.values())
            named = self._name_offers(
                room=MAX_ENTRY - _length({**fields, "offers": [], "other_offers": whole}, merchant, self.count)
            )
            fields["offers"] = named
            fields["other_offers"] = whole - sum(fen for _, _, fen in named)
        return fields

    def _name_offers(self, *, room: int) -> list[list[Any]]:
        """Of the offers that at least `LEAST` used those with the largest amounts that fit into so many bytes; sorted by name."""
        rows: list[list[Any]] = [
            [offer, version, fen] for (offer, version), (used, fen) in self._borne.items() if used >= LEAST
        ]
        rows.sort(key=_largest_first)
        for count, row in enumerate(rows):
            room -= len(canonical_json(row)) + (count > 0)  # a comma between two
            if room < 0:
                return sorted(rows[:count])
        return sorted(rows)


def _largest_first(row: list[Any]) -> tuple[int, str, int]:
    offer, version, fen = row
    return -fen, offer, version


def _head(*, public_id: str, day: str, merchant: str, of: Of, count: int, root: str) -> dict[str, object]:
    return {
        "v": 1,
        "type": "batch",
        "id": public_id,
        "day": day,
        "merchant": merchant,
        "of": of,
        "ccy": "CNY",
        "count": count,
        "root": root,
    }


def _length(fields: Mapping[str, object], merchant: str, count: int) -> int:
    """How long a batch of sales with these fields is: id, day and root have the same length in each."""
    head = _head(public_id="0" * 32, day="2000-01-01", merchant=merchant, of="sale", count=count, root="0" * 44)
    return len(canonical_json({**head, **fields}))
