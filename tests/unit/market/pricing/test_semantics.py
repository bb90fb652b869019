"""One test for each rule of the pricing rules that these kinds need, with figures worked out by hand."""

import pytest

from tests.unit.market.pricing.cases import amounts, case, line, off, percent, price, reasons, save, unit_off


def pays(made):
    return [row.pay for row in made.lines]


def test_a_line_percentage_is_rounded_half_up_once_for_a_line():
    # 3 × 5 = 15 fen, 10 % = 1.5 → 2; unit by unit it would be 3 × 1.
    assert amounts(price(case([line("a", 5, 3)], [percent("P", 1000)]))) == {"P": 2}


def test_an_order_amount_is_shared_by_largest_remainder_on_the_running_net():
    made = price(case([line("a", 9000), line("b", 1500)], [off("O", 2000)]))
    assert [row.order_discount for row in made.lines] == [1714, 286]


def test_a_subsidy_percentage_is_rounded_once_on_the_eligible_sum():
    made = price(case([line("a", 5), line("b", 5), line("c", 5)], [percent("S", 1000, "subsidy")]))
    assert amounts(made) == {"S": 2}  # 1.5 fen, not three times half a fen
    assert pays(made) == [4, 4, 5]


def test_nothing_goes_below_zero():
    made = price(case([line("a", 300)], [unit_off("A", 500), off("B", 900, "subsidy")]))
    assert made.payable == 0
    assert amounts(made) == {"A": 300}
    assert reasons(made) == {"B": "NO_EFFECT"}


def test_the_stages_run_one_after_another_on_the_running_net():
    made = price(case([line("a", 10000)], [percent("L", 1000), off("O", 1000), percent("S", 1000, "subsidy")]))
    assert amounts(made) == {"L": 1000, "O": 1000, "S": 800}


def test_thresholds_of_the_order_stage_look_at_the_net_after_the_line_stage():
    basket = [line("a", 10000)]
    assert amounts(price(case(basket, [unit_off("L", 500), save("O", (9500, 200))]))) == {"L": 500, "O": 200}
    # Another order offer before it does not count: both are tested on 9500.
    assert amounts(price(case(basket, [unit_off("L", 500), off("A", 300, priority=1), save("O", (9500, 200))]))) == {
        "L": 500,
        "A": 300,
        "O": 200,
    }


def test_thresholds_of_the_subsidy_stage_look_at_the_net_after_the_order_stage():
    offers = [off("O", 1000), off("S", 500, "subsidy", min_spend=9000)]
    assert amounts(price(case([line("a", 10000)], offers))) == {"O": 1000, "S": 500}
    made = price(case([line("a", 9999)], offers))
    assert amounts(made) == {"O": 1000}
    assert made.not_applied[0].short_by == 1


def test_a_line_threshold_looks_at_the_eligible_list_value():
    offers = [percent("P", 1000, match={"skus": ["a"]}, min_spend=1000)]
    assert amounts(price(case([line("a", 500, 2), line("b", 5000)], offers))) == {"P": 100}
    made = price(case([line("a", 999), line("b", 5000)], offers))
    assert made.not_applied[0]._asdict() | {} == {
        "offer": "P",
        "version": 1,
        "reason": "MIN_SPEND_NOT_MET",
        "short_by": 1,
        "short_by_units": None,
    }


def test_a_quantity_threshold_counts_eligible_units():
    offers = [percent("P", 1000, match={"skus": ["a"]}, min_qty=3)]
    assert amounts(price(case([line("a", 500, 3)], offers))) == {"P": 150}
    made = price(case([line("a", 500, 2), line("b", 1, 9)], offers))
    assert reasons(made) == {"P": "MIN_QTY_NOT_MET"}
    assert made.not_applied[0].short_by_units == 1


@pytest.mark.parametrize(("whole", "amount"), [(9999, 0), (10000, 1000), (19999, 1000), (20000, 2500), (50000, 2500)])
def test_only_the_highest_reached_tier_counts(whole, amount):
    assert amounts(price(case([line("a", whole)], [save("O", (20000, 2500), (10000, 1000))]))) == (
        {"O": amount} if amount else {}
    )


@pytest.mark.parametrize(("whole", "amount"), [(9999, 0), (10000, 1000), (29999, 2000), (30000, 4500), (60000, 9000)])
def test_repeat_multiplies_the_reached_tier(whole, amount):
    made = price(case([line("a", whole)], [save("O", (10000, 1000), (30000, 4500), repeat=True)]))
    assert amounts(made) == ({"O": amount} if amount else {})


def test_a_lower_tier_can_be_the_better_one_and_is_sought():
    # 12000 reaches the poor tier; one fen off by the line offer leaves the better one.
    made = price(case([line("a", 12000)], [unit_off("U", 1), save("O", (10000, 3000), (12000, 10))]))
    assert amounts(made) == {"U": 1, "O": 3000}


