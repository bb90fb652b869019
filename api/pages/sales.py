"""Sales and items as rows of pages, for the person who bought and for the shop that sold. No reason stands in any of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from api.pages.i18n import Language
from api.pages.views import ReceiptLine, SaleRow, SaleState, TillItem
from market.sales.basket import AMOUNT_SKU, OTHER_SKU
from market.sales.queries import SaleDetail, SaleSummary
from market.sales.returns import VOID_WINDOW
from merchants import ItemPriced

SHOWN_STATES: Mapping[str, SaleState] = {
    "sold": "done",
    "voided": "void",
    "partly_refunded": "part_refunded",
    "refunded": "refunded",
}

# Lines of a till that keys amounts have no item behind them: code → (zh, en).
AMOUNT_NAMES = {AMOUNT_SKU: ("参加优惠", "With offers"), OTHER_SKU: ("不参加优惠", "Without offers")}


def show_sale(sale: SaleSummary, *, at: datetime) -> SaleRow:
    """A sale as the shop's row; it can be voided for ten minutes as long as nothing went back of it."""
    until = sale.at + VOID_WINDOW
    return SaleRow(
        shown_id=sale.public_id,
        at=sale.at,
        check_code=sale.check,
        list_fen=sale.list_fen,
        saved_fen=sale.saved_fen,
        paid_fen=sale.paid_fen,
        rebate_member_fen=sale.rebate_member_fen - sale.back_rebate_member_fen,
        state=SHOWN_STATES[sale.state],
        void_until_at=until if sale.state == "sold" and at <= until else None,
    )


def show_lines(sale: SaleDetail, names: Mapping[str, str], language: Language) -> tuple[ReceiptLine, ...]:
    """The lines of a sale, in the order of its basket; `names` are those of the merchant's items by code."""
    return tuple(
        ReceiptLine(
            name=name_line(line["sku"], names, language),
            qty=line["qty"],
            returned=sale.units_back(line["line"]),
            unit_price_fen=line["unit_price"],
            list_fen=line["unit_price"] * line["qty"],
        )
        for line in sale.basket
    )


def name_line(sku: str, names: Mapping[str, str], language: Language) -> str:
    """What a line is called: one of the two amounts, an item by its name in the merchant's catalogue, else its code."""
    return AMOUNT_NAMES[sku][language == "en"] if sku in AMOUNT_NAMES else names.get(sku, sku)


def show_items(items: Iterable[ItemPriced], typed: Mapping[str, str], *, category: str) -> tuple[TillItem, ...]:
    """A shop's items with what was keyed so far, in the tint of the shop's `category`; the dishes before the drinks, so to say."""
    return tuple(
        TillItem(
            sku=item.sku,
            name=item.name,
            price_fen=item.price_fen,
            category=category,
            qty=echo_units(typed.get(f"qty.{item.sku}", "")),
        )
        for item in sorted(items, key=lambda item: (-item.price_fen, item.name))
    )


def echo_units(text: str) -> int:
    """A quantity to show again in its field; what could not be read is named in the error beside it."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else 0
