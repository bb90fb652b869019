"""Random lives of orders against an independent model: place, pay, hear events twice and in any order, expire, cancel, hand out, return.

After every step the books, the stock and the provider hold exactly what the model says; never more goes back than was paid.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count as numbers
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from api import handing_out, shopping
from api.order_jobs import expire_orders
from market.kit.database import connect, disconnect, transaction
from market.kit.errors import DomainError
from market.payments.polling import poll_due
from market.sales.orders.models import Order
from market.sales.orders.money import LISTENER
from market.sales.orders.take_back import TakenBack
from tests.mall import Mall
from tests.stages import Stage, copied
from tests.world import NOON, findings, left

PRICES = {"pot": 5_000, "cooker": 19_900, "token": 200}
STOCK = {"pot": 6, "cooker": 2, "token": 5}
SMALL = 450  # fen in the budget that runs out; an order takes 100 of it or nothing
MEMBERS = 3


@dataclass
class Wish:
    """What the model knows of an order."""

    order: Order
    member: int
    item: str
    qty: int
    subsidy: int
    small: int
    expires: int
    state: str = "placed"
    handed: int = 0
    returned: int = 0
    checkout: UUID | None = None
    is_paid_there: bool = False
    late: bool = False

    @property
    def paid(self) -> int:
        return PRICES[self.item] * self.qty - self.subsidy

    @property
    def waiting(self) -> int:
        return self.qty - self.handed - self.returned

    @property
    def back(self) -> int:
        """What must go back of the money: all of a payment that came too late, else the cumulative floor of the pieces."""
        return self.paid if self.late else self.paid * self.returned // self.qty

    @property
    def is_sold(self) -> bool:
        return self.state not in {"placed", "cancelled"}

    def subsidy_back(self, part: int) -> int:
        return part if self.state == "cancelled" else part * self.returned // self.qty


@dataclass
class Model:
    """Everything the model knows."""

    wishes: list[Wish] = field(default_factory=list)
    minute: int = 0

    def free(self, item: str) -> int:
        taken = sum(wish.qty - wish.returned for wish in self.wishes if wish.item == item and wish.state != "cancelled")
        return STOCK[item] - taken

    def cookers(self, member: int) -> int:
        return sum(
            wish.qty - wish.returned
            for wish in self.wishes
            if wish.item == "cooker" and wish.member == member and wish.state != "cancelled"
        )

    @property
    def small(self) -> int:
        return SMALL - sum(wish.small - wish.subsidy_back(wish.small) for wish in self.wishes)

    @property
    def lunch(self) -> int:
        return 100_000 - sum(
            (wish.subsidy - wish.small) - wish.subsidy_back(wish.subsidy - wish.small) for wish in self.wishes
        )


def make_scarce(mall: Mall) -> Mall:
    """The mall with few pieces of everything, a budget that runs out, and three members."""
    for number in range(2, MEMBERS + 1):
        mall.world.add_member(number)
    mall.world.budget("small", SMALL)
    gift = {"stage": "subsidy", "kind": "amount_off", "match": {"skus": list(PRICES)}, "amount": 100}
    mall.world.offer({"id": "SMALL", **gift, "sponsor": "xg", "sponsor_share_bp": 10_000, "budgets": ["budget:small"]})
    mall.sell("token", price_fen=PRICES["token"], pieces=STOCK["token"])
    for name in ("pot", "cooker"):
        level = mall.level(name)[0]
        handing_out.write_off_stock(
            staff_id=mall.owner,
            item_id=mall.items[name],
            pieces=level - STOCK[name],
            reason="few",
            key="few",
            at=NOON,
        )
    return mall


class Orders(RuleBasedStateMachine):
    """The rules; the database is of one life's own."""

    stage: Stage

    @initialize()
    def build(self) -> None:
        self.over = ExitStack()
        begun = self.over.enter_context(copied(self.stage))
        connect(begun.url)
        self.mall: Mall = begun.take("scarce", make_scarce)
        self.model, self.events = Model(), list[bytes]()
        self.keys = numbers(1)

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        try:
            for raw in self.events:
                self._hear(raw)
            for wish in self.model.wishes:
                self.mall.send_refunds(wish.order, at=self.at)
            self.agrees()
            for wish in self.model.wishes:
                assert self.mall.back_fen(wish.order) == wish.back
            assert findings() == []
        finally:
            disconnect()
            self.over.close()

    @property
    def at(self):
        return NOON + timedelta(minutes=self.model.minute)

    # --- rules --------------------------------------------------------------------------------------------------------

    @rule(member=st.integers(0, MEMBERS - 1), item=st.sampled_from(list(PRICES)), qty=st.integers(1, 3))
    def place(self, member: int, item: str, qty: int) -> None:
        model, key = self.model, f"key-{next(self.keys)}"
        expected = None
        if item == "cooker" and qty > 1:
            expected = "OVER_LIMIT"
        elif item == "cooker" and model.cookers(member):
            expected = "MEMBER_LIMIT"
        elif qty > model.free(item):
            expected = "SOLD_OUT"
        who = self.mall.world.members[member]
        if expected:
            with pytest.raises(DomainError) as refused:
                self.mall.place({item: qty}, member=who, key=key, at=self.at)
            assert refused.value.code == expected
            return
        [placed] = self.mall.place({item: qty}, member=who, key=key, at=self.at)
        small = 100 if model.small >= 100 else 0
        wish = Wish(placed.order, member, item, qty, 100 + small, small, model.minute + 15)
        assert placed.order.paid_fen == wish.paid
        wish.state = "placed" if wish.paid else "paid"
        model.wishes.append(wish)
        [again] = self.mall.place({item: qty}, member=who, key=key, at=self.at)
        assert again.order.id == placed.order.id

    @rule(data=st.data())
    @precondition(lambda self: self.model.wishes)
    def begin(self, data: st.DataObject) -> None:
        wish = data.draw(st.sampled_from(self.model.wishes))
        open_for = wish.state == "placed" and self.model.minute < wish.expires
        self._try(lambda: setattr(wish, "checkout", self.mall.begin(wish.order, at=self.at)), is_expected=open_for)

    @rule(data=st.data())
    @precondition(lambda self: any(wish.checkout for wish in self.model.wishes))
    def pay(self, data: st.DataObject) -> None:
        wish = data.draw(st.sampled_from([wish for wish in self.model.wishes if wish.checkout]))
        raw = self.mall.provider.pay(wish.checkout)
        if raw is not None:
            wish.is_paid_there = True
            self.events.append(raw)

    @rule(data=st.data())
    @precondition(lambda self: self.events)
    def hear(self, data: st.DataObject) -> None:
        """Any event, in any order, and it may come again."""
        self._hear(data.draw(st.sampled_from(self.events)))

    @rule(minutes=st.integers(1, 20))
    def wait(self, minutes: int) -> None:
        self.model.minute += minutes

    @rule()
    def expire(self) -> None:
        expire_orders(self.mall.provider, at=self.at)
        for wish in self.model.wishes:
            if wish.state == "placed" and wish.expires <= self.model.minute:
                wish.state = "paid" if wish.is_paid_there else "cancelled"

    @rule()
    def go_down_and_expire(self) -> None:
        """The provider does not answer: what it was begun with is released after ten more minutes, whatever happened there."""
        self.mall.provider.is_down = True
        expire_orders(self.mall.provider, at=self.at)
        self.mall.provider.is_down = False
        for wish in self.model.wishes:
            over = wish.expires + (10 if wish.checkout else 0)
            if wish.state == "placed" and over <= self.model.minute:
                wish.state = "cancelled"

    @rule()
    def poll(self) -> None:
        poll_due(self.mall.provider, listener=LISTENER, at=self.at)
        with transaction() as tx:
            for wish in self.model.wishes:
                state = tx.get(Order, wish.order.id).state
                if state == wish.state == "placed":
                    continue
                if wish.state == "placed":  # what a poll may find: paid, or over
                    is_over = wish.expires <= self.model.minute
                    assert (state == "paid" and wish.is_paid_there) or (state == "cancelled" and is_over)
                    wish.state = state
                wish.late = wish.late or (wish.state == "cancelled" and self._has_arrived(wish))

    @rule(data=st.data())
    @precondition(lambda self: self.model.wishes)
    def cancel(self, data: st.DataObject) -> None:
        wish = data.draw(st.sampled_from(self.model.wishes))
        ends = wish.state in {"placed", "cancelled", "returned"}
        whole = wish.state in {"paid", "ready"} and not wish.handed
        member = self.mall.world.members[wish.member].member_id
        self._try(
            lambda: shopping.cancel_order(
                self.mall.provider, member_id=member, number=wish.order.number, key="no", at=self.at
            ),
            is_expected=ends or whole,
        )
        if wish.state == "placed" and not wish.is_paid_there:
            wish.state = "cancelled"
        elif whole or wish.state == "placed":
            wish.state, wish.returned = "returned", wish.qty

    @rule(data=st.data(), units=st.integers(-1, 3))
    @precondition(lambda self: self.model.wishes)
    def hand_out(self, data: st.DataObject, units: int) -> None:
        wish = data.draw(st.sampled_from(self.model.wishes))
        may = wish.state in {"paid", "ready"} and 1 <= units <= wish.waiting
        give: Callable[[], object] = lambda: handing_out.hand_out_by_slip(  # noqa: E731
            staff_id=self.mall.owner,
            number=wish.order.number,
            digits=wish.order.slip,
            units={"1": units},
            key=f"out-{next(self.keys)}",
            at=self.at,
        )
        if self._try(give, is_expected=may):
            wish.handed += units
            wish.state = wish.state if wish.waiting else "collected"

    @rule(data=st.data(), units=st.integers(-1, 3), whence=st.sampled_from(["member", "shelf"]))
    @precondition(lambda self: self.model.wishes)
    def take_back(self, data: st.DataObject, units: int, whence: str) -> None:
        wish = data.draw(st.sampled_from(self.model.wishes))
        there = wish.handed if whence == "member" else wish.waiting
        may = wish.is_sold and 1 <= units <= there
        taken = TakenBack({"1": units}, whence, is_restocked=True, reason="returned")
        key = f"back-{next(self.keys)}"
        give: Callable[[], object] = lambda: handing_out.return_lines(  # noqa: E731
            staff_id=self.mall.owner, number=wish.order.number, taken=taken, key=key, at=self.at
        )
        if self._try(give, is_expected=may):
            give()  # the same key again gives nothing back
            wish.returned += units
            wish.handed -= units if whence == "member" else 0
            if wish.returned == wish.qty:
                wish.state = "returned"
            elif wish.state not in {"paid", "ready"} or not wish.waiting:
                wish.state = "partly_returned"

    @rule(data=st.data())
    @precondition(lambda self: self.model.wishes)
    def send_refunds(self, data: st.DataObject) -> None:
        wish = data.draw(st.sampled_from(self.model.wishes))
        self.mall.send_refunds(wish.order, at=self.at)
        assert self.mall.back_fen(wish.order) == wish.back

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "model"):
            return
        model = self.model
        with transaction() as tx:
            states = [tx.get(Order, wish.order.id).state for wish in model.wishes]
        assert states == [wish.state for wish in model.wishes]
        for item in PRICES:
            mine = [wish for wish in model.wishes if wish.item == item]
            reserved = sum(wish.qty for wish in mine if wish.state == "placed")
            sold = sum(wish.qty - wish.returned for wish in mine if wish.is_sold)
            assert self.mall.level(item) == (model.free(item), reserved, sold)
        assert (left("budget:small"), left("budget:lunch")) == (model.small, model.lunch)
        for wish in model.wishes:
            assert self.mall.back_fen(wish.order) <= wish.back <= (wish.paid if wish.is_paid_there else 0)

    # --- helpers ------------------------------------------------------------------------------------------------------

    def _hear(self, raw: bytes) -> None:
        self.mall.hear(raw, at=self.at)
        about = self.mall.provider.read_event(raw).about
        wish = next(wish for wish in self.model.wishes if str(wish.checkout) == about.reference)
        if wish.state == "placed":
            wish.state = "paid"
        elif wish.state == "cancelled":
            wish.late = True

    def _has_arrived(self, wish: Wish) -> bool:
        """Whether we know of the money of a released order, by whatever way it was told."""
        return wish.is_paid_there and bool(self.mall.send_refunds(wish.order, at=self.at))

    def _try(self, act: Callable[[], object], *, is_expected: bool) -> bool:
        try:
            act()
        except DomainError:
            assert not is_expected
            return False
        assert is_expected
        return True


@pytest.mark.parametrize(
    ("examples", "steps"), [pytest.param(6, 25, id="some"), pytest.param(400, 40, id="many", marks=pytest.mark.prove)]
)
def test_orders_live_as_the_model_says(mall_stage: Stage, examples: int, steps: int) -> None:
    Orders.stage = mall_stage.further("scarce", make_scarce, on="mall")
    run_state_machine_as_test(
        Orders,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
