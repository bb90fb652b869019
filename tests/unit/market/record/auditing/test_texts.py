"""The texts beside entries as an auditor reads them, from whoever serves them."""

import base64
import hashlib
import json

import pytest

from market.record.auditing.texts import TextsCheck
from tests.record_log import id_of, other

SALT = bytes(range(32))
TEXT = '{"credit_code":"91110108551385082Q","name":"老周面馆"}'
HASH = base64.b64encode(hashlib.sha256(SALT + TEXT.encode()).digest()).decode()
ENTRY = other(4, "merchant", action="admitted", merchant="m_0001", text=HASH)
PATH = f"entries/{id_of(4)}.text"


def served(**changes: object) -> bytes:
    return json.dumps({"salt": base64.b64encode(SALT).decode(), "text": TEXT, **changes}).encode()


def test_the_text_that_was_hashed_is_found_right() -> None:
    check = TextsCheck({PATH: served()}.get)
    assert check.look(4, ENTRY) == []
    assert (check.opened, check.absent) == (1, 0)


def test_one_that_is_served_no_more_is_counted() -> None:
    check = TextsCheck({}.get)
    assert check.look(4, ENTRY) == []
    assert (check.opened, check.absent) == (0, 1)


@pytest.mark.parametrize(
    "file",
    [
        served(text=TEXT.replace("周", "王")),
        served(text=TEXT + " "),
        served(salt=base64.b64encode(bytes(32)).decode()),
        served(salt="!"),
        served(salt=None),
        served(text=None),
        served(text="\ud800"),
        b"[]",
        b"1",
        b"",
        b"\xff",
        b"[" * 40_000,
    ],
)
def test_any_other_is_found(file: bytes) -> None:
    check = TextsCheck({PATH: file}.get)
    (found,) = check.look(4, ENTRY)
    assert (found.rule, found.leaf_index, found.public_id, found.field) == ("texts", 4, id_of(4), "text")
    assert check.opened == 0


@pytest.mark.parametrize(
    "entry",
    [
        other(4, "merchant", action="suspended", merchant="m_0001"),
        ENTRY.replace(id_of(4).encode(), b"../../../../etc/passwd"),
        b'{"text":"',
        b'["text":"x"]',
        b'{"id":7,"text":"x"}',
        b"[" * 40_000 + b'"text":"',
    ],
)
def test_nothing_is_fetched_for_what_names_no_text(entry: bytes) -> None:
    def read(path: str) -> bytes | None:
        raise AssertionError(path)

    assert TextsCheck(read).look(4, entry) == []


def test_a_list_that_quotes_a_text_is_no_entry() -> None:
    assert TextsCheck({}.get).look(4, b'[{"text":"x"}]') == []
