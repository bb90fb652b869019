"""The officer's view of internal purchase: the month in amounts, by merchant and product; what is on sale, and stopping it with a reason."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Form, Query, Request, Response

import merchants
from api.access import Doors, Who
from api.door import language_of, see_other
from api.errors import PageUnknownError
from api.exports import csv_response
from api.identity import list_names
from api.pages.kit import render
from api.pages.totals import add_up, month_on, show_amounts
from api.pages.views import (
    Amounts,
    BoughtRow,
    DayAmounts,
    DeskProducts,
    DeskPurchases,
    OnSaleRow,
    SellerRow,
)
from api.routes.desk_offers import NOBODY, merchant_names
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.oversight.purchases import ProductTotals, total_online, total_products
from market.oversight.queries import Totals, list_months, month_days
from merchants import ListedProduct

doors = Doors(include_in_schema=False)

PRODUCTS_SHOWN = 50
ROWS_ON_PAGE = 50
MONTHS_SHOWN = 12

Month = Annotated[str | None, Query(pattern="^[0-9]{4}-[0-9]{2}$")]
Code = Annotated[str | None, Query(max_length=32)]


@doors.get("/desk/purchases")
def purchases(request: Request, *, month: Month = None, merchant: Code = None) -> Response:
    """One month of orders, of all merchants or one; the present month unless another is asked for."""
    chosen = _read_month(month)
    with transaction() as tx:
        names = merchant_names(tx)
        months = {*list_months(tx), chosen}
        days = total_online(tx, month=chosen, by="day", merchant=merchant)
        sellers = total_online(tx, month=chosen, by="merchant")
        products = total_products(tx, month=chosen, merchant=merchant, limit=PRODUCTS_SHOWN)
        stopped = sum(row.reason is not None for row in merchants.list_listed(tx, limit=ROWS_ON_PAGE))
    if merchant is not None and merchant not in names:
        raise PageUnknownError
    amounts, orders_count = add_up(days)
    view = DeskPurchases(
        month_on=month_on(chosen),
        months=tuple(month_on(label) for label in sorted(months)[-MONTHS_SHOWN:]),
        merchant_code=merchant,
        merchant_name=None if merchant is None else names[merchant],
        amounts=amounts,
        orders_count=orders_count,
        days=_fill_days(days, month=chosen),
        sellers=tuple(
            SellerRow(
                code=row.label,
                name=names.get(row.label, row.label),
                amounts=show_amounts(row),
                orders_count=row.sales,
            )
            for row in sorted(sellers, key=lambda row: -row.list_fen)
        ),
        products=tuple(
            BoughtRow(
                name=row.name,
                merchant=names.get(row.merchant, row.merchant),
                pieces=row.pieces,
                returned=row.returned,
                amounts=_amounts(row),
            )
            for row in products
        ),
        stopped_count=stopped,
    )
    return render(request, "desk/purchases.html", view)


@doors.get("/desk/purchases.csv")
def purchases_file(*, month: Month = None, merchant: Code = None) -> Response:
    """The month's orders by product as a file; amounts are fen."""
    chosen = _read_month(month)
    with transaction() as tx:
        names = merchant_names(tx)
        rows = total_products(tx, month=chosen, merchant=merchant, limit=100_000)
    header = ["month", "merchant", "merchant_name", "product", "pieces", "returned", "orders"]
    header += ["list_fen", "concession_fen", "subsidy_fen", "paid_fen"]
    return csv_response(f"purchases-{chosen}.csv", header, _file_rows(chosen, names, rows), public=False)


@doors.get("/desk/purchases/products")
def products(request: Request, after: Annotated[UUID | None, Query()] = None) -> Response:
    """What is on sale, newest first, after what the union stopped."""
    return _show(request, after=after)


