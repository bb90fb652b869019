"""A merchant's word on a version in which it bears a part: signed or refused, once, to exactly these terms. Its owner gives it.

Who owns a merchant is the door's to know; here a merchant is a code.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, NotFoundError
from market.offers.models import OfferSignature, OfferVersion
from market.offers.operations import close_version, lock_version, read_reason


class OtherTermsError(ConflictError):
    """What was signed are not the terms of this version."""

    code = "OTHER_TERMS"
    zh = "您看到的条件和这一版不一致，没有签。请刷新页面，重新看过再签。"
    en = "What you saw are not the terms of this version, so nothing was signed; reload the page and read it again."


class SignedAlreadyError(ConflictError):
    """The merchant has given its word on this version."""

    code = "SIGNED_ALREADY"
    zh = "这一版贵店已经签过字，不用再签。"
    en = "Your business has signed this version already; there is nothing more to do."


def sign_offer(
    tx: Session, *, offer: str, version: int, merchant: str, terms_hash: bytes, by: UUID, at: datetime
) -> None:
    """The owner of a merchant signs a version that waits. `terms_hash` is that of the terms he was shown.

    Raises NotFoundError when the version does not ask this merchant, NewerVersionError, OfferStateError, OtherTermsError,
    SignedAlreadyError.
    """
    row = _lock_asked(tx, offer=offer, version=version, merchant=merchant, terms_hash=terms_hash)
    _write(tx, row, merchant=merchant, is_signed=True, reason="", by=by, at=at)


def refuse_offer(
    tx: Session, *, offer: str, version: int, merchant: str, terms_hash: bytes, reason: str, by: UUID, at: datetime
) -> None:
    """The owner of a merchant refuses a version that waits, with a reason: the version is closed, a new one may be proposed.

    Raises what `sign_offer` raises, and ReasonMissingError.
    """
    said = read_reason(reason)
    row = _lock_asked(tx, offer=offer, version=version, merchant=merchant, terms_hash=terms_hash)
    _write(tx, row, merchant=merchant, is_signed=False, reason=said, by=by, at=at)
    close_version(tx, row, state="rejected", closed_by=by, reason=said, at=at)


def list_signatures(tx: Session, *, offer: str, version: int | None = None) -> list[OfferSignature]:
    """What merchants said to one version, or to all versions of an offer, oldest first."""
    wanted = select(OfferSignature).where(OfferSignature.offer == offer)
    if version is not None:
        wanted = wanted.where(OfferSignature.version == version)
    return list(tx.scalars(wanted.order_by(OfferSignature.at, OfferSignature.merchant)))


def list_to_sign(tx: Session, *, merchant: str) -> list[OfferVersion]:
    """The versions that wait for this merchant's word, oldest first."""
    said = select(OfferSignature.offer).where(
        OfferSignature.offer == OfferVersion.offer,
        OfferSignature.version == OfferVersion.version,
        OfferSignature.merchant == merchant,
    )
    waiting = select(OfferVersion).where(
        OfferVersion.state == "submitted", OfferVersion.merchants.contains([merchant]), ~said.exists()
    )
    return list(tx.scalars(waiting.order_by(OfferVersion.proposed_at)))


def list_said(tx: Session, *, merchant: str, limit: int) -> list[tuple[OfferVersion, OfferSignature]]:
    """What this merchant signed or refused, newest first."""
    rows = tx.execute(
        select(OfferVersion, OfferSignature)
        .join(
            OfferSignature,
            (OfferSignature.offer == OfferVersion.offer) & (OfferSignature.version == OfferVersion.version),
        )
        .where(OfferSignature.merchant == merchant)
        .order_by(OfferSignature.at.desc(), OfferVersion.offer)
        .limit(limit)
    )
    return [(version, signature) for version, signature in rows]


def _lock_asked(tx: Session, *, offer: str, version: int, merchant: str, terms_hash: bytes) -> OfferVersion:
    # Whom a version asks never changes, so it is looked at first: who is not asked learns nothing of its state.
    asked = tx.scalar(
        select(OfferVersion.merchants).where(OfferVersion.offer == offer, OfferVersion.version == version)
    )
    if asked is None or merchant not in asked:
        raise NotFoundError
    row = lock_version(tx, offer=offer, version=version)
    if terms_hash != row.terms_hash:
        raise OtherTermsError
    if tx.get(OfferSignature, (offer, version, merchant)) is not None:
        raise SignedAlreadyError
    return row


def _write(
    tx: Session, row: OfferVersion, *, merchant: str, is_signed: bool, reason: str, by: UUID, at: datetime
) -> None:
    tx.execute(
        insert(OfferSignature).values(
            offer=row.offer,
            version=row.version,
            merchant=merchant,
            terms_hash=row.terms_hash,
            is_signed=is_signed,
            reason=reason,
            way="owner",
            by=by,
            at=at,
        )
    )
