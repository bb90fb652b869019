import random
import re

import pytest

from market.pricing import Reason
from market.pricing.sentences import LANGUAGES, REASONS, reason_sentence, step_sentence
from tests.oracle.pricing_cases import random_case
from tests.unit.market.pricing.cases import case, line, off, percent, price, save, unit_off


def steps(basket, offers, **more):
    return [
        step_sentence(row, language)
        for row in price(case(basket, offers, **more)).to_json()["applied"]
        for language in LANGUAGES
    ]


def test_every_reason_has_one_sentence_in_each_language():
    assert set(REASONS) == set(Reason)
    for reason in Reason:
        row = {"reason": reason.value, "short_by": 812, "short_by_units": 2}
        chinese, english = (reason_sentence(row, language) for language in LANGUAGES)
        assert chinese.endswith("。")
        assert chinese.count("。") == 1
        assert english.endswith(".")
        assert re.search("[a-z]", chinese) is None
        assert not re.search("[！!{}]", chinese + english)
        # What holds, and after it what to do next.
        assert re.search("[，；]", chinese)
        assert re.search("[;,]", english) or "leave" in english


def test_what_is_missing_is_told_in_yuan_and_in_items():
    row = {"reason": "MIN_SPEND_NOT_MET", "short_by": 812}
    assert reason_sentence(row, "zh") == "参加优惠的商品还差 ¥8.12，再买 ¥8.12 就能用。"
    assert "buy 2 more" in reason_sentence({"reason": "MIN_QTY_NOT_MET", "short_by_units": 2}, "en")


def test_steps_tell_base_formula_limit_and_payer():
    basket = [line("a", 1600)]
    assert steps(basket, [percent("P", 1000)]) == [
        "1 件共 ¥16.00，减 10%，即 ¥1.60，由商户让利。",
        "1 items at ¥16.00, 10% off: ¥1.60, borne by the merchant.",
    ]
    assert steps(basket, [percent("S", 1250, "subsidy", sponsor_share_bp=5000, max_discount=100)])[0] == (
        "¥16.00 减 12.5%，即 ¥2.00，最多减 ¥1.00，其中工会补贴 ¥0.50，商户让利 ¥0.50。"
    )
    assert (
        steps(basket, [save("O", (1500, 200), sponsor_share_bp=10000)])[1]
        == "¥2.00 off for ¥15.00 spent, paid by the union."
    )
    assert (
        steps(basket, [save("O", (500, 20), repeat=True)])[0]
        == "参加商品满 ¥5.00 减 ¥0.20，3 次，即 ¥0.60，由商户让利。"
    )
    assert steps(basket, [unit_off("U", 30)])[0] == "1 件，每件减 ¥0.30，即 ¥0.30，由商户让利。"
    assert steps(basket, [off("O", 2000)])[0] == "减 ¥20.00，余下应付只有 ¥16.00，按 ¥16.00 算，由商户让利。"


@pytest.mark.parametrize("seed", range(60))
def test_no_quote_is_without_words(seed):
    made = price(random_case(random.Random(seed))).to_json()
    for language in LANGUAGES:
        written = [step_sentence(row, language) for row in made["applied"]] + [
            reason_sentence(row, language) for row in made["not_applied"]
        ]
        assert all(text and "{" not in text and "None" not in text for text in written)
