"""The sequencer: gives committed entries their places in the log, and signs. Every step can be repeated after a crash.

A place is for ever, so `check_log` comes first, in the same transaction: what the tiles say is compared with every checkpoint that was
signed before, as the database and as the shelf remember it. Then `place_entries` (places and tiles) and `sign_log`, which compares
again, keeps the new checkpoint on the shelf, and only then publishes it. Entries are found by having no place, never by an id above the
last one: ids are given before the commit, so a slow transaction would be passed over.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from market.kit.errors import ConflictError, invariant
from market.record.log.checkpoints import Checkpoint, SignedCheckpoint, read_checkpoint, sign_checkpoint
from market.record.log.errors import MalformedError, MissingTileError, NotProvedError
from market.record.log.keys import SignerKey, VerifierKey
from market.record.log.tiles import TiledTree, grow_tiles
from market.record.log.tree import HASH_SIZE
from market.record.policy import RANK_OF_TYPE, RANKS, WINDOWED, Policy
from market.record.publishing.keyring import list_kept_keys
from market.record.publishing.models import LogCheckpoint, LogState
from market.record.publishing.served import find_newest_checkpoint, list_log_keys, published_size, tile_reader
from market.record.publishing.shelf import Shelf

AT_ONCE: Final = 50_000  # entries placed in one transaction
# Purchases are shuffled; of all else the order is public, and says which policy or grant is the later one.
_SHUFFLED: Final = sorted({RANKS[kind] for kind in WINDOWED})

# The planner guesses how many wait, and where it guesses many it reads the whole table; each is reached where it lies.
READ_NO_TABLE = text("SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)")
# One pass: rows are changed in the order in which they lie, and only hashes leave the database. Whoever does not know the seed cannot
# tell the order of purchases.
_PLACE = text(
    f"""
WITH waiting AS (
  SELECT ctid AS lies_at, id, {RANK_OF_TYPE} AS rank FROM entry
  WHERE leaf_index IS NULL AND NOT is_batched AND (created_at < :closed OR type <> ALL(:windowed))
  ORDER BY {RANK_OF_TYPE}, id LIMIT :most
), place AS (
  SELECT lies_at, CAST(:size AS bigint) - 1 + row_number() OVER (
    ORDER BY rank, CASE WHEN rank = ANY(:shuffled) THEN sha256(CAST(:seed AS bytea) || uuid_send(id)) END, id) AS index
  FROM waiting ORDER BY lies_at
), placed AS (
  UPDATE entry SET leaf_index = place.index FROM place WHERE entry.ctid = place.lies_at AND entry.leaf_index IS NULL
  RETURNING entry.leaf_index, sha256('\\x00'::bytea || entry.body) AS leaf
)
SELECT (SELECT count(*) FROM waiting) AS waited, min(leaf_index) AS first, max(leaf_index) AS last,
  string_agg(leaf, ''::bytea ORDER BY leaf_index) AS leaves FROM placed
