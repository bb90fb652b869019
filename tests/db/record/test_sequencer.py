"""The sequencer: windows, order, no gap, no fork. What it serves is checked with RFC 6962's own recursion, not with its tree."""

import hashlib
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from api.public_log import DELAY_SECONDS, renew_key, trust_checkpoint
from api.publishing import find_stopped, name_stopped, publish
from api.witness import Watched
from market.kit.clock import now
from market.kit.database import connect, get_engine, transaction
from market.kit.ids import new_public_id
from market.record.log.bundles import decode_bundle
from market.record.log.keys import Kind
from market.record.log.notes import parse_note, verify_note
from market.record.log.proof_files import verify_proof_file
from market.record.log.tiles import Tile, list_bundles, list_tiles
from market.record.operations import append_entry
from market.record.publishing.keyring import KeyFileError, new_key, read_key, write_key
from market.record.publishing.sequencer import (
    _PLACE,
    READ_NO_TABLE,
    LogDamagedError,
    LogMemoryLostError,
    place_entries,
)
from market.record.publishing.served import prove_entry, read_published
from tests.db.record.conftest import AT, LATER, OPENED, WINDOW_SECONDS, Log


def merkle(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + merkle(leaves[:k]) + merkle(leaves[k:])).digest()


def leaves_of(bodies: Sequence[bytes]) -> list[bytes]:
    return [hashlib.sha256(b"\x00" + body).digest() for body in bodies]


def test_every_entry_is_published_once_and_proved(log: Log) -> None:
    ids = [log.write() for _ in range(300)]
    signed = log.run()
    assert signed is not None
    assert signed.checkpoint.size == OPENED + 300
    bodies = log.bodies()
    assert len(set(bodies)) == OPENED + 300
    assert signed.checkpoint.root == merkle(leaves_of(bodies))
    assert log.places().keys() > set(ids)
    with transaction() as tx:
        for index in (0, 1, 255, 256, OPENED + 298, OPENED + 299):
            proof = prove_entry(tx, leaf_index=index)
            assert proof is not None
            verify_proof_file(proof, entry=bodies[index], key=log.policy.log, origin=log.policy.origin)
        assert prove_entry(tx, leaf_index=OPENED + 300) is None
    assert log.run() is None, "nothing new, nothing signed"


def test_a_window_must_have_ended_and_is_shuffled(log: Log) -> None:
    first = [log.write(at=AT) for _ in range(40)]
    second = [log.write(at=AT + timedelta(seconds=WINDOW_SECONDS)) for _ in range(40)]
    log.write("offer", at=AT + timedelta(seconds=2 * WINDOW_SECONDS))
    log.run(AT + timedelta(seconds=WINDOW_SECONDS))
    places = log.places()
    assert places.keys() >= set(first)
    assert places.keys().isdisjoint(second), "their window is open"
    assert len(places) == OPENED + 41, "an offer has no window"
    order = sorted(first, key=lambda id_: places[id_])
    assert order != first, "the order of publication must not be that of writing (by chance 1 in 40!)"
    log.run(AT + timedelta(seconds=2 * WINDOW_SECONDS))
    assert min(log.places()[id_] for id_ in second) > max(places.values())


def test_what_refers_to_another_entry_follows_it(log: Log) -> None:
    for _ in range(30):
        log.write("refund", of=log.write())
        log.write("close")
    log.run()
    places, kinds = log.places(), []
    with get_engine().connect() as connection:
        rows = connection.execute(text("SELECT public_id, convert_from(body, 'UTF8')::jsonb AS body FROM entry"))
        for row in rows:
            kinds.append((places[row.public_id], row.body["type"]))
            if row.body.get("of"):
                assert places[row.public_id] > places[row.body["of"]]
    assert [kind for _, kind in sorted(kinds)] == ["key", "key", "policy", "account"] + ["sale"] * 30 + [
        "refund"
    ] * 30 + ["close"] * 30


def test_a_round_reads_what_waits_in_its_order_and_nothing_else(log: Log) -> None:
    values = {"closed": AT, "windowed": ["sale"], "most": 10, "size": 0, "shuffled": [2], "seed": b""}
    with transaction() as tx:
        tx.execute(text("SET LOCAL enable_seqscan = off"))  # of a small table all is read at once
        tx.execute(READ_NO_TABLE)
        plan = "\n".join(tx.execute(text(f"EXPLAIN {_PLACE.text}"), values).scalars())
    assert "Index Scan using ix_entry_unsequenced" in plan
    assert "Presorted Key: waiting.rank" in plan
    assert "Tid Scan" in plan


