"""Reads of the offers room, for pages and desks."""

from collections.abc import Collection, Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from market.kit.errors import NotFoundError
from market.offers.live import Title
from market.offers.models import OfferVersion


def list_submitted(tx: Session) -> Sequence[OfferVersion]:
    """Versions that wait for a second person, oldest first."""
    return tx.scalars(
        select(OfferVersion).where(OfferVersion.state == "submitted").order_by(OfferVersion.proposed_at)
    ).all()


def list_versions(tx: Session, *, offer: str) -> Sequence[OfferVersion]:
    """All versions of one offer, newest first."""
    return tx.scalars(
        select(OfferVersion).where(OfferVersion.offer == offer).order_by(OfferVersion.version.desc())
    ).all()


def list_titles(tx: Session, *, versions: Collection[tuple[str, int]]) -> dict[tuple[str, int], Title]:
    """What people read of these versions (offer, version), in force or not."""
    if not versions:
        return {}
    key = tuple_(OfferVersion.offer, OfferVersion.version)
    rows = tx.execute(
        select(OfferVersion.offer, OfferVersion.version, OfferVersion.title, OfferVersion.title_en).where(
            key.in_(versions)
        )
    )
    return {(row.offer, row.version): Title(row.title, row.title_en) for row in rows}


def get_version(tx: Session, *, offer: str, version: int) -> OfferVersion:
    """One version. Raises NotFoundError."""
    row = tx.get(OfferVersion, (offer, version))
    if row is None:
        raise NotFoundError
    return row


def list_of_merchant(tx: Session, *, merchant: str, limit: int) -> Sequence[OfferVersion]:
    """Versions that a merchant has agreed to, newest first."""
    return tx.scalars(
        select(OfferVersion)
        .where(OfferVersion.merchants.contains([merchant]))
        .order_by(OfferVersion.proposed_at.desc(), OfferVersion.offer, OfferVersion.version.desc())
        .limit(limit)
    ).all()
