"""What is left for one person at one moment: purses of the offers that match, uses and amounts under their limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from market.ledger.operations import get_balances
from market.ledger.postings import Draw
from market.offers.limits import Limits, total_balance
from market.offers.live import LiveBook
from market.pricing import Candidate, Offer, Quote

NOTHING_SPENT: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Standing:
    """The candidates of a quote with what is left to each, and the purses they draw from (fen left)."""

    candidates: tuple[Candidate, ...]
    purses: Mapping[str, int]


def get_standing(
    tx: Session,
    *,
    live: LiveBook,
    offers: Sequence[Offer],
    subject: UUID,
    at: datetime,
    spent: Mapping[str, int] = NOTHING_SPENT,
) -> Standing:
    """Read everything the engine must know of balances, in one statement (none when no offer counts anything).

    `spent` is what earlier orders of the same basket will take from balances, not yet drawn.
    """
    purses = {purse for offer in offers for purse in offer_purses(offer)}
    counted = {
        balance: initial
        for offer in offers
        if (limits := live.limits.get(offer.id)) is not None
        for balance, initial in _counters(offer.id, limits, subject, at)
    }
    known = {**counted, **get_balances(tx, sorted({*purses, *counted}))}
    left = {balance: fen - spent.get(balance, 0) for balance, fen in known.items()}
    return Standing(
        candidates=tuple(_candidate(offer, live.limits.get(offer.id), left, subject, at) for offer in offers),
        purses={purse: left.get(purse, 0) for purse in sorted(purses)},
    )


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
