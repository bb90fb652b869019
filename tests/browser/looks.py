"""In which looks a page is seen: screen, theme and language. The suite takes them in turn, `make prove` all."""

from collections.abc import Sequence

import pytest
from _pytest.mark import ParameterSet

LOOKS = [("phone", "light", "zh-CN"), ("phone", "dark", "en"), ("desk", "light", "en"), ("desk", "dark", "zh-CN")]


def some_looks(turn: int = 0) -> list[ParameterSet]:
    """The look whose turn it is; all others under `make prove`."""
    return [pytest.param(*look, marks=() if number == turn else pytest.mark.prove) for number, look in enumerate(LOOKS)]


def looks_in_turn(names: Sequence[str]) -> list[ParameterSet]:
    """Each of these with every look, one look of each in the suite, the next of them the next look."""
    return [
        pytest.param(name, *look, marks=() if number % len(LOOKS) == turn else pytest.mark.prove)
        for number, name in enumerate(names)
        for turn, look in enumerate(LOOKS)
    ]