"""  # noqa: S608  our own constants
)
_KEEP_TILE = text(
    "INSERT INTO log_tile (level, index, hashes) VALUES (:level, :index, :hashes)"
    " ON CONFLICT (level, index) DO UPDATE SET hashes = EXCLUDED.hashes"
)


class LogForkError(ConflictError):
    """What is in the database does not continue what was signed: a new signature would contradict an old one."""

    code = "LOG_FORK"
    zh = (
        "拒绝签名：数据库里的公开记录有 {size} 条，与签过名的 {signed_size} 条（{where}）对不上。多半是恢复了旧备份。"
        "请换用更新的备份；更新的数据确实找不回来了，就运行 huigong key new --origin 新名称 --after-loss，"
        "开一本写明缘由的新账本（步骤见 docs/backup.md）。在此之前记录不再更新，售卖不受影响，也不会少记。"
    )
    en = (
        "The log refuses to sign: the database holds {size} entries and does not continue the checkpoint of {signed_size} "
        "that was signed before ({where}). Most likely an older backup was restored. Restore a newer one; when the newer data are lost for "
        "good, run `huigong key new --origin NEW-NAME --after-loss`, which opens a new log that says so (steps: docs/backup.md). Until then "
        "the record stands still; sales go on, and nothing of them is left out."
    )


class LogMemoryLostError(ConflictError):
    """Checkpoints were signed, but the shelf that remembers the last one is empty."""

    code = "LOG_MEMORY_LOST"
    zh = (
        "拒绝签名：数据库里有签过名的检查点，但 {folder} 里没有最后一个。请把它找回来；"
        "确认公开页上的检查点就是最后一个之后，也可以运行 huigong key keep。"
    )
    en = (
        "The log refuses to sign: checkpoints were signed, but the last one is not in {folder}. Bring that folder back, or, when you are "
        "sure that the checkpoint on the public page is the last one, run `huigong key keep`."
    )


class LogDamagedError(ConflictError):
    """A checkpoint that was signed before is not as it was signed."""

    code = "LOG_DAMAGED"
    zh = (
        "拒绝签名：签过名的检查点（{where}）坏了：{problem}。数据库里的，请恢复备份；记录文件夹里的，请把那个文件移走，"
        "确认公开页上的检查点就是最后一个之后，运行 huigong key keep。"
    )
    en = (
        "The log refuses to sign: the checkpoint that was signed before ({where}) is damaged: {problem}. Of the database restore a backup; "
        "of the shelf move the file away and, when you are sure that the checkpoint on the public page is the last one, run `huigong key keep`."
    )


@dataclass(frozen=True, slots=True)
class Placed:
    """What one round of placing did: how many entries now have a place, and how many it gave."""

    size: int
    count: int


def place_entries(tx: Session, *, policy: Policy, at: datetime, most: int = AT_ONCE) -> Placed:
    """Give up to `most` entries whose window has ended the next places in the log, and grow the tiles by them."""
    size = _lock_size(tx)
    tx.execute(READ_NO_TABLE)
    values = {"closed": policy.closed_before(at), "windowed": list(WINDOWED), "most": most, "size": size}
    placed = tx.execute(_PLACE, values | {"shuffled": _SHUFFLED, "seed": secrets.token_bytes()}).one()
    hashes = placed.leaves or b""
    leaves = [hashes[begin : begin + HASH_SIZE] for begin in range(0, len(hashes), HASH_SIZE)]
    beyond = size + len(leaves)
    if not placed.waited:
        return Placed(size, 0)
    is_whole = (placed.waited, placed.first, placed.last) == (len(leaves), size, beyond - 1)
    invariant(is_whole, "Only the holder of the log's lock gives places")
    tiles = {(tile.level, tile.index): data for tile, data in grow_tiles(size, leaves, tile_reader(tx))}
    tx.execute(_KEEP_TILE, [{"level": level, "index": index, "hashes": data} for (level, index), data in tiles.items()])
    tx.execute(update(LogState).values(size=beyond))
    return Placed(beyond, len(leaves))


def check_log(tx: Session, *, shelf: Shelf) -> TiledTree:
    """The tree of what has a place, locked until the transaction ends: it continues every checkpoint that is remembered.

    Raises LogForkError, LogDamagedError or LogMemoryLostError where one is not continued; then nothing may be placed or signed. KeyFileError
    where a key file on the shelf cannot be read.
    """
    tree = TiledTree(_lock_size(tx), tile_reader(tx))
    newest, kept = find_newest_checkpoint(tx), shelf.read()
    if newest is not None and kept is None:
        raise LogMemoryLostError(folder=str(shelf.folder))
    keys = list_signers(tx, shelf)
    if newest is not None:
        check_undamaged(tree, newest, keys=keys)
    if kept is not None:
        check_continued(tree, kept, keys=keys, where="shelf")
    for by, note in shelf.list_shown():
        check_continued(tree, note, keys=keys, where=f"witness {by}")
    return tree


def check_undamaged(tree: TiledTree, newest: bytes, *, keys: Sequence[VerifierKey]) -> None:
    """Refuse (LogDamagedError) unless the tree continues the newest checkpoint of its own database: no restore comes between the two."""
    try:
        check_continued(tree, newest, keys=keys, where="database")
    except LogForkError:
        raise LogDamagedError(where="database", problem="the tiles do not lead to its root") from None


def list_signers(tx: Session, shelf: Shelf) -> list[VerifierKey]:
    """Every key the log was signed with: as its policies say, and those that lie with the shelf, as a policy may be among what is lost."""
    return list(dict.fromkeys([*list_log_keys(tx), *list_kept_keys(shelf.folder, "log")]))


def sign_log(tx: Session, *, policy: Policy, key: SignerKey, shelf: Shelf, at: datetime) -> SignedCheckpoint | None:
    """Sign and publish the log as far as entries have places; None where that is published already.

    Raises what `check_log` raises, and signs nothing then.
    """
    invariant(key.verifier == policy.log, "The log signs with the key of its policy")
    tree = check_log(tx, shelf=shelf)
    if tree.size == published_size(tx):
        return None
    signed = sign_checkpoint(Checkpoint(policy.origin, tree.size, tree.root), key)
    note = signed.note.encode()
    shelf.keep(note)
    root = signed.checkpoint.root
    tx.execute(insert(LogCheckpoint).values(size=tree.size, root=root, note=note, signed_at=at))
    return signed


def _lock_size(tx: Session) -> int:
    """How many entries have places; nobody else gives places or signs until this transaction ends."""
    return tx.execute(select(LogState.size).where(LogState.id == 1).with_for_update()).scalar_one()


def check_continued(tree: TiledTree, note: bytes, *, keys: Sequence[VerifierKey], where: str) -> None:
    """Refuse unless one of the log's keys signed this checkpoint (LogDamagedError) and the tree continues it (LogForkError)."""
    try:
        signed = read_checkpoint(note, keys=keys).checkpoint
    except (MalformedError, NotProvedError) as error:
        raise LogDamagedError(where=where, problem=str(error)) from None
    try:
        is_continued = signed.size <= tree.size and tree.root_at(signed.size) == signed.root
    except MissingTileError as error:
        raise LogDamagedError(where="database", problem=str(error)) from None
    if not is_continued or signed.origin not in {key.name for key in keys}:
        raise LogForkError(size=tree.size, signed_size=signed.size, where=where)
