"""The pricing document: cases in, quotes and refunds out, and the comparison with what a case expects. Pure; reading is strict.

The form is a stable interface: a receipt or an auditor's export pasted into it gives the same price.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from market.pricing.case import ABSENT, GATE_REASONS, RULES, Candidate, Case, Gate, Line, Reason
from market.pricing.engine import quote
from market.pricing.offer import Offer
from market.pricing.offer_fields import CHANNELS, OFFER_FIELDS, read_offer_fields
from market.pricing.reading import (
    fail,
    read_bool,
    read_choice,
    read_instant,
    read_int,
    read_list,
    read_object,
    read_text,
    read_texts,
    shown,
)
from market.pricing.refund import line_shares, refund_step

FORMAT: Final = "pricing-document/1"
_CASE_FIELDS: Final = frozenset(
    {
        *("id", "title", "why", "expect", "now", "channel", "shop", "member", "basket", "offers"),
        *("accepted", "declined", "purses", "refunds", "v"),
    }
)
_LINE_FIELDS: Final = ("line", "sku", "merchant", "categories", "unit_price", "qty", "discountable")
_STANDING_FIELDS: Final = ("uses_remaining", "member_amount_remaining", "budget_remaining")
# Rows of a quote are compared by what names them, not by position.
_ROW_KEYS: Final = {
    "lines": ("line",),
    "applied": ("offer",),
    "not_applied": ("offer",),
    "sponsor_by_line": ("offer", "line"),
    "settlement": ("payee",),
    "shares": ("line",),
    "draws": ("purse",),
}


# What a refund gives back, and the figures of a quote that it is measured by.
_BACK: Final = {
    "to_member": ("payable",),
    "subsidy_back": ("sponsor_pays",),
    "concession_back": ("concession",),
    "rebate_back": ("rebate", "rebate_union"),
}


@dataclass(frozen=True, slots=True)
class Refund:
    """A line that goes back in steps of units."""

    line: str
    policy: str
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Vector:
    """One case of a document with its refunds and what it expects, if it says so."""

    id: str
    case: Case
    refunds: tuple[Refund, ...]
    expect: Mapping[str, Any] | None


def parse_document(document: object, *, only: Collection[str] | None = None) -> list[Vector]:
    """Read the cases of a document; with `only`, those ids alone: the others may be of any form.

    Raises PricingDocumentError naming the JSON path.
    """
    found = read_object(document, "$", ("format", "vectors"), ("vectors",))
    if found.get("format", FORMAT) != FORMAT:
        fail("$.format", f"must be {FORMAT}, not {shown(found['format'])}")
    vectors: dict[str, Vector | None] = {}
    for position, value in enumerate(read_list(found["vectors"], "$.vectors")):
        path = f"$.vectors[{position}]"
        if not isinstance(value, Mapping):
            fail(path, f"must be an object, not {shown(value)}")
        name = read_text(value.get("id"), f"{path}.id")
        if name in vectors:
            fail(f"{path}.id", f"{name} is there twice")
        vectors[name] = None if only is not None and name not in only else _read_vector(value, path, name)
    for name in only or ():
        if name not in vectors:
            fail("$.vectors", f"has no case {name}")
    return [vector for vector in vectors.values() if vector]


def price_document(document: object, *, only: Collection[str] | None = None) -> dict[str, Any]:
    """Price every case: `{"results": [{"id", "quote", "refunds"}]}`, refunds where a case asks for them."""
    return {"results": [price_vector(vector) for vector in parse_document(document, only=only)]}


def price_vector(vector: Vector) -> dict[str, Any]:
    """The result of one case."""
    made = quote(vector.case).to_json()
    result: dict[str, Any] = {"id": vector.id, "quote": made}
    if vector.refunds:
        result["refunds"] = [
            _reprice_kept(refund, vector.case, made) if refund.policy == "reprice_kept" else _price_refund(refund, made)
            for refund in vector.refunds
        ]
    return result


def check_document(document: object, *, only: Collection[str] | None = None) -> list[str]:
    """Readable differences between the results and what each case expects; empty when all agree.

    Only fields that a case expects are compared; an applied offer that it does not expect is a difference.
    """
    differences = []
    for vector in parse_document(document, only=only):
        if vector.expect is not None:
            result = price_vector(vector)
            known = {**result["quote"], "refunds": result.get("refunds", [])}
            differences += [f"{vector.id} {found}" for found in _compare(vector.expect, known, "quote")]
    return differences


def _price_refund(refund: Refund, made: Mapping[str, Any]) -> dict[str, Any]:
    """Each entry starts from the untouched purchase; its steps add up."""
    shares = line_shares(made, refund.line)
    steps, before = [], 0
    for units in refund.steps:
        steps.append(refund_step(shares, units_before=before, units=units).to_json())
        before += units
    return {"policy": refund.policy, "line": refund.line, "steps": steps}


def _reprice_kept(refund: Refund, case: Case, made: Mapping[str, Any]) -> dict[str, Any]:
    """Each part is the purchase's, less the best price of what is kept under the offers of the purchase, less what went back before."""
    steps, before = [], 0
    given = dict.fromkeys(_BACK, 0)
    for units in refund.steps:
        before += units
        kept = [
            replace(line, qty=line.qty - (before if line.line == refund.line else 0))
            for line in case.basket
            if line.line != refund.line or line.qty > before
        ]
        again = quote(replace(case, basket=tuple(kept))).to_json()
        step = {"units": units}
        for back, names in _BACK.items():
            step[back] = max(0, sum(made[name] - again[name] for name in names) - given[back])
            given[back] += step[back]
        steps.append(step)
    return {"policy": refund.policy, "line": refund.line, "steps": steps}


