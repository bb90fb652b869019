"""What a member could get at a shop, and what he would pay there: cards say who he is, merchants what is sold, the market the rest.

Like `api/till.py` it joins rooms that do not know each other; unlike it, it changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

import cards
import merchants
from api.pages import terms
from api.pages.i18n import Language
from api.pages.views import OfferAsk, OfferHere, ShopOffers
from api.till import Basket, make_lines
from market.offers.consents import list_consents
from market.offers.live import LiveBook
from market.pricing import Candidate, Case, Offer, Reason
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
    """What the member gets at each of these shops, usable offers first. At most three statements, however many shops."""
    items = {place.merchant for place in places if place.till == "items"}
    wares = merchants.find_wares(tx, merchants=items)
    met = {place.shop: _met(asker.live, place, wares.get(place.merchant, set())) for place in places}
    offers = {offer.id: offer for there in met.values() for offer in there}
    usable, asks = _find_usable(tx, asker, offers), _find_asks(tx, asker, offers)
    return [
        ShopOffers(
            shop_id=place.shop,
            shop=place.name,
            merchant=place.merchant_name,
            category=place.category,
            address=place.address or None,
            offers=tuple(
                _say(offer, asker, usable=offer.id in usable, ask=asks.get(offer.id))
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


def list_asks(tx: Session, *, asker: Asker, shops: Sequence[ShopOffers]) -> tuple[OfferHere, ...]:
    """Every offer at these shops that asks this member, once, then what else he agreed to and is still live: taken back as easily."""
    asks = {offer.ask.offer_id: offer for shop in shops for offer in shop.offers if offer.ask}
    if asker.shopper is None:
        return ()
    given = list_consents(tx, subject=asker.shopper.subject)
    others = {id_: offer for id_ in given.keys() - asks.keys() if (offer := asker.live.book.find(id_)) is not None}
    usable = _find_usable(tx, asker, others)
    more = [
        _say(offer, asker, usable=id_ in usable, ask=OfferAsk(offer_id=id_, agreed_at=given[id_]))
        for id_, offer in sorted(others.items())
        if offer.consent == "ask"
    ]
    return (*asks.values(), *more)


def find_quote_asks(tx: Session, *, asker: Asker, priced: redeem.Priced) -> tuple[OfferHere, ...]:
    """The offers of a quote that he agreed to, or that nothing but his consent keeps from being looked at."""
    waiting = {row.offer for row in priced.quote.not_applied if row.reason is Reason.NOT_ACCEPTED}
    offers = {
        candidate.offer.id: candidate.offer
        for candidate in priced.case.candidates
        if candidate.offer.id in waiting | priced.case.accepted
    }
    asks = _find_asks(tx, asker, offers)
    return tuple(_say(offer, asker, usable=True, ask=asks.get(id_)) for id_, offer in offers.items() if id_ in asks)


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
    """Those offers whose gates the member passes now, with uses left to him and money in their purses; one statement.

    What they ask of him is left aside: an offer that he has not agreed to yet is one that he could use.
    """
    shopper = asker.shopper
    if shopper is None or not offers:
        return set()
    standing = get_standing(tx, live=asker.live, offers=list(offers.values()), subject=shopper.subject, at=asker.at)
    case = replace(_here(asker, shopper), accepted=frozenset(offers))
    return {candidate.offer.id for candidate in standing.candidates if _is_usable(candidate, case, standing.purses)}


def _find_asks(tx: Session, asker: Asker, offers: Mapping[str, Offer]) -> dict[str, OfferAsk]:
    """What these offers ask of the member: of one that is for others nothing, unless he agreed to it when it was for him."""
    asking = {id_: offer for id_, offer in offers.items() if offer.consent == "ask"}
    shopper = asker.shopper
    if shopper is None or not asking:
        return {}
    given = list_consents(tx, subject=shopper.subject)
    case = _here(asker, shopper)
    return {
        id_: OfferAsk(offer_id=id_, agreed_at=given.get(id_))
        for id_, offer in asking.items()
        if id_ in given or gate_outcome(Candidate(offer), case) is not Reason.AUDIENCE
    }


def _here(asker: Asker, shopper: Shopper) -> Case:
    """This member at a till now, with nothing on it yet."""
    return Case(now=asker.at, channel=redeem.CHANNEL, basket=(), candidates=(), member=shopper.facts)


def _is_usable(candidate: Candidate, case: Case, purses: Mapping[str, int]) -> bool:
    if gate_outcome(candidate, case) is not None or standing_reason(candidate, case) is not None:
        return False
    return not candidate.offer.sponsor_share_bp or all(purses[purse] for purse in offer_purses(candidate.offer))


def _say(offer: Offer, asker: Asker, *, usable: bool, ask: OfferAsk | None = None) -> OfferHere:
    title = asker.live.titles[offer.id]
    return OfferHere(
        title=title.en if asker.language == "en" else title.zh,
        gives=terms.say_gives(offer, asker.language),
        gates=terms.say_gates(offer, asker.live.limits.get(offer.id), asker.language),
        payer=terms.find_payer(offer),
        usable_now=usable,
        ask=ask,
    )