def test_tiles_are_those_of_the_tree_whatever_the_rounds(log: Log) -> None:
    chance = Random(7)
    size = OPENED
    while size < 700:
        for _ in range(chance.randrange(1, 120)):
            log.write()
            size += 1
        log.run()
    leaves = leaves_of(log.bodies())
    assert len(leaves) == size
    with transaction() as tx:
        for tile in list_tiles(0, size):
            data = read_published(tx, tile)
            if tile.level == 0:
                assert data == b"".join(leaves[tile.index * 256 : tile.index * 256 + tile.width])
            else:
                starts = range(0, tile.width * 256, 256)
                assert data == b"".join(merkle(leaves[at : at + 256]) for at in starts)
        for bundle in list_bundles(0, size):
            data = read_published(tx, bundle)
            assert data is not None
            first = bundle.index * 256
            assert leaves_of(decode_bundle(bundle, data)) == leaves[first : first + bundle.width]
        assert read_published(tx, Tile(0, 0, 17)) == b"".join(leaves[:17]), "a narrower tile is its beginning"
        for beyond in (Tile(0, size // 256), Tile(0, size // 256, size % 256 + 1), Tile(None, 5), Tile(2, 0, 1)):
            assert read_published(tx, beyond) is None


def test_what_has_a_place_but_is_not_signed_is_not_served(log: Log) -> None:
    log.write()
    log.run()
    log.write()
    with transaction() as tx:
        assert place_entries(tx, policy=log.policy, at=LATER).size == OPENED + 2
    with transaction() as tx:
        assert read_published(tx, Tile(0, 0, OPENED + 2)) is None
        assert read_published(tx, Tile(None, 0, OPENED + 2)) is None
        assert prove_entry(tx, leaf_index=OPENED + 1) is None
    log.run()
    with transaction() as tx:
        assert read_published(tx, Tile(0, 0, OPENED + 2)) is not None


def test_a_slow_transaction_follows_and_holds_nobody_up(log: Log) -> None:
    late = new_public_id()
    with transaction() as tx:
        append_entry(tx, kind="sale", public_id=late, merchant=None, day=AT.date(), body=b"{}", at=AT)
        others = [log.write() for _ in range(20)]
        log.run()
        assert log.places().keys() >= set(others)
        assert late not in log.places()
    log.run()
    assert log.places()[late] == OPENED + len(others)


@pytest.mark.prove
def test_a_transaction_open_for_thirty_seconds_holds_nobody_up(log: Log) -> None:
    """By the clock: a sale and a round every second, as the sequencer's are; each window but the last one ends meanwhile."""
    late, written, took = new_public_id(), dict[str, datetime](), dict[str, timedelta]()
    with transaction() as tx:
        begun = now()
        append_entry(tx, kind="sale", public_id=late, merchant=None, day=begun.date(), body=b"{}", at=begun)
        while now() < begun + timedelta(seconds=30):
            at = now()
            written[log.write(at=at)] = at
            log.run(now())
            size = log.published.checkpoint.size
            covered = {id_ for id_, place in log.places().items() if place < size} & written.keys() - took.keys()
            took |= {id_: now() - written[id_] for id_ in covered}
            time.sleep(1)
        ended = {id_ for id_, at in written.items() if log.policy.closes(at) < now() - timedelta(seconds=3)}
        assert late not in log.places()
    assert len(ended) >= 8, "enough windows ended, also on a slow machine"
    assert ended <= took.keys(), "published while the transaction was open"
    assert max(took.values()) < timedelta(seconds=WINDOW_SECONDS + DELAY_SECONDS)
    before = log.published.checkpoint.size
    log.run(now() + timedelta(seconds=WINDOW_SECONDS))
    assert before <= log.places()[late] < log.published.checkpoint.size, "it follows"


@pytest.mark.parametrize("each", [pytest.param(25, id="some"), pytest.param(400, id="many", marks=pytest.mark.prove)])
def test_sixteen_writers_with_rollbacks_leave_no_gap(log: Log, database: Engine, each: int) -> None:
    committed: list[str] = []
    over = threading.Event()

    def write(seed: int) -> None:
        chance = Random(seed)
        for _ in range(each):
            with transaction() as tx:
                public_id = new_public_id()
                append_entry(tx, kind="sale", public_id=public_id, merchant=None, day=AT.date(), body=b'{"v":1}', at=AT)
                over.wait(chance.random() / 100)
                if is_undone := chance.random() < 0.3:
                    tx.rollback()
            if not is_undone:
                committed.append(public_id)

    connect(database.url.render_as_string(hide_password=False), pool_size=17)
    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(16)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        log.run()
    log.run()
    places = log.places()
    assert set(committed) == {id_ for id_, place in places.items() if place >= OPENED}
    assert sorted(places.values()) == list(range(OPENED + len(committed)))
    assert log.published.checkpoint.size == OPENED + len(committed)


def test_a_tampered_tile_is_not_signed_over(log: Log, database: Engine) -> None:
    for _ in range(10):
        log.write()
    log.run()
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("UPDATE log_tile SET hashes = set_byte(hashes, 39, get_byte(hashes, 39) # 1)"))
    waiting = log.write()
    with pytest.raises(LogDamagedError, match="tiles do not lead to its root"):
        log.run()
    assert waiting not in log.places()


def test_a_tile_that_is_gone_is_not_signed_over(log: Log, database: Engine) -> None:
    log.run()
    with database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("DELETE FROM log_tile"))
    log.write()
    with pytest.raises(LogDamagedError, match="tile/0/000"):
        log.run()


