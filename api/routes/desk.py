"""The union officer's desk: members by unit, budgets, offers that wait. Never a member's purchases."""

from typing import cast
from uuid import UUID

from fastapi import Request, Response

import cards
from api.access import Doors, Who
from api.door import language_of
from api.identity import list_names
from api.pages.i18n import Language
from api.pages.kit import render
from api.pages.offers import read_offer, title_of
from api.pages.terms import say_gives
from api.pages.views import DeskHome, ImportRow, RowError, UnitRow, WaitingOffer
from api.publishing import find_stopped, show_stopped
from api.routes.desk_budgets import show_budgets
from api.routes.desk_offers import NOBODY, merchant_names, say_givers
from cards.erasing import list_erasures
from cards.models import ImportRun
from market.kit.csv_file import PROBLEMS
from market.kit.database import transaction
from market.offers.queries import count_signed, list_submitted
from market.oversight.details import count_waiting_details
from market.oversight.nightly import count_nightly_findings
from market.record.budget_proposals import count_proposals

doors = Doors(include_in_schema=False)

ERRORS_SHOWN = 10


@doors.get("/desk")
def desk(request: Request, who: Who) -> Response:
    """The officer's own unit and what is right below it, budgets, waiting offers, imports."""
    language = language_of(request)
    unit_id = cast("UUID", who.roles["officer"])  # the table's own constraint: an officer's role names his unit
    with transaction() as tx:
        unit = cards.get_unit(tx, unit_id=unit_id)
        below = cards.list_units(tx, parent_id=unit_id)
        budgets = show_budgets(tx)
        waiting = list_submitted(tx)
        names = list_names(tx, persons=[version.proposed_by for version in waiting])
        givers = merchant_names(tx)
        signed = count_signed(tx, versions=[(version.offer, version.version) for version in waiting])
        details_count = count_waiting_details(tx, by=who.person)
        nightly_count = count_nightly_findings(tx)
        erasures = len(list_erasures(tx, unit_id=unit_id))
        proposals = count_proposals(tx)
        imports = tuple(_import_row(run, language) for run in cards.list_imports(tx))
        stopped = find_stopped(tx)
    view = DeskHome(
        unit=unit.name,
        nightly_count=nightly_count,
        details_count=details_count,
        members_count=unit.members_count,
        cards_count=unit.cards_count,
        erasures_count=erasures,
        proposals_count=proposals,
        units=tuple(
            UnitRow(name=row.name, members_count=row.members_count, cards_count=row.cards_count) for row in below
        ),
        budgets=budgets,
        waiting=tuple(
            WaitingOffer(
                offer_id=version.offer,
                version=version.version,
                title=title_of(version, language),
                merchant=say_givers(version, givers),
                gives=say_gives(read_offer(version), language),
                proposed_by=names.get(version.proposed_by, NOBODY),
                proposed_at=version.proposed_at,
                own=version.proposed_by == who.person,
                signed_count=signed.get((version.offer, version.version), 0),
                needed_count=len(version.merchants),
            )
            for version in waiting
        ),
        imports=imports,
        stopped=show_stopped(stopped, language),
    )
    return render(request, "desk/home.html", view)


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
