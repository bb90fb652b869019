"""Visits: opened here by a scanned or typed code, which is consumed by it, and deleted here when they are of no more use.

A visit names what opened it by (card, device, step), unique: for a QR the device and step it carries, for typed
digits the device `typed` and `issued second × 10^8 + digits`, which names one issued code for good.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cards.code import (
    Drift,
    QrCode,
    TypedCode,
    drift,
    is_genuine,
    parse_scanned,
    step_at,
    week_of,
)
from cards.keys import derive_card_key
from cards.models import Card, CardCode, Member, Visit
from cards.people import surname
from cards.standing import ensure_usable
from market.kit.errors import ConflictError, InvalidError, NotFoundError, invariant
from market.kit.ids import new_id
from market.sales.models import Reversal, Sale

VISIT_SECONDS = 300
KEPT_SECONDS = 3 * 3600
WEB = "web"  # the device of a QR drawn by the server
TYPED = "typed"


class CodeMalformedError(InvalidError):
    """Neither eight digits nor the QR of a card."""

    code = "CODE_MALFORMED"
    zh = "这不是会员码。请扫会员卡页面上的二维码，或输入 8 位数字。"
    en = "This is not a member code. Scan the QR on the member's card page, or type its 8 digits."


class CodeUnknownError(NotFoundError):
    """No such code was issued, or the QR was not written by us."""

    code = "CODE_UNKNOWN"
    zh = "没有这个会员码。请核对 8 位数字，或请会员刷新卡页面后重新扫码。"
    en = "No such member code. Check the 8 digits, or ask the member to refresh the card page and scan again."


class CodeExpiredError(ConflictError):
    """The code's time is over, or a newer one took its place."""

    code = "CODE_EXPIRED"
    zh = "会员码已过期。请会员刷新卡页面后重新扫码。"
    en = "The member code has expired. Ask the member to refresh the card page, then scan again."


class CodeUsedError(ConflictError):
    """The code opened a visit elsewhere, or one that is over."""

    code = "CODE_USED"
    zh = "会员码已经用过。请会员刷新卡页面后重新扫码。"
    en = "The member code was used already. Ask the member to refresh the card page, then scan again."


class CodeClockOffError(ConflictError):
    """A genuine QR some `minutes` off: `side` late (page not refreshed, screenshot, slow clock) or early."""

    code = "CODE_CLOCK_OFF"
    zh = "二维码的时间与现在相差约 {minutes} 分钟。请会员刷新卡页面后重新扫码；刷新后仍不行，请会员核对手机时间。"
    en = (
        "The QR's time is about {minutes} min off. Ask the member to refresh the card page and scan again; "
        "if that does not help, to check the phone's clock."
    )


class VisitUnknownError(NotFoundError):
    """No such visit at this shop."""

    code = "VISIT_UNKNOWN"
    zh = "本店没有这次到店记录。请重新扫会员码。"
    en = "There is no such visit at this shop. Scan the member code again."


class VisitExpiredError(ConflictError):
    """The visit's five minutes are over."""

    code = "VISIT_EXPIRED"
    zh = "扫码后已超过 5 分钟。请会员刷新卡页面后重新扫码。"
    en = "More than 5 minutes have passed since the scan. Ask the member to refresh the card page, then scan again."


class VisitUsedError(ConflictError):
    """A sale came of this visit already."""

    code = "VISIT_USED"
    zh = "这次到店已经核销过，请在“今天”里查看。要再买一单，请会员刷新卡页面后重新扫码。"
    en = "This visit has its sale already; see Today. For another purchase ask the member to refresh and scan again."


@dataclass(frozen=True, slots=True)
class OpenVisit:
    """A visit as the shop may see it; `repeated` when this shop had opened it with the same code before."""

    visit_id: UUID
    surname: str
    opened_at: datetime
    expires_at: datetime
    repeated: bool


def open_visit(tx: Session, *, scanned: str, shop_id: UUID, staff_id: UUID, at: datetime) -> OpenVisit:
    """Open a visit of five minutes at a shop with a scanned QR or typed digits, which are consumed by it.

    The same shop with the same code gets the same visit while it is open. First refusal that holds: CodeMalformedError,
    CodeUnknownError (never issued, or forged), CodeUsedError, VisitUsedError, the refusals of `cards.standing`,
    CodeClockOffError, CodeExpiredError.
    """
    code = parse_scanned(scanned)
    if code is None:
        raise CodeMalformedError
    place = _Place(shop_id=shop_id, staff_id=staff_id, at=at)
    return _open_by_digits(tx, code, place) if isinstance(code, TypedCode) else _open_by_qr(tx, code, place)


def prune_codes(tx: Session, *, at: datetime) -> int:
    """Delete codes and visits older than 3 hours; a visit with a sale stays with it. Answers how many rows went."""
    before = at - timedelta(seconds=KEPT_SECONDS)
    codes = tx.execute(delete(CardCode).where(CardCode.issued_at < before).returning(CardCode.code)).all()
    unused = ~exists().where(Sale.visit_id == Visit.id), ~exists().where(Reversal.visit_id == Visit.id)
    visits = tx.execute(delete(Visit).where(Visit.opened_at < before, *unused).returning(Visit.id)).all()
    return len(codes) + len(visits)


