"""Rebates: due with the sale, taken back with a return to the fen, apart for the member and the union, and never in the price."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.exc import DBAPIError

import merchants
from api import till
from market.kit.database import get_engine, transaction
from market.kit.errors import DomainError
from market.oversight.queries import total_by_month
from market.record.models import Entry
from tests.world import NOON, World, findings, left

TO_MEMBER = {
    "id": "BACK5",
    "stage": "rebate",
    "kind": "percent_back",
    "match": {"merchants": ["m_0001"]},
    "rate_bp": 500,
}
TO_UNION = {**TO_MEMBER, "id": "UNION3", "rate_bp": 310, "rebate_to": "union"}


@pytest.fixture
def giving(world: World) -> World:
    """The noodle shop gives 5 % back to the member and 3.1 % to the union, of what the member pays for what takes part."""
    world.offer(TO_MEMBER)
    world.offer(TO_UNION)
    return world


@pytest.fixture
def register(giving: World) -> World:
    """The same merchant with a register, so that a line has several units."""
    with transaction() as tx:
        shop = merchants.add_shop(
            tx, merchant_id=giving.merchant, code="s_0005", name="五店", address="五街", till="register"
        )
        giving.staff = merchants.add_staff(tx, merchant_id=giving.merchant, name="小钱", shop_id=shop)
    return giving


def sell_three(world: World) -> str:
    """Three units of 10.00: concession 3.00, subsidy 1.00, paid 26.00, rebates 1.30 and 0.80."""
    lines = [till.basket.RegisterLine(sku="p", category="noodles", price_fen=1000, qty=3)]
    sale = till.redeem_at_till(
        staff_id=world.staff, visit_id=world.visit(), keyed=till.RegisterKeyed(lines), key="sell-three", at=NOON
    )
    assert (sale.paid_fen, sale.rebate_member_fen, sale.rebate_union_fen) == (2600, 130, 80)
    return sale.public_id


def refund_one(world: World, sale: str, *, number: int, visit: object | None = None) -> Any:
    return till.refund_at_till(
        staff_id=world.staff,
        sale=sale,
        units={"1": 1},
        visit_id=visit or world.visit(),  # type: ignore[arg-type]
        key=f"back-{number:04}",
        at=NOON + timedelta(minutes=1),
    )


def net(account: str) -> int:
    """What an account holds by the transfers alone: credits less debits, fen."""
    moved = "SELECT coalesce(sum(CASE WHEN credit = :a THEN amount_fen ELSE -amount_fen END), 0) FROM transfer"
    with get_engine().connect() as connection:
        return int(connection.execute(text(f"{moved} WHERE :a IN (debit, credit)"), {"a": account}).scalar_one())


def balances(world: World) -> tuple[int, int, int]:
    """Due to the member, due to the union, owed by the merchant."""
    return net(f"rebates:member:{world.members[0].subject}"), net("rebates:union"), -net("receivable:m_0001")


def entries(kind: str) -> list[dict[str, Any]]:
    with transaction() as tx:
        return [
            json.loads(body) for body in tx.scalars(select(Entry.body).where(Entry.type == kind).order_by(Entry.id))
        ]


def test_a_sale_makes_its_rebates_due_and_changes_no_price(giving: World) -> None:
    sale = giving.sell(1600, 200)
    assert (sale.list_fen, sale.concession_fen, sale.subsidy_fen, sale.paid_fen) == (1800, 160, 100, 1540)
    # Of 13.40 paid for what takes part: 0.67 and 0.4154, rounded down.
    assert (sale.rebate_member_fen, sale.rebate_union_fen) == (67, 41)
    assert balances(giving) == (67, 41, 108)
    assert net("payable:m_0001") == 100
    assert findings() == []


def test_the_public_entry_names_the_rebates_and_nobody(giving: World) -> None:
    giving.sell(1600, 200)
    (entry,) = entries("sale")
    assert (entry["rebate_member"], entry["rebate_union"]) == (67, 41)
    assert entry["transfers"] == [
        ["budget:lunch", "payable:m_0001", 100],
        ["receivable:m_0001", "rebates:members", 67],
        ["receivable:m_0001", "rebates:union", 41],
    ]
    assert entry["offers"] == [["BACK5", 1, 67], ["NOODLE10", 1, 160], ["UNION3", 1, 41]]
    assert str(giving.members[0].subject) not in json.dumps(entry)


def test_unit_by_unit_both_rebates_go_back_by_the_cumulative_floor(register: World) -> None:
    sale = sell_three(register)
    steps = []
    for number in range(3):
        done = refund_one(register, sale, number=number)
        steps.append((done.paid_fen, done.rebate_member_fen, done.rebate_union_fen))
        assert findings() == []
    assert steps == [(866, 43, 26), (867, 43, 27), (867, 44, 27)]
    assert balances(register) == (0, 0, 0)
    assert [(entry["rebate_member"], entry["rebate_union"]) for entry in entries("refund")] == [
        (43, 26),
        (43, 27),
        (44, 27),
    ]
    assert ["rebates:members", "receivable:m_0001", 43] in entries("refund")[0]["transfers"]


def test_a_void_makes_nothing_due_and_gives_the_limits_back(giving: World) -> None:
    giving.offer({**TO_MEMBER, "id": "TOP"}, {"uses": 1, "period": "day", "total_fen": 5_000})
    sale = giving.sell(1600, 200)
    assert sale.rebate_member_fen == 67 + 67
    assert left("total:TOP") == 5_000 - 67
    done = till.void_at_till(staff_id=giving.staff, sale=sale.public_id, key="void-0001", at=NOON)
    assert (done.rebate_member_fen, done.rebate_union_fen) == (134, 41)
    assert balances(giving) == (0, 0, 0)
    assert left("total:TOP") == 5_000
    assert giving.sell(1600).rebate_member_fen == 134  # the use of the day came back with it
    assert findings() == []


def test_many_refunds_of_one_sale_at_once_take_back_exactly_what_was_due(register: World) -> None:
    sale, tries = sell_three(register), 12
    visits = [register.visit() for _ in range(tries)]
    gate = Barrier(tries)

    def act(number: int) -> object:
        gate.wait()
        try:
            done = refund_one(register, sale, number=number, visit=visits[number])
        except DomainError as refusal:
            return refusal.code
        return done.rebate_member_fen, done.rebate_union_fen

    with ThreadPoolExecutor(tries) as pool:
        answers = list(pool.map(act, range(tries)))
    assert Counter(answers) == {(43, 26): 1, (43, 27): 1, (44, 27): 1, "REFUND_UNITS": tries - 3}
    assert balances(register) == (0, 0, 0)
    assert findings() == []


def test_each_member_has_an_account_of_his_own(giving: World) -> None:
    other = giving.add_member(2)
    giving.sell(1600)
    giving.sell(3200, member=other)
    assert balances(giving)[0] == 67
    assert net(f"rebates:member:{other.subject}") == (2880 - 100) * 5 // 100
    assert findings() == []


def test_a_month_shows_what_is_due_apart_and_less_returns(register: World) -> None:
    sale = sell_three(register)
    refund_one(register, sale, number=0)
    (month,) = total_by_month_now()
    assert (month.rebate_member_fen, month.rebate_union_fen) == (130 - 43, 80 - 26)
    assert month.list_fen == month.concession_fen + month.subsidy_fen + month.paid_fen


def total_by_month_now() -> list[Any]:
    with transaction() as tx:
        return total_by_month(tx)


def test_rebates_cost_a_redemption_no_statement_of_its_own(giving: World, database: Engine) -> None:
    giving.sell(1600)  # the offer book is compiled and the codecs are set up
    visit, statements = giving.visit(), []
    event.listen(database, "before_cursor_execute", lambda *call: statements.append(call[2]))
    sale = giving.sell(1600, 200, visit=visit)
    assert sale.rebate_union_fen
    assert 5 <= len(statements) <= 8, statements


def test_a_void_reads_the_limits_of_all_its_offers_at_once(giving: World, database: Engine) -> None:
    def statements_of_a_void(key: str) -> list[str]:
        sale, statements = giving.sell(1600), []
        note = lambda *call: statements.append(call[2])  # noqa: E731
        event.listen(database, "before_cursor_execute", note)
        till.void_at_till(staff_id=giving.staff, sale=sale.public_id, key=key, at=NOON)
        event.remove(database, "before_cursor_execute", note)
        return statements

    few = statements_of_a_void("void-0001")
    for number in range(4):
        giving.offer({**TO_MEMBER, "id": f"MORE{number}", "rate_bp": 10}, {"uses": 50})
    assert len(statements_of_a_void("void-0002")) == len(few)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sale SET rebate_union_fen = rebate_union_fen + 1",
        "UPDATE sale SET back_rebate_union_fen = rebate_union_fen + 1",
        "UPDATE sale SET back_rebate_member_fen = -1",
        "UPDATE sale SET back_rebate_member_fen = 10; UPDATE sale SET back_rebate_member_fen = 9",
        "UPDATE sale SET back_rebate_union_fen = 10; UPDATE sale SET back_rebate_union_fen = 9",
        "SET LOCAL session_replication_role = replica; UPDATE sale SET rebate_union_fen = paid_fen",
        "SET LOCAL session_replication_role = replica; UPDATE sale SET rebate_member_fen = -1",
    ],
)
def test_the_database_refuses_rebates_out_of_bounds(giving: World, database: Engine, statement: str) -> None:
    giving.sell(1600, 200)
    with pytest.raises(DBAPIError), database.begin() as connection:  # noqa: PT012  a later statement may be the one refused
        for part in statement.split(";"):
            connection.execute(text(part))
    assert findings() == []


def _forge(*statements: str) -> Callable[[Engine], None]:
    """What only someone with the database's own keys can do: switch the triggers off and change a row."""

    def act(database: Engine) -> None:
        with database.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                assert connection.execute(text(statement)).rowcount >= 1

    return act


