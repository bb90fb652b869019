"""The till as JSON: visit, quote, redeem, void, refund, receipt, today. One schema in and one out for each.

Amounts are fen. What a till is told is list, discount and paid, never which offer applied or why: that is the member's to know.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Header
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from api import till
from api.access import Doors, Who
from api.identity import Principal
from api.receipts import find_promise
from market.kit.clock import business_day, now
from market.kit.database import transaction
from market.kit.settings import get_settings
from market.sales import giving_back, queries, redeem
from market.sales.basket import MOST_FEN, MOST_LINES, MOST_UNITS, RegisterLine
from merchants import get_workplace

doors = Doors(prefix="/api/till", tags=["till"])

LARGEST = 10**15  # beyond it a number is kept as text: nobody means it


def _keep_short(value: object) -> object:
    """A number as it is; anything else as a short text that can be stored, for the basket to refuse by name."""
    return value if type(value) is int and abs(value) <= LARGEST else ascii(value)[:40]


# Checked by the basket, whose refusals are kept for the audit, and described here for clients.
_Keyed = BeforeValidator(_keep_short)
Fen = Annotated[
    Any, _Keyed, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": MOST_FEN, "description": "fen"})
]
Units = Annotated[Any, _Keyed, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST_UNITS})]
Word = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
LineName = Annotated[str, Field(pattern="^[a-z0-9]{1,16}$")]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key", min_length=8, max_length=128, pattern=r"^[\x21-\x7e]+$", description="one per intent"
    ),
]
PublicId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Strict(BaseModel):
    """A body that holds what is described and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CodeIn(Strict):
    """What was scanned or typed: the QR's text, or the 8 digits."""

    code: Annotated[str, Field(min_length=1, max_length=200)]


class VisitOut(Strict):
    """An open visit. `repeated` says that this shop had opened it with the same code before."""

    visit: UUID
    surname: str
    expires_at: datetime
    repeated: bool


class AmountsIn(Strict):
    """Two amounts: what takes part in offers (参加优惠) and what does not (不参加优惠)."""

    joining_fen: Fen
    other_fen: Fen = 0


class ItemIn(Strict):
    """An item of the shop's catalogue."""

    sku: Annotated[Word, Field(min_length=1)]
    qty: Units = 1


class ItemsIn(Strict):
    """Catalogue items, at catalogue prices."""

    items: Annotated[list[ItemIn], Field(max_length=MOST_LINES)]
    other_fen: Fen = 0


class RegisterLineIn(Strict):
    """A line of the shop's own register; `price_fen` is for one unit."""

    sku: Annotated[Word, Field(min_length=1)]
    category: Word
    price_fen: Fen
    qty: Units = 1


class RegisterIn(Strict):
    """Lines of the shop's own register; at most 500."""

    lines: Annotated[list[RegisterLineIn], Field(max_length=MOST_LINES)]


BasketIn = AmountsIn | ItemsIn | RegisterIn


class QuoteIn(Strict):
    """What is to be priced."""

    basket: BasketIn


class QuoteOut(Strict):
    """What the member would pay now."""

    list_fen: int
    discount_fen: int
    paid_fen: int
    proof: Annotated[str, WithJsonSchema({"enum": ["optimal", "bounded"]})]


class SaleIn(Strict):
    """What is to be sold, and the price the member agreed to."""

    visit: UUID
    basket: BasketIn
    expected_paid_fen: Annotated[int | None, Field(strict=True, ge=0, le=LARGEST)] = None


class SaleOut(Strict):
    """A sale as the till sees it. `check` is compared with the member's page; the rebate is the member's, given by the merchant later."""

    sale: str
    check: str
    at: datetime
    list_fen: int
    discount_fen: int
    paid_fen: int
    rebate_member_fen: int


class SoldOut(SaleOut):
    """A sale with the signed promise that it will be in the public record (docs/record.md); null where none can be given."""

    promise: str | None


class LineOut(Strict):
    """A line of a sale."""

    line: str
    sku: str
    qty: int
    units_back: int
    list_fen: int
    discount_fen: int
    paid_fen: int


class TodaySaleOut(SaleOut):
    """A sale and what became of it."""

    state: Literal["sold", "voided", "refunded", "partly_refunded"]
    back_paid_fen: int


class ReceiptOut(TodaySaleOut):
    """A sale with its lines and its signed promise, as it came with the sale; null where none can be given."""

    lines: list[LineOut]
    promise: str | None


class TodayOut(Strict):
    """The shop's sales of this business day, newest first; totals without voided sales and less what was refunded."""

    count: int
    paid_fen: int
    sales: list[TodaySaleOut]


class RefundIn(Strict):
    """Units to give back by line, with the visit that the buyer's card opened."""

    visit: UUID
    units: Annotated[
        dict[LineName, Annotated[int, Field(strict=True, ge=1, le=MOST_UNITS)]], Field(max_length=MOST_LINES)
    ]


class ReturnOut(Strict):
    """What went back: `paid_fen` is handed to the member."""

    id: str
    kind: Literal["void", "refund"]
    sale: str
    at: datetime
    list_fen: int
    paid_fen: int


