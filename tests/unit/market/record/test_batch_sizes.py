"""Whatever purchases a batch is of, its entry fits into the log, and nothing is lost of its sums: what is not named stands in one."""

import json
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.kit.canonical import canonical_json
from market.record.auditing.forms import check_form, read_entry
from market.record.batches import LEAST, BatchSums, Of, batch_entry
from market.record.entries import AMOUNTS
from market.record.log.bundles import MAX_ENTRY

DAY = date(2026, 12, 1)
Borne = dict[tuple[str, int], int]


def code(number: int) -> str:
    """One of 64 characters, as long as an offer's may be."""
    return f"{number:064x}"


def purchase(number: int, offers: Borne, transfers: int = 1) -> bytes:
    """A sale that lists these offers and draws on so many budgets; of what else it says a batch takes nothing."""
    borne = sum(offers.values())
    said: dict[str, Any] = {
        **dict.fromkeys(AMOUNTS, 0),
        "list": borne,
        "concession": borne,
        "id": f"{number:032x}",
        "offers": [[*key, fen] for key, fen in sorted(offers.items())],
        "transfers": [[f"budget:{n:0100d}", "payable:m_0001", 1] for n in range(transfers)],
    }
    return canonical_json(said)


def make(bodies: list[bytes], of: Of = "sale", merchant: str = "m_0001") -> bytes:
    return batch_entry(public_id="b" * 32, day=DAY, merchant=merchant, of=of, bodies=bodies)


def test_eight_hundred_offers_that_five_used_are_named_and_as_many_more_are_not() -> None:
    few = {(code(n), 1): 1_000 + n for n in range(800)}
    assert len(json.loads(make([purchase(n, few) for n in range(5)]))["offers"]) == 800
    many = {(code(n), 1): 1_000 + n for n in range(1_600)}
    said = json.loads(make([purchase(n, many) for n in range(5)]))
    assert 800 <= len(said["offers"]) < 1_600
    named = {fen for _, _, fen in said["offers"]}
    others = {5 * fen for fen in many.values()} - named
    assert min(named) > max(others), "the smallest are not"
    assert said["other_offers"] == sum(others)


def test_of_equal_amounts_the_first_by_name_are_named() -> None:
    said = json.loads(make([purchase(n, {(code(k), 1): 70 for k in range(1_600)}) for n in range(5)]))
    assert [offer for offer, _, _ in said["offers"]] == [code(k) for k in range(len(said["offers"]))]


@pytest.mark.parametrize("count", range(560, 900, 20))
def test_the_limit_is_used_up_to_the_last_offer(count: int) -> None:
    """Where one is left out, it would not have fitted."""
    borne = {(code(n), 1): 10**9 - n for n in range(count)}
    body = make([purchase(n, borne, transfers=100) for n in range(5)])
    assert len(body) <= MAX_ENTRY
    if left_out := count - len(json.loads(body)["offers"]):
        assert len(body) + len(canonical_json([code(0), 1, 5 * 10**9])) + 20 > MAX_ENTRY, left_out


@settings(max_examples=25)
@given(
    number=st.integers(0, 1_500),
    versions=st.integers(1, 3),
    transfers=st.integers(0, 900),
    purchases=st.integers(1, 7),
    merchant=st.text("ab_9", min_size=1, max_size=60),
    chance=st.randoms(use_true_random=False),
)
def test_every_batch_fits_and_its_sums_are_those_of_its_purchases(
    number: int, versions: int, transfers: int, purchases: int, merchant: str, chance: Random
) -> None:
    used = [
        {
            (code(chance.randrange(number)), chance.randint(1, versions)): chance.randrange(1, 10**7)
            for _ in range(number)
        }
        for _ in range(purchases)
    ]
    used[: LEAST - 1] = used[:1] * min(LEAST - 1, purchases)  # so that five use the same ones where there are as many
    bodies = [purchase(n, offers, transfers) for n, offers in enumerate(used)]
    body = make(bodies, merchant=merchant)
    said = json.loads(body)
    entry = read_entry(0, body)
    assert list(check_form(entry)) == []  # type: ignore[arg-type]
    whole = sum(sum(offers.values()) for offers in used)
    assert said["concession"] == sum(fen for _, _, fen in said["offers"]) + said["other_offers"] == whole
    assert sum(fen for _, _, fen in said["transfers"]) == transfers * purchases
    for offer, version, fen in said["offers"]:
        assert fen == sum(offers.get((offer, version), 0) for offers in used)
        assert sum((offer, version) in offers for offers in used) >= LEAST
    if len(body) > MAX_ENTRY:
        assert said["offers"] == [], "its transfers alone are too long"
    backwards = BatchSums()
    for one in reversed(bodies):
        backwards.add(json.loads(one))
    assert canonical_json(said | backwards.list_fields("sale", merchant=merchant)) == body, "in any order"


def test_what_went_back_names_no_offers_whatever_its_length() -> None:
    said = json.loads(make([purchase(n, {}, transfers=700) for n in range(5)], "return"))
    assert "offers" not in said
    assert len(said["transfers"]) == 700
