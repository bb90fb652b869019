"""A batch: one public entry for many purchases of a merchant whose single ones would tell whose they were. Pure.

It says sums, and the root (RFC 6962) over the leaf hashes of the single entries, which are never served. What would single a person out
is left out: days, channels, tenders, commitments, which purchase a return was of, and by its name every offer that fewer than `LEAST`
of the purchases used.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal

from market.kit.canonical import canonical_json
from market.record.entries import PublicTransfer, entry_hash, sum_transfers
from market.record.log.texts import encode_base64
from market.record.log.tree import root_of

LEAST: Final = 5
"""How many purchases a batch has at least, unless its month is over."""

Of = Literal["sale", "return"]
AMOUNTS: Final = ("list", "concession", "subsidy", "paid", "rebate_member", "rebate_union")


def batch_entry(*, public_id: str, day: date, merchant: str, of: Of, bodies: Sequence[bytes]) -> bytes:
    """The entry of these single entries, in the order in which their hashes stand below its root; the caller left that to chance.

    `day` is the last day that it covers. A batch of sales names offers, one of returns does not, as single returns do not either.
    """
    said: list[dict[str, Any]] = [json.loads(body) for body in bodies]
    moves = [PublicTransfer(*move) for one in said for move in one["transfers"]]
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
            **{name: sum(one[name] for one in said) for name in AMOUNTS},
            "transfers": sum_transfers(moves),
            "root": encode_base64(root_of([entry_hash(body) for body in bodies])),
            **(_sum_offers(said) if of == "sale" else {}),
        }
    )


def _sum_offers(sales: Iterable[Mapping[str, Any]]) -> dict[str, object]:
    """What the merchant bore by offer and version where at least `LEAST` sales used it, and in one sum what is left."""
    borne: dict[tuple[str, int], list[int]] = {}
    for sale in sales:
        for offer, version, fen in sale["offers"]:
            borne.setdefault((offer, version), []).append(fen)
    named = [[*key, sum(each)] for key, each in sorted(borne.items()) if len(each) >= LEAST]
    return {"offers": named, "other_offers": sum(sum(each) for each in borne.values() if len(each) < LEAST)}
