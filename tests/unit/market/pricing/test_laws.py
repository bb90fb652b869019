"""The laws of the pricing rules on random cases. What is tempting and false (dearer pays more, …) is not asserted."""

import json
import random
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.pricing import Reason
from market.pricing.refund import line_shares, refund_step
from tests.oracle.pricing_cases import random_case
from tests.oracle.pricing_oracle import count_plans
from tests.unit.market.pricing.cases import price

cases = (
    st.integers(0, 10**9)
    .map(lambda seed: random_case(random.Random(seed)))
    .filter(lambda case: count_plans(case) < 10**5)
)
laws = settings(max_examples=150, deadline=None)


def criteria(made):
    ids = sorted(applied.offer for applied in made.applied)
    return made.payable, made.sponsor_pays, len(ids), ids


@laws
@given(cases)
def test_lines_stay_between_nothing_and_list_and_sum_to_the_totals(case):
    made = price(case)
    for row in made.lines:
        assert 0 <= row.pay <= row.list
        assert row.list - row.pay == row.line_discount + row.order_discount + row.subsidy
        assert row.list == row.concession + row.sponsor_pays + row.pay
    assert made.payable == sum(row.pay for row in made.lines)
    assert made.list_total == made.concession + made.sponsor_pays + made.payable
    assert made.list_total - made.payable == sum(applied.amount for applied in made.applied)
    assert sum(made.settlement.values()) == made.list_total - made.concession


@laws
@given(cases)
def test_shares_sum_to_amounts_in_total_and_by_payer(case):
    made = price(case)
    sponsored = dict.fromkeys((row.line for row in made.lines), 0)
    for applied in made.applied:
        assert sum(share.amount for share in applied.shares) == applied.amount > 0
        assert sum(share.sponsor for share in applied.shares) == applied.sponsor_pays
        for share in applied.shares:
            assert share.sponsor + share.merchant == share.amount
            assert share.sponsor >= 0
            assert share.merchant >= 0
            sponsored[share.line] += share.sponsor
    assert sponsored == {row.line: row.sponsor_pays for row in made.lines}


@laws
@given(cases)
def test_no_cap_purse_or_group_is_broken(case):
    made = price(case)
    offers = {offer["id"]: offer for offer in case["offers"]}
    drawn: dict[str, int] = {}
    groups = []
    for applied in made.applied:
        offer = offers[applied.offer]
        for cap in ("max_discount", "member_amount_remaining", "budget_remaining"):
            assert applied.amount <= offer.get(cap, applied.amount)
        assert offer.get("uses_remaining") != 0
        if applied.formula in {"PERCENT_OF_UNITS", "AMOUNT_PER_UNIT"}:
            units = dict(applied.numbers)["units"]
            assert units <= offer.get("max_units", units)
        for purse in {*offer.get("budgets", []), *filter(None, [offer.get("allowance")])}:
            if applied.sponsor_pays:
                drawn[purse] = drawn.get(purse, 0) + applied.sponsor_pays
        groups += [offer["group"]] if "group" in offer else []
        others = [other for other in made.applied if other is not applied]
        assert offer.get("alone") != "all" or not others
        assert offer.get("alone") != "stage" or all(other.stage != applied.stage for other in others)
    assert len(groups) == len(set(groups))
    assert drawn == made.draws
    assert all(fen <= case["purses"][purse] for purse, fen in drawn.items())


@laws
@given(cases, st.integers(0, 5))
def test_an_offer_more_never_raises_what_is_paid(case, place):
    fewer = {
        **case,
        "offers": [offer for rank, offer in enumerate(case["offers"]) if rank != place % len(case["offers"])],
    }
    assert price(case).payable <= price(fewer).payable


@laws
@given(cases)
def test_every_candidate_is_applied_or_has_one_reason(case):
    made = price(case)
    named = [applied.offer for applied in made.applied] + [row.offer for row in made.not_applied]
    assert sorted(named) == sorted(offer["id"] for offer in case["offers"])
    for row in made.not_applied:
        assert (row.short_by is not None) == (row.reason is Reason.MIN_SPEND_NOT_MET)
        assert (row.short_by_units is not None) == (row.reason is Reason.MIN_QTY_NOT_MET)


@laws
@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_offers_changes_nothing(case, rng):
    offers = list(case["offers"])
    rng.shuffle(offers)
    assert json.dumps(price(case).to_json()) == json.dumps(price({**case, "offers": offers}).to_json())


@laws
@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_none_of_the_first_five_criteria(case, rng):
    basket = list(case["basket"])
    rng.shuffle(basket)
    assert criteria(price(case)) == criteria(price({**case, "basket": basket}))


@laws
@given(cases, st.data())
def test_a_line_that_went_back_in_any_steps_gives_back_exactly_its_parts(case, data):
    made = price(case).to_json()
    row = data.draw(st.sampled_from(made["lines"]))
    shares = line_shares(made, row["line"])
    back = {"to_member": 0, "subsidy_back": 0, "concession_back": 0}
    by_offer: dict[str, int] = {}
    before = 0
    while before < row["qty"]:
        units = data.draw(st.integers(1, row["qty"] - before))
        step = refund_step(shares, units_before=before, units=units)
        before += units
        for name in back:
            back[name] += getattr(step, name)
        for part in step.sponsors:
            by_offer[part.offer] = by_offer.get(part.offer, 0) + part.fen
        assert back["to_member"] <= row["pay"]
        assert back["subsidy_back"] <= row["sponsor_pays"]
    assert back == {"to_member": row["pay"], "subsidy_back": row["sponsor_pays"], "concession_back": row["concession"]}
    stored = {
        one["offer"]: one["sponsor"] for one in made["sponsor_by_line"] if one["line"] == row["line"] and one["sponsor"]
    }
    assert by_offer == stored


@pytest.mark.parametrize("seed", range(40))
def test_every_order_of_offers_gives_the_same_bytes(seed):
    case = random_case(random.Random(seed))
    case["offers"] = case["offers"][:4]
    results = {json.dumps(price({**case, "offers": list(offers)}).to_json()) for offers in permutations(case["offers"])}
    assert len(results) == 1
