"""What one entry adds to the public totals: amounts by whose word they are, returns against their sale, and nothing that was only guessed."""

from datetime import date

import pytest

from market.kit.canonical import canonical_json
from market.oversight.counting import FIGURES, Purchase, add_up, read_purchase
from tests.record_log import DAY, budget, change, give_back, id_of, leave_out, offer, policy_entry, sale

MONTH = DAY.replace(day=1)
NOTHING = dict.fromkeys(FIGURES, 0)
BATCH = {
    "v": 1,
    "type": "batch",
    "id": id_of(9),
    "day": "2026-12-31",
    "merchant": "m_0009",
    "ccy": "CNY",
    "of": "sale",
    "count": 7,
    "list": 7000,
    "concession": 700,
    "subsidy": 300,
    "paid": 6000,
    "rebate_member": 40,
    "rebate_union": 60,
    "offers": [["NOODLE10", 1, 500]],
    "other_offers": 300,
}


def read(place: int, body: bytes) -> Purchase:
    purchase = read_purchase(place, body)
    assert purchase is not None
    return purchase


def test_a_sale_counts_once_in_its_day_its_month_and_its_offer() -> None:
    sums = add_up([read(4, sale(1, member=30, union=20))], {})
    figures = NOTHING | {
        "sold_count": 1,
        "list_fen": 1800,
        "concession_fen": 160,
        "subsidy_fen": 100,
        "paid_fen": 1540,
        "rebate_member_fen": 30,
        "rebate_union_fen": 20,
        "paid_declared_fen": 1540,
        "given_fen": 210,
    }
    assert sums.days == {(DAY,): figures}
    assert sums.months == {(MONTH, "m_0001"): figures}
    assert sums.offers == {(MONTH, "NOODLE10", 1): {"sales_count": 1, "batches_count": 0, "borne_fen": 210}}


@pytest.mark.parametrize(("kind", "voided"), [("void", 1), ("refund", 0)])
def test_what_goes_back_is_taken_off_the_word_of_its_sale(kind: str, voided: int) -> None:
    back = read(7, give_back(2, 1, kind=kind, paid=500, concession=0, subsidy=0))
    of = id_of(1)
    for tenders, declared, provider in (
        ({of: (4, "declared")}, -500, 0),
        ({of: (4, "provider")}, 0, -500),
        ({of: (8, "provider")}, 0, 0),  # a sale that stands behind it is not what it returns
        ({}, 0, 0),
    ):
        (figures,) = add_up([back], tenders).days.values()
        told = {"voided_count": voided, "list_fen": -500, "paid_fen": -500}
        assert figures == NOTHING | told | {"paid_declared_fen": declared, "paid_provider_fen": provider}
        assert add_up([back], tenders).offers == {}


def test_a_batch_counts_its_purchases_and_says_nobody_s_word() -> None:
    sums = add_up([read(5, canonical_json(BATCH)), read(6, canonical_json(BATCH | {"of": "return", "count": 2}))], {})
    assert sums.days == {
        (date(2026, 12, 31),): NOTHING | {"sold_count": 7, "given_fen": 800, "other_fen": 300},
    }
    assert sums.offers == {(MONTH, "NOODLE10", 1): {"sales_count": 0, "batches_count": 1, "borne_fen": 500}}


def test_an_offer_that_is_named_twice_was_used_once() -> None:
    twice = change(sale(1), offers=[["NOODLE10", 1, 100], ["NOODLE10", 1, 60], ["BACK", 2, 7]])
    assert read(0, twice).offers == {("NOODLE10", 1): 160, ("BACK", 2): 7}


@pytest.mark.parametrize(
    "body",
    [
        policy_entry(0),
        budget(1, 100),
        offer(2),
        b"\xff{",
        b"[]",
        b"7",
        leave_out(sale(1), "day"),
        leave_out(sale(1), "merchant"),
        change(sale(1), day="yesterday"),
        change(sale(1), day=20261201),
        change(sale(1), merchant="m\t1"),
        change(sale(1), merchant=["m_0001"]),
        change(canonical_json(BATCH), of="gift"),
    ],
)
def test_what_is_no_purchase_of_a_merchant_and_a_day_adds_nothing(body: bytes) -> None:
    assert read_purchase(0, body) is None


def test_what_is_no_number_is_left_out() -> None:
    odd = change(sale(1), list="1800", concession=True, subsidy=None, paid=1 << 60, offers=[["X", 1], ["Y", "1", 5], 7])
    found = read(0, odd)
    assert found.figures == NOTHING | {"sold_count": 1}
    assert found.offers == {}
