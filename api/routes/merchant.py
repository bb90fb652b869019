"""The merchant owner's page: the month in four amounts, shops, staff, offers. Never who bought."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Request, Response
from sqlalchemy.orm import Session

import merchants
from api.access import Doors, Who
from api.door import language_of
from api.errors import PageUnknownError
from api.identity import Principal, find_staff_sign_ins
from api.pages.kit import render
from api.pages.offers import show_row
from api.pages.totals import add_up, month_on, show_amounts
from api.pages.views import Amounts, DayAmounts, MerchantHome, ShopRow, StaffRow
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.errors import NotFoundError
from market.offers.queries import list_of_merchant
from market.offers.signatures import list_to_sign
from market.oversight.queries import Totals, list_months, month_days, total_by_day
from market.sales import queries as sales
from merchants import MerchantBusiness, ShopPlace

doors = Doors(include_in_schema=False)

OFFERS_SHOWN = 100


class MerchantGoneError(NotFoundError):
    """The staff row behind this sign-in is gone."""

    code = "MERCHANT_GONE"
    zh = "这个账号已不属于任何商户，请联系工会。"
    en = "This account belongs to no merchant any more; ask the union."


@doors.get("/merchant")
def merchant_home(
    request: Request, who: Who, month: Annotated[str | None, Query(pattern="^[0-9]{4}-[0-9]{2}$")] = None
) -> Response:
    """One month of the owner's own merchant; the present one unless another is asked for."""
    at, language = now(), language_of(request)
    chosen = month or business_day(at).isoformat()[:7]
    try:
        month_days(chosen)
    except ValueError:
        raise PageUnknownError from None
    with transaction() as tx:
        own = own_merchant(tx, who)
        days = total_by_day(tx, merchant=own.merchant, month=chosen)
        months = {*list_months(tx), chosen}
        shops = tuple(_shop_row(tx, shop, at) for shop in merchants.list_shops_of(tx, merchant_id=own.merchant_id))
        waiting_count = len(list_to_sign(tx, merchant=own.merchant))
        staff = _staff_rows(tx, own.merchant_id)
        offers = tuple(
            show_row(version, language, at=at)
            for version in list_of_merchant(tx, merchant=own.merchant, limit=OFFERS_SHOWN)
        )
    amounts, sales_count = add_up(days)
    view = MerchantHome(
        merchant=own.name,
        waiting_count=waiting_count,
        month_on=month_on(chosen),
        months=tuple(month_on(label) for label in sorted(months)),
        amounts=amounts,
        sales_count=sales_count,
        days=_fill_days(days, month=chosen, today=business_day(at)),
        shops=shops,
        staff=staff,
        offers=offers,
    )
    return render(request, "merchant/home.html", view)


def _fill_days(rows: Sequence[Totals], *, month: str, today: date) -> tuple[DayAmounts, ...]:
    """Every day of the month so far, those without a sale too; nothing at all for a month without any."""
    if not rows:
        return ()
    known = {row.label: row for row in rows}
    first, beyond = month_days(month)
    length = (min(beyond, max(today, date.fromisoformat(rows[-1].label)) + timedelta(days=1)) - first).days
    nothing = Amounts(list_fen=0, concession_fen=0, subsidy_fen=0, paid_fen=0)
    shown = []
    for on in (first + timedelta(days=number) for number in range(length)):
        row = known.get(on.isoformat())
        shown.append(
            DayAmounts(on=on, amounts=show_amounts(row) if row else nothing, sales_count=row.sales if row else 0)
        )
    return tuple(shown)


def own_merchant(tx: Session, who: Principal) -> MerchantBusiness:
    """The merchant that this owner answers for. Raises MerchantGoneError."""
    staff_id = who.roles["owner"]
    person = merchants.find_staff(tx, staff_id=staff_id) if staff_id else None
    if person is None or person.state != "active":
        raise MerchantGoneError
    return merchants.get_merchant(tx, merchant_id=person.merchant_id)


def _shop_row(tx: Session, shop: ShopPlace, at: datetime) -> ShopRow:
    today = [sale for sale in sales.list_shop_sales(tx, shop_id=shop.shop_id, day=business_day(at)) if not sale.is_void]
    state: Literal["open", "closed", "suspended"] = "open" if shop.state == "open" else "closed"
    if shop.merchant_state == "suspended":
        state = "suspended"
    return ShopRow(
        shop_id=shop.shop,
        shop=shop.name,
        state=state,
        today_count=len(today),
        today_paid_fen=sum(sale.paid_fen - sale.back_paid_fen for sale in today),
    )


def _staff_rows(tx: Session, merchant_id: UUID) -> tuple[StaffRow, ...]:
    people = merchants.list_staff(tx, merchant_id=merchant_id)
    sign_ins = find_staff_sign_ins(tx, staff_ids=[person.staff_id for person in people])
    return tuple(
        StaffRow(
            name=person.name,
            login=found.login,
            shop=person.shop_name,
            active=person.state == "active",
            seen_at=found.seen_at,
        )
        for person in people
        if (found := sign_ins.get(person.staff_id))
    )