def test_without_its_memory_the_log_does_not_sign(log: Log) -> None:
    log.run()
    path = log.shelf.folder / "checkpoint"
    path.unlink()
    waiting = log.write()
    with pytest.raises(LogMemoryLostError, match="huigong key keep"):
        log.run()
    assert waiting not in log.places()
    assert trust_checkpoint(log.settings) == OPENED
    assert log.run() is not None


def test_the_log_only_grows(log: Log, database: Engine) -> None:
    log.write()
    log.run()
    for statement in (
        "UPDATE log_tile SET hashes = substring(hashes FOR 32)",
        "UPDATE log_state SET size = 0",
        "UPDATE log_checkpoint SET note = ''",
        "DELETE FROM log_checkpoint",
        "DELETE FROM log_tile",
        "TRUNCATE log_state",
        "UPDATE entry SET leaf_index = 7",
        "UPDATE entry SET body = 'xx'",
    ):
        with (
            pytest.raises(IntegrityError, match="RestrictViolation"),
            database.begin() as connection,
        ):
            connection.execute(text(statement))


def test_a_renewed_key_signs_what_comes_after(log: Log) -> None:
    log.write()
    log.run()
    old = log.published
    renewed = renew_key(log.settings, which="log", at=LATER)
    assert renewed.log != log.policy.log
    assert renewed.promise == log.policy.promise
    signed = log.run(LATER)
    assert signed is not None
    assert verify_note(signed.note, [renewed.log]) == (renewed.log,)
    assert signed.checkpoint.size == old.checkpoint.size + 2, "the key and the policy"
    log.write()
    assert log.run() is not None


def test_key_files_are_their_owners_alone(log: Log) -> None:
    path = log.shelf.folder / "extra.skey"
    key = new_key("witness.example", Kind.COSIGNATURE)
    write_key(path, key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key(path) == key
    assert key.text not in repr(key)
    with pytest.raises(KeyFileError, match="never overwritten"):
        write_key(path, key)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_key(path)
    path.chmod(0o600)
    path.write_text(key.text[:-9])
    with pytest.raises(KeyFileError, match="holds no key"):
        read_key(path)
    path.unlink()
    with pytest.raises(KeyFileError, match="huigong key"):
        read_key(path)


def test_two_sequencers_do_not_disturb_each_other(log: Log) -> None:
    for _ in range(200):
        log.write()
    failures: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(10):
                log.run()
                log.write()
        except Exception as error:  # noqa: BLE001  whatever it is, the test names it
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.run()
    assert failures == []
    assert sorted(log.places().values()) == list(range(OPENED + 240))
    assert log.published.checkpoint.root == merkle(leaves_of(log.bodies()))
    assert parse_note(log.shelf.read() or b"") == log.published.note


def test_the_sequencer_outlives_a_round_that_failed_and_says_so(log: Log, database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE log_tile RENAME TO out_of_reach"))
    with capture_logs() as logs:
        assert not publish(log.settings, Watched([]))
    assert [(one["log_level"], one.get("exc_info")) for one in logs] == [("error", True), ("error", None)]
    with transaction() as tx:
        assert name_stopped(find_stopped(tx)) == "ROUND_FAILED"
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE out_of_reach RENAME TO log_tile"))
    assert publish(log.settings, Watched([]))
    assert log.published.checkpoint.size == OPENED
    with transaction() as tx:
        assert name_stopped(find_stopped(tx)) == "ok"
