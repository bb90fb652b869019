"""Where a purchase of a batched merchant is published: its batch, and the path from its hash to the batch's root."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from market.record.log.proofs import prove_inclusion
from market.record.log.tree import HashRange, hash_ranges_of
from market.record.models import Entry
from market.record.publishing.served import published_size
from market.record.receipts import BatchInside

_LEAVES = text("SELECT sha256('\\x00'::bytea || body) AS leaf FROM entry WHERE batch_id = :batch ORDER BY batch_index")


@dataclass(frozen=True, slots=True)
class InBatch:
    """The public entry of a batch with its place in the log, and where in it one purchase stands."""

    entry: Entry
    leaf_index: int
    batch_index: int


@dataclass(frozen=True, slots=True)
class BatchTree:
    """The tree below the root of a batch, for the paths of many purchases."""

    size: int
    hash_range: HashRange

    def prove(self, index: int) -> tuple[bytes, ...]:
        """The path from the purchase at this index to the root."""
        return prove_inclusion(index, self.size, self.hash_range)


def find_batch(tx: Session, *, entry: Entry) -> InBatch | None:
    """The batch that a purchase is published in; None while no signed checkpoint covers it, and for what is published by itself."""
    if entry.batch_id is None or entry.batch_index is None:
        return None
    batch = tx.scalar(select(Entry).where(Entry.id == entry.batch_id))
    if batch is None or batch.leaf_index is None or batch.leaf_index >= published_size(tx):
        return None
    return InBatch(batch, batch.leaf_index, entry.batch_index)


def prove_in_batch(tx: Session, found: InBatch) -> BatchInside:
    """The first step of a purchase's proof: from its hash to the root of its batch. The second is the batch's own proof."""
    tree = read_batch_tree(tx, batch_id=found.entry.id)
    return BatchInside(found.entry.body, found.batch_index, tree.prove(found.batch_index))


def read_batch_tree(tx: Session, *, batch_id: UUID) -> BatchTree:
    """The tree of a batch, from the purchases that are in it: at most `MOST`."""
    leaves = [bytes(leaf) for leaf in tx.execute(_LEAVES, {"batch": batch_id}).scalars()]
    return BatchTree(len(leaves), hash_ranges_of(leaves))