def _compare(expected: object, found: object, path: str, rows: tuple[str, ...] = ()) -> Iterator[str]:
    """Differences below one path. `rows` names the columns by which the rows of a list are paired."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for name, value in expected.items():
            if name in found:
                yield from _compare(value, found[name], f"{path}.{name}", _ROW_KEYS.get(name, ()))
            elif value is not None:
                yield f"{path}.{name}: expected {shown(value)}, found nothing"
    elif isinstance(expected, list) and isinstance(found, list) and rows:
        yield from _compare_rows(expected, found, path, rows)
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield f"{path}: expected {len(expected)} rows, found {len(found)}"
        for position, (one, other) in enumerate(zip(expected, found, strict=False)):
            yield from _compare(one, other, f"{path}[{position}]")
    elif type(expected) is not type(found) or expected != found:
        yield f"{path}: expected {shown(expected)}, found {shown(found)}"


def _compare_rows(expected: Sequence[Any], found: Sequence[Any], path: str, rows: tuple[str, ...]) -> Iterator[str]:
    by_name = {tuple(row[column] for column in rows): row for row in found}
    names = []
    for position, row in enumerate(expected):
        if not isinstance(row, Mapping) or any(column not in row for column in rows):
            fail(f"{path}[{position}]", f"must be an object with {' and '.join(rows)}")
        name = tuple(row[column] for column in rows)
        names.append(name)
        if name in by_name:
            yield from _compare(row, by_name[name], f"{path}[{'/'.join(name)}]")
        else:
            yield f"{path}[{'/'.join(map(str, name))}]: expected, not there"
    if path.endswith(".applied"):
        for name, row in by_name.items():
            if name not in names:
                yield f"{path}[{'/'.join(name)}]: not expected, takes {row['amount']}"


def _read_vector(value: object, path: str, name: str) -> Vector:
    found = read_object(value, path, _CASE_FIELDS, ("now", "channel", "basket", "offers"))
    if read_int(found.get("v", RULES), f"{path}.v") != RULES:
        fail(f"{path}.v", f"must be {RULES}: no other rules are known here")
    expect = found.get("expect")
    if expect is not None and not isinstance(expect, Mapping):
        fail(f"{path}.expect", f"must be an object, not {shown(expect)}")
    basket = read_basket(found["basket"], f"{path}.basket")
    purses = found.get("purses", {})
    if not isinstance(purses, Mapping):
        fail(f"{path}.purses", f"must be an object, not {shown(purses)}")
    held = {purse: read_int(fen, f"{path}.purses.{purse}") for purse, fen in purses.items()}
    case = Case(
        now=read_instant(found["now"], f"{path}.now"),
        channel=read_choice(found["channel"], f"{path}.channel", CHANNELS),
        shop=None if found.get("shop") is None else read_text(found["shop"], f"{path}.shop"),
        member=_read_member(found.get("member", {}), f"{path}.member"),
        basket=basket,
        candidates=_read_offers(found["offers"], f"{path}.offers", held),
        accepted=frozenset(read_texts(found.get("accepted", ()), f"{path}.accepted")),
        declined=frozenset(read_texts(found.get("declined", ()), f"{path}.declined")),
        purses=held,
    )
    return Vector(name, case, _read_refunds(found.get("refunds", ()), f"{path}.refunds", basket), expect)


def read_basket(value: object, path: str) -> tuple[Line, ...]:
    """The lines of a basket as a document or a receipt has them. Raises PricingDocumentError naming the JSON path."""
    lines: dict[str, Line] = {}
    for position, row in enumerate(read_list(value, path)):
        at = f"{path}[{position}]"
        found = read_object(row, at, _LINE_FIELDS, ("line", "sku", "merchant", "unit_price", "qty"))
        name = read_text(found["line"], f"{at}.line")
        if name in lines:
            fail(f"{at}.line", f"{name} is there twice")
        lines[name] = Line(
            line=name,
            sku=read_text(found["sku"], f"{at}.sku"),
            merchant=read_text(found["merchant"], f"{at}.merchant"),
            categories=read_texts(found.get("categories", ()), f"{at}.categories"),
            unit_price=read_int(found["unit_price"], f"{at}.unit_price"),
            qty=read_int(found["qty"], f"{at}.qty", least=1),
            discountable=read_bool(found.get("discountable", True), f"{at}.discountable"),
        )
    return tuple(lines.values())


def _read_member(value: object, path: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        fail(path, f"must be an object, not {shown(value)}")
    for name, fact in value.items():
        facts = fact if isinstance(fact, list) else (fact,)
        if any(one is not None and type(one) not in (str, int, bool) for one in facts):
            fail(f"{path}.{name}", f"must be a text, an integer, true, false or a list of these, not {shown(fact)}")
    return value


def _read_offers(value: object, path: str, purses: Mapping[str, int]) -> tuple[Candidate, ...]:
    candidates: dict[str, Candidate] = {}
    for position, row in enumerate(read_list(value, path)):
        at = f"{path}[{position}]"
        found = read_object(row, at, OFFER_FIELDS | {*_STANDING_FIELDS, "gate"}, ("id", "stage", "kind"))
        offer = Offer(**read_offer_fields(found, at))
        if offer.id in candidates:
            fail(f"{at}.id", f"{offer.id} is there twice")
        for purse in offer.purses:
            if purse not in purses:
                fail(
                    f"{at}.{'allowance' if purse == offer.allowance else 'budgets'}",
                    f"names {purse}, which is not in purses",
                )
        standing = {name: read_int(found[name], f"{at}.{name}") for name in _STANDING_FIELDS if name in found}
        gate: Gate = ABSENT
        if "gate" in found:
            gate = None if found["gate"] is None else Reason(read_choice(found["gate"], f"{at}.gate", GATE_REASONS))
        candidates[offer.id] = Candidate(offer, gate=gate, **standing)
    return tuple(candidates.values())


def _read_refunds(value: object, path: str, basket: Sequence[Line]) -> tuple[Refund, ...]:
    units_of = {line.line: line.qty for line in basket}
    refunds = []
    for position, row in enumerate(read_list(value, path)):
        at = f"{path}[{position}]"
        found = read_object(row, at, ("policy", "line", "steps"), ("line", "steps"))
        policy = read_choice(found.get("policy", "pro_rata"), f"{at}.policy", ("pro_rata", "reprice_kept"))
        line = read_choice(found["line"], f"{at}.line", units_of)
        steps, left = [], units_of[line]
        for number, step in enumerate(read_list(found["steps"], f"{at}.steps", least=1)):
            here = f"{at}.steps[{number}]"
            units = read_int(
                read_object(step, here, ("units",), ("units",))["units"], f"{here}.units", least=1, most=left
            )
            left -= units
            steps.append(units)
        refunds.append(Refund(line, policy, tuple(steps)))
    return tuple(refunds)
