"""Pages of the public record: what was given by whom, the merchants, the entries, and how to check all of it. No sign-in."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

from api.pages.views.shared import Amounts, MonthAmounts, OfferState, Pages, Stopped

RecordSort: TypeAlias = Literal[
    "merchant", "list", "concession", "subsidy", "paid", "rebate_member", "rebate_union", "count"
]
RecordBy: TypeAlias = Literal["merchant", "category"]
MerchantSort: TypeAlias = Literal["merchant", "category", "since", "offers", "concession", "rebate", "count"]


@dataclass(frozen=True, kw_only=True)
class Checkpointed:
    """How far the record is published: entries and when the newest checkpoint was signed (None: never yet).

    Sums are those of the first `counted_count` entries: of all, but for a moment after each checkpoint and while they are made again.
    A new entry is in a checkpoint within `within_seconds` (None: the log is not open). Of `witnesses_count` outside witnesses
    `cosigned_count` have cosigned the newest checkpoint. `stopped` while publication stands still.
    """

    entries_count: int
    counted_count: int
    signed_at: datetime | None
    within_seconds: int | None
    witnesses_count: int
    cosigned_count: int
    stopped: Stopped | None = None


@dataclass(frozen=True, kw_only=True)
class RecordHome:
    """`record/home.html` at /record: the newest month in one sentence and a picture, and the ways to everything else."""

    month: MonthAmounts
    merchants_count: int
    published: Checkpointed


@dataclass(frozen=True, kw_only=True)
class AmountsRow:
    """One merchant's or one category's month. `code` is a merchant's, empty for a category; `href` leads to its page or entries."""

    name: str
    code: str
    href: str
    amounts: Amounts
    sales_count: int


@dataclass(frozen=True, kw_only=True)
class Tenders:
    """Who says that what was paid was paid, in fen: the shop, a provider; batches do not say which."""

    declared_fen: int
    provider_fen: int
    untold_fen: int


@dataclass(frozen=True, kw_only=True)
class RecordMonths:
    """`record.html` at /record/months?month=2026-11&by=merchant&q=&sort=list&down=1&page=; exports at /record/months.csv and .json, whole.

    `months` in time order, at most 12; `rows` a page, already sorted; `total` is the chosen month's, `found` what the rows of all pages
    come to.
    """

    month_on: date
    months: tuple[MonthAmounts, ...]
    total: MonthAmounts
    by: RecordBy
    query: str
    rows: tuple[AmountsRow, ...]
    pages: Pages
    found: MonthAmounts
    sort: RecordSort
    down: bool
    tenders: Tenders
    published: Checkpointed


@dataclass(frozen=True, kw_only=True)
class OfferGiven:
    """What merchants bore under one version of an offer in a month, in fen: in so many sales, and in batches that do not say in how many."""

    offer_id: str
    version: int
    title: str
    merchant: str
    is_rebate: bool
    sales_count: int
    batches_count: int
    borne_fen: int


@dataclass(frozen=True, kw_only=True)
class RecordOfferSums:
    """`record/offer_sums.html` at /record/months/offers?month=2026-11&page=; exports at .csv and .json, whole.

    Counted from published entries alone: `given_fen` is the sum of concessions and rebates in the sales, `back_fen` in voids and refunds.
    `other_fen` of what was given stands in batches that do not name its offers, `named_fen` in the rows of all pages, of which `given`
    is one; `most_fen` is the largest of them.
    """

    month_on: date
    months: tuple[date, ...]
    given: tuple[OfferGiven, ...]
    pages: Pages
    named_fen: int
    most_fen: int
    sales_count: int
    given_fen: int
    back_fen: int
    other_fen: int
    published: Checkpointed


@dataclass(frozen=True, kw_only=True)
class RecordRebates:
    """`record/rebates.html` at /record/rebates?month=2026-11&q=&page=; exports at .csv and .json, of one month or of all, whole.

    `total` is the month's, `found` what the rows of all pages come to, `most_fen` the largest of them.
    """

    month_on: date
    months: tuple[MonthAmounts, ...]
    total: Amounts
    query: str
    rows: tuple[AmountsRow, ...]
    pages: Pages
    found: Amounts
    most_fen: int
    published: Checkpointed


@dataclass(frozen=True, kw_only=True)
class BreakdownRow:
    """A published group: `name`, and in `parts` what was put together in it. Sums only where they are published."""

    name: str
    parts: tuple[str, ...]
    members_count: int
    purchases_count: int
    amounts: Amounts | None


