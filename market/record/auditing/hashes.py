"""Every tile and every entry held against the signed root, from the top down, so that what is wrong is found where it is wrong.

A tile that is full is proved by its hash in the tile above; the tiles at the right edge, which are not full, lead to the root
together; an entry is proved by its hash in its tile of level 0. Where a tile does not hold, what lies below it tells which hash was changed.
At most one tile of each level is kept.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from market.record.auditing.finding import Finding
from market.record.log.tiles import WIDTH, ReadFile, Tile, TiledTree
from market.record.log.tree import EMPTY_ROOT, HASH_SIZE, CompactRange, hash_leaf, hash_leaves, hash_perfect

RULE: Final = "hashes"
_BITS: Final = 8
_FULL: Final = WIDTH * HASH_SIZE


class Batch(NamedTuple):
    """The proved entries of one bundle from its beginning on, the first of them at place `first`; `is_whole` if none is missing."""

    first: int
    entries: Sequence[bytes]
    is_whole: bool


class ProvedLog:
    """The log of `size` entries with this root as `read` serves it. `found` collects what does not hold while `walk` goes on.

    `kept_size` asks for the root that the log had at that size; it stands in `kept_root` when the walk has come so far.
    """

    def __init__(self, read: ReadFile, *, size: int, root: bytes, kept_size: int | None = None) -> None:
        self.size = size
        self.found: list[Finding] = []
        self.kept_root: bytes | None = EMPTY_ROOT if kept_size == 0 else None
        self._read = read
        self._root = root
        self._kept_size = kept_size
        self._edge: dict[int, bytes] = {}
        self._kept_tiles: dict[int, tuple[int, bytes]] = {}
        self._done = CompactRange()  # over the roots of the full tiles of level 0 so far

    def walk(self) -> Iterator[Batch]:
        """All bundles in their order."""
        self._prove_edge()
        for index in range(-(-self.size // WIDTH)):
            hashes = self._get_hashes(0, index)
            yield self._prove_bundle(Tile(None, index, len(hashes) // HASH_SIZE), hashes)
            self._note_root(index, hashes)

    def _prove_edge(self) -> None:
        """Read the tiles that are not full: together they lead to the root."""
        edge = [
            Tile(level, (self.size >> _BITS * level) // WIDTH, width)
            for level in range(-(-self.size.bit_length() // _BITS))
            if (width := (self.size >> _BITS * level) % WIDTH)
        ]
        stored = {tile: self._read_tile(tile) for tile in edge}
        if None not in stored.values() and self._leads_to_root({tile: data or b"" for tile, data in stored.items()}):
            self._edge = {tile.level or 0: data or b"" for tile, data in stored.items()}
            return
        below = {tile: self._hash_below(tile) for tile in edge}
        best = {tile: below[tile] or stored[tile] or bytes(tile.width * HASH_SIZE) for tile in edge}
        if self._leads_to_root(best):
            for tile in edge:
                self._compare(tile, stored[tile], best[tile])
        else:
            problem = "What is served leads to another root than the signed one, and no single tile explains it."
            self.found.append(Finding(RULE, problem, field="checkpoint"))
            best = {tile: stored[tile] or best[tile] for tile in edge}
        self._edge = {tile.level or 0: data for tile, data in best.items()}

    def _leads_to_root(self, edge: dict[Tile, bytes]) -> bool:
        by_path = {tile.path: data for tile, data in edge.items()}
        return TiledTree(self.size, by_path.get).root == self._root

    def _get_hashes(self, level: int, index: int) -> bytes:
        """The hashes of a tile, proved or with a finding."""
        if index == (self.size >> _BITS * level) // WIDTH:
            return self._edge[level]
        kept = self._kept_tiles.get(level)
        if kept is None or kept[0] != index:
            kept = self._kept_tiles[level] = (index, self._prove_tile(Tile(level, index)))
        return kept[1]

    def _prove_tile(self, tile: Tile) -> bytes:
        """A full tile, proved by the one above it."""
        level, at = (tile.level or 0) + 1, tile.index % WIDTH * HASH_SIZE
        root = self._get_hashes(level, tile.index // WIDTH)[at : at + HASH_SIZE]
        stored = self._read_tile(tile)
        if stored is not None and hash_perfect(stored) == root:
            return stored
        below = self._hash_below(tile)
        if below is not None and hash_perfect(below) == root:
            self._compare(tile, stored, below)
            return below
        problem = "It does not lead to its hash in the tile above, and what lies below it does not either."
        self.found.append(Finding(RULE, problem, field=tile.path))
        return stored or below or bytes(_FULL)

    def _compare(self, tile: Tile, stored: bytes | None, proved: bytes) -> None:
        """Name the hashes that were changed."""
        if stored == proved:
            return
        if stored is None:
            self.found.append(Finding(RULE, "It is missing, or has another length.", field=tile.path))
            return
        wrong = [
            at // HASH_SIZE for at in range(0, len(proved), HASH_SIZE) if stored[at : at + 32] != proved[at : at + 32]
        ]
        problem = f"It is not the hash of what lies below{_and_more(len(wrong) - 1)}."
        self.found.append(Finding(RULE, problem, field=f"{tile.path}, hash {wrong[0]}"))

    def _hash_below(self, tile: Tile) -> bytes | None:
        """The hashes of a tile as what lies below it says, unproved; None where that cannot be read."""
        if not tile.level:
            bundle = self._read_file(Tile(None, tile.index, tile.width))
            entries = [entry for entry, _ in _split(bundle or b"", tile.width)]
            return b"".join(hash_leaves(entries)) if len(entries) == tile.width else None
        hashes = []
        for index in range(tile.index * WIDTH, tile.index * WIDTH + tile.width):
            data = self._read_tile(Tile(tile.level - 1, index))
            if data is None:
                return None
            hashes.append(hash_perfect(data))
        return b"".join(hashes)

    def _prove_bundle(self, bundle: Tile, hashes: bytes) -> Batch:
        first, data = bundle.index * WIDTH, self._read_file(bundle)
        if data is None:
            self.found.append(Finding(RULE, "These entries are missing.", first, field=bundle.path))
            return Batch(first, (), is_whole=False)
        parts = list(_split(data, bundle.width))
        entries = [entry for entry, _ in parts]
        if b"".join(hash_leaves(entries)) != hashes:
            return self._locate(bundle, entries, hashes)
        if bundle.width == WIDTH and parts[-1][1] != len(data):
            problem = f"It goes on after its {bundle.width} entries."
            self.found.append(Finding(RULE, problem, first + bundle.width - 1, field=bundle.path))
        return Batch(first, entries, is_whole=True)

    def _locate(self, bundle: Tile, entries: list[bytes], hashes: bytes) -> Batch:
        """Name the first entry of a bundle that is not the one in the tree."""
        first = bundle.index * WIDTH
        leaves = [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]
        wrong = [
            number
            for number, (entry, leaf) in enumerate(zip(entries, leaves, strict=False))
            if hash_leaf(entry) != leaf
        ]
        wrong += range(len(entries), len(leaves))
        problem = f"The entry is not the one in the tree{_and_more(len(wrong) - 1)}."
        self.found.append(Finding(RULE, problem, first + wrong[0], field=bundle.path))
        return Batch(first, entries[: wrong[0]], is_whole=False)

    def _note_root(self, index: int, hashes: bytes) -> None:
        """Compute the root at the size asked for, if it lies in this tile."""
        first = index * WIDTH
        if self._kept_size is not None and first < self._kept_size <= first + len(hashes) // HASH_SIZE:
            length = (self._kept_size - first) * HASH_SIZE
            leaves = (hashes[at : at + HASH_SIZE] for at in range(0, length, HASH_SIZE))
            self.kept_root = CompactRange(first, self._done.peaks).extend(leaves).root
        if len(hashes) == _FULL:
            self._done = self._done.extend([hash_perfect(hashes)])

    def _read_tile(self, tile: Tile) -> bytes | None:
        data, length = self._read_file(tile), tile.width * HASH_SIZE
        return None if data is None or len(data) not in {length, _FULL} else data[:length]

    def _read_file(self, tile: Tile) -> bytes | None:
        """The bytes of a tile or bundle; of a partial one that is gone, those of the full one (C2SP tlog-tiles, Partial tiles)."""
        data = self._read(tile.path)
        return self._read(tile.full.path) if data is None and tile.width != WIDTH else data


def _split(data: bytes, width: int) -> Iterator[tuple[bytes, int]]:
    """The entries of a bundle with where each ends, as far as they can be told apart, at most `width`."""
    at = 0
    for _ in range(width):
        end = at + 2 + int.from_bytes(data[at : at + 2])
        if at + 2 > len(data) or end > len(data):
            return
        yield data[at + 2 : end], end
        at = end


def _and_more(count: int) -> str:
    return f"; nor are {count} more after it" if count > 0 else ""
