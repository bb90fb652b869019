"""What happens besides purchases is published too: merchants, budgets, and the balances of each day."""

import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, text

import cards
import merchants
from api.identity.accounts import AccountClosedError, create_account, disable_account, grant_role
from api.identity.forgetting import forget_accounts
from api.public_log import open_log, run_round
from market.kit.database import get_engine, transaction
from market.kit.settings import Settings
from market.oversight.record_audits import check_unmade
from market.record.entries import public_account
from market.record.policy import Policy
from market.record.publication import append_purchase, open_publication
from market.record.publishing.closing import PUBLIC_ACCOUNT, close_days
from tests.mall import Mall
from tests.world import NOON, World, findings, left


@pytest.fixture
def policy(world: World, tmp_path: Path) -> Policy:
    return open_log(Settings(record_folder=tmp_path), origin="test.example/log", window_seconds=3600, at=NOON)


def entries(kind: str) -> list[dict[str, Any]]:
    with get_engine().connect() as connection:
        rows = connection.execute(text("SELECT body FROM entry WHERE type = :kind ORDER BY id"), {"kind": kind})
        return [json.loads(row.body) for row in rows]


def close(policy: Policy, *, days: int) -> list[date]:
    with transaction() as tx:
        return close_days(tx, policy=policy, at=NOON + timedelta(days=days))


def replayed(until: str) -> dict[str, int]:
    """What the transfers in all entries up to a day come to, account by account: added up without the ledger."""
    balances: Counter[str] = Counter()
    for kind in ("budget", "sale", "void", "refund"):
        for entry in entries(kind):
            if entry["day"] <= until:
                for debit, credit, fen in entry.get("transfers", []):
                    balances[debit] -= fen
                    balances[credit] += fen
    return dict(balances)


def test_a_merchant_s_standing_is_published_as_it_changes(world: World) -> None:
    with transaction() as tx:
        merchants.suspend_merchant(tx, merchant_id=world.merchant, at=NOON)
        merchants.suspend_merchant(tx, merchant_id=world.merchant, at=NOON)
    with transaction() as tx:
        merchants.readmit_merchant(tx, merchant_id=world.merchant, at=NOON + timedelta(days=1))
    told = [(entry["action"], entry["merchant"], entry["day"]) for entry in entries("merchant")]
    assert told == [
        ("admitted", "m_0001", "2026-12-01"),
        ("suspended", "m_0001", "2026-12-01"),
        ("readmitted", "m_0001", "2026-12-02"),
    ]
    assert entries("merchant")[0]["category"] == "noodles"
    assert "老周" not in json.dumps(entries("merchant"), ensure_ascii=False), "a name is text; the code stands for it"


def test_a_budget_is_published_when_opened_and_when_granted(world: World) -> None:
    opened, granted = entries("budget")
    assert (opened["action"], opened["budget"], opened["sponsor"]) == ("opened", "lunch", "xg")
    assert granted["action"] == "granted"
    assert granted["transfers"] == [["union:fund", "budget:lunch", 100_000]]


def test_each_day_closes_once_with_what_the_entries_come_to(world: World, policy: Policy) -> None:
    world.sell(1600, 200)
    world.sell(800, at=NOON + timedelta(days=2))
    assert close(policy, days=0) == [], "today is not over"
    assert close(policy, days=1) == [date(2026, 12, 1)]
    assert close(policy, days=1) == []
    assert close(policy, days=3) == [date(2026, 12, 3)], "nothing moved on the second"
    first, second = entries("close")
    assert (
        first["balances"]
        == replayed("2026-12-01")
        == {
            "budget:lunch": 99_900,
            "payable:m_0001": 100,
            "union:fund": -100_000,
        }
    )
    assert second["balances"] == {"budget:lunch": 99_800, "payable:m_0001": 200}, "accounts that moved that day"
    assert second["balances"].items() <= replayed("2026-12-03").items()
    assert findings() == []