# --- opening ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    shop_id: UUID
    staff_id: UUID
    at: datetime


def _open_by_digits(tx: Session, typed: TypedCode, place: _Place) -> OpenVisit:
    found = tx.execute(_CARD_OF_CODE, {"code": typed.digits}).one_or_none()  # locks the code: its scans come one by one
    if found is None:
        raise CodeUnknownError
    repeat = _get_repeat(tx, Visit.id == found.visit_id, found.name, place) if found.visit_id is not None else None
    ensure_usable(card_state=found.state, valid_until=found.valid_until, member_state=found.member_state, at=place.at)
    if repeat is not None:
        return repeat
    if found.ended_at is not None or found.expires_at <= place.at:
        raise CodeExpiredError
    step = int(found.issued_at.timestamp()) * 10**8 + int(typed.digits)
    visit = _insert_visit(tx, card_id=found.card_id, device=TYPED, step=step, name=found.name, place=place)
    invariant(visit is not None, "a code that opened no visit has no visit under its step")
    return visit  # type: ignore[return-value]  # the invariant


def _open_by_qr(tx: Session, qr: QrCode, place: _Place) -> OpenVisit:
    found = tx.execute(_CARD_OF_QR, {"reference": qr.reference}).one_or_none()
    if found is None:
        raise CodeUnknownError
    key = derive_card_key(card_id=found.card_id, generation=found.generation, device=qr.device, week=week_of(qr.step))
    if not is_genuine(qr, key=key):
        raise CodeUnknownError
    shown = and_(Visit.card_id == found.card_id, Visit.device == qr.device, Visit.step == qr.step)
    repeat = _get_repeat(tx, shown, found.name, place)
    ensure_usable(card_state=found.state, valid_until=found.valid_until, member_state=found.member_state, at=place.at)
    if repeat is not None:
        return repeat
    match drift(qr.step, now_step=step_at(place.at)):
        case (Drift.LATE | Drift.EARLY) as side, minutes:
            raise CodeClockOffError(minutes=minutes, side=side.value)
        case Drift.EXPIRED, _:
            raise CodeExpiredError
    visit = _insert_visit(tx, card_id=found.card_id, device=qr.device, step=qr.step, name=found.name, place=place)
    visit = visit or _get_repeat(tx, shown, found.name, place)  # another scan of it came first by a moment
    invariant(visit is not None, "a visit is inserted unless there is one")
    return visit  # type: ignore[return-value]  # the invariant


def _get_repeat(tx: Session, shown: ColumnElement[bool], name: str, place: _Place) -> OpenVisit | None:
    """The visit this code opened before, if any. Raises CodeUsedError (another shop's, or over) and VisitUsedError."""
    found = tx.execute(_VISIT_AND_SALE.where(shown)).one_or_none()
    if found is None:
        return None
    if found.shop_id != place.shop_id or found.expires_at <= place.at:
        raise CodeUsedError
    if found.sale_id is not None:
        raise VisitUsedError
    return OpenVisit(found.id, surname(name), found.opened_at, found.expires_at, repeated=True)


def _insert_visit(tx: Session, *, card_id: UUID, device: str, step: int, name: str, place: _Place) -> OpenVisit | None:
    """Open a visit and consume the live digits of the card with it; None if (card, device, step) has one."""
    expires_at = place.at + timedelta(seconds=VISIT_SECONDS)
    row = {"card_id": card_id, "device": device, "step": step, "shop_id": place.shop_id, "staff_id": place.staff_id}
    visit_id = tx.scalar(_KEEP_VISIT, row | {"id": new_id(), "opened_at": place.at, "expires_at": expires_at})
    if visit_id is None:
        return None
    tx.execute(_CONSUME, {"card": card_id, "visit": visit_id, "at": place.at})
    return OpenVisit(visit_id, surname(name), place.at, expires_at, repeated=False)


# --- statements, built once -------------------------------------------------------------------------------------------

_STANDING = (
    Card.id.label("card_id"),
    Card.state,
    Card.valid_until,
    Card.generation,
    Member.state.label("member_state"),
)

_CARD_OF_CODE = (
    select(*_STANDING, Member.name, CardCode.issued_at, CardCode.expires_at, CardCode.ended_at, CardCode.visit_id)
    .join(Card, Card.id == CardCode.card_id)
    .join(Member, Member.id == Card.member_id)
    .where(CardCode.code == bindparam("code"))
    .with_for_update(key_share=True, of=CardCode)
)

_CARD_OF_QR = (
    select(*_STANDING, Member.name)
    .join(Member, Member.id == Card.member_id)
    .where(Card.reference == bindparam("reference"))
)

_VISIT_AND_SALE = select(
    Visit.id, Visit.shop_id, Visit.opened_at, Visit.expires_at, Sale.id.label("sale_id")
).outerjoin(Sale, Sale.visit_id == Visit.id)

_KEEP_VISIT = (
    insert(Visit).on_conflict_do_nothing(index_elements=[Visit.card_id, Visit.device, Visit.step]).returning(Visit.id)
)

_CONSUME = (
    update(CardCode)
    .where(CardCode.card_id == bindparam("card"), CardCode.ended_at.is_(None), CardCode.expires_at > bindparam("at"))
    .values(ended_at=bindparam("at"), visit_id=bindparam("visit"))
)
