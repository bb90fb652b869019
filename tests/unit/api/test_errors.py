"""The sentence of a refusal, cut in what holds and what to do."""

import pytest

from api.errors import FIELD_PROBLEMS, split_sentence
from market.kit.errors import DomainError


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        ("登录已失效，请先登录。", ("登录已失效。", "请先登录。")),
        ("卡已冻结；请到工会窗口解冻。", ("卡已冻结。", "请到工会窗口解冻。")),
        ("The card is frozen; ask at the union desk.", ("The card is frozen.", "Ask at the union desk.")),
        ("这张卡已冻结。请到工会窗口解冻。", ("这张卡已冻结。", "请到工会窗口解冻。")),
        ("This card is frozen. Ask at the union desk.", ("This card is frozen.", "Ask at the union desk.")),
        ("一句话。", ("一句话。", "")),
    ],
)
def test_a_sentence_is_cut_before_its_next_step(sentence: str, parts: tuple[str, str]) -> None:
    assert split_sentence(sentence) == parts


def _all_errors(family: type[DomainError]) -> list[type[DomainError]]:
    return [family, *(error for child in family.__subclasses__() for error in _all_errors(child))]


def test_codes_are_unique_and_every_refusal_speaks_both_languages() -> None:
    errors = [error for error in _all_errors(DomainError) if error.__module__.split(".")[0] == "api"]
    codes = [error.code for error in errors]
    assert len(errors) > 10
    assert len(codes) == len(set(codes))
    for error in errors:
        assert error.zh, error
        assert error.en, error
        assert error.zh != error.en
        assert 400 <= error.status < 600


def test_no_field_problem_would_repeat_what_was_sent() -> None:
    assert not [words for pair in FIELD_PROBLEMS.values() for words in pair if "{input" in words]
