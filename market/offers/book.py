"""The compiled offer book: immutable, numbered, and indexed so that a basket meets only the offers that match it. Pure.

Each version is filed under one anchor: the rarest condition that a basket must fulfil for it, by sku, shop, merchant or category, else
under "any". A basket probes its own keys only, so the cost grows with the offers that match, not with all that are live.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from market.pricing import Line, Match, Offer
from market.pricing.gates import Shelf, find_lines, make_shelf

Key = tuple[str, str]
Filed = Mapping[Key, tuple[str, ...]]

_SKU, _CATEGORY, _SHOP, _MERCHANT = "sku", "category", "shop", "merchant"
_ANYWHERE: Final[Key] = ("any", "")
_NOBODY: Final[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True)
class Index:
    """The offers by id; how many ask for each key; ids filed under one anchor each; ids by place."""

    offers: Mapping[str, Offer]
    wanted: Mapping[Key, int]
    filed: Filed
    placed: Filed


class OfferBook:
    """The offer versions live until `next_change_at`, under the book's `number`."""

    __slots__ = ("_index", "next_change_at", "number")

    def __init__(self, number: int, offers: Iterable[Offer] | Index, next_change_at: datetime | None) -> None:
        """Compile the book. Give it one version of each offer."""
        self.number = number
        self.next_change_at = next_change_at
        self._index = offers if isinstance(offers, Index) else _compile(offers)

    def __len__(self) -> int:
        return len(self._index.offers)

    @property
    def offers(self) -> tuple[Offer, ...]:
        """All of them, in order of their ids."""
        return tuple(offer for _, offer in sorted(self._index.offers.items()))

    @property
    def versions(self) -> dict[str, int]:
        """Which version of each offer it holds."""
        return {id_: offer.version for id_, offer in self._index.offers.items()}

    def find(self, id_: str) -> Offer | None:
        """The version of this offer that it holds, if any."""
        return self._index.offers.get(id_)

    def change(
        self, number: int, *, put: Collection[Offer], drop: Collection[str], next_change_at: datetime | None
    ) -> "OfferBook":
        """The next book: without the offers `drop`, with `put` in place of other versions of them. This one stays as it is.

        Only what changed is filed anew, so that a book of 100,000 follows a change in a fraction of the time it takes to compile. When
        a quarter changed it is compiled afresh: which condition is the rarest has shifted.
        """
        index = self._index
        gone = [index.offers[id_] for id_ in {*drop, *(offer.id for offer in put)} if id_ in index.offers]
        offers = dict(index.offers)
        for offer in gone:
            del offers[offer.id]
        offers.update((offer.id, offer) for offer in put)
        if 4 * (len(gone) + len(put)) > len(offers):
            return OfferBook(number, offers.values(), next_change_at)
        wanted = dict(index.wanted)
        for sign, some in ((-1, gone), (1, put)):
            for key in (key for offer in some for key in _wishes(offer)):
                wanted[key] = wanted.get(key, 0) + sign
        filed = _refile(
            index.filed,
            ((key, offer.id) for offer in gone for key in (*_wishes(offer), _ANYWHERE)),
            ((key, offer.id) for offer in put for key in _rarest(offer, wanted)),
        )
        placed = _refile(
            index.placed,
            ((key, offer.id) for offer in gone for key in _scope(offer.match)),
            ((key, offer.id) for offer in put for key in _scope(offer.match)),
        )
        return OfferBook(number, Index(offers, wanted, filed, placed), next_change_at)

    def candidates(self, lines: Sequence[Line], *, shop: str | None = None) -> tuple[Offer, ...]:
        """The offers with an eligible line in this basket at this shop, in order of their ids. Gates and standing are not asked.

        Of a bundle a line is eligible that one of its components asks for.
        """
        filed = self._index.filed
        ids = set(filed.get(_ANYWHERE, _NOBODY))
        ids.update(filed.get((_SHOP, shop), _NOBODY) if shop else _NOBODY)
        merchants: set[str] = set()
        categories: set[str] = set()
        for line in lines:
            if line.discountable:
                ids.update(filed.get((_SKU, line.sku), _NOBODY))
                merchants.add(line.merchant)
                categories.update(line.categories)
        for merchant in merchants:
            ids.update(filed.get((_MERCHANT, merchant), _NOBODY))
        for category in categories:
            ids.update(filed.get((_CATEGORY, category), _NOBODY))
        shelf = make_shelf(lines, shop)
        offers = self._index.offers
        return tuple([offer for id_ in sorted(ids) if _is_met(offer := offers[id_], shelf)])

    def offers_at(self, *, shop: str, merchant: str) -> tuple[Offer, ...]:
        """The offers whose scope holds this shop of this merchant, in order of their ids: what a member could meet there."""
        placed = self._index.placed
        ids = {id_ for key in (_ANYWHERE, (_SHOP, shop), (_MERCHANT, merchant)) for id_ in placed.get(key, _NOBODY)}
        offers = [self._index.offers[id_] for id_ in sorted(ids)]
        return tuple(offer for offer in offers if not offer.match.merchants or merchant in offer.match.merchants)


