"""The member's receipts: what he bought, and who paid how much of it. His own only; another's is as unknown as none."""

from itertools import groupby
from typing import Annotated

from fastapi import Path, Query, Request, Response

import cards
import merchants
from api.access import Doors, Who
from api.door import language_of, own_origin
from api.errors import PageUnknownError
from api.pages.cursor import read_cursor, write_cursor
from api.pages.entries import read_body, read_count
from api.pages.explain import show_quote
from api.pages.kit import render
from api.pages.sales import SHOWN_STATES, name_line, show_lines
from api.pages.views import Receipt, ReceiptMonth, ReceiptRow, Receipts, RefundRow
from api.receipts import find_due, get_receipt, get_sale_entry, sign_due
from api.routes.member_pages import member_of, receipt_rows
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.errors import NotFoundError
from market.kit.settings import get_settings
from market.offers.queries import list_titles
from market.oversight.published import find_published
from market.record.entries import entry_hash
from market.record.publishing.batched import find_batch
from market.sales import queries
from market.sales.queries import MonthTotals

doors = Doors(include_in_schema=False)

RECEIPTS_ON_PAGE = 30

PublicId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class ReceiptUnknownError(NotFoundError):
    """Not a receipt of this member."""

    code = "RECEIPT_UNKNOWN"
    zh = "您没有这张小票。请到“小票”里查找。"
    en = "You have no such receipt. Look for it under Receipts."


@doors.get("/receipts")
def receipts(request: Request, who: Who, before: Annotated[str | None, Query(max_length=200)] = None) -> Response:
    """Everything bought, newest first, by month; `before` goes on where a page ended."""
    place = read_cursor(before) if before else None
    if before and place is None:
        raise PageUnknownError
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_of(who))
        page = queries.list_person_sales(tx, subject=subject, before=place, limit=RECEIPTS_ON_PAGE)
        rows = receipt_rows(tx, page.sales)
        totals: dict[object, MonthTotals] = {}
        if rows:
            newest, oldest = (business_day(row.at) for row in (rows[0], rows[-1]))
            months = queries.total_person_months(tx, subject=subject, oldest=oldest, newest=newest)
            totals = {month.month_on: month for month in months}
    view = Receipts(
        months=tuple(
            _month(
                totals[month_on], tuple(group)
            )  # the month of a row is among them: both were read from the same sales
            for month_on, group in groupby(rows, key=lambda row: business_day(row.at).replace(day=1))
        ),
        older=write_cursor(page.older) if page.older else None,
    )
    return render(request, "member/receipts.html", view)


@doors.get("/receipts/{receipt}")
def receipt(request: Request, who: Who, receipt: PublicId) -> Response:
    """One purchase on paper: its lines, each discount with who paid it, what went back, its place in the public record."""
    language = language_of(request)
    with transaction() as tx:
        subject = cards.get_subject(tx, member_id=member_of(who))
        try:
            sale = queries.get_person_sale(tx, subject=subject, public_id=receipt)
        except NotFoundError as error:
            raise ReceiptUnknownError from error
        seller = merchants.find_merchants(tx, codes=[sale.summary.merchant])[sale.summary.merchant]
        shop_id = sale.summary.shop_id
        shop = merchants.get_shop(tx, shop_id=shop_id).name if shop_id else seller.name
        names = merchants.find_item_names(tx, merchant=seller.merchant, skus=sale.skus)
        versions = [(row["offer"], row["version"]) for row in (*sale.quote["applied"], *sale.quote["not_applied"])]
        titles = {offer: title for (offer, _), title in list_titles(tx, versions=versions).items()}
        entry = get_sale_entry(tx, public_id=receipt)
        batch = find_batch(tx, entry=entry)
        published = find_published(tx, public_id=receipt if batch is None else batch.entry.public_id)
        due = find_due(tx, entry=entry)
    promised = sign_due(get_settings(), due)
    summary = sale.summary
    view = Receipt(
        receipt_id=summary.public_id,
        at=summary.at,
        shop=shop,
        merchant=seller.name,
        check_code=summary.check,
        state=SHOWN_STATES[summary.state],
        lines=show_lines(sale, names, language),
        quote=show_quote(
            sale.quote,
            titles=titles,
            language=language,
            line_names={line["line"]: name_line(line["sku"], names, language) for line in sale.basket},
        ),
        refunds=tuple(
            RefundRow(
                at=back.at,
                to_member_fen=back.paid_fen,
                subsidy_back_fen=back.subsidy_fen,
                rebate_back_fen=back.rebate_member_fen + back.rebate_union_fen,
            )
            for back in sale.reversals
            if back.kind == "refund"
        ),
        entry_hash=entry_hash(entry.body).hex(),
        record_number=None if published is None else published.leaf_index + 1,
        is_batched=entry.is_batched,
        batch_count=None if published is None else read_count(read_body(published), published.kind),
        promise_by=promised.by if promised else None,
        is_overdue=published is None and promised is not None and promised.by < now(),
        check_url=f"{own_origin(request)}/record/check?entry={receipt}#{entry_hash(entry.body).hex()}",
    )
    return render(request, "member/receipt.html", view)


@doors.get("/receipts/{receipt}/file")
def receipt_file(who: Who, receipt: PublicId, *, facts: bool = True, subject: bool = True) -> Response:
    """The receipt as a file that proves itself; to show it to others the offers' facts and the person may be left out."""
    left_out = [name for name, inside in (("facts", facts), ("subject", subject)) if not inside]
    with transaction() as tx:
        person = cards.get_subject(tx, member_id=member_of(who))
    try:
        made = get_receipt(get_settings(), subject=person, public_id=receipt, leave_out=left_out)
    except NotFoundError as error:
        raise ReceiptUnknownError from error
    # Named after nothing that tells whose it is; the whole file and the one to show are told apart.
    name = f"huigong-receipt-{receipt[:8]}{'-show' if left_out else ''}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(made.encode(), media_type="application/json", headers=headers)


def _month(totals: MonthTotals, rows: tuple[ReceiptRow, ...]) -> ReceiptMonth:
    return ReceiptMonth(
        month_on=totals.month_on,
        sales_count=totals.sales,
        paid_fen=totals.paid_fen,
        saved_fen=totals.list_fen - totals.paid_fen,
        rows=rows,
    )
