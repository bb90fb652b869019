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
from market.offers.operations import start_published
from market.oversight.counting import count_entries
from market.oversight.indexing import index_entries
from market.record.log.checkpoints import SignedCheckpoint, read_checkpoint
from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.keys import SignerKey, VerifierKey
from market.record.log.notes import verify_note
from market.record.log.tiles import TiledTree
from market.record.policy import Policy, Succession, parse_policy
from market.record.publishing.batching import make_batches
from market.record.publishing.keyring import key_path, new_key, read_key, write_key
from market.record.publishing.opening import lock_log, publish_chart, set_policy
from market.record.publishing.sequencer import (
    LogDamagedError,
    LogForkError,
    LogMemoryLostError,
    check_continued,
    check_log,
    check_undamaged,
    list_signers,
    place_entries,
    sign_log,
)
from market.record.publishing.served import (
    find_newest_checkpoint,
    find_placed_policy,
    find_policy,
    list_policies,
    published_size,
    tile_reader,
)
from market.record.publishing.shelf import Shelf
from market.record.publishing.unmade import attempt, list_unmade

DEMO_WINDOW_SECONDS: Final = 5
DELAY_SECONDS: Final = 60
# Times some thousand entries: after an upgrade the rest is for later rounds, so that publication does not wait for it.
COUNTED_A_ROUND: Final = 4
INDEXED_A_ROUND: Final = 4


class LogOpenError(ConflictError):
    """There is a log already."""

    code = "LOG_OPEN"
    zh = (
        "公开记录已经开启（{origin}）。更换密钥请用 huigong key rotate；新的数据丢失、不能再签名时，加上 --after-loss。"
    )
    en = (
        "The log is open already ({origin}). To change a key use `huigong key rotate`; when newer data are lost and it refuses to sign, add "
        "`--after-loss`."
    )


class LogWholeError(ConflictError):
    """Nothing is lost, so there is nothing to succeed."""

    code = "LOG_WHOLE"
    zh = "公开记录 {origin} 没有丢失，照常签名，不需要另开一本。什么都没有改。"
    en = "The log {origin} is whole and signs; it needs no successor. Nothing was changed."


class LogNameUsedError(ConflictError):
    """A name that was signed under once is never opened again: two histories would stand under it."""

    code = "LOG_NAME_USED"
    zh = "名称 {origin} 已经用过，签过名的检查点还在。同一个名称不能有两本账，请换一个新名称。"
    en = "The name {origin} was used before, and checkpoints were signed under it. No name has two histories: choose a new one."


class WitnessKeyError(ConflictError):
    """The witness to be removed has another key than the one given."""

    code = "WITNESS_KEY"
    zh = "见证人 {name} 在政策里的公钥是 {vkey}，不是您给的那把。什么都没有改；要删除就写这一把。"
    en = "The policy names another key of the witness {name}: {vkey}. Nothing was changed; to remove it, give that one."


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


def log_shelf(settings: Settings, policy: Policy) -> Shelf:
    """The memory of what the log of this policy signed last."""
    return Shelf(log_folder(settings, policy.origin))


def open_log(settings: Settings, *, origin: str, window_seconds: int, at: datetime) -> Policy:
    """Make the keys of a new log, and publish them, its first policy and the chart of accounts. Raises LogOpenError where there is one.

    LogNameUsedError where something was signed under this name before.
    """
    with transaction() as tx:
        lock_log(tx)
        if (policy := find_policy(tx)) is not None:
            raise LogOpenError(origin=policy.origin)
        if Shelf(log_folder(settings, origin)).read() is not None:
            raise LogNameUsedError(origin=origin)
        log, promise = _make_keys(settings, origin)
        policy = Policy(
            origin=origin,
            log=log,
            promise=promise,
            window_seconds=window_seconds,
            delay_seconds=DELAY_SECONDS,
            zone=settings.zone,
        )
        set_policy(tx, policy, at=at)
        publish_chart(tx, at=at)
    return policy


def succeed_log(settings: Settings, *, origin: str, at: datetime) -> Policy:
    """Open a log under a new name that goes on from what is left of one whose newest entries are lost; its policy says so.

    The last checkpoint that the old one signed stands in the policy, verifiable by its own key. What it promised and proved keeps its
    proofs; nothing is signed under its name again.

    Raises LogNotOpenError, LogWholeError where the old log may sign, LogNameUsedError; LogDamagedError where the database does not continue
    its own checkpoint, as one that is damaged must be restored first.
    """
    with transaction() as tx:
        lock_log(tx)
        old = need_policy(tx)
        shelf, successor = log_shelf(settings, old), Shelf(log_folder(settings, origin))
        if successor.read() is not None or origin in {policy.origin for policy in list_policies(tx)}:
            raise LogNameUsedError(origin=origin)
        newest = find_newest_checkpoint(tx)
        succeeds = _give_up(tx, old, shelf, newest)
        log, promise = _make_keys(settings, origin)
        policy = replace(old, origin=origin, log=log, promise=promise, succeeds=succeeds)
        set_policy(tx, policy, at=at)
        if newest is not None:
            successor.keep(newest)
    return policy


