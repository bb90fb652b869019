"""What changed between two versions of an offer, field by field of the pricing document. Pure; words are made at the door."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

UNCHANGING: Final = frozenset({"id", "version"})
NESTED: Final = frozenset({"match", "window", "audience"})  # shown by their parts


@dataclass(frozen=True, slots=True)
class Difference:
    """One field (`match.merchants`, `limits.uses`, `title`) with its old and its new value; None where it was or is not there."""

    field: str
    old: Any
    new: Any


def find_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What differs between two versions given as {"title", "title_en", "terms", "limits"}, in the order of the new one's fields."""
    before, after = _flat(old), _flat(new)
    names = dict.fromkeys((*after, *before))
    return tuple(
        Difference(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )


def _flat(version: Mapping[str, Any]) -> dict[str, Any]:
    words = {"title": version["title"], "title_en": version["title_en"]}
    limits = {f"limits.{name}": value for name, value in version["limits"].items()}
    return {**words, **flatten_terms(version["terms"]), **limits}


def flatten_terms(terms: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the terms by name, those of nested objects by their parts (`match.shops`); without id and version."""
    fields: dict[str, Any] = {}
    for name, value in terms.items():
        if name in NESTED:
            fields |= {f"{name}.{part}": inner for part, inner in value.items()}
        elif name not in UNCHANGING:
            fields[name] = value
    return fields
