"""Pages of details exports: what auditors asked for, who decided, the sealed file; and looks at named members."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, TypeAlias

from api.pages.views.record import MerchantName

DetailsState: TypeAlias = Literal["waiting", "withdrawn", "refused", "approved", "ready", "expired"]


@dataclass(frozen=True, kw_only=True)
class DetailsRow:
    """One request in the list; `merchant` is None for all of them, `is_own` of whoever looks at the page.

    `batched_count` of its sales are published in batches.
    """

    request_id: str
    asked_by: str
    asked_at: datetime
    merchant: str | None
    first_on: date
    last_on: date
    sales_count: int
    batched_count: int
    reason: str
    state: DetailsState
    is_own: bool


@dataclass(frozen=True, kw_only=True)
class DetailsTyped:
    """What stands in the form: as it was sent, or what it begins with."""

    merchant: str
    first_day: str
    last_day: str
    reason: str
    words: str
    key: str


@dataclass(frozen=True, kw_only=True)
class DetailsHome:
    """`audit/details.html` at /audit/details; POST there asks. An officer, who only decides, is not given the form (`can_ask`)."""

    can_ask: bool
    merchants: tuple[MerchantName, ...]
    reasons: tuple[str, ...]
    most_sales: int
    kept_days: int
    typed: DetailsTyped
    rows: tuple[DetailsRow, ...]
    error: str | None


@dataclass(frozen=True, kw_only=True)
class DownloadRow:
    """The file was fetched."""

    who: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class DetailsPage:
    """`audit/details_request.html` at /audit/details/{request_id}; POST …/withdraw, …/approve, …/refuse (`answer`); GET …/file.

    `erased_count` sales stay closed because their persons were erased. `can_decide` says that whoever looks is another person.
    """

    request: DetailsRow
    words: str
    key_id: str
    decided_by: str | None
    decided_at: datetime | None
    answer: str
    entry_id: str | None
    ready_at: datetime | None
    expires_at: datetime | None
    bytes_count: int | None
    sha256: str | None
    erased_count: int | None
    downloads: tuple[DownloadRow, ...]
    can_decide: bool
    typed_answer: str
    error: str | None


@dataclass(frozen=True, kw_only=True)
class MemberFound:
    """A member as an officer sees him: who he is and whether his card works; never what he bought."""

    name: str
    staff_number: str
    units: tuple[str, ...]
    state: Literal["active", "retired", "left"]
    joined_on: date
    card_number: str | None
    card_state: str | None
    valid_until: date | None


@dataclass(frozen=True, kw_only=True)
class DeskMembers:
    """`desk/members.html` at /desk/members: POST there with `staff_number` and `reason` shows one member of the officer's own units."""

    unit: str
    reasons: tuple[str, ...]
    typed_number: str
    typed_reason: str
    found: MemberFound | None
    error: str | None


@dataclass(frozen=True, kw_only=True)
class LookRow:
    """A look at one's own record: the post and its unit, what was seen, why, when, how often."""

    post: str
    unit: str | None
    kind: str
    reason: str
    first_at: datetime
    last_at: datetime
    times: int


@dataclass(frozen=True, kw_only=True)
class MemberLooks:
    """`member/looks.html` at /me/looks. `is_cut` says that there are older ones."""

    rows: tuple[LookRow, ...]
    is_cut: bool


DETAILS_TEMPLATES: Final[dict[str, type]] = {
    "audit/details.html": DetailsHome,
    "audit/details_request.html": DetailsPage,
    "desk/members.html": DeskMembers,
    "member/looks.html": MemberLooks,
}
