"""What is sold where, as offers see it: the shops of admitted merchants, how their tills ring, their catalogues. Pure values.

The doors fill them in: the market does not know merchants.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from market.pricing import Match
from market.pricing.match import ANY_ITEM


@dataclass(frozen=True, slots=True)
class Ware:
    """An item of a catalogue with its list price in fen."""

    sku: str
    name: str
    category: str
    price_fen: int


@dataclass(frozen=True, slots=True)
class Place:
    """A shop by its public codes. `till` is how it keys sales: `amounts` of the shop's `category`, catalogue `items`, or a `register`."""

    shop: str
    name: str
    merchant: str
    merchant_name: str
    category: str
    till: str
    wares: Mapping[str, Ware] = field(default_factory=dict)

    def prices(self, match: Match) -> Iterator[int]:
        """The list prices of the catalogue's items that an offer's match hits."""
        return (ware.price_fen for ware in self.wares.values() if hits(match, ware))


def hits(match: Match, ware: Ware) -> bool:
    """Whether an item takes part: named by code or category, or everything does, and it is not excluded."""
    if ware.sku in match.exclude_skus:
        return False
    return not (match.skus or match.categories) or ware.sku in match.skus or ware.category in match.categories


def is_in_scope(match: Match, place: Place) -> bool:
    """Whether the shop lies in the scope of the offer."""
    return (not match.merchants or place.merchant in match.merchants) and (not match.shops or place.shop in match.shops)


def can_match(match: Match, place: Place, part: Match = ANY_ITEM) -> bool:
    """Whether something sold at this shop could ever take part; `part` narrows it to a component of a bundle."""
    match place.till:
        case "register":  # its own codes, which nobody lists with us
            return True
        case "amounts":
            return all(not (one.skus or one.categories) or place.category in one.categories for one in (match, part))
        case _:
            return any(hits(match, ware) and hits(part, ware) for ware in place.wares.values())


def cheapest_price(match: Match, place: Place, part: Match) -> int | None:
    """The least list price among the items that fill a component, None when none does."""
    return min(
        (ware.price_fen for ware in place.wares.values() if hits(match, ware) and hits(part, ware)), default=None
    )
