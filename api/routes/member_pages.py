"""The member's pages: his card with its code, offers here and now, what he would pay and why, his receipts.

Everything here is asked for by the member's own id from the session; no address names a member.
"""

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Form, Path, Query, Request, Response
from sqlalchemy.orm import Session

import cards
import merchants
from api.access import Doors, Who
from api.door import language_of, safe_back, see_other
from api.identity import Principal
from api.member_offers import Asker, find_asker, find_quote_asks, list_asks, list_shop_offers, quote_for_member
from api.pages.explain import show_quote
from api.pages.kit import render
from api.pages.sales import SHOWN_STATES, name_line, show_items
from api.pages.views import (
    CardCode,
    MemberCard,
    MemberOffers,
    MemberShop,
    MonthFen,
    OfferHere,
    QuoteShown,
    ReceiptRow,
    ShopOffers,
)
from api.routes.desk_offers import OfferId
from api.typed import is_basket_field, read_keyed
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.errors import ConflictError, DomainError, InvalidError, NotFoundError, invariant
from market.offers.consents import give_consent, withdraw_consent
from market.offers.live import get_book
from market.pricing import Stage
from market.sales import queries
from market.sales.queries import SaleSummary
from merchants import ShopPlace

doors = Doors(include_in_schema=False)

SHOPS_ON_CARD = 6
SHOPS_LOOKED_AT = 60  # before the card page gives up looking for offers that can be used now
SHOPS_ON_PAGE = 24
RECEIPTS_ON_CARD = 3
LEAST_MONTHS, MOST_MONTHS = 6, 12  # bars of the picture of what was saved

ShopCode = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$")]
Typed = Annotated[str, Query(max_length=40)]
NO_CONTROLS = r"^\P{Cc}*$"


class CardNotUsableError(ConflictError):
    """A price was asked for with a card that no till would take."""

    code = "CARD_NOT_USABLE"
    zh = "您的卡现在不能用，算不出优惠价。请先到会员卡页面看看怎么恢复。"
    en = "Your card cannot be used at present, so there is no price. See your card page for what to do."


class ShopNotOpenError(NotFoundError):
    """The shop is closed, or its merchant suspended."""

    code = "SHOP_NOT_OPEN"
    zh = "这家店现在不收会员卡。请到“优惠”里看看别的门店。"
    en = "This shop does not take the card at present. See Offers for other shops."


@doors.get("/card")
def card_page(request: Request, who: Who) -> Response:
    """The card and its code, what was saved, where it can be used now, the latest receipts."""
    at = now()
    live = get_book(at=at)
    with transaction() as tx:
        card = cards.get_card_page(tx, member_id=member_of(who), at=at)
        code = _issue(tx, card, at)
        latest = queries.list_person_sales(tx, subject=card.subject).sales
        asker = find_asker(tx, member_id=card.member_id, live=live, at=at, language=language_of(request))
        saved = _saved(tx, card.subject, business_day(at))
        shops = _usable_now(tx, asker, latest)
        receipts = receipt_rows(tx, latest[:RECEIPTS_ON_CARD])
    return render(request, "member/card.html", _card_view(card, code, saved=saved, shops=shops, receipts=receipts))


@doors.get("/card/code")
def card_code(request: Request, who: Who) -> Response:
    """Only the code, anew: asked for by the card page as the old one runs out."""
    if request.headers.get("HX-Request-Type") != "partial":
        return see_other(request, "/card")
    at = now()
    with transaction() as tx:
        card = cards.get_card_page(tx, member_id=member_of(who), at=at)
        code = _issue(tx, card, at)
    return render(request, "member/card.html", _card_view(card, code), block="code")


@doors.post("/card/freeze")
def freeze(request: Request, who: Who) -> Response:
    """Freeze one's own card at once; only the union's desk unfreezes it."""
    at = now()
    with transaction() as tx:
        card = cards.get_card_page(tx, member_id=member_of(who), at=at)
        cards.freeze_card(tx, card_id=card.card_id, at=at)
    return see_other(request, "/card", notice="card_frozen")


