"""Batches: what of a small shop is published, when, and that each purchase is in one of them. Roots by RFC 6962's own recursion."""

import base64
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from api.receipts import find_promise
from market.kit.canonical import canonical_json
from market.kit.database import connect, transaction
from market.kit.ids import new_public_id
from market.record.publication import append_purchase, change_publication
from market.record.publishing.batching import make_batches
from market.record.publishing.closing import close_days
from market.record.publishing.sequencer import LogForkError
from market.record.receipts import parse_receipt, verify_receipt
from tests.db.record.chemist import CHEMIST, DAYS, MONTH_OVER, Chemist, ask, bodies_of, merkle
from tests.world import NOON, findings


def test_a_new_merchant_says_that_it_is_published_in_batches(shop: Chemist) -> None:
    (body,) = ask("SELECT body FROM entry WHERE type = 'merchant' AND merchant = 'm_0009'")[0]
    said = json.loads(body)
    assert (said["action"], said["publication"], said["from"]) == ("admitted", "batched", "2026-11-30")


def test_what_is_fewer_than_five_waits_and_five_are_one_entry(shop: Chemist) -> None:
    sales = shop.sell_many(4)
    shop.sell(noodles=True, at=NOON + timedelta(hours=1))
    shop.publish(NOON + DAYS)
    assert shop.batches() == [], "four wait"
    assert [row[0] for row in ask("SELECT merchant FROM entry WHERE type = 'sale' AND leaf_index >= 0")] == ["m_0001"]
    sales.append(shop.sell(2000, at=NOON + DAYS))
    shop.publish(NOON + DAYS + timedelta(hours=2))
    assert shop.batches() == [], "the day is not over"
    shop.publish(NOON + 2 * DAYS)
    [batch] = shop.batches()
    said = [json.loads(body) for body in bodies_of(batch["id"])]
    assert {one["id"] for one in said} == set(sales)
    assert (batch["count"], batch["day"], batch["of"]) == (5, "2026-12-02", "sale")
    for name in ("list", "concession", "subsidy", "paid"):
        assert batch[name] == sum(one[name] for one in said), name
    assert batch["list"] == 1000 + 1100 + 1200 + 1300 + 2000
    assert batch["offers"] == [["CHEMIST5", 1, batch["concession"]]]
    assert batch["transfers"] == [["budget:lunch", "payable:m_0009", 500]]
    leaves = [hashlib.sha256(b"\x00" + body).digest() for body in bodies_of(batch["id"])]
    assert base64.b64decode(batch["root"]) == merkle(leaves)
    hidden = {"channel", "tender", "subject", "basket", "facts"} | {*sales}
    assert not any(word in json.dumps(batch) for word in hidden)
    shop.publish(NOON + 3 * DAYS)
    assert len(shop.batches()) == 1
    assert findings() == []
    assert shop.audit() == []


def test_an_offer_that_few_used_is_not_named(shop: Chemist) -> None:
    shop.world.offer(CHEMIST | {"id": "CHEMIST_BIG", "rate_bp": 5000, "min_spend": 500_000})
    shop.publish(NOON)  # with this it starts
    for n, fen in enumerate((600_000, *[1000] * 5)):
        shop.sell(fen, at=NOON + timedelta(minutes=n))
    shop.publish(NOON + DAYS)
    [batch] = shop.batches()
    named = {offer for offer, _, _ in batch["offers"]}
    assert named == {"CHEMIST5"}
    assert batch["other_offers"] > 0
    assert sum(fen for _, _, fen in batch["offers"]) + batch["other_offers"] == batch["concession"]


def test_what_is_left_when_the_month_is_over_is_published_whatever_its_count(shop: Chemist) -> None:
    sale = shop.sell()
    shop.publish(MONTH_OVER - timedelta(hours=1))
    assert shop.batches() == []
    shop.publish(MONTH_OVER)
    [batch] = shop.batches()
    assert (batch["count"], batch["day"]) == (1, "2026-12-31")
    assert batch["offers"] == [], "one of one is not named"
    assert shop.check(shop.receipt(sale)).outcome == "proved"
    assert (findings(), shop.audit()) == ([], [])


def test_months_are_not_mixed(shop: Chemist) -> None:
    shop.sell_many(3, at=MONTH_OVER - timedelta(hours=2))
    shop.sell_many(3, at=MONTH_OVER)
    shop.publish(MONTH_OVER + 2 * DAYS)
    assert [(batch["count"], batch["day"]) for batch in shop.batches()] == [(3, "2026-12-31")]


