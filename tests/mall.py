"""The world of tests with something to order: two merchants with products, stock, pick-up points and accounts, and a provider."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import pytest

import cards
import merchants
from api import handing_out, shopping
from api.shopping import BasketKeyed, HandoverKeyed
from market.kit.database import transaction
from market.kit.ids import new_id
from market.payments.inbox import receive_event, work_event
from market.payments.models import PaymentRefund
from market.payments.operations import send_refund
from market.sales.orders.models import Order
from market.sales.orders.money import LISTENER, list_payments, list_refunds
from market.sales.orders.queries import OrderDetail, get_orders
from market.sales.orders.stock import StockLevel, get_stock_level
from merchants import ProductTerms, VariantTerms
from tests.provider import SIGNATURE, Provider
from tests.stages import Begun, Stage
from tests.world import NOON, World

PICKUP = HandoverKeyed("pickup", "gate1")


@dataclass
class Mall:
    """Items by a short name, and the short way to do what members, suppliers and the provider do."""

    world: World
    appliances: UUID
    owner: UUID
    items: dict[str, UUID] = field(default_factory=dict)
    provider: Provider = field(default_factory=Provider)

    def sell(
        self,
        name: str,
        *,
        price_fen: int,
        pieces: int,
        merchant: UUID | None = None,
        limit: int | None = None,
        handover: merchants.Handover = "pickup",
    ) -> UUID:
        """A listed product of one variant with so many pieces in stock."""
        merchant_id = merchant or self.appliances
        terms = ProductTerms(
            name=name,
            category="goods",
            variants=[VariantTerms(sku=name, variant="", price_fen=price_fen)],
            limit_per_member=limit,
            handover=handover,
            points=("gate1", "gate2"),
        )
        with transaction() as tx:
            merchants.add_product(tx, merchant_id=merchant_id, code=name, terms=terms, at=NOON)
            merchants.list_product(tx, merchant_id=merchant_id, code=name)
            item = merchants.get_own_product(tx, merchant_id=merchant_id, code=name).variants[0].item_id
        self.items[name] = item
        if pieces:
            self.receive(name, pieces, key="first")
        return item

    def receive(self, name: str, pieces: int, *, key: str) -> StockLevel:
        staff = self.world.staff if name.startswith("noodle") else self.owner
        return handing_out.receive_stock(staff_id=staff, item_id=self.items[name], pieces=pieces, key=key, at=NOON)

    def keyed(
        self,
        wanted: Mapping[str, int],
        *,
        expected: Mapping[str, int] | None = None,
        how: HandoverKeyed = PICKUP,
    ) -> BasketKeyed:
        items = {self.items[name]: qty for name, qty in wanted.items()}
        return BasketKeyed(items, {"m_0001": how, "m_0002": how}, expected)

    def place(
        self,
        wanted: Mapping[str, int],
        *,
        member: cards.AddedMember | None = None,
        key: str | None = None,
        at: datetime = NOON,
        expected: Mapping[str, int] | None = None,
        how: HandoverKeyed = PICKUP,
    ) -> list[OrderDetail]:
        return shopping.place_basket(
            member_id=(member or self.world.members[0]).member_id,
            keyed=self.keyed(wanted, expected=expected, how=how),
            key=key or str(new_id()),
            at=at,
        )

    def begin(self, order: Order, *, at: datetime = NOON) -> UUID:
        """The member goes to pay; the payment's id."""
        return shopping.start_payment(
            self.provider,
            member_id=self.member_of(order),
            number=order.number,
            return_url="http://127.0.0.1/orders",
            at=at,
        ).payment_id

    def pay(self, order: Order, *, at: datetime = NOON) -> UUID:
        """The member pays and the event arrives; the payment's id."""
        payment_id = self.begin(order, at=at)
        raw = self.provider.pay(payment_id)
        assert raw is not None
        self.hear(raw, at=at)
        return payment_id

    def hear(self, raw: bytes, *, at: datetime = NOON) -> str:
        """An event arrives and is worked off; its outcome."""
        receive_event(self.provider, raw=raw, signature=SIGNATURE, at=at)
        return work_event(self.provider, event_id=json.loads(raw)["id"], listener=LISTENER, at=at)

    def send_refunds(self, order: Order, *, at: datetime = NOON) -> list[PaymentRefund]:
        """The job sends what is asked back of an order, and the provider carries it out."""
        with transaction() as tx:
            asked = list_refunds(tx, order_id=order.id)
        for refund in asked:
            send_refund(self.provider, refund_id=refund.id, listener=LISTENER, at=at)
        for raw in self.provider.settle_refunds():
            self.hear(raw, at=at)
        with transaction() as tx:
            return list_refunds(tx, order_id=order.id)

    def back_fen(self, order: Order) -> int:
        """What the provider sent back of all payments of an order."""
        with transaction() as tx:
            payments = list_payments(tx, order_id=order.id)
        return sum(self.provider.back_fen(payment.id) for payment in payments)

    def look(self, order: Order) -> OrderDetail:
        with transaction() as tx:
            [detail] = get_orders(tx, order_ids=[order.id])
        return detail

    def level(self, name: str) -> tuple[int, int, int]:
        """Free, reserved and sold pieces."""
        with transaction() as tx:
            level = get_stock_level(tx, item_id=self.items[name])
        return level.free, level.reserved, level.sold

    def member_of(self, order: Order) -> UUID:
        return next(member.member_id for member in self.world.members if member.subject == order.subject)


@pytest.fixture(scope="session")
def mall_stage(world_stage: Stage) -> Stage:
    return world_stage.further("mall", build_mall, on="world")


@pytest.fixture
def mall(world: World, begun: Begun, mall_stage: Stage) -> Mall:
    """The noodle shop sells a gift box, an appliance shop cookers (one per member), pots and bowls; the union adds one yuan to an order."""
    return begun.take("mall", build_mall, world)


def build_mall(world: World) -> Mall:
    """The same in the database this process is connected to."""
    with transaction() as tx:
        appliances = merchants.admit_merchant(
            tx,
            code="m_0002",
            name="兴钢家电",
            credit_code="91310000132206289R",
            category="goods",
            publication="row",
            at=NOON,
        )
        owner = merchants.add_staff(tx, merchant_id=appliances, name="老钱")
        for number, merchant in enumerate((world.merchant, appliances), start=1):
            merchants.set_payment_account(tx, merchant_id=merchant, account=f"acct_{number}")
        for point in ("gate1", "gate2"):
            merchants.add_point(tx, code=point, name=point, address="厂区", by=new_id(), at=NOON)
    made = Mall(world=world, appliances=appliances, owner=owner)
    made.sell("noodlebox", price_fen=3_000, pieces=50, merchant=world.merchant)
    made.sell("cooker", price_fen=19_900, pieces=20, limit=1)
    made.sell("pot", price_fen=5_000, pieces=50)
    made.sell("bowl", price_fen=100, pieces=50, handover="both")
    return made
