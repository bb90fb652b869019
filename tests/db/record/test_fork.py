"""A log that must not sign places nothing, and has a way on that is honest: a newer backup, or a new name that says what was lost."""

import json

import pytest
from sqlalchemy import Engine, text

from api.public_log import (
    LogNameUsedError,
    LogWholeError,
    open_log,
    renew_key,
    succeed_log,
    trust_checkpoint,
)
from market.kit.database import transaction
from market.record.auditing.audit import Audited, audit_log
from market.record.log.checkpoints import open_checkpoint
from market.record.log.notes import parse_note, verify_note
from market.record.operations import publish_event
from market.record.publishing.sequencer import LogDamagedError, LogForkError, place_entries
from market.record.publishing.served import find_newest_checkpoint, record_reader
from tests.db.record.conftest import AT, LATER, OPENED, Log

NEW = "test.example/log-2"


def set_back(database: Engine, size: int) -> None:
    """The database as it was with so many entries (below 256), past the triggers as a restore is."""
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for statement in (
            "DELETE FROM log_checkpoint WHERE size > :size",
            "UPDATE entry SET batch_id = NULL, batch_index = NULL WHERE batch_id IN (SELECT id FROM entry WHERE leaf_index >= :size)",
            "DELETE FROM entry WHERE leaf_index >= :size OR leaf_index IS NULL AND NOT is_batched",
            "UPDATE log_tile SET hashes = substring(hashes FOR 32 * :size) WHERE level = 0",
            "UPDATE log_state SET size = :size",
        ):
            connection.execute(text(statement), {"size": size})


def appoint(count: int = 1) -> str:
    """Events with entries of their own; the public id of the last one."""
    with transaction() as tx:
        for _ in range(count):
            id_ = publish_event(tx, kind="post", fields={"action": "appointed", "post": "officer"}, at=AT)
        public_id: str = tx.execute(text("SELECT public_id FROM entry WHERE id = :id"), {"id": id_}).scalar_one()
    return public_id


def audit(since: bytes | None = None) -> Audited:
    with transaction() as tx:
        return audit_log(record_reader(tx), since=since)


def newest() -> bytes:
    with transaction() as tx:
        note = find_newest_checkpoint(tx)
    assert note is not None
    return note


@pytest.fixture
def lost(log: Log, database: Engine) -> tuple[bytes, bytes]:
    """The newest five entries are lost: the checkpoint that came back, and the last one that was signed."""
    appoint(10)
    log.run()
    yesterday = newest()
    appoint(5)
    log.run()
    last = newest()
    set_back(database, OPENED + 10)
    return yesterday, last


def test_a_restored_backup_does_not_fork_the_log_and_gives_no_place(log: Log, lost: tuple[bytes, bytes]) -> None:
    before = log.places()
    with pytest.raises(LogForkError) as refusal:
        log.run()
    assert refusal.value.facts == {"size": OPENED + 10, "signed_size": OPENED + 15, "where": "shelf"}
    appoint(30)  # more than were lost
    for _ in range(3):
        with pytest.raises(LogForkError, match="--after-loss"):
            log.run()
    assert log.places() == before, "a place is for ever, and these may be those of the lost entries"
    assert log.published.checkpoint.size == OPENED + 10
    with pytest.raises(LogForkError):
        trust_checkpoint(log.settings)


