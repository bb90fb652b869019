"""Deleting a member: nothing leads to him any more, every fen stays where it was, and what was proved stays proved."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import cards
from api import erasing, till
from api.erased_list import ErasedListError, list_path, read_erased
from api.handing_out import cancel_for_member
from api.identity import create_account, grant_role
from api.identity.forgetting import PostHeldError
from api.price_replay import replay_prices
from api.public_log import need_policy, run_round
from api.receipts import get_receipt
from api.shopping import ask_return
from cards.erasing import (
    ErasureSamePersonError,
    ErasureUnknownError,
    ErasureWaitsError,
    erase_member,
    publish_erasures,
    withdraw_erasure,
)
from cards.queries import MemberUnknownError
from cards.standing import MemberLeftError
from cards.visits import CodeUnknownError, VisitUnknownError
from market.kit.database import get_engine, transaction
from market.kit.errors import ConflictError, NotFoundError
from market.kit.ids import new_id
from market.record.auditing.audit import audit_log
from market.record.policy import Policy
from market.record.publishing.served import record_reader
from market.record.receipts import Keys, parse_receipt, verify_receipt
from market.sales.erasing import restrict_person
from market.sales.orders.requests import Asked
from tests.life import CHIEF, CLERK, LATER, MINE, Life, find_everywhere
from tests.world import NOON, findings

MONEY = {
    "sale": "list_fen, concession_fen, subsidy_fen, paid_fen, rebate_member_fen, rebate_union_fen, back_list_fen, back_paid_fen",
    "reversal": "list_fen, concession_fen, subsidy_fen, paid_fen",
    "transfer": "amount_fen",
    "balance": "left_over",
    "member_order": "list_fen, paid_fen",
    "payment": "amount_fen, refunded_fen",
}


def rows(statement: str, **values: object) -> list[tuple[object, ...]]:
    with get_engine().connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement), values)]


def books() -> dict[str, list[tuple[object, ...]]]:
    """Every amount there is, row by row, the public entries byte by byte."""
    said = {table: rows(f"SELECT id, {columns} FROM {table} ORDER BY 1, 2") for table, columns in MONEY.items()}
    return said | {"entry": rows("SELECT id, body FROM entry WHERE type <> 'erasure' ORDER BY 1")}


def replay() -> tuple[int, list[str]]:
    done = replay_prices(progress=lambda _done, _whole: None, processes=1)
    return done.sales, [f"{one.subject}: {one.problem}" for one in done.findings]


def test_no_column_anywhere_leads_to_whoever_was_erased(life: Life) -> None:
    needles = life.needles()
    before = find_everywhere(needles)
    assert before.keys() == set(needles) - {MINE[3]}, "what is looked for was there"  # the national id lies encrypted
    assert before[MINE[0]] >= {"member", "account", "handout", "payment_event"}
    life.erase()
    assert find_everywhere(needles) == {}
    for table in ("member", "card", "vault.person_key"):
        assert len(rows(f"SELECT 1 FROM {table}")) == 1, "somebody else's stays"
    assert find_everywhere([str(life.person.subject)])[str(life.person.subject)] == {
        *("sale", "member_order", "order_line", "order_change", "balance", "erasure")
    }


def test_every_fen_and_every_proof_stays(life: Life) -> None:
    at = LATER + timedelta(minutes=1)
    run_round(life.settings, at=at)
    kept = receipts(life, life.person.subject)
    before, prices = books(), replay()
    assert prices[1] == []
    assert findings() == []
    life.erase(at=at)
    assert books() == before
    assert findings() == []
    assert replay() == prices
    run_round(life.settings, at=at + timedelta(minutes=1))
    with transaction() as tx:
        policy, audit = log_of(life), audit_log(record_reader(tx))
    assert audit.findings == []
    for receipt in kept:
        verdict = verify_receipt(parse_receipt(receipt), keys=Keys((policy.log,), (policy.promise,)), at=at)
        assert verdict.outcome == "proved"
        assert {step.state for step in verdict.steps} == {"holds"}


def test_the_server_can_open_none_of_his_commitments(life: Life) -> None:
    mine = rows("SELECT public_id, facts FROM sale WHERE subject = :s", s=life.person.subject)
    assert all(b'"member"' in facts for _, facts in mine)
    life.erase()
    assert rows("SELECT 1 FROM vault.person_key WHERE subject = :s", s=life.person.subject) == []
    for public_id, facts in rows("SELECT public_id, facts FROM sale WHERE subject = :s", s=life.person.subject):
        said = json.loads(facts)
        assert "member" not in said
        gates = {row["id"]: row["gate"] for row in said["offers"]}
        assert gates.get("RETIRED", "AUDIENCE") == "AUDIENCE"
        assert gates.get("GROUP5") is None
        with pytest.raises(NotFoundError):
            get_receipt(life.settings, subject=life.person.subject, public_id=public_id)
    other, *_ = rows("SELECT public_id, subject, facts FROM sale WHERE subject <> :s", s=life.person.subject)
    assert b'"member"' in other[2]
    assert get_receipt(life.settings, subject=other[1], public_id=other[0])


def test_whoever_was_erased_buys_nothing_and_is_not_signed_in(life: Life) -> None:
    visit = life.mall.world.visit(life.person, at=LATER)
    with transaction() as tx:
        code = cards.issue_code(tx, card_id=life.person.card_id, at=LATER + timedelta(seconds=1)).code
    life.erase()
    with pytest.raises(VisitUnknownError):
        life.mall.world.sell(1600, visit=visit, at=LATER + timedelta(seconds=2))
    with pytest.raises(CodeUnknownError):
        till.open_visit_at_till(staff_id=life.mall.world.staff, scanned=code, at=LATER + timedelta(seconds=2))
    with pytest.raises(MemberUnknownError):
        life.mall.place({"bowl": 1}, member=life.person, at=LATER)
    assert rows("SELECT 1 FROM sign_in_session") == []


def test_two_persons_decide_and_neither_is_the_member(life: Life) -> None:
    unit = life.mall.world.unit
    erasing.take_request(typed=MINE[2], unit_id=unit, person=CLERK, at=LATER)
    with pytest.raises(ErasureWaitsError):
        erasing.ask_for_oneself(member_id=life.person.member_id, person=life.human, at=LATER)
    for person in (CLERK, life.human):
        with pytest.raises(ErasureSamePersonError):
            erasing.approve_request(life.settings, erasure_id=life.waiting(), unit_id=unit, person=person, at=LATER)
        with pytest.raises(ErasureSamePersonError):
            erasing.decline_request(erasure_id=life.waiting(), unit_id=unit, person=person, reason="no", at=LATER)
    with pytest.raises(ErasureSamePersonError):
        erasing.take_request(typed=MINE[2], unit_id=unit, person=life.human, at=LATER)
    assert read_erased(life.settings) == []
    assert len(rows("SELECT 1 FROM member")) == 2


def test_another_unit_s_officer_neither_sees_nor_decides(life: Life) -> None:
    with transaction() as tx:
        elsewhere = cards.add_unit(tx, code="other", name="别处")
    erasing.ask_for_oneself(member_id=life.person.member_id, person=life.human, at=LATER)
    with pytest.raises(ErasureUnknownError):
        erasing.approve_request(life.settings, erasure_id=life.waiting(), unit_id=elsewhere, person=CHIEF, at=LATER)
    with pytest.raises(NotFoundError):
        erasing.take_request(typed=MINE[2], unit_id=elsewhere, person=CLERK, at=LATER)


def test_a_member_takes_his_request_back_and_nobody_else_s(life: Life) -> None:
    erasing.ask_for_oneself(member_id=life.person.member_id, person=life.human, at=LATER)
    waiting, other = life.waiting(), life.mall.world.members[0]
    with pytest.raises(ErasureUnknownError), transaction() as tx:
        withdraw_erasure(tx, member_id=other.member_id, by=new_id(), at=LATER)
    with transaction() as tx:
        withdraw_erasure(tx, member_id=life.person.member_id, by=life.human, at=LATER)
    with pytest.raises(ErasureUnknownError):
        erasing.approve_request(life.settings, erasure_id=waiting, unit_id=life.mall.world.unit, person=CHIEF, at=LATER)
    assert find_everywhere([MINE[0]])[MINE[0]] >= {"member"}


def open_order(life: Life) -> None:
    life.mall.place({"bowl": 1}, member=life.person, at=LATER)


def running_refund(life: Life) -> None:
    [placed] = life.mall.place({"pot": 1}, member=life.person, at=LATER)
    life.mall.pay(placed.order, at=LATER)
    cancel_for_member(
        life.mall.provider, staff_id=life.mall.owner, number=placed.order.number, reason="没货", key="x", at=LATER
    )


def open_return(life: Life) -> None:
    asked, number = Asked({"1": 1}, "faulty", ""), life.orders[1].number
    ask_return(member_id=life.person.member_id, number=number, asked=asked, key="again", at=LATER)


def post(life: Life) -> None:
    with transaction() as tx:
        account = create_account(tx, login="chair", name="某", at=LATER, person=life.human)
        grant_role(tx, account_id=account, role="officer", at=LATER, scope_id=life.mall.world.unit)


@pytest.mark.parametrize(
    ("begin", "refusal"),
    [
        (open_order, erasing.OrderStillOpenError),
        (running_refund, erasing.RefundStillRunsError),
        (open_return, erasing.ReturnStillOpenError),
        (post, PostHeldError),
    ],
)
def test_what_is_under_way_comes_first(life: Life, begin: Callable[[Life], None], refusal: type[ConflictError]) -> None:
    erasing.ask_for_oneself(member_id=life.person.member_id, person=life.human, at=LATER)
    begin(life)
    with pytest.raises(refusal):
        erasing.approve_request(
            life.settings, erasure_id=life.waiting(), unit_id=life.mall.world.unit, person=CHIEF, at=LATER
        )
    with transaction() as tx:
        withdraw_erasure(tx, member_id=life.person.member_id, by=life.human, at=LATER)
    with pytest.raises(refusal):
        erasing.ask_for_oneself(member_id=life.person.member_id, person=life.human, at=LATER)
    assert read_erased(life.settings) == []
    assert findings() == []


def test_without_the_list_nobody_is_erased(life: Life) -> None:
    list_path(life.settings).parent.mkdir(parents=True, exist_ok=True)
    list_path(life.settings).mkdir()
    with pytest.raises(ErasedListError):
        life.erase()
    assert len(rows("SELECT 1 FROM vault.person_key")) == 2
    assert find_everywhere([MINE[0]])[MINE[0]] >= {"member", "handout"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sale SET card_id = NULL WHERE subject <> :s",
        "UPDATE sale SET facts = '{}' WHERE subject <> :s",
        "UPDATE sale SET paid_fen = 1 WHERE subject = :s",
        "UPDATE sale SET facts = '{\"member\":{}}' WHERE subject = :s",
        "UPDATE sale SET card_id = gen_random_uuid() WHERE subject = :s",
        "UPDATE handout SET units = '{}'",
        "UPDATE order_change SET reason = 'x' WHERE order_id IN (SELECT id FROM member_order WHERE subject <> :s)",
        "DELETE FROM handout",
        "DELETE FROM erasure",
        "UPDATE erasure SET subject = gen_random_uuid()",
        "UPDATE erasure SET state = 'waiting', ended_at = NULL, ended_by = NULL",
        "UPDATE payment_event SET payload = 'x'",
        "INSERT INTO erasure (id, subject, state, asked_as, asked_at, ended_at)"  # noqa: ISC004
        " SELECT gen_random_uuid(), subject, 'done', 'restore', now(), now() FROM member",
    ],
)
def test_the_database_lets_nothing_else_be_blanked(life: Life, statement: str) -> None:
    life.mall.pay(life.mall.place({"pot": 1}, member=life.mall.world.members[0])[0].order)
    life.erase()
    with pytest.raises(DBAPIError), transaction() as tx:
        assert tx.execute(text(statement), {"s": life.person.subject}).rowcount  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE sale SET card_id = NULL WHERE subject <> :s", "without a card, and its buyer was not erased"),
        ("UPDATE sale SET card_id = gen_random_uuid()", "of somebody erased, and yet with a card"),
        ("INSERT INTO vault.person_key (subject, wrapped) VALUES (:s, 'x')", "erased, and yet with a key"),
        ("DELETE FROM vault.person_key", "in the register, and without a key"),
    ],
)
def test_verify_names_what_was_forged_past_the_triggers(life: Life, statement: str, problem: str) -> None:
    life.erase()
    with transaction() as tx:
        tx.execute(text("SET LOCAL session_replication_role = replica"))
        tx.execute(text(statement), {"s": life.person.subject})
    assert any(line.startswith("erasures: ") and line.endswith(problem) for line in findings())


def test_two_officers_at_the_same_moment_delete_once(life: Life) -> None:
    erasing.ask_for_oneself(member_id=life.person.member_id, person=life.human, at=LATER)
    waiting, unit = life.waiting(), life.mall.world.unit

    def press(person: UUID) -> str:
        try:
            erasing.approve_request(life.settings, erasure_id=waiting, unit_id=unit, person=person, at=LATER)
        except ErasureUnknownError:
            return "gone"
        return "done"

    with ThreadPoolExecutor(4) as pool:
        said = sorted(pool.map(press, (CHIEF, CLERK, CHIEF, CLERK)))
    assert said == ["done", "gone", "gone", "gone"]
    assert read_erased(life.settings) == [life.person.subject]
    assert findings() == []


def test_a_sale_at_the_same_moment_is_before_it_or_is_refused(life: Life) -> None:
    """Whichever comes first: a sale that was made is restricted with the others, one that came too late is none."""
    visits = [life.mall.world.visit(life.person, at=LATER + timedelta(seconds=n)) for n in range(6)]
    erasing.ask_for_oneself(member_id=life.person.member_id, person=life.human, at=LATER)
    waiting, unit = life.waiting(), life.mall.world.unit

    def sell(visit: UUID) -> str:
        try:
            life.mall.world.sell(1600, visit=visit, at=LATER + timedelta(seconds=10))
        except (VisitUnknownError, MemberLeftError):
            return "refused"
        return "sold"

    def approve() -> str:
        erasing.approve_request(life.settings, erasure_id=waiting, unit_id=unit, person=CHIEF, at=LATER)
        return "erased"

    with ThreadPoolExecutor(4) as pool:
        sales = [pool.submit(sell, visit) for visit in visits[:4]]
        sales[0].result()
        erased = pool.submit(approve)
        sales += [pool.submit(sell, visit) for visit in visits[4:]]
        said = [one.result() for one in sales]
    assert erased.result() == "erased"
    assert {"sold"} <= set(said) <= {"sold", "refused"}
    mine = rows("SELECT card_id, facts FROM sale WHERE subject = :s", s=life.person.subject)
    assert len(mine) == 5 + said.count("sold")
    assert all(card is None and b'"member"' not in facts for card, facts in mine)
    assert findings() == []


def test_erasing_again_changes_nothing(life: Life) -> None:
    life.erase()
    said = rows("SELECT facts, request FROM sale ORDER BY id")
    assert erasing.erase_again(life.settings, at=LATER) == 0
    with transaction() as tx:
        restrict_person(tx, subject=life.person.subject)
    assert rows("SELECT facts, request FROM sale ORDER BY id") == said
    assert read_erased(life.settings) == [life.person.subject]


def test_a_lost_list_is_written_again_and_a_torn_line_is_passed_over(life: Life) -> None:
    life.erase()
    path = list_path(life.settings)
    path.write_bytes(path.read_bytes()[:20])
    assert erasing.sync_list(life.settings) == 1
    assert read_erased(life.settings) == [life.person.subject]
    assert erasing.sync_list(life.settings) == 0
    assert path.stat().st_mode & 0o077 == 0


def test_the_public_count_names_no_day_and_waits_for_five(life: Life) -> None:
    life.erase()

    def told() -> list[dict[str, object]]:
        return [json.loads(bytes(body)) for (body,) in rows("SELECT body FROM entry WHERE type = 'erasure'")]

    with transaction() as tx:
        assert publish_erasures(tx, at=NOON + timedelta(days=20)) == 0, "the month is not over"
    life_of_others = [life.mall.world.add_member(number) for number in range(2, 6)]
    for number, member in enumerate(life_of_others):
        by_hand(member.subject, at=LATER + timedelta(days=number))
    assert told() == []
    with transaction() as tx:
        tx.execute(text("ALTER TABLE entry ADD CONSTRAINT no_erasures CHECK (type <> 'erasure')"))
        assert publish_erasures(tx, at=NOON + timedelta(days=39)) == 0, "it cannot be made"
        tx.execute(text("ALTER TABLE entry DROP CONSTRAINT no_erasures"))
    assert [found.partition(": it could")[0] for found in findings()] == ["unmade: erasure 2026"]
    with transaction() as tx:
        assert publish_erasures(tx, at=NOON + timedelta(days=40)) == 5
        assert publish_erasures(tx, at=NOON + timedelta(days=41)) == 0
    [entry] = told()
    assert (entry["persons"], entry["since"], entry["day"]) == (5, "2026-12-01", "2026-12-31")
    assert entry.keys() == {"v", "type", "id", "day", "persons", "since"}
    by_hand(life.mall.world.add_member(7).subject, at=NOON + timedelta(days=60))
    with transaction() as tx:
        assert publish_erasures(tx, at=NOON + timedelta(days=200)) == 0, "one alone waits for the year's end"
        assert publish_erasures(tx, at=NOON + timedelta(days=400)) == 1
    assert sorted((one["persons"], one["day"]) for one in told()) == [(1, "2027-12-31"), (5, "2026-12-31")]
    assert findings() == []


def by_hand(subject: UUID, *, at: object) -> None:
    with transaction() as tx:
        erase_member(tx, subject=subject, by=None, at=at)  # type: ignore[arg-type]


def log_of(life: Life) -> Policy:
    with transaction() as tx:
        return need_policy(tx)


def receipts(life: Life, subject: UUID) -> list[bytes]:
    ids = rows("SELECT public_id FROM sale WHERE subject = :s", s=subject)
    return [get_receipt(life.settings, subject=subject, public_id=str(id_)).encode() for (id_,) in ids]
