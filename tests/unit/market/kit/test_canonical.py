"""Canonical JSON agrees with an independent implementation of RFC 8785."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from market.kit.canonical import canonical_json
from market.kit.errors import InvariantError

keys = st.text(st.characters(codec="ascii"), max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_the_bytes_are_those_of_the_rfc(value: object) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [1.5, {"a": [0.0]}, {"键": 1}, {1: "a"}, b"bytes"])
def test_what_cannot_be_canonical_is_refused(value: object) -> None:
    with pytest.raises(InvariantError):
        canonical_json(value)
