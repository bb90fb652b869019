"""Writing, signing and reading offers: the desk's forms, the owner's page to sign, and the public history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

from api.pages.views.shared import OfferState, QuoteShown

PublicShown: TypeAlias = Literal["current", "ended", "all"]
OffersShown: TypeAlias = Literal["current", "waiting", "live", "coming", "ended", "closed", "drafts", "discarded"]


@dataclass(frozen=True, kw_only=True)
class ExampleShown:
    """A basket in words, its price with the offer alone, and together with the offers live there; `own` is the reader's basket."""

    bought: tuple[str, ...]
    own: bool
    alone: QuoteShown
    together: QuoteShown


@dataclass(frozen=True, kw_only=True)
class ExamplesShown:
    """Example baskets at one shop at a moment at which the offer is open."""

    shop: str
    at: datetime
    examples: tuple[ExampleShown, ...]


@dataclass(frozen=True, kw_only=True)
class SignatureRow:
    """A merchant that bears a part, and its word: None while it waits. `by` is who gave it, None where no name is to be shown."""

    merchant: str
    is_signed: bool | None
    way: Literal["owner", "declared", "carried"] | None
    by: str | None
    at: datetime | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class DifferenceRow:
    """One field that changed between two versions, in words."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Something to choose by its code."""

    code: str
    name: str


@dataclass(frozen=True, kw_only=True)
class DraftProblem:
    """What cannot stand yet, and at which box of the form (`name` in words); a warning does not keep it from being submitted."""

    box: str
    name: str
    sentence: str
    warning: bool


@dataclass(frozen=True, kw_only=True)
class OfferKinds:
    """`desk/kinds.html` at /desk/offers/new: POST /desk/drafts with `kind` (`line.percent_off`)."""

    kinds: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DraftPage:
    """`desk/draft.html` at /desk/drafts/{draft_id}; block `outlook` for htmx.

    POST /desk/drafts/{draft_id} keeps the form and prices the examples; …/submit submits it, …/discard puts it away. `form` holds what
    is typed, by box. `errors` stand beside their boxes once it was submitted; `problems` are what is still to do.
    `document` is what a dry run would try over `month` (2026-11), None while it is no offer.
    """

    draft_id: str
    kind: str
    version_of: str | None
    form: Mapping[str, tuple[str, ...]]
    errors: Mapping[str, str]
    problems: tuple[DraftProblem, ...]
    gives: str | None
    terms: tuple[str, ...]
    examples: ExamplesShown | None
    document: str | None
    month: str
    merchants: tuple[Choice, ...]
    shops: tuple[Choice, ...]
    items: tuple[Choice, ...]
    categories: tuple[str, ...]
    budgets: tuple[Choice, ...]
    sponsors: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DeskOfferRow:
    """A version in the desk's list; `needed_count` merchants bear a part, `signed_count` of them have signed."""

    offer_id: str
    version: int
    title: str
    gives: str
    merchant: str | None
    state: OfferState
    signed_count: int
    needed_count: int
    from_on: date | None
    to_on: date | None
    proposed_by: str
    proposed_at: datetime


@dataclass(frozen=True, kw_only=True)
class DraftRow:
    """A draft in the desk's list; POST /desk/drafts/{draft_id}/restore brings a discarded one back."""

    draft_id: str
    title: str
    offer_id: str
    written_by: str
    changed_at: datetime
    own: bool


@dataclass(frozen=True, kw_only=True)
class DeskOffers:
    """`desk/offers.html` at /desk/offers?shown=current&q=&after=CURSOR; block `list` for htmx."""

    shown: OffersShown
    query: str
    rows: tuple[DeskOfferRow, ...]
    drafts: tuple[DraftRow, ...]
    older: str | None