def _retell(kind: str, old: str, new: str) -> Callable[[Engine], None]:
    """The same for the words of a public entry."""

    def act(database: Engine) -> None:
        with database.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            body = "convert_to(replace(convert_from(body, 'UTF8'), :old, :new), 'UTF8')"
            changed = f"UPDATE entry SET body = {body} WHERE type = :kind AND position(:old in convert_from(body, 'UTF8')) > 0"
            assert connection.execute(text(changed), {"old": old, "new": new, "kind": kind}).rowcount == 1

    return act


EXTRA = "INSERT INTO transfer SELECT gen_random_uuid(), event, event_id, reverses_id, {}, {}, 5, day, created_at FROM transfer WHERE {}"


@pytest.mark.parametrize(
    ("forgery", "rules"),
    [
        (_forge("UPDATE transfer SET amount_fen = 1 WHERE credit = 'rebates:union'"), {"rebates", "entries"}),
        (_forge("DELETE FROM transfer WHERE credit = 'rebates:union'"), {"rebates", "rebate balances"}),
        (
            _forge(
                "UPDATE transfer SET credit = 'rebates:member:' || gen_random_uuid() WHERE credit LIKE 'rebates:member:%'"
            ),
            {"rebates", "rebate balances"},
        ),
        (
            _forge(EXTRA.format("'receivable:m_0001'", "'rebates:union'", "event = 'grant'")),
            {"rebate balances"},
        ),
        (
            _forge(EXTRA.format("'rebates:union'", "'bank'", "event = 'sale' AND credit = 'rebates:union'")),
            {"rebate balances", "entries"},
        ),
        (
            _forge(
                "UPDATE sale SET rebate_member_fen = rebate_member_fen + 1, rebate_union_fen = rebate_union_fen - 1"
            ),
            {"rebates", "entries"},
        ),
        (_forge("UPDATE sale SET back_rebate_union_fen = back_rebate_union_fen + 1"), {"returns"}),
        (_forge("UPDATE reversal SET rebate_member_fen = rebate_member_fen + 1"), {"returns", "rebates", "entries"}),
        (_forge("UPDATE transfer SET reverses_id = NULL WHERE event = 'refund'"), {"transfers"}),
        (_retell("sale", '"rebate_union":80', '"rebate_union":81'), {"entries"}),
        (_retell("sale", '"rebates:members",130', '"rebates:members",131'), {"entries"}),
        (_retell("sale", '["BACK5",1,130]', '["BACK5",1,129]'), {"entries"}),
        (_retell("refund", '"rebate_member":43', '"rebate_member":42'), {"entries"}),
        (_retell("refund", '"of":"', '"of":"0'), {"entries"}),
    ],
)
def test_verify_finds_forged_rebates(
    register: World, database: Engine, forgery: Callable[[Engine], None], rules: set[str]
) -> None:
    refund_one(register, sell_three(register), number=0)
    assert findings() == []
    forgery(database)
    assert rules <= {found.split(":")[0] for found in findings()}
