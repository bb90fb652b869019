"""Writes of the offers room: propose, approve by a second person, reject, withdraw, end. A version is never edited."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Text, bindparam, func, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from market.kit.canonical import canonical_json
from market.kit.clock import business_day
from market.kit.errors import ConflictError, InvalidError, NotFoundError
from market.kit.ids import new_public_id
from market.ledger.models import Balance, Budget
from market.ledger.operations import TwoPersonsError
from market.offers.audience import ClassSize, choose_salt
from market.offers.contradictions import ContradictionError, Facts, bearers_of, check_terms, ensure_codes
from market.offers.limits import Limits, total_balance
from market.offers.models import BookNumber, OfferSignature, OfferVersion
from market.offers.wares import Place
from market.pricing import Offer
from market.pricing.offer import written_instant
from market.record.entries import offer_entry
from market.record.models import Entry
from market.record.operations import append_entry, publish_event
from market.record.publishing.served import find_policy
from market.record.terms import only_ends_earlier
from market.record.texts import NewText, keep_texts, make_text

MOST_REASON = 500  # characters
STARTED_AT_ONCE = 500

_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(one, 0)) FROM unnest(:offers) AS one").bindparams(
    bindparam("offers", type_=ARRAY(Text))
)


class OfferStateError(ConflictError):
    """The version is not in the state this act needs."""

    code = "OFFER_STATE"
    zh = "这一版优惠当前状态是“{state}”，不能这样操作，请刷新页面查看。"
    en = "This version is {state} and cannot take this step; reload the page."


class OfferUnsignedError(ConflictError):
    """A merchant that bears a part has not signed this version."""

    code = "OFFER_UNSIGNED"
    zh = "还有商户没有签字：{merchants}。请等店主签过这一版再批准。"
    en = "Not signed yet by {merchants}; approve it once their owners have signed this version."


class NewerVersionError(ConflictError):
    """A newer version of the same offer was submitted meanwhile."""

    code = "NEWER_VERSION"
    zh = "这个优惠已有更新的第 {newer} 版，请看新的一版。"
    en = "There is a newer version {newer} of this offer; look at that one."


class ReasonMissingError(InvalidError):
    """An act that somebody else must understand needs a reason."""

    code = "REASON_MISSING"
    zh = "请写一句理由（最多 500 字），对方要看得懂下一步怎么办。"
    en = "Give a reason in a sentence (500 characters at most), so that the other side knows what to do next."


class EndTimeError(InvalidError):
    """An early end does not lie between the beginning and the end there is."""

    code = "END_TIME"
    zh = "提前结束的时间要在开始之后、写明的结束之前，请改一个时间。"
    en = "An early end lies after the beginning and before the end there is; choose another time."


def propose_offer(
    tx: Session,
    *,
    terms: Mapping[str, Any],
    limits: Mapping[str, object],
    title: str,
    title_en: str,
    proposed_by: UUID,
    at: datetime,
    places: Sequence[Place] | None = None,
    note: str = "",
) -> int:
    """Store a new version of the offer `terms["id"]`, submitted for signatures and approval, and answer its version number.

    The version number is ours: one in `terms` is replaced. A version of the same offer that still waits is withdrawn: one at a time.
    `places` are the shops and catalogues that the terms are held against; None where the caller cannot know them.
    Raises ContradictionError with every field that contradicts (pricing rules, "When an offer is written"), InvalidError for limits.
    """
    version = _next_version(tx, str(terms.get("id")))
    facts = Facts(at=at, purses=read_purses(tx), places=places)
    offer, found = check_terms({**terms, "version": version}, facts=facts)
    wrong = [one for one in found if not one.is_warning]
    if offer is None or wrong:
        raise ContradictionError(wrong)
    checked = Limits.from_json(limits)
    _submit(
        tx,
        offer,
        limits=checked.to_json(),
        titles=(title, title_en),
        note=note[:MOST_REASON],
        proposed_by=proposed_by,
        at=at,
    )
    return version


def end_early(tx: Session, *, offer: str, ends_at: datetime, reason: str, proposed_by: UUID, at: datetime) -> int:
    """Submit a new version of the one in force that differs by an earlier end alone, and answer its number.

    It waits for a second person like any other. Merchants need not sign again: it asks nothing more of them than what they signed.
    Raises ReasonMissingError, NotFoundError when none is in force, EndTimeError.
    """
    note = read_reason(reason)
    version = _next_version(tx, offer)
    row = _find_in_force(tx, offer)
    if row is None:
        raise NotFoundError
    ends_at = max(ends_at, at)
    if not (row.live_from is None or row.live_from < ends_at) or not (
        row.live_until is None or ends_at < row.live_until
    ):
        raise EndTimeError(field="ends_at", problem="between")
    window = {**row.terms.get("window", {}), "to": written_instant(ends_at)}
    read = Offer.from_json({**row.terms, "version": version, "window": window}, path="terms")
    terms_hash = _submit(
        tx, read, limits=row.limits, titles=(row.title, row.title_en), note=note, proposed_by=proposed_by, at=at
    )
    signed = select(OfferSignature).where(
        OfferSignature.offer == offer, OfferSignature.version == row.version, OfferSignature.is_signed
    )
    for signature in tx.scalars(signed).all():
        tx.execute(
            insert(OfferSignature).values(
                offer=offer,
                version=version,
                merchant=signature.merchant,
                terms_hash=terms_hash,
                is_signed=True,
                way="carried",
                by=signature.by,
                at=at,
            )
        )
    return version


def approve_offer(
    tx: Session, *, offer: str, version: int, approved_by: UUID, count_class: ClassSize, at: datetime
) -> None:
    """Let a submitted version go live (in its window). The approver is another person than the proposer and than who signed.

    The terms are put on the public record in the same transaction; of an audience that `count_class` finds small, a commitment.
    It starts when a signed checkpoint covers them (`start_published`), and the version before it ends then: one of an offer is in force
    at a time. What only ends earlier than the version in force never waits, and where no log is open there is nothing to wait for.
    Raises TwoPersonsError, OfferStateError, NewerVersionError, OfferUnsignedError, ContradictionError for a text that is no code.
    """
    # An early end carries the signatures of the version in force, which must not be another one by then.
    _hold_offer(tx, offer)
    row = lock_version(tx, offer=offer, version=version)
    signed = {
        signature.merchant: signature.by
        for signature in tx.scalars(
            select(OfferSignature).where(
                OfferSignature.offer == offer,
                OfferSignature.version == version,
                OfferSignature.is_signed,
                OfferSignature.terms_hash == row.terms_hash,
            )
        )
    }
    if approved_by in {row.proposed_by, *signed.values()}:
        raise TwoPersonsError
    if missing := sorted(set(row.merchants) - set(signed)):
        raise OfferUnsignedError(merchants="、".join(missing))
    ensure_codes(row.terms)
    public_id, day = new_public_id(), business_day(at)
    salt = choose_salt(tx, row.terms.get("audience"), count_class=count_class)
    called = make_offer_text(title=row.title, title_en=row.title_en, note=row.note)
    body = offer_entry(
        public_id=public_id,
        day=day,
        terms=row.terms,
        limits=row.limits,
        signed=list(signed),
        audience_salt=salt,
        text=called.commitment,
    )
    entry_id = append_entry(tx, kind="offer", public_id=public_id, merchant=None, day=day, body=body, at=at)
    keep_texts(tx, {entry_id: called})
    in_force = _find_in_force(tx, offer)
    is_end = in_force is not None and only_ends_earlier(_document(row), _document(in_force))
    starts_now = is_end or find_policy(tx) is None
    row.state, row.approved_by, row.approved_at = "approved", approved_by, at
    row.entry_id, row.audience_salt = entry_id, salt
    tx.flush()
    if starts_now:
        _start(tx, {offer: version}, at=at)
    total = Limits.from_json(row.limits).total_fen
    if total is not None and not tx.scalar(select(Balance.id).where(Balance.id == total_balance(offer)).limit(1)):
        tx.execute(insert(Balance).values(id=total_balance(offer), slot=0, unit="fen", left_over=total))


def start_published(tx: Session, *, size: int, at: datetime) -> int:
    """Start approved versions whose entries a checkpoint over `size` entries covers, some hundred at a time; how many it were.

    Called until it answers 0. Each earlier version of the same offer ends.
    """
    waiting = (OfferVersion.state == "approved", OfferVersion.started_at.is_(None), Entry.leaf_index < size)
    published = select(OfferVersion.offer).join(Entry, Entry.id == OfferVersion.entry_id).where(*waiting).distinct()
    offers = tx.scalars(published.order_by(OfferVersion.offer).limit(STARTED_AT_ONCE)).all()
    if not offers:
        return 0
    _hold_offers(tx, offers)
    newest = (
        select(OfferVersion.offer, func.max(OfferVersion.version).label("version"))
        .join(Entry, Entry.id == OfferVersion.entry_id)
        .where(OfferVersion.offer.in_(offers), *waiting)
        .group_by(OfferVersion.offer)
    )
    return _start(tx, {row.offer: row.version for row in tx.execute(newest)}, at=at)


def _start(tx: Session, versions: Mapping[str, int], *, at: datetime) -> int:
    """Put these approved versions, by offer, in force in the place of any earlier one; the offers are held. How many it were."""
    pairs = [literal(list(versions), ARRAY(Text)), literal(list(versions.values()), ARRAY(Integer))]
    new = func.unnest(*pairs).table_valued("offer", "version").render_derived(name="new")
    mine = (OfferVersion.offer == new.c.offer, OfferVersion.state == "approved")
    earlier = update(OfferVersion).where(*mine, OfferVersion.version < new.c.version)
    tx.execute(earlier.values(state="ended", ended_at=at), execution_options={"synchronize_session": False})
    begun = update(OfferVersion).where(*mine, OfferVersion.version == new.c.version)
    tx.execute(begun.values(started_at=at), execution_options={"synchronize_session": False})
    raise_book_number(tx)
    return len(versions)


def _find_in_force(tx: Session, offer: str) -> OfferVersion | None:
    """The approved version that has started."""
    return tx.scalar(
        select(OfferVersion).where(
            OfferVersion.offer == offer, OfferVersion.state == "approved", OfferVersion.started_at.is_not(None)
        )
    )


def _document(row: OfferVersion) -> dict[str, Any]:
    return {"terms": row.terms, "limits": row.limits}


def reject_offer(tx: Session, *, offer: str, version: int, rejected_by: UUID, reason: str, at: datetime) -> None:
    """Refuse a submitted version and say why; a new one may be proposed. Nobody rejects his own: he withdraws it.

    Raises ReasonMissingError, TwoPersonsError, OfferStateError.
    """
    said = read_reason(reason)
    row = lock_version(tx, offer=offer, version=version)
    if row.proposed_by == rejected_by:
        raise TwoPersonsError
    close_version(tx, row, state="rejected", closed_by=rejected_by, reason=said, at=at)


def withdraw_offer(tx: Session, *, offer: str, version: int, withdrawn_by: UUID, at: datetime) -> None:
    """Take back one's own version before it is approved. Raises NotFoundError for somebody else's, OfferStateError."""
    row = lock_version(tx, offer=offer, version=version)
    if row.proposed_by != withdrawn_by:
        raise NotFoundError
    close_version(tx, row, state="withdrawn", closed_by=withdrawn_by, reason="", at=at)


def end_offer(tx: Session, *, offer: str, at: datetime) -> None:
    """End what is approved now, without a new version: a public entry says so. The desk ends by `end_early`, which takes two persons.

    Raises NotFoundError when none is in force.
    """
    _hold_offer(tx, offer)
    ended = tx.scalars(
        update(OfferVersion)
        .where(OfferVersion.offer == offer, OfferVersion.state == "approved")
        .values(state="ended", ended_at=at)
        .returning(OfferVersion.version)
    ).all()
    if not ended:
        raise NotFoundError
    publish_event(tx, kind="offer", fields={"action": "ended", "offer": offer, "version": max(ended)}, at=at)
    raise_book_number(tx)


def raise_book_number(tx: Session) -> None:
    """Tell every process that the offer book changed; it follows within a second of the commit."""
    tx.execute(update(BookNumber).values(number=BookNumber.number + 1))


def lock_version(tx: Session, *, offer: str, version: int) -> OfferVersion:
    """A version that waits, locked. Raises NotFoundError, NewerVersionError, OfferStateError when it does not wait any more."""
    row = tx.scalar(
        select(OfferVersion).where(OfferVersion.offer == offer, OfferVersion.version == version).with_for_update()
    )
    if row is None:
        raise NotFoundError
    if row.state in {"submitted", "withdrawn"}:
        newer = tx.scalar(
            select(func.max(OfferVersion.version)).where(OfferVersion.offer == offer, OfferVersion.version > version)
        )
        if newer is not None:
            raise NewerVersionError(newer=newer)
    if row.state != "submitted":
        raise OfferStateError(state=row.state)
    return row


def close_version(tx: Session, row: OfferVersion, *, state: str, closed_by: UUID, reason: str, at: datetime) -> None:
    """Close a locked version that waits, and keep who and why."""
    tx.execute(
        update(OfferVersion)
        .where(OfferVersion.offer == row.offer, OfferVersion.version == row.version)
        .values(state=state, closed_by=closed_by, closed_at=at, closed_reason=reason)
    )


def read_reason(reason: str) -> str:
    """A reason as people give it, without the spaces around it. Raises ReasonMissingError when there is none, or a letter's length."""
    said = " ".join(reason.split())
    if not said or len(said) > MOST_REASON:
        raise ReasonMissingError(field="reason", problem="missing")
    return said