@pytest.mark.parametrize("stage", ["order", "subsidy"])
def test_max_discount_caps(stage):
    made = price(case([line("a", 10000)], [off("O", 5000, stage, max_discount=4000)]))
    (applied,) = made.applied
    assert (applied.amount, applied.gross, applied.limited_by) == (4000, 5000, "max_discount")


def test_a_cap_on_a_line_offer_is_shared_by_the_uncapped_shares():
    made = price(case([line("a", 3000), line("b", 1000)], [percent("P", 1000, max_discount=303)]))
    # 300 and 100 without it: 227.25 and 75.75.
    assert [row.line_discount for row in made.lines] == [227, 76]


def test_of_plans_that_pay_alike_the_one_with_less_to_pay_on_earlier_lines_wins():
    # The cap of 100 is reached by the first line alone; taking the second as well would share it.
    made = price(case([line("a", 1000), line("b", 1000)], [percent("P", 1000, max_discount=100)]))
    assert pays(made) == [900, 1000]


def test_max_units_caps_the_units_touched_and_the_dearest_are_taken():
    made = price(case([line("a", 1000, 3), line("b", 2000, 2)], [percent("P", 1000, max_units=3)]))
    assert [row.line_discount for row in made.lines] == [100, 400]


def test_a_unit_takes_one_line_offer_unless_all_on_it_are_stackable():
    offers = [percent("P", 1000, line_stackable=True), unit_off("U", 300, line_stackable=True)]
    made = price(case([line("a", 2000)], offers))
    assert amounts(made) == {"U": 300, "P": 170}  # amounts before percentages
    offers[0]["line_stackable"] = False
    made = price(case([line("a", 2000)], offers))
    assert amounts(made) == {"U": 300}
    assert reasons(made) == {"P": "BEATEN_BY_BETTER"}


def test_two_units_of_a_line_may_carry_different_offers():
    made = price(case([line("a", 1000, 2)], [percent("P", 1000, max_units=1), percent("Q", 500)]))
    assert amounts(made) == {"P": 100, "Q": 50}


def test_percentages_on_a_unit_run_by_falling_priority_each_on_the_running_net():
    stacked = {"line_stackable": True}
    made = price(case([line("a", 1000)], [percent("P", 5000, **stacked), percent("Q", 1000, priority=1, **stacked)]))
    assert amounts(made) == {"Q": 100, "P": 450}


def test_a_short_budget_cuts_when_partial_and_shuts_out_when_not():
    basket = [line("a", 1000)]
    assert amounts(price(case(basket, [off("S", 500, "subsidy", budget_remaining=300, on_shortage="partial")]))) == {
        "S": 300
    }
    made = price(case(basket, [off("S", 500, "subsidy", budget_remaining=300)]))
    assert reasons(made) == {"S": "BUDGET_EXHAUSTED"}
    assert amounts(price(case(basket, [off("S", 500, "subsidy", budget_remaining=500)]))) == {"S": 500}


def test_a_short_budget_may_leave_a_line_offer_some_units():
    made = price(case([line("a", 1000, 5)], [percent("P", 1000, budget_remaining=350)]))
    assert amounts(made) == {"P": 300}


def test_a_budget_looks_at_the_whole_amount_and_a_purse_at_the_sponsors_part():
    half = {"sponsor_share_bp": 5000, "on_shortage": "partial"}
    basket = [line("a", 1000)]
    assert amounts(price(case(basket, [off("S", 500, "subsidy", budget_remaining=100, **half)]))) == {"S": 100}
    made = price(case(basket, [off("S", 500, "subsidy", budgets=["b"], **half)], purses={"b": 100}))
    assert amounts(made) == {"S": 200}  # the largest whose half is at most 100: 201 would cost 100.5 → 101
    assert made.draws == {"b": 100}


def test_every_purse_named_must_hold_the_part_and_each_is_lowered():
    offer = off(
        "S", 500, "subsidy", sponsor_share_bp=10000, budgets=["b1", "b2"], allowance="al", on_shortage="partial"
    )
    made = price(case([line("a", 1000)], [offer], purses={"b1": 400, "b2": 250, "al": 300}))
    assert amounts(made) == {"S": 250}
    assert made.draws == {"al": 250, "b1": 250, "b2": 250}
    assert (made.applied[0].purse, made.applied[0].limited_by) == ("al", "b2")  # the posting comes from the allowance


def test_two_offers_on_one_purse_never_spend_it_twice():
    both = {"sponsor_share_bp": 10000, "budgets": ["b"]}
    offers = [off("U", 200, "subsidy", priority=2, **both), off("V", 250, "subsidy", priority=1, **both)]
    made = price(case([line("a", 1000)], offers, purses={"b": 300}))
    assert amounts(made) == {"V": 250}  # one of them fits, and the larger pays more
    assert reasons(made) == {"U": "BUDGET_EXHAUSTED"}


