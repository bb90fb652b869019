import random
import re

import pytest

from market.kit.money import yuan
from market.pricing import Reason
from market.pricing.sentences import (
    HINTS,
    LANGUAGES,
    REASONS,
    hint_phrase,
    proof_sentence,
    reason_sentence,
    step_sentence,
)
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
        "1 item at ¥16.00, 10% off: ¥1.60, borne by the merchant.",
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
        == "参加商品每满 ¥5.00 减 ¥0.20，满了 3 次，即 ¥0.60，由商户让利。"
    )
    assert steps(basket, [unit_off("U", 30)])[0] == "1 件，每件减 ¥0.30，即 ¥0.30，由商户让利。"
    assert steps(basket, [off("O", 2000)])[0] == "减 ¥20.00，余下应付只有 ¥16.00，按 ¥16.00 算，由商户让利。"


def test_a_set_says_how_many_are_missing_and_free_is_called_free():
    third = {"id": "T", "stage": "line", "kind": "buy_x_get_y", "buy": 2, "get": 1, "get_rate_bp": 10000}
    (row,) = price(case([line("a", 300, 2)], [third])).to_json()["not_applied"]
    assert reason_sentence(row, "zh") == "还差 1 件凑成一组，再买 1 件参加的商品就能用。"
    assert reason_sentence({**row, "short_by_units": None}, "zh") == REASONS[Reason.NO_EFFECT][0]
    basket = [line("a", 300, 2), line("b", 200)]
    assert steps(basket, [third]) == [
        "每 3 件里最便宜的 1 件免费，这次 1 件，减 ¥2.00，由商户让利。",
        "the cheapest 1 of every 3 free, 1 this time: ¥2.00 off, borne by the merchant.",
    ]
    assert steps(basket, [{**third, "get_rate_bp": 5000}])[0] == (
        "每 3 件里最便宜的 1 件减 50%，这次 1 件，减 ¥1.00，由商户让利。"
    )


def test_what_limits_a_rebate_is_said_of_a_rebate():
    back = {"id": "B", "stage": "rebate", "kind": "amount_back", "amount": 300}
    assert (
        steps([line("a", 200)], [back])[0] == "买后返 ¥3.00，实付里还能返的只有 ¥2.00，按 ¥2.00 算，由商户之后返给您。"
    )
    capped = steps([line("a", 1000)], [{**back, "max_discount": 100, "rebate_to": "union"}])
    assert capped[0] == "买后返 ¥3.00，最多返 ¥1.00，由商户之后返给工会经费。"


def test_a_hint_says_what_more_brings():
    made = price(case([line("a", 900)], [save("S", (500, 50), (1000, 120))])).to_json()
    (row,) = made["hints"]
    assert hint_phrase(row, "zh", gain="raised") == "再买 ¥1.00，升档减 ¥1.20"
    assert hint_phrase(row, "en", gain="off") == "Spend ¥1.00 more and save ¥1.20"
    assert hint_phrase(row, "zh", gain="back") == "再买 ¥1.00，可返 ¥1.20"


def test_the_proof_is_told_with_its_gap():
    basket = [line(f"s{row}", 997 + 13 * row, 3) for row in range(12)]
    offers = [unit_off(f"u{row}", 31 + 7 * row, match={"skus": [f"s{row}"]}) for row in range(12)]
    hard = case(basket, [*offers, save("O", (35_555, 3_000)), save("R", (35_111, 900), match={"exclude_skus": ["s3"]})])
    exact, cut = (price(hard, **limit).to_json() for limit in ({"node_limit": 10**7}, {"node_limit": 5}))
    assert "这是最低价" in proof_sentence(exact, "zh")
    assert cut["proof"] == "bounded"
    assert cut["gap"] > 0
    assert f"¥{yuan(cut['gap'])}" in proof_sentence(cut, "zh")
    assert f"at most ¥{yuan(cut['gap'])} lower" in proof_sentence(cut, "en")
    assert "¥" not in proof_sentence({**cut, "gap": 0}, "zh")


@pytest.mark.parametrize("seed", range(60))
def test_no_quote_is_without_words(seed):
    made = price(random_case(random.Random(seed))).to_json()
    for language in LANGUAGES:
        written = [step_sentence(row, language) for row in made["applied"]] + [
            reason_sentence(row, language) for row in made["not_applied"]
        ]
        written += [hint_phrase(row, language, gain=gain) for row in made["hints"] for gain in HINTS]
        written.append(proof_sentence(made, language))
        assert all(text and "{" not in text and "None" not in text for text in written)
