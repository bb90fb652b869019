"""Reads of the offers room, for pages and desks."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from market.kit.errors import NotFoundError
from market.offers.live import Title
from market.offers.models import OfferSignature, OfferVersion
from market.record.models import Entry

Shown = Literal["current", "waiting", "live", "coming", "ended", "closed", "published", "ever_published"]
Place = tuple[datetime, str, int]
"""Where a list goes on: when proposed, offer, version."""

CLOSED_STATES: Final = ("rejected", "withdrawn")
PUBLIC_STATES: Final = ("approved", "ended")


def list_submitted(tx: Session) -> Sequence[OfferVersion]:
    """Versions that wait for signatures or a second person, oldest first."""
    return tx.scalars(
        select(OfferVersion).where(OfferVersion.state == "submitted").order_by(OfferVersion.proposed_at)
    ).all()


def list_found(
    tx: Session,
    *,
    shown: Shown,
    at: datetime,
    query: str = "",
    merchants: Collection[str] = (),
    merchant: str | None = None,
    after: Place | None = None,
    limit: int,
) -> Sequence[OfferVersion]:
    """Versions of one kind of state, newest first, whose titles or id hold `query` or that name one of `merchants`.

    `current` is what waits, is coming or is live; `published` what is coming or live, `ever_published` also what is over. With
    `merchant` (by code) only those of which he bears a part.
    """
    wanted = select(OfferVersion).where(_is_shown(shown, at))
    if merchant is not None:
        wanted = wanted.where(OfferVersion.merchants.contains([merchant]))
    if query.strip():
        texts = (OfferVersion.title, OfferVersion.title_en, OfferVersion.offer)
        named = [text.icontains(query.strip(), autoescape=True) for text in texts]
        if merchants:
            named.append(OfferVersion.merchants.overlap(list(merchants)))
        wanted = wanted.where(or_(*named))
    order = (OfferVersion.proposed_at, OfferVersion.offer, OfferVersion.version)
    if after is not None:
        wanted = wanted.where(tuple_(*order) < tuple_(*after))
    return tx.scalars(wanted.order_by(*(column.desc() for column in order)).limit(limit)).all()


def _is_shown(shown: Shown, at: datetime) -> ColumnElement[bool]:
    approved = OfferVersion.state == "approved"
    has_started = OfferVersion.started_at.is_not(None)
    is_past = and_(OfferVersion.live_until.is_not(None), OfferVersion.live_until <= at)
    is_ahead = and_(OfferVersion.live_from.is_not(None), OfferVersion.live_from > at)
    rules: dict[Shown, ColumnElement[bool]] = {
        "current": or_(OfferVersion.state == "submitted", and_(approved, ~is_past)),
        "waiting": OfferVersion.state == "submitted",
        "live": and_(approved, has_started, ~is_past, ~is_ahead),
        "coming": and_(approved, ~is_past, or_(is_ahead, ~has_started)),
        "ended": or_(OfferVersion.state == "ended", and_(approved, is_past)),
        "closed": OfferVersion.state.in_(CLOSED_STATES),
        "published": and_(approved, ~is_past),
        "ever_published": OfferVersion.state.in_(PUBLIC_STATES),
    }
    return rules[shown]


def count_signed(tx: Session, *, versions: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """How many merchants have signed each of these versions (offer, version)."""
    if not versions:
        return {}
    key = (OfferSignature.offer, OfferSignature.version)
    rows = tx.execute(
        select(*key, func.count()).where(tuple_(*key).in_(versions), OfferSignature.is_signed).group_by(*key)
    )
    return {(offer, version): count for offer, version, count in rows}


def list_signers(tx: Session, *, versions: Collection[tuple[str, int]]) -> dict[tuple[str, int], list[str]]:
    """The merchants that signed each of these versions (offer, version), by code; versions that nobody signed are left out."""
    key = (OfferSignature.offer, OfferSignature.version)
    rows = tx.execute(
        select(*key, OfferSignature.merchant)
        .where(tuple_(*key).in_(versions), OfferSignature.is_signed)
        .order_by(OfferSignature.merchant)
    )
    found: dict[tuple[str, int], list[str]] = {}
    for offer, version, merchant in rows:
        found.setdefault((offer, version), []).append(merchant)
    return found


def list_versions(tx: Session, *, offer: str) -> Sequence[OfferVersion]:
    """All versions of one offer, newest first."""
    return tx.scalars(
        select(OfferVersion).where(OfferVersion.offer == offer).order_by(OfferVersion.version.desc())
    ).all()


def list_published_versions(tx: Session, *, offer: str) -> Sequence[OfferVersion]:
    """The versions of an offer that were ever approved, newest first: what the public may see."""
    return [row for row in list_versions(tx, offer=offer) if row.state in PUBLIC_STATES]


def list_of_versions(tx: Session, *, versions: Collection[tuple[str, int]]) -> Sequence[OfferVersion]:
    """Those of these versions (offer, version) that exist, in no order."""
    if not versions:
        return []
    return tx.scalars(select(OfferVersion).where(tuple_(OfferVersion.offer, OfferVersion.version).in_(versions))).all()


def list_live_by_merchant(tx: Session, *, at: datetime) -> dict[str, list[tuple[str, int]]]:
    """The versions (offer, version) in force of which each merchant (by code) bears a part, by offer."""
    merchant = func.unnest(OfferVersion.merchants)
    rows = tx.execute(
        select(merchant, OfferVersion.offer, OfferVersion.version)
        .where(_is_shown("live", at))
        .order_by(OfferVersion.offer, OfferVersion.version)
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for code, offer, version in rows:
        found.setdefault(code, []).append((offer, version))
    return found


def live_counts(at: datetime, *, merchants: Collection[str] | None = None) -> Subquery:
    """How many versions in force each merchant (`merchant`, by code) bears a part of (`live_count`), to be joined: of these or of all."""
    live = select(func.unnest(OfferVersion.merchants).label("merchant")).where(_is_shown("live", at))
    if merchants is not None:
        live = live.where(OfferVersion.merchants.overlap(list(merchants)))
    borne = live.subquery()
    return select(borne.c.merchant, func.count().label("live_count")).group_by(borne.c.merchant).subquery("live")


def count_live(tx: Session, *, at: datetime, merchants: Collection[str]) -> dict[str, int]:
    """Of how many versions in force these merchants (by code) bear a part; those that bear none are left out."""
    live = live_counts(at, merchants=merchants)
    rows = tx.execute(select(live.c.merchant, live.c.live_count).where(live.c.merchant.in_(merchants)))
    return {row.merchant: row.live_count for row in rows} if merchants else {}


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


def list_entries_of(tx: Session, *, versions: Collection[tuple[str, int]]) -> dict[int, bytes]:
    """The public entries of these versions (offer, version) by their places in the log; those without a place are left out."""
    if not versions:
        return {}
    key = tuple_(OfferVersion.offer, OfferVersion.version)
    rows = tx.execute(
        select(Entry.leaf_index, Entry.body)
        .join(OfferVersion, OfferVersion.entry_id == Entry.id)
        .where(key.in_(versions), Entry.leaf_index.is_not(None))
        .order_by(Entry.leaf_index)
    )
    return {row.leaf_index: row.body for row in rows}


def find_public_ids(tx: Session, rows: Sequence[OfferVersion], *, size: int) -> dict[UUID, str]:
    """The public ids of the entries of these versions that a log of `size` entries covers, by the ids of their rows."""
    entries = [row.entry_id for row in rows if row.entry_id is not None]
    found = tx.execute(select(Entry.id, Entry.public_id).where(Entry.id.in_(entries), Entry.leaf_index < size))
    return {row.id: row.public_id for row in found}


def list_open_to_all(tx: Session, *, versions: Collection[tuple[str, int]]) -> set[tuple[str, int]]:
    """Those of these versions (offer, version) that any member may use: to have used one tells nothing about him."""
    if not versions:
        return set()
    key = tuple_(OfferVersion.offer, OfferVersion.version)
    rows = tx.execute(select(OfferVersion.offer, OfferVersion.version, OfferVersion.terms).where(key.in_(versions)))
    return {
        (row.offer, row.version) for row in rows if not row.terms.get("audience") and not row.terms.get("allowance")
    }


def get_version(tx: Session, *, offer: str, version: int) -> OfferVersion:
    """One version. Raises NotFoundError."""
    row = tx.get(OfferVersion, (offer, version))
    if row is None:
        raise NotFoundError
    return row


def list_of_merchant(tx: Session, *, merchant: str, limit: int) -> Sequence[OfferVersion]:
    """Versions of which a merchant bears a part, newest first."""
    return tx.scalars(
        select(OfferVersion)
        .where(OfferVersion.merchants.contains([merchant]))
        .order_by(OfferVersion.proposed_at.desc(), OfferVersion.offer, OfferVersion.version.desc())
        .limit(limit)
    ).all()