def test_a_group_lets_one_offer_apply_whatever_the_stage():
    made = price(
        case([line("a", 8000)], [percent("A", 800, group="G"), off("B", 700, group="G"), off("C", 100, "subsidy")])
    )
    assert amounts(made) == {"B": 700, "C": 100}
    assert reasons(made) == {"A": "EXCLUSIVE_CONFLICT"}


def test_alone_in_the_order():
    made = price(case([line("a", 8000)], [off("A", 700, alone="all"), off("B", 400), off("C", 200, "subsidy")]))
    assert amounts(made) == {"A": 700}
    assert reasons(made) == {"B": "EXCLUSIVE_CONFLICT", "C": "EXCLUSIVE_CONFLICT"}
    made = price(case([line("a", 8000)], [off("A", 500, alone="all"), off("B", 400), off("C", 200, "subsidy")]))
    assert amounts(made) == {"B": 400, "C": 200}
    assert reasons(made) == {"A": "EXCLUSIVE_CONFLICT"}


def test_alone_in_its_stage():
    made = price(case([line("a", 8000)], [off("A", 500, alone="stage"), off("B", 400), off("C", 200, "subsidy")]))
    assert amounts(made) == {"A": 500, "C": 200}
    assert reasons(made) == {"B": "EXCLUSIVE_CONFLICT"}


def test_a_line_offer_is_left_out_when_it_would_break_a_threshold():
    made = price(
        case([line("a", 9000), line("b", 1500)], [percent("L", 700, match={"skus": ["a"]}), save("O", (10000, 2000))])
    )
    assert amounts(made) == {"O": 2000}
    assert reasons(made) == {"L": "BEATEN_BY_BETTER"}


def test_of_plans_that_pay_alike_the_one_that_costs_the_sponsor_less_wins_then_fewer_offers_then_smaller_ids():
    basket = [line("a", 1000)]
    made = price(case(basket, [off("A", 100, group="g", sponsor_share_bp=10000), off("B", 100, group="g")]))
    assert amounts(made) == {"B": 100}
    made = price(case(basket, [off("A", 500, group="g"), off("B", 600), off("C", 1000, group="g")]))
    assert amounts(made) == {"C": 1000}
    made = price(case(basket, [off("B", 100, group="g"), off("A", 100, group="g")]))
    assert amounts(made) == {"A": 100}


def test_the_sponsors_part_by_line_is_the_difference_of_rounded_cumulative_sums():
    basket = [line("a", 101), line("b", 101), line("c", 101)]
    made = price(case(basket, [percent("P", 9901, sponsor_share_bp=3333)]))
    (applied,) = made.applied
    assert applied.amount == 300
    assert applied.sponsor_pays == 100
    assert [share.sponsor for share in applied.shares] == [33, 34, 33]
    assert all(share.sponsor + share.merchant == share.amount for share in applied.shares)


def test_a_merchant_receives_list_less_what_merchants_bear():
    basket = [line("a", 4000), line("b", 6000, merchant="M2")]
    made = price(case(basket, [off("CO", 1000, sponsor_share_bp=5000)]))
    assert made.settlement == {"M1": 3800, "M2": 5700}
    assert [row.concession for row in made.lines] == [200, 300]
    assert made.sponsor_by_line[0] == {"offer": "CO", "line": "a", "sponsor": 200, "merchant": 200}


def test_each_step_is_explained_with_base_formula_numbers_limit_and_payer():
    offers = [
        save("O", (3000, 200), repeat=True, max_discount=500, sponsor="xg", sponsor_share_bp=10000, budgets=["b"])
    ]
    made = price(case([line("a", 10000)], offers, purses={"b": 10**6})).to_json()
    assert made["applied"] == [
        {
            "offer": "O",
            "version": 1,
            "stage": "order",
            "amount": 500,
            "sponsor_pays": 500,
            "base": 10000,
            "formula": "SPEND_SAVE",
            "numbers": {"spent": 10000, "min": 3000, "off": 200, "times": 3},
            "gross": 600,
            "limited_by": "max_discount",
            "sponsor": "xg",
            "purse": "b",
            "purses": ["b"],
            "shares": [{"line": "a", "amount": 500}],
        }
    ]


def test_an_empty_basket_and_no_offers_are_cases_too():
    assert price(case([], [percent("A", 100)])).to_json()["not_applied"][0]["reason"] == "NO_MATCHING_ITEM"
    made = price(case([line("a", 0)], [percent("A", 100)]))
    assert reasons(made) == {"A": "NO_EFFECT"}
    assert price(case([line("a", 7)], [])).payable == 7
