"""The database refuses by itself what the code never does, and verify finds what was forged past it."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from api import handing_out, shopping
from market.oversight.audits import AUDITS
from market.sales.orders.requests import Asked
from market.sales.orders.take_back import TakenBack
from tests.mall import Mall
from tests.world import NOON, findings

REFUSED = [
    "UPDATE member_order SET paid_fen = paid_fen - 1, concession_fen = concession_fen + 1",
    "UPDATE member_order SET subject = gen_random_uuid()",
    "UPDATE member_order SET facts = '{}'",
    "UPDATE member_order SET state = 'placed' WHERE state = 'partly_returned'",
    "UPDATE member_order SET state = 'cancelled' WHERE state = 'paid'",
    "UPDATE member_order SET state = 'collected' WHERE state = 'placed'",
    "UPDATE member_order SET state = 'paid' WHERE state = 'placed'",
    "UPDATE member_order SET sale_id = NULL WHERE state = 'paid'",
    "UPDATE member_order SET payment_id = gen_random_uuid() WHERE state = 'paid'",
    "UPDATE member_order SET state = 'lost'",
    "UPDATE member_order SET deliver_to = 'elsewhere'",
    "DELETE FROM member_order",
    "TRUNCATE member_order CASCADE",
    "UPDATE order_line SET qty = qty + 1",
    "UPDATE order_line SET handed = qty + 1",
    "UPDATE order_line SET returned = -1",
    "UPDATE order_line SET handed = 0 WHERE handed > 0",
    "UPDATE order_line SET returned = 0 WHERE returned > 0",
    "DELETE FROM order_line",
    "UPDATE order_change SET reason = 'other'",
    "DELETE FROM order_change",
    "INSERT INTO order_change SELECT gen_random_uuid(), order_id, at, 'paid', 'ready', 'job', gen_random_uuid(), 'x' FROM order_change",
    "UPDATE handout SET member_name = 'other'",
    "DELETE FROM handout",
    "INSERT INTO handout SELECT gen_random_uuid(), order_id, 'x', at, units, staff_id, 'slip', NULL, 'proxy', member_name, NULL FROM handout",
    "UPDATE stock_move SET pieces = 1",
    "DELETE FROM stock_move",
    "INSERT INTO stock_move SELECT gen_random_uuid(), item_id, 'received', -1, '', by_id, NULL, 'x', at FROM stock_move",
    "INSERT INTO stock_move SELECT gen_random_uuid(), item_id, 'written_off', -1, '', by_id, NULL, 'x', at FROM stock_move",
    "UPDATE balance SET left_over = left_over - 100 WHERE id ~ '^stock:'",
    "UPDATE return_request SET units = '{\"1\": 2}'",
    "UPDATE return_request SET words = 'other'",
    "UPDATE return_request SET state = 'declined', ended_at = at, ended_by = gen_random_uuid()",
    "UPDATE return_request SET state = 'accepted', ended_at = at, ended_by = gen_random_uuid()",
    "UPDATE return_request SET state = 'withdrawn', ended_at = at",
    "UPDATE return_request SET state = 'withdrawn', ended_at = at - interval '1 s', ended_by = gen_random_uuid()",
    "UPDATE return_request SET state = 'withdrawn' WHERE state = 'declined'",
    "UPDATE return_request SET state = 'open', ended_at = NULL, ended_by = NULL, answer = '' WHERE state = 'declined'",
    *(
        "INSERT INTO return_request (id, order_id, key, at, units, cause, words, state)"
        f" SELECT gen_random_uuid(), id, 'x', at, '{units}', '{cause}', '', '{state}' FROM member_order WHERE state = '{order}'"
        for order, units, cause, state in (
            ("partly_returned", '{"1": 1}', "faulty", "open"),  # one is open
            ("partly_returned", '{"1": 2}', "faulty", "open"),
            ("partly_returned", '{"2": 1}', "faulty", "open"),
            ("partly_returned", "{}", "faulty", "open"),
            ("partly_returned", '{"1": 1}', "other", "open"),
            ("partly_returned", '{"1": 1}', "revenge", "open"),
            ("paid", '{"1": 1}', "faulty", "open"),
        )
    ),
    "DELETE FROM return_request",
    "TRUNCATE return_request",
    """INSERT INTO reversal (id, public_id, sale_id, kind, merchant, key, request, lines, at, day, list_fen, concession_fen,
      subsidy_fen, paid_fen, rebate_member_fen, rebate_union_fen, entry_id)
    SELECT gen_random_uuid(), 'x', sale_id, 'void', merchant, 'y', request, lines, at, day, list_fen, concession_fen,
      subsidy_fen, paid_fen, rebate_member_fen, rebate_union_fen, gen_random_uuid() FROM reversal""",
]


@pytest.fixture
def traded(mall: Mall) -> Mall:
    """Orders in several states: placed, paid, collected with something returned, and more of it asked back, once in vain."""
    mall.place({"pot": 1})
    [collected], [paid] = mall.place({"pot": 2}), mall.place({"cooker": 1})
    for order in (collected, paid):
        mall.pay(order.order)
    number, slip = collected.order.number, collected.order.slip
    handing_out.hand_out_by_slip(staff_id=mall.owner, number=number, digits=slip, units=None, key="all", at=NOON)
    taken = TakenBack({"1": 1}, "member", is_restocked=True, reason="returned")
    handing_out.return_lines(staff_id=mall.owner, number=number, taken=taken, key="back", at=NOON)
    member = mall.member_of(collected.order)
    for key in ("first", "second"):
        shopping.ask_return(member_id=member, number=number, asked=Asked({"1": 1}, "faulty"), key=key, at=NOON)
        if key == "first":
            handing_out.decline_return(staff_id=mall.owner, number=number, answer="no", at=NOON)
    return mall


def test_the_database_refuses(traded: Mall, database: Engine) -> None:
    for statement in REFUSED:
        with database.begin() as connection, pytest.raises(IntegrityError):
            print(statement, connection.exec_driver_sql(statement).rowcount)  # noqa: T201  shown when it is not refused
    assert findings() == []


FORGERIES = {
    "UPDATE balance SET left_over = left_over + 1 WHERE slot = 0 AND id ~ '^stock:.*free'": "stock",
    "UPDATE order_line SET qty = qty + 1": "stock",
    "UPDATE stock_move SET pieces = pieces + 1": "stock",
    "UPDATE balance SET left_over = 1 WHERE id ~ '^limit:'": "limits",
    "UPDATE transfer SET amount_fen = 99 WHERE event = 'order'": "reserved",
    "DELETE FROM transfer WHERE event = 'order'": "reserved",
    "UPDATE transfer SET event_id = gen_random_uuid() WHERE event = 'order'": "transfers",
    "DELETE FROM order_change WHERE to_state = 'paid'": "order states",
    "UPDATE member_order SET state = 'ready' WHERE state = 'paid'": "order states",
    "UPDATE sale SET subject = gen_random_uuid()": "order sales",
    "UPDATE member_order SET sale_id = NULL, state = 'cancelled' WHERE state = 'paid'": "order sales",
    "DELETE FROM handout": "order lines",
    "UPDATE order_line SET sku = 'other'": "order lines",
    "UPDATE order_line SET returned = 0, handed = qty WHERE returned > 0": "order lines",
    "DELETE FROM payment_refund": "payments",
    "UPDATE payment SET asked_back_fen = 0, refunded_fen = 0, state = 'paid' WHERE asked_back_fen > 0": "payments",
    "UPDATE member_order SET payment_id = NULL WHERE payment_id IS NOT NULL": "payments",
    "UPDATE entry SET body = convert_to(replace(convert_from(body, 'UTF8'), 'provider', 'declared'), 'UTF8') WHERE type = 'sale'": "payments",
    "UPDATE entry SET body = convert_to(replace(convert_from(body, 'UTF8'), 'online', 'shop'), 'UTF8') WHERE type = 'sale'": "entries",
}


def test_verify_finds_what_was_forged_past_the_triggers(traded: Mall, database: Engine) -> None:
    assert findings() == []
    for statement, rule in FORGERIES.items():
        with database.connect() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            assert connection.exec_driver_sql(statement).rowcount >= 1, statement
            found = {finding.rule for audit in AUDITS for finding in audit(connection)}
            connection.rollback()
        assert rule in found, statement
    assert findings() == []
