"""The officer's page of how merchants are published: why, since when, and his choice of batches, which he can take back."""

from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import Path, Request, Response

import merchants
from api.access import Doors, Who
from api.door import language_of, see_other
from api.identity import list_names
from api.pages.kit import render
from api.pages.views.publication import DeskPublication, PublicationRow, PublicationShown, PublicationStep
from api.publication_desk import NO_SALES, SENSITIVE, choose_batches, count_28_days, take_back_choice
from api.routes.desk_offers import NOBODY
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.record.publication import Said, list_coming, list_publications
from market.sales.queries import Company
from merchants import MerchantBusiness

doors = Doors(include_in_schema=False)

Code: TypeAlias = Annotated[str, Path(pattern="^[A-Za-z0-9_]{1,32}$")]


@doors.get("/desk/publication")
def publication(request: Request, shown: PublicationShown = "all") -> Response:
    """All merchants, or those that are published so."""
    return _show(request, shown)


@doors.post("/desk/publication/{code}/choose")
def choose(request: Request, who: Who, code: Code) -> Response:
    """Have a merchant published in batches from tomorrow on."""
    try:
        with transaction() as tx:
            choose_batches(tx, merchant=code, by=who.person, at=now())
    except DomainError as refusal:
        return _show(request, "all", error=refusal)
    return see_other(request, "/desk/publication?shown=chosen", notice="publication_chosen")


@doors.post("/desk/publication/{code}/take-back")
def take_back(request: Request, who: Who, code: Code) -> Response:
    """From tomorrow on it is as its sales have it."""
    try:
        with transaction() as tx:
            take_back_choice(tx, merchant=code, by=who.person, at=now())
    except DomainError as refusal:
        return _show(request, "all", error=refusal)
    return see_other(request, "/desk/publication", notice="publication_taken_back")


def _show(request: Request, shown: PublicationShown, *, error: DomainError | None = None) -> Response:
    at = now()
    today = business_day(at)
    with transaction() as tx:
        businesses = merchants.list_merchants(tx)
        said, coming = list_publications(tx, on=today), list_coming(tx, after=today)
        companies = count_28_days(tx, at=at)
        people = list_names(tx, persons=list({each.by for each in (*said.values(), *coming.values()) if each.by}))
    rows = [
        _row(each, said.get(each.merchant), coming.get(each.merchant), companies.get(each.merchant, NO_SALES), people)
        for each in businesses
    ]
    kinds: tuple[PublicationShown, ...] = ("all", "row", "batched", "chosen")
    view = DeskPublication(
        shown=shown,
        counts={kind: sum(_is_shown(row, kind) for row in rows) for kind in kinds},
        rows=tuple(row for row in rows if _is_shown(row, shown)),
        error=error.sentence(language_of(request)) if error else None,
    )
    return render(request, "desk/publication.html", view, status=error.status if error else 200)


def _is_shown(row: PublicationRow, shown: PublicationShown) -> bool:
    if shown == "chosen":
        return row.is_chosen
    return shown in ("all", "row" if row.now is None else row.now.publication)


def _row(
    business: MerchantBusiness, said: Said | None, coming: Said | None, company: Company, people: dict[UUID, str]
) -> PublicationRow:
    newest = coming or said
    return PublicationRow(
        code=business.merchant,
        name=business.name,
        category=business.category,
        now=_step(said, people),
        coming=_step(coming, people),
        is_chosen=newest is not None and newest.reason == "chosen",
        is_sensitive=business.category in SENSITIVE,
        sales_count=company.sales,
        in_company_percent=company.in_company * 100 // company.sales if company.sales else 0,
    )


def _step(said: Said | None, people: dict[UUID, str]) -> PublicationStep | None:
    if said is None:
        return None
    who = None if said.by is None else people.get(said.by, NOBODY)
    return PublicationStep(publication=said.publication, from_on=said.from_on, reason=said.reason, who=who)
