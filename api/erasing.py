"""Deleting a person: the register, the market and the sign-ins in one transaction, and his opaque id on the erasure list before it ends.

The order: lock → refuse (fixed precedence) → erase → keep the list → commit. Nothing is deleted where the list cannot be written.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import cards
from api.erased_list import keep_erased, read_erased
from api.identity.forgetting import PostHeldError, forget_accounts, has_post, list_persons
from cards import erasing as register
from market.kit.database import transaction
from market.kit.errors import ConflictError, invariant
from market.kit.settings import Settings
from market.sales.erasing import Held, find_unfinished, get_held, restrict_person

TRIES: Final = 3


class OrderStillOpenError(ConflictError):
    """What was ordered is fetched or cancelled first."""

    code = "ERASURE_ORDER_OPEN"
    zh = "还有没办完的订单 {orders}：先取货或取消，再删除。"
    en = "Orders are still open ({orders}): fetch or cancel them first, then delete."


class ReturnStillOpenError(ConflictError):
    """Who waits for an answer gets it first."""

    code = "ERASURE_RETURN_OPEN"
    zh = "订单 {orders} 的退货申请还没有答复：先等商户答复或撤回申请，再删除。"
    en = "A return is still asked for (order {orders}): wait for the answer or withdraw it first, then delete."


class RefundStillRunsError(ConflictError):
    """The provider has not sent the money back yet."""

    code = "ERASURE_REFUND_RUNS"
    zh = "还有 {count} 笔退款在路上，通常几天内到账。到账后再删除。"
    en = "{count} refunds are still on their way, usually for a few days. Delete once they have arrived."


@dataclass(frozen=True, slots=True)
class Outlook:
    """What stands in the way of an erasure (None: nothing), and what the member loses by it."""

    hindrance: ConflictError | None
    held: Held


def get_outlook(tx: Session, *, member_id: UUID) -> Outlook:
    """What a member reads before he asks, and an officer before he decides. Raises MemberUnknownError."""
    subject = cards.get_subject(tx, member_id=member_id)
    hindrance = _find_hindrance(tx, member_id=member_id, subject=subject, is_locking=False)
    return Outlook(hindrance, get_held(tx, subject=subject))


def ask_for_oneself(*, member_id: UUID, person: UUID, at: datetime) -> None:
    """A member asks to be deleted. Raises what hinders it, and ErasureWaitsError."""
    _ask(member_id=member_id, asked_as="member", by=person, at=at)


def take_request(*, typed: str, unit_id: UUID, person: UUID, at: datetime) -> None:
    """An officer takes the request of a member below his unit, by staff number or card number. The same refusals, and MemberUnknownError."""
    with transaction() as tx:
        member_id = register.find_member(tx, typed=typed, unit_id=unit_id)
        if person in list_persons(tx, member_id=member_id):
            raise register.ErasureSamePersonError
    _ask(member_id=member_id, asked_as="officer", by=person, at=at)


def decline_request(*, erasure_id: UUID, unit_id: UUID, person: UUID, reason: str, at: datetime) -> None:
    """A second officer says no, and why. Raises what `cards.erasing.decline_erasure` raises."""
    with transaction() as tx:
        asked = register.lock_erasure(tx, erasure_id=erasure_id, unit_id=unit_id)
        register.ensure_second_person(asked, by=person, member_persons=_persons_of(tx, asked))
        register.decline_erasure(tx, erasure_id=erasure_id, by=person, reason=reason, at=at)


def approve_request(settings: Settings, *, erasure_id: UUID, unit_id: UUID, person: UUID, at: datetime) -> None:
    """A second officer has the person deleted: all at once, or nothing.

    First refusal that holds: ErasureUnknownError, ErasureSamePersonError, PostHeldError, OrderStillOpenError, ReturnStillOpenError,
    RefundStillRunsError, ErasedListError.
    """
    for left in reversed(range(TRIES)):
        try:
            with transaction() as tx:
                asked = register.lock_erasure(tx, erasure_id=erasure_id, unit_id=unit_id)
                register.ensure_second_person(asked, by=person, member_persons=_persons_of(tx, asked))
                _refuse(tx, member_id=_member_of(asked), subject=asked.subject)
                _erase(tx, subject=asked.subject, member_id=_member_of(asked), by=person, at=at)
                keep_erased(settings, [asked.subject])  # from here on only the commit itself can fail
        except OperationalError as error:  # his card was shown at this very moment, and the database let that go first
            if not left or not isinstance(error.orig, DeadlockDetected):
                raise
        else:
            return


def erase_again(settings: Settings, *, at: datetime) -> int:
    """After a restore: whoever stands on the erasure list is deleted again. How many were. Raises ErasedListError."""
    with transaction() as tx:
        back = register.find_registered(tx, subjects=read_erased(settings))
        for subject in back:
            _erase(tx, subject=subject, member_id=register.find_member_id(tx, subject=subject), by=None, at=at)
    return len(back)


def sync_list(settings: Settings) -> int:
    """Bring the erasure list up to what the database knows: a list that was lost is written again. How many were missing."""
    with transaction() as tx:
        erased = register.list_erased(tx)
    return keep_erased(settings, erased) if erased else 0


def _ask(*, member_id: UUID, asked_as: register.AskedAs, by: UUID, at: datetime) -> None:
    with transaction() as tx:
        register.ask_erasure(tx, member_id=member_id, asked_as=asked_as, asked_by=by, at=at)
        _refuse(tx, member_id=member_id, subject=cards.get_subject(tx, member_id=member_id))


def _erase(tx: Session, *, subject: UUID, member_id: UUID | None, by: UUID | None, at: datetime) -> None:
    """The sign-ins first, which name the row in the register; then the key and the row; then what the market keeps."""
    if member_id is not None:
        forget_accounts(tx, member_id=member_id, at=at)
    register.erase_member(tx, subject=subject, by=by, at=at)
    restrict_person(tx, subject=subject)


def _refuse(tx: Session, *, member_id: UUID, subject: UUID) -> None:
    hindrance = _find_hindrance(tx, member_id=member_id, subject=subject, is_locking=True)
    if hindrance is not None:
        raise hindrance


def _find_hindrance(tx: Session, *, member_id: UUID, subject: UUID, is_locking: bool) -> ConflictError | None:
    """What comes first, in this order; with `is_locking` nothing of it can begin before the transaction ends."""
    if has_post(tx, member_id=member_id):
        return PostHeldError()
    unfinished = find_unfinished(tx, subject=subject, is_locking=is_locking)
    if unfinished.orders:
        return OrderStillOpenError(orders=", ".join(unfinished.orders))
    if unfinished.returns:
        return ReturnStillOpenError(orders=", ".join(unfinished.returns))
    if unfinished.refunds_count:
        return RefundStillRunsError(count=unfinished.refunds_count)
    return None


def _persons_of(tx: Session, asked: register.ErasureAsked) -> list[UUID]:
    return list_persons(tx, member_id=_member_of(asked))


def _member_of(asked: register.ErasureAsked) -> UUID:
    invariant(asked.member_id is not None, "a request that waits names its member")
    return asked.member_id  # type: ignore[return-value]  # the invariant
