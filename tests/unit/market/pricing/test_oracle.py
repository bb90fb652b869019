"""The engine against an exhaustive oracle that shares no code with it: on small baskets every plan is tried."""

import json
import os
import random
from pathlib import Path

import pytest

from market.pricing.document import price_document
from tests.oracle.pricing_cases import random_case, random_set_case
from tests.oracle.pricing_oracle import best_plans, count_plans, figures, refund_pro_rata, refund_reprice_kept
from tests.oracle.pricing_reasons import is_right_reason

SUITE, BY_SUMS, PROVED, SLICES = 1_000, 160, 50_000, 8
MOST_PLANS = 4_000
EXAMPLES = json.loads((Path(__file__).parents[3] / "examples" / "pricing.json").read_text())
GATED = {"S09", "S16"}  # they are about gates of channel and time, which the oracle knows nothing of


def case_of(seed):
    """Of three random cases the one with the most plans that an oracle can still try; every fourth time of sets over single units."""
    rng = random.Random(seed)
    make, fitting = random_set_case if seed % 4 == 3 else random_case, []
    while len(fitting) < 3:
        case = make(rng)
        if count_plans(case) <= MOST_PLANS:
            fitting.append(case)
    return max(fitting, key=count_plans)


def compare(case):
    """Everything a quote and its refunds say about money, against what the rules say."""
    (result,) = price_document({"vectors": [case]})["results"]
    made, places = result["quote"], {line["line"]: place for place, line in enumerate(case["basket"])}
    stage_of = {offer["id"]: offer["stage"] for offer in case["offers"]}
    union = {offer["id"] for offer in case["offers"] if offer.get("rebate_to") == "union"}
    applied = {
        row["offer"]: {places[share["line"]]: share["amount"] for share in row["shares"]} for row in made["applied"]
    }
    ids = sorted(name for name in applied if name not in union)
    paid = [row["pay"] for row in made["lines"]]
    sponsor = sum(row["sponsor_pays"] for row in made["applied"])
    best, outcomes = best_plans(case)
    assert made["proof"] == "optimal"
    assert (made["payable"], -made["rebate"], sponsor, len(ids), ids, paid) == best
    assert applied in outcomes

    rows = figures(case, paid, applied)
    for row, line in zip(rows, made["lines"], strict=True):
        rebates = {
            to: sum(fen for name, fen in row["rebates"].items() if (name in union) == to) for to in (False, True)
        }
        found = (line["concession"], line["sponsor_pays"], line["rebate"], line["rebate_union"])
        assert found == (row["concession"], sum(row["sponsors"].values()), rebates[False], rebates[True])
        for stage, column in (("line", "line_discount"), ("order", "order_discount"), ("subsidy", "subsidy")):
            took = [shares.get(places[line["line"]], 0) for name, shares in applied.items() if stage_of[name] == stage]
            assert line[column] == sum(took)
    assert made["rebate_union"] == sum(line["rebate_union"] for line in made["lines"])
    receives = dict.fromkeys((line["merchant"] for line in case["basket"]), 0)
    for line, row in zip(case["basket"], rows, strict=True):
        receives[line["merchant"]] += row["list"] - row["concession"]
    assert {row["payee"]: row["receives"] for row in made["settlement"]} == receives
    offers = {offer["id"]: offer for offer in case["offers"]}
    for row in made["not_applied"]:
        assert is_right_reason(case, offers[row["offer"]], row, applied), row
    for refund, entry in zip(result.get("refunds", []), case["refunds"], strict=True):
        steps, place = [step["units"] for step in entry["steps"]], places[entry["line"]]
        if entry["policy"] == "pro_rata":
            expected = refund_pro_rata(rows[place], case["basket"][place]["qty"], steps)
        else:
            expected = refund_reprice_kept(case, rows, place, steps)
        found = [{name: value for name, value in step.items() if name != "units"} for step in refund["steps"]]
        assert found == expected, refund


def compare_or_tell(seed):
    """The comparison of one seed; a difference is told with its seed and its case, ready to be pasted into a document."""
    case = case_of(seed)
    try:
        compare(case)
    except AssertionError as difference:
        raise AssertionError(f"seed {seed}: {difference}\n{json.dumps(case)}") from difference


@pytest.mark.parametrize("part", range(SLICES))
def test_the_engine_finds_what_trying_every_plan_finds(part):
    for seed in range(part, SUITE, SLICES):
        compare_or_tell(seed)


@pytest.mark.parametrize("part", range(SLICES))
def test_sum_by_sum_finds_what_trying_every_plan_finds(part, monkeypatch):
    """On small baskets, too, which it is not meant for: there amounts take all that is left of a line, and purses run short."""
    monkeypatch.setattr("market.pricing.search.DENSE_LINES", 1)
    for seed in range(500_000 + part, 500_000 + BY_SUMS, SLICES):
        compare_or_tell(seed)


@pytest.mark.prove
@pytest.mark.skipif("HUIGONG_PROVE" not in os.environ, reason="set HUIGONG_PROVE=1 (make prove) for the long count")
@pytest.mark.parametrize("part", range(SLICES))
def test_sum_by_sum_finds_it_in_ten_thousand_cases(part, monkeypatch):
    monkeypatch.setattr("market.pricing.search.DENSE_LINES", 1)
    for seed in range(2_000_000 + part, 2_000_000 + PROVED // 5, SLICES):
        compare_or_tell(seed)


@pytest.mark.prove
@pytest.mark.skipif("HUIGONG_PROVE" not in os.environ, reason="set HUIGONG_PROVE=1 (make prove) for the long count")
@pytest.mark.parametrize("part", range(SLICES))
def test_the_engine_finds_it_in_tens_of_thousands_of_cases(part):
    for seed in range(1_000_000 + part, 1_000_000 + PROVED, SLICES):
        compare_or_tell(seed)


@pytest.mark.parametrize(
    "example", [vector for vector in EXAMPLES["vectors"] if vector["id"] not in GATED], ids=lambda vector: vector["id"]
)
def test_the_oracle_prices_the_examples_by_itself(example):
    best, outcomes = best_plans(example)
    expect = example["expect"]
    (applied,) = outcomes
    assert best[0] == expect["payable"]
    assert -best[1] == expect["rebate"]
    assert best[-1] == [row["pay"] for row in expect["lines"]]
    assert {name: sum(shares.values()) for name, shares in applied.items()} == {
        row["offer"]: row["amount"] for row in expect["applied"]
    }
    rows = figures(example, best[-1], applied)
    for refund in expect.get("refunds", []):
        place = [line["line"] for line in example["basket"]].index(refund["line"])
        units = [step["units"] for step in refund["steps"]]
        steps = refund_pro_rata(rows[place], example["basket"][place]["qty"], units)
        for back, given in zip(steps, refund["steps"], strict=True):
            assert back | {"units": given["units"]} == back | given
