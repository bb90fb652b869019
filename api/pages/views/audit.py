"""The auditor's pages: totals, the search over all entries, one entry's exact bytes, a price made again. No person stands in any."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, TypeAlias

from api.pages.views.record import Checkpointed, MerchantName, TransferShown
from api.pages.views.shared import Amounts, MonthAmounts, SaleState, Stopped
from market.oversight.nightly import NightState

RecomputeVerdict: TypeAlias = Literal["same", "within_gap", "differs", "gap", "rules", "unreadable"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What does not hold, the rule's own sentence, what it points at, and the page of that, if it has one."""

    check: str
    sentence: str
    subject: str
    path: str | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The last run of all audits: of `huigong verify`, or of a night; then also `entries_count` of the log and `seconds` it took.

    `more_count` findings are not among `findings`.
    """

    at: datetime
    checks_count: int
    rows_count: int
    entries_count: int | None
    seconds: int | None
    findings: tuple[Finding, ...]
    more_count: int


@dataclass(frozen=True, kw_only=True)
class NightShown:
    """What became of a night."""

    on: date
    state: NightState
    findings_count: int


@dataclass(frozen=True, kw_only=True)
class AuditHome:
    """`audit/home.html` at /audit: `months` and the last `nights` in time order; `verdict` None before any run, `nights` empty likewise.

    `stopped` while publication stands still.
    """

    months: tuple[MonthAmounts, ...]
    verdict: Verdict | None
    nights: tuple[NightShown, ...]
    published: Checkpointed
    stopped: Stopped | None = None


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """An entry in a list: its place (None while it has none), whether a checkpoint covers it, of a published sale its state."""

    leaf_index: int | None
    entry_id: str
    day_on: date
    kind: str
    merchant: str | None
    merchant_code: str | None
    amounts: Amounts
    offers: tuple[str, ...]
    is_published: bool
    state: SaleState | None


@dataclass(frozen=True, kw_only=True)
class AuditEntries:
    """`audit/entries.html` at /audit/entries?type=&merchant=&offer=&version=&first=&last=&of=&least=&most=&state=&post=&before=.

    Block `entries` for htmx. `asked` has every field of the filter as it was typed, empty ones too; exports at
    /audit/exports/{form}.zip take the same. `problem` says what of it cannot be read: then nothing was looked for. What waits
    comes first, then the highest place; `older` is where the next page goes on. `typed`, `merchants` and `choices` are as on the public
    page. `looked_count` of those that wait were looked at where a page ends there before it is full.
    """

    kinds: tuple[str, ...]
    typed: str
    merchants: tuple[MerchantName, ...]
    choices: tuple[MerchantName, ...]
    asked: Mapping[str, str]
    problem: str | None
    before: str | None
    older: str | None
    looked_count: int | None
    entries: tuple[AuditRow, ...]
    published: Checkpointed


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """`audit/entry.html` at /audit/entries/{entry_id}: the stored bytes, decoded, their SHA-256 and leaf hash, in hex.

    `of` is the sale of a return; `leaf_index` None until the sequencer gave a place.
    """

    entry_id: str
    kind: str
    day_on: date
    merchant: str | None
    leaf_index: int | None
    is_published: bool
    of: str | None
    transfers: tuple[TransferShown, ...]
    entry_json: str
    sha256: str
    entry_hash: str
    bytes_count: int


@dataclass(frozen=True, kw_only=True)
class RecomputedStep:
    """One amount (fen) as the public entry has it and as it comes out now; `name` as in the entry, or `offer` with `offer` set."""

    name: str
    offer: str | None
    entry_fen: int | None
    priced_fen: int | None


@dataclass(frozen=True, kw_only=True)
class AuditPrice:
    """`audit/price.html` at /audit/entries/{entry_id}/price: a sale priced again from its stored inputs.

    `where` is the first field of its documents that differs. `is_opened` tells whether they were held against the entry's commitments.
    """

    entry_id: str
    day_on: date
    merchant: str | None
    verdict: RecomputeVerdict
    where: str | None
    steps: tuple[RecomputedStep, ...]
    lines_count: int
    is_opened: bool


AUDIT_TEMPLATES: Final[Mapping[str, type]] = {
    "audit/home.html": AuditHome,
    "audit/entries.html": AuditEntries,
    "audit/entry.html": AuditEntry,
    "audit/price.html": AuditPrice,
}
