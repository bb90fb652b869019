"""The laws of the pricing rules on random cases. What is tempting and false (dearer pays more, …) is not asserted."""

import json
import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.pricing import Reason
from tests.oracle.pricing_cases import random_case
from tests.oracle.pricing_laws import cases, laws
from tests.oracle.pricing_reasons import net_before
from tests.unit.market.pricing.cases import price

CAPS = ("max_discount", "member_amount_remaining", "budget_remaining")


def chosen(made):
    """Applied offers that were a choice: a rebate to the union is none."""
    return [applied for applied in made.applied if applied.rebate_to != "union"]


def criteria(made):
    ids = sorted(applied.offer for applied in chosen(made))
    return made.payable, -made.rebate, made.sponsor_pays, len(ids), ids


@laws
@given(cases)
def test_lines_stay_between_nothing_and_list_and_sum_to_the_totals(case):
    made = price(case)
    discounts = [applied for applied in made.applied if applied.stage != "rebate"]
    for row in made.lines:
        assert 0 <= row.pay <= row.list
        assert row.list - row.pay == row.line_discount + row.order_discount + row.subsidy
        assert row.list == row.concession + row.sponsor_pays + row.pay
    assert made.payable == sum(row.pay for row in made.lines)
    assert made.list_total == made.concession + made.sponsor_pays + made.payable
    assert made.list_total - made.payable == sum(applied.amount for applied in discounts)
    for stage, column in (("line", "line_discount"), ("order", "order_discount"), ("subsidy", "subsidy")):
        of_stage = sum(applied.amount for applied in discounts if applied.stage == stage)
        assert of_stage == sum(getattr(row, column) for row in made.lines)
    assert sum(made.settlement.values()) == made.list_total - made.concession


@laws
@given(cases)
def test_rebates_stay_within_what_is_paid_on_each_line_and_sum_to_the_totals(case):
    made = price(case)
    back = {row.line: {"member": 0, "union": 0} for row in made.lines}
    for applied in made.applied:
        assert (applied.rebate_to is None) == (applied.stage != "rebate")
        for share in applied.shares:
            if applied.rebate_to:
                back[share.line][applied.rebate_to] += share.amount
    for row in made.lines:
        assert row.rebate + row.rebate_union <= row.pay
        assert back[row.line] == {"member": row.rebate, "union": row.rebate_union}
    assert made.rebate == sum(row.rebate for row in made.lines)
    assert made.rebate_union == sum(row.rebate_union for row in made.lines)


@laws
@given(cases)
def test_a_rebate_changes_nothing_of_what_is_paid_and_one_to_the_union_nothing_at_all(case):
    made = price(case)
    applied = {row.offer for row in made.applied}
    kept = [offer for offer in case["offers"] if offer["stage"] != "rebate" and offer["id"] in applied]
    assert price({**case, "offers": kept}).payable == made.payable
    without = price({**case, "offers": [offer for offer in case["offers"] if offer.get("rebate_to") != "union"]})
    assert criteria(without) == criteria(made)
    assert [(row.pay, row.concession, row.sponsor_pays, row.rebate) for row in without.lines] == [
        (row.pay, row.concession, row.sponsor_pays, row.rebate) for row in made.lines
    ]


@laws
@given(cases)
def test_shares_sum_to_amounts_in_total_and_by_payer(case):
    made = price(case)
    sponsored = dict.fromkeys((row.line for row in made.lines), 0)
    for applied in made.applied:
        assert sum(share.amount for share in applied.shares) == applied.amount > 0
        assert sum(share.sponsor for share in applied.shares) == applied.sponsor_pays
        assert applied.stage != "rebate" or applied.sponsor_pays == 0
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
        for cap in CAPS:
            assert applied.amount <= offer.get(cap, applied.amount)
        assert offer.get("uses_remaining") != 0
        if applied.stage == "line":
            units = dict(applied.numbers)["units"]
            assert units <= offer.get("max_units", units)
        for purse in {*offer.get("budgets", []), *filter(None, [offer.get("allowance")])}:
            if applied.sponsor_pays:
                drawn[purse] = drawn.get(purse, 0) + applied.sponsor_pays
        if applied in chosen(made):
            groups += [offer["group"]] if "group" in offer else []
            others = [other for other in chosen(made) if other is not applied]
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
    assert criteria(price(case))[:2] <= criteria(price(fewer))[:2]


