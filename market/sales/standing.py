"""What is left for one person at one moment: purses of the offers that match, uses and amounts under their limits; what he agreed to use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from sqlalchemy import Numeric, bindparam, cast, false, func, literal, select, true, union_all
from sqlalchemy.orm import Session

from market.ledger.operations import BALANCES, get_balances
from market.ledger.postings import Draw
from market.offers.limits import Limits, total_balance
from market.offers.live import LiveBook
from market.offers.models import OfferConsent
from market.pricing import Candidate, Offer, Quote

NOTHING_SPENT: Final[Mapping[str, int]] = MappingProxyType({})
_BALANCES_AND_CONSENTS = union_all(
    BALANCES.add_columns(false().label("is_consent")),
    select(OfferConsent.offer, cast(literal(0), Numeric), true()).where(
        OfferConsent.subject == bindparam("subject"),
        OfferConsent.offer == func.any(bindparam("asking")),
        OfferConsent.is_given,
    ),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """The candidates of a quote with what is left to each, the purses they draw from (fen left), and which that ask may be used."""

    candidates: tuple[Candidate, ...]
    purses: Mapping[str, int]
    accepted: frozenset[str]


def get_standing(
    tx: Session,
    *,
    live: LiveBook,
    offers: Sequence[Offer],
    subject: UUID,
    at: datetime,
    spent: Mapping[str, int] = NOTHING_SPENT,
) -> Standing:
    """Read everything the engine must know of balances and consents, in one statement (none when no offer counts or asks anything).

    `spent` is what earlier orders of the same basket will take from balances, not yet drawn.
    """
    purses = {purse for offer in offers for purse in offer_purses(offer)}
    counted = {
        balance: initial
        for offer in offers
        if (limits := live.limits.get(offer.id)) is not None
        for balance, initial in _counters(offer.id, limits, subject, at)
    }
    asking = [offer.id for offer in offers if offer.consent == "ask"]
    known, accepted = _read(tx, sorted({*purses, *counted}), asking, subject)
    left = {balance: fen - spent.get(balance, 0) for balance, fen in {**counted, **known}.items()}
    return Standing(
        candidates=tuple(_candidate(offer, live.limits.get(offer.id), left, subject, at) for offer in offers),
        purses={purse: left.get(purse, 0) for purse in sorted(purses)},
        accepted=accepted,
    )


def _read(
    tx: Session, balances: Sequence[str], asking: Sequence[str], subject: UUID
) -> tuple[Mapping[str, int], frozenset[str]]:
    """What is left of these balances, and to which of the offers that ask the person agreed."""
    if not asking:
        return get_balances(tx, balances), frozenset()
    asked = {"ids": balances, "asking": asking, "subject": subject}
    rows = tx.connection().execute(_BALANCES_AND_CONSENTS, asked).all()
    left = {id_: int(fen) for id_, fen, is_consent in rows if not is_consent}
    return left, frozenset(id_ for id_, _, is_consent in rows if is_consent)


def offer_purses(offer: Offer) -> tuple[str, ...]:
    """Every purse that the sponsor's part of an offer is drawn from."""
    return (*offer.budgets, offer.allowance) if offer.allowance else tuple(offer.budgets)


def make_draws(quote: Quote, *, live: LiveBook, subject: UUID, at: datetime) -> list[Draw]:
    """What a sale takes from bounded balances: purses, uses, and amounts under limits; one draw for each balance."""
    draws = [Draw(purse, fen) for purse, fen in quote.draws.items()]
    for applied in quote.applied:
        limits = live.limits.get(applied.offer)
        if limits is None:
            continue
        if limits.uses:
            draws.append(Draw(limits.uses_balance(applied.offer, subject, at), 1, "use", limits.uses))
        if limits.amount_fen:
            balance = limits.amount_balance(applied.offer, subject, at)
            draws.append(Draw(balance, applied.amount, "fen", limits.amount_fen))
        if limits.total_fen:
            draws.append(Draw(total_balance(applied.offer), applied.amount))
    return draws


def _counters(offer: str, limits: Limits, subject: UUID, at: datetime) -> list[tuple[str, int]]:
    """Balances under an offer's limits with what they hold while untouched."""
    counters = []
    if limits.uses:
        counters.append((limits.uses_balance(offer, subject, at), limits.uses))
    if limits.amount_fen:
        counters.append((limits.amount_balance(offer, subject, at), limits.amount_fen))
    if limits.total_fen:
        counters.append((total_balance(offer), limits.total_fen))
    return counters


def _candidate(offer: Offer, limits: Limits | None, left: Mapping[str, int], subject: UUID, at: datetime) -> Candidate:
    if limits is None:
        return Candidate(offer)
    return Candidate(
        offer,
        uses_remaining=left[limits.uses_balance(offer.id, subject, at)] if limits.uses else None,
        member_amount_remaining=left[limits.amount_balance(offer.id, subject, at)] if limits.amount_fen else None,
        budget_remaining=left[total_balance(offer.id)] if limits.total_fen else None,
    )
