"""Whatever is sold and given back, and whenever batches are made: each purchase is in one batch, of its month, after its sale."""

import json
from collections import Counter
from datetime import date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from market.kit.canonical import canonical_json
from market.kit.clock import get_zone
from market.kit.database import get_engine, transaction
from market.kit.ids import new_public_id
from market.record.batches import LEAST
from market.record.entries import AMOUNTS
from market.record.publication import append_purchase, open_publication
from market.record.publishing.batching import make_batches
from tests.db.record.conftest import Log

FIRST = date(2026, 12, 20)
BEGIN = datetime(2026, 12, 20, 12, tzinfo=get_zone())
DAYS = st.lists(
    st.tuples(
        st.integers(0, 7), st.integers(0, 3), st.booleans()
    ),  # sales, returns, whether batches are made that night
    min_size=1,
    max_size=30,
)
MADE = text(
    "SELECT b.body, array_agg(e.body ORDER BY e.batch_index) AS members FROM entry b JOIN entry e ON e.batch_id = b.id"
    " WHERE b.type = 'batch' AND b.merchant = :merchant GROUP BY b.id ORDER BY b.id"
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=DAYS, most=st.integers(1, 20))
def test_each_purchase_is_in_one_batch_of_its_month_after_its_sale(
    log: Log, days: list[tuple[int, int, bool]], most: int
) -> None:
    merchant, rows, written = f"m_{new_public_id()[:8]}", {}, list[str]()
    with transaction() as tx:
        tx.execute(text("UPDATE log_state SET batched_before = NULL"))  # each example begins at the same day again
        open_publication(tx, merchant=merchant, publication="batched", at=BEGIN - timedelta(days=1))

    def write(day: date, of: str = "") -> str:
        public_id, kind = new_public_id(), "refund" if of else "sale"
        said = {"v": 1, "type": kind, "id": public_id, "day": day.isoformat(), "of": of, "transfers": [], "offers": []}
        body = canonical_json({**said, **dict.fromkeys(AMOUNTS, 1)})
        with transaction() as tx:
            rows[public_id] = append_purchase(
                tx,
                kind="refund" if of else "sale",
                public_id=public_id,
                merchant=merchant,
                day=day,
                body=body,
                at=BEGIN,
                of=rows.get(of),
            )
        written.append(public_id)
        return public_id

    def publish(at: datetime) -> None:
        batches = 1
        while batches:
            with transaction() as tx:
                batches = make_batches(tx, policy=log.policy, at=at, most=most).batches

    open_sales: list[str] = []
    for n, (sales, returns, is_made) in enumerate(days):
        open_sales += [write(FIRST + timedelta(days=n)) for _ in range(sales)]
        for _ in range(min(returns, len(open_sales))):
            write(FIRST + timedelta(days=n), of=open_sales.pop())
        if is_made:
            publish(BEGIN + timedelta(days=n + 1))
    publish(BEGIN + timedelta(days=70))
    with get_engine().connect() as connection:
        made = [
            (json.loads(row.body), [json.loads(one) for one in row.members])
            for row in connection.execute(MADE, {"merchant": merchant})
        ]
    assert Counter(one["id"] for _, members in made for one in members) == Counter(written), "each once"
    published: set[str] = set()
    for batch, members in made:
        assert batch["count"] == len(members)
        assert {one["day"][:7] for one in members} == {batch["day"][:7]}
        assert max(one["day"] for one in members) <= batch["day"]
        assert batch["count"] >= LEAST or date.fromisoformat(batch["day"]) + timedelta(days=1) in (
            date(2027, 1, 1),
            date(2027, 2, 1),
        )
        assert {one["of"] for one in members} <= published | {""}, "nothing goes back before its sale is public"
        published |= {one["id"] for one in members}
