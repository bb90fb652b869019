"""The laws of refunds on random cases: whatever the path, each part goes back once and no more than it was."""

from hypothesis import given
from hypothesis import strategies as st

from market.pricing.document import price_document
from market.pricing.refund import line_shares, refund_step
from tests.oracle.pricing_laws import cases, laws
from tests.unit.market.pricing.cases import price


@laws
@given(cases, st.data())
def test_a_line_that_went_back_in_any_steps_gives_back_exactly_its_parts(case, data):
    made = price(case).to_json()
    row = data.draw(st.sampled_from(made["lines"]))
    shares = line_shares(made, row["line"])
    whole = {
        "to_member": row["pay"],
        "subsidy_back": row["sponsor_pays"],
        "concession_back": row["concession"],
        "rebate_back": row["rebate"] + row["rebate_union"],
    }
    back = dict.fromkeys(whole, 0)
    by_offer: dict[str, int] = {}
    before = 0
    while before < row["qty"]:
        units = data.draw(st.integers(1, row["qty"] - before))
        step = refund_step(shares, units_before=before, units=units)
        before += units
        for name in back:
            back[name] += getattr(step, name)
            assert back[name] <= whole[name]
        for part in (*step.sponsors, *step.rebates):
            by_offer[part.offer] = by_offer.get(part.offer, 0) + part.fen
    assert back == whole
    stored = {
        one["offer"]: one["sponsor"] for one in made["sponsor_by_line"] if one["line"] == row["line"] and one["sponsor"]
    }
    for applied in made["applied"]:
        if applied["stage"] == "rebate":
            rebates = {share["line"]: share["amount"] for share in applied["shares"]}
            stored |= {applied["offer"]: rebates[row["line"]]} if rebates.get(row["line"]) else {}
    assert by_offer == stored


@laws
@given(cases, st.data())
def test_no_path_of_repriced_refunds_gives_back_more_than_was_paid(case, data):
    line = data.draw(st.sampled_from(case["basket"]))
    whole = data.draw(st.booleans())
    steps, left = [], line["qty"]
    while left:
        steps.append({"units": data.draw(st.integers(1, left))})
        left -= steps[-1]["units"]
    basket = [line] if whole else case["basket"]
    refund = {"policy": "reprice_kept", "line": line["line"], "steps": steps}
    (result,) = price_document({"vectors": [{**case, "basket": basket, "refunds": [refund]}]})["results"]
    made, (found,) = result["quote"], result["refunds"]
    sponsor = sum(row["sponsor_pays"] for row in made["applied"])
    bought = {
        "to_member": made["payable"],
        "subsidy_back": sponsor,
        "concession_back": made["list_total"] - made["payable"] - sponsor,
        "rebate_back": made["rebate"] + made["rebate_union"],
    }
    for name, fen in bought.items():
        given_back = [step[name] for step in found["steps"]]
        assert min(given_back) >= 0
        assert sum(given_back) <= fen
        assert not whole or sum(given_back) == fen