def test_a_day_closes_only_when_its_last_window_and_all_its_transactions_are_over(world: World, policy: Policy) -> None:
    midnight = NOON.replace(hour=16, minute=0)  # in Shanghai
    with transaction() as tx:
        assert close_days(tx, policy=policy, at=midnight + timedelta(hours=1, minutes=9)) == []
        assert close_days(tx, policy=policy, at=midnight + timedelta(hours=1, minutes=11)) == [date(2026, 12, 1)]


def test_money_reserved_by_an_order_stays_its_purse_s_until_the_order_is_paid(mall: Mall, tmp_path: Path) -> None:
    [paid] = mall.place({"noodlebox": 2})
    mall.pay(paid.order)
    mall.place({"noodlebox": 1})
    assert left("budget:lunch") == 100_000 - 2 * 100, "both orders hold their yuan"
    policy = open_log(Settings(record_folder=tmp_path), origin="test.example/log", window_seconds=60, at=NOON)
    close(policy, days=1)
    [closed] = entries("close")
    assert closed["balances"] == replayed("2026-12-01")
    assert closed["balances"]["budget:lunch"] == 99_900, "in public only the paid one does"


def test_the_close_of_many_accounts_with_the_longest_codes_is_cut_into_entries(world: World, policy: Policy) -> None:
    with transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO transfer (id, event, event_id, debit, credit, amount_fen, day, created_at)"
                " SELECT gen_random_uuid(), 'sale', gen_random_uuid(), 'budget:' || lpad(n::text, 120, 'b'),"
                " 'payable:' || lpad(n::text, 120, 'm'), 9000000000000000 - n, '2026-12-01', now() FROM generate_series(1, 1000) AS n"
            )
        )
    assert close(policy, days=1) == [date(2026, 12, 1)]
    said = [entry["balances"] for entry in entries("close")]
    assert all(len(json.dumps(part)) > 50_000 for part in said[:-1]), "as few entries as it takes"
    together = {account: fen for part in said for account, fen in part.items()}
    assert len(together) == sum(map(len, said)) == 2 + 2_000, "with the fund and the lunch budget, each once"
    assert together[f"payable:{'7':m>120}"] == -together[f"budget:{'7':b>120}"] == 9_000_000_000_000_000 - 7


def test_sql_and_python_name_accounts_alike_in_public(database: Engine) -> None:
    rng = Random(7)
    parts = ("allowance", "allowances", "rebates", "member", "members", "union", "budget", ":", "%", "_", "x", "A", "é")
    names = ["".join(rng.choices(parts, k=rng.randrange(1, 6))) for _ in range(3_000)]
    names += [f"{kind}{rng.random()}" for kind in ("allowance:", "rebates:member:", "rebates:members", "allowance")]
    with database.connect() as connection:
        named = connection.execute(
            text(
                f"SELECT {PUBLIC_ACCOUNT} FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS one (account, n) ORDER BY n"
            ),
            {"names": names},
        )
        assert list(named.scalars()) == [public_account(name) for name in names]
    summed = {public_account(name) for name in names if public_account(name) != name}
    assert summed == {"allowances", "rebates:members"}


def test_an_appointment_and_its_end_are_published_by_post(database: Engine) -> None:
    with transaction() as tx:
        unit = cards.add_unit(tx, code="xg", name="兴钢工会")
        account_id = create_account(tx, login="wang", name="王经审", at=NOON)
        grant_role(tx, account_id=account_id, role="officer", scope_id=unit, at=NOON)
        create_account(tx, login="li", name="李会员", at=NOON)
    for _ in range(2):
        with transaction() as tx:
            disable_account(tx, login="wang", at=NOON + timedelta(days=1))
            disable_account(tx, login="li", at=NOON)
    told = [(entry["action"], entry["post"], entry["unit"], entry["day"]) for entry in entries("post")]
    assert told == [("appointed", "officer", "xg", "2026-12-01"), ("ended", "officer", "xg", "2026-12-02")]