def read_purses(tx: Session) -> frozenset[str]:
    """The purses a sponsor's part may be drawn from: every budget there is."""
    return frozenset(f"budget:{code}" for code in tx.scalars(select(Budget.code)))


def hash_terms(terms: Mapping[str, Any], limits: Mapping[str, Any]) -> bytes:
    """What is signed: SHA-256 over the canonical JSON of a version's terms and limits."""
    return hashlib.sha256(canonical_json({"terms": dict(terms), "limits": dict(limits)})).digest()


def make_offer_text(*, title: str, title_en: str, note: str = "") -> NewText:
    """What a version is called and why it is there, to stand beside its entry."""
    return make_text({"title": title, "title_en": title_en, "note": note})


def _hold_offer(tx: Session, offer: str) -> None:
    """Until the transaction ends nobody else proposes, approves or starts a version of this offer."""
    _hold_offers(tx, [offer])


def _hold_offers(tx: Session, offers: Sequence[str]) -> None:
    """The same of several, in their order, so that no two transactions wait for each other."""
    tx.execute(_HOLD, {"offers": sorted(offers)})


def _next_version(tx: Session, offer: str) -> int:
    """The number of the next version, ours until the transaction ends, so that there are no gaps."""
    _hold_offer(tx, offer)
    return (tx.scalar(select(func.max(OfferVersion.version)).where(OfferVersion.offer == offer)) or 0) + 1


def _submit(
    tx: Session,
    offer: Offer,
    *,
    limits: Mapping[str, Any],
    titles: tuple[str, str],
    note: str,
    proposed_by: UUID,
    at: datetime,
) -> bytes:
    """Write the version, withdraw the one that waited, and answer the hash of what is to be signed."""
    terms = offer.to_json()
    terms_hash = hash_terms(terms, limits)
    tx.execute(
        update(OfferVersion)
        .where(OfferVersion.offer == offer.id, OfferVersion.state == "submitted")
        .values(state="withdrawn", closed_by=proposed_by, closed_at=at, closed_reason="")
    )
    tx.execute(
        insert(OfferVersion).values(
            offer=offer.id,
            version=offer.version,
            title=titles[0],
            title_en=titles[1],
            terms=terms,
            limits=dict(limits),
            merchants=bearers_of(offer),
            terms_hash=terms_hash,
            live_from=offer.window[0] if offer.window else None,
            live_until=offer.window[1] if offer.window else None,
            state="submitted",
            proposed_by=proposed_by,
            proposed_at=at,
            note=note,
        )
    )
    return terms_hash