@doors.post("/visits", status_code=201)
def open_visit(who: Who, body: CodeIn) -> VisitOut:
    """Scan or type a code: opens a visit of 5 minutes at this shop and consumes the code."""
    visit = till.open_visit_at_till(staff_id=staff_of(who), scanned=body.code, at=now())
    return VisitOut(visit=visit.visit_id, surname=visit.surname, expires_at=visit.expires_at, repeated=visit.repeated)


@doors.post("/visits/{visit}/quote")
def get_quote(who: Who, visit: UUID, body: QuoteIn) -> QuoteOut:
    """The best price now; nothing is booked."""
    priced = till.quote_at_till(staff_id=staff_of(who), visit_id=visit, keyed=to_keyed(body.basket), at=now()).quote
    return QuoteOut(
        list_fen=priced.list_total,
        discount_fen=priced.list_total - priced.payable,
        paid_fen=priced.payable,
        proof=priced.proof,
    )


@doors.post("/sales", status_code=201)
def redeem_card(who: Who, body: SaleIn, key: Key) -> SoldOut:
    """Redeem: price, book and publish in one transaction; signed for once that is committed.

    The same key and body answer the same, whatever has happened since.
    """
    sale = till.redeem_at_till(
        staff_id=staff_of(who),
        visit_id=body.visit,
        keyed=to_keyed(body.basket),
        key=key,
        at=now(),
        expected_paid_fen=body.expected_paid_fen,
    )
    return SoldOut(**_sale(sale), check=sale.check, promise=_promise(sale.public_id))


@doors.post("/sales/{sale}/void", status_code=201)
def void_sale(who: Who, sale: PublicId, key: Key) -> ReturnOut:
    """Undo a whole sale within 10 minutes."""
    return _return(till.void_at_till(staff_id=staff_of(who), sale=sale, key=key, at=now()))


@doors.post("/sales/{sale}/refunds", status_code=201)
def refund_sale(who: Who, sale: PublicId, body: RefundIn, key: Key) -> ReturnOut:
    """Give back units of lines; the member is present, shown by a visit."""
    done = till.refund_at_till(
        staff_id=staff_of(who), sale=sale, units=body.units, visit_id=body.visit, key=key, at=now()
    )
    return _return(done)


@doors.get("/sales/{sale}")
def get_sale(who: Who, sale: PublicId) -> ReceiptOut:
    """One sale of this shop, as the till may see it."""
    with transaction() as tx:
        found = queries.get_shop_sale(tx, shop_id=get_workplace(tx, staff_id=staff_of(who)).shop_id, public_id=sale)
    qty = {line["line"]: (line["sku"], line["qty"]) for line in found.basket}
    lines = [
        LineOut(
            line=line["line"],
            sku=qty[line["line"]][0],
            qty=qty[line["line"]][1],
            units_back=found.units_back(line["line"]),
            list_fen=line["list"],
            discount_fen=line["list"] - line["pay"],
            paid_fen=line["pay"],
        )
        for line in found.quote["lines"]
    ]
    summary = found.summary
    return ReceiptOut(
        **_sale(summary),
        check=summary.check,
        state=summary.state,
        back_paid_fen=summary.back_paid_fen,
        lines=lines,
        promise=_promise(summary.public_id),
    )


@doors.get("/today")
def list_today(who: Who) -> TodayOut:
    """What this shop sold today."""
    with transaction() as tx:
        sales = queries.list_shop_sales(
            tx, shop_id=get_workplace(tx, staff_id=staff_of(who)).shop_id, day=business_day(now())
        )
    standing = [sale for sale in sales if not sale.is_void]
    return TodayOut(
        count=len(standing),
        paid_fen=sum(sale.paid_fen - sale.back_paid_fen for sale in standing),
        sales=[
            TodaySaleOut(**_sale(sale), check=sale.check, state=sale.state, back_paid_fen=sale.back_paid_fen)
            for sale in sales
        ],
    )


def staff_of(who: Principal) -> UUID:
    """The staff row of the assistant at the door; the access table admits no one else here."""
    return UUID(str(who.roles["assistant"]))


def to_keyed(basket: BasketIn) -> till.Basket:
    """What was keyed, for the door."""
    match basket:
        case AmountsIn():
            return till.AmountsKeyed(basket.joining_fen, basket.other_fen)
        case ItemsIn():
            return till.ItemsKeyed([(item.sku, item.qty) for item in basket.items], basket.other_fen)
        case RegisterIn():
            return till.RegisterKeyed(
                [RegisterLine(line.sku, line.category, line.price_fen, line.qty) for line in basket.lines]
            )


def _sale(sale: redeem.SaleAnswer | queries.SaleSummary) -> dict[str, Any]:
    return {
        "sale": sale.public_id,
        "at": sale.at,
        "list_fen": sale.list_fen,
        "discount_fen": sale.list_fen - sale.paid_fen,
        "paid_fen": sale.paid_fen,
        "rebate_member_fen": sale.rebate_member_fen,
    }


def _promise(public_id: str) -> str | None:
    promised = find_promise(get_settings(), public_id=public_id)
    return promised.note if promised else None


def _return(done: giving_back.ReturnAnswer) -> ReturnOut:
    return ReturnOut(
        id=done.public_id,
        kind=done.kind,
        sale=done.sale_public_id,
        at=done.at,
        list_fen=done.list_fen,
        paid_fen=done.paid_fen,
    )
