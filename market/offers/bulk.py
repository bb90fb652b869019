"""A whole catalogue of offers at once: the checks, the public entries and the second person of `operations`, in a few statements.

Here the proposer declares that the merchants have agreed, on paper or by contract; their signatures are recorded as declared by him.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, any_, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.kit.errors import ConflictError
from market.kit.ids import new_public_id
from market.ledger.models import Balance
from market.ledger.operations import TwoPersonsError
from market.offers.audience import ClassSize, choose_salt
from market.offers.contradictions import Contradiction, ContradictionError, Facts, bearers_of, check_terms
from market.offers.limits import Limits, total_balance
from market.offers.models import OfferSignature, OfferVersion
from market.offers.operations import hash_terms, make_offer_text, raise_book_number, read_purses
from market.pricing import Offer
from market.record.bulk import NewEntry, append_entries
from market.record.entries import offer_entry
from market.record.publishing.served import find_policy
from market.record.texts import keep_texts

BATCH = 1_000


class OfferExistsError(ConflictError):
    """An offer of this id is there: a further version goes through `propose_offer`."""

    code = "OFFER_EXISTS"
    zh = "优惠 {offer} 已存在，请用新编号，或单独提交新版本。"
    en = "Offer {offer} exists; use a new id, or propose a version of it."


@dataclass(frozen=True, slots=True)
class NewOffer:
    """A first version to load: its terms in the form of the pricing document, what people read, the merchants that agreed, its limits."""

    terms: dict[str, object]
    title: str
    title_en: str
    merchants: tuple[str, ...] = ()
    limits: dict[str, object] = field(default_factory=dict)


def load_offers(
    tx: Session,
    *,
    offers: Sequence[NewOffer],
    proposed_by: UUID,
    approved_by: UUID,
    count_class: ClassSize,
    at: datetime,
) -> None:
    """Propose and approve first versions, all or none; they start as after `approve_offer`.

    `count_class` as in `approve_offer`.

    Raises TwoPersonsError, OfferExistsError, and what `propose_offer` raises for terms that contradict the rules.
    """
    if proposed_by == approved_by:
        raise TwoPersonsError
    facts = Facts(at=at, purses=read_purses(tx))
    _refuse_known(tx, [str(new.terms.get("id")) for new in offers])
    read = [_read(new, facts) for new in offers]
    for first in range(0, len(read), BATCH):
        part = slice(first, first + BATCH)
        salts = [choose_salt(tx, offer.audience, count_class=count_class) for offer in read[part]]
        _insert(tx, list(zip(read[part], offers[part], salts, strict=True)), (proposed_by, approved_by), at)
    raise_book_number(tx)


def _read(new: NewOffer, facts: Facts) -> Offer:
    """The terms, checked, with every merchant that bears a part among those that agreed."""
    offer, found = check_terms({**new.terms, "version": 1}, facts=facts)
    wrong = [one for one in found if not one.is_warning]
    if offer is None or wrong:
        raise ContradictionError(wrong)
    if unsigned := set(bearers_of(offer)) - set(new.merchants):
        name = min(unsigned)
        raise ContradictionError(
            [Contradiction("match.merchants", "NOT_AGREED", f"{name} 没有同意。", f"{name} has not agreed.")]
        )
    return offer


def _refuse_known(tx: Session, ids: Sequence[str]) -> None:
    taken = {id_ for id_, count in Counter(ids).items() if count > 1}
    taken |= set(
        tx.scalars(select(OfferVersion.offer).where(OfferVersion.offer == any_(literal(list(ids), ARRAY(Text)))))
    )
    if taken:
        raise OfferExistsError(offer=min(taken))


def _insert(
    tx: Session, rows: Sequence[tuple[Offer, NewOffer, bytes | None]], persons: tuple[UUID, UUID], at: datetime
) -> None:
    """Write these offers; each comes with the salt for its audience."""
    day, read, salts = business_day(at), [offer for offer, _, _ in rows], [salt for _, _, salt in rows]
    offers = [new for _, new, _ in rows]
    limits = [Limits.from_json(new.limits) for new in offers]
    terms = [offer.to_json() for offer in read]
    hashes = [hash_terms(stored, limit.to_json()) for stored, limit in zip(terms, limits, strict=True)]
    public_ids = [new_public_id() for _ in read]
    texts = [make_offer_text(title=new.title, title_en=new.title_en) for new in offers]
    bodies = [
        offer_entry(
            public_id=id_,
            day=day,
            terms=stored,
            limits=limit.to_json(),
            signed=bearers_of(offer),
            audience_salt=salt,
            text=called.commitment,
        )
        for id_, stored, limit, offer, salt, called in zip(public_ids, terms, limits, read, salts, texts, strict=True)
    ]
    entries = [NewEntry("offer", id_, None, day, body) for id_, body in zip(public_ids, bodies, strict=True)]
    entry_ids = append_entries(tx, entries=entries, at=at)
    waits = find_policy(tx) is not None  # for the checkpoint that covers these entries
    keep_texts(tx, dict(zip(entry_ids, texts, strict=True)))
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
                "merchants": bearers_of(offer),
                "terms_hash": hash_,
                "live_from": offer.window[0] if offer.window else None,
                "live_until": offer.window[1] if offer.window else None,
                "state": "approved",
                "proposed_by": persons[0],
                "proposed_at": at,
                "approved_by": persons[1],
                "approved_at": at,
                "entry_id": entry_id,
                "started_at": None if waits else at,
                "audience_salt": salt,
            }
            for offer, new, stored, limit, hash_, entry_id, salt in zip(
                read, offers, terms, limits, hashes, entry_ids, salts, strict=True
            )
        ],
    )
    signatures = [
        {
            "offer": offer.id,
            "version": 1,
            "merchant": merchant,
            "terms_hash": hash_,
            "is_signed": True,
            "way": "declared",
            "by": persons[0],
            "at": at,
        }
        for offer, hash_ in zip(read, hashes, strict=True)
        for merchant in bearers_of(offer)
    ]
    if signatures:
        tx.execute(insert(OfferSignature), signatures)
    totals = [
        {"id": total_balance(offer.id), "slot": 0, "unit": "fen", "left_over": limit.total_fen}
        for offer, limit in zip(read, limits, strict=True)
        if limit.total_fen is not None
    ]
    if totals:
        tx.execute(insert(Balance), totals)
