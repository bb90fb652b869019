"""Pick lists: what is to be laid ready at which pick-up point, to be printed, ticked off, and said to lie ready all at once."""

from typing import Annotated

from fastapi import Query, Request, Response

from api import handing_out
from api.access import Doors, Fields, Who
from api.door import language_of, see_other
from api.identity import Principal
from api.pages.kit import render
from api.pages.views.supplier import Goods, PickPoint, PickRow, Picks
from api.supplier import name_points, open_desk, staff_of
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.sales.orders.counter import list_pick_goods
from market.sales.orders.queries import list_picks
from merchants import get_products

doors = Doors(include_in_schema=False)

TO_DELIVER = "-"  # the place of what is delivered, in an address


@doors.get("/merchant/handout/picks")
def picks(request: Request, who: Who, point: Annotated[str | None, Query(max_length=32)] = None) -> Response:
    """What is to be laid ready, point by point; of one point if it is named."""
    return _show(request, who, point=point)


@doors.post("/merchant/handout/picks/ready")
def all_ready(request: Request, who: Who, fields: Fields) -> Response:
    """The orders that stood on the list lie ready, all or none: what was paid since then is not among them."""
    numbers = [each for each in fields.getlist("number") if isinstance(each, str)]
    try:
        handing_out.mark_ready(staff_id=staff_of(who), numbers=numbers, at=now())
    except DomainError as refusal:
        return _show(request, who, error=refusal)
    return see_other(request, "/merchant/handout/picks", notice="orders_ready")


def _show(request: Request, who: Principal, *, point: str | None = None, error: DomainError | None = None) -> Response:
    with transaction() as tx:
        desk = open_desk(tx, who)
        code = desk.business.merchant
        lines, names = list_picks(tx, merchant=code), name_points(tx)
        behind = list_pick_goods(tx, merchant=code)
        products = get_products(tx, product_ids=set(behind.products.values()))
    places = sorted({line.point or TO_DELIVER for line in lines})
    view = Picks(
        merchant=desk.business.name,
        points=tuple(
            PickPoint(
                code=place,
                name=None if place == TO_DELIVER else names.get(place, place),
                rows=tuple(
                    PickRow(
                        goods=Goods(
                            name=line.name.removesuffix(f" {line.variant}") if line.variant else line.name,
                            variant=line.variant,
                            category=product.category if product else "other",
                            picture=str(product.pictures[0]) if product and product.pictures else None,
                            qty=line.pieces,
                        ),
                        sku=line.sku,
                        orders_count=line.orders,
                    )
                    for line in lines
                    if (line.point or TO_DELIVER) == place
                    for product in (products.get(behind.products[line.sku]),)
                ),
                numbers=tuple(behind.numbers.get(place if place != TO_DELIVER else None, ())),
            )
            for place in places
            if point in {None, "", place}
        ),
        error=error.sentence(language_of(request)) if error else None,
    )
    return render(request, "merchant/picks.html", view, status=error.status if error else 200)
