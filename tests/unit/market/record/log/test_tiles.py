"""Tiles and bundles: paths, the files another program writes, proofs from tiles alone, what is refused and where."""

from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales import reader, signing, tiles, writer

from market.kit.errors import InvariantError
from market.record.log.bundles import MAX_ENTRY, decode_bundle, encode_bundle, verify_bundle
from market.record.log.checkpoints import Checkpoint, sign_checkpoint
from market.record.log.errors import MalformedError, MissingTileError, NotProvedError
from market.record.log.keys import Kind, SignerKey
from market.record.log.proofs import prove_consistency, prove_inclusion, verify_consistency, verify_inclusion
from market.record.log.tiles import (
    Tile,
    TiledTree,
    decode_tile,
    encode_tile,
    grow_tiles,
    list_bundles,
    list_tiles,
    parse_path,
)
from market.record.log.tree import EMPTY_ROOT, CompactRange, hash_leaf, hash_ranges_of, read_compact_range, root_of

BIG = 70_000
ENTRIES = [b"entry %d" % number for number in range(BIG)]
LEAVES = [hash_leaf(entry) for entry in ENTRIES]
KEY = SignerKey("huigong.example/log", Kind.NOTE, bytes(range(32)))


def grow(files: dict[str, bytes], old: int, new: int) -> None:
    """The log's files after it has grown, as a sequencer would write them."""
    for tile, data in grow_tiles(old, LEAVES[old:new], files.get):
        files[tile.path] = data
    for bundle in list_bundles(old, new):
        start = bundle.index * 256
        files[bundle.path] = encode_bundle(ENTRIES[start : start + bundle.width])


def build(*sizes: int) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for old, new in zip((0, *sizes), sizes, strict=False):
        grow(files, old, new)
    return files


