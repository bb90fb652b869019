"""Short ways to write cases for the tests of the engine."""

from typing import Any

from market.pricing import Quote, quote
from market.pricing.document import parse_document


def line(
    name: str, price: int, qty: int = 1, *, categories: tuple[str, ...] = ("goods",), merchant: str = "M1", **more: Any
) -> dict[str, Any]:
    """A line whose sku is its name."""
    return {
        "line": name,
        "sku": name,
        "merchant": merchant,
        "categories": list(categories),
        "unit_price": price,
        "qty": qty,
        **more,
    }


def case(basket: list[dict[str, Any]], offers: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A case at Tuesday noon in a shop."""
    return {
        "id": "T",
        "now": "2026-12-01T12:05:00+08:00",
        "channel": "shop",
        "basket": basket,
        "offers": offers,
        **more,
    }


def percent(name: str, rate_bp: int, stage: str = "line", **more: Any) -> dict[str, Any]:
    """A percentage off."""
    return {"id": name, "stage": stage, "kind": "percent_off", "rate_bp": rate_bp, **more}


def off(name: str, amount: int, stage: str = "order", **more: Any) -> dict[str, Any]:
    """A fixed amount off."""
    return {"id": name, "stage": stage, "kind": "amount_off", "amount": amount, **more}


def unit_off(name: str, amount: int, **more: Any) -> dict[str, Any]:
    """An amount off each unit."""
    return {"id": name, "stage": "line", "kind": "amount_off_unit", "amount": amount, **more}


def save(name: str, *tiers: tuple[int, int], **more: Any) -> dict[str, Any]:
    """Spend and save."""
    return {
        "id": name,
        "stage": "order",
        "kind": "spend_save",
        "tiers": [{"min": least, "off": much} for least, much in tiers],
        **more,
    }


def price(made: dict[str, Any], **more: Any) -> Quote:
    """Quote a case written as a dict."""
    (vector,) = parse_document({"vectors": [made]})
    return quote(vector.case, **more)


def amounts(made: Quote) -> dict[str, int]:
    """What each applied offer took."""
    return {applied.offer: applied.amount for applied in made.applied}


def reasons(made: Quote) -> dict[str, str]:
    """Why each other candidate did not apply."""
    return {row.offer: row.reason.value for row in made.not_applied}
