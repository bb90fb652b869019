"""Example baskets for an offer at one shop: what would be bought there, from its real catalogue or in typical amounts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from market.offers.wares import Place, Ware, hits
from market.pricing import Kind, Line, Offer
from market.pricing.kinds import least_spend
from market.pricing.match import Match

MOST_EXAMPLES: Final = 4
TYPICAL_FEN: Final = (15_00, 46_00, 120_00)  # a bowl, the mean ticket, a family's shopping
MOST_UNITS: Final = 50


@dataclass(frozen=True, slots=True)
class Bought:
    """Units of one thing at a price in fen each; `name` is what people call it, empty for an amount."""

    sku: str
    name: str
    category: str
    price_fen: int
    qty: int
    joins: bool = True

    def to_line(self, number: int, merchant: str) -> Line:
        """The line of a basket."""
        categories = (self.category,) if self.joins else ()
        return Line(str(number), self.sku, merchant, categories, self.price_fen, self.qty, discountable=self.joins)


Basket = tuple[Bought, ...]


def make_examples(offer: Offer, place: Place) -> list[Basket]:
    """Three or four baskets that show the offer at work: below its threshold, at it, well above it, and with something that takes no part."""
    made = _of_items(offer, place) if place.till == "items" else _of_amounts(offer, place)
    return list(dict.fromkeys(basket for basket in made if basket))[:MOST_EXAMPLES]


def make_basket(lines: Sequence[Bought], merchant: str) -> tuple[Line, ...]:
    """The lines for the engine."""
    return tuple(bought.to_line(number, merchant) for number, bought in enumerate(lines, start=1))


def _of_items(offer: Offer, place: Place) -> list[Basket]:
    joining = sorted(
        (ware for ware in place.wares.values() if hits(offer.match, ware)), key=lambda ware: (ware.price_fen, ware.sku)
    )
    if not joining:
        return []
    others = sorted((ware for ware in place.wares.values() if ware not in joining), key=lambda ware: ware.sku)
    dear, cheap = joining[-1], joining[0]
    group = _group(offer, place)
    made: list[Basket] = [group] if group else []
    made.append((_units(dear, 1),))
    if (least := least_spend(offer)) and not group:
        made.append((_units(dear, _enough(least, dear.price_fen)),))
    if 1 < offer.min_qty <= MOST_UNITS:
        made.append((_units(cheap, offer.min_qty),))
    more = tuple(_units(ware, 2) for ware in joining[-3:])
    made.append((*more, *(_units(ware, 1) for ware in others[:1])))
    made.append((*group, *(_units(ware, 3) for ware in joining[:2] if not any(ware.sku == one.sku for one in group))))
    return made


def _group(offer: Offer, place: Place) -> Basket:
    """One whole group of what must be bought together; nothing for kinds without groups, nor for one that nobody would carry."""
    if offer.buy + offer.get + sum(part.qty for part in offer.components) > MOST_UNITS:
        return ()
    if offer.kind is Kind.BUNDLE:
        found = [(_cheapest(offer.match, part.match, place), part.qty) for part in offer.components]
        counted: dict[Ware, int] = {}
        for ware, qty in found:
            if ware is None:
                return ()
            counted[ware] = counted.get(ware, 0) + qty
        return tuple(_units(ware, qty) for ware, qty in counted.items())
    if offer.kind is Kind.BUY_X_GET_Y:
        ware = _cheapest(offer.match, offer.match, place)
        return (_units(ware, offer.buy + offer.get),) if ware else ()
    return ()


def _cheapest(match: Match, part: Match, place: Place) -> Ware | None:
    joining = [ware for ware in place.wares.values() if hits(match, ware) and hits(part, ware)]
    return min(joining, key=lambda ware: (ware.price_fen, ware.sku), default=None)


def _of_amounts(offer: Offer, place: Place) -> list[Basket]:
    """Amounts as a till without a catalogue keys them; a register's lines are of a category the offer asks for, or of a code it names."""
    least = least_spend(offer)
    sku = min(offer.match.skus, default="amount") if place.till == "register" else "amount"
    category = min(offer.match.categories, default=place.category) if place.till == "register" else place.category

    def amount(fen: int, qty: int = 1, name: str = "") -> Bought:
        return Bought(sku, name, category, fen, qty)

    group = offer.buy + offer.get or sum(part.qty for part in offer.components)
    if 0 < group <= MOST_UNITS:
        return [(amount(12_00, group),), (amount(12_00, 1),), (amount(20_00, 2 * group),)]
    other = Bought("other", "", "", 5_00, 1, joins=False)
    if least:
        return [(amount(least),), (amount(least * 4 // 5),), (amount(least * 3 // 2), other), (amount(least * 3),)]
    return [(amount(fen),) for fen in TYPICAL_FEN] + [(amount(TYPICAL_FEN[1]), other)]


def _units(ware: Ware, qty: int) -> Bought:
    return Bought(ware.sku, ware.name, ware.category, ware.price_fen, qty)


def _enough(least: int, price_fen: int) -> int:
    """So many units that the threshold is reached, within reason."""
    return min(MOST_UNITS, -(-least // max(price_fen, 1)))
