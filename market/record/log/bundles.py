"""Entry bundles: the entries below one tile of the lowest level in one file (C2SP tlog-tiles, Log entries)."""

from collections.abc import Sequence

from market.kit.errors import invariant
from market.record.log.errors import MalformedError, NotProvedError
from market.record.log.tiles import WIDTH, Tile
from market.record.log.tree import hash_leaf

MAX_ENTRY = 65_535


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """The bytes of a bundle: each entry after its length in two bytes, the higher first."""
    invariant(0 < len(entries) <= WIDTH, "A bundle has from 1 to 256 entries")
    invariant(max(map(len, entries)) <= MAX_ENTRY, "An entry has at most 65,535 bytes")
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def decode_bundle(bundle: Tile, data: bytes) -> tuple[bytes, ...]:
    """The entries of a bundle, exactly as many as its width."""
    entries, at = [], 0
    for number in range(bundle.width):
        end = at + 2 + int.from_bytes(data[at : at + 2])
        if end > len(data) or at + 2 > len(data):
            raise MalformedError("bundle", f"{bundle.path}, entry {number}", "it ends early")
        entries.append(data[at + 2 : end])
        at = end
    if at != len(data):
        raise MalformedError("bundle", f"{bundle.path}, byte {at}", f"it goes on after its {bundle.width} entries")
    return tuple(entries)


def verify_bundle(bundle: Tile, data: bytes, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """The entries of a bundle, refused unless they are those of the leaf hashes, which its tile of level 0 holds."""
    invariant(len(leaves) == bundle.width, "A bundle is compared with as many leaves as it has entries")
    entries = decode_bundle(bundle, data)
    for number, (entry, leaf) in enumerate(zip(entries, leaves, strict=True)):
        if hash_leaf(entry) != leaf:
            raise NotProvedError(f"Entry {bundle.index * WIDTH + number} is not the one in the tree")
    return entries
