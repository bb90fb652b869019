"""The officer's desk, offers: the list, one version with signatures, differences and examples, approval, rejection, early end."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Form, Path, Query, Request, Response
from sqlalchemy.orm import Session

import cards
import merchants
from api.access import Doors, Fields, Who
from api.door import language_of, see_other
from api.identity import Principal, list_names
from api.offer_desk import Draft, find_place, list_places, name_wares, price_examples
from api.pages.i18n import Language
from api.pages.kit import render
from api.pages.offer_pages import read_cursor, say_all, show_differences, show_examples, show_signatures, write_cursor
from api.pages.offers import read_offer, show_row, state_of, title_of
from api.pages.paged import Search
from api.pages.terms import say_gives
from api.pages.views import (
    DeskOffer,
    DeskOfferRow,
    DeskOffers,
    DraftRow,
    ExamplesShown,
    OffersShown,
    OfferVersionRow,
)
from market.kit.clock import get_zone, now
from market.kit.database import transaction
from market.kit.errors import ConflictError, DomainError, InvalidError
from market.ledger.queries import list_budgets
from market.offers.audience import is_small
from market.offers.drafts import list_drafts
from market.offers.limits import Limits
from market.offers.live import Title, get_book
from market.offers.models import OfferVersion
from market.offers.operations import approve_offer, end_early, reject_offer, withdraw_offer
from market.offers.queries import Shown, count_signed, get_version, list_found, list_versions
from market.offers.signatures import list_signatures

doors = Doors(include_in_schema=False)

ROWS_ON_PAGE = 50
DRAFTS_SHOWN = 100
NOBODY = "—"
SHOWN: dict[str, Shown] = {name: name for name in ("current", "waiting", "live", "coming", "ended", "closed")}

OfferId = Annotated[str, Path(pattern="^[A-Za-z0-9_.:-]{1,64}$")]
Version = Annotated[int, Path(ge=1, le=1_000_000)]
Reason = Annotated[str, Form(max_length=2_000)]


@doors.get("/desk/offers")
def desk_offers(
    request: Request,
    who: Who,
    shown: OffersShown = "current",
    query: Search = "",
    after: Annotated[str, Query(max_length=140)] = "",
) -> Response:
    """Offers by state, with search; drafts are a state of their own."""
    at, language = now(), language_of(request)
    with transaction() as tx:
        names = merchant_names(tx)
        drafts = list_drafts(tx, discarded=shown == "discarded", limit=DRAFTS_SHOWN) if shown not in SHOWN else []
        rows = (
            list_found(
                tx,
                shown=SHOWN[shown],
                at=at,
                query=query,
                merchants=find_codes(names, query),
                after=read_cursor(after),
                limit=ROWS_ON_PAGE + 1,
            )
            if shown in SHOWN
            else []
        )
        page = rows[:ROWS_ON_PAGE]
        signed = count_signed(tx, versions=[(row.offer, row.version) for row in page])
        people = list_names(tx, persons=[*(row.proposed_by for row in page), *(one.written_by for one in drafts)])
    view = DeskOffers(
        shown=shown,
        query=query,
        rows=tuple(_row(row, names, people, signed, at=at, language=language) for row in page),
        drafts=tuple(
            DraftRow(
                draft_id=str(draft.id),
                title=draft.title,
                offer_id=draft.offer,
                written_by=people.get(draft.written_by, NOBODY),
                changed_at=draft.changed_at,
                own=draft.written_by == who.person,
            )
            for draft in drafts
            if query.casefold() in f"{draft.title} {draft.offer}".casefold()
        ),
        older=write_cursor(page[-1]) if len(rows) > len(page) else None,
    )
    return render(request, "desk/offers.html", view, block="list")


@doors.get("/desk/offers/{offer}/{version}")
def desk_offer(request: Request, who: Who, offer: OfferId, version: Version) -> Response:
    """One version of an offer: its terms in words and as the document that is published, who signed, what changed, and all versions."""
    return _show_offer(request, who, offer, version)


@doors.post("/desk/offers/{offer}/{version}/approve")
def approve(request: Request, who: Who, offer: OfferId, version: Version) -> Response:
    """Approve as the second person: the terms go on the public record and into force."""
    try:
        with transaction() as tx:
            approve_offer(
                tx, offer=offer, version=version, approved_by=who.person, count_class=cards.count_class, at=now()
            )
    except ConflictError as refusal:
        return _show_offer(request, who, offer, version, refusal=refusal)
    return see_other(request, f"/desk/offers/{offer}/{version}", notice="offer_approved")


@doors.post("/desk/offers/{offer}/{version}/reject")
def reject(request: Request, who: Who, offer: OfferId, version: Version, reason: Reason = "") -> Response:
    """Send a version back and say why; a new one may be proposed."""
    try:
        with transaction() as tx:
            reject_offer(tx, offer=offer, version=version, rejected_by=who.person, reason=reason, at=now())
    except (ConflictError, InvalidError) as refusal:
        return _show_offer(request, who, offer, version, refusal=refusal, typed=reason)
    return see_other(request, f"/desk/offers/{offer}/{version}", notice="offer_rejected")


@doors.post("/desk/offers/{offer}/{version}/withdraw")
def withdraw(request: Request, who: Who, offer: OfferId, version: Version) -> Response:
    """Take back one's own version before it is approved."""
    try:
        with transaction() as tx:
            withdraw_offer(tx, offer=offer, version=version, withdrawn_by=who.person, at=now())
    except ConflictError as refusal:
        return _show_offer(request, who, offer, version, refusal=refusal)
    return see_other(request, f"/desk/offers/{offer}/{version}", notice="offer_withdrawn")


