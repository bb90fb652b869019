"""Every rule about batches broken once in a log made by hand; and that batches of any purchases are found right."""

import json
from collections.abc import Sequence
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.record.auditing.finding import Finding
from market.record.auditing.replay import check_entries
from market.record.batches import LEAST, Of, batch_entry
from market.record.log.texts import encode_base64
from tests.record_log import DAY, budget, change, give_back, id_of, leave_out, offer, other, policy_entry, sale

LAST = date(2026, 12, 31)
SALES = [sale(100 + n, member=30, union=20) for n in range(6)]
BACK = [give_back(200 + n, 100 + n, concession=60, subsidy=40, paid=500, member=30) for n in range(5)]


def batch(number: int, bodies: Sequence[bytes], of: Of = "sale", *, day: date = DAY) -> bytes:
    return batch_entry(public_id=id_of(number), day=day, merchant="m_0001", of=of, bodies=bodies)


def terms(number: int, publication: str, since: str, *, action: str = "changed", day: date = DAY) -> bytes:
    own = {"action": action, "merchant": "m_0001", "publication": publication, "from": since}
    return other(number, "merchant", day=day, **own)


LOG = [
    policy_entry(0),
    budget(1, 10_000),
    offer(2),
    terms(3, "batched", "2026-12-01", action="admitted"),
    batch(4, SALES),
    batch(5, BACK, "return"),
    terms(6, "row", "2026-12-04"),
    sale(7, day=date(2026, 12, 4)),
    batch(8, [sale(107)], day=LAST),
]


def find(bodies: Sequence[bytes]) -> list[Finding]:
    return list(check_entries(bodies))


def test_nothing_is_found_in_a_log_with_batches() -> None:
    assert find(LOG) == []


BROKEN: dict[str, tuple[int, bytes, str, str]] = {
    # name: (index, the entry instead, rule, field)
    "a count of none": (4, change(LOG[4], count=0), "publication", "count"),
    "fewer than five within the month": (4, batch(4, SALES[:4]), "publication", "count"),
    "a root that is no hash": (4, change(LOG[4], root="YWJj"), "form", "root"),
    "a batch of something else": (4, change(LOG[4], of="gift"), "form", "of"),
    "a commitment in a batch": (4, change(LOG[4], subject=encode_base64(bytes(32))), "form", "subject"),
    "a batch of sales without offers": (
        4,
        leave_out(leave_out(LOG[4], "offers"), "other_offers"),
        "publication",
        "offers",
    ),
    "a batch of returns with offers": (5, change(LOG[5], offers=[], other_offers=0), "publication", "offers"),
    "amounts that do not add up": (4, change(LOG[4], paid=1), "amounts", "list"),
    "offers that do not add up": (4, change(LOG[4], other_offers=7), "offers", "offers"),
    "other offers below zero": (4, change(LOG[4], other_offers=-7), "offers", "other_offers"),
    "an offer never published": (4, change(LOG[4], offers=[["GHOST", 1, 1260]]), "offers", "offers"),
    "a subsidy that is not booked": (4, change(LOG[4], transfers=[]), "transfers", "subsidy"),
    "more back than batches sold": (5, change(LOG[5], list=90_000, paid=89_500), "returns", "paid"),
    "a sale by itself of a batched merchant": (7, sale(7, day=date(2026, 12, 3)), "publication", "merchant"),
    "a batch of a merchant with rows": (8, batch(8, [sale(107)], day=date(2027, 1, 31)), "publication", "merchant"),
    "terms for today": (6, terms(6, "row", "2026-12-01"), "publication", "from"),
    "terms for no day": (6, leave_out(LOG[6], "from"), "publication", "publication"),
    "terms nobody knows": (6, terms(6, "secret", "2026-12-04"), "form", "publication"),
    "a day beyond every calendar": (8, change(LOG[8], day="9999-12-31"), "publication", "merchant"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_where_it_is(name: str) -> None:
    index, body, rule, field = BROKEN[name]
    found = find([*LOG[:index], body, *LOG[index + 1 :]])
    assert (rule, field, index) in {(one.rule, one.field, one.leaf_index) for one in found}, found


def test_the_last_that_was_said_for_a_day_holds() -> None:
    later = terms(6, "row", "2026-12-10")
    again = terms(9, "batched", "2026-12-05", day=date(2026, 12, 2))
    for on, wrong in ((date(2026, 12, 9), True), (date(2026, 12, 11), True)):
        assert bool(find([*LOG[:6], later, again, sale(10, day=on)])) is wrong
    assert find([*LOG[:6], later, sale(10, day=date(2026, 12, 11))]) == []


def test_a_budget_may_be_short_by_what_batches_drew_and_no_more() -> None:
    """What came back to a batched merchant is spent again before it is public."""
    start = [policy_entry(0), budget(1, 600), offer(2), LOG[3], batch(4, SALES), terms(5, "row", "2026-12-02")]
    rows = [sale(10 + n, day=date(2026, 12, 2)) for n in range(7)]
    assert find([*start, *rows[:6], budget(30, 1)]) == []
    found = find([*start, *rows, budget(30, 1)])
    assert [(one.rule, one.leaf_index) for one in found] == [("balances", 6)]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=25), st.randoms(use_true_random=False))
def test_each_purchase_counts_once_whatever_the_batches(kinds: list[int], chance: Random) -> None:
    """Sums of all batches together are those of the purchases, and no offer is named that fewer than five used."""
    bodies = [sale(1000 + n, concession=100 + kind, member=kind) for n, kind in enumerate(kinds)]
    bodies = [change(body, offers=[[f"O{kind}", 1, 100 + 2 * kind]]) for body, kind in zip(bodies, kinds, strict=True)]
    chance.shuffle(bodies)
    cut = len(bodies) // 2
    parts = [part for part in (bodies[:cut], bodies[cut:]) if part]
    log = [policy_entry(0), budget(1, 10**6), *(offer(10 + n, f"O{n}") for n in range(4)), LOG[3]]
    log += [batch(50 + n, part, day=LAST) for n, part in enumerate(parts)]
    assert find(log) == []
    said = [json.loads(body) for body in log[7:]]
    assert sum(one["count"] for one in said) == len(kinds)
    assert sum(one["concession"] for one in said) == sum(100 + kind for kind in kinds)
    for one, part in zip(said, parts, strict=True):
        used = [json.loads(body)["offers"][0][0] for body in part]
        assert {row[0] for row in one["offers"]} == {name for name in set(used) if used.count(name) >= LEAST}