def test_a_newer_backup_goes_on_where_the_log_stood(log: Log, database: Engine) -> None:
    """What waited in the refused database is placed nowhere, so the newer one, brought back, continues what was signed."""
    appoint()
    log.run()
    with database.begin() as connection:  # the newer backup
        for table in ("entry", "log_tile", "log_state", "log_checkpoint"):
            connection.execute(text(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}"))
    set_back(database, OPENED)
    appoint()
    with pytest.raises(LogForkError):
        log.run()
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for table in ("entry", "log_tile", "log_state", "log_checkpoint"):
            connection.execute(text(f"DELETE FROM {table}"))
            connection.execute(text(f"INSERT INTO {table} SELECT * FROM kept_{table}"))
    appoint()
    signed = log.run()
    assert signed is not None
    assert signed.checkpoint.size == OPENED + 2
    assert sorted(log.places().values()) == list(range(OPENED + 2))


def test_a_database_that_outgrew_what_was_signed_is_refused(log: Log, lost: tuple[bytes, bytes]) -> None:
    """Another process, without this shelf, gave the places of the lost entries to others."""
    appoint(30)
    with transaction() as tx:
        assert place_entries(tx, policy=log.policy, at=LATER).size == OPENED + 40
    for _ in range(2):
        with pytest.raises(LogForkError) as refusal:
            log.run()
    assert refusal.value.facts["signed_size"] == OPENED + 15
    assert log.published.checkpoint.size == OPENED + 10
    succeed_log(log.settings, origin=NEW, at=LATER)
    assert log.run() is not None
    assert audit().findings == []


def test_a_key_that_was_changed_after_the_backup_is_known_by_its_file(log: Log, database: Engine) -> None:
    log.run()
    renew_key(log.settings, which="log", at=LATER)
    log.run()
    last = newest()
    set_back(database, OPENED)
    with pytest.raises(LogForkError):
        log.run()
    said = succeed_log(log.settings, origin=NEW, at=LATER).succeeds
    assert said is not None
    assert said.log != log.policy.log
    assert verify_note(parse_note(last), [said.log]) == (said.log,)
    assert log.run() is not None
    assert audit().findings == []


def test_after_a_loss_a_new_name_goes_on_and_says_so(log: Log, lost: tuple[bytes, bytes]) -> None:
    yesterday, last = lost
    waiting = appoint()
    with pytest.raises(LogForkError):
        log.run()
    policy = succeed_log(log.settings, origin=NEW, at=LATER)
    signed = log.run()
    assert signed is not None
    assert signed.checkpoint.origin == NEW
    assert log.places()[waiting] >= OPENED + 10
    [*_, body] = (body for body in log.bodies() if json.loads(body)["type"] == "policy")
    said = json.loads(body)["succeeds"]
    assert said == {"checkpoint": last.decode(), "continued": OPENED + 10, "log": log.policy.log.text}
    kept = open_checkpoint(said["checkpoint"].encode(), key=log.policy.log, origin=log.policy.origin)
    assert kept.checkpoint.size == OPENED + 15, "the old one's word stays verifiable"
    assert audit().findings == []
    assert audit(since=yesterday).findings == [], "what was seen before the loss is continued"
    [found] = audit(since=last).findings
    assert (found.rule, "lost entries" in found.problem) == ("consistency", True)
    appoint()
    assert renew_key(log.settings, which="log", at=LATER).succeeds == policy.succeeds
    assert log.run() is not None, "it goes on"
    assert audit(since=signed.note.encode()).findings == []


def test_a_log_that_signs_is_not_given_up(log: Log) -> None:
    log.run()
    with pytest.raises(LogWholeError):
        succeed_log(log.settings, origin=NEW, at=LATER)
    assert audit().findings == []


def test_no_name_is_used_twice(log: Log, lost: tuple[bytes, bytes], database: Engine) -> None:
    with pytest.raises(LogNameUsedError):
        succeed_log(log.settings, origin=log.policy.origin, at=LATER)
    succeed_log(log.settings, origin=NEW, at=LATER)
    log.run()
    for origin in (log.policy.origin, NEW):
        with pytest.raises(LogNameUsedError):
            succeed_log(log.settings, origin=origin, at=LATER)
    with database.begin() as connection:  # a backup from before the log was opened
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("TRUNCATE entry, log_checkpoint, log_cosignature, log_tile, log_state CASCADE"))
    with pytest.raises(LogNameUsedError):
        open_log(log.settings, origin=log.policy.origin, window_seconds=5, at=AT)


def test_a_damaged_database_is_no_loss(log: Log, database: Engine, lost: tuple[bytes, bytes]) -> None:
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("UPDATE log_tile SET hashes = set_byte(hashes, 39, get_byte(hashes, 39) # 1)"))
    with pytest.raises(LogDamagedError):
        succeed_log(log.settings, origin=NEW, at=LATER)
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("UPDATE log_checkpoint SET note = 'x'"))
    with pytest.raises(LogDamagedError):
        succeed_log(log.settings, origin=NEW, at=LATER)
