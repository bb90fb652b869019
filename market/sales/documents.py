"""The two private documents of a sale, as the bytes that its public entry commits to. Pure.

`basket` holds the lines; `facts` the moment, the shopper's facts, the offers with their standing, and the quote. With the terms of the
offer versions, which are public, they make the pricing document again. `v` says by which rules the price was made: a later engine
that has others asks for it.
"""

import json
from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any, Final

from market.kit.canonical import canonical_json
from market.kit.clock import get_zone
from market.pricing import RULES, Candidate, Case, Offer, Quote, gate_outcome

_BEFORE_NUMBERS: Final = 1  # the rules of the sales whose facts have no number yet


def basket_document(case: Case) -> bytes:
    """The lines of the basket."""
    return canonical_json([line.to_json() for line in case.basket])


def facts_document(case: Case, quote: Quote, *, book: int, unnamed: Container[str] = ()) -> bytes:
    """Everything else the price was made from, and the quote; no name, member or card id.

    Of the offers in `unnamed` the public terms do not say whom they are for, so what came of their gates is kept.
    """
    return canonical_json(
        {
            "v": RULES,
            "now": case.now.astimezone(get_zone()).isoformat(),
            "channel": case.channel,
            "shop": case.shop,
            "member": dict(case.member),
            "accepted": sorted(case.accepted),
            "declined": sorted(case.declined),
            "purses": dict(case.purses),
            "book": book,
            "offers": [
                {
                    "id": candidate.offer.id,
                    "version": candidate.offer.version,
                    **candidate.standing_json(),
                    **({"gate": _say_gate(candidate, case)} if candidate.offer.id in unnamed else {}),
                }
                for candidate in case.candidates
            ],
            "quote": quote.to_json(),
        }
    )


def drop_person(facts: bytes, offers: Mapping[tuple[str, int], Offer]) -> bytes:
    """The facts document without what it says of the shopper: of each offer stays whether it could be used, so that the price comes out again.

    `offers` are the terms of its candidates by id and version. A document without the shopper's facts stays as it is.
    """
    document: dict[str, Any] = json.loads(facts)
    if "member" not in document:
        return facts
    member, at = document.pop("member"), datetime.fromisoformat(document["now"])
    case = Case(now=at, channel=document["channel"], basket=(), candidates=(), member=member)
    for row in document["offers"]:
        if "gate" not in row:
            row["gate"] = _say_gate(Candidate(offers[row["id"], row["version"]]), case)
    return canonical_json(document)


def _say_gate(candidate: Candidate, case: Case) -> str | None:
    shut = gate_outcome(candidate, case)
    return None if shut is None else shut.value


def read_rules(facts: Mapping[str, Any]) -> object:
    """The number of the rules by which a sale was priced, as its facts say."""
    return facts.get("v", _BEFORE_NUMBERS)


def read_quote(facts: bytes) -> dict[str, Any]:
    """The quote as it was stored with a sale."""
    quote: dict[str, Any] = json.loads(facts)["quote"]
    return quote


def read_candidates(facts: bytes) -> list[tuple[str, int]]:
    """The offer versions that were candidates of a sale, by id and version."""
    return [(row["id"], row["version"]) for row in json.loads(facts)["offers"]]


def read_basket(basket: bytes) -> list[dict[str, Any]]:
    """The lines as they were stored with a sale."""
    lines: list[dict[str, Any]] = json.loads(basket)
    return lines
