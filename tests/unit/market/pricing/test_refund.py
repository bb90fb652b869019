import pytest

from market.pricing.refund import line_shares, refund_step
from tests.unit.market.pricing.cases import case, line, off, percent, price


def bought():
    offers = [
        off("O", 100),
        off("U", 500, "subsidy", sponsor_share_bp=10000, budgets=["b"]),
        percent("V", 100, "subsidy", sponsor_share_bp=5000, allowance="al"),
    ]
    return price(case([line("a", 1000, 3), line("b", 7)], offers, purses={"b": 10**6, "al": 10**6})).to_json()


def test_shares_of_a_line_are_what_the_quote_stored():
    shares = line_shares(bought(), "a")
    assert (shares.qty, shares.pay, shares.concession) == (3, 2377, 112)
    assert [(part.offer, part.purse, part.fen) for part in shares.sponsors] == [("U", "b", 499), ("V", "al", 12)]
    assert shares.pay + shares.concession + sum(part.fen for part in shares.sponsors) == 3000


def test_every_part_goes_back_by_the_same_cumulative_floor_to_its_purse():
    shares = line_shares(bought(), "a")
    steps = [refund_step(shares, units_before=before, units=1) for before in range(3)]
    assert [step.to_member for step in steps] == [792, 792, 793]
    assert [step.concession_back for step in steps] == [37, 37, 38]
    assert [[(part.purse, part.fen) for part in step.sponsors] for step in steps] == [
        [("b", 166), ("al", 4)],
        [("b", 166), ("al", 4)],
        [("b", 167), ("al", 4)],
    ]
    assert refund_step(shares, units_before=1, units=2).to_member == 1585


@pytest.mark.parametrize(("before", "units"), [(0, 0), (0, 4), (3, 1), (-1, 1), (0, -1)])
def test_no_more_goes_back_than_was_bought(before, units):
    with pytest.raises(ValueError, match="cannot go back"):
        refund_step(line_shares(bought(), "a"), units_before=before, units=units)


def test_an_unknown_line_is_an_error():
    with pytest.raises(KeyError):
        line_shares(bought(), "x")