@doors.get("/offers")
def offers(
    request: Request,
    who: Who,
    q: Annotated[str, Query(max_length=100, pattern=NO_CONTROLS)] = "",
    category: Annotated[str | None, Query(max_length=64, pattern=NO_CONTROLS)] = None,
    after: Annotated[str | None, Query(max_length=64, pattern=NO_CONTROLS)] = None,
) -> Response:
    """All shops with what they give, by name; `after` is the code of the last shop of the page before."""
    at = now()
    live = get_book(at=at)
    with transaction() as tx:
        asker = find_asker(tx, member_id=member_of(who), live=live, at=at, language=language_of(request))
        last = merchants.get_shop_by_code(tx, shop=after) if after else None
        places = merchants.list_shops(tx, query=q, category=category, after=last, limit=SHOPS_ON_PAGE + 1)
        shops = tuple(list_shop_offers(tx, asker=asker, places=places[:SHOPS_ON_PAGE]))
        view = MemberOffers(
            query=q,
            category=category,
            categories=tuple(merchants.list_categories(tx)),
            asks=list_asks(tx, asker=asker, shops=shops),
            shops=shops,
            more=places[SHOPS_ON_PAGE - 1].shop if len(places) > SHOPS_ON_PAGE else None,
        )
    return render(request, "member/offers.html", view, block="list")


@doors.post("/offers/{offer}/consent")
def consent(
    request: Request,
    who: Who,
    offer: OfferId,
    agree: Annotated[Literal["1", "0"], Form()],
    back: Annotated[str, Form(max_length=2000)] = "/offers",
) -> Response:
    """Agree that this offer be used, or take that back; every price from now on follows."""
    at = now()
    live = get_book(at=at)
    with transaction() as tx:
        subject = cards.get_card_page(tx, member_id=member_of(who), at=at).subject
        if agree == "1":
            give_consent(tx, subject=subject, offer=offer, live=live, at=at)
        else:
            withdraw_consent(tx, subject=subject, offer=offer, at=at)
    notice = "consent_given" if agree == "1" else "consent_withdrawn"
    return see_other(request, safe_back(back, otherwise="/offers"), notice=notice)


@doors.get("/shops/{shop}")
def shop_page(request: Request, who: Who, shop: ShopCode, discountable: Typed = "", other: Typed = "") -> Response:
    """One shop: what it gives, and what the member would pay for what he types."""
    at, language = now(), language_of(request)
    live = get_book(at=at)
    typed = {name: value for name, value in request.query_params.items() if is_basket_field(name)}
    error: DomainError | None = None
    quote: QuoteShown | None = None
    asks: tuple[OfferHere, ...] = ()
    with transaction() as tx:
        place = merchants.get_shop_by_code(tx, shop=shop)
        if place.state != "open" or place.merchant_state != "admitted":
            raise ShopNotOpenError
        items = merchants.list_items(tx, merchant=place.merchant) if place.till == "items" else []
        asker = find_asker(tx, member_id=member_of(who), live=live, at=at, language=language)
        (here,) = list_shop_offers(tx, asker=asker, places=[place])
        if any(value.strip() for value in typed.values()):
            try:
                quote, asks = _quote(tx, asker, place, typed, items={item.sku: item.name for item in items})
            except (InvalidError, CardNotUsableError) as refusal:
                error = refusal
    view = MemberShop(
        shop_id=place.shop,
        shop=place.name,
        merchant=place.merchant_name,
        category=place.category,
        address=place.address or None,
        offers=here.offers,
        items=show_items(items, typed, category=place.category),
        discountable=discountable,
        other=other,
        error=error.sentence(language) if error else None,
        quote=quote,
        asks=asks,
    )
    return render(request, "member/shop.html", view, block="quote", status=error.status if error else 200)


def member_of(who: Principal) -> UUID:
    """The member behind the session; the access table admits no one else here."""
    member_id = who.roles["member"]
    invariant(member_id is not None, "a member's role names his row in the register")
    return member_id  # type: ignore[return-value]  # said in the line above


def receipt_rows(tx: Session, sales: list[SaleSummary]) -> tuple[ReceiptRow, ...]:
    """Sales as rows of the member's list, with the names of their shops, or of their merchants where an order has no shop."""
    places = merchants.find_shops(tx, shop_ids={sale.shop_id for sale in sales if sale.shop_id})
    sellers = merchants.find_merchants(tx, codes={sale.merchant for sale in sales if not sale.shop_id})
    where = [places[sale.shop_id] if sale.shop_id else sellers[sale.merchant] for sale in sales]
    return tuple(
        ReceiptRow(
            receipt_id=sale.public_id,
            at=sale.at,
            shop=place.name,
            category=place.category,
            paid_fen=sale.paid_fen,
            saved_fen=sale.saved_fen,
            state=SHOWN_STATES[sale.state],
        )
        for sale, place in zip(sales, where, strict=True)
    )


