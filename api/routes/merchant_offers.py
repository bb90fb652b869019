"""The merchant owner's page for offers: what waits for his signature, in words and with examples; sign, or refuse with a reason."""

from typing import Annotated

from fastapi import Form, Request, Response
from sqlalchemy.orm import Session

from api.access import Doors, Who
from api.door import language_of, see_other
from api.identity import Principal
from api.pages.i18n import Language
from api.pages.kit import render
from api.pages.offer_pages import say_all, show_differences
from api.pages.offers import read_offer, state_of, title_of
from api.pages.terms import say_gives
from api.pages.views import OfferToSign, OwnerOffers, SaidRow
from api.routes.desk_offers import OfferId, Reason, Version, all_names, price_version
from api.routes.merchant import own_merchant
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import ConflictError, DomainError, InvalidError
from market.offers.models import OfferVersion
from market.offers.queries import list_published_versions
from market.offers.signatures import list_said, list_to_sign, refuse_offer, sign_offer

doors = Doors(include_in_schema=False)

SHOWN = 20
Hash = Annotated[str, Form(pattern="^[0-9a-f]{64}$")]


@doors.get("/merchant/offers")
def owner_offers(request: Request, who: Who) -> Response:
    """The versions that wait for this owner, and what he said before."""
    return _show(request, who)


@doors.post("/merchant/offers/{offer}/{version}/sign")
def sign(request: Request, who: Who, offer: OfferId, version: Version, terms_hash: Hash) -> Response:
    """Sign the version whose terms were shown."""
    try:
        with transaction() as tx:
            sign_offer(
                tx,
                offer=offer,
                version=version,
                merchant=own_merchant(tx, who).merchant,
                terms_hash=bytes.fromhex(terms_hash),
                by=who.person,
                at=now(),
            )
    except ConflictError as refusal:
        return _show(request, who, refusal=refusal)
    return see_other(request, "/merchant/offers", notice="offer_signed")


@doors.post("/merchant/offers/{offer}/{version}/refuse")
def refuse(
    request: Request, who: Who, offer: OfferId, version: Version, *, terms_hash: Hash, reason: Reason = ""
) -> Response:
    """Refuse the version whose terms were shown, and say why."""
    try:
        with transaction() as tx:
            refuse_offer(
                tx,
                offer=offer,
                version=version,
                merchant=own_merchant(tx, who).merchant,
                terms_hash=bytes.fromhex(terms_hash),
                reason=reason,
                by=who.person,
                at=now(),
            )
    except (ConflictError, InvalidError) as refusal:
        return _show(request, who, refusal=refusal)
    return see_other(request, "/merchant/offers", notice="offer_refused")


def _show(request: Request, who: Principal, *, refusal: DomainError | None = None) -> Response:
    at, language = now(), language_of(request)
    with transaction() as tx:
        own = own_merchant(tx, who)
        names = all_names(tx)
        waiting = tuple(
            _to_sign(tx, row, names=names, language=language) for row in list_to_sign(tx, merchant=own.merchant)[:SHOWN]
        )
        said = list_said(tx, merchant=own.merchant, limit=SHOWN)
    view = OwnerOffers(
        merchant=own.name,
        waiting=waiting,
        said=tuple(
            SaidRow(
                offer_id=row.offer,
                version=row.version,
                title=title_of(row, language),
                gives=say_gives(read_offer(row), language),
                state=state_of(row, at=at),
                is_signed=signature.is_signed,
                at=signature.at,
            )
            for row, signature in said
        ),
        error=refusal.sentence(language) if refusal else None,
    )
    return render(request, "merchant/offers.html", view, status=refusal.status if refusal else 200)


def _to_sign(tx: Session, row: OfferVersion, *, names: dict[str, str], language: Language) -> OfferToSign:
    before = next(iter(list_published_versions(tx, offer=row.offer)), None)
    return OfferToSign(
        offer_id=row.offer,
        version=row.version,
        title=title_of(row, language),
        gives=say_gives(read_offer(row), language),
        terms=say_all(row, names=names, language=language),
        note=row.note,
        differences=show_differences(before, row, names=names, language=language) if before else (),
        examples=price_version(tx, row, at=now(), language=language),
        terms_hash=row.terms_hash.hex(),
        proposed_at=row.proposed_at,
    )
