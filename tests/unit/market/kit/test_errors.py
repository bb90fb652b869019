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
        assert 400 <= error.status < 500 or error.status == 503, error
        if error.__dict__.get("zh"):
            fields = re.findall(r"\{(\w+)\}", error.zh)
            assert sorted(fields) == sorted(re.findall(r"\{(\w+)\}", error.en)), error
            assert error.zh.endswith("。"), error
            assert error.en.endswith("."), error
            assert "！" not in error.zh, error
            assert "!" not in error.en, error
