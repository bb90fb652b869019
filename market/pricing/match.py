"""Which items an offer looks at and where: its match and scope. Pure."""

from dataclasses import dataclass
from typing import Any, Final, Self

from market.pricing.reading import fail, read_object, read_texts

_MATCH_FIELDS: Final = ("any", "skus", "categories", "exclude_skus", "merchants", "shops")


@dataclass(frozen=True, slots=True)
class Match:
    """Which items an offer looks at, and its scope. Empty = no condition of that kind; everything empty = any item anywhere."""

    skus: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    exclude_skus: frozenset[str] = frozenset()
    merchants: frozenset[str] = frozenset()
    shops: frozenset[str] = frozenset()

    @classmethod
    def from_json(cls, value: object, path: str) -> Self:
        """Read a `match`; it must say something, `{"any": true}` at least."""
        found = read_object(value, path, _MATCH_FIELDS)
        if not found:
            fail(path, 'must name items or a scope, or be {"any": true}')
        if "any" in found:
            if found["any"] is not True:
                fail(f"{path}.any", "must be true; leave it out to name items")
            if "skus" in found or "categories" in found:
                fail(f"{path}.any", "cannot stand beside skus or categories")
        return cls(
            *(
                frozenset(read_texts(found[name], f"{path}.{name}", least=1)) if name in found else frozenset()
                for name in _MATCH_FIELDS[1:]
            )
        )

    def to_json(self) -> dict[str, Any]:
        """The canonical form: lists sorted, empty ones left out, `any` when no item is named."""
        named = {name: sorted(values) for name in _MATCH_FIELDS[1:] if (values := getattr(self, name))}
        return named if self.skus or self.categories else {"any": True, **named}


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a bundle: so many units of what it matches, among the items that the offer itself matches."""

    match: Match
    qty: int

    def to_json(self) -> dict[str, Any]:
        """The form of the pricing document."""
        return {"match": self.match.to_json(), "qty": self.qty}


ANY_ITEM: Final = Match()