def test_what_went_back_is_batched_after_its_sale(shop: Chemist) -> None:
    sales = shop.sell_many(4)
    for n, sale in enumerate(sales):
        shop.give_back(sale, at=NOON + timedelta(minutes=10 + n))
    shop.publish(NOON + DAYS)
    assert shop.batches() == []
    shop.sell(at=NOON + DAYS)
    shop.publish(NOON + 2 * DAYS)
    assert [batch["of"] for batch in shop.batches()] == ["sale"], "four that went back wait for a fifth"
    shop.publish(MONTH_OVER)
    sold, back = shop.batches()
    assert (back["of"], back["count"]) == ("return", 4)
    assert back["transfers"] == [["payable:m_0009", "budget:lunch", 400]]
    assert back["paid"] < sold["paid"]
    assert "offers" not in back
    assert (findings(), shop.audit()) == ([], [])


def test_the_promise_is_kept_until_the_month_is_over(shop: Chemist) -> None:
    sale = shop.sell()
    promised = find_promise(shop.settings, public_id=sale)
    assert promised is not None
    assert promised.by == datetime.fromisoformat("2027-01-01T00:02:00+08:00"), "its window and the delay after midnight"
    assert shop.check(shop.receipt(sale)).outcome == "promised"
    shop.publish(promised.by - timedelta(minutes=3))
    assert shop.check(shop.receipt(sale), at=promised.by).outcome == "promised"
    assert shop.check(shop.receipt(sale), at=promised.by + timedelta(seconds=1)).outcome == "overdue"
    shop.publish(promised.by)
    assert shop.check(shop.receipt(sale), at=promised.by + DAYS).outcome == "proved"


def test_a_receipt_proves_itself_in_two_steps(shop: Chemist) -> None:
    sales = shop.sell_many(7)
    young = shop.receipt(sales[0])
    assert young.batch is None
    shop.publish(NOON + DAYS)
    for sale in sales:
        receipt = shop.receipt(sale)
        assert receipt.leaf == young.leaf or sale != sales[0]
        verdict = shop.check(receipt)
        assert verdict.outcome == "proved", verdict
        assert "7" in verdict.en
        assert {step.state for step in verdict.steps} == {"holds"}
        assert b"huigong-receipt/2" in receipt.encode()
        assert verify_receipt(parse_receipt(receipt.encode()), keys=None, at=NOON).outcome == "proved"


def test_every_flipped_byte_of_the_two_steps_is_found(shop: Chemist) -> None:
    sale = shop.sell_many(6)[2]
    shop.publish(NOON + DAYS)
    receipt = shop.receipt(sale)
    assert receipt.batch is not None
    inside = receipt.batch
    for place, hash_ in enumerate(inside.path):
        for at in range(32):
            flipped = hash_[:at] + bytes([hash_[at] ^ 1]) + hash_[at + 1 :]
            path = (*inside.path[:place], flipped, *inside.path[place + 1 :])
            assert shop.check(replace(receipt, batch=replace(inside, path=path))).outcome == "differs"
    for at in range(len(inside.entry)):
        entry = inside.entry[:at] + bytes([inside.entry[at] ^ 1]) + inside.entry[at + 1 :]
        assert shop.check(replace(receipt, batch=replace(inside, entry=entry))).outcome == "differs"
    for index in (0, 1, 5, 6, 2**62):
        if index != inside.index:
            assert shop.check(replace(receipt, batch=replace(inside, index=index))).outcome == "differs"
    assert shop.check(replace(receipt, batch=replace(inside, path=inside.path[:-1]))).outcome == "differs"
    assert shop.check(replace(receipt, batch=None)).outcome == "differs", "the batch's proof is not the purchase's"
    other = shop.receipt(sale)
    said = json.loads(inside.entry)
    for changes in (
        {"merchant": "m_0001"},
        {"day": "2026-11-30"},
        {"paid": 1},
        {"of": "return"},
        {"type": "sale"},
        {"count": "6"},
    ):
        entry = canonical_json(said | changes)
        assert shop.check(replace(other, batch=replace(inside, entry=entry))).outcome == "differs", changes


