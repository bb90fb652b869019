"""How each merchant's purchases are published: decided for each month by the 28 days before it, and in the officer's hand to make it closed.

Category and sales are known to different rooms, so it is decided at the door. What decides is public: docs/decisions/0014.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import merchants
from market.kit.clock import business_day
from market.kit.errors import ConflictError
from market.record.batches import LEAST
from market.record.policy import month_of
from market.record.publication import (
    Publication,
    Reason,
    Said,
    begin_review,
    change_publication,
    first_day,
    list_coming,
    list_publications,
)
from market.sales.queries import Company, count_company
from merchants import MerchantBusiness
from merchants.operations import MerchantUnknownError

SENSITIVE: Final = frozenset({"pharmacy", "clinic", "legal_aid"})
"""Categories of which a single purchase tells too much, however many there are."""

LOOKED_BACK: Final = timedelta(days=28)
DECIDED_FROM_DAY: Final = 28  # of a month, for the next one
IN_COMPANY_PERCENT: Final = 90
NO_SALES: Final = Company(0, 0)
LOCK: Final = 0x68676362  # "hgcb", any number that nobody else locks


class PublicationChosenError(ConflictError):
    """An officer chose it before."""

    code = "PUBLICATION_CHOSEN"
    zh = "这家商户已经由干部定为成批公布，不用再定。"
    en = "An officer has chosen batches for this merchant already; there is nothing more to do."


class PublicationNotChosenError(ConflictError):
    """There is no choice to take back."""

    code = "PUBLICATION_NOT_CHOSEN"
    zh = "这家商户没有由干部指定公布方式，没有可以撤回的。"
    en = "No officer has chosen how this merchant is published, so there is nothing to take back."


def decide(category: str, company: Company) -> tuple[Publication, Reason]:
    """How a merchant is published that sold so in 28 days: row by row if nearly every sale stood among at least five of the same hour."""
    if category in SENSITIVE:
        return "batched", "sensitive"
    if company.sales and company.in_company * 100 >= company.sales * IN_COMPANY_PERCENT:
        return "row", "sales"
    return "batched", "few"


def review_publications(tx: Session, *, at: datetime) -> list[str]:
    """Say what is due, and answer of which merchants (by code) something was said. Repeated on the same day it says nothing more.

    At once, from tomorrow on: for merchants of whom nothing is said yet, and for those that became sensitive. From the 28th day of a
    month on, once: for the next month. An officer's choice stays, and what a demo stated of its merchants.
    """
    _one_at_a_time(tx)
    today, tomorrow = business_day(at), first_day(at)
    businesses = merchants.list_merchants(tx)
    said = list_publications(tx, on=today) | list_coming(tx, after=today)
    companies = count_28_days(tx, at=at)
    _, next_month = month_of(today)
    is_due = today.day >= DECIDED_FROM_DAY and tomorrow <= next_month and begin_review(tx, from_on=next_month, at=at)
    changed = []
    for each in businesses:
        known = said.get(each.merchant)
        publication, reason = decide(each.category, companies.get(each.merchant, NO_SALES))
        if known is not None and known.reason == "chosen":
            continue
        at_once = known is None or (reason == "sensitive" and known.publication == "row")
        is_other = known is not None and known.publication != publication and known.reason != "stated"
        if at_once or (is_due and is_other):
            from_on = tomorrow if at_once else next_month
            change_publication(
                tx, merchant=each.merchant, publication=publication, reason=reason, from_on=from_on, at=at
            )
            changed.append(each.merchant)
    return changed


def count_28_days(tx: Session, *, at: datetime) -> dict[str, Company]:
    """The sales of the 28 days before today, by merchant."""
    today = business_day(at)
    return count_company(tx, first=today - LOOKED_BACK, beyond=today, least=LEAST)


def choose_batches(tx: Session, *, merchant: str, by: UUID, at: datetime) -> None:
    """An officer has a merchant published in batches from tomorrow on, until the choice is taken back.

    Raises MerchantUnknownError, PublicationChosenError.
    """
    _get(tx, merchant)
    known = _find_newest(tx, merchant, at=at)
    if known is not None and known.reason == "chosen":
        raise PublicationChosenError
    change_publication(
        tx, merchant=merchant, publication="batched", reason="chosen", from_on=first_day(at), by=by, at=at
    )


def take_back_choice(tx: Session, *, merchant: str, by: UUID, at: datetime) -> None:
    """From tomorrow on it is as the last 28 days have it. Raises MerchantUnknownError, PublicationNotChosenError."""
    business = _get(tx, merchant)
    known = _find_newest(tx, merchant, at=at)
    if known is None or known.reason != "chosen":
        raise PublicationNotChosenError
    publication, reason = decide(business.category, count_28_days(tx, at=at).get(merchant, NO_SALES))
    change_publication(
        tx, merchant=merchant, publication=publication, reason=reason, from_on=first_day(at), by=by, at=at
    )


def _get(tx: Session, merchant: str) -> MerchantBusiness:
    """The merchant, about which nothing else is said meanwhile. Raises MerchantUnknownError."""
    _one_at_a_time(tx)
    found = merchants.find_merchants(tx, codes=[merchant]).get(merchant)
    if found is None:
        raise MerchantUnknownError
    return found


def _one_at_a_time(tx: Session) -> None:
    """Whoever decides next sees what was said before."""
    tx.execute(select(func.pg_advisory_xact_lock(LOCK)))


def _find_newest(tx: Session, merchant: str, *, at: datetime) -> Said | None:
    today = business_day(at)
    return list_coming(tx, after=today).get(merchant) or list_publications(tx, on=today).get(merchant)
