"""What is served of the log: checkpoint, tiles, bundles and proofs, never further than the newest signed checkpoint."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, SmallInteger

from market.record.log.bundles import encode_bundle
from market.record.log.checkpoints import parse_checkpoint
from market.record.log.keys import VerifierKey
from market.record.log.notes import parse_note
from market.record.log.proof_files import ProofFile
from market.record.log.proofs import inclusion_ranges, prove_inclusion
from market.record.log.tiles import WIDTH, ReadFile, Tile, TiledTree, parse_path
from market.record.log.tree import HASH_SIZE
from market.record.models import Entry, of_type
from market.record.policy import Policy, parse_policy
from market.record.publishing.models import LogCheckpoint, LogCosignature

_BITS: Final = 8
_IS_POLICY: Final = of_type("policy")
# As words: a proof asks for no more than this and its tiles, and building a statement takes as long as asking it.
_PUBLISHED_SIZE: Final = text("SELECT size FROM log_checkpoint ORDER BY size DESC LIMIT 1")
_CHECKPOINT: Final = """
SELECT note, (SELECT array_agg(line ORDER BY witness) FROM log_cosignature AS by WHERE by.size = log_checkpoint.size) AS lines
FROM log_checkpoint {where} ORDER BY size DESC LIMIT 1
"""
_NEWEST_CHECKPOINT: Final = text(_CHECKPOINT.format(where=""))
_CHECKPOINT_AT: Final = text(_CHECKPOINT.format(where="WHERE size = :size"))
_TILES: Final = text(
    "SELECT tile.level, tile.index, tile.hashes FROM unnest(:levels, :indexes) AS one (level, index)"
    " JOIN log_tile AS tile ON tile.level = one.level AND tile.index = one.index"
).bindparams(bindparam("levels", type_=ARRAY(SmallInteger)), bindparam("indexes", type_=ARRAY(BigInteger)))


def find_policy(tx: Session) -> Policy | None:
    """The newest policy, or None while the record has none."""
    body = find_policy_entry(tx)
    return None if body is None else parse_policy(body)


def find_policy_entry(tx: Session) -> bytes | None:
    """The entry of the newest policy, verbatim."""
    body: bytes | None = tx.scalar(select(Entry.body).where(_IS_POLICY).order_by(Entry.id.desc()).limit(1))
    return body


def find_placed_policy(tx: Session, *, size: int) -> bytes | None:
    """The entry of the newest policy among the first `size` entries of the log: its log key signs the checkpoint of that size."""
    placed = select(Entry.body).where(_IS_POLICY, Entry.leaf_index < size)
    body: bytes | None = tx.scalar(placed.order_by(Entry.leaf_index.desc()).limit(1))
    return body


def find_published_policy(tx: Session) -> bytes | None:
    """The entry of the newest policy that the newest checkpoint covers; before there is one, of the newest."""
    size = published_size(tx)
    return find_placed_policy(tx, size=size) if size else find_policy_entry(tx)


def find_policy_at(tx: Session, *, at: datetime) -> tuple[Policy, datetime] | None:
    """The policy in force at an instant and since when; None while the record has none.

    Where there was none yet, the first one: of the log as it is named now, for one that was given up keeps no promise any more.
    """
    policies = select(Entry.body, Entry.created_at).where(_IS_POLICY)
    found: tuple[Policy, datetime] | None = None
    for body, since in tx.execute(policies.order_by(Entry.id.desc())):
        policy = parse_policy(body)
        if found is not None and policy.origin != found[0].origin:
            break
        found = (policy, since)
        if since <= at:
            break
    return found


def list_policies(tx: Session) -> list[Policy]:
    """Every policy there ever was, the newest first."""
    bodies = tx.scalars(select(Entry.body).where(_IS_POLICY).order_by(Entry.id.desc()))
    return [parse_policy(body) for body in bodies]


def list_log_keys(tx: Session) -> list[VerifierKey]:
    """Every key that the log was ever signed with, the newest first."""
    return list(dict.fromkeys(policy.log for policy in list_policies(tx)))


def list_promise_keys(tx: Session) -> list[VerifierKey]:
    """Every key that promises were ever signed with, the newest first."""
    return list(dict.fromkeys(policy.promise for policy in list_policies(tx)))


def get_signer(tx: Session, note: bytes | None) -> VerifierKey:
    """The key of the log that signed a checkpoint of ours; of none (None), the key that signs the next one. A policy must be there."""
    keys = list_log_keys(tx)
    signatures = () if note is None else parse_note(note).signatures
    return next((key for key in keys if any(signature.is_by(key) for signature in signatures)), keys[0])


def find_newest_checkpoint(tx: Session) -> bytes | None:
    """The checkpoint signed last as the log signed it, without cosignatures."""
    note: bytes | None = tx.scalar(select(LogCheckpoint.note).order_by(LogCheckpoint.size.desc()).limit(1))
    return note


def find_checkpoint(tx: Session, *, size: int | None = None) -> bytes | None:
    """The newest checkpoint (or the one of this size) with the cosignatures of witnesses below the log's signature."""
    asked = tx.execute(_NEWEST_CHECKPOINT) if size is None else tx.execute(_CHECKPOINT_AT, {"size": size})
    row = asked.one_or_none()
    return None if row is None else b"".join([row.note, *(row.lines or ())])


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness by the name of its key, how many checkpoints it cosigned, and when first and last."""

    name: str
    checkpoints: int
    first_at: datetime
    last_at: datetime


def list_cosigners(tx: Session) -> list[Cosigner]:
    """Everybody who ever cosigned a checkpoint, the earliest first."""
    first = func.min(LogCosignature.at)
    query = select(LogCosignature.witness, func.count(), first, func.max(LogCosignature.at))
    return [Cosigner(*row) for row in tx.execute(query.group_by(LogCosignature.witness).order_by(first))]


def count_newest_cosigners(tx: Session, *, among: Iterable[VerifierKey]) -> int:
    """How many of these witnesses have cosigned the newest checkpoint."""
    names = [key.name for key in among]
    newest = (LogCosignature.size == published_size(tx), LogCosignature.witness.in_(names))
    return tx.scalar(select(func.count()).where(*newest)) or 0


def newest_signed_at(tx: Session) -> datetime | None:
    """When the newest checkpoint was signed."""
    return tx.scalar(select(LogCheckpoint.signed_at).order_by(LogCheckpoint.size.desc()).limit(1))


def published_size(tx: Session) -> int:
    """How many entries the newest checkpoint covers."""
    return tx.scalar(_PUBLISHED_SIZE) or 0


def read_published(tx: Session, tile: Tile) -> bytes | None:
    """The bytes of a tile or bundle; None where it has more than is published."""
    level = tile.level or 0
    if (published_size(tx) >> _BITS * level) < tile.index * WIDTH + tile.width:
        return None
    return _read_bundle(tx, tile) if tile.level is None else _read_tile(tx, tile)


def record_reader(tx: Session) -> ReadFile:
    """The files of the record by their paths, as `GET /record/…` serves them: for an audit from inside."""

    def read(path: str) -> bytes | None:
        if path == "checkpoint":
            return find_checkpoint(tx)
        return find_published_policy(tx) if path == "policy" else read_published(tx, parse_path(path))

    return read


def tile_reader(tx: Session) -> ReadFile:
    """Tiles by their paths as the sequencer has them, signed or not."""

    def read(path: str) -> bytes | None:
        return _read_tile(tx, parse_path(path))

    return read


def prove_entry(tx: Session, *, leaf_index: int) -> ProofFile | None:
    """The `.tlog-proof` of an entry against the newest checkpoint; None while that does not cover it."""
    return prove_entries(tx, leaf_indexes=[leaf_index]).get(leaf_index)


def prove_entries(tx: Session, *, leaf_indexes: Iterable[int]) -> dict[int, ProofFile]:
    """The `.tlog-proof` of each of these entries by its place, all against the newest checkpoint; those it does not cover are left out."""
    note = find_checkpoint(tx)
    if note is None:
        return {}
    size = parse_checkpoint(parse_note(note).text).size
    files: dict[str, bytes] = {}
    tree = TiledTree(size, files.get)
    covered = [index for index in leaf_indexes if index < size]
    files |= _read_tiles(
        tx, {tile for index in covered for one in inclusion_ranges(index, size) for tile in tree.tiles_of(*one)}
    )
    return {index: ProofFile(index, prove_inclusion(index, size, tree.hash_range), note) for index in covered}


def _read_tiles(tx: Session, tiles: Collection[Tile]) -> dict[str, bytes]:
    """Those of these tiles that are there, by their paths, in one question; of one that is wider by now, its beginning."""
    rows = tx.execute(_TILES, {"levels": [tile.level for tile in tiles], "indexes": [tile.index for tile in tiles]})
    there: dict[tuple[int | None, int], bytes] = {(level, index): hashes for level, index, hashes in rows}
    return {
        tile.path: data[: tile.width * HASH_SIZE]
        for tile in tiles
        if len(data := there.get((tile.level, tile.index), b"")) >= tile.width * HASH_SIZE
    }


def _read_tile(tx: Session, tile: Tile) -> bytes | None:
    return _read_tiles(tx, [tile]).get(tile.path)


def _read_bundle(tx: Session, tile: Tile) -> bytes | None:
    first = tile.index * WIDTH
    within = Entry.leaf_index.between(first, first + tile.width - 1)
    bodies: Sequence[bytes] = tx.execute(select(Entry.body).where(within).order_by(Entry.leaf_index)).scalars().all()
    return encode_bundle(bodies) if len(bodies) == tile.width else None