class Shelf:
    """Our files for the other program's reader."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def get(self, *path: str) -> bytes | None:
        return self.files.get("/".join(path))


@pytest.fixture(scope="module")
def big() -> dict[str, bytes]:
    return build(BIG)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 0, 1), "tile/0/000.p/1"),
        (Tile(63, 999), "tile/63/999"),
        (Tile(1, 1000), "tile/1/x001/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(0, 1234067, 255), "tile/0/x001/x234/067.p/255"),
        (Tile(None, 1234067), "tile/entries/x001/x234/067"),
        (Tile(None, 5, 17), "tile/entries/005.p/17"),
    ],
)
def test_a_tile_has_one_path(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert parse_path(path) == tile


@given(st.none() | st.integers(0, 63), st.integers(0, 10**12), st.integers(1, 256))
def test_paths_are_read_back_and_are_those_of_another_program(level: int | None, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert parse_path(tile.path) == tile
    assert tile.path == "/".join(tiles.tile_path(-1 if level is None else level, index, width % 256))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/X001/000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/",
        "tile/0/٠٠٠",
        "tile/entry/000",
        "tile/0/../000",
    ],
)
def test_no_other_spelling_is_a_path(path: str) -> None:
    with pytest.raises(MalformedError, match="path"):
        parse_path(path)


def test_tiles_that_cannot_be_are_not_made() -> None:
    for level, index, width in ((64, 0, 1), (-1, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)):
        with pytest.raises(InvariantError):
            Tile(level, index, width)


def test_the_example_of_the_specification_has_these_tiles() -> None:
    names = list_tiles(0, BIG)
    assert [tile for tile in names if tile.level == 0] == [*(Tile(0, n) for n in range(273)), Tile(0, 273, 112)]
    assert [tile for tile in names if tile.level] == [Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list_tiles(0, 256) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list_tiles(256, 256) == list_tiles(0, 0) == list_bundles(7, 7) == []


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_new_tiles_are_those_of_the_new_size_without_those_of_the_old(old: int, more: int) -> None:
    def names(size: int) -> set[Tile]:
        every = set()
        for level in range(4):
            full, partial = tiles.level_tiles(size, level)
            every |= {Tile(level, index) for index in range(full)} | (
                {Tile(level, full, partial)} if partial else set()
            )
        return every

    assert set(list_tiles(old, old + more)) == names(old + more) - names(old)
    assert {Tile(0, b.index, b.width) for b in list_bundles(old, old + more)} == {
        tile for tile in names(old + more) - names(old) if tile.level == 0
    }


@pytest.mark.parametrize("sizes", [(1, 2, 255, 256, 257, 300), (256, 512, 513, 1100), (300, 65_535, 65_536, 65_800)])
def test_another_program_writes_the_same_files_byte_by_byte(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    theirs = writer.TilesWriter.create(tmp_path / "log", "huigong.example/log")
    ours: dict[str, bytes] = {}
    for old, new in zip((0, *sizes), sizes, strict=False):
        for entry in ENTRIES[old:new]:
            theirs.add_leaf(entry)
        theirs.commit([signing.PlainEd25519Signer(KEY.name, KEY.seed)], gc=False)
        grow(ours, old, new)
        checkpoint = Checkpoint("huigong.example/log", new, TiledTree(new, ours.get).root)
        ours["checkpoint"] = sign_checkpoint(checkpoint, KEY).note.encode()
        written = {str(file.relative_to(theirs.root)): file for file in theirs.root.rglob("*") if file.is_file()}
        assert {path: file.read_bytes() for path, file in written.items()} == ours


def test_growing_in_steps_ends_in_the_tiles_of_one_step(big: dict[str, bytes]) -> None:
    random = Random(1)
    sizes = sorted({*(random.randrange(BIG) for _ in range(30)), BIG})
    files = build(*sizes)
    assert {tile.path: files[tile.path] for tile in list_tiles(0, BIG)} == {
        tile.path: big[tile.path] for tile in list_tiles(0, BIG)
    }
    assert big.items() <= files.items()


def test_the_root_from_tiles_is_that_of_the_leaves(big: dict[str, bytes]) -> None:
    tree = TiledTree(BIG, big.get)
    assert tree.root == root_of(LEAVES)
    assert read_compact_range(BIG, tree.hash_range) == CompactRange().extend(LEAVES)
    assert TiledTree(0, big.get).root == EMPTY_ROOT


def test_proofs_from_tiles_alone_are_those_from_all_leaves() -> None:
    files = build(*range(1, 301))
    trees = [TiledTree(size, files.get) for size in range(301)]
    ranges = hash_ranges_of(LEAVES)
    for size in (1, 2, 255, 256, 257, 300):
        for index in range(size):
            assert prove_inclusion(index, size, trees[size].hash_range) == prove_inclusion(index, size, ranges)
        for old in range(0, size + 1, 7):
            assert prove_consistency(old, size, trees[size].hash_range) == prove_consistency(old, size, ranges)
    assert [tree.root for tree in trees] == [root_of(LEAVES[:size]) for size in range(301)]


def test_proofs_in_a_big_log_hold_and_are_those_of_another_program(big: dict[str, bytes]) -> None:
    random = Random(2)
    tree = TiledTree(BIG, big.get)
    theirs = reader.TilesReader(Shelf(big))
    theirs.set_size(BIG)
    for _ in range(60):
        index = random.randrange(BIG)
        proof = prove_inclusion(index, BIG, tree.hash_range)
        verify_inclusion(leaf=LEAVES[index], index=index, size=BIG, proof=proof, root=tree.root)
        assert list(proof) == theirs.get_inclusion_proof(index, BIG).node_hashes
        assert theirs.get_entry(index) == ENTRIES[index]
        old = random.choice([random.randrange(1, BIG), 256 * random.randrange(1, 270)])
        proof = prove_consistency(old, BIG, tree.hash_range)
        old_root = read_compact_range(old, tree.hash_range).root
        verify_consistency(old=old, old_root=old_root, new=BIG, new_root=tree.root, proof=proof)
        assert list(proof) == theirs.get_consistency_proof(old, BIG).node_hashes


def test_a_proof_reads_few_tiles_and_each_once(big: dict[str, bytes]) -> None:
    asked: list[str] = []

    def read(path: str) -> bytes | None:
        asked.append(path)
        return big.get(path)

    tree = TiledTree(BIG, read)
    for _ in range(2):
        prove_inclusion(1000, BIG, tree.hash_range)
    assert sorted(asked) == ["tile/0/003", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17"]


def test_a_partial_tile_that_is_gone_is_taken_from_the_full_one() -> None:
    files = build(100, 256)
    kept = {path: data for path, data in files.items() if ".p/" not in path or path.startswith("tile/1")}
    assert TiledTree(100, kept.get).root == root_of(LEAVES[:100])
    with pytest.raises(MissingTileError, match=r"tile/0/000\.p/100"):
        _ = TiledTree(100, {}.get).root
    with pytest.raises(MissingTileError, match=r"tile/0/000\.p/100"):
        list(grow_tiles(100, LEAVES[100:101], {}.get))


def test_a_tile_of_another_length_is_refused_with_its_path() -> None:
    tile = Tile(0, 0, 2)
    assert decode_tile(tile, encode_tile(LEAVES[:2])) == tuple(LEAVES[:2])
    for data in (b"", encode_tile(LEAVES[:1]), encode_tile(LEAVES[:3]), encode_tile(LEAVES[:2])[:-1]):
        with pytest.raises(MalformedError, match=r"tile/0/000\.p/2"):
            decode_tile(tile, data)
    for hashes in ([], LEAVES[:257]):
        with pytest.raises(InvariantError):
            encode_tile(hashes)


def test_a_flipped_bit_of_any_tile_changes_the_root() -> None:
    files = build(300)
    for path in (tile.path for tile in list_tiles(0, 300) if (tile.level, tile.width) != (0, 256)):
        for bit in range(0, 8 * len(files[path]), 61):
            data = bytearray(files[path])
            data[bit // 8] ^= 1 << bit % 8
            assert TiledTree(300, {**files, path: bytes(data)}.get).root != root_of(LEAVES[:300])


def pack(entries: Iterable[bytes]) -> bytes:
    return b"".join(bytes([len(entry) >> 8, len(entry) & 255]) + entry for entry in entries)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=256))
def test_a_bundle_is_read_back_by_us_and_by_another_program(entries: list[bytes]) -> None:
    bundle, data = Tile(None, 3, len(entries)), encode_bundle(entries)
    assert data == pack(entries)
    assert decode_bundle(bundle, data) == tuple(entries) == tuple(reader.Tile.from_entries_bytes(data).entries)
    assert verify_bundle(bundle, data, [hash_leaf(entry) for entry in entries]) == tuple(entries)


def test_every_flipped_bit_of_a_bundle_is_refused() -> None:
    entries = [b"", *ENTRIES[:8]]
    bundle, data = Tile(None, 0, 9), encode_bundle(entries)
    leaves = [hash_leaf(entry) for entry in entries]
    for bit in range(8 * len(data)):
        wrong = bytearray(data)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises((MalformedError, NotProvedError)):
            verify_bundle(bundle, bytes(wrong), leaves)


def test_an_entry_that_is_not_the_tree_s_is_named() -> None:
    bundle = Tile(None, 2, 3)
    with pytest.raises(NotProvedError, match="Entry 514 "):
        verify_bundle(bundle, encode_bundle([b"a", b"b", b"c"]), [hash_leaf(entry) for entry in (b"a", b"b", b"d")])
    with pytest.raises(InvariantError):
        verify_bundle(bundle, encode_bundle([b"a"]), [])


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "entry 0"),
        (b"\0", "entry 0"),
        (b"\0\1", "entry 0"),
        (b"\0\1a", "entry 1"),
        (b"\0\1a\0", "entry 1"),
        (b"\0\1a\0\2b", "entry 1"),
        (b"\0\1a\0\1bc", "byte 6"),
    ],
)
def test_a_malformed_bundle_is_refused_with_its_place(data: bytes, where: str) -> None:
    with pytest.raises(MalformedError) as caught:
        decode_bundle(Tile(None, 0, 2), data)
    assert (caught.value.part, caught.value.where) == ("bundle", f"tile/entries/000.p/2, {where}")


def test_bundles_have_room_for_the_longest_entry_and_no_longer_one() -> None:
    longest = b"x" * MAX_ENTRY
    assert decode_bundle(Tile(None, 0, 1), encode_bundle([longest])) == (longest,)
    for entries in ([longest + b"x"], [], [b""] * 257):
        with pytest.raises(InvariantError):
            encode_bundle(entries)
