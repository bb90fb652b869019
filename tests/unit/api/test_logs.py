"""Logs tell what happened and nothing about people."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from api.logs import configure_logs, redact

CANARIES = {
    "national id": "11010519491231002X",
    "card number": "3302123456785678",
    "card number in groups": "3302 1234 5678 5678",
    "phone": "13800138000",
    "phone in groups": "138 0013 8000",
    "typed code": "48151623",
    "typed code in groups": "4815 1623",
    "QR": "HG1.AbC-def_123.0.59012345.MFRGGZDFMZTWQ2LK",
}


@pytest.fixture
def log_lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[Callable[[], None]], list[dict[str, Any]]]]:
    """What a piece of work logs, line by line."""
    before = logging.getLogger().handlers[:]

    def collect(work: Callable[[], None]) -> list[dict[str, Any]]:
        configure_logs("json")  # here, because pytest closes the streams between setting up and running
        work()
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    yield collect
    logging.getLogger().handlers = before
    structlog.reset_defaults()


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
@pytest.mark.parametrize("place", ["{}", "visit of {} refused", '{{"seen": "{}"}}', "({},)"])
def test_a_personal_number_is_hidden_wherever_it_stands(canary: str, place: str) -> None:
    told = json.dumps(redact(None, "", {"event": place.format(canary), "rows": [{"deep": canary}], canary.lower(): 1}))
    hidden = told.replace(json.dumps(canary.lower()), "")
    assert canary not in hidden


@pytest.mark.parametrize("number", [13800138000, 48151623, 3302123456785678])
def test_a_personal_number_is_hidden_as_an_integer_too(number: int) -> None:
    assert redact(None, "", {"seen": number})["seen"] == "[redacted]"


@pytest.mark.parametrize(
    "name",
    ["phone", "national_id", "id_number", "code", "card_code", "password", "csrf_token", "Authorization", "login"],
)
def test_a_telling_name_hides_its_value(name: str) -> None:
    assert redact(None, "", {name: "x"})[name] == "[redacted]"


@pytest.mark.parametrize(
    "kept",
    [
        1540,
        100_000_000,
        "2026-11-22T12:05:00.123456Z",
        "0192f0c1-2345-7890-abcd-1234567890ab",
        "r12345678",
        True,
        None,
        12.5,
    ],
)
def test_what_identifies_nobody_stays_readable(kept: object) -> None:
    assert redact(None, "", {"seen": kept})["seen"] == kept


def test_tracebacks_are_told_without_the_values_of_rows(log_lines: Any) -> None:
    def fail() -> None:
        quoting = "duplicate key\nDETAIL:  Key (name)=(王小明) already exists.\n[parameters: {'name': '王小明'}]"
        try:
            int(quoting)
        except ValueError as error:
            told = ValueError(quoting)
            told.__traceback__ = error.__traceback__
            structlog.get_logger("huigong").error("fault", exc_info=told)
            logging.getLogger("sqlalchemy").exception("from a library", exc_info=told)

    ours, theirs = log_lines(fail)
    for line in (ours, theirs):
        assert "ValueError: duplicate key" in line["exception"]
        assert "王小明" not in line["exception"].partition("ValueError: duplicate key")[2]


def test_libraries_write_the_same_lines(log_lines: Any) -> None:
    (line,) = log_lines(lambda: logging.getLogger("some.library").warning("called %s", "13800138000"))
    assert (line["event"], line["level"], line["logger"]) == ("called [redacted]", "warning", "some.library")
