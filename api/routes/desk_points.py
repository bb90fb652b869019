"""The officer's pick-up points: opened, called and placed otherwise, closed with what still waits there said, opened again."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import Form, Path, Request, Response

import merchants
from api import point_desk
from api.access import Doors, Who
from api.door import language_of, see_other
from api.identity import list_names
from api.pages.kit import render
from api.pages.views import DeskPoints, PointRow, PointStepRow, PointTyped
from api.routes.desk_offers import NOBODY
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.sales.orders.counter import NOTHING_THERE, OrdersThere, count_at_points
from merchants import Point, PointStep, ProductsThere

doors = Doors(include_in_schema=False)

STEPS_SHOWN = 5

Code: TypeAlias = Annotated[str, Path(max_length=32)]
Name: TypeAlias = Annotated[str, Form(max_length=200)]
Address: TypeAlias = Annotated[str, Form(max_length=500)]
Hours: TypeAlias = Annotated[str, Form(max_length=200)]


@doors.get("/desk/purchases/points")
def points(request: Request) -> Response:
    """All points: the open ones with what waits at each, then the closed ones."""
    return _show(request)


@doors.post("/desk/purchases/points")
def add(  # noqa: PLR0917  the fields of a form
    request: Request,
    who: Who,
    code: Annotated[str, Form(max_length=64)] = "",
    name: Name = "",
    address: Address = "",
    hours: Hours = "",
) -> Response:
    """Open a new point."""
    try:
        with transaction() as tx:
            merchants.add_point(tx, code=code.strip(), name=name, address=address, hours=hours, by=who.person, at=now())
    except DomainError as refusal:
        typed = PointTyped(row=None, code=code, name=name, address=address, hours=hours)
        return _show(request, typed=typed, error=refusal)
    return see_other(request, "/desk/purchases/points", notice="point_added")


@doors.post("/desk/purchases/points/{code}")
def change(  # noqa: PLR0917  the fields of a form
    request: Request, who: Who, code: Code, name: Name = "", address: Address = "", hours: Hours = ""
) -> Response:
    """Call or place a point otherwise."""
    try:
        with transaction() as tx:
            merchants.change_point(tx, code=code, name=name, address=address, hours=hours, by=who.person, at=now())
    except DomainError as refusal:
        typed = PointTyped(row=code, code=code, name=name, address=address, hours=hours)
        return _show(request, typed=typed, error=refusal)
    return see_other(request, "/desk/purchases/points", notice="point_changed")


@doors.post("/desk/purchases/points/{code}/close")
def close(request: Request, who: Who, code: Code, orders: Annotated[int, Form(ge=0)] = 0) -> Response:
    """Nothing new is sent there; `orders` is how many the page said are still to be fetched there."""
    try:
        with transaction() as tx:
            point_desk.close_point(tx, code=code, told=orders, by=who.person, at=now())
    except DomainError as refusal:
        return _show(request, error=refusal)
    return see_other(request, "/desk/purchases/points", notice="point_closed")


@doors.post("/desk/purchases/points/{code}/open")
def reopen(request: Request, who: Who, code: Code) -> Response:
    """Merchants may choose it again, and members fetch there."""
    try:
        with transaction() as tx:
            merchants.open_point(tx, code=code, by=who.person, at=now())
    except DomainError as refusal:
        return _show(request, error=refusal)
    return see_other(request, "/desk/purchases/points", notice="point_reopened")


def _show(request: Request, *, typed: PointTyped | None = None, error: DomainError | None = None) -> Response:
    with transaction() as tx:
        found = merchants.list_points(tx, with_closed=True)
        steps = merchants.list_point_steps(tx)
        orders, products = count_at_points(tx), merchants.count_at_points(tx)
        people = list_names(tx, persons=list({step.by for each in steps.values() for step in each}))
    rows = {
        each: _row(
            each,
            orders.get(each.code, NOTHING_THERE),
            products.get(each.code, ProductsThere()),
            steps.get(each.point_id, ()),
            people,
        )
        for each in found
    }
    view = DeskPoints(
        open=tuple(row for point, row in rows.items() if point.state == "open"),
        closed=tuple(row for point, row in rows.items() if point.state == "closed"),
        typed=typed,
        error=error.sentence(language_of(request)) if error else None,
    )
    return render(request, "desk/points.html", view, status=error.status if error else 200)


def _row(
    point: Point, orders: OrdersThere, products: ProductsThere, steps: Sequence[PointStep], people: dict[UUID, str]
) -> PointRow:
    return PointRow(
        code=point.code,
        name=point.name,
        address=point.address,
        hours=point.hours,
        orders_count=orders.orders,
        unpaid_count=orders.unpaid,
        pieces_count=orders.pieces,
        merchants_count=orders.merchants,
        products_count=products.every,
        only_here_count=products.only_there,
        steps=tuple(
            PointStepRow(act=step.act, who=people.get(step.by, NOBODY), at=step.at, name=step.name)
            for step in steps[:STEPS_SHOWN]
        ),
    )
