"""A batch: one public entry for many purchases of a merchant whose single ones would tell whose they were. Pure.

It says sums, and the root (RFC 6962) over the leaf hashes of the single entries, which are never served. What would single a person out
is left out: days, channels, tenders, commitments, which purchase a return was of, and by its name every offer that fewer than `LEAST`
of the purchases used.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal

from market.kit.canonical import canonical_json
from market.record.entries import AMOUNTS, PublicTransfer, entry_hash, sum_transfers
from market.record.log.texts import encode_base64
from market.record.log.tree import root_of

LEAST: Final = 5
"""How many purchases a batch has at least, unless its month is over."""

Of = Literal["sale", "return"]


def batch_entry(*, public_id: str, day: date, merchant: str, of: Of, bodies: Sequence[bytes]) -> bytes:
    """The entry of these single entries, in the order in which their hashes stand below its root; the caller left that to chance.

    `day` is the last day that it covers. A batch of sales names offers, one of returns does not, as single returns do not either.
    """
    sums = BatchSums()
    for one in bodies:
        sums.add(json.loads(one))
    return canonical_json(
        {
            "v": 1,
            "type": "batch",
            "id": public_id,
            "day": day.isoformat(),
            "merchant": merchant,
            "of": of,
            "ccy": "CNY",
            "count": len(bodies),
            "root": encode_base64(root_of([entry_hash(body) for body in bodies])),
            **sums.list_fields(of),
        }
    )


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

    def list_fields(self, of: Of) -> dict[str, object]:
        """The fields of the batch: amounts, transfers; of sales what the merchant bore by offer and version where at least `LEAST` used it.

        What it bore under all others stands in one sum.
        """
        moves = [PublicTransfer(*pair, fen) for pair, fen in self._moves.items()]
        fields: dict[str, object] = {**self.amounts, "transfers": sum_transfers(moves)}
        if of == "sale":
            rows = sorted(self._borne.items())
            fields["offers"] = [[*key, fen] for key, (used, fen) in rows if used >= LEAST]
            fields["other_offers"] = sum(fen for _, (used, fen) in rows if used < LEAST)
        return fields