@dataclass(frozen=True, kw_only=True)
class BreakdownTable:
    """A month by one attribute: groups of at least `k` members. No rows: fewer bought in all."""

    attribute: Literal["unit", "retired", "age"]
    k: int
    rows: tuple[BreakdownRow, ...]
    merged_count: int


@dataclass(frozen=True, kw_only=True)
class RecordBreakdowns:
    """`record/breakdowns.html` at /record/breakdowns?month=2026-11; exports at .csv and .json. The next tables come on `due_on`."""

    month_on: date | None
    months: tuple[date, ...]
    tables: tuple[BreakdownTable, ...]
    made_on: date | None
    due_on: date


@dataclass(frozen=True, kw_only=True)
class CategoryChoice:
    """A category that some merchant has, and how many have it."""

    category: str
    merchants_count: int


@dataclass(frozen=True, kw_only=True)
class PublicMerchant:
    """A merchant as everybody may know it; `offers_count` are the offers in force of which it bears a part."""

    code: str
    name: str
    category: str
    since_on: date
    is_suspended: bool
    is_batched: bool
    offers_count: int
    amounts: Amounts
    sales_count: int


@dataclass(frozen=True, kw_only=True)
class RecordMerchants:
    """`record/merchants.html` at /record/merchants?month=&category=&q=&sort=&down=&page=; exports at .csv and .json, whole.

    `merchants` are a page of those of the category that hold what is looked for, sorted, with what they gave in the month; `total` and
    `sales_count` are those of all pages, `most_fen` the largest concession.
    """

    month_on: date
    months: tuple[date, ...]
    category: str | None
    categories: tuple[CategoryChoice, ...]
    query: str
    merchants: tuple[PublicMerchant, ...]
    pages: Pages
    total: Amounts
    sales_count: int
    most_fen: int
    sort: MerchantSort
    down: bool
    counted: Checkpointed


@dataclass(frozen=True, kw_only=True)
class MerchantVersion:
    """One published version of an offer of which a merchant bears a part."""

    offer_id: str
    version: int
    title: str
    gives: str
    state: OfferState
    published_on: date
    ended_on: date | None


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    """A published entry in a list, at place `leaf_index` of the log. `offers` as `NOODLE10 v3`; `count` purchases of a batch."""

    leaf_index: int
    entry_id: str
    day_on: date
    kind: str
    merchant: str | None
    merchant_code: str | None
    amounts: Amounts
    count: int | None
    offers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PublicationSaid:
    """How a merchant's purchases are published from a day on."""

    publication: Literal["row", "batched"]
    from_on: date


@dataclass(frozen=True, kw_only=True)
class NameSaid:
    """What a merchant was called from a day on, as the text beside that day's entry says; None where it was removed."""

    name: str | None
    from_on: date
    entry_id: str


@dataclass(frozen=True, kw_only=True)
class MerchantTold:
    """A published entry about a merchant itself: what happened, and in words what it says of the terms, None where it says nothing."""

    entry_id: str
    day_on: date
    action: str
    category: str | None
    publication: str | None
    from_on: date | None
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class RecordMerchant:
    """`record/merchant.html` at /record/merchants/{code}: terms with every change, months, newest versions of offers, newest entries.

    Exports of the terms at .csv and .json, of the months at /months.csv and .json. `published` is how its purchases are published now
    (None: nothing is said of it yet, so row by row), `coming` how they will be. `names` are what it was called, the newest first.
    """

    code: str
    name: str
    category: str
    since_on: date
    is_suspended: bool
    published: PublicationSaid | None
    coming: PublicationSaid | None
    months: tuple[MonthAmounts, ...]
    versions: tuple[MerchantVersion, ...]
    entries: tuple[PublishedRow, ...]
    told: tuple[MerchantTold, ...]
    names: tuple[NameSaid, ...]
    counted: Checkpointed


@dataclass(frozen=True, kw_only=True)
class MerchantName:
    """A merchant to choose."""

    code: str
    name: str


@dataclass(frozen=True, kw_only=True)
class RecordEntries:
    """`record/entries.html` at /record/entries?type=&merchant=&month=&day=&offer=&version=&of=&least=&most=&post=&before=; .csv and .json.

    Rows by place, the highest first; `older` is the place below which the next page begins, None at the end. Every address stays
    good: what stands below a place never changes. `asked` is the filter as it stands in an address, `problem` what is wrong with it;
    `typed` is the merchant as the address has it; `merchants` are those on the page.
    Where it is no code, nothing is listed, and `choices` are those whose name or code holds it.
    """

    kinds: tuple[str, ...]
    typed: str
    merchants: tuple[MerchantName, ...]
    choices: tuple[MerchantName, ...]
    months: tuple[date, ...]
    kind: str | None
    merchant_code: str | None
    month_on: date | None
    day_on: date | None
    asked: dict[str, str]
    problem: str | None
    before: int | None
    older: int | None
    entries: tuple[PublishedRow, ...]
    published: Checkpointed


