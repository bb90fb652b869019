"""Proofs that an entry is in a tree, and that a tree continues an earlier one (RFC 6962, 2.1.1 and 2.1.2): made and verified.

Both sides first say which subtrees the proof consists of; the maker looks their hashes up, the verifier folds them to the root.
Verifiers take everything but the roots from strangers: whatever does not fit is refused with `NotProvedError`.
"""

from collections.abc import Sequence
from typing import TypeAlias

from market.kit.errors import invariant
from market.record.log.errors import NotProvedError
from market.record.log.tree import EMPTY_ROOT, HashRange, hash_node, split

Range: TypeAlias = tuple[int, int]


def prove_inclusion(index: int, size: int, hash_range: HashRange) -> tuple[bytes, ...]:
    """The audit path of the leaf `index` in the tree of the first `size` leaves: from its sibling up to the root's child."""
    invariant(0 <= index < size, "An inclusion proof is for a leaf of the tree")
    return tuple(hash_range(start, end) for start, end in inclusion_ranges(index, size))


def prove_consistency(old: int, new: int, hash_range: HashRange) -> tuple[bytes, ...]:
    """The proof that the tree of `new` leaves begins with that of `old` leaves; empty where `old` is 0 or equals `new`."""
    invariant(0 <= old <= new, "A consistency proof leads from a tree to one at least as large")
    return tuple(hash_range(start, end) for start, end in _consistency_ranges(old, new))


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Refuse unless the leaf hash stands at `index` of the tree with this size and root."""
    if not 0 <= index < size:
        raise NotProvedError(f"Entry {index} is not in a tree of {size} entries")
    ranges = inclusion_ranges(index, size)
    _check_length(proof, len(ranges))
    computed = leaf
    for (start, _), sibling in zip(ranges, proof, strict=True):
        computed = hash_node(computed, sibling) if start > index else hash_node(sibling, computed)
    if computed != root:
        raise NotProvedError(f"The inclusion proof of entry {index} leads to another root")


def verify_consistency(*, old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Refuse unless the tree with the new size and root begins with that of the old size and root."""
    if not 0 <= old <= new:
        raise NotProvedError(f"A tree of {new} entries does not continue one of {old}")
    ranges = _consistency_ranges(old, new)
    _check_length(proof, len(ranges))
    if old == 0:
        if old_root != EMPTY_ROOT:
            raise NotProvedError("The root of the empty tree is another one")
        return
    hashes = list(proof)
    if ranges and ranges[0][1] == old:  # the old tree is no perfect subtree of the new one: its last part comes first
        ranges, start = ranges[1:], hashes.pop(0)
    else:
        start = old_root
    before = after = start
    for (begin, _), sibling in zip(ranges, hashes, strict=True):
        if begin < old:
            before = hash_node(sibling, before)
            after = hash_node(sibling, after)
        else:
            after = hash_node(after, sibling)
    if before != old_root:
        raise NotProvedError(f"The consistency proof leads to another root of the {old} old entries")
    if after != new_root:
        raise NotProvedError(f"The consistency proof leads to another root of the {new} entries")


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The siblings on the way from the leaf to the root, of which a proof consists: PATH(m, D[n]) without its recursion."""
    siblings, start, end = [], 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((start, middle))
            start = middle
    return siblings[::-1]


def _consistency_ranges(old: int, new: int) -> list[Range]:
    """The subtrees of a consistency proof, innermost first, PROOF(m, D[n]) without its recursion."""
    if old == 0:
        return []
    ranges, start, end = [], 0, new
    while end != old:
        middle = start + split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start > 0:
        ranges.append((start, end))
    return ranges[::-1]


def _check_length(proof: Sequence[bytes], expected: int) -> None:
    if len(proof) != expected:
        raise NotProvedError(f"The proof has {len(proof)} hashes where {expected} are needed")
