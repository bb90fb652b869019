"""A pharmacy that is published in batches, beside the noodle shop that is not; and RFC 6962's own recursion."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import merchants
from api import till
from api.public_log import open_log, run_round
from api.receipts import get_receipt
from market.kit.database import get_engine, transaction
from market.kit.ids import new_id
from market.kit.settings import Settings
from market.record.auditing.audit import audit_log
from market.record.policy import Policy
from market.record.publishing.served import record_reader
from market.record.receipts import Keys, Receipt, parse_receipt, verify_receipt
from market.record.receipts.checks import Verdict
from tests.world import NOON, World

DAYS = timedelta(days=1)
MONTH_OVER = datetime.fromisoformat("2027-01-01T00:30:00+08:00")
CHEMIST = {"id": "CHEMIST5", "stage": "line", "kind": "percent_off", "match": {"merchants": ["m_0009"]}, "rate_bp": 500}


def merkle(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + merkle(leaves[:k]) + merkle(leaves[k:])).digest()


@dataclass
class Chemist:
    """A pharmacy, published in batches, beside the noodle shop, published row by row."""

    world: World
    settings: Settings
    policy: Policy
    staff: Any

    def sell(self, fen: int = 1000, *, at: datetime = NOON, noodles: bool = False) -> str:
        staff = self.world.staff if noodles else self.staff
        visit = self.world.visit(at=at, staff=staff)
        keyed = till.AmountsKeyed(fen, 0)
        return till.redeem_at_till(staff_id=staff, visit_id=visit, keyed=keyed, key=str(new_id()), at=at).public_id

    def give_back(self, sale: str, *, at: datetime = NOON) -> str:
        visit = self.world.visit(at=at, staff=self.staff)
        return till.refund_at_till(
            staff_id=self.staff, sale=sale, units={"amount": 1}, visit_id=visit, key=str(new_id()), at=at
        ).public_id

    def sell_many(self, count: int, *, at: datetime = NOON) -> list[str]:
        """A card opens one visit in each half minute."""
        return [self.sell(1000 + 100 * n, at=at + timedelta(minutes=n)) for n in range(count)]

    def publish(self, at: datetime) -> None:
        run_round(self.settings, at=at)

    def batches(self) -> list[dict[str, Any]]:
        """What is published of batches, in the order of the log."""
        return [
            json.loads(body)
            for (body,) in ask("SELECT body FROM entry WHERE type = 'batch' AND leaf_index >= 0 ORDER BY leaf_index")
        ]

    def receipt(self, sale: str) -> Receipt:
        subject = self.world.members[0].subject
        return parse_receipt(get_receipt(self.settings, subject=subject, public_id=sale).encode())

    def check(self, receipt: Receipt, at: datetime = NOON) -> Verdict:
        return verify_receipt(receipt, keys=Keys((self.policy.log,), (self.policy.promise,)), at=at)

    def audit(self) -> list[str]:
        with transaction() as tx:
            audited = audit_log(record_reader(tx), vkey=self.policy.log)
        return [f"{found.rule}: {found.place}: {found.problem}" for found in audited.findings]


def ask(sql: str, **values: object) -> list[Any]:
    with get_engine().connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def bodies_of(batch: str) -> list[bytes]:
    """The single entries of a batch in their order; they are served nowhere."""
    rows = ask(
        "SELECT e.body FROM entry e JOIN entry b ON b.id = e.batch_id WHERE b.public_id = :id ORDER BY e.batch_index",
        id=batch,
    )
    return [bytes(body) for (body,) in rows]


@pytest.fixture
def shop(world: World, tmp_path: Path) -> Chemist:
    settings = Settings(record_folder=tmp_path)
    with transaction() as tx:
        merchant = merchants.admit_merchant(
            tx, code="m_0009", name="百草大药房", credit_code="91310000132206289R", category="pharmacy", at=NOON - DAYS
        )
        place = merchants.add_shop(tx, merchant_id=merchant, code="s_0009", name="百草", address="东门")
        staff = merchants.add_staff(tx, merchant_id=merchant, name="小药", shop_id=place)
    world.offer(CHEMIST)  # before there is a log: so it waits for no checkpoint
    policy = open_log(settings, origin="test.example/log", window_seconds=60, at=NOON - DAYS)
    return Chemist(world, settings, policy, staff)
