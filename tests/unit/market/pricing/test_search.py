"""The search on baskets far beyond what an oracle can try: it ends, it says what it has proved, and it is quick where nothing is coupled."""

import time

import pytest

from tests.unit.market.pricing.cases import amounts, case, line, off, percent, price, save, unit_off


def test_hundreds_of_independent_offers_are_proved_at_once():
    basket = [line(f"s{row}", 500 + row) for row in range(150)]
    offers = []
    for row in range(150):
        match = {"skus": [f"s{row}"]}
        offers += [
            percent(f"p{row}", 1000, match=match),
            off(f"c{row}", 50, "subsidy", match=match, sponsor_share_bp=10000),
        ]
    made = price(case(basket, offers), node_limit=10_000)
    assert made.proof == "optimal"
    assert len(made.applied) == 300
    assert made.payable == sum(500 + row - (500 + row + 5) // 10 - 50 for row in range(150))


def test_ten_thousand_units_meet_a_threshold_with_the_most_units_that_keep_it():
    made = price(case([line("a", 100, 10_000)], [percent("P", 1000), save("O", (950_005, 60_000))]))
    assert made.proof == "optimal"
    # 10 fen off each of 4999 units leaves 950010; one more would leave 950000, below the threshold.
    assert amounts(made) == {"P": 49_990, "O": 60_000}


def test_ten_thousand_units_under_two_percentages_use_rounding_too():
    made = price(case([line("a", 5, 10_000)], [percent("P", 1000), percent("Q", 1000)]))
    assert made.proof == "optimal"
    # Two odd parts each round half a fen up.
    assert made.payable == 50_000 - 5_001


def test_five_hundred_lines_under_one_offer_and_a_threshold():
    basket = [line(f"s{row}", 1000 + row, 2) for row in range(500)]
    made = price(
        case(
            basket,
            [percent("P", 1000), save("O", (100_000, 5_000)), percent("S", 500, "subsidy", sponsor_share_bp=10000)],
        )
    )
    assert made.proof == "optimal"
    assert set(amounts(made)) == {"P", "O", "S"}


def test_equal_lines_under_a_threshold_are_no_harder_than_one():
    basket = [line(f"s{row}", 1000) for row in range(60)]
    made = price(case(basket, [percent("P", 1000), save("O", (57_050, 4_000))]))
    assert made.proof == "optimal"
    # 29 lines of 60 at 10 % off keep 57100; 30 would leave 57000. The earlier lines have it.
    assert [row.line_discount for row in made.lines] == [100] * 29 + [0] * 31


def test_a_used_up_node_limit_is_told_with_a_gap_that_holds():
    basket = [line(f"s{row}", 997 + 13 * row, 3) for row in range(12)]
    offers = [unit_off(f"u{row}", 31 + 7 * row, match={"skus": [f"s{row}"]}) for row in range(12)]
    hard = case(basket, [*offers, save("O", (35_555, 3_000)), save("R", (35_111, 900), match={"exclude_skus": ["s3"]})])
    bounded = price(hard, node_limit=5)
    best = price(hard, node_limit=10**7)
    assert bounded.proof == "bounded"
    assert best.proof == "optimal"
    assert bounded.payable - bounded.gap <= best.payable <= bounded.payable


def test_no_node_limit_makes_it_fail_or_price_above_list():
    basket = [line(f"s{row}", 1000 + row) for row in range(20)]
    offers = [percent(f"p{row}", 1000 + row, match={"skus": [f"s{row}", f"s{row + 1}"]}) for row in range(19)]
    made = price(case(basket, [*offers, save("O", (19_000, 2_000))]), node_limit=0)
    assert made.payable <= made.list_total


def test_an_offer_beyond_what_lines_can_list_ends_in_time():
    basket = [line("a", 997, 9_999)]
    offers = [percent(name, 1000 + 7 * rank, line_stackable=True) for rank, name in enumerate("PQRST")]
    begun = time.monotonic()
    made = price(case(basket, [*offers, save("O", (9_000_000, 50_000))]))
    assert time.monotonic() - begun < 60
    assert made.payable <= made.list_total - 50_000


def test_thresholds_of_the_order_stage_look_at_the_net_before_all_of_them():
    """The first of two takes so much that less than the second one's threshold is left: shares are of what is left, not of the threshold."""
    rows = [("d", 6000, 1), ("d", 6000, 1), ("c", 2500, 2), ("c", 2500, 2)]
    basket = [{**line(str(place), fen, qty), "sku": sku} for place, (sku, fen, qty) in enumerate(rows)]
    offers = [
        save("B", (4227, 1353)),
        save("C", (21_999, 9852)),
        unit_off("D", 50, max_discount=1),
        unit_off("A", 99, match={"skus": ["d"]}, max_discount=3),
    ]
    made = price(case(basket, offers))
    # The fen that D takes of the first line makes it pay a fen less than the second one, just like it.
    assert [row.pay for row in made.lines] == [2943, 2944, 2453, 2454]


@pytest.mark.parametrize(("offers", "units"), [(6, 2), (7, 2), (4, 5)])
def test_many_offers_that_stack_on_some_units_are_all_tried(offers: int, units: int) -> None:
    """Every amount comes off every unit, and no way of the line is left out on the way there."""
    stacked = [unit_off(f"o{rank}", 100 + rank, line_stackable=True) for rank in range(offers)]
    result = price(case([line("a", 10_000, units)], stacked))
    assert (result.payable, result.proof) == (units * (10_000 - sum(100 + rank for rank in range(offers))), "optimal")