@doors.post("/desk/offers/{offer}/{version}/end")
def end(request: Request, who: Who, offer: OfferId, version: Version, fields: Fields) -> Response:
    """Submit a version that ends earlier; `ends_at` is a local time, empty for at once. It waits for a second person."""
    at, reason = now(), str(fields.get("reason", ""))
    try:
        with transaction() as tx:
            ended = end_early(
                tx,
                offer=offer,
                ends_at=_read_local(str(fields.get("ends_at", ""))) or at,
                reason=reason,
                proposed_by=who.person,
                at=at,
            )
    except (ConflictError, InvalidError) as refusal:
        return _show_offer(request, who, offer, version, refusal=refusal, typed=reason)
    return see_other(request, f"/desk/offers/{offer}/{ended}", notice="offer_submitted")


def all_names(tx: Session) -> dict[str, str]:
    """The names of everything that terms may name: merchants in whatever state, open shops, items on sale, budgets."""
    budgets = {f"budget:{budget.code}": budget.title for budget in list_budgets(tx)}
    return {**name_wares(list_places(tx)), **merchant_names(tx), **budgets}


def merchant_names(tx: Session) -> dict[str, str]:
    """The names of merchants by their codes."""
    return {merchant.merchant: merchant.name for merchant in merchants.list_merchants(tx)}


def say_givers(version: OfferVersion, names: dict[str, str]) -> str | None:
    """The merchants that bear a part; None when the union alone gives."""
    return "、".join(names.get(code, code) for code in version.merchants) or None


def price_version(tx: Session, version: OfferVersion, *, at: datetime, language: Language) -> ExamplesShown | None:
    """Example baskets for a version that is stored, at a shop where it can be used; None where nothing is sold that it asks for."""
    live = get_book(at=at)
    offer = read_offer(version)
    place = find_place(offer, list_places(tx))
    if place is None:
        return None
    draft = Draft(offer, Limits.from_json(version.limits))
    found = price_examples(tx, draft=draft, place=place, live=live, at=at)
    title = Title(version.title, version.title_en)
    return show_examples(found, titles=live.titles, own_title=title, offer=offer.id, own=False, language=language)


