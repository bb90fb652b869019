"""Offers as JSON for officers' programs: check a document, submit it as a version. The same checks as the form's.

What is submitted here waits for signatures and a second person like any other version.
"""

import json
from typing import Annotated, Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from sqlalchemy.orm import Session

from api.access import Doors, Who
from api.door import language_of
from api.errors import refuse
from api.offer_desk import list_places
from market.kit.clock import now
from market.kit.database import transaction
from market.offers.contradictions import Contradiction, ContradictionError, Facts, check_terms
from market.offers.limits import Limits
from market.offers.operations import propose_offer, read_purses
from market.offers.queries import get_version

doors = Doors(prefix="/api/offers", tags=["offers"])


def _check_printable(text: str) -> str:
    """As the form keeps them: nothing that turns the direction of what is read, or is not seen. Raises ValueError."""
    if not text.isprintable():
        raise ValueError("signs that are not seen")
    return text


def _check_writable(document: dict[str, Any]) -> dict[str, Any]:
    """JSON can name half of a character, which no file and no database can hold. Raises ValueError."""
    json.dumps(document, ensure_ascii=False).encode()
    return document


Document = Annotated[dict[str, Any], AfterValidator(_check_writable)]
Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_check_printable)
]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(_check_printable)]


class OfferIn(BaseModel):
    """A version to check or submit: `terms` are fields of the pricing document, `limits` how often one person and all may use it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    terms: Document
    limits: Document = {}
    title: Title
    title_en: Title
    note: Note = ""


@doors.post("/check")
def check(request: Request, offer: OfferIn) -> Response:
    """What contradicts in a version, without storing it: field, code, sentence; warnings do not keep it from being submitted."""
    with transaction() as tx:
        found = _look(tx, offer)
    Limits.from_json(offer.limits)
    return JSONResponse({"contradictions": [_say(one, language_of(request)) for one in found]})


@doors.post("")
def propose(request: Request, who: Who, offer: OfferIn) -> Response:
    """Submit a version; answers its number, its hash and the merchants that must sign. 422 names every field that contradicts."""
    try:
        with transaction() as tx:
            version = propose_offer(
                tx,
                terms=offer.terms,
                limits=offer.limits,
                title=offer.title,
                title_en=offer.title_en,
                note=offer.note,
                places=list_places(tx),
                proposed_by=who.person,
                at=now(),
            )
            row = get_version(tx, offer=str(offer.terms["id"]), version=version)
    except ContradictionError as error:
        fields = [{"field": f"terms.{one.field}", "problem": one.sentence(language_of(request))} for one in error.found]
        return refuse(request, error, fields=fields)
    answer = {"offer": row.offer, "version": version, "terms_hash": row.terms_hash.hex(), "to_sign": row.merchants}
    return JSONResponse(answer, status_code=201)


def _look(tx: Session, offer: OfferIn) -> tuple[Contradiction, ...]:
    facts = Facts(at=now(), purses=read_purses(tx), places=list_places(tx))
    _, found = check_terms({**offer.terms, "version": 1}, facts=facts)
    return found


def _say(found: Contradiction, language: str) -> dict[str, object]:
    return {
        "field": f"terms.{found.field}",
        "code": found.code,
        "sentence": found.sentence(language),
        "warning": found.is_warning,
    }
