"""Deleting a member: the page on which he asks for it, and the desk page on which a second person decides."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class MemberErasure:
    """`member/erasure.html` at /me/erasure; POST there asks, POST /me/erasure/withdraw takes back. For members only.

    `hindrance` says what comes first, None when nothing does. `asked_at` is set while a request waits, `by_officer` says that an officer
    took it; `declined` is the reason of the last one, if it was declined. `rebates_fen` are due to him and not paid yet.
    """

    hindrance: str | None
    asked_at: datetime | None
    by_officer: bool
    declined: str | None
    rebates_fen: int
    basket_count: int
    purchases_count: int
    error: str | None


@dataclass(frozen=True, kw_only=True)
class ErasureRow:
    """A request that waits. `asked_by` is None when the member asked himself; `own` ones this officer cannot decide on."""

    erasure_id: str
    name: str
    staff_number: str
    unit: str
    asked_by: str | None
    asked_at: datetime
    own: bool
    hindrance: str | None
    rebates_fen: int
    purchases_count: int
    declining: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class DeskErasures:
    """`desk/erasures.html` at /desk/erasures; POST there takes a request (`member`: staff number or card number).

    POST /desk/erasures/{erasure}/approve, POST /desk/erasures/{erasure}/decline (`reason`). `typed` is what was typed as `member`.
    """

    rows: tuple[ErasureRow, ...]
    erased_count: int
    typed: str
    error: str | None


ERASURE_TEMPLATES: dict[str, type] = {
    "member/erasure.html": MemberErasure,
    "desk/erasures.html": DeskErasures,
}