def _show_offer(
    request: Request,
    who: Principal,
    offer: str,
    version: int,
    *,
    refusal: DomainError | None = None,
    typed: str = "",
) -> Response:
    at, language = now(), language_of(request)
    with transaction() as tx:
        shown = get_version(tx, offer=offer, version=version)
        versions = list_versions(tx, offer=offer)
        said = list_signatures(tx, offer=offer, version=version)
        asked = [person for row in versions for person in (row.proposed_by, row.approved_by, row.closed_by) if person]
        people = list_names(tx, persons=[*asked, *(one.by for one in said)])
        names = all_names(tx)
        waits = shown.state == "submitted"
        examples = price_version(tx, shown, at=at, language=language) if waits else None
        unnamed = is_small(tx, shown.terms.get("audience"), count_class=cards.count_class) if waits else None
    before = _find_before(versions, shown)
    signed = sum(one.is_signed for one in said)
    view = DeskOffer(
        offer_id=offer,
        version=version,
        title=title_of(shown, language),
        merchant=say_givers(shown, names),
        state=state_of(shown, at=at),
        gives=say_gives(read_offer(shown), language),
        terms=say_all(shown, names=names, language=language),
        note=shown.note,
        terms_json=json.dumps(
            {"limits": shown.limits, "terms": shown.terms}, ensure_ascii=False, indent=2, sort_keys=True
        ),
        terms_hash=shown.terms_hash.hex(),
        signatures=show_signatures(shown, said, names=names, people=people),
        compared=before.version if before else None,
        differences=show_differences(before, shown, names=names, language=language) if before else (),
        examples=examples,
        versions=tuple(_version_row(row, people, at=at) for row in versions),
        verdict="closed"
        if not waits
        else "own"
        if shown.proposed_by == who.person
        else "unsigned"
        if signed < len(shown.merchants)
        else "decide",
        closed_by=people.get(shown.closed_by, NOBODY) if shown.closed_by else None,
        closed_at=shown.closed_at,
        closed_reason=shown.closed_reason,
        can_end=state_of(shown, at=at) in {"live", "approved"},
        unnamed=shown.audience_salt is not None if unnamed is None else unnamed,
        unstarted=shown.state == "approved" and shown.started_at is None,
        typed_reason=typed,
        error=refusal.sentence(language) if refusal else None,
    )
    return render(request, "desk/offer.html", view, status=refusal.status if refusal else 200)


def _find_before(versions: Sequence[OfferVersion], shown: OfferVersion) -> OfferVersion | None:
    """The version that was in force before this one, else the one before it."""
    earlier = [row for row in versions if row.version < shown.version]
    return next((row for row in earlier if row.approved_at is not None), earlier[0] if earlier else None)


def _version_row(row: OfferVersion, people: dict[UUID, str], *, at: datetime) -> OfferVersionRow:
    decided_by = row.approved_by or row.closed_by
    return OfferVersionRow(
        version=row.version,
        state=state_of(row, at=at),
        proposed_by=people.get(row.proposed_by, NOBODY),
        proposed_at=row.proposed_at,
        decided_by=people.get(decided_by, NOBODY) if decided_by else None,
        decided_at=row.approved_at or row.closed_at,
    )


def _row(
    row: OfferVersion,
    names: dict[str, str],
    people: dict[UUID, str],
    signed: dict[tuple[str, int], int],
    *,
    at: datetime,
    language: Language,
) -> DeskOfferRow:
    short = show_row(row, language, at=at)
    return DeskOfferRow(
        offer_id=short.offer_id,
        version=short.version,
        title=short.title,
        gives=short.gives,
        merchant=say_givers(row, names),
        state=short.state,
        signed_count=signed.get((row.offer, row.version), 0),
        needed_count=len(row.merchants),
        from_on=short.from_on,
        to_on=short.to_on,
        proposed_by=people.get(row.proposed_by, NOBODY),
        proposed_at=row.proposed_at,
    )


def find_codes(names: dict[str, str], query: str) -> list[str]:
    """The merchants whose name or code holds what is looked for."""
    wanted = query.strip().casefold()
    return [code for code, name in names.items() if wanted and wanted in f"{code} {name}".casefold()]


def _read_local(text: str) -> datetime | None:
    """A local time of the business zone as a browser sends it; None for none. Raises InvalidError."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=get_zone())
    except ValueError:
        raise InvalidError(field="ends_at", problem="2026-12-01T20:00") from None
