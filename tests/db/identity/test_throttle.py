"""Counting tries: exactly as many pass as the limit says, whoever comes at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from api.housekeeping import LOCK, tidy
from api.identity.throttle import TooManyTriesError, check, forget, hit, prune_throttle
from market.kit.database import transaction

NOON = datetime(2026, 12, 1, 4, 5, tzinfo=UTC)
RULE = {"limit": 5, "window_seconds": 900}


def try_once(key: str = "k", at: datetime = NOON, **rule: int) -> bool:
    try:
        with transaction() as tx:
            hit(tx, key=key, at=at, **(RULE | rule))
    except TooManyTriesError:
        return False
    return True


def is_locked(key: str = "k", at: datetime = NOON) -> bool:
    try:
        with transaction() as tx:
            check(tx, key=key, at=at, **RULE)
    except TooManyTriesError:
        return True
    return False


def test_of_many_tries_at_once_exactly_the_limit_pass(database: Engine) -> None:
    with ThreadPoolExecutor(12) as pool:
        passed = list(pool.map(lambda _: try_once(), range(60)))
    assert sum(passed) == RULE["limit"]
    assert is_locked()


def test_a_window_starts_with_its_first_try_and_ends(database: Engine) -> None:
    assert all(try_once(at=NOON + timedelta(seconds=second)) for second in range(5))
    assert not try_once(at=NOON + timedelta(seconds=899))
    assert not is_locked(at=NOON + timedelta(seconds=900))
    assert try_once(at=NOON + timedelta(seconds=900))
    assert not is_locked(at=NOON + timedelta(seconds=901))


def test_the_refusal_names_the_minutes_that_are_left(database: Engine) -> None:
    for _ in range(5):
        try_once()
    with pytest.raises(TooManyTriesError) as refusal, transaction() as tx:
        hit(tx, key="k", at=NOON + timedelta(seconds=830), **RULE)
    assert refusal.value.facts == {"minutes": 2}


def test_one_key_does_not_lock_another(database: Engine) -> None:
    for _ in range(9):
        try_once("mine")
    assert is_locked("mine")
    assert not is_locked("yours")
    assert try_once("yours")


def test_forgetting_starts_anew(database: Engine) -> None:
    for _ in range(9):
        try_once()
    with transaction() as tx:
        forget(tx, key="k")
    assert not is_locked()
    assert try_once()


def test_tidying_counts_what_it_deleted_and_lets_one_process_do_it(database: Engine) -> None:
    try_once("old", at=NOON - timedelta(days=2))
    with transaction() as tx:
        tx.execute(select(func.pg_advisory_xact_lock(LOCK)))
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(tidy, at=NOON).result() == {}
    assert {kind: rows for kind, rows in tidy(at=NOON).items() if rows} == {"throttle": 1}


def test_pruning_keeps_what_still_counts(database: Engine) -> None:
    try_once("old", at=NOON - timedelta(days=1, seconds=1))
    try_once("young")
    with transaction() as tx:
        assert prune_throttle(tx, at=NOON) == 1
        assert prune_throttle(tx, at=NOON) == 0
