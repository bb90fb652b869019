"""Keys: sealed values open for their own row only, and every purpose has a key of its own."""

from uuid import UUID

import pytest

from cards import keys
from market.kit.errors import InvariantError
from market.kit.settings import get_settings

ONE, TWO = UUID(int=1), UUID(int=2)
NATIONAL_ID = "110101199003070134"


@pytest.fixture
def other_master(monkeypatch):
    """Call it and this installation has another master key."""

    def change() -> None:
        monkeypatch.setenv("HUIGONG_MASTER_KEY", "another")
        get_settings.cache_clear()

    yield change
    get_settings.cache_clear()


def test_a_national_id_opens_for_its_own_row_and_never_looks_alike():
    sealed = keys.seal_national_id(NATIONAL_ID, member_id=ONE)
    assert keys.open_national_id(sealed, member_id=ONE) == NATIONAL_ID
    assert sealed != keys.seal_national_id(NATIONAL_ID, member_id=ONE)
    assert NATIONAL_ID.encode() not in sealed
    assert sealed[0] == keys.KEY_ID


def test_a_sealed_value_does_not_open_for_another_row_purpose_or_when_altered():
    sealed = keys.seal_national_id(NATIONAL_ID, member_id=ONE)
    with pytest.raises(InvariantError):
        keys.open_national_id(sealed, member_id=TWO)
    with pytest.raises(InvariantError):
        keys.unwrap_person_key(sealed, subject=ONE)
    for at in (0, 1, 13, len(sealed) - 1):
        broken = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(InvariantError):
            keys.open_national_id(broken, member_id=ONE)


def test_another_master_key_opens_nothing_and_fingerprints_differently(other_master):
    sealed = keys.seal_national_id(NATIONAL_ID, member_id=ONE)
    fingerprint = keys.fingerprint_national_id(NATIONAL_ID)
    other_master()
    with pytest.raises(InvariantError, match="master key"):
        keys.open_national_id(sealed, member_id=ONE)
    assert keys.fingerprint_national_id(NATIONAL_ID) != fingerprint


def test_equal_ids_have_equal_fingerprints_of_32_bytes():
    assert keys.fingerprint_national_id(NATIONAL_ID) == keys.fingerprint_national_id(NATIONAL_ID)
    assert len(keys.fingerprint_national_id(NATIONAL_ID)) == 32
    assert keys.fingerprint_national_id(NATIONAL_ID) != keys.fingerprint_national_id("110101199003070150")


def test_a_person_key_is_random_and_comes_back_from_its_wrapping():
    key = keys.new_person_key()
    assert len(key) == 32
    assert key != keys.new_person_key()
    assert keys.unwrap_person_key(keys.wrap_person_key(key, subject=ONE), subject=ONE) == key
    with pytest.raises(InvariantError):
        keys.unwrap_person_key(keys.wrap_person_key(key, subject=ONE), subject=TWO)


def test_card_keys_differ_by_card_generation_device_and_week():
    base = {"card_id": ONE, "generation": 1, "device": "web", "week": "2026-W48"}
    changed = ({"card_id": TWO}, {"generation": 2}, {"device": "a"}, {"week": "2026-W49"}, {})
    derived = {keys.derive_card_key(**(base | change)) for change in changed}
    assert len(derived) == 5
    assert {len(key) for key in derived} == {32}
