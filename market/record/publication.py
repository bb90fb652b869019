"""How the purchases of a merchant are published: row by row, or in batches. Part of its public terms, said before the day it holds from.

A merchant of whom nothing is said yet is published row by row, as all were before there were batches; a daily job says it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, cast
from uuid import UUID

from sqlalchemy import ScalarSelect, Table, bindparam, func, insert, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from market.kit.clock import business_day
from market.kit.errors import invariant
from market.kit.ids import new_id
from market.record.models import Entry, MerchantPublication, PublicationReview
from market.record.operations import publish_event

Publication = Literal["row", "batched"]
Reason = Literal["new", "stated", "sales", "few", "sensitive", "chosen"]
GRACE: Final = timedelta(minutes=10)  # no transaction lasts as long


@dataclass(frozen=True, slots=True)
class Said:
    """What holds for a merchant from a day on, and why; `by` is the officer who chose it."""

    merchant: str
    from_on: date
    publication: Publication
    reason: Reason
    by: UUID | None
    decided_at: datetime


def open_publication(tx: Session, *, merchant: str, publication: Publication, at: datetime) -> dict[str, object]:
    """What holds for a new merchant, from today on; answers the fields that its admission says."""
    reason: Reason = "new" if publication == "batched" else "stated"
    day = business_day(at)
    _write(tx, merchant, day, publication, reason, by=None, at=at)
    return {"publication": publication, "from": day.isoformat()}


def change_publication(
    tx: Session,
    *,
    merchant: str,
    publication: Publication,
    reason: Reason,
    from_on: date,
    at: datetime,
    by: UUID | None = None,
) -> None:
    """Say, in a public entry, how a merchant is published from a later day on (`first_day` at the earliest)."""
    invariant(from_on >= first_day(at), "how purchases are published is said before the day it holds from")
    _write(tx, merchant, from_on, publication, reason, by=by, at=at)
    fields = {"action": "changed", "merchant": merchant, "publication": publication, "from": from_on.isoformat()}
    publish_event(tx, kind="merchant", fields={**fields, "reason": reason}, merchant=merchant, at=at)


def first_day(at: datetime) -> date:
    """The first day for which something can still be said: every purchase of that day sees it, however close midnight is."""
    return business_day(at + GRACE) + timedelta(days=1)


def list_publications(tx: Session, *, on: date, merchants: Collection[str] | None = None) -> dict[str, Said]:
    """What holds on a day, by merchant, of all or of these (by code); those of whom nothing is said are left out."""
    said = _SAID.where(MerchantPublication.from_on <= on).order_by(MerchantPublication.id)
    if merchants is not None:
        said = said.where(MerchantPublication.merchant.in_(merchants))
    return _latest(tx.execute(said))


def list_coming(tx: Session, *, after: date) -> dict[str, Said]:
    """What was said last and holds only after a day, by merchant; what was said before for a later day holds no more."""
    newest = _latest(tx.execute(_SAID.order_by(MerchantPublication.id)))
    return {merchant: said for merchant, said in newest.items() if said.from_on > after}


def begin_review(tx: Session, *, from_on: date, at: datetime) -> bool:
    """Note that a month (by its first day) is decided for; False where that was done before."""
    noted = upsert(PublicationReview).values(from_on=from_on, at=at).on_conflict_do_nothing()
    return tx.scalar(noted.returning(PublicationReview.from_on)) is not None


def append_purchase(
    tx: Session,
    *,
    kind: Literal["sale", "void", "refund"],
    public_id: str,
    merchant: str,
    day: date,
    body: bytes,
    at: datetime,
    of: UUID | None = None,
) -> UUID:
    """Store the entry of a purchase, by itself or for a batch, as its merchant is published on that day; answers its row id.

    A void or refund follows its sale, whose entry (row id) is `of`. One statement.
    """
    id_ = new_id()
    values = {
        "id": id_,
        "public_id": public_id,
        "type": kind,
        "merchant": merchant,
        "day": day,
        "body": body,
        "created_at": at,
    }
    if of is None:
        tx.connection().execute(_APPEND_SALE, {**values, "seller": merchant, "on": day})
    else:
        tx.connection().execute(_APPEND_RETURN, {**values, "of": of})
    return id_


def _write(
    tx: Session,
    merchant: str,
    from_on: date,
    publication: Publication,
    reason: Reason,
    *,
    by: UUID | None,
    at: datetime,
) -> None:
    row = {"merchant": merchant, "from_on": from_on, "publication": publication, "reason": reason}
    tx.execute(insert(MerchantPublication).values({"id": new_id(), **row, "by": by, "decided_at": at}))


def _latest(rows: Iterable[Any]) -> dict[str, Said]:
    return {row.merchant: Said(*row) for row in rows}


_SAID = select(
    MerchantPublication.merchant,
    MerchantPublication.from_on,
    MerchantPublication.publication,
    MerchantPublication.reason,
    MerchantPublication.by,
    MerchantPublication.decided_at,
)
_ENTRY = cast("Table", Entry.__table__)


def _is_batched() -> ScalarSelect[bool]:
    """Of a merchant `seller` on the day `on`."""
    said = MerchantPublication
    return (
        select(said.publication == "batched")
        .where(said.merchant == bindparam("seller"), said.from_on <= bindparam("on"))
        .order_by(said.id.desc())
        .limit(1)
        .scalar_subquery()
    )


_ITS_SALE_S = select(Entry.is_batched).where(Entry.id == bindparam("of")).scalar_subquery()
# Core, and built once: it is on the hot path.
_APPEND_SALE = insert(_ENTRY).values(is_batched=func.coalesce(_is_batched(), literal(value=False)))
_APPEND_RETURN = insert(_ENTRY).values(is_batched=_ITS_SALE_S)
