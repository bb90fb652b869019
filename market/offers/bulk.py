"""A whole catalogue of offers at once: the checks, the public entries and the second person of `operations`, in a few statements."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, any_, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from market.kit.canonical import canonical_json
from market.kit.clock import business_day
from market.kit.errors import ConflictError
from market.kit.ids import new_public_id
from market.ledger.models import Balance
from market.ledger.operations import TwoPersonsError
from market.offers.limits import Limits, total_balance
from market.offers.models import OfferVersion
from market.offers.operations import check_written, raise_book_number
from market.pricing import Offer
from market.record.bulk import NewEntry, append_entries
from market.record.entries import offer_entry

BATCH = 1_000


class OfferExistsError(ConflictError):
    """An offer of this id is there: a further version goes through `propose_offer`."""

    code = "OFFER_EXISTS"
    zh = "优惠 {offer} 已存在，请用新编号，或单独提交新版本。"
    en = "Offer {offer} exists; use a new id, or propose a version of it."


@dataclass(frozen=True, slots=True)
class NewOffer:
    """A first version to load: its terms in the form of the pricing document, what people read, who bears a part, its limits."""

    terms: dict[str, object]
    title: str
    title_en: str
    merchants: tuple[str, ...] = ()
    limits: dict[str, object] = field(default_factory=dict)


def load_offers(tx: Session, *, offers: Sequence[NewOffer], proposed_by: UUID, approved_by: UUID, at: datetime) -> None:
    """Propose and approve first versions, all or none; they are live in their windows once this is committed.

    Raises TwoPersonsError, OfferExistsError, and what `propose_offer` raises for terms that contradict the rules.
    """
    if proposed_by == approved_by:
        raise TwoPersonsError
    read = [Offer.from_json({**new.terms, "version": 1}, path=f"offers[{place}]") for place, new in enumerate(offers)]
    _refuse_known(tx, [offer.id for offer in read])
    _check_payers(tx, read, offers)
    for first in range(0, len(read), BATCH):
        _insert(tx, read[first : first + BATCH], offers[first : first + BATCH], (proposed_by, approved_by), at)
    raise_book_number(tx)


def _refuse_known(tx: Session, ids: Sequence[str]) -> None:
    taken = {id_ for id_, count in Counter(ids).items() if count > 1}
    taken |= set(
        tx.scalars(select(OfferVersion.offer).where(OfferVersion.offer == any_(literal(list(ids), ARRAY(Text)))))
    )
    if taken:
        raise OfferExistsError(offer=min(taken))


def _check_payers(tx: Session, read: Sequence[Offer], offers: Sequence[NewOffer]) -> None:
    """Whether the payers have agreed and can pay depends on a few fields only, so each combination of them is asked once."""
    asked = {
        (offer.stage, offer.sponsor, offer.sponsor_share_bp, offer.purses, offer.match.merchants, new.merchants): (
            offer,
            new,
        )
        for offer, new in zip(read, offers, strict=True)
    }
    for offer, new in asked.values():
        check_written(tx, offer, list(new.merchants))


def _insert(
    tx: Session, read: Sequence[Offer], offers: Sequence[NewOffer], persons: tuple[UUID, UUID], at: datetime
) -> None:
    day = business_day(at)
    limits = [Limits.from_json(new.limits) for new in offers]
    terms = [offer.to_json() for offer in read]
    public_ids = [new_public_id() for _ in read]
    entries = [
        NewEntry("offer", id_, None, day, offer_entry(public_id=id_, day=day, terms=stored, limits=limit.to_json()))
        for id_, stored, limit in zip(public_ids, terms, limits, strict=True)
    ]
    entry_ids = append_entries(tx, entries=entries, at=at)
    tx.execute(
        insert(OfferVersion),
        [
            {
                "offer": offer.id,
                "version": 1,
                "title": new.title,
                "title_en": new.title_en,
                "terms": stored,
                "limits": limit.to_json(),
                "merchants": list(new.merchants),
                "terms_hash": hashlib.sha256(canonical_json({"terms": stored, "limits": limit.to_json()})).digest(),
                "live_from": offer.window[0] if offer.window else None,
                "live_until": offer.window[1] if offer.window else None,
                "state": "approved",
                "proposed_by": persons[0],
                "proposed_at": at,
                "approved_by": persons[1],
                "approved_at": at,
                "entry_id": entry_id,
            }
            for offer, new, stored, limit, entry_id in zip(read, offers, terms, limits, entry_ids, strict=True)
        ],
    )
    totals = [
        {"id": total_balance(offer.id), "slot": 0, "unit": "fen", "left_over": limit.total_fen}
        for offer, limit in zip(read, limits, strict=True)
        if limit.total_fen is not None
    ]
    if totals:
        tx.execute(insert(Balance), totals)
