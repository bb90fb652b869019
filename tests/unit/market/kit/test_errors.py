"""Every refusal of the house has a code of its own, a status, and a sentence in both languages."""

import importlib
import pkgutil
import re

import api
import cards
import market
import merchants
from market.kit.errors import DomainError


def all_errors() -> list[type[DomainError]]:
    for package in (market, cards, merchants, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found, waiting = [], [DomainError]
    while waiting:
        children = waiting.pop().__subclasses__()
        found += children
        waiting += children
    return found


def test_errors_are_complete_and_their_codes_are_unique() -> None:
    errors = all_errors()
    assert len(errors) > 30
    assert len({error.code for error in errors}) == len(errors), sorted(error.code for error in errors)
    for error in errors:
        assert error.status in {400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 500, 503}, error
        if error.__dict__.get("zh"):
            # A fact may come in both languages, as `name_zh` and `name_en`.
            chinese, english = (re.findall(r"\{(\w+?)(?:_zh|_en)?\}", words) for words in (error.zh, error.en))
            assert sorted(chinese) == sorted(english), error
            assert error.zh.endswith("。"), error
            assert error.en.endswith("."), error
            assert "！" not in error.zh, error
            assert "!" not in error.en, error
