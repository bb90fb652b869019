"""The first page, and the preferences that every page offers."""

from typing import Annotated, Literal, get_args

from fastapi import Form, Request, Response

import merchants
from api.access import Doors, MaybeWho
from api.door import YEAR_SECONDS, is_secure, safe_back, see_other
from api.identity import list_demo_people
from api.pages.kit import render
from api.pages.public_record import show_published
from api.pages.totals import month_on, show_amounts
from api.pages.views import DemoDoor, DemoRole, Home
from market.kit.clock import business_day, now
from market.kit.database import snapshot
from market.oversight.public_totals import sum_public_month

doors = Doors(include_in_schema=False)


@doors.get("/")
def home(request: Request, who: MaybeWho) -> Response:
    """Signed in: on to the page of one's role. Else what this is, and this month's totals of the public record."""
    if who is not None and who.roles:
        return see_other(request, request.state.chrome.home)
    month = business_day(now()).isoformat()[:7]
    with snapshot() as tx:
        people = list_demo_people(tx)
        month_total = sum_public_month(tx, month=month)
        shops_count = merchants.count_open_shops(tx)
        published = show_published(tx)
    view = Home(
        month_on=month_on(month),
        totals=show_amounts(month_total),
        sales_count=month_total.sales,
        shops_count=shops_count,
        demo_doors=doors_of(people),
        published=published,
    )
    return render(request, "home.html", view)


@doors.post("/preferences")
def prefer(
    request: Request,
    back: Annotated[str, Form(max_length=2000)] = "/",
    lang: Annotated[Literal["zh-CN", "en"] | None, Form()] = None,
    theme: Annotated[Literal["light", "dark", "auto"] | None, Form()] = None,
) -> Response:
    """Keep language and theme in cookies for a year, and go back."""
    response = see_other(request, safe_back(back))
    for name, value in (("lang", lang), ("theme", theme)):
        if value is not None:
            response.set_cookie(
                name, value, max_age=YEAR_SECONDS, path="/", secure=is_secure(request), samesite="lax", httponly=True
            )
    return response


def doors_of(people: dict[str, str]) -> tuple[DemoDoor, ...]:
    """The demo buttons, for those demo people that exist."""
    return tuple(DemoDoor(role=role, name=people[role]) for role in get_args(DemoRole) if role in people)
