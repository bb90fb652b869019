"""The log of this installation: where its keys and its shelf lie, opening it, and one round of the sequencer.

The log's key and the shelf are the sequencer's alone: web and worker open neither. They read the promise key, which may lie in another
folder. In both there is a folder for each log, named after it.
"""

import re
import secrets
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from sqlalchemy.orm import Session

from market.kit.database import transaction
from market.kit.errors import ConflictError
from market.kit.postgres_folders import PROJECT, default_home
from market.kit.settings import Settings
from market.oversight.indexing import index_entries
from market.record.log.checkpoints import SignedCheckpoint
from market.record.log.keys import SignerKey, VerifierKey
from market.record.log.tiles import TiledTree
from market.record.policy import Policy, parse_policy
from market.record.publishing.batching import make_batches
from market.record.publishing.keyring import new_key, read_key, write_key
from market.record.publishing.opening import lock_log, publish_chart, set_policy
from market.record.publishing.sequencer import check_continued, place_entries, sign_log
from market.record.publishing.served import (
    find_newest_checkpoint,
    find_placed_policy,
    find_policy,
    list_log_keys,
    published_size,
    tile_reader,
)
from market.record.publishing.shelf import Shelf

DEMO_WINDOW_SECONDS: Final = 5
DELAY_SECONDS: Final = 60
# Times some thousand entries: after an upgrade the rest is for later rounds, so that publication does not wait for it.
INDEXED_A_ROUND: Final = 4


class LogOpenError(ConflictError):
    """There is a log already."""

    code = "LOG_OPEN"
    zh = "公开记录已经开启（{origin}）。更换密钥请用 huigong key rotate。"
    en = "The log is open already ({origin}). To change a key use `huigong key rotate`."


class LogNotOpenError(ConflictError):
    """Nobody opened the log of a real installation."""

    code = "LOG_NOT_OPEN"
    zh = "公开记录还没有开启：请运行 huigong key new --origin 名称。"
    en = "The log is not open yet: run `huigong key new --origin NAME`."


def record_home(settings: Settings) -> Path:
    """The folder of what web and worker keep outside the database: the promise keys of each log, and the erasure list."""
    database = settings.data_dir or default_home(PROJECT)
    return settings.record_folder or database.with_name(f"{database.name}-record")


def sequencer_home(settings: Settings) -> Path:
    """The folder of what only the sequencer reads: the secret keys and the shelf of each log."""
    return settings.log_key_folder or record_home(settings)


def log_folder(settings: Settings, origin: str) -> Path:
    """Where the secret keys and the shelf of the log with this origin lie."""
    return sequencer_home(settings) / _name_folder(origin)


def promise_folder(settings: Settings, origin: str) -> Path:
    """Where the promise keys of the log with this origin lie."""
    return record_home(settings) / _name_folder(origin)


def _name_folder(origin: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "_", origin)


def list_outside(settings: Settings) -> list[str]:
    """What no backup of the database holds, a line for each folder: its path and what lies in it."""
    record, sequencer = record_home(settings), sequencer_home(settings)
    if record == sequencer:
        return [f"{record}: the log's key, what was signed last, the promise key, the erasure list"]
    return [f"{record}: the promise key, the erasure list", f"{sequencer}: the log's key, what was signed last"]


def open_log(settings: Settings, *, origin: str, window_seconds: int, at: datetime) -> Policy:
    """Make the keys of a new log, and publish them, its first policy and the chart of accounts. Raises LogOpenError where there is one."""
    with transaction() as tx:
        lock_log(tx)
        if (policy := find_policy(tx)) is not None:
            raise LogOpenError(origin=policy.origin)
        log, promise = new_key(origin), new_key(f"{origin}/promise")
        policy = Policy(
            origin=origin,
            log=log.verifier,
            promise=promise.verifier,
            window_seconds=window_seconds,
            delay_seconds=DELAY_SECONDS,
            zone=settings.zone,
        )
        write_key(_log_path(settings, policy), log)
        write_key(_promise_path(settings, policy), promise)
        set_policy(tx, policy, at=at)
        publish_chart(tx, at=at)
    return policy


def open_demo_log(settings: Settings, *, at: datetime) -> None:
    """A demo's log is opened by itself, under a name of its own for each new database, with windows of seconds."""
    with transaction() as tx:
        is_open = find_policy(tx) is not None
    if not is_open:
        origin = f"huigong.example/{secrets.token_hex(4)}/demo"
        open_log(settings, origin=origin, window_seconds=DEMO_WINDOW_SECONDS, at=at)


