"""What an offer would do, before there is one: the shops and catalogues it is held against, and example baskets priced by the engine.

Like `api/till.py` it joins rooms that do not know each other; it changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from market.ledger.operations import get_balances
from market.offers.examples import Basket, make_basket, make_examples
from market.offers.limits import Limits
from market.offers.live import LiveBook
from market.offers.wares import Place, Ware, can_match, is_in_scope
from market.pricing import Candidate, Case, Offer, quote
from market.pricing.gates import gate_outcome
from market.pricing.zones import get_zone
from market.sales.redeem import CHANNEL
from merchants.models import Item, Merchant, Shop

DAYS_AHEAD: Final = 15  # every weekday comes twice
NODE_LIMIT: Final = 4_000  # an example answers while somebody types


@dataclass(frozen=True, slots=True)
class Draft:
    """An offer that is not in force, with the limits that would stand beside it."""

    offer: Offer
    limits: Limits


@dataclass(frozen=True, slots=True)
class Example:
    """A basket with its price when the draft is the only offer, and together with what is live at the shop; quotes as documents."""

    basket: Basket
    alone: Mapping[str, Any]
    together: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Examples:
    """Example baskets at one shop at one moment at which the draft can be used."""

    place: Place
    at: datetime
    examples: tuple[Example, ...]


def list_places(tx: Session) -> list[Place]:
    """Every open shop of an admitted merchant with its catalogue, in order of the codes; two statements."""
    wares: dict[str, dict[str, Ware]] = {}
    items = select(Merchant.code, Item.sku, Item.name, Item.category, Item.price_fen)
    for code, sku, name, category, price_fen in tx.execute(
        items.join(Merchant, Merchant.id == Item.merchant_id).where(Item.state == "sold")
    ):
        wares.setdefault(code, {})[sku] = Ware(sku, name, category, price_fen)
    shops = (
        select(Shop.code, Shop.name, Merchant.code, Merchant.name, Merchant.category, Shop.till)
        .join(Merchant, Merchant.id == Shop.merchant_id)
        .where(Shop.state == "open", Merchant.state == "admitted")
        .order_by(Merchant.code, Shop.code)
    )
    return [Place(*row, wares=wares.get(row[2], {}) if row[5] == "items" else {}) for row in tx.execute(shops)]


def find_place(offer: Offer, places: Sequence[Place]) -> Place | None:
    """A shop at which the offer can be used; one that sells by catalogue shows most."""
    near = [place for place in places if is_in_scope(offer.match, place) and can_match(offer.match, place)]
    return min(near, key=lambda place: (place.till != "items", place.merchant, place.shop), default=None)


def name_wares(places: Sequence[Place]) -> dict[str, str]:
    """The names of merchants, shops and items by their codes; where two shops call one code differently, the first."""
    names: dict[str, str] = {}
    for place in places:
        names |= {place.merchant: place.merchant_name, place.shop: place.name}
        for ware in place.wares.values():
            names.setdefault(ware.sku, ware.name)
    return names


def price_examples(
    tx: Session, *, draft: Draft, place: Place, live: LiveBook, at: datetime, own: Basket = ()
) -> Examples:
    """Price the examples, and the reader's own basket if there is one, with what the budgets hold now. Changes nothing."""
    offer = draft.offer
    facts = make_member(offer)
    moment = find_moment(offer, facts, at=at)
    baskets = [*([own] if own else []), *make_examples(offer, place)]
    lines = [make_basket(basket, place.merchant) for basket in baskets]
    others = [
        [other for other in live.book.candidates(basket, shop=place.shop) if other.id != offer.id] for basket in lines
    ]
    purses = {purse for one in ([offer], *others) for each in one for purse in each.purses}
    left = {**dict.fromkeys(purses, 0), **get_balances(tx, sorted(purses))}
    examples = []
    for basket, bought, here in zip(baskets, lines, others, strict=True):
        priced = []
        for candidates in ([_fresh(offer, draft.limits)], [_fresh(offer, draft.limits), *_live(here, live)]):
            case = Case(
                now=moment,
                channel=offer.channels[0] if offer.channels else CHANNEL,
                shop=place.shop,
                member=facts,
                basket=bought,
                candidates=tuple(candidates),
                purses=left,
                accepted=frozenset(candidate.offer.id for candidate in candidates),
            )
            priced.append(quote(case, node_limit=NODE_LIMIT).to_json())
        examples.append(Example(basket, *priced))
    return Examples(place, moment, tuple(examples))


def make_member(offer: Offer) -> dict[str, object]:
    """The facts of a member for whom the offer is: at work, unless it asks for something else."""
    return {"state": "active", **{name: values[0] for name, values in offer.audience.items()}}


def find_moment(offer: Offer, facts: Mapping[str, object], *, at: datetime) -> datetime:
    """The first moment from now on at which the offer is open: now, its beginning, or the hours of one of the next days."""
    begin = max(at, (offer.window and offer.window[0]) or at)
    zone = get_zone(offer.zone)
    today = begin.astimezone(zone).date()
    minutes = [pair[0] for pair in offer.hours] or [12 * 60]
    tried = [begin] + [
        datetime.combine(today + timedelta(days=days), time(minute // 60, minute % 60), zone)
        for days in range(DAYS_AHEAD)
        for minute in sorted(minutes)
    ]
    channel = offer.channels[0] if offer.channels else CHANNEL
    for moment in tried:
        case = Case(now=moment, channel=channel, basket=(), candidates=(), member=facts)
        if moment >= begin and gate_outcome(Candidate(offer), case) is None:
            return moment
    return begin


def _live(offers: Sequence[Offer], live: LiveBook) -> list[Candidate]:
    return [_fresh(offer, live.limits.get(offer.id, Limits())) for offer in offers]


def _fresh(offer: Offer, limits: Limits) -> Candidate:
    """The offer for a member who has not used any of it."""
    return Candidate(
        offer,
        uses_remaining=limits.uses,
        member_amount_remaining=limits.amount_fen,
        budget_remaining=limits.total_fen,
    )