def test_the_close_leaves_out_what_waits_and_says_it_when_it_tells_nothing(shop: Chemist) -> None:
    shop.sell_many(2)
    shop.sell(noodles=True, at=NOON + timedelta(minutes=30))

    def close(at: datetime) -> list[date]:
        shop.publish(at - timedelta(minutes=20))
        with transaction() as tx:
            closed = close_days(tx, policy=shop.policy, at=at)
        shop.publish(at)
        return closed

    midnight = NOON.replace(hour=16, minute=30)  # half past in Shanghai
    close(midnight)
    [first] = [
        json.loads(body)["balances"]
        for (body,) in ask("SELECT body FROM entry WHERE type = 'close' AND day = '2026-12-01'")
    ]
    assert first.keys() == {"payable:m_0001", "union:fund"}, (
        "the chemist's debt and the budget it drew on would tell two sales"
    )
    assert close(midnight + DAYS) == [], "nothing moved, and what is held is held"
    shop.sell_many(3, at=NOON + 2 * DAYS)
    close(midnight + 2 * DAYS)
    [second] = [
        json.loads(body)["balances"]
        for (body,) in ask("SELECT body FROM entry WHERE type = 'close' AND day = '2026-12-03'")
    ]
    assert second == {"budget:lunch": 99_400, "payable:m_0009": 500}
    assert close(midnight + 3 * DAYS) == []
    shop.sell(at=NOON + 4 * DAYS)
    assert close(MONTH_OVER) == [date(2026, 12, 31)], "whatever waited is published, though nothing moved on that day"
    assert (findings(), shop.audit()) == ([], [])


def test_a_change_within_a_month_leaves_earlier_purchases_in_batches(shop: Chemist) -> None:
    early = shop.sell_many(2)
    with transaction() as tx:
        change_publication(
            tx,
            merchant="m_0009",
            publication="row",
            reason="sales",
            from_on=date(2026, 12, 3),
            at=NOON + timedelta(hours=1),
        )
    still = shop.sell(at=NOON + DAYS)
    late = shop.sell(at=NOON + 2 * DAYS)
    back_early, back_late = shop.give_back(early[0], at=NOON + 3 * DAYS), shop.give_back(late, at=NOON + 3 * DAYS)
    shop.publish(NOON + 4 * DAYS)
    placed = {row[0] for row in ask("SELECT public_id FROM entry WHERE merchant = 'm_0009' AND leaf_index >= 0")}
    assert placed >= {late, back_late}
    assert placed.isdisjoint({*early, still, back_early}), "fewer than five, so they wait"
    shop.publish(MONTH_OVER)
    assert [(batch["of"], batch["count"]) for batch in shop.batches()] == [("sale", 3), ("return", 1)]
    assert (findings(), shop.audit()) == ([], [])


def test_a_purchase_is_in_one_batch_and_stays_there(shop: Chemist, database: Engine) -> None:
    shop.sell_many(5)
    shop.publish(NOON + DAYS)
    shop.sell(at=NOON + DAYS)
    for statement in (
        "UPDATE entry SET batch_id = NULL, batch_index = NULL WHERE batch_id IS NOT NULL",
        "UPDATE entry SET batch_index = batch_index + 10 WHERE batch_id IS NOT NULL",
        "UPDATE entry SET leaf_index = 999 WHERE is_batched AND batch_index = 0",
        "UPDATE entry SET leaf_index = 999 WHERE is_batched AND batch_id IS NULL",
        "UPDATE entry SET is_batched = false WHERE is_batched",
        "UPDATE entry SET batch_id = (SELECT id FROM entry WHERE type = 'batch'), batch_index = 0 WHERE is_batched AND batch_id IS NULL",
        "UPDATE entry SET batch_id = (SELECT id FROM entry WHERE type = 'batch'), batch_index = 9 WHERE type = 'offer'",
        "UPDATE merchant_publication SET publication = 'row'",
        "DELETE FROM merchant_publication",
    ):
        with pytest.raises(IntegrityError), database.begin() as connection:
            connection.execute(text(statement))


def test_a_restored_backup_signs_no_other_batch_over_the_same_purchases(shop: Chemist, database: Engine) -> None:
    shop.sell_many(5)
    shop.publish(NOON)
    (size,) = ask("SELECT max(size) FROM log_checkpoint")[0]
    shop.publish(NOON + DAYS)
    assert len(shop.batches()) == 1
    with database.begin() as connection:  # set back to noon, past the triggers as a restore is
        connection.execute(text("SET session_replication_role = replica"))
        for statement in (
            "UPDATE entry SET batch_id = NULL, batch_index = NULL",
            "DELETE FROM entry WHERE leaf_index >= :size",
            "DELETE FROM log_checkpoint WHERE size > :size",
            "UPDATE log_tile SET hashes = substring(hashes FOR 32 * :size) WHERE level = 0",
            "UPDATE log_state SET size = :size, batched_before = NULL",
        ):
            connection.execute(text(statement), {"size": size} if ":size" in statement else {})
    with pytest.raises(LogForkError):
        shop.publish(NOON + DAYS)
    assert ask("SELECT max(size) FROM log_checkpoint") == [(size,)]
    assert ask("SELECT count(*) FROM entry WHERE type = 'batch' OR batch_id IS NOT NULL") == [(0,)], "none is made"


NIGHT = datetime.fromisoformat("2026-12-06T00:05:00+08:00")  # while it is still looked for what comes late


