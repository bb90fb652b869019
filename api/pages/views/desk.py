"""Desk pages: merchant owner, officer, auditor. Dense tables with a picture above each that has a shape to show."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from api.pages.views.shared import Amounts, DayAmounts, OfferState, Stopped


@dataclass(frozen=True, kw_only=True)
class ShopRow:
    """One shop of a merchant with today's figures."""

    shop_id: str
    shop: str
    state: Literal["open", "closed", "suspended"]
    today_count: int
    today_paid_fen: int


@dataclass(frozen=True, kw_only=True)
class StaffRow:
    """One sign-in of a merchant's staff."""

    name: str
    login: str
    shop: str | None
    active: bool
    seen_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class OfferRow:
    """One offer version in a list; dates in the business zone, `to_on` the last day or None."""

    offer_id: str
    version: int
    title: str
    gives: str
    state: OfferState
    from_on: date | None
    to_on: date | None


@dataclass(frozen=True, kw_only=True)
class MerchantHome:
    """`merchant/home.html` at /merchant?month=2026-11. `days` covers the month so far; `months` go from the first sale on.

    `waiting_count` offers wait for the owner's signature.
    """

    merchant: str
    waiting_count: int
    month_on: date
    months: tuple[date, ...]
    amounts: Amounts
    sales_count: int
    days: tuple[DayAmounts, ...]
    shops: tuple[ShopRow, ...]
    staff: tuple[StaffRow, ...]
    offers: tuple[OfferRow, ...]


@dataclass(frozen=True, kw_only=True)
class UnitRow:
    """A unit right below the officer's own, with heads and live cards."""

    name: str
    members_count: int
    cards_count: int


@dataclass(frozen=True, kw_only=True)
class BudgetRow:
    """A union budget in fen; `granted_fen` − `left_fen` is spent or reserved."""

    code: str
    name: str
    granted_fen: int
    left_fen: int


@dataclass(frozen=True, kw_only=True)
class WaitingOffer:
    """An offer that waits for a second person; `own` when the viewer proposed it and so may not approve it.

    POST /desk/offers/{offer_id}/{version}/approve once `signed_count` is `needed_count`; to reject it, its page asks for the reason.
    """

    offer_id: str
    version: int
    title: str
    merchant: str | None
    gives: str
    proposed_by: str
    proposed_at: datetime
    own: bool
    signed_count: int
    needed_count: int


@dataclass(frozen=True, kw_only=True)
class RowError:
    """One row of an imported file that was refused."""

    row: int
    column: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class ImportRow:
    """One run of the member import; `errors` are the first ten of `errors_count`."""

    file: str
    at: datetime
    by: str
    added_count: int
    changed_count: int
    unchanged_count: int
    errors_count: int
    errors: tuple[RowError, ...]


@dataclass(frozen=True, kw_only=True)
class DeskHome:
    """`desk/home.html` at /desk. `erasures_count` requests for erasure wait below this unit, `details_count` for details anywhere.

    `proposals_count` proposals for budgets wait. `stopped` while the public record stands still.
    `nightly_count` is what the audits of the last night found.
    """

    unit: str
    nightly_count: int
    details_count: int
    members_count: int
    cards_count: int
    erasures_count: int
    proposals_count: int
    units: tuple[UnitRow, ...]
    budgets: tuple[BudgetRow, ...]
    waiting: tuple[WaitingOffer, ...]
    imports: tuple[ImportRow, ...]
    stopped: Stopped | None = None