def key_path(folder: Path, use: str, key: VerifierKey) -> Path:
    """The file of a secret key: `log-1a2b3c4d.skey`."""
    return folder / f"{use}-{key.id.hex()}.skey"


def read_log_key(settings: Settings, policy: Policy) -> SignerKey:
    """The log's secret key; raises KeyFileError."""
    return read_key(_log_path(settings, policy))


def read_promise_key(settings: Settings, policy: Policy) -> SignerKey:
    """The promise key; raises KeyFileError."""
    return read_key(_promise_path(settings, policy))


def keep_promise_key(settings: Settings, policy: Policy) -> SignerKey:
    """The promise key, read once in the life of this process: a purchase waits for no disk. Raises KeyFileError."""
    return _keep_key(_promise_path(settings, policy))


@lru_cache(maxsize=16)
def _keep_key(path: Path) -> SignerKey:
    """The path names the key by its id; what could not be read is tried again."""
    return read_key(path)


def _log_path(settings: Settings, policy: Policy) -> Path:
    return key_path(log_folder(settings, policy.origin), "log", policy.log)


def _promise_path(settings: Settings, policy: Policy) -> Path:
    return key_path(promise_folder(settings, policy.origin), "promise", policy.promise)


def run_round(settings: Settings, *, at: datetime) -> SignedCheckpoint | None:
    """One round of the sequencer: add a chart of accounts that is new and the batches that are due, place what waits, sign, publish, index.

    None: nothing new.

    Raises LogNotOpenError, LogForkError, LogDamagedError, LogMemoryLostError or KeyFileError; nothing is signed then.
    """
    with transaction() as tx:
        policy = need_policy(tx)
    read_log_key(settings, policy)  # without it nothing is placed either
    with transaction() as tx:
        publish_chart(tx, at=at)  # before what may use an account that it adds
    batched = None
    while batched is None or batched.batches:
        with transaction() as tx:
            batched = make_batches(tx, policy=policy, at=at)
    placed = None
    while placed is None or placed.count:
        with transaction() as tx:
            placed = place_entries(tx, policy=policy, at=at)
    with transaction() as tx:
        body = find_placed_policy(tx, size=placed.size)
        signing = policy if body is None else parse_policy(body)
        key, shelf = read_log_key(settings, signing), Shelf(log_folder(settings, signing.origin))
        signed = sign_log(tx, policy=signing, key=key, shelf=shelf, at=at)
    for _ in range(INDEXED_A_ROUND):
        with transaction() as tx:
            if not index_entries(tx):
                break
    return signed


def renew_key(settings: Settings, *, which: Literal["log", "promise"], at: datetime) -> Policy:
    """Replace one of the keys: the checkpoint that covers the new policy is the first one under a new log key. Raises LogNotOpenError."""
    with transaction() as tx:
        lock_log(tx)
        old = need_policy(tx)
        key = new_key(old.origin if which == "log" else f"{old.origin}/promise")
        policy = replace(old, log=key.verifier) if which == "log" else replace(old, promise=key.verifier)
        write_key((_log_path if which == "log" else _promise_path)(settings, policy), key)
        set_policy(tx, policy, at=at)
    return policy


def add_witness(key: VerifierKey, *, is_own: bool, at: datetime) -> Policy:
    """Name a witness in the policy, which is a public entry; a witness of the operator's own as that. Raises LogNotOpenError."""
    with transaction() as tx:
        lock_log(tx)
        old = need_policy(tx)
        others = tuple(one for one in old.witnesses if one.name != key.name)
        own = tuple(one for one in old.own_witnesses if one.name != key.name)
        policy = (
            replace(old, witnesses=others, own_witnesses=(*own, key))
            if is_own
            else replace(old, witnesses=(*others, key), own_witnesses=own)
        )
        set_policy(tx, policy, at=at)
    return policy


def trust_checkpoint(settings: Settings) -> int:
    """Put the newest checkpoint of the database on the shelf; its size.

    Raises LogNotOpenError; LogForkError or LogDamagedError if what lies there is further, or broken.
    """
    with transaction() as tx:
        policy = need_policy(tx)
        newest = find_newest_checkpoint(tx)
        shelf = Shelf(log_folder(settings, policy.origin))
        kept, size = shelf.read(), published_size(tx)
        if kept is not None:
            tree = TiledTree(size, tile_reader(tx))
            check_continued(tree, kept, keys=list_log_keys(tx), origin=policy.origin, where="shelf")
        if newest is not None:
            shelf.keep(newest)
    return size


def need_policy(tx: Session) -> Policy:
    """The newest policy; raises LogNotOpenError."""
    policy = find_policy(tx)
    if policy is None:
        raise LogNotOpenError
    return policy
