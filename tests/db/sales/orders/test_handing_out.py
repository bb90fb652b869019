"""The hand-out: by card code, by slip, by proxy, in parts, to where it was wanted; what nobody fetches; and what comes back."""

from datetime import timedelta

import pytest

import cards
import merchants
from api import handing_out
from api.order_jobs import sweep_orders
from api.shopping import HandoverKeyed
from cards.visits import CodeUnknownError
from market.kit.database import transaction
from market.kit.errors import DomainError
from market.sales.orders.hand_out import CLOSED_AFTER, GIVEN_BACK_AFTER, UNCLAIMED_AFTER
from market.sales.orders.models import Order
from market.sales.orders.queries import list_handouts, list_picks
from market.sales.orders.take_back import TakenBack
from tests.mall import Mall
from tests.world import NOON, count, findings, left

LATER = NOON + timedelta(hours=1)


def show(mall: Mall, member: cards.AddedMember | None = None) -> handing_out.CardSeen:
    with transaction() as tx:
        issued = cards.issue_code(tx, card_id=(member or mall.world.members[0]).card_id, at=NOON)
    return handing_out.show_card(staff_id=mall.owner, scanned=issued.code, at=NOON)


def sold(mall: Mall, wanted: dict[str, int], how: HandoverKeyed | None = None) -> Order:
    [order] = mall.place(wanted) if how is None else mall.place(wanted, how=how)
    mall.pay(order.order)
    return mall.look(order.order).order


def test_a_card_code_fetches_what_its_holder_bought_here_in_parts(mall: Mall) -> None:
    order, elsewhere = sold(mall, {"pot": 3, "bowl": 2}), sold(mall, {"noodlebox": 1})
    with transaction() as tx:
        picks = list_picks(tx, merchant="m_0002")
    assert [(pick.point, pick.sku, pick.pieces, pick.orders) for pick in picks] == [
        ("gate1", "bowl", 2, 1),
        ("gate1", "pot", 3, 1),
    ]
    handing_out.mark_ready(staff_id=mall.owner, numbers=[order.number], at=NOON)
    seen = show(mall)
    assert (seen.surname, [found.order.number for found in seen.orders]) == ("李", [order.number])
    give = {"staff_id": mall.owner, "visit_id": seen.visit_id, "number": order.number, "at": NOON}
    for _ in range(2):  # the button is hit twice
        part = handing_out.hand_out_by_card(**give, units={"1": 2}, key="first")
    assert (part.order.state, [line.waiting for line in part.lines]) == ("ready", [1, 2])
    for wrong in ({"1": 2}, {"9": 1}, {"1": 0}, {"1": -1}, {}):
        with pytest.raises(DomainError) as refused:
            handing_out.hand_out_by_card(**give, units=wrong, key="wrong")
        assert refused.value.code == "HANDOUT_UNITS"
    done = handing_out.hand_out_by_card(**give, units=None, key="rest")
    assert (done.order.state, [line.handed for line in done.lines]) == ("collected", [3, 2])
    with pytest.raises(DomainError) as other:
        handing_out.hand_out_by_card(**{**give, "number": elsewhere.number}, units=None, key="theirs")
    assert other.value.code == "ORDER_UNKNOWN"
    with transaction() as tx:
        [first, rest] = list_handouts(tx, order_id=order.id)
    assert (first.units, rest.units, first.member_name, first.proof) == ({"1": 2}, {"1": 1, "2": 2}, "李秀英", "card")
    assert findings() == []


def test_another_s_card_fetches_nothing(mall: Mall) -> None:
    order, stranger = sold(mall, {"pot": 1}), mall.world.add_member(2)
    seen = show(mall, stranger)
    assert seen.orders == []
    with pytest.raises(DomainError) as refused:
        handing_out.hand_out_by_card(
            staff_id=mall.owner, visit_id=seen.visit_id, number=order.number, units=None, key="theirs", at=NOON
        )
    assert refused.value.code == "OTHER_BUYER"


