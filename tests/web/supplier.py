"""What the supplier's page tests sell: cookers and rice of the noodle shop's owner, a budget that pays them, members who order."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

import merchants
from api import handing_out, shopping
from api.shopping import BasketKeyed, HandoverKeyed
from market.kit.clock import now
from market.kit.database import transaction
from market.kit.ids import new_id
from market.payments.inbox import receive_event, work_event
from market.record.budgets import grant_budget, open_budget
from market.sales.orders.models import Order
from market.sales.orders.money import LISTENER
from market.sales.orders.queries import OrderDetail, get_orders
from merchants import ProductTerms, VariantTerms
from tests.provider import SIGNATURE, Provider
from tests.stages import Begun, Stage
from tests.web.conftest import Works
from tests.web.market import FIRST, SECOND, put_offer

WHOLE = {
    "id": "GIFT",
    "stage": "subsidy",
    "kind": "percent_off",
    "match": {"merchants": ["m_0001"], "skus": ["rice"]},
    "rate_bp": 10_000,
    "sponsor": "xg",
    "sponsor_share_bp": 10_000,
    "budgets": ["budget:gift"],
}
OWN = {
    "id": "COOKER10",
    "stage": "line",
    "kind": "percent_off",
    "match": {"merchants": ["m_0001"], "skus": ["cooker"]},
    "rate_bp": 1_000,
}


@dataclass
class Store:
    """The goods of `m_0001` by a short name, and what members do with them."""

    works: Works
    owner: UUID
    items: dict[str, UUID] = field(default_factory=dict)
    provider: Provider = field(default_factory=Provider)

    def sell(self, name: str, *, price_fen: int, pieces: int, handover: merchants.Handover = "both") -> UUID:
        terms = ProductTerms(
            name={"rice": "五常大米", "cooker": "电饭煲"}.get(name, name),
            category="home",
            variants=[VariantTerms(sku=name, variant="", price_fen=price_fen)],
            handover=handover,
            points=("gate1", "gate2"),
        )
        with transaction() as tx:
            merchants.add_product(tx, merchant_id=self.works.merchant_id, code=name, terms=terms, at=now())
            merchants.list_product(tx, merchant_id=self.works.merchant_id, code=name)
            product = merchants.get_own_product(tx, merchant_id=self.works.merchant_id, code=name)
        self.items[name] = product.variants[0].item_id
        if pieces:
            handing_out.receive_stock(
                staff_id=self.owner, item_id=self.items[name], pieces=pieces, key="first", at=now()
            )
        return product.product_id

    def order(
        self, wanted: Mapping[str, int], *, member_id: UUID | None = None, how: HandoverKeyed | None = None
    ) -> Order:
        """An order, which is paid at once where the union bears all of it."""
        keyed = BasketKeyed(
            {self.items[name]: qty for name, qty in wanted.items()},
            {"m_0001": how or HandoverKeyed("pickup", "gate1")},
        )
        [made] = shopping.place_basket(
            member_id=member_id or self.works.member_id, keyed=keyed, key=str(new_id()), at=now()
        )
        return made.order

    def begin(self, order: Order, *, minutes_ago: int = 0) -> UUID:
        """The member goes to pay; the payment's id."""
        return shopping.start_payment(
            self.provider,
            member_id=self.works.member_id,
            number=order.number,
            return_url="http://testserver/orders",
            at=now() - timedelta(minutes=minutes_ago),
        ).payment_id

    def pay(self, order: Order) -> bytes:
        """The member pays; the event that told of it."""
        raw = self.provider.pay(self.begin(order))
        assert raw is not None
        self.hear(raw)
        return raw

    def hear(self, raw: bytes) -> str:
        receive_event(self.provider, raw=raw, signature=SIGNATURE, at=now())
        return work_event(self.provider, event_id=json.loads(raw)["id"], listener=LISTENER, at=now())

    def look(self, order: Order) -> OrderDetail:
        with transaction() as tx:
            [detail] = get_orders(tx, order_ids=[order.id])
        return detail


@pytest.fixture(scope="session")
def store_stage(works_stage: Stage) -> Stage:
    return works_stage.further("store", build_store, on="works")


@pytest.fixture
def store(works: Works, begun: Begun, store_stage: Stage) -> Store:
    """Rice that the union pays wholly, cookers at a tenth less, at two gates; the owner and an assistant of the merchant at the door."""
    return begun.take("store", build_store, works)


def build_store(works: Works) -> Store:
    """The same in the database this process is connected to."""
    at = now()
    with transaction() as tx:
        merchants.set_payment_account(tx, merchant_id=works.merchant_id, account="acct_1")
        for code, name in (("gate1", "一号门"), ("gate2", "二号门")):
            merchants.add_point(tx, code=code, name=name, address="厂区", by=FIRST, at=at)
        open_budget(tx, code="gift", title="慰问", sponsor="xg", slots=1, at=at)
        grant_budget(
            tx, budget="gift", amount_fen=10_000_000, key="gift:1", proposed_by=FIRST, approved_by=SECOND, at=at
        )
        [owner] = [
            each.staff_id for each in merchants.list_staff(tx, merchant_id=works.merchant_id) if each.role == "owner"
        ]
    made = Store(works, owner)
    made.sell("rice", price_fen=6_990, pieces=50)
    made.sell("cooker", price_fen=20_000, pieces=20)
    put_offer(WHOLE, title="大米慰问", title_en="Rice gift", at=at)
    put_offer(OWN, title="电饭煲九折", title_en="Cookers 10% off", at=at)
    return made
