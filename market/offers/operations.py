"""Writes of the offers room: propose, submit, approve by a second person, reject, end. A version is never edited."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from market.kit.canonical import canonical_json
from market.kit.clock import business_day
from market.kit.errors import ConflictError, InvalidError, NotFoundError
from market.kit.ids import new_public_id
from market.ledger.models import Balance, Budget
from market.ledger.operations import TwoPersonsError
from market.offers.limits import Limits, total_balance
from market.offers.models import BookNumber, OfferVersion
from market.pricing import Offer
from market.record.entries import offer_entry
from market.record.operations import append_entry

WHOLE_BP = 10_000


class OfferStateError(ConflictError):
    """The version is not in the state this act needs."""

    code = "OFFER_STATE"
    zh = "这一版优惠当前状态是“{state}”，不能这样操作，请刷新页面查看。"
    en = "This version is {state} and cannot take this step; reload the page."


def propose_offer(
    tx: Session,
    *,
    terms: Mapping[str, object],
    limits: Mapping[str, object],
    title: str,
    title_en: str,
    merchants: list[str],
    proposed_by: UUID,
    at: datetime,
) -> int:
    """Store a new version of the offer `terms["id"]` as submitted for approval and answer its version number.

    `merchants` have agreed to bear their part. The version number is ours: one in `terms` is replaced.
    Raises InvalidError naming the field that contradicts the rules for written offers (pricing rules, "When an offer is written").
    """
    # Versions of one offer are numbered without gaps: proposers of the same offer wait for each other.
    tx.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:offer, 0))"), {"offer": str(terms.get("id"))})
    newest = tx.scalar(select(func.max(OfferVersion.version)).where(OfferVersion.offer == str(terms.get("id"))))
    version = (newest or 0) + 1
    offer = Offer.from_json({**terms, "version": version}, path="terms")
    checked = Limits.from_json(limits)
    check_written(tx, offer, merchants)
    stored = offer.to_json()
    tx.execute(
        insert(OfferVersion).values(
            offer=offer.id,
            version=version,
            title=title,
            title_en=title_en,
            terms=stored,
            limits=checked.to_json(),
            merchants=merchants,
            terms_hash=hashlib.sha256(canonical_json({"terms": stored, "limits": checked.to_json()})).digest(),
            live_from=offer.window[0] if offer.window else None,
            live_until=offer.window[1] if offer.window else None,
            state="submitted",
            proposed_by=proposed_by,
            proposed_at=at,
        )
    )
    return version


def approve_offer(tx: Session, *, offer: str, version: int, approved_by: UUID, at: datetime) -> None:
    """Let a submitted version go live (in its window). The approver is another person than the proposer.

    An earlier approved version of the same offer ends now: one version of an offer is in force at a time.
    The terms are put on the public record in the same transaction, so they are published before they are used.
    """
    row = _lock_version(tx, offer=offer, version=version, states=("submitted",))
    if row.proposed_by == approved_by:
        raise TwoPersonsError
    public_id, day = new_public_id(), business_day(at)
    body = offer_entry(public_id=public_id, day=day, terms=row.terms, limits=row.limits)
    entry_id = append_entry(tx, kind="offer", public_id=public_id, merchant=None, day=day, body=body, at=at)
    tx.execute(
        update(OfferVersion)
        .where(OfferVersion.offer == offer, OfferVersion.state == "approved")
        .values(state="ended", ended_at=at)
    )
    tx.execute(
        update(OfferVersion)
        .where(OfferVersion.offer == offer, OfferVersion.version == version)
        .values(state="approved", approved_by=approved_by, approved_at=at, entry_id=entry_id)
    )
    total = Limits.from_json(row.limits).total_fen
    if total is not None and not tx.scalar(select(Balance.id).where(Balance.id == total_balance(offer)).limit(1)):
        tx.execute(insert(Balance).values(id=total_balance(offer), slot=0, unit="fen", left_over=total))
    raise_book_number(tx)


def reject_offer(tx: Session, *, offer: str, version: int, rejected_by: UUID) -> None:
    """Refuse a submitted version; a new one may be proposed. Nobody rejects his own: he would only hide it."""
    row = _lock_version(tx, offer=offer, version=version, states=("submitted",))
    if row.proposed_by == rejected_by:
        raise TwoPersonsError
    tx.execute(
        update(OfferVersion)
        .where(OfferVersion.offer == offer, OfferVersion.version == version)
        .values(state="rejected")
    )


def end_offer(tx: Session, *, offer: str, at: datetime) -> None:
    """End the version in force now. An end never waits for anything."""
    ended = tx.scalars(
        update(OfferVersion)
        .where(OfferVersion.offer == offer, OfferVersion.state == "approved")
        .values(state="ended", ended_at=at)
        .returning(OfferVersion.version)
    ).all()
    if not ended:
        raise NotFoundError
    raise_book_number(tx)


def raise_book_number(tx: Session) -> None:
    """Tell every process that the offer book changed; it follows within a second of the commit."""
    tx.execute(update(BookNumber).values(number=BookNumber.number + 1))


def _lock_version(tx: Session, *, offer: str, version: int, states: tuple[str, ...]) -> OfferVersion:
    row = tx.scalar(
        select(OfferVersion).where(OfferVersion.offer == offer, OfferVersion.version == version).with_for_update()
    )
    if row is None:
        raise NotFoundError
    if row.state not in states:
        raise OfferStateError(state=row.state)
    return row


def check_written(tx: Session, offer: Offer, merchants: list[str]) -> None:
    """What only holds when an offer is written: its payers have agreed and can pay."""
    if offer.sponsor_share_bp < WHOLE_BP:
        unsigned = sorted(set(offer.match.merchants or ()) - set(merchants))
        if not offer.match.merchants:
            raise InvalidError(
                field="terms.match.merchants", problem="a merchant bears a part, so the merchants are listed"
            )
        if unsigned:
            raise InvalidError(field="terms.match.merchants", problem=f"{unsigned[0]} has not agreed")
    if offer.stage == "subsidy":
        for name, value in (("sponsor", offer.sponsor), ("sponsor_share_bp", offer.sponsor_share_bp)):
            if not value:
                raise InvalidError(field=f"terms.{name}", problem="a subsidy names who bears it")
        if not (offer.budgets or offer.allowance):
            raise InvalidError(field="terms.budgets", problem="a subsidy names a budget or an allowance")
    if offer.sponsor_share_bp and not (offer.budgets or offer.allowance):
        raise InvalidError(field="terms.budgets", problem="a sponsor's part needs a budget or an allowance")
    codes = {budget.removeprefix("budget:") for budget in offer.budgets}
    known = set(tx.scalars(select(Budget.code).where(Budget.code.in_(codes))))
    if codes - known:
        raise InvalidError(field="terms.budgets", problem=f"no budget {min(codes - known)}")
