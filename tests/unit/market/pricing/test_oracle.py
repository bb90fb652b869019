"""The engine against an exhaustive oracle that shares no code with it: on small baskets every plan is tried."""

import json
import os
import random

import pytest

from market.pricing import quote
from market.pricing.document import parse_document
from tests.oracle.pricing_cases import random_case
from tests.oracle.pricing_oracle import best_plans, count_plans

SUITE, PROVED, SLICES = 1_200, 50_000, 8
MOST_PLANS = 2_000


def agrees(seed: int) -> bool:
    """Compare one random case; False if it has more plans than the oracle should try."""
    case = random_case(random.Random(seed))
    if count_plans(case) > MOST_PLANS:
        return False
    (vector,) = parse_document({"vectors": [case]})
    made = quote(vector.case)
    ids = sorted(applied.offer for applied in made.applied)
    key = (made.payable, made.sponsor_pays, len(ids), ids, [row.pay for row in made.lines])
    names = [row["line"] for row in case["basket"]]
    shares = {
        applied.offer: {names.index(share.line): share.amount for share in applied.shares} for applied in made.applied
    }
    best, outcomes = best_plans(case)
    assert made.proof == "optimal", (seed, json.dumps(case))
    assert key == best, (seed, json.dumps(case))
    assert shares in outcomes, (seed, json.dumps(case))
    return True


@pytest.mark.parametrize("part", range(SLICES))
def test_the_engine_finds_what_trying_every_plan_finds(part):
    seeds = range(part, SUITE, SLICES)
    assert sum(agrees(seed) for seed in seeds) > len(seeds) * 0.9


@pytest.mark.prove
@pytest.mark.skipif("HUIGONG_PROVE" not in os.environ, reason="set HUIGONG_PROVE=1 (make prove) for the long count")
@pytest.mark.parametrize("part", range(SLICES))
def test_the_engine_finds_it_in_tens_of_thousands_of_cases(part):
    seeds = range(1_000_000 + part, 1_000_000 + PROVED * 21 // 20, SLICES)
    assert sum(agrees(seed) for seed in seeds) >= PROVED // SLICES