@laws
@given(cases)
def test_every_candidate_is_applied_or_has_one_reason(case):
    made = price(case)
    kinds = {offer["id"]: offer["kind"] for offer in case["offers"]}
    named = [applied.offer for applied in made.applied] + [row.offer for row in made.not_applied]
    assert sorted(named) == sorted(kinds)
    for row in made.not_applied:
        assert (row.short_by is not None) == (row.reason is Reason.MIN_SPEND_NOT_MET)
        # A set that lacks units has no effect, and tells how many it lacks.
        of_sets = row.reason is Reason.NO_EFFECT and kinds[row.offer] in {"bundle", "buy_x_get_y"}
        assert row.short_by_units is None or row.short_by_units > 0
        assert of_sets or (row.short_by_units is not None) == (row.reason is Reason.MIN_QTY_NOT_MET)


@laws
@given(cases)
def test_a_usable_offer_of_a_barring_group_is_told_apart_from_one_that_is_beaten(case):
    made = price(case)
    offers = {offer["id"]: offer for offer in case["offers"]}
    applied = [offers[row.offer] for row in chosen(made)]
    for row in made.not_applied:
        offer = offers[row.offer]
        barred = any(
            (offer.get("group") and offer.get("group") == other.get("group"))
            or "all" in (offer.get("alone"), other.get("alone"))
            or ("stage" in (offer.get("alone"), other.get("alone")) and offer["stage"] == other["stage"])
            for other in applied
        )
        if row.reason in {Reason.EXCLUSIVE_CONFLICT, Reason.BEATEN_BY_BETTER}:
            assert barred == (row.reason is Reason.EXCLUSIVE_CONFLICT)
            assert offer.get("rebate_to") != "union"  # it is no choice, so nothing bars or beats it


@laws
@given(cases)
def test_hints_name_the_nearest_thresholds_that_the_chosen_plan_leaves_open(case):
    made = price(case)
    offers = {offer["id"]: offer for offer in case["offers"]}
    places = {line["line"]: place for place, line in enumerate(case["basket"])}
    plan = {row.offer: {places[share.line]: share.amount for share in row.shares} for row in made.applied}
    for hint in made.hints:
        offer = offers[hint.offer]
        thresholds = {offer.get("min_spend"), *(tier["min"] for tier in offer.get("tiers", []))}
        assert net_before(case, offer, plan) + hint.short_by in thresholds
        assert hint.short_by > 0
        assert 0 < hint.off <= min(offer.get(cap, hint.off) for cap in CAPS)
    distances = [hint.short_by for hint in made.hints]
    assert distances == sorted(distances)
    assert len(distances) <= 2
    # An offer with nothing but its threshold in the way is told, unless two others are nearer.
    plain = {"id", "stage", "kind", "match", "tiers", "repeat", "priority", "on_shortage", "sponsor_share_bp"}
    for row in made.not_applied:
        offer = offers[row.offer]
        gives = any(tier["off"] for tier in offer.get("tiers", [])[:1])
        is_barred = any(offers[name].get("alone", "none") != "none" for name in plan)
        if row.short_by and set(offer) <= plain and gives and not is_barred:
            assert row.offer in {hint.offer for hint in made.hints} or (
                len(distances) == 2 and distances[-1] <= row.short_by
            )


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


@pytest.mark.parametrize("seed", range(40))
def test_every_order_of_offers_gives_the_same_bytes(seed):
    case = random_case(random.Random(seed))
    case["offers"] = case["offers"][:4]
    results = {json.dumps(price({**case, "offers": list(offers)}).to_json()) for offers in permutations(case["offers"])}
    assert len(results) == 1
