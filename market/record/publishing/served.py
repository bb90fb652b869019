"""What is served of the log: checkpoint, tiles, bundles and proofs, never further than the newest signed checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from market.record.log.bundles import encode_bundle
from market.record.log.checkpoints import parse_checkpoint
from market.record.log.keys import VerifierKey
from market.record.log.notes import parse_note
from market.record.log.proof_files import ProofFile
from market.record.log.proofs import prove_inclusion
from market.record.log.tiles import WIDTH, ReadFile, Tile, TiledTree, parse_path
from market.record.log.tree import HASH_SIZE
from market.record.models import Entry
from market.record.policy import Policy, parse_policy
from market.record.publishing.models import LogCheckpoint, LogCosignature, LogTile

_BITS: Final = 8


def find_policy(tx: Session) -> Policy | None:
    """The newest policy, or None while the record has none."""
    body = find_policy_entry(tx)
    return None if body is None else parse_policy(body)


def find_policy_entry(tx: Session) -> bytes | None:
    """The entry of the newest policy, verbatim."""
    body: bytes | None = tx.scalar(select(Entry.body).where(Entry.type == "policy").order_by(Entry.id.desc()).limit(1))
    return body


def list_log_keys(tx: Session) -> list[VerifierKey]:
    """Every key that the log was ever signed with, the newest first."""
    bodies = tx.scalars(select(Entry.body).where(Entry.type == "policy").order_by(Entry.id.desc()))
    return list(dict.fromkeys(parse_policy(body).log for body in bodies))


def find_newest_checkpoint(tx: Session) -> bytes | None:
    """The checkpoint signed last as the log signed it, without cosignatures."""
    note: bytes | None = tx.scalar(select(LogCheckpoint.note).order_by(LogCheckpoint.size.desc()).limit(1))
    return note


def find_checkpoint(tx: Session, *, size: int | None = None) -> bytes | None:
    """The newest checkpoint (or the one of this size) with the cosignatures of witnesses below the log's signature."""
    query = select(LogCheckpoint.size, LogCheckpoint.note).order_by(LogCheckpoint.size.desc()).limit(1)
    row = tx.execute(query if size is None else query.where(LogCheckpoint.size == size)).one_or_none()
    if row is None:
        return None
    lines = tx.execute(
        select(LogCosignature.line).where(LogCosignature.size == row.size).order_by(LogCosignature.witness)
    ).scalars()
    note: bytes = row.note
    return note + b"".join(lines)


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


def count_newest_cosigners(tx: Session) -> int:
    """How many witnesses have cosigned the newest checkpoint."""
    return tx.scalar(select(func.count()).where(LogCosignature.size == published_size(tx))) or 0


def newest_signed_at(tx: Session) -> datetime | None:
    """When the newest checkpoint was signed."""
    return tx.scalar(select(LogCheckpoint.signed_at).order_by(LogCheckpoint.size.desc()).limit(1))


def published_size(tx: Session) -> int:
    """How many entries the newest checkpoint covers."""
    return tx.scalar(select(LogCheckpoint.size).order_by(LogCheckpoint.size.desc()).limit(1)) or 0


def read_published(tx: Session, tile: Tile) -> bytes | None:
    """The bytes of a tile or bundle; None where it has more than is published."""
    level = tile.level or 0
    if (published_size(tx) >> _BITS * level) < tile.index * WIDTH + tile.width:
        return None
    return _read_bundle(tx, tile) if tile.level is None else _read_tile(tx, tile)


def tile_reader(tx: Session) -> ReadFile:
    """Tiles by their paths as the sequencer has them, signed or not."""

    def read(path: str) -> bytes | None:
        return _read_tile(tx, parse_path(path))

    return read


def published_tree(tx: Session) -> tuple[TiledTree, bytes] | None:
    """The tree of the newest checkpoint and that checkpoint as it is served; None while nothing is published."""
    note = find_checkpoint(tx)
    if note is None:
        return None
    size = parse_checkpoint(parse_note(note).text).size
    return TiledTree(size, tile_reader(tx)), note


def prove_entry(tx: Session, *, leaf_index: int) -> ProofFile | None:
    """The `.tlog-proof` of an entry against the newest checkpoint; None while that does not cover it."""
    published = published_tree(tx)
    if published is None or leaf_index >= published[0].size:
        return None
    tree, note = published
    return ProofFile(leaf_index, prove_inclusion(leaf_index, tree.size, tree.hash_range), note)


def _read_tile(tx: Session, tile: Tile) -> bytes | None:
    """Of a tile that is wider by now, its beginning."""
    key = (LogTile.level == tile.level, LogTile.index == tile.index)
    data = tx.scalar(select(LogTile.hashes).where(*key))
    length = tile.width * HASH_SIZE
    return None if data is None or len(data) < length else data[:length]


def _read_bundle(tx: Session, tile: Tile) -> bytes | None:
    first = tile.index * WIDTH
    within = Entry.leaf_index.between(first, first + tile.width - 1)
    bodies: Sequence[bytes] = tx.execute(select(Entry.body).where(within).order_by(Entry.leaf_index)).scalars().all()
    return encode_bundle(bodies) if len(bodies) == tile.width else None
