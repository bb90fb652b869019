"""Offer versions as rows of desks: what they give in words, and their state at an instant."""

from datetime import datetime, timedelta
from typing import cast

from api.pages.i18n import Language
from api.pages.terms import find_payer, say_gates, say_gives
from api.pages.views import OfferRow, OfferState
from market.kit.clock import business_day
from market.offers.limits import Limits
from market.offers.models import OfferVersion
from market.pricing import Offer, Stage

PAYERS = {
    "merchant": ("商户让利", "Given by the merchant"),
    "union": ("工会补贴，从预算付给商户", "Paid by the union, from a budget to the merchant"),
    "both": ("商户和工会各出一部分", "Borne by merchant and union together"),
    "rebate": ("商户事后返利，付款时不减", "Given back by the merchant afterwards; the price is not lowered"),
}


def show_row(version: OfferVersion, language: Language, *, at: datetime) -> OfferRow:
    """A version in a list."""
    offer = read_offer(version)
    return OfferRow(
        offer_id=version.offer,
        version=version.version,
        title=title_of(version, language),
        gives=say_gives(offer, language),
        state=state_of(version, at=at),
        from_on=business_day(version.live_from) if version.live_from else None,
        # The window is half-open: its end is the first instant without the offer.
        to_on=business_day(version.live_until - timedelta(microseconds=1)) if version.live_until else None,
    )


def state_of(version: OfferVersion, *, at: datetime) -> OfferState:
    """The stored state; an approved version is live inside its window once it has started, and ended after it."""
    if version.state == "approved":
        if version.live_until is not None and version.live_until <= at:
            return "ended"
        has_begun = version.live_from is None or version.live_from <= at
        return "live" if has_begun and version.started_at is not None else "approved"
    return cast("OfferState", version.state)  # the table's own constraint knows no other


def ended_at_of(version: OfferVersion, *, at: datetime) -> datetime | None:
    """When it ended, by hand or because its window is over."""
    return version.ended_at or (version.live_until if version.live_until and version.live_until <= at else None)


def title_of(version: OfferVersion, language: Language) -> str:
    """What people call the offer."""
    return version.title_en if language == "en" else version.title


def say_terms(version: OfferVersion, language: Language) -> tuple[str, ...]:
    """Who pays, and every condition, one phrase each."""
    return say_offer(read_offer(version), Limits.from_json(version.limits), language)


def say_offer(offer: Offer, limits: Limits, language: Language) -> tuple[str, ...]:
    """The same of an offer that is not stored yet."""
    payer = "rebate" if offer.stage is Stage.REBATE else find_payer(offer)
    return (PAYERS[payer][language == "en"], *say_gates(offer, limits, language))


def read_offer(version: OfferVersion) -> Offer:
    """The terms as the engine reads them."""
    return Offer.from_json(version.terms)