@dataclass(frozen=True, kw_only=True)
class FieldShown:
    """A field of an entry: what it is called, its name in the entry, its values in words or as they stand; a sum of money in `fen`."""

    label: str
    name: str
    values: tuple[str, ...]
    fen: int | None = None
    href: str | None = None
    is_code: bool = False


@dataclass(frozen=True, kw_only=True)
class TextShown:
    """The text beside an entry with its salt (base64). Of one that was removed, on `removed_on`, nothing else is left."""

    fields: tuple[FieldShown, ...]
    salt: str
    removed_on: date | None


@dataclass(frozen=True, kw_only=True)
class AccountKindShown:
    """A kind of account in the chart of accounts: its code, and in words what it is, where its balance stands, and whose it is."""

    account: str
    nature: str
    side: str
    party: str


@dataclass(frozen=True, kw_only=True)
class TransferShown:
    """An amount (fen) from one public account to another."""

    debit: str
    credit: str
    amount_fen: int


@dataclass(frozen=True, kw_only=True)
class OfferShare:
    """What a merchant bears of a sale under one version of an offer, in fen."""

    offer_id: str
    version: int
    borne_fen: int


@dataclass(frozen=True, kw_only=True)
class RecordEntry:
    """`record/entry.html` at /record/entries/{entry}: one published entry, whatever its type.

    `amounts` only of purchases, returns and batches of `count` of either (`is_return`); `of` is the original of a return, `returns` are
    those of a sale. Exact bytes and proof stand at the same address with .json and .tlog-proof. `text` stands beside it, at .text; None
    where the entry holds no hash of one.
    """

    entry_id: str
    kind: str
    day_on: date
    merchant: str | None
    merchant_code: str | None
    leaf_index: int
    leaf_hash: str
    bytes_count: int
    amounts: Amounts | None
    count: int | None
    is_return: bool
    offers: tuple[OfferShare, ...]
    transfers: tuple[TransferShown, ...]
    of: str | None
    returns: tuple[str, ...]
    fields: tuple[FieldShown, ...]
    chart: tuple[AccountKindShown, ...]
    text: TextShown | None
    entry_json: str
    published: Checkpointed


@dataclass(frozen=True, kw_only=True)
class WitnessShown:
    """Somebody asked to cosign checkpoints, and since when he has (None: not yet). One that the operator runs, `is_own`, proves nothing."""

    name: str
    is_own: bool
    since_at: datetime | None
    checkpoints_count: int


@dataclass(frozen=True, kw_only=True)
class Succeeded:
    """The log before this one, given up after a loss: of `signed_count` entries that it signed the first `continued_count` go on here."""

    origin: str
    vkey: str
    checkpoint: str
    signed_count: int
    continued_count: int


@dataclass(frozen=True, kw_only=True)
class OwnCheck:
    """The operator's own last audit of a night: when it ended, over how many entries, and how much it found."""

    at: datetime
    entries_count: int
    findings_count: int


@dataclass(frozen=True, kw_only=True)
class RecordCheck:
    """`record/check.html` at /record/check-it-yourself. Exports of the witnesses at /record/witnesses.csv and .json.

    `origin`, `vkey` and `promise` (the key of promises) are None while the log is not open, `checkpoint` while it is not signed.
    `succeeds` is None for a log that keeps its first name.
    `own_check` is None before the first one.
    """

    address: str
    origin: str | None
    vkey: str | None
    promise: str | None
    checkpoint: str | None
    window_seconds: int | None
    witnesses: tuple[WitnessShown, ...]
    own_check: OwnCheck | None
    published: Checkpointed
    succeeds: Succeeded | None = None


RECORD_TEMPLATES: dict[str, type] = {
    "record/home.html": RecordHome,
    "record/merchants.html": RecordMerchants,
    "record/merchant.html": RecordMerchant,
    "record/offer_sums.html": RecordOfferSums,
    "record/rebates.html": RecordRebates,
    "record/breakdowns.html": RecordBreakdowns,
    "record/entries.html": RecordEntries,
    "record/entry.html": RecordEntry,
    "record/check.html": RecordCheck,
}
