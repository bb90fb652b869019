"""Batches of any size fit into the log, one that cannot be made stops no other, and a day that is done is not looked at again."""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from market.kit.canonical import canonical_json
from market.kit.clock import get_zone
from market.kit.database import get_engine, transaction
from market.oversight.batch_audits import check_batches, check_members
from market.oversight.record_audits import check_unmade
from market.record.batches import LEAST, MOST
from market.record.entries import AMOUNTS
from market.record.log.bundles import MAX_ENTRY
from market.record.log.proofs import verify_inclusion
from market.record.log.tree import hash_leaf
from market.record.models import Entry
from market.record.publication import append_purchase, open_publication
from market.record.publishing.batched import find_batch, prove_in_batch
from market.record.publishing.batching import make_batches
from tests.db.record.chemist import ask
from tests.db.record.conftest import Log

DAY = date(2026, 12, 2)
OPENED = datetime(2026, 12, 1, 9, tzinfo=get_zone())
NEXT = datetime(2026, 12, 3, 0, 1, tzinfo=get_zone())  # a minute past midnight
NEW_YEAR = datetime(2027, 1, 1, 0, 1, tzinfo=get_zone())
MINUTE = timedelta(minutes=1)
_numbers = count(1)


def write(
    merchant: str = "m_0009",
    *,
    day: date = DAY,
    offers: Sequence[tuple[str, int, int]] = (),
    budgets: Sequence[str] = (),
    of: str = "",
    body: bytes = b"",
) -> str:
    """A purchase of a batched merchant; what it moves is given, and what it says."""
    public_id, fen = f"{next(_numbers):032x}", sum(fen for _, _, fen in offers)
    said: dict[str, Any] = {
        "v": 1,
        "type": "refund" if of else "sale",
        "id": public_id,
        "day": day.isoformat(),
        "of": of,
        **dict.fromkeys(AMOUNTS, 0),
        "list": fen + len(budgets),
        "concession": fen,
        "subsidy": len(budgets),
        "offers": [list(row) for row in offers],
        "transfers": [[budget, f"payable:{merchant}", 1] for budget in budgets],
    }
    with transaction() as tx:
        append_purchase(
            tx,
            kind="refund" if of else "sale",
            public_id=public_id,
            merchant=merchant,
            day=day,
            body=body or canonical_json(said),
            at=OPENED,
            of=tx.scalars(text("SELECT id FROM entry WHERE public_id = :of"), {"of": of}).one() if of else None,
        )
    return public_id


def batches(merchant: str = "m_0009") -> list[dict[str, Any]]:
    """What is published of its batches; each fits, and is what its purchases make it."""
    with get_engine().connect() as connection:
        assert [*check_batches(connection), *check_members(connection)] == []
    rows = ask(
        "SELECT body FROM entry WHERE type = 'batch' AND merchant = :merchant AND leaf_index >= 0 ORDER BY leaf_index",
        merchant=merchant,
    )
    assert all(len(body) <= MAX_ENTRY for (body,) in rows)
    return [json.loads(body) for (body,) in rows]


def unmade() -> list[str]:
    """What `huigong verify` says of it."""
    with get_engine().connect() as connection:
        return [f"{found.subject}: {found.problem}" for found in check_unmade(connection)]


@pytest.fixture
def shops(log: Log) -> Log:
    """Two merchants that are published in batches."""
    with transaction() as tx:
        for merchant in ("m_0009", "m_0010"):
            open_publication(tx, merchant=merchant, publication="batched", at=OPENED - timedelta(days=1))
    return log


def test_a_batch_of_more_offers_than_an_entry_holds_names_the_largest(shops: Log) -> None:
    first, second = ([(f"{n:064x}", 1, 100 + n) for n in range(begin, begin + 800)] for begin in (0, 800))
    for _ in range(5):
        write(offers=first)
        write(offers=second)
    shops.run(NEXT)
    [batch] = batches()
    assert (batch["count"], batch["concession"]) == (10, 5 * sum(100 + n for n in range(1_600)))
    left_out = 1_600 - len(batch["offers"])
    assert 0 < left_out <= 801
    assert batch["other_offers"] == 5 * sum(100 + n for n in range(left_out))


def test_purchases_that_draw_on_more_budgets_than_an_entry_holds_stand_in_several_batches(shops: Log) -> None:
    sales = [write(budgets=[f"budget:{n:04}{k:0116}" for k in range(60)]) for n in range(20)]
    shops.run(NEXT)
    made = batches()
    assert len(made) > 1
    assert all(batch["count"] >= LEAST for batch in made)
    assert sum(batch["count"] for batch in made) == len(sales)
    assert sum(fen for batch in made for _, _, fen in batch["transfers"]) == 20 * 60
    assert unmade() == []


def test_too_few_to_be_parted_wait_until_their_month_is_over_and_others_do_not(shops: Log) -> None:
    for n in range(6):
        write(budgets=[f"budget:{n:04}{k:0116}" for k in range(100)])
        write("m_0010")
    shops.run(NEXT)
    assert (len(batches()), len(batches("m_0010"))) == (0, 1)
    [said] = unmade()
    assert said.startswith(
        "batch m_0009 2026-12 sale: it could not be made since 2026-12-02T16:01:00+00:00, tried 1 times"
    )
    shops.run(NEW_YEAR)
    assert sorted(batch["count"] for batch in batches()) in (
        [1, 2, 3],
        [3, 3],
        [1, 1, 1, 3],
        [1, 2, 1, 2],
        [1, 1, 2, 2],
    )
    assert unmade() == []