def test_a_slip_lets_a_proxy_fetch_and_both_names_are_kept(mall: Mall) -> None:
    order = sold(mall, {"pot": 1})
    wrong = f"{(int(order.slip) + 1) % 1_000_000:06}"
    give = {"staff_id": mall.owner, "number": order.number, "units": None, "at": NOON}
    for number in range(5):
        with pytest.raises(DomainError) as refused:
            handing_out.hand_out_by_slip(**give, digits=wrong, key=f"guess-{number}")
        assert refused.value.code == "SLIP_WRONG"
    with pytest.raises(DomainError) as refused:
        handing_out.hand_out_by_slip(**give, digits=order.slip, key="after")
    assert refused.value.code == "TOO_MANY_TRIES"
    with pytest.raises(DomainError) as nameless:
        handing_out.hand_out_by_slip(**{**give, "at": LATER}, digits=order.slip, key="proxy", proxy_name=" ")
    assert nameless.value.code == "PROXY_NAME"
    done = handing_out.hand_out_by_slip(**{**give, "at": LATER}, digits=order.slip, key="proxy", proxy_name="王芳")
    assert done.order.state == "collected"
    with transaction() as tx:
        [handed] = list_handouts(tx, order_id=order.id)
    assert (handed.collected_by, handed.member_name, handed.proxy_name) == ("proxy", "李秀英", "王芳")
    assert findings() == []


def test_wrong_card_codes_are_counted_by_merchant(mall: Mall) -> None:
    for _ in range(handing_out.WRONG_CODES):
        with pytest.raises(CodeUnknownError):
            handing_out.show_card(staff_id=mall.owner, scanned="00000000", at=NOON)
    with pytest.raises(DomainError) as refused:
        handing_out.show_card(staff_id=mall.owner, scanned="00000000", at=NOON)
    assert refused.value.code == "TOO_MANY_TRIES"


def test_goods_are_delivered_and_the_place_is_forgotten_when_the_order_closes(mall: Mall) -> None:
    order = sold(mall, {"bowl": 3}, HandoverKeyed("delivery", deliver_to="炼钢一车间"))
    pickup = sold(mall, {"pot": 1})
    with pytest.raises(DomainError) as refused:
        handing_out.deliver(staff_id=mall.owner, number=pickup.number, units=None, key="no", at=NOON)
    assert refused.value.code == "ORDER_STATE"
    done = handing_out.deliver(staff_id=mall.owner, number=order.number, units=None, key="there", at=NOON)
    assert (done.order.state, done.order.deliver_to) == ("delivered", "炼钢一车间")
    assert sweep_orders(at=NOON + CLOSED_AFTER - timedelta(seconds=1))["closed"] == 0
    assert sweep_orders(at=NOON + CLOSED_AFTER)["closed"] == 1
    closed = mall.look(order).order
    assert (closed.state, closed.deliver_to) == ("closed", None)
    assert findings() == []


def test_what_nobody_fetches_is_noted_then_refunded(mall: Mall) -> None:
    order = sold(mall, {"pot": 2})
    handing_out.mark_ready(staff_id=mall.owner, numbers=[order.number], at=NOON)
    handing_out.hand_out_by_slip(
        staff_id=mall.owner, number=order.number, digits=order.slip, units={"1": 1}, key="one", at=NOON
    )
    noted = NOON + UNCLAIMED_AFTER
    assert sweep_orders(at=noted - timedelta(seconds=1))["unclaimed"] == 0
    assert sweep_orders(at=noted) == {"unclaimed": 1, "refunded": 0, "closed": 0, "asked": 0}
    assert mall.look(order).order.unclaimed_at == noted
    over = noted + GIVEN_BACK_AFTER
    assert [sweep_orders(at=over)["refunded"], sweep_orders(at=over)["refunded"]] == [1, 0]
    mall.send_refunds(order, at=over)
    kept = mall.look(order)
    assert (kept.order.state, kept.lines[0].handed, kept.lines[0].returned) == ("partly_returned", 1, 1)
    assert mall.back_fen(order) == kept.back_paid_fen > 0
    assert mall.level("pot") == (49, 0, 1)
    assert findings() == []