def _give_up(tx: Session, policy: Policy, shelf: Shelf, newest: bytes | None) -> Succession:
    """What is known of a log that may not sign any more: the furthest checkpoint it signed, and how much of it the database holds."""
    keys = list_signers(tx, shelf)
    if newest is not None:
        check_undamaged(TiledTree(published_size(tx), tile_reader(tx)), newest, keys=keys)
    try:
        check_log(tx, shelf=shelf)
    except (LogForkError, LogDamagedError, LogMemoryLostError) as error:
        refusal = error
    else:
        raise LogWholeError(origin=policy.origin)
    known = []
    for note in (newest, shelf.read(), *(shown for _, shown in shelf.list_shown())):
        try:
            signed = read_checkpoint(note or b"", keys=keys)
        except (MalformedError, NotProvedError):
            continue
        if signed.checkpoint.origin == policy.origin:
            known.append((note != newest, signed.checkpoint.size, signed))
    if not known:
        raise refusal
    is_other, last, signed = max(known, key=lambda one: one[:2])
    size = published_size(tx)
    continued = 0 if is_other and last <= size else size  # where two were signed of one size, nothing is known to go on
    [signer, *_] = verify_note(signed.note, keys)
    own = replace(signed.note, signatures=tuple(line for line in signed.note.signatures if line.is_by(signer)))
    return Succession(signer, own.encode().decode(), continued)


def _make_keys(settings: Settings, origin: str) -> tuple[VerifierKey, VerifierKey]:
    """The keys of a new log, of its checkpoints and of its promises, each written to its file."""
    log, promise = new_key(origin), new_key(f"{origin}/promise")
    write_key(key_path(log_folder(settings, origin), "log", log.verifier), log)
    write_key(key_path(promise_folder(settings, origin), "promise", promise.verifier), promise)
    return log.verifier, promise.verifier


def open_demo_log(settings: Settings, *, at: datetime) -> None:
    """A demo's log is opened by itself, under a name of its own for each new database, with windows of seconds."""
    with transaction() as tx:
        is_open = find_policy(tx) is not None
    if not is_open:
        origin = f"huigong.example/{secrets.token_hex(4)}/demo"
        open_log(settings, origin=origin, window_seconds=DEMO_WINDOW_SECONDS, at=at)


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
    """One round of the sequencer: a new chart and batches that are due, place what waits, sign, publish, start offers, count, index.

    None: nothing new.

    An entry that cannot be made (`unmade`) stops no other. Raises LogNotOpenError, LogForkError, LogDamagedError, LogMemoryLostError or
    KeyFileError; nothing is placed, batched or signed then.
    """
    with transaction() as tx:
        policy = need_policy(tx)
    read_log_key(settings, policy)
    shelf = log_shelf(settings, policy)
    with transaction() as tx:
        check_log(tx, shelf=shelf)
        _publish_chart(tx, at=at)  # before what may use an account that it adds
    batched = None
    while batched is None or batched.batches:
        with transaction() as tx:
            check_log(tx, shelf=shelf)  # again in each transaction: what it gives is given for ever
            batched = make_batches(tx, policy=policy, at=at)
    placed = None
    while placed is None or placed.count:
        with transaction() as tx:
            check_log(tx, shelf=shelf)
            placed = place_entries(tx, policy=policy, at=at)
    with transaction() as tx:
        body = find_placed_policy(tx, size=placed.size)
        signing = policy if body is None else parse_policy(body)
        key, shelf = read_log_key(settings, signing), log_shelf(settings, signing)
        signed = sign_log(tx, policy=signing, key=key, shelf=shelf, at=at)
    started = None
    while started != 0:
        with transaction() as tx:
            started = start_published(tx, size=published_size(tx), at=at)
    for _ in range(COUNTED_A_ROUND):
        with transaction() as tx:
            if not count_entries(tx):
                break
    for _ in range(INDEXED_A_ROUND):
        with transaction() as tx:
            if not index_entries(tx):
                break
    return signed


def _publish_chart(tx: Session, *, at: datetime) -> None:
    """The chart of accounts where it is new. One that cannot be made is for a later round, and all else is published."""
    subject = "chart"
    if list_unmade(tx, kind="account").get(subject, at) <= at:
        with attempt(tx, kind="account", subject=subject, at=at):
            publish_chart(tx, at=at)


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
    """Name a witness in the policy, which is a public entry; a witness of the operator's own as that. Raises LogNotOpenError.

    A key takes the place of the one that the witness of that name had; one that is named so already changes nothing.
    """
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
        if key in (old.own_witnesses if is_own else old.witnesses):
            return old
        set_policy(tx, policy, at=at)
    return policy


def remove_witness(key: VerifierKey, *, at: datetime) -> Policy:
    """Take a witness out of the policy, the operator's own too; one that is not named is left out already. What it cosigned stays.

    Raises LogNotOpenError, and WitnessKeyError where a witness of that name has another key.
    """
    with transaction() as tx:
        lock_log(tx)
        old = need_policy(tx)
        named = {one.name: one for one in (*old.witnesses, *old.own_witnesses)}
        if key.name not in named:
            return old
        if named[key.name] != key:
            raise WitnessKeyError(name=key.name, vkey=named[key.name].text)
        policy = replace(
            old,
            witnesses=tuple(one for one in old.witnesses if one != key),
            own_witnesses=tuple(one for one in old.own_witnesses if one != key),
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
        shelf = log_shelf(settings, policy)
        kept, size = shelf.read(), published_size(tx)
        if kept is not None:
            check_continued(TiledTree(size, tile_reader(tx)), kept, keys=list_signers(tx, shelf), where="shelf")
        if newest is not None:
            shelf.keep(newest)
    return size


def need_policy(tx: Session) -> Policy:
    """The newest policy; raises LogNotOpenError."""
    policy = find_policy(tx)
    if policy is None:
        raise LogNotOpenError
    return policy
