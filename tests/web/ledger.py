"""A public log that a test writes to and publishes, over the web application, and how its tables are read as files."""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api import till
from api.public_log import open_log, run_round
from market.kit.canonical import canonical_json
from market.kit.clock import now
from market.kit.database import get_engine, transaction
from market.kit.ids import new_public_id
from market.kit.settings import Settings
from market.record.operations import append_entry
from market.record.policy import Policy
from tests.web.conftest import Works
from tests.web.market import issue, open_market, put_offer

BACK = {
    "id": "BACK5",
    "stage": "rebate",
    "kind": "percent_back",
    "match": {"merchants": ["m_0001"]},
    "rate_bp": 500,
    "rebate_to": "union",
}


@dataclass
class Ledger:
    """A log that a test writes to and publishes."""

    settings: Settings
    policy: Policy
    works: Works

    def write(self, kind: str, *, on: date, merchant: str | None = None, **more: object) -> str:
        public_id = new_public_id()
        body = {"v": 1, "type": kind, "id": public_id, "day": on.isoformat(), **more}
        if merchant:
            body["merchant"] = merchant
        with transaction() as tx:
            append_entry(
                tx,
                kind=kind,
                public_id=public_id,
                merchant=merchant,
                day=on,
                body=canonical_json(body),
                at=now() - timedelta(minutes=1),
            )
        return public_id

    def publish(self, at: datetime | None = None) -> None:
        run_round(self.settings, at=at or now() + timedelta(minutes=1))

    def sell(self, fen: int, key: str) -> str:
        at = now()
        visit = till.open_visit_at_till(staff_id=self.works.staff_id, scanned=issue(self.works).code, at=at)
        keyed = till.AmountsKeyed(fen, 200)
        return till.redeem_at_till(
            staff_id=self.works.staff_id, visit_id=visit.visit_id, keyed=keyed, key=key, at=at
        ).public_id

    def refund(self, sale: str, key: str) -> str:
        at = now()
        visit = till.open_visit_at_till(staff_id=self.works.staff_id, scanned=issue(self.works).code, at=at).visit_id
        return till.refund_at_till(
            staff_id=self.works.staff_id, sale=sale, units={"amount": 1}, visit_id=visit, key=key, at=at
        ).public_id


@pytest.fixture
def ledger(client: TestClient, works: Works, tmp_path: Path) -> Ledger:
    """An open log that holds its policy, nothing signed yet."""
    return open_ledger(works, tmp_path)


@pytest.fixture
def sold(client: TestClient, works: Works, tmp_path: Path) -> Ledger:
    """Three sales under a concession, a subsidy once a day and a rebate to the union; the first is partly given back.

    The offers are older than the log, so that they wait for no checkpoint; nothing is signed yet.
    """
    open_market()
    put_offer(BACK, title="返给工会", title_en="Back to the union", at=now())
    ledger = open_ledger(works, tmp_path)
    sales = [ledger.sell(fen, f"sale-{fen}") for fen in (1600, 2700, 3333)]
    ledger.refund(sales[0], "back-0001")
    return ledger


def open_ledger(works: Works, folder: Path) -> Ledger:
    settings = Settings(record_folder=folder)
    return Ledger(
        settings,
        open_log(settings, origin="test.example/log", window_seconds=5, at=now() - timedelta(minutes=1)),
        works,
    )


def rows_of(client: TestClient, path: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["rows"])


def lines_of(client: TestClient, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def ask(sql: str) -> list[Any]:
    """The test's own question to the database."""
    with get_engine().connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]
