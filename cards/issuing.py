"""The code that a card page shows: eight digits for 60 seconds, one live per card, and the QR beside them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from cards.code import new_digits, step_at, week_of, write_qr
from cards.keys import derive_card_key
from cards.models import Card, CardCode, Member
from cards.operations import CardUnknownError
from cards.standing import ensure_usable
from cards.visits import WEB

CODE_SECONDS = 60
FRESH_SECONDS = 20


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """What the card page shows: eight digits until `expires_at`, and the text of the QR beside them."""

    code: str
    qr: str
    issued_at: datetime
    expires_at: datetime


def issue_code(tx: Session, *, card_id: UUID, at: datetime, draw: Callable[[], str] = new_digits) -> IssuedCode:
    """The live code of a card, for 60 seconds; an earlier one ends.

    A code nobody used yet with 20 seconds or more left is shown again rather than replaced: a page opened twice must
    not kill the digits an assistant is just keying. Raises CardUnknownError and the refusals of `cards.standing`.
    """
    card = tx.execute(_CARD_TO_SHOW, {"card_id": card_id}).one_or_none()
    if card is None:
        raise CardUnknownError
    ensure_usable(card_state=card.state, valid_until=card.valid_until, member_state=card.member_state, at=at)
    step = step_at(at)
    key = derive_card_key(card_id=card_id, generation=card.generation, device=WEB, week=week_of(step))
    qr = write_qr(reference=card.reference, device=WEB, step=step, key=key)
    live = tx.execute(_LIVE_CODE, {"card_id": card_id}).one_or_none()
    if live is not None:
        if live.issued_at <= at and live.expires_at >= at + timedelta(seconds=FRESH_SECONDS):
            return IssuedCode(code=live.code, qr=qr, issued_at=live.issued_at, expires_at=live.expires_at)
        tx.execute(update(CardCode).where(CardCode.code == live.code).values(ended_at=at))
    expires_at = at + timedelta(seconds=CODE_SECONDS)
    row = {"card_id": card_id, "issued_at": at, "expires_at": expires_at}
    while True:  # a number that is still kept for another card is passed over
        digits = draw()
        if tx.scalar(_KEEP_CODE, row | {"code": digits}) is not None:
            return IssuedCode(code=digits, qr=qr, issued_at=at, expires_at=expires_at)


_CARD_TO_SHOW = (
    select(Card.state, Card.valid_until, Card.generation, Card.reference, Member.state.label("member_state"))
    .join(Member, Member.id == Card.member_id)
    .where(Card.id == bindparam("card_id"))
    .with_for_update(key_share=True, of=Card)
)

_LIVE_CODE = select(CardCode.code, CardCode.issued_at, CardCode.expires_at).where(
    CardCode.card_id == bindparam("card_id"), CardCode.ended_at.is_(None)
)

_KEEP_CODE = insert(CardCode).on_conflict_do_nothing(index_elements=[CardCode.code]).returning(CardCode.code)
