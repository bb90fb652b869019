"""The officer's desk, writing an offer: choose a kind, fill in its fields, see example baskets with the price, submit.

A form belongs to a draft, which keeps whatever is typed. Every button sends the whole form; without scripts the page is simply shown anew.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import Path, Request, Response
from sqlalchemy.orm import Session

from api.access import Doors, Fields, Who
from api.door import language_of, see_other
from api.identity import Principal
from api.offer_desk import Draft, Examples, find_place, list_places, name_wares, price_examples
from api.offer_form import KINDS, Form, Written, fill_form, find_box, keep_form, read_form
from api.pages.kit import render
from api.pages.offer_pages import show_examples
from api.pages.offer_words import name_box, say_where
from api.pages.offers import say_offer
from api.pages.terms import say_gives
from api.pages.views import Choice, DraftPage, DraftProblem, OfferKinds
from api.typed import Field, read_units, read_yuan
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.errors import ConflictError, InvalidError
from market.kit.ids import new_public_id
from market.ledger.queries import BudgetStanding, list_budgets
from market.offers.contradictions import Contradiction, ContradictionError, Facts, check_terms
from market.offers.drafts import discard_draft, get_own_draft, restore_draft, save_draft, start_draft, take_draft
from market.offers.examples import Basket, Bought
from market.offers.limits import Limits
from market.offers.live import LiveBook, Title, get_book
from market.offers.operations import propose_offer
from market.offers.queries import get_version, list_versions
from market.offers.wares import Place
from market.pricing import Offer

doors = Doors(include_in_schema=False)

DraftId = Annotated[UUID, Path()]
ROWS_OF_OWN: Final = 8  # lines of the reader's own basket
PRICE = Field("单价", "Price")


class OfferIdTakenError(ConflictError):
    """A new offer under an id that another has."""

    code = "OFFER_ID_TAKEN"
    zh = "编号 {offer} 已有优惠在用。请换一个编号；要改那个优惠，请在它的页面选“写新版本”。"
    en = "The id {offer} is taken. Choose another; to change that offer, take “Write a new version” on its page."


@dataclass(frozen=True, slots=True)
class Desk:
    """What a form is held against: shops and catalogues, budgets."""

    places: Sequence[Place]
    budgets: Sequence[BudgetStanding]

    @property
    def codes(self) -> dict[str, str]:
        """Merchants by name."""
        return {place.merchant_name: place.merchant for place in self.places}

    @property
    def names(self) -> dict[str, str]:
        """What codes are called: merchants, shops, items, budgets."""
        return {**name_wares(self.places), **{f"budget:{budget.code}": budget.title for budget in self.budgets}}


@dataclass(frozen=True, slots=True)
class Looked:
    """A form as read: the offer when it is one, what contradicts by box, and what it would do."""

    form: Form
    written: Written
    offer: Offer | None
    found: tuple[Contradiction, ...]
    examples: Examples | None


@doors.get("/desk/offers/new")
def kinds(request: Request) -> Response:
    """The kinds of offer, in plain words."""
    return render(request, "desk/kinds.html", OfferKinds(kinds=KINDS))


@doors.post("/desk/drafts")
def start(request: Request, who: Who, fields: Fields) -> Response:
    """Begin a draft: of a kind, as a new version of an offer, or as a copy of one under a new id."""
    sent = {name: str(value) for name, value in fields.items()}
    with transaction() as tx:
        if "offer" in sent:
            form = _copy(tx, sent)
        elif sent.get("kind") in KINDS:
            form = {"kind": [sent["kind"]], "id": [_new_id()]}
        else:
            raise InvalidError(field="kind", problem=" | ".join(KINDS))
        draft = start_draft(tx, form=form, written_by=who.person, at=now())
    return see_other(request, f"/desk/drafts/{draft}")


@doors.get("/desk/drafts/{draft}")
def draft_page(request: Request, who: Who, draft: DraftId) -> Response:
    """The form with what is typed so far, and what it would do."""
    at = now()
    live = get_book(at=at)
    with transaction() as tx:
        form = get_own_draft(tx, draft=draft, by=who.person).form
        desk = _read_desk(tx)
        looked = _look(tx, form, desk, live, at)
    return _show(request, draft, looked, desk, live)


@doors.post("/desk/drafts/{draft}")
def save(request: Request, who: Who, draft: DraftId, fields: Fields) -> Response:
    """Keep what is typed; htmx gets what it would do, a browser without scripts the page."""
    if request.headers.get("HX-Request-Type") == "partial":
        at = now()
        live = get_book(at=at)
        with transaction() as tx:
            form = _keep(tx, draft, who, fields, at)
            desk = _read_desk(tx)
            looked = _look(tx, form, desk, live, at)
        return _show(request, draft, looked, desk, live)
    with transaction() as tx:
        _keep(tx, draft, who, fields, now())
    return see_other(request, f"/desk/drafts/{draft}#outlook")


@doors.post("/desk/drafts/{draft}/submit")
def submit(request: Request, who: Who, draft: DraftId, fields: Fields) -> Response:
    """Submit the draft as a version, for signatures and approval; or show beside each box what contradicts."""
    at = now()
    live = get_book(at=at)
    with transaction() as tx:
        form = _keep(tx, draft, who, fields, at)
        desk = _read_desk(tx)
        looked = _look(tx, form, desk, live, at)
    refused = [one for one in looked.found if not one.is_warning]
    if not refused:
        try:
            offer, version = _submit(draft, who, looked, desk, at)
        except ContradictionError as error:  # the market changed in between
            refused = [_in_box(one) for one in error.found]
        except OfferIdTakenError as error:
            refused = [Contradiction("id", error.code, error.sentence("zh"), error.sentence("en"))]
        else:
            return see_other(request, f"/desk/offers/{offer}/{version}", notice="offer_submitted")
    return _show(request, draft, looked, desk, live, errors=refused)


@doors.post("/desk/drafts/{draft}/discard")
def discard(request: Request, who: Who, draft: DraftId) -> Response:
    """Put the draft away; it can be brought back."""
    with transaction() as tx:
        discard_draft(tx, draft=draft, by=who.person, at=now())
    return see_other(request, "/desk/offers?shown=discarded", notice="draft_discarded")


@doors.post("/desk/drafts/{draft}/restore")
def restore(request: Request, who: Who, draft: DraftId) -> Response:
    """Bring a discarded draft back."""
    with transaction() as tx:
        restore_draft(tx, draft=draft, by=who.person)
    return see_other(request, f"/desk/drafts/{draft}")


def _submit(draft: UUID, who: Principal, looked: Looked, desk: Desk, at: datetime) -> tuple[str, int]:
    written = looked.written
    offer = str(written.terms["id"])
    with transaction() as tx:
        take_draft(tx, draft=draft, by=who.person)
        if looked.form.get("version_of") != [offer] and list_versions(tx, offer=offer):
            raise OfferIdTakenError(offer=offer)
        version = propose_offer(
            tx,
            terms=written.terms,
            limits=written.limits,
            title=written.title,
            title_en=written.title_en,
            note=written.note,
            proposed_by=who.person,
            places=desk.places,
            at=at,
        )
    return offer, version


def _copy(tx: Session, sent: Mapping[str, str]) -> dict[str, list[str]]:
    """The form of a version that is stored: for a new version under its id, or a new offer."""
    if not sent.get("version", "").isdecimal() or len(sent["version"]) > 7:
        raise InvalidError(field="version", problem="≥ 1")
    row = get_version(tx, offer=sent["offer"], version=int(sent["version"]))
    form = fill_form(row.terms, row.limits, title=row.title, title_en=row.title_en)
    if sent.get("as") == "version":
        return {**form, "version_of": [row.offer]}
    return {**form, "id": [_new_id()]}


def _new_id() -> str:
    """An id that nobody has; the officer may choose a nicer one."""
    return f"o_{new_public_id()[:8]}"


def _keep(tx: Session, draft: UUID, who: Principal, fields: Fields, at: datetime) -> Form:
    """Store what was sent. The kind, and the offer that it is a version of, were chosen when the draft was begun."""
    begun = get_own_draft(tx, draft=draft, by=who.person).form
    form = keep_form((name, value) for name, value in fields.multi_items() if name not in {"kind", "version_of"})
    form |= {name: begun[name] for name in ("kind", "version_of") if name in begun}
    if "version_of" in begun:
        form["id"] = begun["version_of"]
    save_draft(tx, draft=draft, form=form, by=who.person, at=at)
    return form


def _read_desk(tx: Session) -> Desk:
    return Desk(list_places(tx), list_budgets(tx))


def _look(tx: Session, form: Form, desk: Desk, live: LiveBook, at: datetime) -> Looked:
    """Read the form, check it, and price the examples when it makes an offer."""
    written = read_form(form, codes=desk.codes)
    purses = frozenset(f"budget:{budget.code}" for budget in desk.budgets)
    facts = Facts(at=at, purses=purses, places=desk.places)
    offer, contradictions = check_terms({**written.terms, "version": 1}, facts=facts)
    found = list(written.problems)
    known = {one.field for one in found}
    found += [one for one in map(_in_box, contradictions) if one.field not in known]
    limits = Limits()
    try:
        limits = Limits.from_json(written.limits)
    except InvalidError as error:
        box = find_box(str(error.facts["field"]))
        found.append(Contradiction(box, error.code, error.sentence("zh"), error.sentence("en")))
    examples = None
    place = find_place(offer, desk.places) if offer else None
    if offer is not None and place is not None and all(purse in purses for purse in offer.purses):
        own = _own_basket(form, place)
        examples = price_examples(tx, draft=Draft(offer, limits), place=place, live=live, at=at, own=own)
    return Looked(form, written, offer, tuple(found), examples)


def _in_box(found: Contradiction) -> Contradiction:
    """The contradiction at the box of the form in which the officer can mend it."""
    return Contradiction(find_box(found.field), found.code, found.zh, found.en)


def _own_basket(form: Form, place: Place) -> Basket:
    """The basket that the reader made himself; lines that cannot be read are left out, they are only for looking."""
    bought = []
    for row in range(ROWS_OF_OWN):
        sku, price, qty = (_at(form, f"try.{name}", row) for name in ("sku", "price", "qty"))
        ware = place.wares.get(sku)
        try:
            price_fen = read_yuan(price, field=PRICE) or (ware.price_fen if ware else 0)
            units = read_units(qty) or 1
        except InvalidError:
            continue
        if price_fen:
            category = ware.category if ware else sku or place.category
            bought.append(Bought(sku or "amount", ware.name if ware else sku, category, price_fen, units))
    return tuple(bought)


def _at(form: Form, name: str, row: int) -> str:
    rows = form.get(name, ())
    return rows[row] if row < len(rows) else ""


def _show(
    request: Request,
    draft: UUID,
    looked: Looked,
    desk: Desk,
    live: LiveBook,
    *,
    errors: Sequence[Contradiction] = (),
) -> Response:
    language = language_of(request)
    offer, written = looked.offer, looked.written
    own_title = Title(written.title or written.terms["id"], written.title_en or written.terms["id"])
    named = {name for place in desk.places for name in (place.merchant,)} & set(
        written.terms.get("match", {}).get("merchants", ())
    )
    view = DraftPage(
        draft_id=str(draft),
        kind=f"{written.terms['stage']}.{written.terms['kind']}",
        version_of=next(iter(looked.form.get("version_of", ())), None),
        form={name: tuple(values) for name, values in looked.form.items()},
        errors={one.field: one.sentence(language) for one in reversed(errors)},
        problems=tuple(
            DraftProblem(
                box=one.field,
                name=name_box(one.field, language),
                sentence=one.sentence(language),
                warning=one.is_warning,
            )
            for one in looked.found
        ),
        gives=say_gives(offer, language) if offer else None,
        terms=(
            *say_offer(offer, _limits(written), language),
            *say_where(offer.to_json(), language, desk.names),
        )
        if offer
        else (),
        examples=show_examples(
            looked.examples,
            titles=live.titles,
            own_title=own_title,
            offer=offer.id if offer else "",
            own=bool(looked.examples and _own_basket(looked.form, looked.examples.place)),
            language=language,
        ),
        document=json.dumps({"terms": offer.to_json(), "limits": written.limits}, ensure_ascii=False)
        if offer
        else None,
        month=(business_day(now()).replace(day=1) - timedelta(days=1)).isoformat()[:7],
        **_choices(desk, named),  # type: ignore[arg-type] # five fields of the view by name
    )
    return render(request, "desk/draft.html", view, block="outlook", status=422 if errors else 200)


def _limits(written: Written) -> Limits:
    try:
        return Limits.from_json(written.limits)
    except InvalidError:
        return Limits()


def _choices(desk: Desk, named: set[str]) -> dict[str, object]:
    """What the boxes suggest: merchants, their shops, items and categories, budgets."""
    near = [place for place in desk.places if not named or place.merchant in named]
    items = {ware.sku: ware.name for place in near if named for ware in place.wares.values()}
    categories = {place.category for place in near} | {ware.category for place in near for ware in place.wares.values()}
    return {
        "merchants": tuple(Choice(code=code, name=name) for name, code in desk.codes.items()),
        "shops": tuple(Choice(code=place.shop, name=place.name) for place in near) if named else (),
        "items": tuple(Choice(code=sku, name=name) for sku, name in sorted(items.items())),
        "categories": tuple(sorted(categories)),
        "budgets": tuple(Choice(code=budget.code, name=budget.title) for budget in desk.budgets),
        "sponsors": tuple(sorted({budget.sponsor for budget in desk.budgets})),
    }
