"""A day's balances are cut into entries by their bytes, however long the codes."""

from itertools import chain

from market.kit.canonical import canonical_json
from market.record.publishing.closing import MOST_BYTES, split_balances

MOST_FEN = (1 << 53) - 1


def test_ten_thousand_merchants_with_the_longest_codes_fit_into_entries() -> None:
    pairs = [
        (f"{kind}:{number:0>120}", sign * (MOST_FEN - number))
        for kind, sign in (("payable", 1), ("receivable", -1), ("budget", 1))
        for number in range(10_000)
    ]
    parts = list(split_balances(pairs))
    assert list(chain.from_iterable(part.items() for part in parts)) == pairs, "each once, in their order"
    sizes = [len(canonical_json(part)) for part in parts]
    assert max(sizes) <= MOST_BYTES + 1
    assert min(sizes[:-1]) > MOST_BYTES - 200, "each but the last is full"


def test_short_codes_stand_in_one_entry_and_no_balance_makes_none() -> None:
    pairs = [(f"payable:m_{number:04}", number) for number in range(1, 2_000)]
    assert list(split_balances(pairs)) == [dict(pairs)]
    assert list(split_balances([])) == []
