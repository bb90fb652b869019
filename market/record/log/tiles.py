"""Tiles: the tree cut into files of 256 hashes (C2SP tlog-tiles). Their names, their bytes, which are new, and any proof from them."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from market.kit.errors import invariant
from market.record.log.errors import MalformedError, MissingTileError
from market.record.log.tree import EMPTY_ROOT, HASH_SIZE, hash_node, hash_perfect, root_of, split

WIDTH = 256
_BITS = 8
_LEVELS = 64
_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")

ReadFile: TypeAlias = Callable[[str], bytes | None]
"""The bytes at a path such as `tile/0/x001/067.p/8`, or None where there are none."""


@dataclass(frozen=True, slots=True)
class Tile:
    """The name of a file: of the tile `index` at a `level`, or, without a level, of the bundle of the same entries.

    A partial tile or bundle holds the first `width` of its 256 hashes or entries.
    """

    level: int | None
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        level_holds = self.level is None or 0 <= self.level < _LEVELS
        invariant(
            level_holds and self.index >= 0 and 0 < self.width <= WIDTH, "A tile has a level, an index and a width"
        )

    @property
    def path(self) -> str:
        """Where it is served below the log's prefix: `tile/0/x001/x234/067`, `tile/entries/000.p/5`."""
        level = "entries" if self.level is None else self.level
        digits, rest = f"{self.index % 1000:03}", self.index // 1000
        while rest:
            digits, rest = f"x{rest % 1000:03}/{digits}", rest // 1000
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{digits}{partial}"

    @property
    def full(self) -> "Tile":
        """The full tile of the same place."""
        return Tile(self.level, self.index)


def parse_path(path: str) -> Tile:
    """The tile or bundle of a path, in its one spelling."""
    match = _PATH.fullmatch(path)
    if not match:
        raise MalformedError("path", path[:80], "this is no path of a tile or bundle")
    level, digits, width = match.groups()
    index = int(digits.replace("x", "").replace("/", ""))
    if (level != "entries" and int(level) >= _LEVELS) or (width and int(width) >= WIDTH):
        raise MalformedError("path", path[:80], "a level is below 64 and a partial width below 256")
    tile = Tile(None if level == "entries" else int(level), index, int(width or WIDTH))
    if tile.path != path:
        raise MalformedError("path", path[:80], "this index has a shorter spelling")
    return tile


def list_tiles(old: int, new: int) -> list[Tile]:
    """The tiles that a log of `new` entries has and one of `old` entries did not have, level by level."""
    tiles: list[Tile] = []
    for level in range(_LEVELS):
        tiles += _list_level(level, old >> _BITS * level, new >> _BITS * level)
    return tiles


def list_bundles(old: int, new: int) -> list[Tile]:
    """The bundles that a log of `new` entries has and one of `old` entries did not have."""
    return list(_list_level(None, old, new))


def encode_tile(hashes: Sequence[bytes]) -> bytes:
    """The bytes of a tile: its hashes one after the other."""
    invariant(0 < len(hashes) <= WIDTH, "A tile has from 1 to 256 hashes")
    return b"".join(hashes)


def decode_tile(tile: Tile, data: bytes) -> tuple[bytes, ...]:
    """The hashes of a tile, exactly as many as its width. Whether they are the log's only its root can tell."""
    check_tile(tile, data)
    return tuple(data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE))


def check_tile(tile: Tile, data: bytes) -> None:
    """Refuse (MalformedError) bytes that are not as many hashes as this tile is wide."""
    if len(data) != tile.width * HASH_SIZE:
        raise MalformedError("tile", tile.path, f"it has {tile.width * HASH_SIZE} bytes, this has {len(data)}")