def _compile(offers: Iterable[Offer]) -> Index:
    """The index of these offers from nothing."""
    by_id = {offer.id: offer for offer in offers}
    wanted = Counter(key for offer in by_id.values() for key in _wishes(offer))
    filed: dict[Key, list[str]] = {}
    placed: dict[Key, list[str]] = {}
    for offer in by_id.values():
        for key in _rarest(offer, wanted):
            filed.setdefault(key, []).append(offer.id)
        for key in _scope(offer.match):
            placed.setdefault(key, []).append(offer.id)
    return Index(
        by_id,
        dict(wanted),
        {key: tuple(ids) for key, ids in filed.items()},
        {key: tuple(ids) for key, ids in placed.items()},
    )


def _is_met(offer: Offer, shelf: Shelf) -> bool:
    """Whether it has an eligible line on the shelf."""
    found = find_lines(offer.match, shelf)[0]
    if not offer.components or not found:
        return bool(found)
    return any(not set(found).isdisjoint(find_lines(part.match, shelf)[0]) for part in offer.components)


def _anchors(match: Match) -> Iterator[list[Key]]:
    """The conditions that each alone are necessary: one of the items, one of the shops, one of the merchants."""
    if match.skus or match.categories:
        yield [*((_SKU, sku) for sku in match.skus), *((_CATEGORY, category) for category in match.categories)]
    if match.shops:
        yield [(_SHOP, shop) for shop in match.shops]
    if match.merchants:
        yield [(_MERCHANT, merchant) for merchant in match.merchants]


def _all_anchors(offer: Offer) -> list[list[Key]]:
    """Those of the match, and for a bundle one more: a first condition of one of its components."""
    anchors = list(_anchors(offer.match))
    if offer.components:
        parts = [next(_anchors(part.match), None) for part in offer.components]
        if all(parts):  # a component of any item anywhere asks for nothing
            anchors.append(list(dict.fromkeys(key for part in parts if part for key in part)))
    return anchors


def _wishes(offer: Offer) -> Iterator[Key]:
    """Every key under which it could be filed."""
    for anchor in _all_anchors(offer):
        yield from anchor


def _rarest(offer: Offer, wanted: Mapping[Key, int]) -> list[Key]:
    """The keys to file it under: its rarest condition is that whose most wanted key the fewest offers ask for."""
    anchors = _all_anchors(offer)
    return min(anchors, key=lambda anchor: max(wanted[key] for key in anchor)) if anchors else [_ANYWHERE]


def _scope(match: Match) -> list[Key]:
    """Where an offer is filed by place: its shops, else its merchants, else anywhere."""
    if match.shops:
        return [(_SHOP, shop) for shop in match.shops]
    return [(_MERCHANT, merchant) for merchant in match.merchants] or [_ANYWHERE]


def _refile(filed: Filed, out: Iterable[tuple[Key, str]], into: Iterable[tuple[Key, str]]) -> Filed:
    """The file without some rows and with others; a key that is left with none disappears."""
    changed: dict[Key, dict[str, None]] = {}
    for key, id_ in out:
        if key in filed:
            changed.setdefault(key, dict.fromkeys(filed[key])).pop(id_, None)
    for key, id_ in into:
        changed.setdefault(key, dict.fromkeys(filed.get(key, ())))[id_] = None
    kept = {key: ids for key, ids in filed.items() if key not in changed}
    return kept | {key: tuple(ids) for key, ids in changed.items() if ids}
