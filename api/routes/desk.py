"""The union officer's desk: members by unit, budgets, offers that wait for a second person. Never a member's purchases."""

import json
from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import Path, Request, Response
from sqlalchemy.orm import Session

import cards
import merchants
from api.access import Doors, Who
from api.door import language_of, see_other
from api.identity import Principal, list_names
from api.pages.i18n import Language
from api.pages.kit import render
from api.pages.offers import read_offer, say_terms, state_of, title_of
from api.pages.terms import say_gives
from api.pages.views import (
    BudgetRow,
    DeskHome,
    DeskOffer,
    ImportRow,
    OfferVersionRow,
    RowError,
    UnitRow,
    WaitingOffer,
)
from cards.models import ImportRun
from market.kit.clock import now
from market.kit.csv_file import PROBLEMS
from market.kit.database import transaction
from market.kit.errors import ConflictError
from market.ledger.queries import list_budgets
from market.offers.models import OfferVersion
from market.offers.operations import approve_offer, reject_offer
from market.offers.queries import get_version, list_submitted, list_versions

doors = Doors(include_in_schema=False)

ERRORS_SHOWN = 10
NOBODY = "—"

OfferId = Annotated[str, Path(pattern="^[A-Za-z0-9_.-]{1,64}$")]
Version = Annotated[int, Path(ge=1, le=1_000_000)]


@doors.get("/desk")
def desk(request: Request, who: Who) -> Response:
    """The officer's own unit and what is right below it, budgets, waiting offers, imports."""
    language = language_of(request)
    unit_id = cast("UUID", who.roles["officer"])  # the table's own constraint: an officer's role names his unit
    with transaction() as tx:
        unit = cards.get_unit(tx, unit_id=unit_id)
        below = cards.list_units(tx, parent_id=unit_id)
        budgets = list_budgets(tx)
        waiting = list_submitted(tx)
        names = list_names(tx, persons=[version.proposed_by for version in waiting])
        givers = _merchant_names(tx)
        imports = tuple(_import_row(run, language) for run in cards.list_imports(tx))
    view = DeskHome(
        unit=unit.name,
        members_count=unit.members_count,
        cards_count=unit.cards_count,
        units=tuple(
            UnitRow(name=row.name, members_count=row.members_count, cards_count=row.cards_count) for row in below
        ),
        budgets=tuple(
            BudgetRow(code=row.code, name=row.title, granted_fen=row.granted_fen, left_fen=row.left_fen)
            for row in budgets
        ),
        waiting=tuple(
            WaitingOffer(
                offer_id=version.offer,
                version=version.version,
                title=title_of(version, language),
                merchant=_givers(version, givers),
                gives=say_gives(read_offer(version), language),
                proposed_by=names.get(version.proposed_by, NOBODY),
                proposed_at=version.proposed_at,
                own=version.proposed_by == who.person,
            )
            for version in waiting
        ),
        imports=imports,
    )
    return render(request, "desk/home.html", view)


@doors.get("/desk/offers/{offer}/{version}")
def desk_offer(request: Request, who: Who, offer: OfferId, version: Version) -> Response:
    """One version of an offer: its terms in words and as the document that is published, and all versions."""
    return _show_offer(request, who, offer, version, refusal=None)


@doors.post("/desk/offers/{offer}/{version}/approve")
def approve(request: Request, who: Who, offer: OfferId, version: Version) -> Response:
    """Approve as the second person: the terms go on the public record and into force."""
    try:
        with transaction() as tx:
            approve_offer(tx, offer=offer, version=version, approved_by=who.person, at=now())
    except ConflictError as refusal:
        return _show_offer(request, who, offer, version, refusal=refusal)
    return see_other(request, f"/desk/offers/{offer}/{version}", notice="offer_approved")


@doors.post("/desk/offers/{offer}/{version}/reject")
def reject(request: Request, who: Who, offer: OfferId, version: Version) -> Response:
    """Send a version back; a new one may be proposed."""
    try:
        with transaction() as tx:
            reject_offer(tx, offer=offer, version=version, rejected_by=who.person)
    except ConflictError as refusal:
        return _show_offer(request, who, offer, version, refusal=refusal)
    return see_other(request, f"/desk/offers/{offer}/{version}", notice="offer_rejected")


def _show_offer(
    request: Request, who: Principal, offer: str, version: int, *, refusal: ConflictError | None
) -> Response:
    at, language = now(), language_of(request)
    with transaction() as tx:
        shown = get_version(tx, offer=offer, version=version)
        versions = list_versions(tx, offer=offer)
        people = [person for row in versions for person in (row.proposed_by, row.approved_by) if person is not None]
        names = list_names(tx, persons=people)
        givers = _merchant_names(tx)
    view = DeskOffer(
        offer_id=offer,
        version=version,
        title=title_of(shown, language),
        merchant=_givers(shown, givers),
        state=state_of(shown, at=at),
        gives=say_gives(read_offer(shown), language),
        terms=say_terms(shown, language),
        terms_json=json.dumps(
            {"limits": shown.limits, "terms": shown.terms}, ensure_ascii=False, indent=2, sort_keys=True
        ),
        terms_hash=shown.terms_hash.hex(),
        versions=tuple(_version_row(row, names, at=at) for row in versions),
        verdict="closed" if shown.state != "submitted" else "own" if shown.proposed_by == who.person else "decide",
        error=refusal.sentence(language) if refusal else None,
    )
    return render(request, "desk/offer.html", view, status=refusal.status if refusal else 200)


def _version_row(row: OfferVersion, names: dict[UUID, str], *, at: datetime) -> OfferVersionRow:
    return OfferVersionRow(
        version=row.version,
        state=state_of(row, at=at),
        proposed_by=names.get(row.proposed_by, NOBODY),
        proposed_at=row.proposed_at,
        decided_by=names.get(row.approved_by, NOBODY) if row.approved_by else None,
        decided_at=row.approved_at,
    )


def _import_row(run: ImportRun, language: Language) -> ImportRow:
    return ImportRow(
        file=run.file_name,
        at=run.at,
        by=run.by,
        added_count=run.rows_added,
        changed_count=run.rows_changed,
        unchanged_count=run.rows_same,
        errors_count=run.rows_refused,
        errors=tuple(
            RowError(
                row=error["row"],
                column=error["column"],
                sentence=PROBLEMS[error["problem"]][language == "en"].format(other_row=error.get("other_row", "")),
            )
            for error in run.errors[:ERRORS_SHOWN]
        ),
    )


def _merchant_names(tx: Session) -> dict[str, str]:
    return {merchant.merchant: merchant.name for merchant in merchants.list_merchants(tx)}


def _givers(version: OfferVersion, names: dict[str, str]) -> str | None:
    """The merchants that bear a part; None when the union alone gives."""
    return "、".join(names.get(code, code) for code in version.merchants) or None