def test_a_move_ends_one_post_and_begins_another_and_what_is_held_is_not_said_again(database: Engine) -> None:
    with transaction() as tx:
        units = {code: cards.add_unit(tx, code=code, name=code) for code in ("xg", "zg")}
        account_id = create_account(tx, login="wang", name="王经审", at=NOON)
        auditor = create_account(tx, login="zhou", name="周经审", at=NOON)
    for code in ("xg", "xg", "zg", "xg"):
        with transaction() as tx:
            grant_role(tx, account_id=account_id, role="officer", scope_id=units[code], at=NOON)
            grant_role(tx, account_id=auditor, role="auditor", at=NOON)
    told = [(entry["action"], entry["post"], entry.get("unit")) for entry in entries("post")]
    moves = [("ended", "xg"), ("appointed", "zg"), ("ended", "zg"), ("appointed", "xg")]
    assert told == [
        ("appointed", "officer", "xg"),
        ("appointed", "auditor", None),
        *((action, "officer", unit) for action, unit in moves),
    ]
    assert findings() == []
    with transaction() as tx:
        disable_account(tx, login="wang", at=NOON)
    with pytest.raises(AccountClosedError), transaction() as tx:
        grant_role(tx, account_id=account_id, role="officer", scope_id=units["zg"], at=NOON)
    assert findings() == []
    with transaction() as tx:
        tx.execute(text("UPDATE account SET disabled_at = NULL"))
    assert findings() == ["posts: officer xg: 1 hold it, 0 are appointed in public"]


def test_a_post_ends_with_a_restored_account_that_is_erased_again(world: World) -> None:
    """The backup was made before the account was closed."""
    member = world.members[0].member_id
    with transaction() as tx:
        account_id = create_account(tx, login="wang", name="王经审", at=NOON)
        grant_role(tx, account_id=account_id, role="member", scope_id=member, at=NOON)
        grant_role(tx, account_id=account_id, role="officer", scope_id=world.unit, at=NOON)
    with transaction() as tx:
        forget_accounts(tx, member_id=member, at=NOON)
    assert [(entry["action"], entry["unit"]) for entry in entries("post")] == [("appointed", "xg"), ("ended", "xg")]
    assert findings() == []


def test_a_day_that_cannot_be_closed_leaves_the_days_before_it_closed(world: World, policy: Policy) -> None:
    for n in range(3):
        world.sell(1600, 200, at=NOON + timedelta(days=n))
    day = date(2026, 12, 2)
    with transaction() as tx:
        open_publication(tx, merchant="m_0009", publication="batched", at=NOON)
        append_purchase(tx, kind="sale", public_id="a" * 32, merchant="m_0009", day=day, body=b"no JSON", at=NOON)
    assert close(policy, days=3) == [date(2026, 12, 1)]
    assert close(policy, days=3) == []
    with get_engine().connect() as connection:
        [found] = check_unmade(connection)
    assert found.subject == "close 2026-12-02"
    assert "tried 2 times: DataError" in found.problem
    with transaction() as tx:
        tx.execute(text("SET LOCAL session_replication_role = replica"))
        tx.execute(text("DELETE FROM entry WHERE merchant = 'm_0009'"))
    assert close(policy, days=3) == [day, date(2026, 12, 3)]
    with get_engine().connect() as connection:
        assert list(check_unmade(connection)) == []


TAMPERED = {
    "UPDATE entry SET leaf_index = leaf_index + 100 WHERE leaf_index > 2": "log",
    "UPDATE entry SET body = body || ' '::bytea WHERE leaf_index = 2": "log",
    "UPDATE log_state SET size = size + 1": "log",
    "UPDATE log_tile SET hashes = overlay(hashes placing '\\x00'::bytea from 70)": "log",
    "UPDATE budget_grant SET amount_fen = 5": "grants",
    "DELETE FROM entry WHERE type = 'budget' AND convert_from(body, 'UTF8') LIKE '%granted%'": "grants",
}


@pytest.mark.parametrize("statement", TAMPERED)
def test_verify_finds_what_was_changed_behind_the_record(
    world: World, policy: Policy, tmp_path: Path, database: Engine, statement: str
) -> None:
    world.sell(1600, 200)
    run_round(Settings(record_folder=tmp_path), at=NOON + timedelta(hours=2))
    assert findings() == []
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text(statement))
    assert any(found.startswith(TAMPERED[statement]) for found in findings())
