"""Entries tell how many hold which post where: what ends was begun at the same unit, and not ended before."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.record.auditing.replay import check_entries
from tests.record_log import other, policy_entry

A, E = "appointed", "ended"
AT_XG, AT_ZG = ("officer", "xg"), ("officer", "zg")
AUDITOR = ("auditor", "")


def find(*told: tuple[str, tuple[str, str]]) -> list[tuple[str, str, int | None]]:
    """What is found where these posts begin and end, in this order."""
    bodies = [policy_entry(0)]
    for number, (action, (post, unit)) in enumerate(told, 1):
        bodies.append(other(number, "post", action=action, post=post, **({"unit": unit} if unit else {})))
    return [(found.rule, found.field, found.leaf_index) for found in check_entries(bodies)]


@pytest.mark.parametrize(
    ("told", "at"),
    [
        ([(A, AT_XG), (E, AT_XG)], None),
        ([(A, AT_XG), (E, AT_XG), (A, AT_ZG), (E, AT_ZG), (A, AT_XG)], None),
        ([(A, AT_XG), (A, AT_XG), (E, AT_XG), (E, AT_XG)], None),
        ([(A, AUDITOR), (E, AUDITOR)], None),
        ([(E, AT_XG)], 1),
        ([(A, AT_XG), (E, AT_ZG)], 2),
        ([(A, AT_XG), (E, AT_XG), (E, AT_XG)], 3),
        ([(A, AUDITOR), (E, ("officer", ""))], 2),
    ],
)
def test_an_end_follows_its_beginning(told: list[tuple[str, tuple[str, str]]], at: int | None) -> None:
    assert find(*told) == ([] if at is None else [("posts", "action", at)])


@given(st.lists(st.tuples(st.sampled_from([A, E]), st.sampled_from([AT_XG, AT_ZG, AUDITOR])), max_size=30))
def test_nobody_s_post_ends_and_no_count_falls_below_zero(told: list[tuple[str, tuple[str, str]]]) -> None:
    held: Counter[tuple[str, str]] = Counter()
    wrong = []
    for index, (action, post) in enumerate(told, 1):
        if action == E and not held[post]:
            wrong.append(index)
        else:
            held[post] += 1 if action == A else -1
    assert [index for _, _, index in find(*told)] == wrong