@doors.post("/desk/purchases/products/{product}/stop")
def stop(request: Request, who: Who, product: UUID, reason: Annotated[str, Form(max_length=1_000)] = "") -> Response:
    """Take a product off sale, with a reason that its merchant reads."""
    try:
        with transaction() as tx:
            merchants.stop_product(tx, product_id=product, reason=reason, by=who.person, at=now())
    except DomainError as refusal:
        return _show(request, reason=reason, error=refusal)
    return see_other(request, "/desk/purchases/products", notice="product_stopped")


@doors.post("/desk/purchases/products/{product}/lift")
def lift(request: Request, who: Who, product: UUID) -> Response:
    """Its merchant may list it again."""
    try:
        with transaction() as tx:
            merchants.lift_stop(tx, product_id=product, by=who.person, at=now())
    except DomainError as refusal:
        return _show(request, error=refusal)
    return see_other(request, "/desk/purchases/products", notice="product_lifted")


def _show(
    request: Request,
    *,
    after: UUID | None = None,
    reason: str = "",
    error: DomainError | None = None,
) -> Response:
    with transaction() as tx:
        rows = merchants.list_listed(tx, after=after, limit=ROWS_ON_PAGE + 1)
        more = len(rows) > ROWS_ON_PAGE
        rows = rows[:ROWS_ON_PAGE]
        people = list_names(tx, persons=[row.by_id for row in rows if row.by_id])
        details = merchants.get_products(tx, product_ids=[row.product_id for row in rows])
    shown = [_on_sale(row, people, details[row.product_id].pictures[:1]) for row in rows]
    view = DeskProducts(
        stopped=tuple(row for row in shown if row.reason is not None),
        listed=tuple(row for row in shown if row.reason is None),
        older=str(rows[-1].product_id) if more else None,
        reason=reason,
        error=error.sentence(language_of(request)) if error else None,
    )
    return render(request, "desk/products.html", view, status=error.status if error else 200)


def _on_sale(row: ListedProduct, people: dict[UUID, str], pictures: Sequence[UUID]) -> OnSaleRow:
    return OnSaleRow(
        product_id=str(row.product_id),
        code=row.code,
        name=row.name,
        category=row.category,
        picture=str(pictures[0]) if pictures else None,
        merchant=row.merchant_name,
        price_fen=row.price_fen,
        is_flash=row.is_flash,
        reason=row.reason,
        who=people.get(row.by_id, NOBODY) if row.by_id else None,
        at=row.at,
    )


def _read_month(month: str | None) -> str:
    chosen = month or business_day(now()).isoformat()[:7]
    try:
        month_days(chosen)
    except ValueError:
        raise PageUnknownError from None
    return chosen


def _amounts(row: ProductTotals) -> Amounts:
    return Amounts(
        list_fen=row.list_fen,
        concession_fen=row.concession_fen,
        subsidy_fen=row.subsidy_fen,
        paid_fen=row.paid_fen,
    )


def _fill_days(rows: Sequence[Totals], *, month: str) -> tuple[DayAmounts, ...]:
    """Every day of the month up to today, those without an order too; nothing for a month without any."""
    if not rows:
        return ()
    known = {row.label: row for row in rows}
    first, beyond = month_days(month)
    last = min(beyond - timedelta(days=1), max(business_day(now()), date.fromisoformat(rows[-1].label)))
    nothing = Amounts(list_fen=0, concession_fen=0, subsidy_fen=0, paid_fen=0)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return tuple(
        DayAmounts(on=on, amounts=show_amounts(row) if row else nothing, sales_count=row.sales if row else 0)
        for on in days
        for row in (known.get(on.isoformat()),)
    )


def _file_rows(month: str, names: dict[str, str], rows: Sequence[ProductTotals]) -> Iterator[list[object]]:
    for row in rows:
        amounts = (row.list_fen, row.concession_fen, row.subsidy_fen, row.paid_fen)
        yield [
            month,
            row.merchant,
            names.get(row.merchant, ""),
            row.name,
            row.pieces,
            row.returned,
            row.orders,
            *amounts,
        ]
