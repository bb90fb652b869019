"""The price of a receipt, made again from its basket, its facts and the published terms of the offers: as the pricing document has it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from market.kit.money import yuan
from market.pricing import RULES
from market.pricing.document import parse_document, price_vector, read_basket
from market.pricing.reading import PricingDocumentError

AMOUNTS: Final = {
    "list": "list_total",
    "concession": "concession",
    "subsidy": "sponsor_pays",
    "paid": "payable",
    "rebate_member": "rebate",
    "rebate_union": "rebate_union",
}
"""The amounts of an entry, and what a quote calls them."""

MOST_FEN: Final = 10**15  # no works buys for more; beyond it a number is not worth adding
_INPUTS: Final = ("now", "channel", "shop", "member", "accepted", "declined", "purses")


@dataclass(frozen=True, slots=True)
class PriceProblem:
    """Why a price does not come out again (`differs`), or why nobody can say; `code` and `facts` make the sentence."""

    code: str
    differs: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)


def sum_basket(basket: object) -> int | None:
    """What the lines come to at list price, in fen; None where they are no basket."""
    try:
        total = sum(line.list_price for line in read_basket(basket, "basket"))
    except PricingDocumentError:
        return None
    return total if total <= MOST_FEN else None


def is_quoted(facts: object, entry: Mapping[str, Any]) -> bool:
    """Whether the amounts of the quote in these facts are those of the entry."""
    quote = facts.get("quote") if isinstance(facts, dict) else None
    return isinstance(quote, dict) and all(
        type(quote.get(quoted)) is int and quote[quoted] == entry.get(name) for name, quoted in AMOUNTS.items()
    )


def find_price_problem(basket: object, facts: object, entries: Sequence[object]) -> PriceProblem | None:
    """What a second pricing has against the quote of a receipt; None when it comes out the same. `entries` are those of the offers."""
    if not isinstance(facts, dict) or not isinstance(facts.get("quote"), dict):
        return PriceProblem("price_unreadable", facts={"where": "facts"})
    if (rules := facts.get("v", RULES)) != RULES:
        return PriceProblem("price_other_rules", facts={"rules": json.dumps(rules)[:20]})
    terms = dict(map(_key_terms, filter(_is_version, map(_read_terms, entries))))
    rows = facts.get("offers")
    if not isinstance(rows, list) or not all(map(_is_version, rows)):
        return PriceProblem("price_unreadable", facts={"where": "facts.offers"})
    missing = [row for row in rows if (row["id"], row["version"]) not in terms]
    if missing:
        return PriceProblem("price_needs_offer", facts={"offer": f"{missing[0]['id']} v{missing[0]['version']}"})
    case = {
        "id": "sale",
        **{name: facts[name] for name in _INPUTS if name in facts},
        "basket": basket,
        "offers": [{**row, **terms[row["id"], row["version"]]} for row in rows],
    }
    try:
        [vector] = parse_document({"vectors": [case]})
    except PricingDocumentError as error:
        return PriceProblem("price_unreadable", facts={"where": error.path})
    return _compare(facts["quote"], price_vector(vector)["quote"])


def _compare(stored: Mapping[str, Any], priced: Mapping[str, Any]) -> PriceProblem | None:
    """A quote that says of itself that it was not proved the best may come out lower, as far as it says."""
    name = next(
        (name for name in sorted(stored.keys() | priced.keys()) if _spell(stored, name) != _spell(priced, name)), None
    )
    if name is None:
        return None
    most, gap = stored.get("payable"), stored.get("gap")
    if (
        stored.get("proof") == "bounded"
        and type(most) is int
        and type(gap) is int
        and most - gap <= priced["payable"] <= most
    ):
        return PriceProblem("price_bounded", facts={"gap": yuan(gap)})
    facts = {"part": name, "priced": yuan(priced["payable"])}
    return PriceProblem("price_differs", differs=True, facts=facts)


def _read_terms(entry: object) -> Any:  # noqa: ANN401  whatever stands there
    """The terms that an entry publishes; None for an entry of another type."""
    return entry.get("terms") if isinstance(entry, dict) and entry.get("type") == "offer" else None


def _key_terms(terms: Mapping[str, Any]) -> tuple[tuple[str, int], Mapping[str, Any]]:
    return (terms["id"], terms["version"]), terms


def _is_version(row: object) -> bool:
    """Whether it names an offer and its version."""
    return isinstance(row, dict) and isinstance(row.get("id"), str) and type(row.get("version")) is int


def _spell(values: Mapping[str, Any], name: str) -> str:
    """A field as it is written: to Python true, 1 and 1.0 are equal."""
    return json.dumps(values[name], sort_keys=True) if name in values else ""
