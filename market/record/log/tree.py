"""The Merkle tree of RFC 6962, section 2.1, over SHA-256: hashes, roots, and the compact range that grows a tree without its leaves."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from market.kit.errors import invariant

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

HashRange: TypeAlias = Callable[[int, int], bytes]
"""The Merkle tree hash of the leaves from `start` up to but without `end` (MTH(D[start:end])); the range is never empty."""


def hash_leaf(entry: bytes) -> bytes:
    """The hash of an entry as a leaf: SHA-256 over 0x00 and the bytes (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256 over 0x01 and both children (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def hash_leaves(entries: Iterable[bytes]) -> list[bytes]:
    """The hashes of many entries as leaves."""
    sha256 = hashlib.sha256
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def hash_perfect(row: bytes) -> bytes:
    """The root over hashes that stand one after the other, as many as a power of two: `root_of`, in bulk."""
    sha256 = hashlib.sha256
    while len(row) > HASH_SIZE:
        row = b"".join([sha256(b"\x01" + row[at : at + 64]).digest() for at in range(0, len(row), 64)])
    return row


def split(size: int) -> int:
    """How many of `size` leaves, two or more, stand in the left subtree: the largest power of two below `size` (RFC 6962, 2.1)."""
    return 1 << ((size - 1).bit_length() - 1)


@dataclass(frozen=True, slots=True)
class CompactRange:
    """What of a tree of `size` leaves is needed to append to it: the roots of its perfect subtrees, the largest first.

    There is one for every bit that is set in `size`, so 40 hashes at most for a million million entries.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        invariant(len(self.peaks) == self.size.bit_count(), "A compact range has one hash for every bit of its size")

    def extend(self, leaves: Iterable[bytes]) -> "CompactRange":
        """The range after these leaf hashes were appended."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            peaks.append(leaf)
            merges = size
            while merges & 1:  # the last two subtrees are of equal size
                right = peaks.pop()
                peaks.append(hash_node(peaks.pop(), right))
                merges >>= 1
            size += 1
        return CompactRange(size, tuple(peaks))

    @property
    def root(self) -> bytes:
        """The root of the tree; that of the empty tree is SHA-256 of nothing."""
        if not self.peaks:
            return EMPTY_ROOT
        *rest, root = self.peaks
        for peak in reversed(rest):
            root = hash_node(peak, root)
        return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    return CompactRange().extend(leaves).root


def hash_ranges_of(leaves: Sequence[bytes]) -> HashRange:
    """The hashes of ranges of a tree whose leaf hashes are all at hand, each computed once: all paths cost hardly more than the root."""

    @cache
    def hash_range(start: int, end: int) -> bytes:
        if end - start == 1:
            return leaves[start]
        middle = start + split(end - start)
        return hash_node(hash_range(start, middle), hash_range(middle, end))

    return hash_range


def read_compact_range(size: int, hash_range: HashRange) -> CompactRange:
    """The compact range of a tree of which ranges can be read, for example from tiles."""
    peaks, start = [], 0
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            peaks.append(hash_range(start, start + (1 << bit)))
            start += 1 << bit
    return CompactRange(size, tuple(peaks))
