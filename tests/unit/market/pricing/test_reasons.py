"""Reasons that depend on the chosen plan; those of gates and matches stand with the gates."""

from tests.unit.market.pricing.cases import amounts, case, line, off, percent, price, reasons, save, unit_off


def test_short_by_is_measured_on_the_chosen_plan():
    made = price(case([line("bun", 300, 4)], [percent("P1", 100), save("SAVE5", (2000, 500))]))
    assert made.not_applied[0].to_json() == {
        "offer": "SAVE5",
        "version": 1,
        "reason": "MIN_SPEND_NOT_MET",
        "short_by": 812,
    }


def test_short_by_goes_to_the_lowest_tier_and_to_min_spend():
    made = price(case([line("a", 1000)], [save("T", (3000, 500), (2000, 100)), save("U", (1500, 100), min_spend=2500)]))
    assert {row.offer: row.short_by for row in made.not_applied} == {"T": 1000, "U": 1500}


def test_a_purse_that_the_plan_emptied_is_a_short_budget_for_the_others():
    both = {"sponsor_share_bp": 10000, "budgets": ["b"], "on_shortage": "partial"}
    made = price(
        case([line("a", 1000)], [off("A", 300, "subsidy", **both), off("B", 200, "subsidy", **both)], purses={"b": 300})
    )
    assert amounts(made) == {"A": 300}
    assert reasons(made) == {"B": "BUDGET_EXHAUSTED"}


def test_an_empty_purse_comes_before_a_missing_item():
    sponsored = {"sponsor_share_bp": 10000, "budgets": ["b"]}
    made = price(case([line("a", 1000)], [percent("P", 1000, match={"skus": ["x"]}, **sponsored)], purses={"b": 0}))
    assert reasons(made) == {"P": "BUDGET_EXHAUSTED"}
    made = price(case([line("a", 1000)], [percent("P", 1000, match={"skus": ["x"]}, **sponsored)], purses={"b": 1}))
    assert reasons(made) == {"P": "NO_MATCHING_ITEM"}


def test_a_budget_too_short_for_the_smallest_unit_shuts_a_line_offer_out():
    basket = [line("a", 1000), line("b", 3000)]
    assert reasons(price(case(basket, [percent("P", 1000, budget_remaining=99)]))) == {"P": "BUDGET_EXHAUSTED"}
    assert amounts(price(case(basket, [percent("P", 1000, budget_remaining=100)]))) == {"P": 100}


def test_nothing_to_take_is_no_effect():
    assert reasons(price(case([line("a", 4)], [percent("P", 1000)]))) == {"P": "NO_EFFECT"}  # 0.4 fen
    assert reasons(price(case([line("a", 4)], [unit_off("U", 0)]))) == {"U": "NO_EFFECT"}
    assert reasons(price(case([line("a", 4)], [percent("P", 10000, max_units=0)]))) == {"P": "NO_EFFECT"}
    assert reasons(price(case([line("a", 4)], [off("O", 5, max_discount=0)]))) == {"O": "NO_EFFECT"}


def test_a_conflict_is_told_only_when_the_offer_could_be_used_otherwise():
    offers = [off("A", 500, group="g"), save("B", (9000, 700), group="g")]
    assert reasons(price(case([line("a", 8000)], offers))) == {"B": "MIN_SPEND_NOT_MET"}
    assert reasons(price(case([line("a", 9000)], offers))) == {"A": "EXCLUSIVE_CONFLICT"}


def test_an_offer_that_stands_alone_conflicts_with_an_applied_one():
    made = price(case([line("a", 8000)], [percent("A", 100, alone="stage"), percent("B", 200)]))
    assert reasons(made) == {"A": "EXCLUSIVE_CONFLICT"}
    made = price(
        case([line("a", 8000), line("b", 50)], [percent("A", 100, "subsidy", alone="stage"), percent("B", 200)])
    )
    assert amounts(made) == {"A": 79, "B": 161}


def test_the_worse_of_two_offers_on_a_unit_is_beaten():
    made = price(case([line("a", 8000)], [percent("A", 100), percent("B", 200)]))
    assert reasons(made) == {"A": "BEATEN_BY_BETTER"}