def _card_view(
    card: cards.CardPage,
    code: CardCode | None,
    *,
    saved: tuple[MonthFen, ...] = (),
    shops: tuple[ShopOffers, ...] = (),
    receipts: tuple[ReceiptRow, ...] = (),
) -> MemberCard:
    return MemberCard(
        state=card.state,  # type: ignore[arg-type]  # a replaced card has no page
        number_masked=card.number_masked,
        name=card.name,
        unit=" · ".join(card.units[1:] or card.units),
        valid_until_on=card.valid_until,
        code=code,
        saved_year_fen=sum(month.fen for month in saved if month.month_on.year == saved[-1].month_on.year),
        saved_by_month=saved,
        shops=shops,
        receipts=receipts,
    )


def _issue(tx: Session, card: cards.CardPage, at: datetime) -> CardCode | None:
    if card.state != "active":
        return None
    issued = cards.issue_code(tx, card_id=card.card_id, at=at)
    return CardCode(digits=issued.code, qr_text=issued.qr, issued_at=issued.issued_at, expires_at=issued.expires_at)


def _saved(tx: Session, subject: UUID, today: date) -> tuple[MonthFen, ...]:
    """Twelve months up to this one, without those before the first purchase as long as six are left."""
    months = [_months_back(today, back) for back in reversed(range(MOST_MONTHS))]
    saved = dict(queries.saved_by_month(tx, subject=subject, since=months[0]))
    row = [MonthFen(month_on=month, fen=saved.get(f"{month:%Y-%m}", 0)) for month in months]
    while len(row) > LEAST_MONTHS and not row[0].fen:
        row.pop(0)
    return tuple(row)


def _months_back(today: date, back: int) -> date:
    months = today.year * 12 + today.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _usable_now(tx: Session, asker: Asker, latest: list[SaleSummary]) -> tuple[ShopOffers, ...]:
    """Shops with something the member can use this minute: those he was at lately first, then by name."""
    if asker.shopper is None:
        return ()
    visited = list(dict.fromkeys(sale.shop_id for sale in latest if sale.shop_id))
    lately = merchants.find_shops(tx, shop_ids=visited)
    known = [lately[shop_id] for shop_id in visited]
    others = [place for place in merchants.list_shops(tx, limit=SHOPS_LOOKED_AT) if place.shop_id not in lately]
    open_ones = [place for place in (*known, *others) if place.state == "open" and place.merchant_state == "admitted"]
    here = [
        replace(shop, offers=tuple(offer for offer in shop.offers if offer.is_applied))
        for shop in list_shop_offers(tx, asker=asker, places=open_ones)
    ]
    # What the union adds it mostly adds everywhere: shops that give something themselves come first.
    here.sort(key=lambda shop: all(offer.payer == "union" for offer in shop.offers))
    return tuple([shop for shop in here if shop.offers][:SHOPS_ON_CARD])


def _quote(
    tx: Session, asker: Asker, place: ShopPlace, typed: dict[str, str], *, items: dict[str, str]
) -> tuple[QuoteShown, tuple[OfferHere, ...]]:
    """The price of what was typed, and what its offers ask; `items` are the names of what the shop rings up, by code."""
    if asker.shopper is None:
        raise CardNotUsableError
    keyed = read_keyed(typed, skus=list(items))
    priced = quote_for_member(tx, shopper=asker.shopper, place=place, keyed=keyed, live=asker.live, at=asker.at)
    case = priced.case
    shown = show_quote(
        priced.quote.to_json(),
        titles=asker.live.titles,
        language=asker.language,
        line_names={line.line: name_line(line.sku, items, asker.language) for line in case.basket},
        rebates={candidate.offer.id for candidate in case.candidates if candidate.offer.stage is Stage.REBATE},
    )
    return shown, find_quote_asks(tx, asker=asker, priced=priced)