@dataclass(frozen=True, kw_only=True)
class OfferVersionRow:
    """One version in an offer's history."""

    version: int
    state: OfferState
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class DeskOffer:
    """`desk/offer.html` at /desk/offers/{offer_id}/{version}.

    POST …/approve; …/reject with `reason`; …/withdraw; /desk/offers/{offer_id}/end with `ends_at` (local, empty for now), `reason`;
    /desk/drafts with `offer`, `version`, `as` = version or copy. `terms` are sentences, `terms_json` the document, `terms_hash` hex.
    `verdict` says what the viewer may do: decide, wait for signatures, leave it to another because it is his own, or only look.
    `differences` are those from version `compared`; `closed_*` say who rejected or withdrew it. `unnamed`: the record does not name
    whom it is for; `unstarted`: it is approved and waits for its checkpoint.
    """

    offer_id: str
    version: int
    title: str
    merchant: str | None
    state: OfferState
    gives: str
    terms: tuple[str, ...]
    note: str
    terms_json: str
    terms_hash: str
    signatures: tuple[SignatureRow, ...]
    compared: int | None
    differences: tuple[DifferenceRow, ...]
    examples: ExamplesShown | None
    versions: tuple[OfferVersionRow, ...]
    verdict: Literal["decide", "unsigned", "own", "closed"]
    closed_by: str | None
    closed_at: datetime | None
    closed_reason: str
    can_end: bool
    unnamed: bool
    unstarted: bool
    typed_reason: str
    error: str | None


@dataclass(frozen=True, kw_only=True)
class OfferToSign:
    """A version that waits for the owner's word; `terms_hash` (hex) goes back with it. `differences` are those from the version in force."""

    offer_id: str
    version: int
    title: str
    gives: str
    terms: tuple[str, ...]
    note: str
    differences: tuple[DifferenceRow, ...]
    examples: ExamplesShown | None
    terms_hash: str
    proposed_at: datetime


@dataclass(frozen=True, kw_only=True)
class SaidRow:
    """What the merchant signed or refused before."""

    offer_id: str
    version: int
    title: str
    gives: str
    state: OfferState
    is_signed: bool
    at: datetime


@dataclass(frozen=True, kw_only=True)
class OwnerOffers:
    """`merchant/offers.html` at /merchant/offers: POST …/{offer_id}/{version}/sign with `terms_hash`, …/refuse with `reason` too."""

    merchant: str
    waiting: tuple[OfferToSign, ...]
    said: tuple[SaidRow, ...]
    error: str | None


@dataclass(frozen=True, kw_only=True)
class PublicOfferRow:
    """An offer version that was approved, for everybody."""

    offer_id: str
    version: int
    title: str
    gives: str
    merchant: str | None
    state: OfferState
    from_on: date | None
    to_on: date | None


@dataclass(frozen=True, kw_only=True)
class RecordOffers:
    """`record_offers.html` at /record/offers?q=&merchant=&shown=&after=CURSOR; exports at .csv and .json, whole.

    `shown` are those that are over, or all; without it those in force or to come. `merchant` is the name of the one that alone is shown.
    """

    query: str
    merchant_code: str | None
    merchant: str | None
    shown: PublicShown
    rows: tuple[PublicOfferRow, ...]
    older: str | None


@dataclass(frozen=True, kw_only=True)
class PublicVersion:
    """An approved version with what it changed from the one before, and the merchants that signed it.

    `terms_hash` is what they signed (hex); None where the audience is not named, because whoever guesses it could see that he is right.
    `entry_id` is the public id of its entry, None until a checkpoint covers it; `has_text` where title and note are served beside it.
    """

    version: int
    state: OfferState
    title: str
    gives: str
    terms: tuple[str, ...]
    note: str
    published_on: date
    ended_on: date | None
    signed: tuple[str, ...]
    differences: tuple[DifferenceRow, ...]
    terms_json: str
    terms_hash: str | None
    entry_id: str | None
    has_text: bool


@dataclass(frozen=True, kw_only=True)
class RecordOffer:
    """`record_offer.html` at /record/offers/{offer_id}: every approved version, newest first."""

    offer_id: str
    title: str
    merchant: str | None
    versions: tuple[PublicVersion, ...]
