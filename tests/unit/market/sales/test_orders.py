"""What follows what in the life of an order, and what goes back to which account."""

import importlib.util
from pathlib import Path

import pytest

from market.kit.errors import InvariantError
from market.ledger.postings import Draw, merge_draws, post_order, post_order_sale, post_release
from market.sales.orders.models import STATES, UNSOLD, OrderLine
from market.sales.orders.states import FOLLOWS, WAITING, change_state, state_after_return
from tests.world import FIRST

MIGRATION = Path(__file__).parents[4] / "alembic" / "versions" / "0013_points_and_undone_handouts.py"


def line(qty: int, handed: int = 0, returned: int = 0) -> OrderLine:
    return OrderLine(line="1", qty=qty, handed=handed, returned=returned)


def test_code_and_database_allow_the_same_changes_of_state() -> None:
    spec = importlib.util.spec_from_file_location("orders_migration", MIGRATION)
    migration = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(migration)
    assert {state: set(follows.split()) for state, follows in migration.FOLLOWS} == {
        state: follows for state, follows in FOLLOWS.items() if follows
    }
    assert set(FOLLOWS) == set(STATES)
    assert {"placed", "cancelled"} == set(UNSOLD)


def test_nothing_leads_back_to_what_was_not_sold() -> None:
    for state, follows in FOLLOWS.items():
        assert state == "placed" or not follows & set(UNSOLD)


def test_a_change_that_may_not_be_is_a_programmer_s_error() -> None:
    class Cancelled:
        id, state = FIRST, "cancelled"

    with pytest.raises(InvariantError):
        change_state(None, Cancelled(), "paid", by=None, reason="no", at=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "lines", "then"),
    [
        ("paid", [line(2, returned=2)], "returned"),
        ("paid", [line(2, returned=1)], "paid"),
        ("ready", [line(2, handed=1, returned=1)], "partly_returned"),
        ("ready", [line(2, handed=1, returned=1), line(1)], "ready"),
        ("collected", [line(2, handed=1, returned=1)], "partly_returned"),
        ("closed", [line(1, returned=1), line(1, returned=1)], "returned"),
        ("partly_returned", [line(3, handed=1, returned=2)], "partly_returned"),
    ],
)
def test_the_state_after_pieces_came_back(state: str, lines: list[OrderLine], then: str) -> None:
    assert state_after_return(state, lines) == then
    assert then == state or then in FOLLOWS[state] or (state in WAITING and then in FOLLOWS[state])


def test_what_is_set_aside_goes_on_to_the_merchant_or_back() -> None:
    parts = {"budget:b": 30, "allowance:g:s": 70, "budget:none": 0}
    aside = [(posting.debit, posting.credit, posting.amount_fen) for posting in post_order("K7", parts)]
    back = [(posting.debit, posting.credit, posting.amount_fen) for posting in post_release("K7", parts)]
    assert aside == [("allowance:g:s", "reserved:K7", 70), ("budget:b", "reserved:K7", 30)]
    assert back == [(credit, debit, fen) for debit, credit, fen in aside]
    [sold] = post_order_sale(order="K7", merchant="m", subject=FIRST, subsidy_fen=100)
    assert (sold.debit, sold.credit, sold.amount_fen) == ("reserved:K7", "payable:m", 100)
    assert post_order_sale(order="K7", merchant="m", subject=FIRST, subsidy_fen=0) == []


def test_draws_on_the_same_balance_are_one() -> None:
    draws = [Draw("a", 1, "piece", 5), Draw("b", 2), Draw("a", 3, "piece", 5), Draw("b", -2)]
    assert merge_draws(draws) == [Draw("a", 4, "piece", 5), Draw("b", 0)]