def test_pieces_come_back_by_the_refund_rules_to_the_stock_or_out_of_it(mall: Mall) -> None:
    order = sold(mall, {"pot": 3})  # list 15000, subsidy 100, paid 14900
    handing_out.hand_out_by_slip(
        staff_id=mall.owner, number=order.number, digits=order.slip, units={"1": 2}, key="two", at=NOON
    )
    back = {"staff_id": mall.owner, "number": order.number, "at": LATER}
    with pytest.raises(DomainError) as refused:
        handing_out.return_lines(
            **back, taken=TakenBack({"1": 2}, "shelf", is_restocked=True, reason="returned"), key="shelf"
        )
    assert refused.value.facts == {"line": "pot", "left": 1}
    for _ in range(2):  # the button is hit twice
        first = handing_out.return_lines(
            **back, taken=TakenBack({"1": 1}, "member", is_restocked=True, reason="returned"), key="back-1"
        )
    assert (first.paid_fen, first.subsidy_fen, first.list_fen) == (4_966, 33, 4_999)
    assert mall.look(order).order.state == "paid"  # one piece is still to be handed out
    broken = handing_out.return_lines(
        **back, taken=TakenBack({"1": 1}, "member", is_restocked=False, reason="broken"), key="back-2"
    )
    with pytest.raises(DomainError) as reused:
        handing_out.return_lines(
            **back, taken=TakenBack({"1": 1}, "member", is_restocked=True, reason="broken"), key="back-2"
        )
    assert reused.value.facts == {"field": "restocked"}
    last = handing_out.return_lines(
        **back, taken=TakenBack({"1": 1}, "shelf", is_restocked=True, reason="returned"), key="back-3"
    )
    assert first.paid_fen + broken.paid_fen + last.paid_fen == order.paid_fen
    assert first.subsidy_fen + broken.subsidy_fen + last.subsidy_fen == order.subsidy_fen
    mall.send_refunds(order, at=LATER)
    assert mall.back_fen(order) == order.paid_fen
    assert (mall.look(order).order.state, mall.level("pot"), left("budget:lunch")) == ("returned", (49, 0, 0), 100_000)
    assert findings() == []


def test_a_supplier_who_cannot_deliver_gives_everything_back(mall: Mall) -> None:
    placed, paid = mall.place({"pot": 1})[0].order, sold(mall, {"bowl": 2})
    for order, state in ((placed, "cancelled"), (paid, "returned")):
        done = handing_out.cancel_for_member(
            mall.provider, staff_id=mall.owner, number=order.number, key="cannot", at=NOON
        )
        assert done.order.state == state
    with pytest.raises(DomainError) as refused:
        handing_out.cancel_for_member(
            mall.provider, staff_id=mall.world.staff, number=paid.number, key="theirs", at=NOON
        )
    assert refused.value.code == "ORDER_UNKNOWN"
    assert left("budget:lunch") == 100_000
    assert findings() == []


def test_stock_is_received_counted_and_written_off_by_its_own_merchant_with_a_reason(mall: Mall) -> None:
    order = sold(mall, {"pot": 3})
    mall.place({"pot": 2})
    pot = {"staff_id": mall.owner, "item_id": mall.items["pot"], "at": NOON}
    assert mall.receive("pot", 10, key="lorry").free == mall.receive("pot", 10, key="lorry").free == 55
    level = handing_out.take_stock(**pot, counted=58, reason="count", key="c1")  # 60 lie there by the books
    assert (level.free, level.reserved, level.waiting, level.on_hand) == (53, 2, 3, 58)
    assert handing_out.take_stock(**pot, counted=61, reason="found", key="c2").free == 56
    assert handing_out.write_off_stock(**pot, pieces=6, reason="broken", key="w1").free == 50
    for act in (
        lambda: handing_out.write_off_stock(**pot, pieces=51, reason="all", key="w2"),
        lambda: handing_out.take_stock(**pot, counted=4, reason="all", key="c3"),
    ):
        with pytest.raises(DomainError) as refused:
            act()
        assert (refused.value.code, refused.value.facts) == ("STOCK_SHORT", {"left": 50})
    for pieces in (0, -5, 1.5, 10**9):
        with pytest.raises(DomainError) as wrong:
            handing_out.receive_stock(**pot, pieces=pieces, key="wrong")
        assert wrong.value.code == "PIECES_INVALID"
    with pytest.raises(DomainError) as theirs:
        handing_out.receive_stock(**{**pot, "staff_id": mall.world.staff}, pieces=1, key="theirs")
    assert theirs.value.code == "STOCK_UNKNOWN"
    with transaction() as tx:
        merchants.end_staff(tx, staff_id=mall.owner)
    with pytest.raises(DomainError) as gone:
        handing_out.mark_ready(staff_id=mall.owner, numbers=[order.number], at=NOON)
    assert gone.value.code == "STAFF_LEFT"
    assert count("stock_move") == 4 + 4
    assert findings() == []
