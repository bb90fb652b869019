"""Orders as rows of a supplier's pages: goods with their pictures, lines, what became of an order in words. No member is named here."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from api.pages.i18n import Language, translate
from api.pages.pictures import N_
from api.pages.views.supplier import Goods, GoodsLine, OrderRow, PriceStep, Shelf, StoryRow, UndoShown
from market.offers.live import Title
from market.sales.orders.models import Handout, OrderChange, OrderLine, UndoneHandout
from market.sales.orders.queries import OrderDetail
from market.sales.orders.undo import UNDO_WINDOW
from merchants import ProductDetail, Variant

Products = Mapping[UUID, ProductDetail]
Versions = Mapping[tuple[str, int], Title]

# Where an order stands for whoever prepares it: shelf → states.
SHELVES: Mapping[Shelf, tuple[str, ...]] = {
    "todo": ("paid",),
    "ready": ("ready",),
    "done": ("collected", "delivered", "closed"),
    "back": ("partly_returned", "returned"),
    "placed": ("placed",),
    "cancelled": ("cancelled",),
}
ALL_STATES = tuple(state for states in SHELVES.values() for state in states)

CHANGES = {
    "placed": N_("会员下单"),
    "paid": N_("付款完成"),
    "ready": N_("备好，可以取货"),
    "collected": N_("发给会员"),
    "delivered": N_("送达"),
    "closed": N_("完成"),
    "cancelled": N_("取消"),
    "partly_returned": N_("部分退货"),
    "returned": N_("全部退货"),
}
REASONS = {
    "expired": N_("超过付款时间，自动取消"),
    "cancelled_by_member": N_("会员取消"),
    "cancelled_by_merchant": N_("商户取消"),
    "collected_by_proxy": N_("代领人取走"),
    "unclaimed": N_("长期没有人取，自动退回"),
}
HANDED, UNDONE = N_("发放 {pieces} 件"), N_("撤回发放 {pieces} 件")
PEOPLE = {
    "member": N_("会员"),
    "staff": N_("店员"),
    "officer": N_("工会"),
    "job": N_("系统"),
    "provider": N_("付款渠道"),
}


def show_goods(line: OrderLine, products: Products, *, qty: int) -> Goods:
    """So many pieces of a line's thing. A product that is gone keeps its name and gets a placeholder."""
    product = products.get(line.product_id)
    return Goods(
        name=line.name.removesuffix(f" {line.variant}") if line.variant else line.name,
        variant=line.variant,
        category=product.category if product else "other",
        picture=str(product.pictures[0]) if product and product.pictures else None,
        qty=qty,
    )


def show_item(product: ProductDetail, variant: Variant, *, qty: int) -> Goods:
    """So many pieces of a variant in the catalogue."""
    return Goods(
        name=product.name,
        variant=variant.variant,
        category=product.category,
        picture=str(product.pictures[0]) if product.pictures else None,
        qty=qty,
    )


def show_row(
    detail: OrderDetail, products: Products, *, points: Mapping[str, str], since_at: datetime, is_asked: bool = False
) -> OrderRow:
    """An order in a list."""
    order = detail.order
    return OrderRow(
        number=order.number,
        at=order.at,
        since_at=since_at,
        state=order.state,
        point=None if order.point is None else points.get(order.point, order.point),
        goods=tuple(show_goods(line, products, qty=line.qty) for line in detail.lines),
        paid_fen=order.paid_fen,
        back_paid_fen=detail.back_paid_fen,
        is_unclaimed=order.unclaimed_at is not None and order.state == "ready",
        is_asked=is_asked,
    )


def show_order_lines(
    detail: OrderDetail, products: Products, *, most: Mapping[str, int], units: Mapping[str, int] | None = None
) -> tuple[GoodsLine, ...]:
    """The lines of an order; in each field stands what was keyed (`units`), or all there can be (`most`)."""
    shown = {row["line"]: row for row in detail.quote["lines"]}
    return tuple(
        GoodsLine(
            line=line.line,
            goods=show_goods(line, products, qty=line.qty),
            sku=line.sku,
            handed=line.handed,
            returned=line.returned,
            waiting=line.waiting,
            list_fen=shown[line.line]["list"],
            paid_fen=shown[line.line]["pay"],
            units=most.get(line.line, 0) if units is None else units.get(line.line, 0),
            most=most.get(line.line, 0),
        )
        for line in detail.lines
    )


def explain(
    quote: Mapping[str, Any], *, open_to_all: Collection[tuple[str, int]], titles: Versions, language: Language
) -> tuple[tuple[PriceStep, ...], int]:
    """What the merchant gave away: its own offers that anybody may use by title, and the rest in one sum (fen).

    An offer for some members only, or one that a sponsor shares, would tell something about the buyer: it has no name here.
    """
    steps, rest = [], 0
    for row in quote["applied"]:
        version, concession_fen = (row["offer"], row["version"]), row["amount"] - row["sponsor_pays"]
        if row["stage"] == "rebate" or not concession_fen:
            continue
        if version in open_to_all and not row["sponsor_pays"]:
            title = titles[version]
            steps.append(PriceStep(title=title.en if language == "en" else title.zh, concession_fen=concession_fen))
        else:
            rest += concession_fen
    return tuple(steps), rest


def show_undo(handout: Handout | None) -> UndoShown | None:
    """The hand-out that can be taken back, with the end of its time."""
    return None if handout is None else UndoShown(handout_id=str(handout.id), until_at=handout.at + UNDO_WINDOW)


def tell_story(
    changes: Sequence[OrderChange],
    handouts: Sequence[Handout],
    undone: Mapping[UUID, UndoneHandout],
    *,
    names: Mapping[UUID, str],
    language: Language,
) -> tuple[StoryRow, ...]:
    """What became of an order, oldest first, every hand-out and every one taken back (`undone`, by its id) among it.

    Of staff and officers the names, of the member that it was he.
    """

    def pieces_row(at: datetime, sentence: str, handout: Handout, staff_id: UUID) -> StoryRow:
        said = translate(language, sentence).format(pieces=sum(handout.units.values()))
        return StoryRow(at=at, sentence=said, who=_say_who("staff", staff_id, names, language))

    rows = [pieces_row(each.at, HANDED, each, each.staff_id) for each in handouts]
    rows += [
        pieces_row(back.at, UNDONE, each, back.staff_id)
        for each in handouts
        if (back := undone.get(each.id)) is not None
    ]
    rows += [
        StoryRow(
            at=change.at,
            sentence=_say_change(change, language),
            who=_say_who(change.by_kind, change.by_id, names, language),
        )
        for change in changes
        if change.reason != "handout_undone"
    ]
    return tuple(sorted(rows, key=lambda row: row.at))


def _say_change(change: OrderChange, language: Language) -> str:
    said = translate(language, CHANGES[change.to_state])
    if change.reason in CHANGES or change.reason == change.to_state:
        return said
    reason = translate(language, REASONS[change.reason]) if change.reason in REASONS else change.reason
    return f"{said}: {reason}" if language == "en" else f"{said}：{reason}"


def _say_who(kind: str, by_id: UUID | None, names: Mapping[UUID, str], language: Language) -> str:
    known = names.get(by_id) if by_id and kind in {"staff", "officer"} else None
    return known or translate(language, PEOPLE[kind])
