"""Pages of the dry run (试算): what an offer would have cost had it been in force."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

from api.pages.views.shared import Amounts

DryRunState: TypeAlias = Literal["waiting", "running", "done", "cancelled", "interrupted", "failed"]


@dataclass(frozen=True, kw_only=True)
class DryRunRow:
    """One dry run in the list; `version` None when its document was typed."""

    run_id: str
    offer_id: str
    version: int | None
    month_on: date
    state: DryRunState
    asked_by: str
    asked_at: datetime


@dataclass(frozen=True, kw_only=True)
class DryRunChoice:
    """An offer version to try; `value` is `offer/version`."""

    value: str
    title: str


@dataclass(frozen=True, kw_only=True)
class DryRuns:
    """`desk/dry_runs.html` at /desk/dry-runs?of=OFFER/VERSION.

    POST /desk/dry-runs with `of` (or `document`, the terms as JSON), `month` (YYYY-MM) and `budget` (yuan, may be empty).
    """

    choices: tuple[DryRunChoice, ...]
    months: tuple[date, ...]
    chosen: str
    document: str
    month_on: date | None
    budget: str
    runs: tuple[DryRunRow, ...]
    error: str | None


@dataclass(frozen=True, kw_only=True)
class DryRunWeek:
    """A week from its Monday (the first and last may be cut by the month) with what each payer bore and would have borne."""

    week_on: date
    sales_count: int
    cheaper_count: int
    dearer_count: int
    before: Amounts
    after: Amounts


@dataclass(frozen=True, kw_only=True)
class DryRunLine:
    """A line of the basket with the largest change."""

    item: str
    qty: int
    unit_price_fen: int
    before_fen: int
    after_fen: int


@dataclass(frozen=True, kw_only=True)
class DryRunBasket:
    """The purchase that would have become cheaper, or dearer, by the most. No person, no shop, no hour."""

    merchant: str
    before_fen: int
    after_fen: int
    lines: tuple[DryRunLine, ...]
    offers_before: tuple[str, ...]
    offers_after: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DryRunFound:
    """What came of a dry run. `used_…` is the draft's own part; `reasons` say why it did not apply, with how many purchases each."""

    sales_count: int
    cheaper_count: int
    dearer_count: int
    used_count: int
    used_fen: int
    used_union_fen: int
    before: Amounts
    after: Amounts
    weeks: tuple[DryRunWeek, ...]
    cheapest: DryRunBasket | None
    dearest: DryRunBasket | None
    reasons: tuple[tuple[str, int], ...]
    bounded_count: int


@dataclass(frozen=True, kw_only=True)
class DryRunPage:
    """`desk/dry_run.html` at /desk/dry-runs/{run_id}; block `outcome` for htmx, which asks again while it is not finished.

    POST /desk/dry-runs/{run_id}/cancel. `found` None until it is done, and when too few persons were touched (`withheld`).
    """

    run_id: str
    offer_id: str
    version: int | None
    gives: str
    month_on: date
    budget_fen: int | None
    asked_by: str
    asked_at: datetime
    state: DryRunState
    done_count: int
    whole_count: int
    seconds: int | None
    withheld: bool
    found: DryRunFound | None