def grow_tiles(old: int, leaves: Sequence[bytes], read: ReadFile) -> Iterator[tuple[Tile, bytes]]:
    """The new tiles with their bytes when these leaf hashes are appended to a log of `old` entries, level by level.

    Of the old tiles only the last of each level is read, where it is partial.
    """
    hashes = list(leaves)
    for level in range(_LEVELS):
        first = old >> _BITS * level
        hashes = [*_read_begun(level, first, read), *hashes]
        full = []
        for tile in _list_level(level, first, first // WIDTH * WIDTH + len(hashes)):
            start = (tile.index - first // WIDTH) * WIDTH
            row = hashes[start : start + tile.width]
            yield tile, encode_tile(row)
            if tile.width == WIDTH:
                full.append(root_of(row))
        hashes = full
        if not hashes:
            return


class TiledTree:
    """The tree of a log of `size` entries as its tiles hold it. Tiles are read once each and kept; none of it is proved by that."""

    def __init__(self, size: int, read: ReadFile) -> None:
        """`read` answers the tiles' bytes by their paths."""
        self.size = size
        self._read = read
        self._tiles: dict[tuple[int, int], bytes] = {}

    @property
    def root(self) -> bytes:
        """The root that the tiles lead to: to be compared with a signed checkpoint."""
        return self.root_at(self.size)

    def root_at(self, size: int) -> bytes:
        """The root that the tree had when it was this small."""
        return self.hash_range(0, size) if size else EMPTY_ROOT

    def hash_range(self, start: int, end: int) -> bytes:
        """MTH(D[start:end]): what proofs are made of. Ranges as they occur in a tree: perfect ones, or up to some size."""
        invariant(0 <= start < end <= self.size, "A range lies in the tree")
        count = end - start
        if count & (count - 1) == 0 and start % count == 0:
            return self._hash_perfect(start, count)
        middle = start + split(count)
        return hash_node(self.hash_range(start, middle), self.hash_range(middle, end))

    def tiles_of(self, start: int, end: int) -> list[Tile]:
        """The tiles, some of them twice, from which the hash of a range is made."""
        count = end - start
        if count & (count - 1) == 0 and start % count == 0:
            level, index, _, _ = _find_perfect(start, count)
            return [self._name_tile(level, index)]
        middle = start + split(count)
        return [*self.tiles_of(start, middle), *self.tiles_of(middle, end)]

    def _hash_perfect(self, start: int, count: int) -> bytes:
        level, index, at, width = _find_perfect(start, count)
        if (level, index) not in self._tiles:
            self._tiles[level, index] = self._read_tile(self._name_tile(level, index))
        return hash_perfect(self._tiles[level, index][at * HASH_SIZE : (at + width) * HASH_SIZE])

    def _name_tile(self, level: int, index: int) -> Tile:
        return Tile(level, index, min(WIDTH, (self.size >> _BITS * level) - index * WIDTH))

    def _read_tile(self, tile: Tile) -> bytes:
        """The bytes of a tile of this tree; of a partial one that is gone, the full one's first."""
        for file in dict.fromkeys((tile, tile.full)):
            data = self._read(file.path)
            if data is not None:
                check_tile(file, data)
                return data[: tile.width * HASH_SIZE]
        raise MissingTileError(f"{tile.path} is missing")


def _find_perfect(start: int, count: int) -> tuple[int, int, int, int]:
    """Where the hashes over which a perfect subtree stands lie: level and index of their tile, place in it, how many."""
    level, height = divmod(count.bit_length() - 1, _BITS)
    index, at = divmod(start >> _BITS * level, WIDTH)
    return level, index, at, 1 << height


def _list_level(level: int | None, old: int, new: int) -> Iterator[Tile]:
    """The tiles of a level that is `new` hashes wide and was `old` hashes wide: all that are wider now."""
    if new > old:
        for index in range(old // WIDTH, -(-new // WIDTH)):
            yield Tile(level, index, min(WIDTH, new - index * WIDTH))


def _read_begun(level: int, count: int, read: ReadFile) -> tuple[bytes, ...]:
    """The hashes of the partial tile at the end of a level that is `count` hashes wide; none where the last one is full."""
    index, width = divmod(count, WIDTH)
    if not width:
        return ()
    tile = Tile(level, index, width)
    data = read(tile.path)
    if data is None:
        raise MissingTileError(f"{tile.path} is missing")
    return decode_tile(tile, data)
