"""The compiled offer book: immutable, numbered, and indexed so that a basket meets only the offers that match it. Pure.

Each version is filed under one anchor: the rarest condition that a basket must fulfil for it, by sku, shop, merchant or category, else
under "any". A basket probes its own keys only, so the cost grows with the offers that match, not with all that are live.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from market.pricing import Line, Match, Offer
from market.pricing.gates import find_lines, make_shelf

Key = tuple[str, str]

_SKU, _CATEGORY, _SHOP, _MERCHANT = "sku", "category", "shop", "merchant"
_NOBODY: Final[tuple[int, ...]] = ()


class OfferBook:
    """The offer versions live until `next_change_at`, under the book's `number`. `offers` are in order of their ids."""

    __slots__ = ("_any", "_anywhere", "_filed", "_placed", "next_change_at", "number", "offers")

    def __init__(self, number: int, offers: Iterable[Offer], next_change_at: datetime | None) -> None:
        """Compile the book. Give it one version of each offer."""
        self.number = number
        self.next_change_at = next_change_at
        self.offers: tuple[Offer, ...] = tuple(sorted(offers, key=lambda offer: (offer.id, offer.version)))
        wanted = Counter(key for offer in self.offers for anchor in _anchors(offer.match) for key in anchor)
        filed: dict[Key, list[int]] = {}
        placed: dict[Key, list[int]] = {}
        found_any, anywhere = [], []
        for place, offer in enumerate(self.offers):
            anchors = _anchors(offer.match)
            if anchors:
                # Its rarest condition: that whose most wanted key the fewest offers ask for.
                for key in min(anchors, key=lambda anchor: max(wanted[key] for key in anchor)):
                    filed.setdefault(key, []).append(place)
            else:
                found_any.append(place)
            scope = _scope(offer.match)
            for key in scope:
                placed.setdefault(key, []).append(place)
            if not scope:
                anywhere.append(place)
        self._filed: Mapping[Key, tuple[int, ...]] = {key: tuple(places) for key, places in filed.items()}
        self._placed: Mapping[Key, tuple[int, ...]] = {key: tuple(places) for key, places in placed.items()}
        self._any, self._anywhere = tuple(found_any), tuple(anywhere)

    def candidates(self, lines: Sequence[Line], *, shop: str | None = None) -> tuple[Offer, ...]:
        """The offers with an eligible line in this basket at this shop, in order of their ids. Gates and standing are not asked."""
        filed = self._filed
        places = set(self._any)
        places.update(filed.get((_SHOP, shop), _NOBODY) if shop else _NOBODY)
        merchants: set[str] = set()
        categories: set[str] = set()
        for line in lines:
            if line.discountable:
                places.update(filed.get((_SKU, line.sku), _NOBODY))
                merchants.add(line.merchant)
                categories.update(line.categories)
        for merchant in merchants:
            places.update(filed.get((_MERCHANT, merchant), _NOBODY))
        for category in categories:
            places.update(filed.get((_CATEGORY, category), _NOBODY))
        shelf = make_shelf(lines, shop)
        offers = self.offers
        return tuple([offers[place] for place in sorted(places) if find_lines(offers[place].match, shelf)[0]])

    def offers_at(self, *, shop: str, merchant: str) -> tuple[Offer, ...]:
        """The offers whose scope holds this shop of this merchant, in order of their ids: what a member could meet there."""
        places = {
            *self._anywhere,
            *self._placed.get((_SHOP, shop), _NOBODY),
            *self._placed.get((_MERCHANT, merchant), _NOBODY),
        }
        offers = [self.offers[place] for place in sorted(places)]
        return tuple(offer for offer in offers if not offer.match.merchants or merchant in offer.match.merchants)


def _anchors(match: Match) -> list[list[Key]]:
    """The conditions that each alone are necessary: one of the items, one of the shops, one of the merchants."""
    items = [*((_SKU, sku) for sku in match.skus), *((_CATEGORY, category) for category in match.categories)]
    anchors = [items, [(_SHOP, shop) for shop in match.shops], [(_MERCHANT, merchant) for merchant in match.merchants]]
    return [anchor for anchor in anchors if anchor]


def _scope(match: Match) -> list[Key]:
    """Where an offer is filed by place: its shops, else its merchants."""
    if match.shops:
        return [(_SHOP, shop) for shop in match.shops]
    return [(_MERCHANT, merchant) for merchant in match.merchants]
