"""What a member could get at a shop, and what he would pay there: cards say who he is, merchants what is sold, the market the rest.

Like `api/till.py` it joins rooms that do not know each other; unlike it, it changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

import cards
import merchants
from api.pages import terms
from api.pages.i18n import Language
from api.pages.views import OfferHere, ShopOffers
from api.till import Basket, make_lines
from market.offers.live import LiveBook
from market.pricing import Candidate, Case, Offer
from market.pricing.gates import gate_outcome, standing_reason
from market.sales import redeem
from market.sales.parties import Shopper, Till
from market.sales.standing import get_standing, offer_purses
from merchants import ShopPlace

NOBODY = UUID(int=0)  # nobody stands at the till while a member asks for a price


@dataclass(frozen=True, slots=True)
class Asker:
    """A member who looks at offers now. `shopper` is None while his card cannot be used: then nothing is usable."""

    shopper: Shopper | None
    live: LiveBook
    at: datetime
    language: Language


def list_shop_offers(tx: Session, *, asker: Asker, places: Sequence[ShopPlace]) -> list[ShopOffers]:
    """What the member gets at each of these shops, usable offers first. At most two statements, however many shops."""
    items = {place.merchant for place in places if place.till == "items"}
    wares = merchants.find_wares(tx, merchants=items)
    met = {place.shop: _met(asker.live, place, wares.get(place.merchant, set())) for place in places}
    usable = _find_usable(tx, asker, {offer.id: offer for offers in met.values() for offer in offers})
    return [
        ShopOffers(
            shop_id=place.shop,
            shop=place.name,
            merchant=place.merchant_name,
            category=place.category,
            address=place.address or None,
            offers=tuple(
                _say(offer, asker, usable=offer.id in usable)
                for offer in sorted(
                    met[place.shop], key=lambda offer: (offer.id not in usable, offer.stage == "subsidy")
                )
            ),
        )
        for place in places
    ]


def quote_for_member(
    tx: Session, *, shopper: Shopper, place: ShopPlace, keyed: Basket, live: LiveBook, at: datetime
) -> redeem.Priced:
    """What the member would pay at this shop now, by the same engine and offers as at its till; without a visit and without effect.

    Raises BasketError and WayOfKeyingError.
    """
    till = Till(place.shop_id, place.shop, place.merchant, NOBODY, place.category, place.till)
    lines = make_lines(tx, till, keyed)
    return redeem.price(
        tx, subject=shopper.subject, facts=shopper.facts, shop=place.shop, lines=lines, live=live, at=at
    )


def find_asker(tx: Session, *, member_id: UUID, live: LiveBook, at: datetime, language: Language) -> Asker:
    """The member as one who asks for offers; `live` is taken before the transaction."""
    return Asker(cards.find_shopper_for_member(tx, member_id=member_id, at=at), live, at, language)


def _met(live: LiveBook, place: ShopPlace, wares: set[str]) -> list[Offer]:
    """The live offers that something sold at this shop could take part in."""
    sold = wares if place.till == "items" else {place.category}
    return [
        offer
        for offer in live.book.offers_at(shop=place.shop, merchant=place.merchant)
        if (not offer.channels or redeem.CHANNEL in offer.channels)
        and (place.till == "register" or not (asked := offer.match.skus | offer.match.categories) or asked & sold)
    ]


def _find_usable(tx: Session, asker: Asker, offers: Mapping[str, Offer]) -> set[str]:
    """Those offers whose gates the member passes now, with uses left to him and money in their purses; one statement."""
    shopper = asker.shopper
    if shopper is None or not offers:
        return set()
    standing = get_standing(tx, live=asker.live, offers=list(offers.values()), subject=shopper.subject, at=asker.at)
    case = Case(now=asker.at, channel=redeem.CHANNEL, basket=(), candidates=(), member=shopper.facts)
    return {candidate.offer.id for candidate in standing.candidates if _is_usable(candidate, case, standing.purses)}


def _is_usable(candidate: Candidate, case: Case, purses: Mapping[str, int]) -> bool:
    if gate_outcome(candidate, case) is not None or standing_reason(candidate, case) is not None:
        return False
    return not candidate.offer.sponsor_share_bp or all(purses[purse] for purse in offer_purses(candidate.offer))


def _say(offer: Offer, asker: Asker, *, usable: bool) -> OfferHere:
    title = asker.live.titles[offer.id]
    return OfferHere(
        title=title.en if asker.language == "en" else title.zh,
        gives=terms.say_gives(offer, asker.language),
        gates=terms.say_gates(offer, asker.live.limits.get(offer.id), asker.language),
        payer=terms.find_payer(offer),
        usable_now=usable,
    )