class Worker(threading.Thread):
    """A thread that keeps what went wrong."""

    def __init__(self, work: Callable[[int], None], number: int) -> None:
        super().__init__()
        self.work, self.number, self.failures = work, number, list[Exception]()

    def run(self) -> None:
        try:
            self.work(self.number)
        except Exception as error:  # noqa: BLE001  whatever it is, the test names it
            self.failures.append(error)


def begin(count: int, work: Callable[[int], None]) -> list[Worker]:
    workers = [Worker(work, number) for number in range(count)]
    for worker in workers:
        worker.start()
    return workers


def end(workers: Sequence[Worker]) -> list[Exception]:
    for worker in workers:
        worker.join()
    return [error for worker in workers for error in worker.failures]


@pytest.mark.parametrize("each", [6, pytest.param(60, marks=pytest.mark.prove)])
def test_sixteen_writers_and_two_sequencers_leave_each_purchase_in_one_batch(
    shop: Chemist, database_url: str, each: int
) -> None:
    connect(database_url, pool_size=20)
    over = threading.Event()

    def write(number: int) -> None:
        for n in range(each):
            with transaction() as tx:
                public_id, day = new_public_id(), date(2026, 12, 1 + n % 3)
                body = _body(public_id, day)
                append_purchase(tx, kind="sale", public_id=public_id, merchant="m_0009", day=day, body=body, at=NOON)
                if (number + n) % 4 == 0:
                    tx.rollback()

    def publish(_number: int) -> None:
        while not over.is_set():
            with transaction() as tx:
                make_batches(tx, policy=shop.policy, at=NIGHT, most=7)

    sequencers = begin(2, publish)
    failures = end(begin(16, write))
    over.set()
    failures += end(sequencers)
    shop.publish(MONTH_OVER)
    assert failures == []
    batches = shop.batches()
    held = Counter(json.loads(body)["id"] for batch in batches for body in bodies_of(batch["id"]))
    assert held == Counter(row[0] for row in ask("SELECT public_id FROM entry WHERE is_batched"))
    assert set(held.values()) == {1}
    assert sum(batch["count"] for batch in batches) == sum(held.values())
    assert len(held) == 16 * each - sum((number + n) % 4 == 0 for number in range(16) for n in range(each))
    assert all(batch["count"] >= 5 or batch["day"] == "2026-12-31" for batch in batches)
    assert shop.audit() == []


_SAYS = (
    "UPDATE entry SET body = convert_to(replace(convert_from(body, 'UTF8'), '\"{0}\":', '\"{0}\":1'), 'UTF8') WHERE {1}"
)
TAMPERED: Mapping[str, str] = {
    _SAYS.format("paid", "batch_index = 1"): "batches",
    **{_SAYS.format(name, "type = 'batch'"): "batches" for name in ("count", "paid", "other_offers")},
    "UPDATE entry SET batch_index = 9 WHERE batch_index = 1": "batches",
    "UPDATE entry SET batch_id = NULL, batch_index = NULL WHERE batch_index = 4": "batches",
    "UPDATE entry SET batch_id = NULL, batch_index = NULL, is_batched = false WHERE batch_index = 4": "batches",
    "UPDATE entry SET is_batched = false WHERE type = 'sale' AND batch_id IS NULL AND is_batched": "publications",
    "UPDATE entry SET merchant = 'm_0001' WHERE batch_index = 2": "batches",
    "UPDATE entry SET day = '2026-12-09' WHERE batch_index = 2": "batches",
    "DELETE FROM entry WHERE type = 'batch'": "batches",
    "UPDATE merchant_publication SET publication = 'row', reason = 'sales' WHERE merchant = 'm_0009'": "publications",
    "DELETE FROM entry WHERE type = 'merchant' AND merchant = 'm_0009'": "publications",
    "UPDATE log_checkpoint SET signed_at = '2027-01-02'": "batches",
}


@pytest.mark.parametrize("statement", TAMPERED)
def test_verify_finds_what_was_changed_behind_a_batch(shop: Chemist, database: Engine, statement: str) -> None:
    shop.sell_many(5)
    shop.publish(NOON + DAYS)
    shop.sell(at=NOON + DAYS)
    assert findings() == []
    with database.begin() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")
        connection.exec_driver_sql(statement)
    assert any(found.startswith(TAMPERED[statement]) for found in findings()), findings()


def _body(public_id: str, day: date) -> bytes:
    amounts = {"list": 900, "concession": 0, "subsidy": 0, "paid": 900, "rebate_member": 0, "rebate_union": 0}
    return canonical_json(
        {"v": 1, "type": "sale", "id": public_id, "day": day.isoformat(), "offers": [], "transfers": [], **amounts}
    )