def test_a_busy_day_is_parted_into_batches_of_which_a_path_is_short(shops: Log) -> None:
    with transaction() as tx:
        tx.execute(
            text(
                "INSERT INTO entry (id, public_id, type, merchant, day, body, created_at, is_batched)"
                " SELECT gen_random_uuid(), md5(CAST(n AS text)), 'sale', 'm_0009', :day, convert_to(:before || n || '}', 'UTF8'), :at, true"
                " FROM generate_series(1, :purchases) AS n"
            ),
            {
                "day": DAY,
                "at": OPENED,
                "purchases": 2 * MOST + 5,
                "before": canonical_json({**dict.fromkeys(AMOUNTS, 0), "transfers": [], "offers": []})[:-1].decode()
                + ',"v":',
            },
        )
    shops.run(NEXT)
    assert sorted(batch["count"] for batch in batches()) == [684, 684, 685]
    with transaction() as tx:
        entry = tx.scalars(text("SELECT id FROM entry WHERE batch_index = 683 LIMIT 1")).one()
        sale = tx.get_one(Entry, entry)
        found = find_batch(tx, entry=sale)
        assert found is not None
        inside = prove_in_batch(tx, found)
    said = json.loads(inside.entry)
    root = bytes.fromhex(ask("SELECT encode(decode(:root, 'base64'), 'hex')", root=said["root"])[0][0])
    verify_inclusion(leaf=hash_leaf(sale.body), index=inside.index, size=said["count"], proof=inside.path, root=root)


@pytest.mark.parametrize(("body", "of"), [(b"{}", "sale"), (b"not JSON", "sale"), (b"not JSON", "return")])
def test_a_purchase_that_cannot_be_read_holds_up_its_merchant_alone_until_it_can(
    shops: Log, body: bytes, of: str
) -> None:
    sales = [write(merchant) for merchant in ("m_0009", "m_0010") for _ in range(5)]
    if of == "return":
        for sale in sales:
            write("m_0009" if sale in sales[:5] else "m_0010", of=sale)
        broken = write("m_0009", body=body, of=sales[0])
    else:
        broken = write("m_0009", body=body)
    with capture_logs() as logs:
        shops.run(NEXT)
    kinds = {"sale"} if of == "sale" else {"sale", "return"}
    assert {batch["of"] for batch in batches("m_0010")} == kinds
    assert {batch["of"] for batch in batches("m_0009")} == kinds - {of}
    [logged] = logs
    assert (logged["log_level"], logged["kind"], logged["subject"]) == ("error", "batch", f"m_0009 2026-12 {of}")
    assert broken not in str(logged), "an id of a purchase that is not public"
    [said] = unmade()
    assert said.startswith(f"batch m_0009 2026-12 {of}: ")
    for at, times in ((NEXT + MINUTE / 2, 1), (NEXT + MINUTE, 2), (NEXT + 2 * MINUTE, 2), (NEXT + 90 * MINUTE, 3)):
        shops.run(at)
        assert f"tried {times} times" in unmade()[0], "after a minute, then two; also when the day is done"
    with get_engine().begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        whole = canonical_json(
            {**dict.fromkeys(AMOUNTS, 0), "of": sales[0] if of == "return" else "", "transfers": [], "offers": []}
        )
        connection.execute(
            text("UPDATE entry SET body = :whole WHERE public_id = :broken"), {"whole": whole, "broken": broken}
        )
    shops.run(NEXT + 300 * MINUTE)
    assert unmade() == []
    assert {batch["of"] for batch in batches("m_0009")} == kinds


def test_what_comes_after_midnight_is_found_for_ten_minutes_and_then_with_the_next_day(shops: Log) -> None:
    def run(at: datetime) -> list[int]:
        shops.run(at)
        return [batch["count"] for batch in batches()]

    for _ in range(5):
        write()
    assert run(NEXT) == [5]
    for _ in range(5):
        write()  # its transaction began before midnight
    assert run(NEXT + MINUTE) == [5, 5]
    run(NEXT + 11 * MINUTE)
    for _ in range(6):
        write()
    assert run(NEXT + 12 * MINUTE) == [5, 5], "the day is done, and nothing is looked for"
    assert run(NEXT + timedelta(days=1)) == [5, 5, 6]


def test_what_is_committed_after_the_month_s_end_is_published_as_was_promised(shops: Log) -> None:
    shops.run(NEW_YEAR)
    write(day=date(2026, 12, 31))
    shops.run(NEW_YEAR + timedelta(seconds=1))
    assert [batch["count"] for batch in batches()] == [1]


def test_a_step_that_ends_within_a_merchant_s_purchases_leaves_the_day_open(shops: Log) -> None:
    for _ in range(12):
        write()
    late = NEXT + 20 * MINUTE
    with transaction() as tx:
        assert make_batches(tx, policy=shops.policy, at=late, most=1).purchases == 12
    for _ in range(7):
        write()
    with transaction() as tx:
        assert make_batches(tx, policy=shops.policy, at=late).purchases == 7
    with transaction() as tx:
        assert make_batches(tx, policy=shops.policy, at=late).batches == 0
