"""The demo's orders of the last weeks, in every state: placed, paid at the sandbox, laid ready, handed out, returned, through the same doors.

What an earlier run made is passed over: an order's key is its number, and each step is safe to repeat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import exists, select

import merchants
from api import handing_out, shopping
from api.demo.places import NOODLE_MERCHANT
from api.demo.provider import DemoProvider, playing_provider
from api.demo.stage import Mark, Progress
from api.order_jobs import sweep_orders
from api.shopping import BasketKeyed, HandoverKeyed
from cards.models import Member
from market.kit.clock import business_day, get_zone
from market.kit.database import transaction
from market.kit.errors import ConflictError
from market.sales.orders import stock
from market.sales.orders.models import Handout, Order
from market.sales.orders.pay import release_order
from market.sales.orders.queries import OrderDetail, get_orders
from market.sales.orders.requests import Asked, list_requests
from market.sales.orders.states import JOB
from market.sales.orders.take_back import TakenBack
from merchants import ProductDetail
from merchants.models import Merchant, Product, Staff

WEEKS: Final = 5
COUNTS: Final = {"tiny": 24, "plant": 140, "works": 320}
METHODS: Final = ("wechat_pay", "alipay", "card")

Fate = Literal[
    "collected", "proxy", "part", "delivered", "ready", "paid", "placed", "expired", "changed_mind", "cannot", "back"
]

# How often an order comes to what. The last days' orders are those that still wait.
LONG_AGO: Final[tuple[tuple[Fate, int], ...]] = (
    ("collected", 60),
    ("proxy", 8),
    ("back", 9),
    ("expired", 7),
    ("changed_mind", 5),
    ("cannot", 3),
    ("ready", 4),
)
LATELY: Final[tuple[tuple[Fate, int], ...]] = (
    ("ready", 42),
    ("paid", 38),
    ("part", 8),
    ("collected", 6),
    ("placed", 6),
)


@dataclass(frozen=True, slots=True)
class DemoOrder:
    """An order to make: when, by which member, of which products how many, and what becomes of it."""

    number: int
    at: datetime
    member: int
    products: tuple[tuple[int, int], ...]
    fate: Fate
    method: str


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """A return that a member asks for, and how that ends (None: it waits)."""

    cause: str
    words: str
    ends: Literal["declined", "accepted"] | None = None
    answer: str = ""


ASKED: Final = (
    DemoRequest("faulty", "打开发现少了配件"),
    DemoRequest("unsuited", "买大了，家里放不下", "declined", "包装已拆、用过几次，不影响使用，按约定不退"),
    DemoRequest("faulty", "外壳有裂纹", "accepted"),
)
ASKED_AFTER: Final = timedelta(hours=28)  # of ordering; it is in the member's hands since 22


def fill_stock(mark: Mark) -> None:
    """Goods came in before the first sale; here and there a count found less, or something broke."""
    at = mark.begins_at
    with transaction() as tx:
        owners = _owners_by_merchant()
        product_ids = tx.scalars(select(Product.id).order_by(Product.id)).all()
        products = merchants.get_products(tx, product_ids=product_ids)
        for number, product_id in enumerate(product_ids):
            product = products[product_id]
            owner = owners[product.merchant]
            for place, variant in enumerate(product.variants):
                pieces = 2_000 if product.is_flash else (4, 12, 30, 60, 120, 200)[(number + place) % 6]
                stock.receive_stock(
                    tx, item_id=variant.item_id, pieces=pieces, by=owner, key="demo:first", at=at, reason="首批到货"
                )
                if (number + place) % 9 == 4:
                    stock.write_off_stock(
                        tx, item_id=variant.item_id, pieces=1, reason="运输中碰坏", by=owner, key="demo:broken", at=at
                    )


def make_orders(mark: Mark, progress: Progress) -> None:
    """All orders, in the order in which they happened; then what the days bring by themselves."""
    with transaction() as tx:
        members = tx.scalars(
            select(Member.id).where(Member.staff_number.like("XG______")).order_by(Member.staff_number)
        ).all()
        for merchant_id in tx.scalars(
            select(Merchant.id).where(Merchant.payment_account.is_(None), Merchant.code == NOODLE_MERCHANT)
        ):
            merchants.set_payment_account(tx, merchant_id=merchant_id, account="acct_demo000")
        ids = tx.scalars(select(Product.id).where(Product.state == "listed").order_by(Product.id)).all()
        products = [product for product in merchants.get_products(tx, product_ids=ids).values() if not product.is_flash]
    products.sort(key=lambda product: (product.merchant != NOODLE_MERCHANT, product.merchant, product.code))
    plan = plan_orders(mark, members=len(members), products=products)
    owners = _owners_by_merchant()
    with playing_provider(mark.begins_at) as provider:
        for done, wanted in enumerate(plan, start=1):
            _live(wanted, members[wanted.member], products, owners, provider)
            progress("orders", done, len(plan))
        _ask_back(plan, members, owners, provider, until=mark.until)
    sweep_orders(at=mark.until)


def plan_orders(mark: Mark, *, members: int, products: Sequence[ProductDetail]) -> list[DemoOrder]:
    """What is ordered when. Pure: the same seed orders the same."""
    rng = Random(f"{mark.seed}:orders")  # noqa: S311  the same luck from the same seed is what a demo wants
    count = COUNTS[mark.size.name]
    own = [place for place, product in enumerate(products) if product.merchant == NOODLE_MERCHANT]
    first_on = (mark.until - timedelta(weeks=WEEKS)).astimezone(get_zone()).date()
    made = []
    for number in range(count):
        part = number / count
        lately = part > 0.72
        if lately:
            at = mark.until - timedelta(minutes=int((1 - part) / 0.28 * 3 * 1440) + 25)
        else:
            on = first_on + timedelta(days=int(part / 0.72 * (WEEKS * 7 - 4)))
            at = datetime.combine(on, time(7 + rng.randrange(14), rng.randrange(60)), get_zone())
        wares = (
            rng.sample(own, min(len(own), rng.choice((1, 1, 2))))
            if number % 5 < 2 and own
            else _one_merchant(rng, products)
        )
        fates, weights = zip(*(LATELY if lately else LONG_AGO), strict=True)
        [fate] = rng.choices(fates, weights)
        if fate == "placed":
            at = mark.until - timedelta(minutes=rng.randrange(2, 12))
        # The demo's own member has something to fetch, and a last day that is his to begin.
        is_his = number % 17 == 3 and business_day(at) < business_day(mark.until)
        member = 0 if is_his else rng.randrange(1, members)
        lines = tuple((place, rng.choice((1, 1, 1, 2))) for place in wares)
        made.append(DemoOrder(number, at, member, lines, fate, METHODS[number % 3]))
    return sorted(made, key=lambda order: (order.at, order.number))


def _ask_back(
    plan: Sequence[DemoOrder],
    members: Sequence[UUID],
    owners: dict[str, UUID],
    provider: DemoProvider,
    *,
    until: datetime,
) -> None:
    """Three return requests: one waits at the demo's own owner, one was declined and one accepted, of the demo's own member if he can."""
    had = _find_fetched(plan, until=until)
    for story in ASKED:
        had.sort(key=lambda each, story=story: not _suits(story, *each))  # type: ignore[misc]  # the loop's own story
        if not had:
            return
        wanted, order = had.pop(0)
        with transaction() as tx:
            if list_requests(tx, order_ids=[order.id])[order.id]:
                continue  # an earlier run asked
        at, owner = wanted.at + ASKED_AFTER, owners[order.merchant]
        asked = Asked({"1": 1}, story.cause, story.words)
        member_id, number = members[wanted.member], order.number
        made = shopping.ask_return(member_id=member_id, number=number, asked=asked, key="demo:ask", at=at)
        answered_at = at + timedelta(hours=4)
        if story.ends == "declined":
            handing_out.decline_return(staff_id=owner, number=number, answer=story.answer, at=answered_at)
        elif story.ends == "accepted":
            handing_out.accept_return(
                staff_id=owner,
                number=number,
                request_id=made.id,
                is_restocked=False,
                reason=story.words,
                at=answered_at,
            )
            provider.send_back(order.id, at=answered_at)


def _find_fetched(plan: Sequence[DemoOrder], *, until: datetime) -> list[tuple[DemoOrder, Order]]:
    """The orders that were fetched whole, long enough ago for a request with its answer; the latest first."""
    wanted = {
        f"demo:order:{each.number}": each
        for each in plan
        if each.fate in {"collected", "proxy", "delivered"} and each.at + ASKED_AFTER + timedelta(hours=8) < until
    }
    with transaction() as tx:
        given = select(Order).where(Order.key.in_(wanted), exists().where(Handout.order_id == Order.id))
        found = [(wanted[order.key], order) for order in tx.scalars(given)]
    return sorted(found, key=lambda each: (each[0].at, each[0].number), reverse=True)


def _suits(story: DemoRequest, wanted: DemoOrder, order: Order) -> bool:
    is_his = wanted.member == 0
    return order.merchant == NOODLE_MERCHANT and not is_his if story.ends is None else is_his


def _one_merchant(rng: Random, products: Sequence[ProductDetail]) -> list[int]:
    """One or two products of the same merchant."""
    first = rng.randrange(len(products))
    beside = [place for place, product in enumerate(products) if product.merchant == products[first].merchant]
    return sorted({first, rng.choice(beside)}) if rng.random() < 0.35 else [first]


def _owners_by_merchant() -> dict[str, UUID]:
    with transaction() as tx:
        rows = tx.execute(
            select(Merchant.code, Staff.id).join(Staff, Staff.merchant_id == Merchant.id).where(Staff.shop_id.is_(None))
        )
        return {row[0]: row[1] for row in rows}


def _live(
    wanted: DemoOrder,
    member_id: UUID,
    products: Sequence[ProductDetail],
    owners: dict[str, UUID],
    provider: DemoProvider,
) -> None:
    """One order from the basket to where it stands today; one that cannot be (sold out, limit reached) is not."""
    chosen = [products[place] for place, _ in wanted.products]
    how = _find_handover(wanted, chosen)
    if how is None:
        return
    items = {
        product.variants[wanted.number % len(product.variants)].item_id: qty
        for product, (_, qty) in zip(chosen, wanted.products, strict=True)
    }
    keyed = BasketKeyed(items, {chosen[0].merchant: how})
    provider.at = wanted.at
    try:
        [placed] = shopping.place_basket(
            member_id=member_id, keyed=keyed, key=f"demo:order:{wanted.number}", at=wanted.at
        )
    except ConflictError:
        return
    if placed.order.state != "placed":
        if wanted.fate in {"placed", "paid", "expired"} or placed.order.state != "paid":
            return
    elif wanted.fate == "expired":
        with transaction() as tx:
            release_order(tx, order_id=placed.order.id, by=JOB, reason="expired", at=placed.order.expires_at)
        return
    else:
        payment = shopping.start_payment(
            provider.gateway,
            member_id=member_id,
            number=placed.order.number,
            return_url="http://127.0.0.1:8000/orders",
            at=wanted.at,
        )
        if wanted.fate == "placed":
            return
        provider.pay(payment.payment_id, method=wanted.method, at=wanted.at + timedelta(minutes=2))
    _follow(wanted, placed.order, owners[chosen[0].merchant], member_id, provider)


def _find_handover(wanted: DemoOrder, chosen: Sequence[ProductDetail]) -> HandoverKeyed | None:
    """A way in which all of it changes hands."""
    if all(product.handover != "delivery" for product in chosen):
        shared = set.intersection(*({point.code for point in product.points} for product in chosen))
        return HandoverKeyed("pickup", sorted(shared)[wanted.number % len(shared)]) if shared else None
    if all(product.handover != "pickup" for product in chosen):
        return HandoverKeyed(
            "delivery", None, f"工人新村 {wanted.number % 18 + 1} 栋 {wanted.number % 6 + 1}0{wanted.number % 3 + 1}"
        )
    return None


def _follow(wanted: DemoOrder, order: Order, owner: UUID, member_id: UUID, provider: DemoProvider) -> None:
    """What the supplier and the member do after it was paid."""
    detail = _look(order)
    if detail.order.state != "paid":
        return
    number, key = order.number, f"demo:{wanted.number}"
    ready_at, given_at = wanted.at + timedelta(hours=5), wanted.at + timedelta(hours=22)
    match wanted.fate:
        case "paid":
            return
        case "changed_mind":
            at = wanted.at + timedelta(hours=1)
            shopping.cancel_order(provider.gateway, member_id=member_id, number=number, key=f"{key}:back", at=at)
            provider.send_back(order.id, at=at)
            return
        case "cannot":
            handing_out.cancel_for_member(
                provider.gateway,
                staff_id=owner,
                number=number,
                key=f"{key}:back",
                at=ready_at,
                reason="厂家断货，交不了",
            )
            provider.send_back(order.id, at=ready_at)
            return
    now_latest = min(ready_at, provider.at + timedelta(hours=5))
    handing_out.mark_ready(staff_id=owner, numbers=[number], at=now_latest)
    if wanted.fate == "ready":
        return
    units = {line.line: line.waiting for line in detail.lines}
    if wanted.fate == "part":
        first = next(iter(units))
        units = {first: 1} if sum(units.values()) > 1 else units
    if detail.order.handover == "delivery":
        handing_out.deliver(staff_id=owner, number=number, units=units, key=f"{key}:given", at=given_at)
    else:
        handing_out.hand_out_by_slip(
            staff_id=owner,
            number=number,
            digits=order.slip,
            units=units,
            proxy_name="工友李师傅" if wanted.fate == "proxy" else None,
            key=f"{key}:given",
            at=given_at,
        )
    if wanted.fate == "back":
        line = detail.lines[0].line
        taken = TakenBack({line: 1}, "member", is_restocked=wanted.number % 3 > 0, reason="外包装破损")
        at = given_at + timedelta(days=1)
        handing_out.return_lines(staff_id=owner, number=number, taken=taken, key=f"{key}:back", at=at)
        if wanted.number % 7:
            provider.send_back(order.id, at=at)


def _look(order: Order) -> OrderDetail:
    with transaction() as tx:
        [detail] = get_orders(tx, order_ids=[order.id])
    return detail
