"""Where a list goes on survives its way through an address; nothing else is taken for it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.cursor import read_cursor, write_cursor

INSTANTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(INSTANTS, st.uuids())
def test_a_place_is_read_back(at: datetime, row: object) -> None:
    text = write_cursor((at, row))  # type: ignore[arg-type]
    assert read_cursor(text) == (at, row)
    assert text.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("text", ["", "nonsense", "eyJ", "MjAyNi0xMS0yMiB4", "é", "=" * 9, "A" * 200])
def test_anything_else_is_no_place(text: str) -> None:
    assert read_cursor(text) is None


@given(st.text(max_size=60))
def test_no_text_makes_it_fail(text: str) -> None:
    read_cursor(text)
